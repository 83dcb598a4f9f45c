//! Any sequence of turns, checkpoints, seals, failures and stops against a model.

mod model;

use model::{Model, options, record};
use onex_store::disk::{Fault, Memory};
use onex_store::embedded::{Embedded, Options};
use onex_store::{Record, Store};
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    /// Records with bodies of these lengths.
    Turn(Vec<usize>),
    Commit,
    Seal,
    Check,
    /// The process ends; what it wrote may not be durable.
    Kill,
    /// The power is lost; the seed chooses what of the unsynced is left.
    Crash(u64),
    /// A failure this many operations ahead.
    Fail(u64, Fault),
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = prop_oneof![6 => 0..600_usize, 2 => 600..4_000_usize, 1 => 4_000..40_000_usize];
    let fault = prop_oneof![Just(Fault::Fails), Just(Fault::PowerLost), Just(Fault::Full)];
    prop_oneof![
        12 => vec(bytes, 1..5).prop_map(Step::Turn),
        2 => Just(Step::Commit),
        2 => Just(Step::Seal),
        1 => Just(Step::Check),
        1 => Just(Step::Kill),
        2 => any::<u64>().prop_map(Step::Crash),
        3 => (0..12_u64, fault).prop_map(|(ahead, fault)| Step::Fail(ahead, fault)),
    ]
}

struct World {
    disk: Memory,
    store: Option<Embedded<Memory>>,
    model: Model,
    pending: Vec<Record>,
    entropy: u64,
}

impl World {
    fn new() -> Self {
        let model = Model::default();
        let mut world =
            Self { disk: Memory::new(), store: None, model, pending: Vec::new(), entropy: 0 };
        world.open(0);
        world
    }

    fn limits(&self) -> Options {
        Options {
            inline_bytes_max: 2_500,
            log_bytes_max: 120 * 1024,
            log_keep_micros: 3,
            ..options(self.entropy)
        }
    }

    /// Opens the store; a failure on the way is followed by a power loss and another start.
    fn open(&mut self, seed: u64) {
        self.store = None;
        for attempt in 0.. {
            self.entropy += 1;
            match Embedded::open(self.disk.clone(), self.limits()) {
                // Lost while it was opened, and nothing has been asked of it since.
                Ok(_) if !self.disk_works() => self.disk = self.disk.crash(seed),
                Ok(store) => {
                    self.model.check_with_pending(&store, &self.pending);
                    self.pending.clear();
                    self.store = Some(store);
                    return;
                }
                Err(error) => {
                    assert!(attempt < 20, "does not open: {error}");
                    assert!(!error.to_string().contains("damaged"), "{error}");
                    self.disk = self.disk.crash(seed.wrapping_add(attempt));
                }
            }
        }
    }

    fn store(&self) -> &Embedded<Memory> {
        self.store.as_ref().expect("a store is open between the steps")
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Turn(lengths) => {
                let next = (self.model.records.len() as u64)..;
                let records: Vec<Record> =
                    next.zip(lengths).map(|(number, bytes)| record(number, bytes)).collect();
                let time = self.model.records.len() as u64;
                match self.store().append(&records, time) {
                    Ok(first) => {
                        assert_eq!(first, time);
                        self.model.records.extend(records);
                    }
                    Err(_) => {
                        self.pending = records;
                        self.open(time);
                    }
                }
            }
            Step::Commit => {
                let before = self.store().status().checkpoint;
                match self.store().commit() {
                    Ok(covered) => assert_eq!(covered, self.model.records.len() as u64),
                    Err(_) => assert!(self.store().status().checkpoint >= before),
                }
            }
            Step::Seal => {
                if self.store().seal().is_err() {
                    self.open(1);
                }
            }
            Step::Check => {
                if self.store().status().poisoned.is_none() && self.disk_works() {
                    self.model.check(self.store());
                }
            }
            Step::Kill => self.open(2),
            Step::Crash(seed) => {
                self.disk = self.disk.crash(seed);
                self.open(seed);
            }
            Step::Fail(ahead, fault) => self.disk.inject(self.disk.operations() + ahead, fault),
        }
    }

    fn disk_works(&self) -> bool {
        onex_store::disk::Disk::list(&self.disk).is_ok()
    }
}

/// A log of some turns and perhaps a checkpoint and a seal.
fn written(steps: Vec<Step>) -> (Memory, Model) {
    let mut world = World::new();
    for step in steps {
        if matches!(step, Step::Turn(_) | Step::Commit | Step::Seal) {
            world.step(step);
        }
    }
    (world.disk, world.model)
}

/// Opens a damaged disk: it is refused, or all is there but what the damage can pass for torn.
fn check_damaged(disk: &Memory, mut model: Model, last_turn: usize) {
    let Ok(store) = Embedded::open(disk.clone(), options(77)) else {
        return;
    };
    if store.durable_to() < model.records.len() as u64 {
        model.records.truncate(last_turn);
    }
    assert_eq!(store.durable_to(), model.records.len() as u64);
    let rows = store.scan(b"", b"\xff", usize::MAX).expect("scans");
    assert!(rows.into_iter().eq(model.rows()));
    // What lies below the checkpoint is verified when it is read.
    if let Ok(records) = store.read(store.oldest(), usize::MAX, usize::MAX) {
        for (found, expected) in records.iter().zip(&model.records[store.oldest() as usize..]) {
            assert_eq!(*found.body, *expected.body);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_acknowledged_is_lost_and_nothing_half_done_is_seen(steps in vec(step(), 1..60)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.disk = world.disk.crash(99);
        world.open(99);
        world.model.check(world.store());
    }

    #[test]
    fn a_flip_anywhere_is_refused_or_cuts_the_unsealed_last_turn(
        steps in vec(step(), 1..30),
        last in 1..4_usize,
        flips in vec((any::<proptest::sample::Index>(), any::<u64>(), 0..8_u8), 1..20),
    ) {
        let (disk, mut model) = written(steps);
        let store = Embedded::open(disk.clone(), options(70)).expect("opens");
        let last_turn = model.records.len();
        let turn: Vec<Record> = (last_turn..last_turn + last).map(|number| record(number as u64, 300)).collect();
        model.append(&store, &turn).expect("appends");
        drop(store);
        let files = onex_store::disk::Disk::list(&disk).expect("lists");
        for (file, position, bit) in flips {
            let (name, length) = &files[file.index(files.len())];
            let disk = disk.copy();
            disk.flip_bit(name, position % length, bit).expect("flips");
            check_damaged(&disk, model.clone(), last_turn);
        }
    }
}
