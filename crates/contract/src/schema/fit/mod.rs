//! Whether every value of one schema satisfies another: what a producer makes against what a
//! consumer takes.
//!
//! In reading order: `made` what is known of the producer's value, `kinds` the types it may have,
//! `scalar`, `object` and `list` one family of keywords each, `combine` the keywords that combine
//! schemas. Never silent about a value that might not fit, with two deliberate exceptions: a
//! producer that says nothing of a value (or of a list's items) promises nothing and is not judged,
//! and one that declares `properties` makes those, unless it says `additionalProperties`.

mod combine;
mod kinds;
mod list;
mod made;
mod object;
mod scalar;

use std::collections::BTreeSet;

use onex_expr::Value;

use super::Schema;
use kinds::Kinds;
use made::Made;
pub(super) use made::conjuncts;

/// A way in which a made value does not satisfy what is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gap {
    /// The field, `a.b[]`; empty for the whole.
    pub path: String,
    /// What is wrong there.
    pub message: String,
    /// False: some values fit.
    pub certain: bool,
}

/// The most pairs of schemas that one comparison looks at; beyond it nothing is said.
const PAIRS_MAX: u32 = 10_000;
/// The most gaps told of one edge.
const GAPS_MAX: usize = 8;

/// Where a value of `made` does not, or may not, satisfy `wanted`.
pub(crate) fn gaps(made: &Schema, wanted: &Schema) -> Vec<Gap> {
    if made.document() == wanted.document() {
        return Vec::new();
    }
    let mut pass = Pass {
        made: made.document(),
        wanted: wanted.document(),
        assumed: BTreeSet::new(),
        pairs: PAIRS_MAX,
    };
    let mut gaps = pass.compare(&Made::of(made.document(), made.document()), wanted.document(), "");
    gaps.truncate(GAPS_MAX);
    gaps
}

/// One comparison of two documents.
struct Pass<'v> {
    made: &'v Value,
    wanted: &'v Value,
    /// Pairs being compared or done: a recursive schema fits where its parts do.
    assumed: BTreeSet<(Vec<usize>, usize, Kinds)>,
    /// Pairs left.
    pairs: u32,
}

impl<'v> Pass<'v> {
    /// What of `made` does not satisfy `wanted`.
    fn compare(&mut self, made: &Made<'v>, wanted: &'v Value, path: &str) -> Vec<Gap> {
        if made.says_nothing() || wanted.as_bool() == Some(true) {
            return Vec::new();
        }
        if wanted.as_bool() == Some(false) {
            return vec![gap(path, "it is never wanted here", true)];
        }
        let pair = (made.addresses(), address(wanted), made.kinds());
        if self.pairs == 0 || !self.assumed.insert(pair.clone()) {
            return Vec::new();
        }
        self.pairs -= 1;
        let gaps = self.judge(made, wanted, path);
        if !gaps.is_empty() {
            self.assumed.remove(&pair);
        }
        gaps
    }

    fn judge(&mut self, made: &Made<'v>, wanted: &'v Value, path: &str) -> Vec<Gap> {
        if let Some(cases) = made.alternatives(self.made) {
            return self.each(&cases, wanted, path);
        }
        if let Some(values) = made.values() {
            return self.values(&values, wanted, path);
        }
        let parts = conjuncts(self.wanted, wanted);
        if parts.iter().any(|part| combine::chooses(part))
            && let Some(cases) = made.by_kind()
        {
            return self.each(&cases, wanted, path);
        }
        let mut gaps = Vec::new();
        for part in parts {
            match scalar::kind(made, part, path) {
                Some(gap) if gap.certain => return vec![gap],
                other => gaps.extend(other),
            }
            gaps.extend(scalar::bounds(made, part, path));
            self.object(made, part, path, &mut gaps);
            self.list(made, part, path, &mut gaps);
            self.combined(made, part, path, &mut gaps);
        }
        gaps
    }

    /// Several cases of one made value: hopeless only when each is.
    fn each(&mut self, cases: &[Made<'v>], wanted: &'v Value, path: &str) -> Vec<Gap> {
        let trials: Vec<Vec<Gap>> =
            cases.iter().map(|case| self.compare(case, wanted, path)).collect();
        let certain = !trials.is_empty() && trials.iter().all(|trial| hopeless(trial));
        let first = trials.into_iter().find(|trial| !trial.is_empty()).unwrap_or_default();
        first.into_iter().map(|gap| Gap { certain: gap.certain && certain, ..gap }).collect()
    }

    /// Values that the producer lists.
    fn values(&self, values: &[&Value], wanted: &Value, path: &str) -> Vec<Gap> {
        let Some(schema) = self.compiled(wanted) else {
            return Vec::new();
        };
        let refused: Vec<_> = values
            .iter()
            .filter_map(|value| Some((value, schema.validate(value).err()?)))
            .collect();
        let Some((value, misfits)) = refused.first() else {
            return Vec::new();
        };
        let why = misfits.first().map_or("", |misfit| misfit.message.as_str());
        let certain = refused.len() == values.len();
        let is = if certain { "is" } else { "may be" };
        vec![gap(path, format!("it {is} `{}`: {why}", value.to_json()), certain)]
    }

    /// A part of the wanted document as a schema of its own.
    fn compiled(&self, part: &Value) -> Option<Schema> {
        let mut document = part.as_map()?.clone();
        if let Some(defs) = self.wanted.get("$defs") {
            document.insert("$defs".into(), defs.clone());
        }
        Schema::from_value(&Value::Map(document.into())).ok()
    }
}

fn hopeless(gaps: &[Gap]) -> bool {
    gaps.iter().any(|gap| gap.certain)
}

fn gap(path: &str, message: impl Into<String>, certain: bool) -> Gap {
    Gap { path: path.to_owned(), message: message.into(), certain }
}

/// What tells one schema of a document from another.
fn address(schema: &Value) -> usize {
    std::ptr::from_ref(schema) as usize
}
