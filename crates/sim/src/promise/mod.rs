//! The promises, asked of the world while it runs: after every turn, at every start, at rest.

mod graphs;
mod held;
mod rest;
mod stuck;

use std::collections::{BTreeMap, BTreeSet};

use onex_engine::Perform;
use onex_engine::codec::record;
use onex_engine::codec::row;
use onex_engine::key;
use onex_engine::output::RunEnd;
use onex_kernel::row::{LetterStatus, Owner, RunHead};
use onex_kernel::{Category, Id, Message, Micros, Origin};
use onex_store::{Store, StoreError, Stored};

use crate::model::compare::{Rows, range};
use crate::model::{Arrived, Model};
use crate::outside::Outside;
use crate::scenario::{Op, Scenario};
use crate::trace::Trace;
use crate::world::Answer;

/// A promise that does not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// Which, and how that was seen.
    pub what: String,
    /// What happened last before it.
    pub before: String,
}

impl Violation {
    pub(crate) fn new(what: impl Into<String>) -> Violation {
        Violation { what: what.into(), before: String::new() }
    }

    pub(crate) fn after(self, trace: &Trace) -> Violation {
        Violation { before: trace.lines(), ..self }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.before, self.what)
    }
}

impl std::error::Error for Violation {}

impl From<StoreError> for Violation {
    fn from(error: StoreError) -> Self {
        Violation::new(format!("the store cannot be read: {error}"))
    }
}

impl From<onex_engine::codec::Corrupt> for Violation {
    fn from(error: onex_engine::codec::Corrupt) -> Self {
        Violation::new(error.to_string())
    }
}

/// What is known of the durable log, gathered as it grows.
pub(crate) struct Watch {
    model: Option<Model>,
    graphs: graphs::Graphs,
    /// The sum of all changes of rows.
    rows: Rows,
    /// Heads of runs that are not over.
    live: BTreeMap<Id, RunHead>,
    /// A hash of every record.
    hashes: Vec<[u8; 32]>,
    /// Where the last frame begins.
    last_frame: u64,
    /// Messages of the log: id, category, generation.
    messages: BTreeSet<(Id, u8, u32)>,
    /// Intents that effects perform, and how often each ended.
    ends: BTreeMap<(Id, u32), u32>,
    /// Attempts that were begun of each generation of an intent.
    begun: BTreeMap<(Id, u32), u64>,
}

impl Watch {
    pub fn new(scenario: &Scenario) -> Watch {
        Watch {
            model: scenario.system.clone().map(Model::new),
            graphs: graphs::Graphs::new(scenario.graph.id),
            rows: Rows::new(),
            live: BTreeMap::new(),
            hashes: Vec::new(),
            last_frame: 0,
            messages: BTreeSet::new(),
            ends: BTreeMap::new(),
            begun: BTreeMap::new(),
        }
    }

    /// Records that were seen.
    pub fn records(&self) -> u64 {
        self.hashes.len() as u64
    }

    /// Takes in every record that is new.
    pub fn take(
        &mut self,
        store: &dyn Store,
        outside: &Outside,
        trace: &mut Trace,
    ) -> Result<(), Violation> {
        let before = self.records();
        loop {
            let read = store.read(self.records(), 4096, 16 << 20)?;
            if read.is_empty() {
                break;
            }
            for stored in &read {
                self.take_one(stored, outside, trace)?;
            }
        }
        if self.records() > before {
            self.last_frame = before;
            if let Some(model) = &mut self.model {
                model.compare(&self.rows)?;
            }
        }
        Ok(())
    }

    fn take_one(
        &mut self,
        stored: &Stored,
        outside: &Outside,
        trace: &mut Trace,
    ) -> Result<(), Violation> {
        let record = record::decode(&stored.body)?;
        let message = &record.message;
        trace.note(format!("  {:>5} {}", stored.offset, shown(message)));
        trace.bytes(&hash_of(stored));
        if stored.offset != self.records() {
            return Err(Violation::new(format!("{} follows {}", stored.offset, self.records())));
        }
        self.hashes.push(hash_of(stored));
        self.once(message)?;
        let mut letter = None;
        for (key, value) in stored.rows.iter() {
            match value {
                Some(value) => {
                    self.graphs.row(key, value);
                    if key.starts_with(key::INTENTS) {
                        self.ends.entry((message.id, message.generation)).or_default();
                    }
                    if key.starts_with(key::RUNS) {
                        let (head, _) = row::read_run(value)?;
                        self.graphs.run(&head)?;
                        match head.ended_at {
                            None => self.live.insert(head.id, head),
                            Some(_) => self.live.remove(&head.id),
                        };
                    }
                    if key.starts_with(key::LETTERS) {
                        letter = Some(row::read_letter(value)?);
                    }
                    self.rows.insert(key.to_vec(), value.to_vec())
                }
                None => self.rows.remove(key),
            };
        }
        match &mut self.model {
            Some(model) => model.follow(&Arrived { record: &record, letter }, outside),
            None => Ok(()),
        }
    }

