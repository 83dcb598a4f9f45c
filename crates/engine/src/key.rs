//! Where rows stand: ordered byte keys, one family a first byte.
//!
//! | family | key | row |
//! |---|---|---|
//! | `e` | node, 0, entity key | entity |
//! | `r` | run id | head of a run |
//! | `s` | run id, step | step of a run |
//! | `i` | run id, step, item | item of a step |
//! | `v` | run id, number | event that a run keeps for a wait to come |
//! | `c` | correlation id, run id | that the run listens to events of its story |
//! | `k` | node, 0, run key | id of the live run that holds the key |
//! | `p` | intent id | pending intent |
//! | `t` | due, owner | armed timer |
//! | `b` | offset, index | derived message not yet applied |
//! | `d` | letter id | dead letter |
//! | `n` | reason, 0, node | how many dead letters of it are open |
//! | `g` | graph digest | normal forms of the graph |
//! | `a` | | the active graph's digest |
//! | `h` | node, 0, topic | armed schedule |
//! | `w` | offset | ids of clients seen from this offset on |
//! | `o` | kind, number | runs, or terminal entities, that ended and are kept for a while |
//! | `l` | correlation id, letter id | that the dead letter of this story is open |

use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_contract::graph::GraphId;
use onex_kernel::decision::TimerOf;
use onex_kernel::{Id, Micros};

use crate::retain::Kind;

/// A row's key.
pub type RowKey = Arc<[u8]>;

/// Key of the row that names the active graph.
pub const ACTIVE_GRAPH: &[u8] = b"a";

/// Whose timer it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerOwner {
    /// An entity's state timeout.
    Entity {
        /// The reducer.
        node: onex_expr::Text,
        /// The entity.
        key: onex_expr::Text,
    },
    /// A timer of a run.
    Run {
        /// The run.
        run: Id,
        /// Which of its timers.
        of: TimerOf,
    },
}

/// An armed timer: the whole row stands in its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// When it fires.
    pub due: Micros,
    /// Whose it is.
    pub owner: TimerOwner,
    /// Its arming number.
    pub arming: u64,
}

/// Keys up to this length are put together without an allocation of their own.
const SHORT: usize = 128;

fn build(parts: &[&[u8]]) -> RowKey {
    let mut short = [0; SHORT];
    let mut end = 0;
    for part in parts {
        let Some(room) = short.get_mut(end..end + part.len()) else {
            return parts.concat().into();
        };
        room.copy_from_slice(part);
        end += part.len();
    }
    short[..end].into()
}

/// Key of an entity.
pub fn entity(node: &str, key: &str) -> RowKey {
    build(&[b"e", node.as_bytes(), &[0], key.as_bytes()])
}

/// Prefix of every entity.
pub const ENTITIES: &[u8] = b"e";

/// Prefix of every entity of a reducer.
pub fn entities(node: &str) -> RowKey {
    build(&[b"e", node.as_bytes(), &[0]])
}

/// Node and key of an entity's row key.
pub fn read_entity(key: &[u8]) -> Option<(&str, &str)> {
    let rest = core::str::from_utf8(key.strip_prefix(b"e")?).ok()?;
    rest.split_once('\0')
}

/// Key of a run's head.
pub fn run(id: Id) -> RowKey {
    build(&[b"r", &id.0])
}

/// The run of a head's key.
pub fn read_run(key: &[u8]) -> Option<Id> {
    Some(Id(key.strip_prefix(b"r")?.try_into().ok()?))
}

/// Prefix of every run's head.
pub const RUNS: &[u8] = b"r";

/// Key of a step of a run.
pub fn step(run: Id, step: u16) -> RowKey {
    build(&[b"s", &run.0, &step.to_be_bytes()])
}

/// Run and step of a step's key.
pub fn read_step(key: &[u8]) -> Option<(Id, u16)> {
    let (run, step) = key.strip_prefix(b"s")?.split_first_chunk::<16>()?;
    Some((Id(*run), u16::from_be_bytes(step.try_into().ok()?)))
}

/// Key of an item of a step.
pub fn item(run: Id, step: u16, item: u32) -> RowKey {
    build(&[b"i", &run.0, &step.to_be_bytes(), &item.to_be_bytes()])
}

/// Key of an event that a run keeps.
pub fn event(run: Id, number: u32) -> RowKey {
    build(&[b"v", &run.0, &number.to_be_bytes()])
}

/// Key of the row that says that a run listens.
pub fn listener(correlation: Id, run: Id) -> RowKey {
    build(&[b"c", &correlation.0, &run.0])
}

/// Prefix of every row that says that a run listens.
pub const LISTENERS: &[u8] = b"c";

/// Correlation and run of the key of a listener.
pub fn read_listener(key: &[u8]) -> Option<(Id, Id)> {
    let (correlation, run) = key.strip_prefix(b"c")?.split_first_chunk::<16>()?;
    Some((Id(*correlation), Id(run.try_into().ok()?)))
}

/// Key of an armed schedule.
pub fn schedule(node: &str, topic: &str) -> RowKey {
    build(&[b"h", node.as_bytes(), &[0], topic.as_bytes()])
}

/// Prefix of every armed schedule.
pub const SCHEDULES: &[u8] = b"h";

