//! The ledger and the file that it is rebuilt from: one JSON line a request, written before the
//! answer. A kill of the process loses nothing that was answered; a power cut may.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::ledger::{Answer, Ledger, Request, Service};

/// A ledger that survives the process.
pub(crate) struct Journal {
    ledger: Ledger,
    file: Option<File>,
}

impl Journal {
    /// Forgets everything at the end.
    pub(crate) fn in_memory() -> Journal {
        Journal { ledger: Ledger::default(), file: None }
    }

    /// Replays the file, makes it when it is missing, and cuts a line that a kill left unfinished.
    pub(crate) fn open(path: &Path) -> io::Result<Journal> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut ledger = Ledger::default();
        for (index, line) in text[..whole].lines().enumerate() {
            let request = decode(line).ok_or_else(|| {
                let place = format!("{} line {}: no request", path.display(), index + 1);
                io::Error::new(io::ErrorKind::InvalidData, place)
            })?;
            ledger.apply(&request);
        }
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Journal { ledger, file: Some(file) })
    }

    /// Writes the request down, then does it.
    pub(crate) fn apply(&mut self, request: &Request) -> io::Result<Answer> {
        if let Some(file) = &mut self.file {
            file.write_all(format!("{}\n", encode(request)).as_bytes())?;
        }
        Ok(self.ledger.apply(request))
    }

    /// What was done so far.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}

fn encode(request: &Request) -> Value {
    match request {
        Request::Create { service, key, body } => {
            json!({"create": service.name(), "key": key, "body": body})
        }
        Request::Undo { service, id } => json!({"undo": service.name(), "id": id}),
    }
}

fn decode(line: &str) -> Option<Request> {
    let mut line: Value = serde_json::from_str(line).ok()?;
    let text = |field: &str| line[field].as_str().map(str::to_owned);
    let service = |name: &str| Service::ALL.into_iter().find(|s| s.name() == name);
    if let Some(name) = text("create") {
        Some(Request::Create {
            service: service(&name)?,
            key: text("key")?,
            body: line["body"].take(),
        })
    } else {
        Some(Request::Undo { service: service(&text("undo")?)?, id: text("id")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charge(key: &str) -> Request {
        Request::Create {
            service: Service::Payment,
            key: key.to_owned(),
            body: json!({"order_id": "o", "amount": 5}),
        }
    }

    #[test]
    fn what_was_answered_is_known_after_a_kill_and_an_unfinished_line_is_cut() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("deep/journal.jsonl");
        let mut journal = Journal::open(&path).expect("a new journal");
        journal.apply(&charge("a")).expect("writable");
        journal.apply(&charge("a")).expect("writable");
        let undo = Request::Undo { service: Service::Payment, id: "ch_a".to_owned() };
        journal.apply(&undo).expect("writable");
        let before = journal.ledger().to_json();
        drop(journal);
        let mut file = OpenOptions::new().append(true).open(&path).expect("there");
        file.write_all(b"{\"create\":\"pay").expect("writable");
        for _ in 0..2 {
            let journal = Journal::open(&path).expect("a journal with half a line");
            assert_eq!(journal.ledger().to_json(), before);
        }
    }

    #[test]
    fn a_whole_line_that_is_no_request_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal.jsonl");
        std::fs::write(&path, "{\"create\":\"gold\",\"key\":\"k\"}\n").expect("writable");
        assert!(Journal::open(&path).is_err());
    }
}
