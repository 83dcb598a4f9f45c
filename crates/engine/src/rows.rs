//! Decoded rows: a bounded cache in front of the store, and what the turn at hand waits for.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;
use onex_contract::graph::{Body, Graph, GraphId};
use onex_kernel::row::{Entity, Letter, Run, StepRow};
use onex_kernel::{Id, Message};

use crate::codec::{Corrupt, row};
use crate::key::{self, RowKey};

/// Letters kept between two turns; each may be as large as a message.
const LETTERS_MAX: usize = 64;

/// About what a decoded row takes beside what is in it: itself, its key, its place in a map.
const ROW_BYTES: usize = 512;

/// About what a live run takes with its steps.
const RUN_BYTES: usize = 4096;

/// About how many times its encoded length the content of a decoded row takes.
const DECODED: usize = 2;

/// Bytes of a row, or that there is none.
pub(crate) type Fetched = Option<Arc<[u8]>>;

/// An entity, or that there is none, and about what it takes.
#[derive(Debug)]
struct Cached {
    entity: Option<Box<Entity>>,
    bytes: usize,
}

/// The cache.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    entities: HashMap<RowKey, Cached>,
    /// What all entities take.
    entities_bytes: usize,
    runs: HashMap<Id, Option<Run>>,
    run_keys: HashMap<RowKey, Option<Id>>,
    letters: HashMap<Id, Option<Letter>>,
    fetched: HashMap<RowKey, Fetched>,
    /// Rows that are wanted and not here.
    pub wanted: Vec<RowKey>,
}

impl Rows {
    /// Takes rows that were wanted.
    pub fn loaded(&mut self, rows: Vec<(RowKey, Fetched)>) {
        self.fetched.extend(rows);
    }

    /// Whether an entity (or its absence) is here; if not it is wanted.
    pub fn has_entity(&mut self, key: &RowKey) -> Result<bool, Corrupt> {
        if self.entities.contains_key(key) {
            return Ok(true);
        }
        let Some(bytes) = self.fetch(key) else {
            return Ok(false);
        };
        let entity = bytes.as_deref().map(row::read_entity).transpose()?;
        self.keep_entity(key.clone(), entity, bytes.map_or(0, |bytes| bytes.len()));
        Ok(true)
    }

    /// An entity that `has_entity` has said to be here.
    pub fn entity(&self, key: &RowKey) -> Option<&Entity> {
        self.entities.get(key)?.entity.as_deref()
    }

    /// Puts an entity whose row is so long.
    pub fn put_entity(&mut self, key: RowKey, entity: Entity, encoded: usize) {
        self.keep_entity(key, Some(entity), encoded);
    }

    fn keep_entity(&mut self, key: RowKey, entity: Option<Entity>, encoded: usize) {
        let bytes = ROW_BYTES + DECODED * encoded;
        let before = self.entities.insert(key, Cached { entity: entity.map(Box::new), bytes });
        self.entities_bytes += bytes;
        self.entities_bytes -= before.map_or(0, |before| before.bytes);
    }

    /// Whether the holder of a run key (or that there is none) is here; if not it is wanted.
    pub fn has_run_key(&mut self, key: &RowKey) -> Result<bool, Corrupt> {
        if self.run_keys.contains_key(key) {
            return Ok(true);
        }
        let Some(bytes) = self.fetch(key) else {
            return Ok(false);
        };
        let holder = bytes.as_deref().map(row::read_id_row).transpose()?;
        self.run_keys.insert(key.clone(), holder);
        Ok(true)
    }

    /// The live run that holds a run key.
    pub fn run_key(&self, key: &RowKey) -> Option<Id> {
        self.run_keys.get(key).copied().flatten()
    }

    /// Puts the holder of a run key.
    pub fn put_run_key(&mut self, key: RowKey, holder: Option<Id>) {
        self.run_keys.insert(key, holder);
    }

