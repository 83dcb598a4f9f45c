//! A piece of what has ended and is kept for a while.

use alloc::vec::Vec;

use onex_kernel::Micros;

use super::parts::read_list;
use super::{Read, begin, open};
use crate::codec::wire::{put_bytes, put_u64};
use crate::retain::{Entry, Piece};

/// A piece of what has ended.
pub fn retained(to: u64, entries: &[Entry]) -> Vec<u8> {
    let out = &mut begin();
    put_u64(out, to);
    put_u64(out, entries.len() as u64);
    for entry in entries {
        put_u64(out, entry.since.0);
        put_u64(out, entry.since.0.saturating_sub(entry.ended.0));
        put_bytes(out, &entry.row);
    }
    core::mem::take(out)
}

/// Reads a piece of what has ended.
pub fn read_retained(bytes: &[u8]) -> Read<Piece> {
    let reader = &mut open(bytes, "row of what has ended")?;
    let to = reader.u64()?;
    let entries = read_list(reader, |reader| {
        let since = reader.micros()?;
        let ended = Micros(since.0.saturating_sub(reader.u64()?));
        Ok(Entry { since, ended, row: reader.bytes()?.into() })
    })?;
    Ok(Piece { to, entries })
}
