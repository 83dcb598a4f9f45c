//! Names that differ only by their version, or by a typo: one character too many, missing or wrong,
//! or two swapped.

use std::collections::BTreeMap;

/// Names to look others up in; no pair of names is compared that has nothing in common.
pub(super) struct Spellings<'n> {
    unversioned: BTreeMap<&'n str, Vec<&'n str>>,
    /// By the name itself and by the name without any one of its characters: names a typo apart
    /// share one of these.
    shortened: BTreeMap<String, Vec<&'n str>>,
}

impl<'n> Spellings<'n> {
    /// Over these names.
    pub(super) fn of(names: impl Iterator<Item = &'n str>) -> Spellings<'n> {
        let mut all = Spellings { unversioned: BTreeMap::new(), shortened: BTreeMap::new() };
        for name in names {
            all.unversioned.entry(unversioned(name)).or_default().push(name);
            for short in shortened(name) {
                all.shortened.entry(short).or_default().push(name);
            }
        }
        all
    }

    /// The names that differ from this one only by their version (`true`) or by a typo.
    pub(super) fn alike(&self, name: &str) -> Vec<(&'n str, bool)> {
        let same = self.unversioned.get(unversioned(name)).into_iter().flatten();
        let mut found: Vec<_> = same.map(|known| (*known, true)).collect();
        for known in shortened(name).filter_map(|short| self.shortened.get(&short)).flatten() {
            if is_typo(name, known) {
                found.push((known, false));
            }
        }
        found.retain(|(known, _)| *known != name);
        found
    }
}

fn unversioned(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(rest, _)| rest)
}

/// The name, and the name without each of its characters.
fn shortened(name: &str) -> impl Iterator<Item = String> {
    let without = name
        .char_indices()
        .map(|(at, left_out)| format!("{}{}", &name[..at], &name[at + left_out.len_utf8()..]));
    std::iter::once(name.to_owned()).chain(without)
}

/// The shortest part of a name in which one character is a typo and not another word.
const PART_MIN: usize = 4;

/// Whether two names differ by one character too many, missing or wrong, or by two swapped.
fn is_typo(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let prefix = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let part = |name: &[char]| {
        let before = name[..prefix].iter().rev().take_while(|c| **c != '.').count();
        before + name[prefix..].iter().take_while(|c| **c != '.').count()
    };
    if part(&a).max(part(&b)) < PART_MIN {
        return false;
    }
    let (a, b) = (&a[prefix..], &b[prefix..]);
    let suffix = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    match (&a[..a.len() - suffix], &b[..b.len() - suffix]) {
        ([x, y], [v, w]) => x == w && y == v,
        (a, b) => a.len() <= 1 && b.len() <= 1,
    }
}
