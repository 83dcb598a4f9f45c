//! What goes wrong in a run of the simulation, as plain data, so that a failing one can be made
//! smaller.

use crate::random::Random;

/// How often what goes wrong, and what goes wrong once.
#[derive(Clone, Debug, PartialEq)]
pub struct Troubles {
    /// Attempts that never reach the target, of a hundred.
    pub unsent_percent: u64,
    /// Attempts that reach it and whose answer is lost, or comes too late.
    pub lost_answer_percent: u64,
    /// Answers that it is busy.
    pub busy_percent: u64,
    /// Calls that it refuses for good.
    pub refuse_percent: u64,
    /// Requests and answers that come twice.
    pub repeat_percent: u64,
    /// Messages that are sent together with those before them, as a batch.
    pub batch_percent: u64,
    /// The limits of the engine.
    pub limits: Limits,
    /// What happens when, in milliseconds from the beginning; the number stays its own.
    pub once: Vec<(u64, u64, Trouble)>,
}

/// Limits of the engine, small ones included.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// See `onex_engine::Options`.
    pub turn_records_max: usize,
    /// See `onex_engine::Options`.
    pub turn_records_ready: usize,
    /// See `onex_engine::Options`.
    pub cache_bytes_max: usize,
    /// See `onex_engine::Options`.
    pub unfinished_max: usize,
    /// Whether rows are checkpointed to a store that may lose the last batches.
    pub forgetful_rows: bool,
    /// Bytes of the log's segments.
    pub segment_bytes: u64,
    /// Longer payloads stand beside the log.
    pub inline_bytes_max: u64,
    /// How long ended runs are kept: longer than any client goes on asking for its start.
    pub ended_runs_ms: u64,
    /// How long terminal entities are kept.
    pub terminal_entities_ms: u64,
}

/// Something that goes wrong once.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// The power is lost, so many changing operations of the disk later.
    PowerLost {
        /// Operations ahead.
        ahead: u64,
    },
    /// The process is killed; what it wrote is there.
    Killed,
    /// The process is asked to stop, drains, and is started again.
    Stopped,
    /// A write or sync fails, so many operations later: the process ends.
    DiskFails {
        /// Operations ahead.
        ahead: u64,
    },
    /// A sync is answered and not done; the power is lost after it.
    SyncLost {
        /// Operations ahead.
        ahead: u64,
        /// Operations between it and the loss of power.
        then: u64,
    },
    /// There is no room for new files for a while.
    DiskFull {
        /// How long.
        for_ms: u64,
    },
    /// The wall clock jumps.
    ClockJumps {
        /// By how much.
        by_ms: i64,
    },
    /// Every sync takes long for a while.
    SlowDisk {
        /// How long.
        for_ms: u64,
        /// How long each sync takes.
        sync_ms: u64,
    },
    /// The rows are checkpointed.
    Checkpoint,
    /// A bit of a file turns over; a start on that disk must see it, or be none the worse.
    BitFlip,
}

/// As in the product: no drawn payload is longer.
const INLINE_BYTES: u64 = 1 << 20;

const DAY_MS: u64 = 86_400_000;

impl Troubles {
    /// The troubles of a seed; `damage`: also what damages the log for good.
    pub fn draw(seed: u64, damage: bool) -> Troubles {
        let batch_percent = Random::part(seed, "batches").one_of(&[0, 40, 80]);
        let inline_bytes = Random::part(seed, "inline").one_of(&[0, 21, INLINE_BYTES]);
        let ended = &mut Random::part(seed, "ended");
        let random = &mut Random::part(seed, "troubles");
        let calm = random.percent(15);
        let percent =
            |random: &mut Random, most: u64| if calm { 0 } else { random.below(most + 1) };
        let count = if calm { 0 } else { random.below(10) };
        let span_ms = random.one_of(&[3_000, 8_000, 30_000]);
        Troubles {
            unsent_percent: percent(random, 15),
            lost_answer_percent: percent(random, 15),
            busy_percent: percent(random, 15),
            refuse_percent: percent(random, 20),
            repeat_percent: percent(random, 40),
            batch_percent,
            limits: Limits {
                turn_records_max: random.one_of(&[1, 2, 3, 8, 4096, 4096]),
                turn_records_ready: random.one_of(&[1, 3, 64]),
                cache_bytes_max: random.one_of(&[0, 2_000, 256 << 20]),
                unfinished_max: random.one_of(&[6, 200_000, 200_000]),
                forgetful_rows: random.percent(40),
                segment_bytes: random.one_of(&[16 * 1024, 64 * 1024, 256 * 1024]),
                inline_bytes_max: inline_bytes,
                ended_runs_ms: ended.one_of(&[20_000, DAY_MS]),
                terminal_entities_ms: ended.one_of(&[0, 2_000, 30 * DAY_MS]),
            },
            once: (0..count)
                .map(|number| (number, random.below(span_ms), Trouble::draw(random, damage)))
                .collect(),
        }
    }

    /// Nothing goes wrong.
    pub fn none() -> Troubles {
        Troubles {
            unsent_percent: 0,
            lost_answer_percent: 0,
            busy_percent: 0,
            refuse_percent: 0,
            repeat_percent: 0,
            batch_percent: 0,
            limits: Limits {
                turn_records_max: 4096,
                turn_records_ready: 64,
                cache_bytes_max: 256 << 20,
                unfinished_max: 200_000,
                forgetful_rows: false,
                segment_bytes: 256 * 1024,
                inline_bytes_max: INLINE_BYTES,
                ended_runs_ms: DAY_MS,
                terminal_entities_ms: 30 * DAY_MS,
            },
            once: Vec::new(),
        }
    }
}

impl Trouble {
    fn draw(random: &mut Random, damage: bool) -> Trouble {
        match random.below(20) {
            0..6 => Trouble::PowerLost { ahead: random.below(9) },
            6 | 7 => Trouble::Killed,
            8 => Trouble::Stopped,
            9 => Trouble::DiskFails { ahead: random.below(9) },
            10 if damage => Trouble::SyncLost { ahead: random.below(9), then: random.below(5) },
            11 => Trouble::DiskFull { for_ms: 100 + random.below(4_000) },
            12 | 13 => Trouble::ClockJumps { by_ms: random.between(-9_000, 9_000) },
            14 | 15 => {
                let (for_ms, sync_ms) = (200 + random.below(3_000), 1 + random.below(400));
                Trouble::SlowDisk { for_ms, sync_ms }
            }
            16 | 17 => Trouble::BitFlip,
            _ => Trouble::Checkpoint,
        }
    }
}
