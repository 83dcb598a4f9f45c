//! What a start finds of what has ended: the saved pieces, and what the log holds beyond them. Where
//! the log does not reach back so far, the rows themselves are looked through.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use onex_contract::graph::Graph;
use onex_kernel::Micros;

use super::queue::PIECE_RECORDS;
use super::{Entry, Kind, Piece, Queue, terminals};
use crate::codec::{Corrupt, row};
use crate::key::{self, RowKey};
use crate::recover::{RecoverError, Source};

/// Both queues as they were.
#[derive(Debug, Default)]
pub struct Found {
    pub(super) queues: [Queue; 2],
}

/// When what stands in each row ended.
type Ended = BTreeMap<RowKey, Micros>;

/// What a start reads of one kind.
struct Side {
    kind: Kind,
    pieces: Vec<(u64, Piece)>,
    /// From where on the log tells the rest.
    from: u64,
    ended: Ended,
}

impl Found {
    /// Reads what a start needs.
    pub(crate) fn read<S: Source>(
        source: &S,
        graph: &Graph,
    ) -> Result<Found, RecoverError<S::Error>> {
        let mut sides = [Side::read(source, Kind::Runs)?, Side::read(source, Kind::Entities)?];
        let oldest = source.offset_at(Micros(0)).map_err(RecoverError::Source)?;
        let next = source.next_offset();
        for side in &mut sides {
            if side.from < oldest || side.from + 2 * PIECE_RECORDS < next {
                side.look_through(source, graph)?;
                side.from = next;
            }
        }
        let from = sides.iter().map(|side| side.from).min().unwrap_or(next);
        let mut corrupt = None;
        let mut take = |offset, place: &[u8], bytes: Option<&[u8]>| {
            for side in sides.iter_mut().filter(|side| offset >= side.from) {
                if let Err(error) = side.take(graph, place, bytes) {
                    corrupt = Some(error);
                }
            }
        };
        source.changes(from, &mut take).map_err(RecoverError::Source)?;
        corrupt.map_or(Ok(Found { queues: sides.map(Side::queue) }), |error| Err(error.into()))
    }
}

impl Side {
    fn read<S: Source>(source: &S, kind: Kind) -> Result<Side, RecoverError<S::Error>> {
        let mut pieces: Vec<(u64, Piece)> = Vec::new();
        for (place, bytes) in source.rows(key::retained_of(kind)).map_err(RecoverError::Source)? {
            let number = key::read_retained(&place);
            let number = number.ok_or(Corrupt { what: "key of what has ended" })?;
            pieces.push((number, row::read_retained(&bytes)?));
        }
        let from = pieces.last().map_or(0, |(_, piece)| piece.to);
        Ok(Side { kind, pieces, from, ended: Ended::new() })
    }

    fn queue(self) -> Queue {
        let ended = self.ended.into_iter();
        let mut tail: Vec<Entry> = ended.map(|(row, at)| Entry::new(at, row)).collect();
        tail.sort_by_key(|entry| entry.since);
        Queue::recovered(self.pieces, tail)
    }

    /// Takes a row that was put or deleted.
    fn take(&mut self, graph: &Graph, place: &[u8], bytes: Option<&[u8]>) -> Result<(), Corrupt> {
        let family = match self.kind {
            Kind::Runs => key::RUNS,
            Kind::Entities => key::ENTITIES,
        };
        if !place.starts_with(family) {
            return Ok(());
        }
        match bytes.map(|bytes| self.ended_at(graph, place, bytes)).transpose()?.flatten() {
            Some(at) => {
                self.ended.insert(place.into(), at);
            }
            None => {
                self.ended.remove(place);
            }
        }
        Ok(())
    }

    /// Looks at every row, for those that no piece has.
    fn look_through<S: Source>(
        &mut self,
        source: &S,
        graph: &Graph,
    ) -> Result<(), RecoverError<S::Error>> {
        // Not all at once: there may be many.
        let prefixes: Vec<Vec<u8>> = match self.kind {
            Kind::Runs => (0..=u8::MAX).map(|byte| [key::RUNS, &[byte]].concat()).collect(),
            Kind::Entities => {
                let ending = graph.nodes.iter().filter(|node| terminals(node).next().is_some());
                ending.map(|node| key::entities(&node.name).to_vec()).collect()
            }
        };
        let saved = self.pieces.iter().flat_map(|(_, piece)| &piece.entries);
        let last = saved.map(|entry| entry.ended).max();
        for prefix in prefixes {
            for (place, bytes) in source.rows(&prefix).map_err(RecoverError::Source)? {
                let ended = self.ended_at(graph, &place, &bytes)?;
                if let Some(at) = ended.filter(|at| last.is_none_or(|last| *at >= last)) {
                    self.ended.insert(place, at);
                }
            }
        }
        Ok(())
    }

    /// When what stands in a row ended, if it has.
    fn ended_at(
        &self,
        graph: &Graph,
        place: &[u8],
        bytes: &[u8],
    ) -> Result<Option<Micros>, Corrupt> {
        if self.kind == Kind::Runs {
            return Ok(row::read_run(bytes)?.0.ended_at);
        }
        let (node, _) = key::read_entity(place).ok_or(Corrupt { what: "entity row" })?;
        let mut ends = graph.find(node).into_iter().flat_map(|node| terminals(graph.node(node)));
        let Some(first) = ends.next() else {
            return Ok(None);
        };
        let entity = row::read_entity(bytes)?;
        let ended = entity.state == *first || ends.any(|state| *state == entity.state);
        Ok(ended.then_some(entity.updated_at))
    }
}
