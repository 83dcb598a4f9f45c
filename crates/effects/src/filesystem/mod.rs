//! `filesystem`: files below the folders that the host allows, and nothing else. Writes are whole
//! or not at all, and on disk before they are answered.
//!
//! In reading order: `path` what a path may be, `roots` under which folder it lies, then the
//! operations `read`, `write` (and copy), `remove` (and move), `list`; `answer` is what they give.

mod answer;
mod list;
mod path;
mod read;
mod remove;
mod roots;
mod write;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use onex_contract::catalog::EffectKind;
use onex_expr::Value;
use onex_kernel::Id;
use onex_kernel::port::{BoxFuture, Call, CallError, Effect};

use self::roots::{Place, Roots};
use crate::{BuildError, fault};

/// `handler_type`
pub const NAME: &str = "filesystem";

/// Longest file that is read, written or copied, in bytes, unless the host says otherwise.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Most entries that a `list` answers with, unless the host says otherwise.
pub const ENTRIES_MAX: usize = 10_000;

/// The kind as plain data.
pub fn kind() -> EffectKind {
    EffectKind {
        name: NAME,
        config_schema: include_str!("config.schema.json"),
        url_fields: &[],
        path_fields: &["file_path_template", "destination_path_template"],
        verb_field: Some("operation"),
        idempotent_verbs: Some(&["read", "delete", "list"]),
        body_verbs: &[],
        response_schema: include_str!("response.schema.json"),
        has_status: false,
    }
}

/// `[effects.filesystem]`
#[derive(Clone, Debug)]
pub struct Options {
    /// The folders that may be used. A relative path of a contract lies in the first; an absolute
    /// one must lie in one of them.
    pub allow: Vec<PathBuf>,
    /// Longest file that is read, written or copied, in bytes.
    pub file_bytes_max: u64,
    /// Most entries that a `list` answers with.
    pub entries_max: usize,
}

impl Options {
    /// The default limits in one folder, which is made when it is first written to.
    pub fn with_folder(folder: impl Into<PathBuf>) -> Options {
        Options {
            allow: vec![folder.into()],
            file_bytes_max: FILE_BYTES_MAX,
            entries_max: ENTRIES_MAX,
        }
    }
}

/// The kind itself.
pub struct Filesystem {
    shared: Arc<Shared>,
}

struct Shared {
    roots: Roots,
    options: Options,
    /// Intents under way: an attempt that timed out may still be writing when the next one comes.
    busy: Mutex<HashSet<Id>>,
}

impl Filesystem {
    /// Makes the kind. Touches no disk.
    pub fn new(options: Options) -> Result<Filesystem, BuildError> {
        Ok(Filesystem {
            shared: Arc::new(Shared {
                roots: Roots::new(&options.allow)?,
                options,
                busy: Mutex::default(),
            }),
        })
    }
}

impl Effect for Filesystem {
    fn perform(&self, call: Call) -> BoxFuture<Result<Value, CallError>> {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let request = Request::read(&call.request, &shared.roots)?;
            let turn = Turn::take(Arc::clone(&shared), call.intent_id)?;
            let work = tokio::task::spawn_blocking(move || {
                let answer = request.perform(&turn.shared.options, turn.intent);
                drop(turn);
                answer
            });
            match tokio::time::timeout(Duration::from_millis(call.timeout_ms), work).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => Err(fault::io("the operation was broken off")),
                Err(_) => Err(fault::timeout(format!(
                    "the disk did not answer within {} ms",
                    call.timeout_ms
                ))),
            }
        })
    }
}

/// The right to work on one intent; given back when dropped, also by a panic.
struct Turn {
    shared: Arc<Shared>,
    intent: Id,
}

impl Turn {
    fn take(shared: Arc<Shared>, intent: Id) -> Result<Turn, CallError> {
        let mut busy = shared.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if !busy.insert(intent) {
            return Err(fault::io("an earlier attempt is still under way"));
        }
        drop(busy);
        Ok(Turn { shared, intent })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.shared.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.intent);
    }
}

enum Request {
    Read(Place),
    Write { place: Place, content: Vec<u8>, create_dirs: bool },
    Delete(Place),
    Move { from: Place, to: Place, create_dirs: bool },
    Copy { from: Place, to: Place, create_dirs: bool },
    List(Place),
}

impl Request {
    fn read(config: &Value, roots: &Roots) -> Result<Request, CallError> {
        let text = |field: &str| {
            config
                .get(field)
                .and_then(Value::as_str)
                .ok_or_else(|| fault::bad_request(format!("{field} is not text")))
        };
        let place = roots.place(text("file_path_template")?)?;
        let destination = || roots.place(text("destination_path_template")?)?.into_file();
        let create_dirs = match config.get("create_dirs") {
            None => true,
            Some(value) => value
                .as_bool()
                .ok_or_else(|| fault::bad_request("create_dirs is neither true nor false"))?,
        };
        Ok(match text("operation")? {
            "read" => Request::Read(place.into_file()?),
            "write" => Request::Write {
                place: place.into_file()?,
                content: write::content(config.get("content"))?,
                create_dirs,
            },
            "delete" => Request::Delete(place.into_file()?),
            "move" => Request::Move { from: place.into_file()?, to: destination()?, create_dirs },
            "copy" => Request::Copy { from: place.into_file()?, to: destination()?, create_dirs },
            "list" => Request::List(place),
            _ => {
                return Err(fault::bad_request(
                    "operation is none of read, write, delete, move, copy, list",
                ));
            }
        })
    }

    fn perform(self, options: &Options, intent: Id) -> Result<Value, CallError> {
        let bytes_max = options.file_bytes_max;
        match self {
            Request::Read(place) => read::read(&place, bytes_max),
            Request::Write { place, content, create_dirs } => {
                write::write(&place, &content, bytes_max, create_dirs, intent)
            }
            Request::Delete(place) => remove::delete(&place),
            Request::Move { from, to, create_dirs } => remove::rename(&from, &to, create_dirs),
            Request::Copy { from, to, create_dirs } => {
                write::copy(&from, &to, bytes_max, create_dirs, intent)
            }
            Request::List(place) => list::list(&place, options.entries_max),
        }
    }
}

#[cfg(test)]
mod tests;