    /// Whether a letter (or its absence) is here; if not it is wanted.
    pub fn has_letter(&mut self, id: Id) -> Result<bool, Corrupt> {
        if self.letters.contains_key(&id) {
            return Ok(true);
        }
        let Some(bytes) = self.fetch(&key::letter(id)) else {
            return Ok(false);
        };
        let letter = bytes.as_deref().map(row::read_letter).transpose()?;
        self.letters.insert(id, letter);
        Ok(true)
    }

    /// A letter that `has_letter` has said to be here.
    pub fn letter(&self, id: Id) -> Option<&Letter> {
        self.letters.get(&id)?.as_ref()
    }

    /// Puts a letter.
    pub fn put_letter(&mut self, letter: Letter) {
        self.letters.insert(letter.id, Some(letter));
    }

    /// Whether a run (or its absence) is here with all its rows; if not they are wanted.
    pub fn has_run(
        &mut self,
        id: Id,
        graphs: &BTreeMap<GraphId, Arc<Graph>>,
    ) -> Result<bool, Corrupt> {
        if self.runs.contains_key(&id) {
            return Ok(true);
        }
        let head_key = key::run(id);
        let Some(bytes) = self.peek(&head_key) else {
            return Ok(false);
        };
        let Some(bytes) = bytes else {
            self.runs.insert(id, None);
            self.fetched.remove(&head_key);
            return Ok(true);
        };
        let (head, ended) = row::read_run(&bytes)?;
        let run = match ended {
            Some(row::Ended { steps, items, events }) => Run { head, steps, items, events },
            None => {
                let count = steps_of(graphs, head.graph, &head.node);
                let Some(steps) = self.steps(id, count)? else {
                    return Ok(false);
                };
                let Some(items) = self.items(id, &steps)? else {
                    return Ok(false);
                };
                let Some(events) = self.events(id, head.events)? else {
                    return Ok(false);
                };
                Run { head, steps, items, events }
            }
        };
        // Whoever loads it again must not find what it was.
        for key in rows_of(&run) {
            self.fetched.remove(&key);
        }
        self.runs.insert(id, Some(run));
        Ok(true)
    }

    /// A run that `has_run` has said to be here.
    pub fn run(&self, id: Id) -> Option<&Run> {
        self.runs.get(&id)?.as_ref()
    }

    /// The same, to change it.
    pub fn run_mut(&mut self, id: Id) -> Option<&mut Run> {
        self.runs.get_mut(&id)?.as_mut()
    }

    /// Puts a run that begins.
    pub fn put_run(&mut self, run: Run) {
        self.runs.insert(run.head.id, Some(run));
    }

    /// Says that a run with this id is known not to exist: the id was just made.
    pub fn no_run(&mut self, id: Id) {
        self.runs.entry(id).or_insert(None);
    }

    /// Says that a run was deleted.
    pub fn gone_run(&mut self, id: Id) {
        self.runs.insert(id, None);
    }

    /// Says that an entity was deleted.
    pub fn gone_entity(&mut self, key: RowKey) {
        self.keep_entity(key, None, 0);
    }

    /// The bytes of a row that nothing here decodes, once they are here; until then it is wanted.
    pub fn bytes(&mut self, key: &RowKey) -> Option<Fetched> {
        self.fetch(key)
    }

    /// Forgets runs that ended and are durable.
    pub fn forget_runs(&mut self, ended: &[Id]) {
        for id in ended {
            self.runs.remove(id);
        }
    }

    /// Whether something should be forgotten before more is changed.
    pub fn are_too_many(&self, bytes_max: usize) -> bool {
        let others = self.runs.len() * RUN_BYTES + self.run_keys.len() * ROW_BYTES;
        self.letters.len() > LETTERS_MAX || self.entities_bytes + others > bytes_max
    }

    /// Forgets half of it when all takes more than `bytes_max`. Whatever is forgotten must be in
    /// the store, so this is for moments in which nothing waits for a sync.
    pub fn shrink(&mut self, bytes_max: usize) {
        self.letters.clear();
        self.fetched.clear();
        if !self.are_too_many(bytes_max) {
            return;
        }
        self.runs.clear();
        self.run_keys.clear();
        let mut left = self.entities_bytes;
        self.entities.retain(|_, cached| {
            let keep = left <= bytes_max / 2;
            if !keep {
                left -= cached.bytes;
            }
            keep
        });
        self.entities_bytes = left;
    }

