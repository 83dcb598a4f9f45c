//! `read`: a whole file, as text where it is UTF-8, else as base64.

use std::io::{self, Read};

use cap_std::fs::{Dir, File, OpenOptions, OpenOptionsExt};
use onex_expr::Value;
use onex_kernel::port::CallError;

use super::answer::{Answer, modified_at};
use super::roots::Place;
use crate::fault;

pub(super) fn read(place: &Place, bytes_max: u64) -> Result<Value, CallError> {
    let doing = |error: io::Error| place.fault("reading", &error);
    let folder = place.open_folder().map_err(doing)?;
    let file = open(&folder, place.name()).map_err(doing)?;
    let metadata = file.metadata().map_err(doing)?;
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(doing)?;
    if bytes.len() as u64 > bytes_max {
        return Err(too_large(place, bytes_max));
    }
    let length = bytes.len() as u64;
    let body = match String::from_utf8(bytes) {
        Ok(text) => (Value::text(text), "utf-8"),
        Err(error) => (crate::base64(error.into_bytes()), "base64"),
    };
    Ok(Answer {
        path: place.path(),
        bytes: length,
        modified_at: Some(modified_at(&metadata)),
        body: Some(body),
        ..Answer::default()
    }
    .into_value())
}

/// Opens a regular file. Without waiting: a pipe without a writer would never open.
pub(super) fn open(folder: &Dir, name: &str) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags.bits().cast_signed());
    let file = folder.open_with(name, &options)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "not a regular file"));
    }
    Ok(file)
}

pub(super) fn too_large(place: &Place, bytes_max: u64) -> CallError {
    fault::too_large(format!("{} is over {bytes_max} bytes", super::path::shown(&place.path())))
}