    /// Nothing is accepted twice, and no intent ends twice.
    fn once(&mut self, message: &Message) -> Result<(), Violation> {
        let own = matches!(message.category, Category::Timer | Category::Control)
            || message.origin == Origin::Derived && message.category == Category::Outcome;
        let place = (message.id, message.category as u8, message.generation);
        if !own && !self.messages.insert(place) {
            return Err(Violation::new(format!("{} is in the log twice", message.id)));
        }
        Ok(())
    }

    /// An attempt begins: its intent is durable and pending, and it is its turn.
    pub fn performing(&mut self, perform: &Perform, outside: &Outside) -> Result<(), Violation> {
        let id = perform.intent.id;
        let wrong = |text: &str| Err(Violation::new(format!("{id} is attempted {text}")));
        let Some(bytes) = self.rows.get(&*key::intent(id)) else {
            return wrong("and is not pending in the durable rows");
        };
        let intent = row::read_intent(bytes)?;
        let begun = self.begun.entry((id, intent.generation)).or_default();
        *begun += 1;
        let operation = operation(perform);
        if !operation.idempotent && !intent.started {
            return wrong("without a note that it was");
        }
        if !operation.idempotent && *begun > 1 {
            return wrong(&format!("{begun} times, {:?}", outside.ledger.get(&id)));
        }
        if !operation.ordered {
            return Ok(());
        }
        let Owner::Entity { .. } = &intent.owner else { return Ok(()) };
        for (_, bytes) in range(&self.rows, key::INTENTS) {
            let other = row::read_intent(bytes)?;
            let before = other.owner == intent.owner
                && other.node == intent.node
                && other.offset < intent.offset
                && is_ordered(&perform.graph, &other);
            if before {
                return wrong(&format!("before {}, which was sent before", other.id));
            }
        }
        Ok(())
    }

    /// A client is answered: what it is told is durable, and right.
    pub fn answering(
        &self,
        scenario: &Scenario,
        number: u64,
        answer: &Answer,
        store: &dyn Store,
    ) -> Result<(), Violation> {
        let wrong =
            |text: String| Err(Violation::new(format!("op {number} is told {answer:?}, {text}")));
        match answer {
            Answer::Accepted(id, offset) => {
                let read = store.read(*offset, 1, 1)?;
                let found = read.first().map(|one| record::decode(&one.body)).transpose()?;
                if found.is_none_or(|found| found.message.id != *id) {
                    return wrong(format!("and {id} is not there"));
                }
            }
            Answer::Started(run) if !self.rows.contains_key(&*key::run(*run)) => {
                return wrong("and there is no such run".to_owned());
            }
            _ => {}
        }
        let Some(model) = &self.model else { return Ok(()) };
        let Some((_, op)) = scenario.ops.iter().find(|(own, _)| *own == number) else {
            return Ok(());
        };
        let right = match op {
            Op::Publish { topic, payload, .. } => model.answers(topic, payload),
            Op::Start { node, input, .. } => model.answers_start(node, input),
            _ => return Ok(()),
        };
        let told = match answer {
            Answer::Accepted(..) | Answer::Started(_) | Answer::Done => 202,
            // Beside another one with the same id or key.
            Answer::Refused(409, _) => return Ok(()),
            Answer::Refused(status, _) => *status,
        };
        if told == right { Ok(()) } else { wrong(format!("it should be {right}")) }
    }

    /// A run is said to be over.
    pub fn run_ended(&self, end: &RunEnd) -> Result<(), Violation> {
        let found = self.rows.get(&*key::run(end.run_id)).map(|bytes| row::read_run(bytes));
        match found.transpose()? {
            Some((head, _)) if head.ended_at.is_some() || head.status != end.status => Ok(()),
            found => Err(Violation::new(format!(
                "the run {} is said to be over, and is {:?}",
                end.run_id,
                found.map(|(head, _)| head.status)
            ))),
        }
    }

