//! The picture as one Mermaid flowchart: a subgraph a node that has something inside.

use std::fmt::Write as _;

use super::picture::{Edge, Node, Part, Picture, event, word};

/// The flowchart.
pub fn render(picture: &Picture) -> String {
    let mut out = String::from("flowchart LR\n");
    for (index, node) in picture.nodes.iter().enumerate() {
        draw_node(&mut out, index, node);
    }
    for (index, topic) in picture.topics.iter().enumerate() {
        let class = match (topic.is_entry, topic.is_exit) {
            (true, _) => "entry",
            (_, true) => "exit",
            _ => "topic",
        };
        line(
            &mut out,
            1,
            &format!("t{index}([{}]):::{class}", quoted(&escaped(&event(&topic.name)))),
        );
    }
    for edge in &picture.edges {
        if let Some(text) = draw_edge(picture, edge) {
            line(&mut out, 1, &text);
        }
    }
    for (class, style) in STYLES {
        line(&mut out, 1, &format!("classDef {class} {style}"));
    }
    out
}

/// How each class looks.
const STYLES: [(&str, &str); 9] = [
    ("effect", "fill:#fde8d7,stroke:#c2570c,color:#1c1917"),
    ("compute", "fill:#e3f4e1,stroke:#3f7d35,color:#1c1917"),
    ("reducer", "fill:#e1ecfb,stroke:#2563a8,color:#1c1917"),
    ("orchestrator", "fill:#efe6fb,stroke:#7a3fb5,color:#1c1917"),
    ("part", "fill:#ffffff,stroke:#78716c,color:#1c1917"),
    ("last", "fill:#e7e5e4,stroke:#57534e,color:#1c1917"),
    ("topic", "fill:#f5f5f4,stroke:#a8a29e,color:#1c1917"),
    ("entry", "fill:#fef9c3,stroke:#a16207,color:#1c1917"),
    ("exit", "fill:#f5f5f4,stroke:#a8a29e,color:#1c1917,stroke-dasharray:4"),
];

fn draw_node(out: &mut String, index: usize, node: &Node) {
    let kind = word(node.kind);
    if node.ways.is_empty() && node.parts.len() < 2 {
        let label = quoted(&format!("{}<br/>{kind}", escaped(&node.name)));
        line(out, 1, &format!("n{index}[{label}]:::{kind}"));
        return;
    }
    line(
        out,
        1,
        &format!("subgraph n{index}[{}]", quoted(&format!("{} ({kind})", escaped(&node.name)))),
    );
    line(out, 2, "direction LR");
    for (at, part) in node.parts.iter().enumerate() {
        line(out, 2, &draw_part(index, at, part));
    }
    for way in &node.ways {
        let (from, to) = (way.from, way.to);
        let label = match way.label.as_str() {
            "" => String::new(),
            label => format!("|{}|", quoted(&escaped(label))),
        };
        line(out, 2, &format!("n{index}p{from} -->{label} n{index}p{to}"));
    }
    line(out, 1, "end");
    line(out, 1, &format!("class n{index} {kind}"));
}

fn draw_part(node: usize, index: usize, part: &Part) -> String {
    let label = match part.note.as_str() {
        "" => quoted(&escaped(&part.name)),
        note => quoted(&format!("{}<br/><small>{}</small>", escaped(&part.name), escaped(note))),
    };
    let class = if part.is_last { "last" } else { "part" };
    match part.is_first {
        true => format!("n{node}p{index}([{label}]):::{class}"),
        false => format!("n{node}p{index}[{label}]:::{class}"),
    }
}

fn draw_edge(picture: &Picture, edge: &Edge) -> Option<String> {
    let node = |name: &str| {
        let at = picture.nodes.iter().position(|node| node.name == name)?;
        Some(format!("n{at}"))
    };
    let topic = |name: &str| {
        let at = picture.topics.iter().position(|topic| topic.name == name)?;
        Some(format!("t{at}"))
    };
    Some(match edge {
        Edge::Hears { topic: from, node: to } => format!("{} --> {}", topic(from)?, node(to)?),
        Edge::Publishes { node: from, topic: to } => format!("{} --> {}", node(from)?, topic(to)?),
        Edge::Intent { from, to, intent } => {
            format!("{} ==>|{}| {}", node(from)?, quoted(&escaped(intent)), node(to)?)
        }
        Edge::Calls { from, to, what } => match what.as_str() {
            "" => format!("{} -.-> {}", node(from)?, node(to)?),
            what => format!("{} -.->|{}| {}", node(from)?, quoted(&escaped(what)), node(to)?),
        },
    })
}

fn line(out: &mut String, indent: usize, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}{text}", "  ".repeat(indent));
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// Text that Mermaid would take for its own signs, as it wants them written.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
