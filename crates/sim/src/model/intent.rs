//! The end of an intent: is it what the target said, and what comes of it.

use onex_expr::Value;
use onex_kernel::{Id, Message};

use super::follow::same;
use super::{Again, Case, Ending, Intent, Model, Owner, What};
use crate::outside::{Outside, Told};
use crate::promise::Violation;
use crate::system::{Load, Operation};

impl Model {
    pub(super) fn outcome(
        &mut self,
        message: &Message,
        payload: &Value,
        outside: &Outside,
    ) -> Result<(), Violation> {
        let id = message.causation_id.unwrap_or_default();
        let Some(intent) = self.intents.remove(&id) else {
            return Err(Violation::new(format!("{id} ended and was not pending")));
        };
        let told = outside.ledger.get(&id).map_or(&[][..], |entry| &entry.told);
        let told = told.get(intent.told_before..).unwrap_or_default();
        let effects = &self.system.effects[intent.effect];
        let operation = intent.operation.map(|at| effects.operations[at].clone());
        let judged = judge(&intent, operation.as_ref(), payload, told);
        let (ending, status) = judged.map_err(|text| Violation::new(format!("{id}: {text}")))?;
        let node = format!("e{}", intent.effect);
        let given = Load::of(&intent.payload);
        let fact = |load: &Load| Load { d: load.d - 1, ..load.clone() };
        let mut answered = false;
        let published = operation.zip(given).and_then(|(operation, load)| match &ending {
            Ending::Done(output) => Some((operation.outcome?, Load::of(output)?)),
            Ending::Refused(_) if status == Some(402) => {
                answered = operation.refusal.is_some();
                Some((operation.refusal?, fact(&load)))
            }
            Ending::Exhausted { .. } | Ending::InDoubt | Ending::Expired => {
                Some((operation.exhausted?, fact(&load)))
            }
            _ => None,
        });
        if let Some((topic, load)) = published {
            let event = Id::derive(message.id, &node, message.generation, 0);
            self.send(event, 0, intent.story, What::Event { topic, load });
        }
        if let Owner::Step { run, .. } = intent.owner {
            let owner = intent.owner.clone();
            self.at_hand = Some((id, intent));
            let case = Case::new(
                message.id,
                self.node_of(run),
                message.generation,
                message.correlation_id,
            );
            self.turn(run, case, |turn| turn.ended(&owner, id, &ending))?;
            self.at_hand = None;
            return Ok(());
        }
        let reason = match ending {
            Ending::Refused(_) if !answered => "refused",
            Ending::Exhausted { .. } => "exhausted",
            Ending::InDoubt => "in_doubt",
            Ending::Expired => "expired",
            _ => return Ok(()),
        };
        self.dead(reason, &node, (id, intent.generation), intent.again());
        Ok(())
    }
}

impl Intent {
    pub(super) fn again(self) -> Again {
        let Intent { effect, operation, payload, owner, .. } = self;
        Again::Intent { effect, operation, payload, owner }
    }
}

/// How it ended and the status it was refused with, if that fits what the target said.
fn judge(
    intent: &Intent,
    operation: Option<&Operation>,
    payload: &Value,
    told: &[Told],
) -> Result<(Ending, Option<i64>), String> {
    let word = payload.get("status").and_then(Value::as_str);
    let error = payload.get("error").and_then(|error| error.get("message"));
    let text = error.and_then(Value::as_str).unwrap_or_default();
    let sent = told.contains(&Told::Failed { sent: true });
    let unknown = intent.restarted || sent;
    let ending = match word {
        None => return completed(intent, operation, payload, told).map(|ending| (ending, None)),
        Some("refused") => {
            let status = text.rsplit(' ').next().and_then(|word| word.parse().ok());
            let said = status.is_some_and(|status| told.contains(&Told::Final(status)));
            return match said {
                true => Ok((Ending::Refused("refused".to_owned()), status)),
                false => Err(format!("it is refused ({text}), the target said {told:?}")),
            };
        }
        Some("exhausted") => {
            let failed = told.iter().any(|told| matches!(told, Told::Failed { .. }));
            if !failed && !intent.restarted {
                return Err(format!("it is exhausted, the target said {told:?}"));
            }
            Ending::Exhausted { code: "exhausted".to_owned(), unknown }
        }
        Some("in_doubt") => {
            if !intent.restarted || operation.is_none_or(|one| one.idempotent) {
                return Err("it is in doubt, and may be asked again".to_owned());
            }
            Ending::InDoubt
        }
        Some("expired") => {
            if operation.is_none_or(|one| one.breaker.is_none()) {
                return Err("it expired, and has no breaker".to_owned());
            }
            Ending::Expired
        }
        Some("withdrawn") => Ending::Withdrawn,
        Some("stopped") => Ending::Stopped { code: "stopped".to_owned(), unknown },
        Some(other) => return Err(format!("it ended in an unknown way: {other}")),
    };
    if matches!(ending, Ending::Withdrawn | Ending::Stopped { .. }) && !intent.stopping {
        return Err(format!("it is {word:?}, and nobody asked for that"));
    }
    if ending == Ending::Withdrawn && unknown {
        return Err("it is withdrawn, and may have happened".to_owned());
    }
    Ok((ending, None))
}

fn completed(
    intent: &Intent,
    operation: Option<&Operation>,
    output: &Value,
    told: &[Told],
) -> Result<Ending, String> {
    let n = output.get("n").and_then(Value::as_int).unwrap_or_default();
    let fits = match (operation.and_then(|one| one.outcome), Load::of(&intent.payload)) {
        (Some(_), Some(load)) => same(output, &Load { n, d: load.d - 1, ..load }.value()),
        _ => output.get("id").is_some(),
    };
    if fits && told.contains(&Told::Done(n)) {
        return Ok(Ending::Done(output.clone()));
    }
    Err(format!("it completed with {}, the target said {told:?}", output.to_json()))
}
