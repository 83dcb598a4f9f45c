//! A piece of the dedupe window.

use alloc::vec::Vec;

use super::parts::{put_id, read_list};
use super::{Read, begin, open};
use crate::codec::wire::put_u64;
use crate::dedupe::{Piece, Seen};

/// A piece of the dedupe window.
pub fn window(piece: &Piece) -> Vec<u8> {
    let out = &mut begin();
    put_u64(out, piece.to);
    put_u64(out, piece.seen.len() as u64);
    for seen in &piece.seen {
        put_id(out, seen.id);
        out.extend_from_slice(&seen.hash);
        put_u64(out, seen.offset);
        put_u64(out, seen.time.0);
    }
    core::mem::take(out)
}

/// Reads a piece of the dedupe window.
pub fn read_window(bytes: &[u8]) -> Read<Piece> {
    let reader = &mut open(bytes, "dedupe row")?;
    let to = reader.u64()?;
    let seen = read_list(reader, |reader| {
        Ok(Seen {
            id: reader.id()?,
            hash: reader.array()?,
            offset: reader.u64()?,
            time: reader.micros()?,
        })
    })?;
    Ok(Piece { to, seen })
}
