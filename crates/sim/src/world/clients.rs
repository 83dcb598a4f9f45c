//! The clients: what they send, again and again until it is answered, and what they were told.

use std::collections::BTreeMap;

use onex_engine::input::{Publish, StartRun};
use onex_engine::{Refusal, Reply, Request};
use onex_expr::{Value, json};
use onex_kernel::{Id, Micros, Payload};

use crate::promise::Violation;
use crate::random::Random;
use crate::scenario::{Op, Scenario};

/// What the clients know.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    /// When each op is sent next; absent once it is settled.
    pub sending: BTreeMap<u64, Micros>,
    /// Requests under way: ticket, op; of a batch every op.
    tickets: BTreeMap<u64, Vec<u64>>,
    next_ticket: u64,
    /// What each op was told.
    pub answered: BTreeMap<u64, Answer>,
    /// How often each op was sent.
    sent: BTreeMap<u64, u64>,
}

/// What an op was told at last.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// A message is durable: id and offset.
    Accepted(Id, u64),
    /// A run is.
    Started(Id),
    /// No: status and code.
    Refused(u16, &'static str),
    /// Something else was done.
    Done,
}

impl Clients {
    /// Every op is to be sent some time in the first seconds; a message perhaps with those before it.
    pub fn new(scenario: &Scenario, begin: Micros) -> Clients {
        let mut sending = BTreeMap::new();
        let mut message_at = None;
        for (number, op) in &scenario.ops {
            let mut random = Random::part(scenario.seed, &format!("op {number}"));
            let span = random.one_of(&[200_000, 2_000_000, 12_000_000]);
            let own = Micros(begin.0 + random.below(span));
            let together = random.percent(scenario.troubles.batch_percent);
            let at = match op {
                Op::Publish { .. } => *message_at.filter(|_| together).get_or_insert(own),
                _ => own,
            };
            if let Op::Publish { .. } = op {
                message_at = Some(at);
            }
            sending.insert(*number, at);
        }
        Clients { sending, ..Clients::default() }
    }

    /// The ops whose time has come, each as often as it is sent now.
    pub fn due(&mut self, scenario: &Scenario, now: Micros) -> Vec<u64> {
        let due: Vec<u64> =
            self.sending.iter().filter(|(_, at)| **at <= now).map(|(op, _)| *op).collect();
        let mut all = Vec::new();
        for number in due {
            let sent = self.sent.entry(number).or_default();
            *sent += 1;
            let random = &mut Random::part(scenario.seed, &format!("send {number} {sent}"));
            all.push(number);
            if random.percent(scenario.troubles.repeat_percent) {
                all.push(number);
            }
            if self.answered.contains_key(&number) {
                self.sending.remove(&number);
            } else {
                // Sent again if no answer comes: the host may have gone.
                let again = Micros(now.0 + 500_000 + random.below(500_000));
                self.sending.insert(number, again);
            }
        }
        all
    }

    /// A ticket for a request; for a batch with an op for each of its messages.
    pub fn ticket(&mut self, numbers: Vec<u64>) -> u64 {
        self.next_ticket += 1;
        self.tickets.insert(self.next_ticket, numbers);
        self.next_ticket
    }

    /// Nobody will answer what is under way; what is sent once is not sent again.
    pub fn host_is_gone(&mut self, scenario: &Scenario) {
        for number in std::mem::take(&mut self.tickets).into_values().flatten() {
            if op(scenario, number).is_some_and(|(_, op)| op.steers()) {
                self.sending.remove(&number);
            }
        }
    }

    /// Takes what a request is answered; the ops it is for, each with its own.
    pub fn answer(
        &mut self,
        scenario: &Scenario,
        ticket: u64,
        reply: &Reply,
        now: Micros,
    ) -> Result<Vec<(u64, Answer)>, Violation> {
        let Some(numbers) = self.tickets.remove(&ticket) else {
            return Err(Violation::new(format!("request {ticket} was answered twice")));
        };
        let answers = answers(reply, numbers.len())?;
        let mut taken = Vec::new();
        for (number, answer) in numbers.into_iter().zip(answers) {
            if let Some(answer) = answer {
                self.take(scenario, number, answer.clone(), now)?;
                taken.push((number, answer));
            }
        }
        Ok(taken)
    }

