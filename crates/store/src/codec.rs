//! Bytes of a record and of its rows inside a frame, format 2.
//!
//! record: length u32 (of what follows), partition u16, flags u16, body length u32, body, rows.
//! With flag 1 the body's payload stands beside the log, and its claim before what is left of it.
//! row: key length u32, value length u32 (all ones: deleted), key, value. Little endian.
//! Decoding never panics: a frame's checksum is verified before, its writer may still be wrong.

use std::sync::Arc;

use crate::embedded::claims::{self, CLAIM_BYTES, Claim};
use crate::{
    KEY_BYTES_MAX, RECORD_BYTES_MAX, Record, RowBytes, RowChange, RowKey, StoreError,
    VALUE_BYTES_MAX,
};

/// Bytes of a record besides its body and rows.
const RECORD_OVERHEAD: usize = 12;
/// Bytes of a row besides its key and value.
const ROW_OVERHEAD: usize = 8;

const DELETED: u32 = u32::MAX;

/// The payload stands beside the log.
const CLAIMED: u16 = 1;

/// Rows of a stored record, decoded one by one.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodedRows(Option<Arc<[u8]>>);

impl EncodedRows {
    /// No rows.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self((!bytes.is_empty()).then(|| Arc::from(bytes)))
    }

    /// The rows in the order in which the record changed them; `None` is a deleted row.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        rows(self.0.as_deref().unwrap_or_default())
    }

    /// The rows as changes that own their bytes.
    pub fn changes(&self) -> impl Iterator<Item = RowChange> {
        self.iter().map(|(key, value)| RowChange {
            key: RowKey::from(key),
            value: value.map(RowBytes::from),
            fresh: false,
        })
    }

    pub(crate) fn encoded_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |bytes| bytes.len())
    }
}

impl std::fmt::Debug for EncodedRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// A record inside the bytes of its frame.
pub(crate) struct RawRecord<'a> {
    pub partition: u16,
    /// What stands beside the log and is the end of the body.
    pub claim: Option<Claim>,
    pub body: &'a [u8],
    pub rows: &'a [u8],
}

/// Bytes that [`encode`] will add for these records, if each is within the limits.
pub(crate) fn check_limits(records: &[Record]) -> Result<u64, StoreError> {
    let mut bytes = 0;
    for record in records {
        let mut record_bytes = RECORD_OVERHEAD + record.body.len();
        for row in &record.rows {
            let value_bytes = row.value.as_ref().map_or(0, |value| value.len());
            within("key_bytes_max", row.key.len() as u64, KEY_BYTES_MAX as u64)?;
            within("value_bytes_max", value_bytes as u64, VALUE_BYTES_MAX as u64)?;
            record_bytes += ROW_OVERHEAD + row.key.len() + value_bytes;
        }
        within("record_bytes_max", record_bytes as u64, RECORD_BYTES_MAX as u64)?;
        bytes += record_bytes as u64;
    }
    Ok(bytes)
}

/// Refuses what is above a named limit.
pub(crate) fn within(limit: &'static str, bytes: u64, bytes_max: u64) -> Result<(), StoreError> {
    if bytes > bytes_max {
        return Err(StoreError::TooLarge { limit, bytes, bytes_max });
    }
    Ok(())
}

/// Appends a record; the caller has checked that all lengths fit in 32 bits. With a claim its
/// payload is left out.
pub(crate) fn encode(record: &Record, claim: Option<Claim>, into: &mut Vec<u8>) {
    let start = into.len();
    into.extend_from_slice(&[0; 4]);
    into.extend_from_slice(&record.partition.to_le_bytes());
    into.extend_from_slice(&(if claim.is_some() { CLAIMED } else { 0 }).to_le_bytes());
    match claim {
        None => {
            put_length(into, record.body.len());
            into.extend_from_slice(&record.body);
        }
        Some(claim) => {
            let head = &record.body[..claims::head_bytes(record)];
            put_length(into, CLAIM_BYTES + head.len());
            into.extend_from_slice(&claim.to_bytes());
            into.extend_from_slice(head);
        }
    }
    encode_rows(record.rows.iter().map(|row| (&*row.key, row.value.as_deref())), into);
    let length = (into.len() - start - 4) as u32;
    into[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

/// Appends rows in the form that [`rows`] reads.
pub(crate) fn encode_rows<'a>(
    rows: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
    into: &mut Vec<u8>,
) {
    for (key, value) in rows {
        put_length(into, key.len());
        match value {
            Some(value) => put_length(into, value.len()),
            None => into.extend_from_slice(&DELETED.to_le_bytes()),
        }
        into.extend_from_slice(key);
        into.extend_from_slice(value.unwrap_or_default());
    }
}

fn put_length(into: &mut Vec<u8>, length: usize) {
    into.extend_from_slice(&(length as u32).to_le_bytes());
}

/// Takes one record off the front of `bytes`; `None` when they are malformed.
pub(crate) fn take_record<'a>(bytes: &mut &'a [u8]) -> Option<RawRecord<'a>> {
    let length = take_u32(bytes)? as usize;
    let mut record = take(bytes, length)?;
    let partition = take_u16(&mut record)?;
    let flags = take_u16(&mut record)?;
    let body_length = take_u32(&mut record)? as usize;
    let mut body = take(&mut record, body_length)?;
    let claim = match flags {
        0 => None,
        CLAIMED => Some(Claim::from_bytes(take(&mut body, CLAIM_BYTES)?)?),
        _ => return None,
    };
    let mut rest = record;
    while !rest.is_empty() {
        take_row(&mut rest)?;
    }
    Some(RawRecord { partition, claim, body, rows: record })
}

/// Rows encoded by [`encode_rows`]; ends early where the bytes are malformed.
pub(crate) fn rows(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    std::iter::from_fn(move || take_row(&mut bytes))
}

fn take_row<'a>(bytes: &mut &'a [u8]) -> Option<(&'a [u8], Option<&'a [u8]>)> {
    let key_length = take_u32(bytes)? as usize;
    let value_length = take_u32(bytes)?;
    let key = take(bytes, key_length)?;
    if value_length == DELETED {
        return Some((key, None));
    }
    Some((key, Some(take(bytes, value_length as usize)?)))
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn take_u16(bytes: &mut &[u8]) -> Option<u16> {
    let (taken, rest) = bytes.split_first_chunk::<2>()?;
    *bytes = rest;
    Some(u16::from_le_bytes(*taken))
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    let (taken, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*taken))
}
