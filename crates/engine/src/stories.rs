//! Which stories have open dead letters: what is needed to go on with them is not forgotten. Each
//! open letter has a row of its own here, so that a start need not read every letter to know.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::Ordering;

use onex_kernel::Id;
use onex_kernel::row::Letter;

use crate::codec::Corrupt;
use crate::engine::Engine;
use crate::key;
use crate::tally::Count;
use crate::turn::Sink;

/// How many open dead letters there are, by correlation id.
#[derive(Debug, Default)]
pub(crate) struct Stories(BTreeMap<Id, u64>);

impl Stories {
    /// Whether a dead letter of a story is open.
    pub fn is_open(&self, correlation: Id) -> bool {
        self.0.contains_key(&correlation)
    }

    /// Takes what a start found.
    pub fn recover(&mut self, place: &[u8]) -> Result<(), Corrupt> {
        let story = key::read_open_letter(place).ok_or(Corrupt { what: "open dead letter" })?;
        self.opened(story);
        Ok(())
    }

    fn opened(&mut self, story: Id) {
        *self.0.entry(story).or_default() += 1;
    }

    fn settled(&mut self, story: Id) {
        let Some(open) = self.0.get_mut(&story) else { return };
        *open -= 1;
        if *open == 0 {
            self.0.remove(&story);
        }
    }
}

impl Engine {
    /// Changes how many letters there are like this one, and whether its story has an open one.
    pub(crate) fn tell_tally(
        &mut self,
        letter: &Letter,
        sink: &mut Sink,
        change: impl FnOnce(&mut Count),
    ) {
        let story = letter.message.correlation_id;
        let row = key::open_letter(story, letter.id);
        match self.tally.change(letter, sink, change) {
            Ordering::Greater => {
                self.stories.opened(story);
                sink.put_fresh(row, Vec::new());
            }
            Ordering::Less => {
                self.stories.settled(story);
                sink.delete(row);
            }
            Ordering::Equal => {}
        }
    }
}
