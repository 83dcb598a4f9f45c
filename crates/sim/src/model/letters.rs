//! Dead letters: put back and let go of.

use std::mem;

use onex_expr::Value;
use onex_kernel::Message;
use onex_kernel::row::LetterStatus;

use super::follow::{Arrived, payload, wrong};
use super::{Again, Letter, Model, What};
use crate::promise::Violation;

impl Model {
    /// The letter that a record changed; its status before.
    fn letter(&mut self, arrived: &Arrived<'_>) -> Result<(&mut Letter, LetterStatus), Violation> {
        let Some(row) = &arrived.letter else { return wrong("no letter is changed") };
        let found = self.letters.iter_mut().find(|letter| {
            letter.message == row.message.id
                && letter.generation == row.message.generation
                && Some(letter.node.as_str()) == row.node.as_deref()
                && letter.status != LetterStatus::Redriven
        });
        match found {
            Some(letter) => {
                let before = mem::replace(&mut letter.status, row.status());
                Ok((letter, before))
            }
            None => wrong(format!("no such letter: {row:?}")),
        }
    }

    pub(super) fn discarded(&mut self, arrived: &Arrived<'_>) -> Result<(), Violation> {
        match self.letter(arrived)? {
            (letter, LetterStatus::Open) if letter.status == LetterStatus::Discarded => Ok(()),
            (letter, before) => wrong(format!("{letter:?} is discarded and was {before:?}")),
        }
    }

    /// A letter is put back: what it sent comes in its turn, its message at once.
    pub(super) fn redriven(
        &mut self,
        arrived: &Arrived<'_>,
        payload: &Value,
    ) -> Result<(), Violation> {
        let (letter, _) = self.letter(arrived)?;
        let letter = letter.clone();
        let generation = letter.generation + 1;
        if letter.status != LetterStatus::Redriven {
            return wrong(format!("{letter:?} is put back and does not say so"));
        }
        if payload.get("generation").and_then(Value::as_int) != Some(i64::from(generation)) {
            return wrong(format!("{letter:?} is put back as {}", payload.to_json()));
        }
        let story = arrived.record.message.correlation_id;
        let what = match letter.again.clone() {
            Again::Deliver { .. } | Again::Timer { .. } => {
                self.put_back = Some(letter);
                return Ok(());
            }
            Again::Intent { effect, operation, payload, owner } => {
                What::Intent { effect, operation, payload, owner }
            }
            Again::Begin { workflow, load } => What::Begin { workflow, load, owner: None },
        };
        self.send(letter.message, generation, story, what);
        Ok(())
    }

    /// The message of a letter that was put back.
    pub(super) fn again(&mut self, message: &Message, letter: Letter) -> Result<(), Violation> {
        if (message.id, message.generation) != (letter.message, letter.generation + 1) {
            return wrong(format!("{letter:?} is put back, and then comes {message:?}"));
        }
        match letter.again {
            Again::Deliver { load, .. } if load.d < 0 => wrong("what nobody takes is put back"),
            Again::Deliver { topic, load } => {
                self.deliver(message, topic, &load, Some(&letter.node))
            }
            Again::Timer { reducer, key } => {
                let due = payload(message).get("due_at").map(Value::to_json);
                let entity = self.entities.get(&(reducer, key.clone()));
                let armed = entity.and_then(|entity| entity.timer);
                // It is for the visit that armed it, and for none after.
                match armed.is_some_and(|at| due == Some(at.to_value().to_json())) {
                    true => self.timeout(message, reducer, &key),
                    false => Ok(()),
                }
            }
            Again::Intent { .. } | Again::Begin { .. } => wrong("an intent is not delivered"),
        }
    }
}
