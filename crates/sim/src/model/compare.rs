//! The engine's rows must be the model's.

use std::collections::{BTreeMap, BTreeSet};

use onex_engine::codec::row::{self, Waits};
use onex_engine::key;
use onex_expr::{Text, Value};
use onex_kernel::row::{
    Entity as EntityRow, Failure as FailureRow, ItemRow, LetterStatus, RunHead, StepRow,
};
use onex_kernel::{Id, Micros};

use super::{At, Done, Entity, Model, Run, Sent, Status, Touched, Undoing};
use crate::promise::Violation;

/// Rows by key.
pub(crate) type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

impl Model {
    /// Compares what changed since the last time, and how much there is of everything.
    pub fn compare(&mut self, rows: &Rows) -> Result<(), Violation> {
        for touched in std::mem::take(&mut self.touched) {
            match touched {
                Touched::Entity(reducer, key) => self.compare_entity(rows, reducer, &key)?,
                Touched::Run(id) => self.compare_run(rows, id)?,
            }
        }
        let count = |prefix| range(rows, prefix).count();
        equal("dead letters", self.letters.len(), count(key::LETTERS))?;
        equal("keys held", self.keys.len(), count(b"k"))?;
        self.compare_waiting(rows)?;
        self.compare_open(rows)?;
        self.compare_armed(rows)?;
        self.compare_intents(rows)?;
        self.compare_timers(rows)
    }

    /// Compares everything.
    pub fn compare_all(&mut self, rows: &Rows) -> Result<(), Violation> {
        let entities = self.entities.keys().map(|(at, key)| Touched::Entity(*at, key.clone()));
        self.touched.extend(entities.chain(self.runs.keys().map(|id| Touched::Run(*id))));
        self.compare(rows)?;
        equal("entities", self.entities.len(), range(rows, b"e").count())?;
        equal("runs", self.runs.len(), range(rows, key::RUNS).count())?;
        let listens = |run: &&Run| {
            !run.ended
                && run.error.is_none()
                && self.system.workflows[run.workflow].listens_at_all()
        };
        let listening = self.runs.values().filter(listens).count();
        equal("runs that listen", listening, range(rows, key::LISTENERS).count())?;
        let mut letters: Vec<String> = Vec::new();
        for (_, bytes) in range(rows, key::LETTERS) {
            let one = row::read_letter(bytes).map_err(|error| Violation::new(error.to_string()))?;
            letters.push(format!(
                "{} {:?} {} {} {:?} {:?}",
                one.reason.as_str(),
                one.node.as_deref().unwrap_or_default(),
                one.message.id,
                one.message.generation,
                one.run_id,
                one.status()
            ));
        }
        let own = self.letters.iter().map(|one| {
            format!(
                "{} {:?} {} {} {:?} {:?}",
                one.reason, one.node, one.message, one.generation, one.run, one.status
            )
        });
        let mut own: Vec<String> = own.collect();
        own.sort();
        letters.sort();
        equal("dead letters", own, letters)
    }

    fn compare_entity(&self, rows: &Rows, reducer: usize, key: &str) -> Result<(), Violation> {
        let place = key::entity(&format!("r{reducer}"), key);
        let found = rows.get(&*place).map(|bytes| row::read_entity(bytes)).transpose();
        let found = found.map_err(|error| Violation::new(error.to_string()))?;
        let own = self.entities.get(&(reducer, key.to_owned()));
        let (own, found) = (own.map(entity_text), found.as_ref().map(entity_row_text));
        equal(&format!("entity r{reducer}/{key}"), own, found)
    }

