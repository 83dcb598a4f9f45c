//! What several rows hold: ids, timers, failures, failed attempts.

use alloc::vec::Vec;

use onex_kernel::Id;
use onex_kernel::row::{Armed, FailedAttempt, Failure};

use super::Read;
use crate::codec::wire::{Reader, put_option, put_text, put_u64};

pub(super) fn put_id(out: &mut Vec<u8>, id: Id) {
    out.extend_from_slice(&id.0);
}

pub(super) fn put_armed(out: &mut Vec<u8>, armed: Armed) {
    put_u64(out, armed.arming);
    put_u64(out, armed.armed_at.0);
    put_u64(out, armed.due.0);
}

pub(super) fn read_armed(reader: &mut Reader<'_>) -> Read<Armed> {
    Ok(Armed { arming: reader.u64()?, armed_at: reader.micros()?, due: reader.micros()? })
}

pub(super) fn put_failure(out: &mut Vec<u8>, failure: &Failure) {
    put_text(out, &failure.code);
    put_text(out, &failure.message);
    put_option(out, failure.step.as_deref(), put_text);
}

pub(super) fn read_failure(reader: &mut Reader<'_>) -> Read<Failure> {
    Ok(Failure {
        code: reader.text()?,
        message: reader.text()?,
        step: reader.option(Reader::text)?,
    })
}

pub(super) fn put_attempts(out: &mut Vec<u8>, attempts: &[FailedAttempt]) {
    put_u64(out, attempts.len() as u64);
    for attempt in attempts {
        put_u64(out, attempt.at.0);
        put_text(out, &attempt.error);
        out.push(u8::from(attempt.sent));
    }
}

pub(super) fn read_attempts(reader: &mut Reader<'_>) -> Read<Vec<FailedAttempt>> {
    read_list(reader, |reader| {
        Ok(FailedAttempt { at: reader.micros()?, error: reader.text()?, sent: reader.bool()? })
    })
}

pub(super) fn read_list<'a, T>(
    reader: &mut Reader<'a>,
    mut read: impl FnMut(&mut Reader<'a>) -> Read<T>,
) -> Read<Vec<T>> {
    let count = reader.count()?;
    (0..count).map(|_| read(reader)).collect()
}
