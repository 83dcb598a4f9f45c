//! `anyOf`, `oneOf`, `not`, and keywords that depend on the value.

use onex_expr::Value;

use super::made::Made;
use super::{Gap, Pass, gap, hopeless};

/// Whether a wanted schema leaves a choice: then each type of the made value is judged alone.
pub(super) fn chooses(wanted: &Value) -> bool {
    ["anyOf", "oneOf", "not"].iter().any(|keyword| wanted.get(keyword).is_some())
}

impl<'v> Pass<'v> {
    /// Keywords that combine schemas; `allOf` and `$ref` have been taken apart already.
    pub(super) fn combined(
        &mut self,
        made: &Made<'v>,
        wanted: &'v Value,
        path: &str,
        gaps: &mut Vec<Gap>,
    ) {
        for keyword in ["anyOf", "oneOf"] {
            if let Some(members) = wanted.get(keyword).and_then(Value::as_list) {
                gaps.extend(self.chosen(made, members, keyword == "oneOf", path));
            }
        }
        if let Some(unwanted) = wanted.get("not") {
            let found = self.trial(made, unwanted, path);
            if !hopeless(&found) {
                let certain = found.is_empty() && !made.says_nothing();
                let is = if certain { "it is" } else { "it may be" };
                gaps.push(gap(path, format!("{is} what `not` excludes"), certain));
            }
        }
        for keyword in ["if", "dependentSchemas"] {
            if keyword == "if" && self.rules_out(made, wanted, path, gaps) {
                continue;
            }
            if let Some(rule) = wanted.get(keyword)
                && !made.parts().any(|part| {
                    part.get(keyword) == Some(rule)
                        && part.get("then") == wanted.get("then")
                        && part.get("else") == wanted.get("else")
                })
            {
                gaps.push(gap(path, format!("`{keyword}` may not hold"), false));
            }
        }
    }

    /// Whether the `if` of a schema cannot hold of the made value: then only `else` is wanted.
    fn rules_out(
        &mut self,
        made: &Made<'v>,
        wanted: &'v Value,
        path: &str,
        gaps: &mut Vec<Gap>,
    ) -> bool {
        let Some(rule) = wanted.get("if") else { return false };
        // A field that may be missing does not keep the rule from holding.
        let is_there = |gap: &Gap| {
            let field = gap.path.strip_prefix(path).map(|rest| rest.trim_start_matches('.'));
            field.is_some_and(|field| {
                let mut required = made.all("required").filter_map(Value::as_list).flatten();
                field.is_empty() || required.any(|name| name.as_str() == Some(field))
            })
        };
        if !self.trial(made, rule, path).iter().any(|gap| gap.certain && is_there(gap)) {
            return false;
        }
        if let Some(other) = wanted.get("else") {
            gaps.extend(self.compare(made, other, path));
        }
        true
    }

    /// Compares without leaving assumptions behind: a trial that fails proves nothing.
    fn trial(&mut self, made: &Made<'v>, wanted: &'v Value, path: &str) -> Vec<Gap> {
        let before = self.assumed.clone();
        let found = self.compare(made, wanted, path);
        if !found.is_empty() {
            self.assumed = before;
        }
        found
    }

    fn chosen(
        &mut self,
        made: &Made<'v>,
        members: &'v [Value],
        one_only: bool,
        path: &str,
    ) -> Vec<Gap> {
        let trials: Vec<Vec<Gap>> =
            members.iter().map(|member| self.trial(made, member, path)).collect();
        let possible = trials.iter().filter(|trial| !hopeless(trial)).count();
        if possible == 0 {
            return trials.into_iter().min_by_key(Vec::len).unwrap_or_default();
        }
        if trials.iter().any(Vec::is_empty) {
            let several = one_only && possible > 1;
            return Vec::from_iter(
                several.then(|| gap(path, "more than one of `oneOf` may hold", false)),
            );
        }
        let open = trials.into_iter().filter(|trial| !hopeless(trial)).min_by_key(Vec::len);
        open.unwrap_or_default()
    }
}
