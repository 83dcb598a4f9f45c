//! `onex tail --chain`: causes and effects as a tree.

use onex_expr::{Value, json};

use crate::cli::Output;
use crate::client::Client;
use crate::fault::Fault;
use crate::print;
use crate::shape::time;
use crate::verb::list::cell;

/// Characters of a payload that a line shows.
const PAYLOAD_MAX: usize = 80;

/// Prints a chain: for programs a record a line, for people a tree.
pub async fn tell(
    client: &Client,
    id: &str,
    from: Option<&String>,
    output: Output,
) -> Result<(), Fault> {
    let ask = client.get("/v1/log").with("chain", Some(id)).with("from", from);
    let chain = ask.json().await?;
    let links = chain.get("items").and_then(Value::as_list).unwrap_or_default();
    for link in links {
        if output.is_json() {
            print::value(link)?;
        } else {
            print::line(line(link, links))?;
        }
    }
    for note in notes(&chain) {
        print::note(note);
    }
    Ok(())
}

fn line(link: &Value, links: &[Value]) -> String {
    let depth = link.get("depth").and_then(Value::as_int).unwrap_or(0);
    let mark = if link.get("place") == Some(&Value::text("itself")) { '>' } else { ' ' };
    let cause = links.iter().find(|other| {
        other.get("offset").is_some() && other.get("offset") == link.get("cause_offset")
    });
    let when = match cause {
        Some(cause) => after(cause, link),
        None => cell(link, "time"),
    };
    let indent = "  ".repeat(usize::try_from(depth).unwrap_or(0));
    format!(
        "{mark}{:>8}  {when:>27}  {indent}{} {}",
        cell(link, "offset"),
        cell(link, "category"),
        what(link)
    )
}

/// How long after its cause a record was applied.
fn after(cause: &Value, link: &Value) -> String {
    let at = |link: &Value| link.get("time").and_then(Value::as_str).and_then(time::read);
    let (Some(before), Some(then)) = (at(cause), at(link)) else {
        return "-".to_owned();
    };
    let micros = then.0.saturating_sub(before.0);
    format!("+{}.{:06} s", micros / 1_000_000, micros % 1_000_000)
}

/// Where it went, to whom it belongs, and the beginning of what it says.
fn what(link: &Value) -> String {
    let mut parts = Vec::new();
    for (field, before) in [("topic", ""), ("node", "by "), ("key", "key ")] {
        if let Some(text) = link.get(field).and_then(Value::as_str) {
            parts.push(format!("{before}{text}"));
        }
    }
    let payload = link.get("payload").filter(|payload| !payload.is_null());
    parts.extend(payload.map(|payload| {
        let text = json::to_string(payload);
        match text.char_indices().nth(PAYLOAD_MAX) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text,
        }
    }));
    parts.join("  ")
}

/// What is missing of the chain.
fn notes(chain: &Value) -> Vec<String> {
    let searched = |name: &str| chain.get_path(["searched", name]).and_then(Value::as_int);
    let (from, to, oldest) = (searched("from"), searched("to"), searched("oldest"));
    let mut notes = Vec::new();
    if chain.get("cut") == Some(&Value::Bool(true)) {
        notes.push("there is more than what is shown".to_owned());
    }
    if chain.get("cause_missing") == Some(&Value::Bool(true)) {
        notes.push(match (from, oldest) {
            (Some(from), Some(oldest)) if from > oldest => {
                format!(
                    "its cause lies before {from}, where the search began: --from says otherwise"
                )
            }
            _ => format!("its cause is not retained before {}", oldest.unwrap_or(0)),
        });
    } else if let (Some(from), Some(to), Some(oldest)) = (from, to, oldest)
        && from > oldest
    {
        notes.push(format!("looked for from {from} to {to}; the log begins at {oldest}"));
    }
    notes
}
