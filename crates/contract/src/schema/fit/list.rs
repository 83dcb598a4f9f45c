//! Lists: items, first items, what they contain.

use onex_expr::Value;

use super::kinds::Kinds;
use super::made::Made;
use super::{Gap, Pass, gap};

impl<'v> Pass<'v> {
    /// Keywords about lists.
    pub(super) fn list(
        &mut self,
        made: &Made<'v>,
        wanted: &'v Value,
        path: &str,
        gaps: &mut Vec<Gap>,
    ) {
        if !made.kinds().has(Kinds::ARRAY) {
            return;
        }
        let first = wanted.get("prefixItems").and_then(Value::as_list).unwrap_or_default();
        for (at, want) in first.iter().enumerate() {
            if let Some(have) = self.item(made, at) {
                gaps.extend(self.compare(&have, want, &format!("{path}[{at}]")));
            }
        }
        if let Some(want) = wanted.get("items") {
            let prefixes = made.all("prefixItems").filter_map(Value::as_list).map(<[Value]>::len);
            let known = prefixes.max().unwrap_or(0).max(first.len());
            for at in first.len()..=known {
                if let Some(have) = self.item(made, at) {
                    gaps.extend(self.compare(&have, want, &format!("{path}[]")));
                }
            }
        }
        self.contained(made, wanted, path, gaps);
    }

    /// What is known of the item at a place.
    fn item(&self, made: &Made<'v>, at: usize) -> Option<Made<'v>> {
        let first = made.all("prefixItems").find_map(|items| items.as_list()?.get(at));
        first.or_else(|| made.all("items").next()).map(|schema| Made::of(self.made, schema))
    }

    fn contained(&self, made: &Made<'v>, wanted: &'v Value, path: &str, gaps: &mut Vec<Gap>) {
        let single = made.bound("maxItems", false).is_some_and(|most| most <= 1.0);
        let unique = wanted.get("uniqueItems").and_then(Value::as_bool) == Some(true);
        if unique && !single && !made.all("uniqueItems").any(|rule| rule.as_bool() == Some(true)) {
            gaps.push(gap(path, "it may hold the same item twice", false));
        }
        for keyword in ["contains", "unevaluatedItems"] {
            if let Some(rule) = wanted.get(keyword)
                && !made.all(keyword).any(|other| other == rule)
            {
                gaps.push(gap(path, format!("`{keyword}` may not hold"), false));
            }
        }
    }
}