    fn compare_run(&self, rows: &Rows, id: Id) -> Result<(), Violation> {
        let corrupt = |error: onex_engine::codec::Corrupt| Violation::new(error.to_string());
        let Some(bytes) = rows.get(&*key::run(id)) else {
            return Err(Violation::new(format!("the run {id} has no row")));
        };
        let Some(own) = self.runs.get(&id) else {
            return Err(Violation::new(format!("there is a run {id}")));
        };
        let (head, whole) = row::read_run(bytes).map_err(corrupt)?;
        let mut found = vec![head_text(&head)];
        for index in 0..own.steps.len() {
            let at = index as u16;
            let step = match &whole {
                Some(whole) => whole.steps.get(index).cloned().unwrap_or_else(StepRow::pending),
                None => match rows.get(&*key::step(id, at)) {
                    Some(bytes) => row::read_step(bytes).map_err(corrupt)?,
                    None => StepRow::pending(),
                },
            };
            found.push(step_text(&step));
            for item in 0..step.items.as_ref().map_or(0, |items| items.total) {
                let stored = rows.get(&*key::item(id, at, item));
                let one = match &whole {
                    Some(whole) => whole.items.get(&(at, item)).cloned(),
                    None => {
                        stored.map(|bytes| row::read_item(bytes)).transpose().map_err(corrupt)?
                    }
                };
                found.push(one.map_or_else(|| "no item".to_owned(), |one| item_text(&one)));
            }
        }
        equal(&format!("run {id} of {}", head.node), run_text(own), found.join("\n"))
    }

    /// What was sent and is not in the log yet, in the order in which it will be.
    fn compare_waiting(&self, rows: &Rows) -> Result<(), Violation> {
        let waits = range(rows, key::BACKLOG).map(|(_, bytes)| row::read_waits(bytes));
        let found = waits.collect::<Result<Vec<_>, _>>();
        let found = found.map_err(|error| Violation::new(error.to_string()))?;
        let waits = |sent: &Sent| {
            let Sent { id, generation, stopped, .. } = *sent;
            Waits { id, generation, stopping: stopped }
        };
        equal("what waits", self.sent.iter().map(waits).collect(), found)
    }

    /// What the rows say of how many letters are open.
    fn compare_open(&self, rows: &Rows) -> Result<(), Violation> {
        let mut own: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for one in self.letters.iter().filter(|one| one.status == LetterStatus::Open) {
            *own.entry((one.reason, &one.node)).or_default() += 1;
        }
        let mut found = BTreeMap::new();
        for (key, bytes) in range(rows, key::OPEN_LETTERS) {
            let count = row::read_count(bytes).map_err(|one| Violation::new(one.to_string()))?;
            found.insert(key::read_open_letters(key).unwrap_or_default(), count);
        }
        equal("open dead letters", own, found)
    }

    fn compare_intents(&self, rows: &Rows) -> Result<(), Violation> {
        let mut found = BTreeSet::new();
        for (_, bytes) in range(rows, key::INTENTS) {
            let one = row::read_intent(bytes).map_err(|error| Violation::new(error.to_string()))?;
            found.insert((one.id, one.generation));
        }
        let own = self.intents.iter().map(|(id, intent)| (*id, intent.generation));
        equal("pending intents", own.collect(), found)
    }

    fn compare_timers(&self, rows: &Rows) -> Result<(), Violation> {
        let live = self.live.iter().filter_map(|id| self.runs.get(id));
        let own = live.flat_map(|run| {
            let steps = run.steps.iter().filter_map(|row| row.timer);
            run.timer.into_iter().chain(steps)
        });
        let entities = self.entities.values().filter(|entity| !entity.spent);
        let mut own: Vec<Micros> = own.chain(entities.filter_map(|entity| entity.timer)).collect();
        own.sort_unstable();
        let found = range(rows, key::TIMERS).filter_map(|(key, _)| key::read_timer(key));
        equal("timers", own, found.map(|timer| timer.due).collect())
    }
}

/// Rows whose key begins with a prefix.
pub(crate) fn range<'a>(
    rows: &'a Rows,
    prefix: &[u8],
) -> impl Iterator<Item = (&'a Vec<u8>, &'a Vec<u8>)> + use<'a> {
    rows.range(prefix.to_vec()..key::end_of(prefix))
}

pub(super) fn equal<T: PartialEq + std::fmt::Debug>(
    what: &str,
    own: T,
    found: T,
) -> Result<(), Violation> {
    if own == found {
        return Ok(());
    }
    Err(Violation::new(format!("{what}: the model has\n{own:#?}\nthe engine\n{found:#?}")))
}

fn entity_text(one: &Entity) -> String {
    let previous = one.previous.map(|state| format!("s{state}"));
    let (data, timer) = (one.data().to_json(), one.timer.map(|at| at.0));
    format!("s{} {previous:?} {} {data} {timer:?} {}", one.state, one.version, one.story)
}