    /// A process was started, and everything durable has been taken in.
    pub fn started(&mut self, wall: Micros) {
        if let Some(model) = &mut self.model {
            model.restarted(wall);
        }
    }

    /// A start found the log: nothing durable is missing or other. With damage the last frame may
    /// be gone, which no start can see; then the run ends here: true.
    pub fn restarted(&self, store: &dyn Store, damaged: bool) -> Result<bool, Violation> {
        self.is_whole(store, damaged)?;
        Ok(store.durable_to() < self.records())
    }

    /// A store on damaged bytes: it says that it is damaged, or everything is as it was, except
    /// perhaps the last frame.
    pub fn is_whole_or_tells(&self, store: &dyn Store) -> Result<(), Violation> {
        match self.is_whole(store, true) {
            Err(violation) if violation.what.contains("is damaged at") => Ok(()),
            other => other,
        }
    }

    fn is_whole(&self, store: &dyn Store, but_the_last: bool) -> Result<(), Violation> {
        let least = if but_the_last { self.last_frame } else { self.records() };
        if store.durable_to() < least {
            return Err(Violation::new(format!(
                "{} records were durable, {} are",
                self.records(),
                store.durable_to()
            )));
        }
        let mut at = 0;
        while at < store.durable_to().min(self.records()) {
            for stored in store.read(at, 4096, 16 << 20)? {
                let known = self.hashes.get(at as usize);
                if known.is_some_and(|known| *known != hash_of(&stored)) {
                    return Err(Violation::new(format!("the record {at} is another one now")));
                }
                at += 1;
            }
        }
        if store.durable_to() != self.records() {
            return Ok(());
        }
        self.rows_are(store)
    }

    fn rows_are(&self, store: &dyn Store) -> Result<(), Violation> {
        let rows = store.scan(&[0], &[0xff], usize::MAX)?;
        let same = rows.len() == self.rows.len()
            && rows
                .iter()
                .zip(&self.rows)
                .all(|((k, v), (own, value))| **k == **own && **v == **value);
        if same { Ok(()) } else { Err(Violation::new("rows differ from the sum of their changes")) }
    }

    /// Runs of which something holds.
    pub fn runs(&self, which: impl Fn(&RunHead) -> bool) -> Vec<Id> {
        let heads = range(&self.rows, key::RUNS).filter_map(|(_, bytes)| row::read_run(bytes).ok());
        heads.filter(|(head, _)| which(head)).map(|(head, _)| head.id).collect()
    }

    /// Dead letters that are open, or that were let go of.
    pub fn letters(&self, discarded: bool) -> Vec<Id> {
        let all = range(&self.rows, key::LETTERS);
        let all = all.filter_map(|(_, bytes)| row::read_letter(bytes).ok());
        let wanted = if discarded { LetterStatus::Discarded } else { LetterStatus::Open };
        all.filter(|one| one.status() == wanted).map(|one| one.id).collect()
    }
}

fn operation(perform: &Perform) -> &onex_contract::graph::Operation {
    match &perform.graph.node(perform.node).body {
        onex_contract::graph::Body::Effect(effect) => {
            &effect.operations[usize::from(perform.operation)]
        }
        _ => unreachable!("only effects perform"),
    }
}

fn is_ordered(graph: &onex_contract::graph::Graph, intent: &onex_kernel::row::Intent) -> bool {
    let node = graph.find(&intent.node).map(|node| &graph.node(node).body);
    match node {
        Some(onex_contract::graph::Body::Effect(effect)) => {
            effect.operations.iter().any(|one| one.name == intent.operation && one.ordered)
        }
        _ => false,
    }
}

fn hash_of(stored: &Stored) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&stored.time_micros.to_le_bytes());
    hasher.update(&stored.body);
    for (key, value) in stored.rows.iter() {
        hasher.update(&(key.len() as u64).to_le_bytes());
        hasher.update(key);
        hasher.update(&(value.map_or(u64::MAX, |value| value.len() as u64)).to_le_bytes());
        hasher.update(value.unwrap_or_default());
    }
    *hasher.finalize().as_bytes()
}

fn shown(message: &Message) -> String {
    let payload = message.payload.bytes.as_deref().unwrap_or_default();
    format!(
        "{:?}/{:?} {} {} g{} story {} cause {:?} {}",
        message.category,
        message.origin,
        message.topic,
        message.id,
        message.generation,
        message.correlation_id,
        message.causation_id,
        String::from_utf8_lossy(payload)
    )
}
