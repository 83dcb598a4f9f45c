//! `list`: what lies in a folder, by name.

use std::io;

use cap_std::fs::DirEntry;
use onex_expr::Value;
use onex_kernel::port::CallError;

use super::answer::{Answer, count, modified_at};
use super::path::RESERVED_PREFIX;
use super::roots::Place;
use crate::fault;

pub(super) fn list(place: &Place, entries_max: usize) -> Result<Value, CallError> {
    let doing = |error: io::Error| place.fault("listing", &error);
    let folder = place.open_self().map_err(doing)?;
    let mut found = Vec::new();
    for entry in folder.entries().map_err(doing)? {
        let entry = entry.map_err(doing)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(RESERVED_PREFIX) {
            continue;
        }
        if found.len() == entries_max {
            return Err(fault::too_large(format!(
                "{} has more than {entries_max} entries",
                super::path::shown(&place.path())
            )));
        }
        found.extend(describe(&entry, name).map_err(doing)?);
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let metadata = folder.dir_metadata().map_err(doing)?;
    Ok(Answer {
        path: place.path(),
        bytes: found.iter().map(|(_, bytes, _)| bytes).sum(),
        modified_at: Some(modified_at(&metadata)),
        entries: Some(found.into_iter().map(|(_, _, entry)| entry).collect()),
        ..Answer::default()
    }
    .into_value())
}

/// Name, bytes and the entry; nothing for one that is gone since.
fn describe(entry: &DirEntry, name: String) -> io::Result<Option<(String, u64, Value)>> {
    let metadata = match entry.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let kind = metadata.file_type();
    let (kind, bytes) = if kind.is_file() {
        ("file", metadata.len())
    } else if kind.is_dir() {
        ("folder", 0)
    } else if kind.is_symlink() {
        ("link", 0)
    } else {
        ("other", 0)
    };
    let value = Value::map([
        ("name", Value::text(name.as_str())),
        ("kind", Value::text(kind)),
        ("bytes", count(bytes)),
        ("modified_at", modified_at(&metadata)),
    ]);
    Ok(Some((name, bytes, value)))
}
