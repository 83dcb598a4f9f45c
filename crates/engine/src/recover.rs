//! What a start needs: nothing is executed again, only what was pending goes on.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_contract::graph::{Graph, GraphId};
use onex_kernel::row::{Ending, Failure, Intent};
use onex_kernel::{Id, Micros, Origin};

use crate::activation::{Stranded, stranded};
use crate::codec::Corrupt;
use crate::codec::record::{self, LogRecord};
use crate::codec::row::{self, Backlog};
use crate::dedupe::{Dedupe, Piece, Seen, content_hash};
use crate::end::stopped;
use crate::engine::Engine;
use crate::guard::Guard;
use crate::intents::Standing;
use crate::key::{self, RowKey, Timer};
use crate::options::Options;
use crate::retain::{Found, Retained};
use crate::unfinished;
use crate::work::{Waiting, Work};

/// A row: its key and its bytes.
pub type Row = (RowKey, Arc<[u8]>);

/// Takes an offset, the key of a row that its record changed, and its bytes unless it was deleted.
pub type TakeChange<'t> = dyn FnMut(u64, &[u8], Option<&[u8]>) + 't;

/// Where a start reads from: durable rows and records.
pub trait Source {
    /// Why it cannot be read.
    type Error;

    /// Offset of the next record.
    fn next_offset(&self) -> u64;

    /// An offset below which every record is older than a time, and the oldest that is kept.
    ///
    /// # Errors
    /// It cannot be read.
    fn offset_at(&self, time: Micros) -> Result<u64, Self::Error>;

    /// A row.
    ///
    /// # Errors
    /// It cannot be read.
    fn row(&self, key: RowKey) -> Result<Option<Arc<[u8]>>, Self::Error>;

    /// Every row whose key begins with `prefix`, in order.
    ///
    /// # Errors
    /// It cannot be read.
    fn rows(&self, prefix: &[u8]) -> Result<Vec<Row>, Self::Error>;

    /// Hands over offset, time and body of every record from an offset on.
    ///
    /// # Errors
    /// It cannot be read.
    fn records(
        &self,
        from: u64,
        take: &mut dyn FnMut(u64, Micros, &[u8]),
    ) -> Result<(), Self::Error>;

    /// Hands over every row that the records from an offset on put or deleted, with the offset, in
    /// order.
    ///
    /// # Errors
    /// It cannot be read.
    fn changes(&self, from: u64, take: &mut TakeChange<'_>) -> Result<(), Self::Error>;
}

/// Why a store cannot be gone on with.
#[derive(Debug)]
pub enum RecoverError<E> {
    /// The store failed.
    Source(E),
    /// A row or record cannot be read.
    Corrupt(Corrupt),
    /// A graph that work in progress began under cannot be built again.
    Graph(GraphId),
    /// The graph to run has no place for entities that there are.
    Stranded(Vec<Stranded>),
}

impl<E> From<Corrupt> for RecoverError<E> {
    fn from(error: Corrupt) -> Self {
        RecoverError::Corrupt(error)
    }
}

/// What the store held.
#[derive(Debug)]
pub struct Recovered {
    /// Offset of the next record.
    pub next_offset: u64,
    /// Time of the last record.
    pub time: Micros,
    /// The graph that was active, or that begins an empty store.
    pub active: Arc<Graph>,
    /// Every other graph of the store that can be built again.
    pub graphs: Vec<Arc<Graph>>,
    /// Pending intents.
    pub intents: Vec<Intent>,
    /// Armed timers.
    pub timers: Vec<Timer>,
    /// Rows under `key::SCHEDULES`.
    pub schedules: Vec<Row>,
    /// Rows under `key::LISTENERS`.
    pub listeners: Vec<Row>,
    /// Rows under `key::BACKLOG`, in order.
    pub backlog: Vec<Row>,
    /// Runs that are not over.
    pub live: BTreeSet<Id>,
    /// The saved pieces of the dedupe window, in order.
    pub window: Vec<Piece>,
    /// Ids of clients that the log holds beyond them, in order.
    pub seen: Vec<Seen>,
    /// Rows under `key::OPEN_LETTERS`.
    pub open_letters: Vec<Row>,
    /// Rows under `key::OPEN_OF_STORIES`.
    pub open_of_stories: Vec<Row>,
    /// What has ended and is kept for a while.
    pub ended: Found,
}

impl Recovered {
    /// An empty store, to begin with this graph.
    pub fn empty(graph: Arc<Graph>) -> Recovered {
        Recovered {
            next_offset: 0,
            time: Micros(0),
            active: graph,
            graphs: Vec::new(),
            intents: Vec::new(),
            timers: Vec::new(),
            schedules: Vec::new(),
            listeners: Vec::new(),
            backlog: Vec::new(),
            live: BTreeSet::new(),
            window: Vec::new(),
            seen: Vec::new(),
            open_letters: Vec::new(),
            open_of_stories: Vec::new(),
            ended: Found::default(),
        }
    }