fn entity_row_text(one: &EntityRow) -> String {
    let previous = one.previous_state.as_ref().map(ToString::to_string);
    let (data, timer) = (one.data.to_json(), one.timer.map(|at| at.due.0));
    format!("{} {previous:?} {} {data} {timer:?} {}", one.state, one.version, one.correlation_id)
}

/// Codes that the model knows; any other is `?`.
const CODES: [&str; 16] = [
    "timeout",
    "cancelled",
    "refused",
    "exhausted",
    "in_doubt",
    "expired",
    "stopped",
    "asked",
    "incomplete",
    "invalid_payload",
    "unhandled",
    "no_key",
    "guard_error",
    "expression_error",
    "failed",
    "withdrawn",
];

fn code(one: &FailureRow) -> String {
    let known = CODES.contains(&one.code.as_str());
    if known { one.code.to_string() } else { "?".to_owned() }
}

fn head_text(one: &RunHead) -> String {
    let step = |step: &Option<Text>| step.as_ref().map(ToString::to_string);
    let error = one.error.as_ref().map(|error| (code(error), step(&error.step)));
    format!(
        "{} {} {error:?} {} {:?} {:?} {} {}",
        one.status.as_str(),
        one.compensation.as_str(),
        one.result.to_json(),
        one.key.as_deref(),
        one.timer.map(|at| at.due.0),
        one.in_flight,
        one.ended_at.is_some()
    )
}

fn run_text(one: &Run) -> String {
    let status = match one.status {
        Status::Running => "running",
        Status::Completed => "completed",
        Status::Failed => "failed",
        Status::Cancelled => "cancelled",
    };
    let undoing = match one.undoing {
        Undoing::None => "none",
        Undoing::Running => "running",
        Undoing::Done => "done",
        Undoing::Incomplete => "incomplete",
    };
    let step = |step: Option<usize>| step.map(|step| format!("p{step}"));
    let error = one.error.as_ref().map(|error| (error.code.clone(), step(error.step)));
    let mut lines = vec![format!(
        "{status} {undoing} {error:?} {} {:?} {:?} {} {}",
        one.result.to_json(),
        one.key.as_deref(),
        one.timer.map(|at| at.0),
        one.in_flight,
        one.ended
    )];
    for row in &one.steps {
        let timer = row.timer.map(|at| at.0);
        let done = done_text(&row.done, row.items.is_some());
        lines.push(format!("{done} {} {} {timer:?}", row.attempts, row.visit));
        lines
            .extend(row.items.iter().flatten().map(|item| format!("  {}", done_text(item, false))));
    }
    lines.join("\n")
}

fn done_text(one: &Done, has_items: bool) -> String {
    let at = match one.at {
        At::Pending => "pending",
        At::Running => "running",
        At::Waiting => "waiting",
        At::Completed => "completed",
        At::Skipped => "skipped",
        At::Failed => "failed",
        At::Cancelled => "cancelled",
        At::Compensating => "compensating",
        At::Compensated => "compensated",
        At::CompensationFailed => "compensation_failed",
    };
    let intent = one.intent.filter(|_| !has_items);
    what_text(at, &one.output, one.error.clone(), one.unknown, one.order, intent)
}

fn step_text(one: &StepRow) -> String {
    let error = one.error.as_ref().map(code);
    let intent = one.intent_id.filter(|_| one.items.is_none());
    let status = one.status.as_str();
    let done = what_text(status, &one.output, error, one.unknown, one.end_order, intent);
    format!("{done} {} {} {:?}", one.attempts, one.visit, one.timer.map(|at| at.due.0))
}

fn item_text(one: &ItemRow) -> String {
    let error = one.error.as_ref().map(code);
    let status = one.status.as_str();
    let done = what_text(status, &one.output, error, one.unknown, one.end_order, one.intent_id);
    format!("  {done}")
}

fn what_text(
    at: &str,
    output: &Value,
    error: Option<String>,
    unknown: bool,
    order: u64,
    intent: Option<Id>,
) -> String {
    format!("{at} {} {error:?} {unknown} {} {intent:?}", output.to_json(), order > 0)
}
