//! How many dead letters there are, by reason and node. Those that are open stand in rows of their
//! own, so that a start need not read every letter to know.

use alloc::collections::BTreeMap;
use core::cmp::Ordering;

use onex_expr::Text;
use onex_kernel::row::{Letter, Reason};

use crate::codec::{Corrupt, row};
use crate::key;
use crate::turn::Sink;

/// Dead letters by reason and node.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counts: BTreeMap<(&'static str, Text), Count>,
    changes: u64,
}

/// Dead letters of one reason and node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Those that a person has yet to do something about.
    pub open: u64,
    /// Written since the start.
    pub written: u64,
    /// Put back since the start.
    pub redriven: u64,
    /// Let go of since the start.
    pub discarded: u64,
}

impl Tally {
    /// Reason, node (empty where none is to blame) and count.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Text, Count)> {
        self.counts.iter().map(|((reason, node), count)| (*reason, node, *count))
    }

    /// One more with each change, so that whoever copies it need not compare.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Changes the count of a letter's reason and node, and the row of what is open of it. Says how
    /// many are open now beside how many were.
    pub(crate) fn change(
        &mut self,
        letter: &Letter,
        sink: &mut Sink,
        change: impl FnOnce(&mut Count),
    ) -> Ordering {
        let (reason, node) = (letter.reason.as_str(), letter.node.clone().unwrap_or_default());
        let row = key::open_letters(reason, &node);
        let count = self.counts.entry((reason, node)).or_default();
        let before = count.open;
        change(count);
        self.changes += 1;
        let changed = count.open.cmp(&before);
        match count.open {
            _ if changed.is_eq() => {}
            0 => sink.delete(row),
            open => sink.put(row, row::count(open)),
        }
        changed
    }

    /// Takes what a start found of what is open.
    pub(crate) fn recover(&mut self, place: &[u8], bytes: &[u8]) -> Result<(), Corrupt> {
        let found = key::read_open_letters(place).and_then(|(word, node)| {
            let reason = Reason::ALL.into_iter().find(|reason| reason.as_str() == word)?;
            Some((reason.as_str(), Text::from(node)))
        });
        let place = found.ok_or(Corrupt { what: "count of dead letters" })?;
        let open = row::read_count(bytes)?;
        self.counts.insert(place, Count { open, ..Count::default() });
        self.changes += 1;
        Ok(())
    }
}
