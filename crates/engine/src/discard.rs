//! Dead letters: let go of. A person says why; the letter stays and says so too.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use onex_expr::{Text, Value};
use onex_kernel::row::{Discarded, Letter, LetterStatus};
use onex_kernel::{Category, Id, Message, Origin};

use crate::codec::{Corrupt, row};
use crate::engine::Engine;
use crate::key;
use crate::output::Reply;
use crate::turn::Sink;

impl Engine {
    /// Lets go of letters; `None` while rows are wanted.
    pub(crate) fn discard(
        &mut self,
        letters: &[Id],
        reason: &Text,
    ) -> Result<Option<Reply>, Corrupt> {
        let named: BTreeSet<Id> = letters.iter().copied().collect();
        let mut ready = true;
        for id in &named {
            ready &= self.rows.has_letter(*id)?;
        }
        if !ready {
            return Ok(None);
        }
        let (mut discarded, mut refused) = (Vec::new(), Vec::new());
        for id in named {
            match self.rows.letter(id).map(|letter| (letter.status(), letter.clone())) {
                None => refused.push((id, "there is no such dead letter".to_string())),
                Some((LetterStatus::Open, letter)) => {
                    self.let_go(letter, reason);
                    discarded.push(id);
                }
                Some((LetterStatus::Redriven, _)) => {
                    refused.push((id, "it has been redriven before".to_string()));
                }
                Some((LetterStatus::Discarded, letter)) => {
                    refused.push((id, was_discarded(&letter)));
                }
            }
        }
        Ok(Some(Reply::Discarded { discarded, refused }))
    }

    fn let_go(&mut self, letter: Letter, reason: &Text) {
        let mut sink = self.begin_record();
        let at = self.now;
        let letter = Letter { discarded: Some(Discarded { at, reason: reason.clone() }), ..letter };
        self.tell_tally(&letter, &mut sink, |count| {
            count.open = count.open.saturating_sub(1);
            count.discarded += 1;
        });
        let said = [("reason", Value::String(reason.clone()))];
        self.put_letter("discard", letter, said, sink);
    }

    /// Records what was done with a letter: a record of its own, which is the audit.
    pub(crate) fn put_letter<const N: usize>(
        &mut self,
        what: &'static str,
        letter: Letter,
        said: [(&'static str, Value); N],
        mut sink: Sink,
    ) {
        sink.put(key::letter(letter.id), row::letter(&letter));
        let about =
            [("control", Value::text(what)), ("letter_id", Value::text(letter.id.to_string()))];
        let payload = Value::map(about.into_iter().chain(said));
        let control = self.own_message(Category::Control, Origin::Control, letter.id, payload);
        let control = Message {
            correlation_id: letter.message.correlation_id,
            causation_id: Some(letter.message.id),
            node: letter.node.clone(),
            ..control
        };
        self.rows.put_letter(letter);
        let graph = self.active.id;
        self.end_record(&control, graph, sink);
    }
}

/// Why a letter that was let go of is not touched again.
pub(crate) fn was_discarded(letter: &Letter) -> String {
    let reason = letter.discarded.as_ref().map(|discarded| discarded.reason.as_str());
    alloc::format!("it was discarded: {}", reason.unwrap_or_default())
}
