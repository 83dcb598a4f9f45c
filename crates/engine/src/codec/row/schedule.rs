//! An armed schedule.

use alloc::vec::Vec;

use super::{Read, begin, open};
use crate::codec::wire::{put_text, put_u64};
use crate::schedule::Armed;

/// An armed schedule.
pub fn schedule(armed: &Armed) -> Vec<u8> {
    let out = &mut begin();
    put_u64(out, armed.due.0);
    put_u64(out, armed.sent);
    put_text(out, &armed.timing);
    core::mem::take(out)
}

/// Reads an armed schedule.
pub fn read_schedule(bytes: &[u8]) -> Read<Armed> {
    let reader = &mut open(bytes, "schedule row")?;
    Ok(Armed { due: reader.micros()?, sent: reader.u64()?, timing: reader.text()? })
}
