//! The reference model: what a drawn system must come to, written from the language's rules alone.
//!
//! It follows the log record by record and takes from it only what came from outside: messages of
//! clients, ends of intents, timers that fired, and when. Everything else (which messages follow,
//! in which order and under which ids, what entities, runs, letters and timers then are) it works
//! out by itself, and the rows of the engine must be the same. It shares no rule with the kernel.

mod again;
mod clock;
pub(crate) mod compare;
mod follow;
mod forget;
mod intent;
mod letters;
mod reducer;
mod run;
mod step;
mod timer;
mod undo;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use onex_expr::Value;
use onex_kernel::row::LetterStatus;
use onex_kernel::{Id, Micros};

use crate::system::{Load, On, System};
pub(crate) use follow::Arrived;

/// The model.
pub(crate) struct Model {
    system: Arc<System>,
    entities: BTreeMap<(usize, String), Entity>,
    runs: BTreeMap<Id, Run>,
    /// Those that are not over.
    live: BTreeSet<Id>,
    /// Recorded, without an end.
    intents: BTreeMap<Id, Intent>,
    /// What decisions sent and the log does not have yet, in the order in which it must come.
    sent: VecDeque<Sent>,
    letters: Vec<Letter>,
    /// A letter that the last record put back: the next is its message.
    put_back: Option<Letter>,
    /// Who holds the key of a workflow.
    keys: BTreeMap<(usize, String), Id>,
    /// Ids of clients, with what they came with.
    ids: BTreeMap<Id, (String, Value)>,
    /// Schedules.
    armed: BTreeMap<clock::Name, clock::Armed>,
    /// When the host was started last.
    started: Micros,
    /// Record time.
    now: Micros,
    /// Counts ends, for the order in which compensation goes back.
    ends: u64,
    /// What changed since the last look.
    touched: BTreeSet<Touched>,
    /// The intent whose end is being told.
    at_hand: Option<(Id, Intent)>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Touched {
    Entity(usize, String),
    Run(Id),
}

#[derive(Clone, Debug)]
struct Entity {
    state: usize,
    previous: Option<usize>,
    version: i64,
    sum: i64,
    seen: i64,
    d: i64,
    timer: Option<Micros>,
    /// Its timer fired, and ended as a dead letter.
    spent: bool,
    story: Id,
}

/// Whom the end of an intent concerns.
#[derive(Clone, Debug, PartialEq)]
enum Owner {
    Nobody,
    Entity(String, String),
    Step { run: Id, step: usize, item: Option<usize>, visit: u32, undoes: bool },
}

#[derive(Clone, Debug)]
struct Intent {
    effect: usize,
    operation: Option<usize>,
    payload: Value,
    owner: Owner,
    story: Id,
    generation: u32,
    /// A start since it was recorded: an attempt may have been cut off.
    restarted: bool,
    stopping: bool,
    /// It was not wanted any more when it was recorded.
    never_began: bool,
    /// Answers that were given before it was recorded: those of an earlier generation.
    told_before: usize,
}

/// Something sent, not yet in the log.
#[derive(Clone, Debug)]
struct Sent {
    id: Id,
    generation: u32,
    story: Id,
    what: What,
    /// No longer wanted.
    stopped: bool,
}

#[derive(Clone, Debug)]
enum What {
    Event {
        topic: usize,
        load: Load,
    },
    /// `operation`: `None` is `undo`.
    Intent {
        effect: usize,
        operation: Option<usize>,
        payload: Value,
        owner: Owner,
    },
    Begin {
        workflow: usize,
        load: Load,
        owner: Option<Owner>,
    },
    Poke {
        reducer: usize,
        load: Load,
        owner: Owner,
    },
    /// To the run `id`.
    Cancel,
    Undo(Owner),
    /// To the run `id`, of the run `of`.
    Ended {
        owner: Owner,
        of: Id,
        ending: Ending,
    },
}

/// How an intent, a poke or a run of a step ended.
#[derive(Clone, Debug, PartialEq)]
enum Ending {
    Done(Value),
    Refused(String),
    Exhausted {
        code: String,
        unknown: bool,
    },
    InDoubt,
    Expired,
    Withdrawn,
    Stopped {
        code: String,
        unknown: bool,
    },
    /// Of a run that undid itself.
    Undone {
        code: String,
        cancelled: bool,
    },
}

#[derive(Clone, Debug, PartialEq)]
struct Letter {
    reason: &'static str,
    node: String,
    message: Id,
    generation: u32,
    run: Option<Id>,
    status: LetterStatus,
    again: Again,
}

/// What a letter that is put back does.
#[derive(Clone, Debug, PartialEq)]
enum Again {
    Deliver { topic: usize, load: Load },
    Timer { reducer: usize, key: String },
    Intent { effect: usize, operation: Option<usize>, payload: Value, owner: Owner },
    Begin { workflow: usize, load: Load },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Running,
    Completed,
    Failed,
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Undoing {
    None,
    Running,
    Done,
    Incomplete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Pending,
    Running,
    Waiting,
    Completed,
    Skipped,
    Failed,
    Cancelled,
    Compensating,
    Compensated,
    CompensationFailed,
}

#[derive(Clone, Debug)]
struct Run {
    workflow: usize,
    load: Load,
    story: Id,
    key: Option<String>,
    answers: Option<Owner>,
    status: Status,
    undoing: Undoing,
    error: Option<Failure>,
    result: Value,
    steps: Vec<Row>,
    kept: Vec<(usize, Load)>,
    timer: Option<Micros>,
    ended: bool,
    in_flight: usize,
}

/// Why, and of which step.
#[derive(Clone, Debug, PartialEq)]
struct Failure {
    /// `?` is any.
    code: String,
    step: Option<usize>,
}

#[derive(Clone, Debug)]
struct Row {
    /// Its place in what compensation goes back over; of items each has its own.
    done: Done,
    attempts: u32,
    items: Option<Vec<Done>>,
    /// The next item to start.
    next: usize,
    timer: Option<Micros>,
    /// Whether the timer is a pause and no limit.
    pauses: bool,
    visit: u32,
}

/// What a step or an item came to.
#[derive(Clone, Debug)]
struct Done {
    at: At,
    input: Value,
    output: Value,
    error: Option<String>,
    intent: Option<Id>,
    unknown: bool,
    /// 0: there is nothing that it did or may have done.
    order: u64,
}

impl Done {
    fn pending(input: Value) -> Done {
        Done {
            at: At::Pending,
            input,
            output: Value::Null,
            error: None,
            intent: None,
            unknown: false,
            order: 0,
        }
    }
}

/// The making of one decision: whose, and on what.
#[derive(Clone, Debug)]
struct Case {
    consumed: Id,
    node: String,
    generation: u32,
    story: Id,
    produced: u32,
}

impl Case {
    fn new(consumed: Id, node: String, generation: u32, story: Id) -> Case {
        Case { consumed, node, generation, story, produced: 0 }
    }

