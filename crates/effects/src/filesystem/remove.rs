//! `delete` and `move`: what is gone stays gone after a power cut.

use std::io;

use onex_expr::Value;
use onex_kernel::port::CallError;

use super::answer::Answer;
use super::roots::{Place, sync};
use super::write::{done, folder, remove_if_there};

/// A file that is not there is deleted already: the second attempt answers as the first did.
pub(super) fn delete(place: &Place) -> Result<Value, CallError> {
    let removed =
        place.open_folder().and_then(|folder| match remove_if_there(&folder, place.name())? {
            true => sync(&folder),
            false => Ok(()),
        });
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(place.fault("deleting", &error))
        }
        _ => Ok(Answer { path: place.path(), ..Answer::default() }.into_value()),
    }
}

/// Replaces what is at the destination.
pub(super) fn rename(from: &Place, to: &Place, create_dirs: bool) -> Result<Value, CallError> {
    let reading = |error: io::Error| from.fault("moving", &error);
    let source = from.open_folder().map_err(reading)?;
    let metadata = source.symlink_metadata(from.name()).map_err(reading)?;
    if metadata.is_dir() {
        return Err(reading(io::ErrorKind::IsADirectory.into()));
    }
    let target = folder(to, create_dirs).map_err(|error| to.fault("moving to", &error))?;
    source
        .rename(from.name(), &target, to.name())
        .and_then(|()| sync(&target))
        .and_then(|()| sync(&source))
        .map_err(reading)?;
    Ok(done(to, &metadata))
}