    /// Reads what a start needs. `graph` is the one to run; another one is active in the result
    /// when the store ended with it. `restore` builds a graph from its row.
    ///
    /// # Errors
    /// The source cannot be read, or work in progress began under a graph that cannot be built
    /// again.
    pub fn read<S: Source>(
        source: &S,
        graph: &Arc<Graph>,
        restore: &dyn Fn(&[u8]) -> Option<Graph>,
        options: &Options,
        now: Micros,
    ) -> Result<Recovered, RecoverError<S::Error>> {
        let rows = |prefix| source.rows(prefix).map_err(RecoverError::Source);
        let mut recovered = Recovered::empty(graph.clone());
        recovered.next_offset = source.next_offset();
        for (_, bytes) in rows(key::INTENTS)? {
            recovered.intents.push(row::read_intent(&bytes)?);
        }
        for (key, _) in rows(key::TIMERS)? {
            let timer = key::read_timer(&key).ok_or(Corrupt { what: "timer row" })?;
            recovered.timers.push(timer);
        }
        recovered.schedules = rows(key::SCHEDULES)?;
        recovered.listeners = rows(key::LISTENERS)?;
        recovered.backlog = rows(key::BACKLOG)?;
        recovered.open_letters = rows(key::OPEN_LETTERS)?;
        recovered.open_of_stories = rows(key::OPEN_OF_STORIES)?;
        recovered.live = unfinished::runs(source, &recovered)?;
        recovered.read_graphs(source, graph, restore)?;
        for (_, bytes) in rows(key::WINDOW)? {
            recovered.window.push(row::read_window(&bytes)?);
        }
        recovered.read_log(source, options, now)?;
        recovered.ended = Found::read(source, &recovered.active)?;
        Ok(recovered)
    }

    fn read_graphs<S: Source>(
        &mut self,
        source: &S,
        graph: &Arc<Graph>,
        restore: &dyn Fn(&[u8]) -> Option<Graph>,
    ) -> Result<(), RecoverError<S::Error>> {
        let active = active_graph(source)?.unwrap_or(graph.id);
        let mut lost = BTreeSet::new();
        for (row_key, bytes) in source.rows(key::GRAPHS).map_err(RecoverError::Source)? {
            let id = row_key.get(1..).and_then(|digest| <[u8; 32]>::try_from(digest).ok());
            let id = GraphId(id.ok_or(Corrupt { what: "graph row" })?);
            if id == graph.id {
                continue;
            }
            match restore(&bytes).map(Arc::new) {
                Some(found) if id == active => self.active = found,
                Some(found) => self.graphs.push(found),
                None => {
                    lost.insert(id);
                }
            }
        }
        if self.active.id != graph.id {
            self.graphs.push(graph.clone());
            let stranded = stranded(source, &self.active, graph)?;
            if !stranded.is_empty() {
                return Err(RecoverError::Stranded(stranded));
            }
        }
        if lost.is_empty() {
            return Ok(());
        }
        match self.used_graphs(source)?.intersection(&lost).next() {
            Some(used) => Err(RecoverError::Graph(*used)),
            None => Ok(()),
        }
    }

    /// The graphs that work in progress stays with.
    fn used_graphs<S: Source>(
        &self,
        source: &S,
    ) -> Result<BTreeSet<GraphId>, RecoverError<S::Error>> {
        let mut used: BTreeSet<GraphId> = self.intents.iter().map(|intent| intent.graph).collect();
        for (_, bytes) in &self.backlog {
            if let Backlog::Intent(intent) = row::read_backlog(bytes)? {
                used.insert(intent.graph);
            }
        }
        for run in &self.live {
            if let Some(bytes) = source.row(key::run(*run)).map_err(RecoverError::Source)? {
                used.insert(row::read_run(&bytes)?.0.graph);
            }
        }
        Ok(used)
    }