    fn steps(&mut self, run: Id, count: usize) -> Result<Option<Vec<StepRow>>, Corrupt> {
        let keys: Vec<RowKey> = (0..count).map(|step| key::step(run, step as u16)).collect();
        let Some(rows) = self.fetch_all(&keys) else {
            return Ok(None);
        };
        rows.into_iter()
            .map(|bytes| bytes.as_deref().map_or_else(|| Ok(StepRow::pending()), row::read_step))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    #[expect(
        clippy::type_complexity,
        reason = "the field's own type, absent while rows are wanted"
    )]
    fn items(
        &mut self,
        run: Id,
        steps: &[StepRow],
    ) -> Result<Option<BTreeMap<(u16, u32), onex_kernel::row::ItemRow>>, Corrupt> {
        let places: Vec<(u16, u32)> = steps
            .iter()
            .enumerate()
            .flat_map(|(step, row)| {
                let started = row.items.as_ref().map_or(0, |items| items.total);
                (0..started).map(move |item| (step as u16, item))
            })
            .collect();
        let keys: Vec<RowKey> =
            places.iter().map(|(step, item)| key::item(run, *step, *item)).collect();
        let Some(rows) = self.fetch_all(&keys) else {
            return Ok(None);
        };
        let mut items = BTreeMap::new();
        for (place, bytes) in places.into_iter().zip(rows) {
            if let Some(bytes) = bytes {
                items.insert(place, row::read_item(&bytes)?);
            }
        }
        Ok(Some(items))
    }

    fn events(&mut self, run: Id, count: u32) -> Result<Option<BTreeMap<u32, Message>>, Corrupt> {
        let keys: Vec<RowKey> = (0..count).map(|number| key::event(run, number)).collect();
        let Some(rows) = self.fetch_all(&keys) else {
            return Ok(None);
        };
        let kept = (0..count).zip(rows).filter_map(|(number, row)| Some((number, row?)));
        kept.map(|(number, row)| Ok((number, row::read_event(&row)?)))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    fn fetch(&mut self, key: &RowKey) -> Option<Fetched> {
        let fetched = self.fetched.remove(key);
        if fetched.is_none() {
            self.wanted.push(key.clone());
        }
        fetched
    }

    fn peek(&mut self, key: &RowKey) -> Option<Fetched> {
        let fetched = self.fetched.get(key).cloned();
        if fetched.is_none() {
            self.wanted.push(key.clone());
        }
        fetched
    }

    fn fetch_all(&mut self, keys: &[RowKey]) -> Option<Vec<Fetched>> {
        let missing = keys.iter().filter(|key| !self.fetched.contains_key(*key));
        let before = self.wanted.len();
        self.wanted.extend(missing.cloned());
        if self.wanted.len() > before {
            return None;
        }
        Some(keys.iter().map(|key| self.fetched.get(key).cloned().flatten()).collect())
    }
}

/// Keys of every row that a run may have.
fn rows_of(run: &Run) -> impl Iterator<Item = RowKey> {
    let id = run.head.id;
    let steps = (0..run.steps.len()).map(move |step| key::step(id, step as u16));
    let items = run.steps.iter().enumerate().flat_map(move |(step, row)| {
        let total = row.items.as_ref().map_or(0, |items| items.total);
        (0..total).map(move |item| key::item(id, step as u16, item))
    });
    let events = (0..run.head.events).map(move |number| key::event(id, number));
    core::iter::once(key::run(id)).chain(steps).chain(items).chain(events)
}

/// How many steps the orchestrator `node` has in a graph.
fn steps_of(graphs: &BTreeMap<GraphId, Arc<Graph>>, graph: GraphId, node: &str) -> usize {
    let Some(graph) = graphs.get(&graph) else {
        return 0;
    };
    match graph.find(node).map(|index| &graph.node(index).body) {
        Some(Body::Orchestrator(orchestrator)) => orchestrator.steps.len(),
        _ => 0,
    }
}
