//! A turn in the making: the records of its frame, and what is released once it is durable.

use alloc::vec;
use alloc::vec::Vec;

use onex_contract::graph::GraphId;
use onex_expr::{Text, Value};
use onex_kernel::{Category, Id, Message, Origin, Payload};

use crate::codec::record;
use crate::engine::Engine;
use crate::key::RowKey;
use crate::output::{Output, Record, RowChange};
use crate::retain::Kind;

/// How many virtual partitions a data folder has; fixed when it is made.
pub const PARTITIONS: u16 = 64;

/// The turn.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// Records so far.
    pub records: Vec<Record>,
    /// Outputs to give after the sync.
    pub after: Vec<Output>,
    /// Runs that ended in it.
    pub ended: Vec<Id>,
    /// Bytes of its records and rows.
    pub bytes: usize,
    /// The last story without a key, and its partition: what it leads to comes next.
    story: Option<(Id, u16)>,
    /// Weight of what its large decisions sent, which may become rows of its last record.
    pub heavy_bytes: usize,
}

/// What waits for a frame that is being written.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// Outputs to give when it is durable.
    pub after: Vec<Output>,
    /// Runs that ended in it and that nothing has changed since.
    pub ended: Vec<Id>,
    /// The first offset behind it.
    pub to: u64,
}

/// The rows of one record in the making.
#[derive(Debug)]
pub(crate) struct Sink {
    /// The record's offset.
    pub offset: u64,
    /// What it puts and deletes.
    pub rows: Vec<RowChange>,
}

impl Sink {
    /// Puts a row.
    pub fn put(&mut self, key: RowKey, bytes: Vec<u8>) {
        self.rows.push(RowChange { key, value: Some(bytes.into()), fresh: false });
    }

    /// Puts a row that is not there yet.
    pub fn put_fresh(&mut self, key: RowKey, bytes: Vec<u8>) {
        self.rows.push(RowChange { key, value: Some(bytes.into()), fresh: true });
    }

    /// Deletes a row.
    pub fn delete(&mut self, key: RowKey) {
        self.rows.push(RowChange { key, value: None, fresh: false });
    }
}

impl Turn {
    /// Adds the record of a message with the rows of its step.
    pub fn record(&mut self, message: &Message, graph: GraphId, sink: Sink) {
        let payload = message.payload.bytes.as_ref().map_or(0, |bytes| bytes.len());
        let mut body = Vec::with_capacity(256 + payload);
        let payload_bytes = record::encode(&mut body, message, graph);
        self.bytes += body.len()
            + sink
                .rows
                .iter()
                .map(|row| row.key.len() + row.value.as_ref().map_or(0, |bytes| bytes.len()))
                .sum::<usize>();
        let partition = self.partition(message);
        self.records.push(Record { partition, body, payload_bytes, rows: sink.rows });
    }

    /// The virtual partition of a message: of its key, else of its correlation id.
    fn partition(&mut self, message: &Message) -> u16 {
        let story = message.correlation_id;
        match (&message.key, self.story) {
            (Some(key), _) => partition_of(key.as_bytes()),
            (None, Some((last, partition))) if last == story => partition,
            (None, _) => {
                let partition = partition_of(&story.0);
                self.story = Some((story, partition));
                partition
            }
        }
    }
}

fn partition_of(key: &[u8]) -> u16 {
    let [low, high, ..] = *blake3::hash(key).as_bytes();
    u16::from_le_bytes([low, high]) % PARTITIONS
}

impl Engine {
    /// A message that the engine itself makes about `subject`.
    pub(crate) fn own_message(
        &self,
        category: Category,
        origin: Origin,
        subject: Id,
        payload: Value,
    ) -> Message {
        Message {
            id: Id::derive(subject, "", category as u32, self.next_offset as u32),
            category,
            origin,
            topic: Text::default(),
            key: None,
            event_type: None,
            payload: Payload::from(payload),
            correlation_id: subject,
            causation_id: None,
            node: None,
            time: self.now,
            generation: 0,
        }
    }

    /// Begins the rows of the next record.
    pub(crate) fn begin_record(&self) -> Sink {
        Sink { offset: self.next_offset, rows: vec![] }
    }

    /// Ends a record: it gets the next offset.
    pub(crate) fn end_record(&mut self, message: &Message, graph: GraphId, mut sink: Sink) {
        self.dedupe.save(&mut sink);
        for kind in Kind::ALL {
            self.retained.queue_mut(kind).save(&mut sink, kind);
        }
        self.turn.record(message, graph, sink);
        self.next_offset += 1;
    }
}