    /// The id of the next thing sent.
    fn next_id(&mut self) -> Id {
        self.produced += 1;
        Id::derive(self.consumed, &self.node, self.generation, self.produced - 1)
    }
}

impl Model {
    pub fn new(system: Arc<System>) -> Model {
        Model {
            system,
            entities: BTreeMap::new(),
            runs: BTreeMap::new(),
            live: BTreeSet::new(),
            intents: BTreeMap::new(),
            sent: VecDeque::new(),
            letters: Vec::new(),
            put_back: None,
            keys: BTreeMap::new(),
            ids: BTreeMap::new(),
            armed: BTreeMap::new(),
            started: Micros(0),
            now: Micros(0),
            ends: 0,
            touched: BTreeSet::new(),
            at_hand: None,
        }
    }

    /// The host was started again.
    pub fn restarted(&mut self, wall: Micros) {
        self.started = self.now.max(wall);
        let intents = self.intents.values_mut();
        intents.for_each(|intent| intent.restarted |= !intent.never_began);
    }

    /// Whether a contract names a topic.
    fn is_named(&self, topic: usize) -> bool {
        let system = &self.system;
        let by_workflow = system.workflows.iter().any(|one| one.names(topic));
        let by_effect = system.effects.iter().flat_map(|effect| &effect.operations).any(|one| {
            one.on == On::Topic(topic)
                || [one.outcome, one.refusal, one.exhausted].contains(&Some(topic))
        });
        by_workflow || by_effect || system.reducers.iter().any(|one| one.names(topic))
    }

    fn send(&mut self, id: Id, generation: u32, story: Id, what: What) {
        self.sent.push_back(Sent { id, generation, story, what, stopped: false });
    }

    fn dead(&mut self, reason: &'static str, node: &str, message: (Id, u32), again: Again) {
        self.letters.push(Letter {
            reason,
            node: node.to_owned(),
            message: message.0,
            generation: message.1,
            run: None,
            status: LetterStatus::Open,
            again,
        });
    }
}
