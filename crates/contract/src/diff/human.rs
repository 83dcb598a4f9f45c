//! A diff for people: a block a change, the gravest first, then one line of counts.

use std::fmt::Write as _;

use super::{Change, Diff, Place, Verdict};

/// The diff as text; `colour` for a terminal.
pub fn render(diff: &Diff, colour: bool) -> String {
    let mut out = String::new();
    for change in &diff.changes {
        block(&mut out, change, colour);
    }
    out.push_str(&summary(diff));
    out.push('\n');
    out
}

/// One line: how many changes ask for what.
pub fn summary(diff: &Diff) -> String {
    let counts = Verdict::ALL.map(|verdict| (diff.count(verdict), verdict));
    let told: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, verdict)| format!("{count} {}", verdict.words()))
        .collect();
    match (diff.changes.len(), told.is_empty()) {
        (_, true) => "no change".to_owned(),
        (1, _) => format!("1 change: {}", told.join(", ")),
        (count, _) => format!("{count} changes: {}", told.join(", ")),
    }
}

// Writing to a String cannot fail.
fn block(out: &mut String, change: &Change, colour: bool) {
    let verdict = change.verdict.words();
    let (begin, end) = if colour { (paint(change.verdict), "\u{1b}[0m") } else { ("", "") };
    let place = match change.path.as_str() {
        "" => change.contract.clone(),
        path => format!("{}: {path}", change.contract),
    };
    let _ = writeln!(out, "{begin}{verdict}{end}  {place} {}", change.what.word());
    let _ = writeln!(out, "    {}", change.reason);
    if let Some(alive) = change.alive {
        let _ = writeln!(out, "    alive now: {alive}");
    }
    for (side, place) in [("old", &change.old), ("new", &change.new)] {
        if let Some(Place { file, line, column }) = place {
            let _ = writeln!(out, "    {side} {file}:{line}:{column}");
        }
    }
    out.push('\n');
}

fn paint(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Breaking => "\u{1b}[1;31m",
        Verdict::NeedsMigration => "\u{1b}[1;35m",
        Verdict::NeedsDrain => "\u{1b}[1;33m",
        Verdict::Compatible => "\u{1b}[32m",
    }
}
