//! What a rule is, and which one stands for a path.

use super::Both;
use super::rules::RULES;
use super::verdict::{Touches, Verdict, What};
use super::walk::{Difference, Step};
use crate::model::Contract;

/// What differences at one place mean.
pub(super) struct Rule {
    /// The place: `a.b[].c`, where `[]` is any item and `*` any key. It also stands for everything
    /// inside, unless a rule with a longer path does.
    pub path: &'static str,
    /// How far the walk goes.
    pub reach: Reach,
    /// The answer.
    pub judge: Judge,
}

/// How far the walk goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Down to the smallest part that differs.
    Parts,
    /// The same; and what is on one side only is looked at part by part too.
    EachPart,
    /// No further than here.
    Whole,
}

/// How a difference is judged.
pub(super) enum Judge {
    /// However it differs.
    Always(Verdict, &'static str),
    /// By how it differs.
    Each(Answer, Answer, Answer),
    /// What is added and what is changed; what is removed is judged by what readers miss.
    Told(Answer, Answer),
    /// By more than its place.
    By(fn(&Case<'_, '_>) -> Judged),
    /// It is judged by its meaning, in a file of its own.
    Elsewhere,
}

/// A verdict and its reason.
pub(super) type Answer = (Verdict, &'static str);

/// A difference with everything around it.
pub(super) struct Case<'c, 'a> {
    /// Both systems.
    pub both: &'c Both<'a>,
    /// The contract as it was.
    pub old: &'c Contract<'a>,
    /// The contract as it is.
    pub new: &'c Contract<'a>,
    /// Where they differ.
    pub difference: &'c Difference<'c>,
    /// How what the rule names differs: changed, when the difference is further inside.
    pub what: What,
}

/// A judgement.
pub(super) struct Judged {
    pub verdict: Verdict,
    pub reason: String,
    pub touches: Touches,
}

/// Down to the smallest part.
pub(super) const fn rule(path: &'static str, judge: Judge) -> Rule {
    Rule { path, reach: Reach::Parts, judge }
}

/// Each part of a list or mapping by itself, also when there was none before.
pub(super) const fn parts(path: &'static str, judge: Judge) -> Rule {
    Rule { path, reach: Reach::EachPart, judge }
}

/// No further than here.
pub(super) const fn whole(path: &'static str, judge: Judge) -> Rule {
    Rule { path, reach: Reach::Whole, judge }
}

/// Compatible, however it differs.
pub(super) const fn compatible(reason: &'static str) -> Judge {
    Judge::Always(Verdict::Compatible, reason)
}

impl Judged {
    pub(super) fn new(verdict: Verdict, reason: impl Into<String>) -> Judged {
        Judged { verdict, reason: reason.into(), touches: Touches::Nothing }
    }

    pub(super) fn touching(self, touches: Touches) -> Judged {
        Judged { touches, ..self }
    }
}

impl Judge {
    /// The answer; `None` when it is judged elsewhere.
    pub(super) fn judge(&self, case: &Case<'_, '_>) -> Option<Judged> {
        let (verdict, reason) = match (self, case.what) {
            (Judge::Elsewhere, _) => return None,
            (Judge::Told(added, changed), _) => match case.difference.what() {
                What::Added => *added,
                What::Changed => *changed,
                What::Removed => return None,
            },
            (Judge::By(judge), _) => return Some(judge(case)),
            (Judge::Always(verdict, reason), _) => (*verdict, *reason),
            (Judge::Each(added, ..), What::Added) => *added,
            (Judge::Each(_, removed, _), What::Removed) => *removed,
            (Judge::Each(.., changed), What::Changed) => *changed,
        };
        Some(Judged::new(verdict, reason))
    }
}

/// The rule with the longest path that leads to this place or to something it is in, and how what
/// it names differs.
pub(super) fn find(difference: &Difference<'_>) -> Option<(&'static Rule, What)> {
    let path = &difference.path;
    let reaching = all().filter_map(|rule| Some((reaches(rule, path)?, rule)));
    let ((length, _), rule) = reaching.max_by_key(|(rank, _)| *rank)?;
    let is_here = length == path.len();
    Some((rule, if is_here { difference.what() } else { What::Changed }))
}

/// Whether the walk ends here.
pub(super) fn is_whole(path: &[Step]) -> bool {
    exact(path, Reach::Whole)
}

/// Whether what is on one side only is looked at part by part.
pub(super) fn parts_count(path: &[Step]) -> bool {
    exact(path, Reach::EachPart)
}

fn exact(path: &[Step], reach: Reach) -> bool {
    all().any(|rule| {
        rule.reach == reach && reaches(rule, path).is_some_and(|(length, _)| length == path.len())
    })
}

fn all() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().flat_map(|rules| rules.iter())
}

/// How many steps of the path the rule names, and how many of them by name; `None` when it leads
/// elsewhere.
fn reaches(rule: &Rule, path: &[Step]) -> Option<(usize, usize)> {
    let mut steps = path.iter();
    let (mut length, mut named) = (0, 0);
    for segment in rule.path.split('.').filter(|segment| !segment.is_empty()) {
        let (key, is_list) = segment.strip_suffix("[]").map_or((segment, false), |key| (key, true));
        match steps.next()? {
            Step::Key(found) if found == key => named += 1,
            Step::Key(_) if key == "*" => {}
            _ => return None,
        }
        length += 1;
        if is_list {
            match steps.next()? {
                Step::Item(_) => length += 1,
                Step::Key(_) => return None,
            }
        }
    }
    Some((length, named))
}
