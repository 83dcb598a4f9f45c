//! Rows as bytes and back.

mod backlog;
mod entity;
mod intent;
mod letter;
mod message;
mod parts;
mod retained;
mod run;
mod schedule;
mod window;
mod word;

use alloc::vec::Vec;

use super::wire::Reader;
use super::{Corrupt, FORMAT};

pub(crate) use backlog::{
    Backlog, backlog_intent, backlog_message, backlog_run, backlog_tell, backlog_trigger,
    read_backlog,
};
pub use backlog::{Waits, read_waits};
pub use entity::{entity, read_entity};
pub use intent::{intent, read_intent};
pub use letter::{count, letter, read_count, read_letter};
pub(crate) use retained::{read_retained, retained};
pub use run::{
    Ended, event, id_row, item, read_event, read_id_row, read_item, read_run, read_step, run, step,
};
pub(crate) use run::{listener, read_listener};
pub use schedule::{read_schedule, schedule};
pub use window::{read_window, window};

type Read<T> = Result<T, Corrupt>;

fn begin() -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.push(FORMAT);
    out
}

fn open<'a>(bytes: &'a [u8], what: &'static str) -> Read<Reader<'a>> {
    let mut reader = Reader::new(bytes, what);
    reader.format()?;
    Ok(reader)
}

#[cfg(test)]
mod tests {
    use super::*;
    use onex_expr::Value;
    use onex_kernel::Id;
    use onex_kernel::row::{Failure, ItemRow, StepStatus};

    #[test]
    fn rows_cut_anywhere_are_corrupt_and_never_a_panic() {
        let row = item(&ItemRow {
            status: StepStatus::Failed,
            input: Value::map([("a", Value::Int(-3)), ("b", Value::Double(0.5))]),
            output: Value::list(alloc::vec![Value::Null, Value::Bool(true), Value::text("ü")]),
            error: Some(Failure { code: "c".into(), message: "m".into(), step: None }),
            intent_id: Some(Id([9; 16])),
            unknown: true,
            end_order: 300,
        });
        assert_eq!(item(&read_item(&row).expect("it was just written")), row);
        for end in 0..row.len() {
            assert!(read_item(&row[..end]).is_err());
        }
    }
}