    fn take(
        &mut self,
        scenario: &Scenario,
        number: u64,
        answer: Answer,
        now: Micros,
    ) -> Result<(), Violation> {
        let steers = op(scenario, number).is_some_and(|(_, op)| op.steers());
        let before = self.answered.get(&number);
        if let Some(before @ (Answer::Accepted(..) | Answer::Started(_))) = before
            && *before != answer
        {
            return Err(Violation::new(format!("op {number} was told {before:?}, now {answer:?}")));
        }
        if self.answered.insert(number, answer).is_none() {
            self.sending.remove(&number);
            let random = &mut Random::part(scenario.seed, &format!("late {number}"));
            if !steers && random.percent(scenario.troubles.repeat_percent) {
                self.sending.insert(number, Micros(now.0 + random.below(9_000_000)));
            }
        }
        Ok(())
    }
}

/// What each op of a request is told; nothing where it is to come back.
fn answers(reply: &Reply, count: usize) -> Result<Vec<Option<Answer>>, Violation> {
    let Reply::Batch(items) = reply else {
        let answer = match reply {
            Reply::Accepted { id, offset, .. } => Some(Answer::Accepted(*id, *offset)),
            Reply::Started { run_id, .. } => Some(Answer::Started(*run_id)),
            Reply::Refused(refusal) => refused(refusal),
            _ => Some(Answer::Done),
        };
        return Ok(vec![answer; count]);
    };
    if items.len() != count {
        let what = format!("{} of a batch of {count} were answered", items.len());
        return Err(Violation::new(what));
    }
    let new = items.iter().flatten().filter(|(_, _, repeated)| !repeated);
    if !new.map(|(_, offset, _)| offset).is_sorted_by(|a, b| a < b) {
        return Err(Violation::new("a batch is not in the log in its order"));
    }
    let answer = |item: &Result<(Id, u64, bool), Refusal>| match item {
        Ok((id, offset, _)) => Some(Answer::Accepted(*id, *offset)),
        Err(refusal) => refused(refusal),
    };
    Ok(items.iter().map(answer).collect())
}

fn refused(refusal: &Refusal) -> Option<Answer> {
    let later = ["busy", "draining"].contains(&refusal.code);
    (!later).then_some(Answer::Refused(refusal.status, refusal.code))
}

/// An op by its number.
pub(crate) fn op(scenario: &Scenario, number: u64) -> Option<&(u64, Op)> {
    scenario.ops.iter().find(|(own, _)| *own == number)
}

/// The id of an op's message.
pub(crate) fn id_of(number: u64) -> Id {
    Id::of_text("op", &number.to_string())
}

/// The request of an op that is sent until it is answered.
pub(crate) fn request(op: &Op, number: u64) -> Option<Request> {
    match op {
        Op::Publish { topic, payload, story, same_id } => Some(Request::Publish(Publish {
            id: id_of(same_id.unwrap_or(number)),
            id_given: true,
            topic: topic.clone(),
            key: None,
            event_type: None,
            payload: with_bytes(payload),
            correlation_id: id_of(story.unwrap_or(number)),
        })),
        Op::Start { node, key, input } => {
            let run_id = Id::of_text(node, key);
            Some(Request::Start(StartRun {
                node: node.clone(),
                run_id,
                key_given: true,
                input: with_bytes(input),
                correlation_id: id_of(number),
            }))
        }
        Op::Cancel | Op::Retry | Op::Redrive { .. } | Op::Discard | Op::Activate { .. } => None,
    }
}

fn with_bytes(value: &Value) -> Payload {
    let mut bytes = Vec::new();
    json::write(value, &mut bytes);
    Payload { value: value.clone(), bytes: Some(bytes.into()) }
}