    /// Reads the ids that no piece of the window holds yet, and the time of the last record.
    fn read_log<S: Source>(
        &mut self,
        source: &S,
        options: &Options,
        now: Micros,
    ) -> Result<(), RecoverError<S::Error>> {
        let since = Micros(now.0.saturating_sub(options.dedupe_window_us));
        let oldest = source.offset_at(since).map_err(RecoverError::Source)?;
        let unsaved = self.window.last().map_or(0, |piece| piece.to).max(oldest);
        let from = unsaved.min(self.next_offset.saturating_sub(1));
        let mut corrupt = None;
        let mut take = |offset, time: Micros, body: &[u8]| {
            match record::decode(body) {
                // A record may be later than its frame: the clock may have gone back in between.
                Ok(found) => {
                    self.time = self.time.max(time).max(found.message.time);
                    if offset >= unsaved {
                        self.seen.extend(seen(offset, &found));
                    }
                }
                Err(error) => corrupt = Some(error),
            }
        };
        source.records(from, &mut take).map_err(RecoverError::Source)?;
        corrupt.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// The graph that was active when the store was last written; none in an empty store.
///
/// # Errors
/// The source cannot be read.
pub fn active_graph<S: Source>(source: &S) -> Result<Option<GraphId>, RecoverError<S::Error>> {
    let found = source.row(key::ACTIVE_GRAPH.into()).map_err(RecoverError::Source)?;
    let Some(bytes) = found else { return Ok(None) };
    let digest = <[u8; 32]>::try_from(bytes.as_ref());
    Ok(Some(GraphId(digest.map_err(|_| Corrupt { what: "row of the active graph" })?)))
}

/// What the dedupe window keeps of a record, if it is a client's message.
fn seen(offset: u64, record: &LogRecord) -> Option<Seen> {
    let message = &record.message;
    (message.origin == Origin::External).then(|| Seen {
        id: message.id,
        hash: content_hash(message),
        offset,
        time: message.time,
    })
}

impl Engine {
    /// An engine that goes on where the log ends. Its first `handle` begins what is due.
    ///
    /// # Errors
    /// A row cannot be read, or the graph of a pending intent is not there.
    pub fn recover(
        options: Options,
        guard: Box<dyn Guard>,
        recovered: Recovered,
        now: Micros,
    ) -> Result<Engine, Corrupt> {
        let mut engine = Engine::new(options, guard, recovered.active);
        engine.now = recovered.time.max(now);
        engine.next_offset = recovered.next_offset;
        for graph in recovered.graphs {
            engine.graphs.insert(graph.id, graph);
        }
        engine.dedupe = Dedupe::recovered(recovered.window, recovered.seen, &engine.options);
        engine.timers.extend(recovered.timers);
        engine.recover_schedules(recovered.schedules)?;
        for (place, bytes) in recovered.open_letters {
            engine.tally.recover(&place, &bytes)?;
        }
        for (place, _) in recovered.open_of_stories {
            engine.stories.recover(&place)?;
        }
        engine.retained = Retained::recovered(recovered.ended);
        engine.durable_to = engine.next_offset;
        for (place, bytes) in recovered.listeners {
            engine.recover_listener(&place, &bytes)?;
        }
        for (place, bytes) in recovered.backlog {
            let row = Some(place);
            engine.derived.push_back(match row::read_backlog(&bytes)? {
                Backlog::Message(what) => Work::Message(Box::new(Waiting { what, row })),
                Backlog::Intent(what) => Work::Intent(Box::new(Waiting { what, row })),
                Backlog::Run(what) => Work::IntentRun(Box::new(Waiting { what, row })),
                Backlog::Trigger(what) => Work::Trigger(Box::new(Waiting { what, row })),
                Backlog::Tell(what) => Work::Tell(Box::new(Waiting { what, row })),
            });
        }
        engine.live_runs = recovered.live.len();
        engine.recover_intents(recovered.intents)?;
        Ok(engine)
    }

    fn recover_intents(&mut self, mut intents: Vec<Intent>) -> Result<(), Corrupt> {
        intents.sort_by_key(|intent| (intent.offset, intent.id));
        for intent in intents {
            let id = intent.id;
            let mut pending =
                self.pending(intent).map_err(|_| Corrupt { what: "graph of a pending intent" })?;
            pending.uncertain = pending.intent.turn_at.is_some();
            let intent = &pending.intent;
            let ending = if intent.started {
                Some(Ending::InDoubt(Failure {
                    code: "in_doubt".into(),
                    message: "an attempt was under way when the host ended; it is not idempotent"
                        .into(),
                    step: None,
                }))
            } else if intent.stopping {
                Some(stopped(&pending))
            } else {
                None
            };
            let due = intent.next_at.unwrap_or(self.now);
            let turn = self.intents.add(pending);
            match ending {
                Some(ending) => self.queue_end(id, ending),
                None if turn => {
                    if let Some(pending) = self.intents.get_mut(id) {
                        pending.intent.turn_at = Some(self.now);
                    }
                    self.intents.stand(id, Standing::Waiting(due));
                }
                None => {}
            }
        }
        Ok(())
    }
}
