//! Why something stands where it stands: what it waits for, since when, and how it came to be.

use onex_engine::{codec, key};
use onex_expr::Text;
use onex_kernel::row::{Intent, Letter, LetterStatus, RunHead, RunStatus, Undoing};
use onex_kernel::{Category, Id, Micros};
use onex_store::StoreError;

use super::entity::Entity;
use super::log::{self, Record};
use super::run::Run;
use super::wait::{self, Wait};
use super::{QueryError, Reader, Visit};

/// Bytes of one record that are read at most beyond the first.
const READ_BYTES: usize = 8 << 20;

/// The answer to why.
#[derive(Clone, Debug)]
pub struct Why {
    /// Of what: its id, or `NODE/KEY`.
    pub id: String,
    /// `run`, `entity`, `intent` or `message`.
    pub kind: &'static str,
    /// Where it stands.
    pub status: String,
    /// Since when.
    pub since: Micros,
    /// What can wake it; empty when it is over.
    pub waits_for: Vec<Wait>,
    /// Log records from it back to the first cause.
    pub chain: Vec<Record>,
}

impl Reader {
    /// Everything that an id, `NODE/KEY` or bare entity key stands for.
    pub fn why(&self, what: &str) -> Result<Vec<Why>, QueryError> {
        let mut found = Vec::new();
        if let Some(id) = Id::parse(what)
            && let Some(why) = self.why_id(id)?
        {
            found.push(why);
        }
        if found.is_empty() {
            for entity in self.entities_named(what)? {
                found.push(self.why_entity(&entity)?);
            }
        }
        if found.is_empty() {
            return Err(QueryError::NotFound(format!(
                "nothing that is kept has the id or key {what}"
            )));
        }
        Ok(found)
    }

    fn why_id(&self, id: Id) -> Result<Option<Why>, QueryError> {
        if let Some(run) = self.find_run(id)? {
            return self.why_run(&run).map(Some);
        }
        if let Some(intent) = self.find_intent(id)? {
            return self.why_intent(&intent).map(Some);
        }
        if let Some(letter) = self.find_letter(id)? {
            return self.why_letter(id, &letter).map(Some);
        }
        self.why_message(id)
    }

    fn why_run(&self, run: &Run) -> Result<Why, QueryError> {
        let head = &run.head;
        let mut waits_for = run.waits_for.clone();
        waits_for.extend(move_of_a_person(head));
        self.add_letters(head.correlation_id, &mut waits_for)?;
        let started = run.steps.iter().filter_map(|step| step.row.started_at);
        let since = head.ended_at.or_else(|| started.max()).unwrap_or(head.started_at);
        Ok(Why {
            id: head.id.to_string(),
            kind: "run",
            status: head.status.as_str().into(),
            since,
            waits_for,
            chain: self.causes(head.envelope.id, Some(head.correlation_id))?,
        })
    }

    fn why_entity(&self, entity: &Entity) -> Result<Why, QueryError> {
        let mut waits_for = self.waits_of_entity(entity)?;
        let story = entity.row.correlation_id;
        self.add_letters(story, &mut waits_for)?;
        let last = match self.store.read(entity.row.offset, 1, READ_BYTES) {
            Ok(read) => read.first().map(log::decode).transpose()?,
            Err(StoreError::NotRetained { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let chain = match last {
            Some(record) => self.causes(record.message.id, Some(story))?,
            None => Vec::new(),
        };
        Ok(Why {
            id: format!("{}/{}", entity.node, entity.key),
            kind: "entity",
            status: entity.row.state.to_string(),
            since: entity.row.since,
            waits_for,
            chain,
        })
    }

    fn why_intent(&self, intent: &Intent) -> Result<Why, QueryError> {
        let message = &intent.message;
        Ok(Why {
            id: intent.id.to_string(),
            kind: "intent",
            status: "pending".into(),
            since: intent.first_attempt_at.or(intent.turn_at).unwrap_or(message.time),
            waits_for: vec![wait::of_intent(intent)],
            chain: self.causes(intent.id, Some(message.correlation_id))?,
        })
    }

    fn why_letter(&self, id: Id, letter: &Letter) -> Result<Why, QueryError> {
        let message = &letter.message;
        let (status, waits_for) = match letter.status() {
            LetterStatus::Open => ("dead_letter", vec![open_letter(letter)]),
            ended => (ended.as_str(), Vec::new()),
        };
        let discarded_at = letter.discarded.as_ref().map(|discarded| discarded.at);
        Ok(Why {
            id: id.to_string(),
            kind: if letter.owner.is_some() { "intent" } else { "message" },
            status: status.into(),
            since: letter.redriven_at.or(discarded_at).unwrap_or(letter.created_at),
            waits_for,
            chain: self.causes(message.id, Some(message.correlation_id))?,
        })
    }

    fn why_message(&self, id: Id) -> Result<Option<Why>, QueryError> {
        let chain = self.causes(id, None)?;
        let Some(record) = chain.first() else {
            return Ok(None);
        };
        let mut letters = Vec::new();
        self.each(key::LETTERS, None, |_, row| {
            let letter = codec::row::read_letter(row)?;
            if letter.message.id == id && letter.is_open() {
                letters.push(open_letter(&letter));
            }
            Ok(Visit::Next)
        })?;
        let (kind, done) = match record.message.category {
            Category::Intent => ("intent", "ended"),
            _ => ("message", "applied"),
        };
        let status = if letters.is_empty() { done } else { "dead_letter" };
        Ok(Some(Why {
            id: id.to_string(),
            kind,
            status: status.into(),
            since: record.message.time,
            waits_for: letters,
            chain,
        }))
    }

    /// Entities by `NODE/KEY`, or by a bare key in every reducer.
    fn entities_named(&self, what: &str) -> Result<Vec<Entity>, QueryError> {
        if let Some((node, key)) = what.split_once('/')
            && let Some(entity) = self.find_entity(node, key)?
        {
            return Ok(vec![entity]);
        }
        let graph = self.graphs.active();
        let mut found = Vec::new();
        for node in &graph.nodes {
            if let Some(entity) = self.find_entity(&node.name, what)? {
                found.push(entity);
            }
        }
        Ok(found)
    }

    fn add_letters(&self, correlation: Id, waits: &mut Vec<Wait>) -> Result<(), QueryError> {
        self.each(key::LETTERS, None, |_, row| {
            let letter = codec::row::read_letter(row)?;
            if letter.message.correlation_id == correlation && letter.is_open() {
                waits.push(open_letter(&letter));
            }
            Ok(Visit::Next)
        })?;
        Ok(())
    }
}

fn open_letter(letter: &Letter) -> Wait {
    let node = letter.node.clone().unwrap_or_else(|| Text::new("the log"));
    Wait::person(format!(
        "dead letter {} ({} at {node}): a person may put it back: onex dlq redrive {}",
        letter.id,
        letter.reason.as_str(),
        letter.id
    ))
}

/// What a person may do for a run that failed: one that could not be undone is not retried.
fn move_of_a_person(head: &RunHead) -> Option<Wait> {
    let can = head.status == RunStatus::Failed && head.compensation != Undoing::Incomplete;
    can.then(|| Wait::person(format!("a person may retry it: onex workflow retry {}", head.id)))
}