/// Node and topic of the key of a schedule.
pub fn read_schedule(key: &[u8]) -> Option<(&str, &str)> {
    core::str::from_utf8(key.strip_prefix(b"h")?).ok()?.split_once('\0')
}

/// Key of the row that holds a run key.
pub fn run_key(node: &str, key: &str) -> RowKey {
    build(&[b"k", node.as_bytes(), &[0], key.as_bytes()])
}

/// Key of a pending intent.
pub fn intent(id: Id) -> RowKey {
    build(&[b"p", &id.0])
}

/// Prefix of every pending intent.
pub const INTENTS: &[u8] = b"p";

/// Key of a derived message that waits to be applied.
pub fn backlog(offset: u64, index: u32) -> RowKey {
    build(&[b"b", &offset.to_be_bytes(), &index.to_be_bytes()])
}

/// Prefix of every derived message that waits to be applied.
pub const BACKLOG: &[u8] = b"b";

/// Key of the ids of clients that were seen from an offset on.
pub fn window(from: u64) -> RowKey {
    build(&[b"w", &from.to_be_bytes()])
}

/// Prefix of every piece of the dedupe window.
pub const WINDOW: &[u8] = b"w";

/// Key of a piece of what has ended and is kept for a while.
pub fn retained(kind: Kind, number: u64) -> RowKey {
    build(&[retained_of(kind), &number.to_be_bytes()])
}

/// Prefix of every piece of what has ended of a kind.
pub fn retained_of(kind: Kind) -> &'static [u8] {
    match kind {
        Kind::Runs => b"or",
        Kind::Entities => b"oe",
    }
}

/// Number of the key of a piece of what has ended.
pub fn read_retained(key: &[u8]) -> Option<u64> {
    let number = key.strip_prefix(b"o")?.get(1..)?.try_into().ok()?;
    Some(u64::from_be_bytes(number))
}

/// Key of a dead letter.
pub fn letter(id: Id) -> RowKey {
    build(&[b"d", &id.0])
}

/// Prefix of every dead letter.
pub const LETTERS: &[u8] = b"d";

/// Key of the row that says that a dead letter of a story is open.
pub fn open_letter(correlation: Id, letter: Id) -> RowKey {
    build(&[b"l", &correlation.0, &letter.0])
}

/// Prefix of every row that says that a dead letter of a story is open.
pub const OPEN_OF_STORIES: &[u8] = b"l";

/// Correlation of the key of an open dead letter.
pub fn read_open_letter(key: &[u8]) -> Option<Id> {
    let (correlation, _) = key.strip_prefix(b"l")?.split_first_chunk::<16>()?;
    Some(Id(*correlation))
}

/// Key of how many dead letters of a reason and node are open.
pub fn open_letters(reason: &str, node: &str) -> RowKey {
    build(&[b"n", reason.as_bytes(), &[0], node.as_bytes()])
}

/// Prefix of every count of open dead letters.
pub const OPEN_LETTERS: &[u8] = b"n";

/// Reason and node of the key of a count of open dead letters.
pub fn read_open_letters(key: &[u8]) -> Option<(&str, &str)> {
    let rest = core::str::from_utf8(key.strip_prefix(b"n")?).ok()?;
    rest.split_once('\0')
}

/// Key of a graph's normal forms.
pub fn graph(id: GraphId) -> RowKey {
    build(&[b"g", &id.0])
}

/// Prefix of every graph.
pub const GRAPHS: &[u8] = b"g";

/// Prefix of every timer.
pub const TIMERS: &[u8] = b"t";

/// Key of an armed timer, ordered by when it is due.
pub fn timer(timer: &Timer) -> RowKey {
    let due = timer.due.0.to_be_bytes();
    let arming = timer.arming.to_be_bytes();
    match &timer.owner {
        TimerOwner::Entity { node, key } => {
            build(&[b"t", &due, b"e", &arming, node.as_bytes(), &[0], key.as_bytes()])
        }
        TimerOwner::Run { run, of } => {
            let (kind, step) = match of {
                TimerOf::Instance => (b"r", 0),
                TimerOf::Step(step) => (b"s", *step),
                TimerOf::Pause(step) => (b"p", *step),
            };
            build(&[b"t", &due, kind, &arming, &run.0, &step.to_be_bytes()])
        }
    }
}

/// The timer that a key stands for.
pub fn read_timer(key: &[u8]) -> Option<Timer> {
    let rest = key.strip_prefix(b"t")?;
    let (due, rest) = rest.split_first_chunk::<8>()?;
    let (kind, rest) = rest.split_first()?;
    let (arming, rest) = rest.split_first_chunk::<8>()?;
    let owner = if *kind == b'e' {
        let (node, key) = core::str::from_utf8(rest).ok()?.split_once('\0')?;
        TimerOwner::Entity { node: node.into(), key: key.into() }
    } else {
        let (run, step) = rest.split_first_chunk::<16>()?;
        let step = u16::from_be_bytes(step.try_into().ok()?);
        let of = match kind {
            b'r' => TimerOf::Instance,
            b's' => TimerOf::Step(step),
            b'p' => TimerOf::Pause(step),
            _ => return None,
        };
        TimerOwner::Run { run: Id(*run), of }
    };
    Some(Timer {
        due: Micros(u64::from_be_bytes(*due)),
        owner,
        arming: u64::from_be_bytes(*arming),
    })
}

/// The first key after every key that begins with `prefix`.
pub fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}
