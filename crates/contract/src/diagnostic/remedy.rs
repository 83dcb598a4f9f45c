//! What to do about a finding whose rule had nothing more precise to say.

use super::code;

/// The remedy of a code; every code has one.
pub(crate) fn of(number: &str) -> String {
    let precise = match number {
        code::UNREADABLE_FILE => "mend the file or the link, or take it out of the folder",
        code::WRONG_TYPE => "write a value of that type; quote a text that would be read otherwise",
        code::BAD_VALUE => "choose one of the values that are allowed here",
        code::BAD_TIMEOUT => "write milliseconds, such as `timeout_ms: 60000`, or `\"${...}\"`",
        code::UNKNOWN_STATE => "declare it under `states`, or correct the name",
        code::WRONG_NODE => "name a node of that kind, or use the key for the kind it has",
        code::PAYLOAD_MISFIT => {
            "add or correct the field in the payload, or change the schema that it must satisfy"
        }
        code::IO_CONFIG_MISFIT => "correct the field as the message says",
        code::EXPRESSION_SYNTAX => {
            "correct the expression; in a flow mapping (`{...}`) put quotes around it"
        }
        code::NO_OVERLOAD => "convert one side, with `int()`, `double()` or `string()`",
        code::EXPRESSION_TOO_LARGE => "divide it: let an earlier step or `set` work out a part",
        code::BAD_EXPRESSION => "correct the part that is marked",
        code::WRONG_RESULT => "let the expression yield that type, for example by a comparison",
        _ => return format!("`onex explain {number}` shows an example and what to write instead"),
    };
    precise.to_owned()
}
