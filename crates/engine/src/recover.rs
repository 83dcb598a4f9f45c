//! What a start needs: nothing is executed again, only what was pending goes on.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use onex_contract::graph::Graph;
use onex_kernel::row::{Ending, Failure};
use onex_kernel::{Micros, Origin};

use crate::end::stopped;
use crate::codec::record::LogRecord;
use crate::codec::row::Backlog;
use crate::codec::{Corrupt, row};
use crate::dedupe::{Seen, content_hash};
use crate::engine::{Engine, Waiting, Work};
use crate::guard::Guard;
use crate::intents::Standing;
use crate::key::{self, RowKey, TimerOwner};
use crate::options::Options;
use onex_kernel::decision::TimerOf;

/// What the store held.
#[derive(Debug)]
pub struct Recovered {
    /// Offset of the next record.
    pub next_offset: u64,
    /// Time of the last record.
    pub time: Micros,
    /// The graph that was active, or that begins an empty store.
    pub active: Arc<Graph>,
    /// Every other graph of the store.
    pub graphs: Vec<Arc<Graph>>,
    /// Values of the rows under `key::INTENTS`.
    pub intents: Vec<Arc<[u8]>>,
    /// Keys of the rows under `key::TIMERS`.
    pub timers: Vec<RowKey>,
    /// Rows under `key::LISTENERS`.
    pub listeners: Vec<(RowKey, Arc<[u8]>)>,
    /// Rows under `key::BACKLOG`, in order.
    pub backlog: Vec<(RowKey, Arc<[u8]>)>,
    /// Client message ids of the dedupe window, oldest first.
    pub seen: Vec<Seen>,
}

/// What the dedupe window keeps of a record, if it is a client's message.
pub fn seen(offset: u64, record: &LogRecord) -> Option<Seen> {
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
        for seen in recovered.seen {
            let options = &engine.options;
            engine.dedupe.put(seen, options.dedupe_window_us, options.dedupe_ids_max);
        }
        for timer in recovered.timers {
            let timer = key::read_timer(&timer).ok_or(Corrupt { what: "timer row" })?;
            if matches!(timer.owner, TimerOwner::Run { of: TimerOf::Instance, .. }) {
                engine.live_runs += 1;
            }
            engine.timers.insert(timer);
        }
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
        engine.recover_intents(recovered.intents)?;
        Ok(engine)
    }

    fn recover_intents(&mut self, rows: Vec<Arc<[u8]>>) -> Result<(), Corrupt> {
        let mut intents =
            rows.iter().map(|bytes| row::read_intent(bytes)).collect::<Result<Vec<_>, _>>()?;
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
