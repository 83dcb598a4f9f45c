//! The writer thread: makes one frame durable while the engine decides the next turn.
//!
//! The engine never has more than one frame under way, so no more than one is ever handed over.

use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Weak};
use std::time::Instant;
use std::{io, thread};

use onex_store::{Record, Store, StoreError};
use tokio::sync::watch;

use crate::inbox::Inbox;
use crate::telemetry::Telemetry;

/// What makes frames durable, on whatever thread.
#[derive(Clone)]
pub(crate) struct Frames {
    pub store: Arc<dyn Store>,
    pub telemetry: Arc<Telemetry>,
    pub durable: Arc<watch::Sender<u64>>,
}

impl Frames {
    /// Writes and syncs one frame, and says how far the log is durable now.
    pub fn write(&self, records: &[Record], time_micros: u64) -> Result<(), StoreError> {
        let began = Instant::now();
        self.store.append(records, time_micros)?;
        self.telemetry.wrote(records.len(), began.elapsed());
        self.durable.send_replace(self.store.durable_to());
        Ok(())
    }
}

/// One frame to write.
struct Frame {
    records: Vec<Record>,
    time_micros: u64,
}

/// The thread's other end. It ends when this is dropped.
pub(crate) struct Writer {
    frames: SyncSender<Frame>,
}

impl Writer {
    /// Starts the thread; what becomes of each frame arrives in the inbox.
    pub fn start(frames: Frames, inbox: &Arc<Inbox>) -> io::Result<Writer> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let presence = Presence(Arc::downgrade(inbox));
        thread::Builder::new()
            .name("writer".into())
            .spawn(move || work(&frames, &receiver, &presence))?;
        Ok(Writer { frames: sender })
    }

    /// Hands over a frame. Whether the thread is there to take it.
    pub fn hand_over(&self, records: Vec<Record>, time_micros: u64) -> bool {
        self.frames.send(Frame { records, time_micros }).is_ok()
    }
}

/// Tells the engine thread, also by a panic, that there is no writer any more.
struct Presence(Weak<Inbox>);

impl Drop for Presence {
    fn drop(&mut self) {
        if let Some(inbox) = self.0.upgrade() {
            inbox.no_writer();
        }
    }
}

fn work(frames: &Frames, handed: &Receiver<Frame>, presence: &Presence) {
    while let Ok(Frame { records, time_micros }) = handed.recv() {
        let written = frames.write(&records, time_micros);
        let Some(inbox) = presence.0.upgrade() else { return };
        inbox.written(written);
    }
}
