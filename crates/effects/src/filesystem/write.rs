//! `write` and `copy`: beside the target, synced, then renamed over it, then the folder synced. A
//! reader sees the old file or the new one, and so does the next start after a power cut.

use std::io::{self, Read, Write};

use cap_std::fs::{Dir, File, Metadata, OpenOptions};
use onex_expr::{Value, json};
use onex_kernel::Id;
use onex_kernel::port::CallError;

use super::answer::{Answer, modified_at};
use super::path::RESERVED_PREFIX;
use super::read::{open, too_large};
use super::roots::{Place, sync};
use crate::fault;

/// Text as it is, anything else as JSON.
pub(super) fn content(value: Option<&Value>) -> Result<Vec<u8>, CallError> {
    match value {
        None | Some(Value::Null) => Err(fault::bad_request("content is missing or null")),
        Some(Value::String(text)) => Ok(text.as_bytes().to_vec()),
        Some(data) => {
            let mut bytes = Vec::new();
            json::write(data, &mut bytes);
            Ok(bytes)
        }
    }
}

pub(super) fn write(
    place: &Place,
    content: &[u8],
    bytes_max: u64,
    create_dirs: bool,
    intent: Id,
) -> Result<Value, CallError> {
    if content.len() as u64 > bytes_max {
        return Err(fault::bad_request(format!("content is over {bytes_max} bytes")));
    }
    let doing = |error: io::Error| place.fault("writing", &error);
    let folder = folder(place, create_dirs).map_err(doing)?;
    let metadata =
        replace(&folder, place.name(), intent, |file| file.write_all(content)).map_err(doing)?;
    Ok(done(place, &metadata))
}

pub(super) fn copy(
    from: &Place,
    to: &Place,
    bytes_max: u64,
    create_dirs: bool,
    intent: Id,
) -> Result<Value, CallError> {
    let reading = |error: io::Error| from.fault("copying", &error);
    let source = from.open_folder().map_err(reading)?;
    let source = open(&source, from.name()).map_err(reading)?;
    if source.metadata().map_err(reading)?.len() > bytes_max {
        return Err(too_large(from, bytes_max));
    }
    let writing = |error: io::Error| to.fault("copying to", &error);
    let folder = folder(to, create_dirs).map_err(writing)?;
    let metadata = replace(&folder, to.name(), intent, |file| {
        io::copy(&mut source.take(bytes_max), file).map(drop)
    })
    .map_err(writing)?;
    Ok(done(to, &metadata))
}

/// The folder that will hold the file.
pub(super) fn folder(place: &Place, create_dirs: bool) -> io::Result<Dir> {
    if create_dirs { place.make_folder() } else { place.open_folder() }
}

fn replace(
    folder: &Dir,
    name: &str,
    intent: Id,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<Metadata> {
    // One name per intent: what a crash leaves behind is taken over by the next attempt.
    let beside = format!("{RESERVED_PREFIX}{intent}");
    remove_if_there(folder, &beside)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let mut file = folder.open_with(&beside, &options)?;
    let moved = fill(&mut file)
        .and_then(|()| file.sync_all())
        .and_then(|()| folder.rename(&beside, folder, name));
    if let Err(error) = moved {
        // The first error is the one to tell; what stays behind is taken over as above.
        let _ = folder.remove_file(&beside);
        return Err(error);
    }
    sync(folder)?;
    file.metadata()
}

/// Removes a file; one that is not there is as good as removed. Tells whether it was there.
pub(super) fn remove_if_there(folder: &Dir, name: &str) -> io::Result<bool> {
    match folder.remove_file(name) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) fn done(place: &Place, metadata: &Metadata) -> Value {
    Answer {
        path: place.path(),
        bytes: metadata.len(),
        modified_at: Some(modified_at(metadata)),
        ..Answer::default()
    }
    .into_value()
}
