//! The picture for Graphviz: a cluster a node that has something inside.

use std::fmt::Write as _;

use super::picture::{Edge, Node, Picture, event, word};

/// The graph.
pub fn render(picture: &Picture) -> String {
    let mut out = String::from("digraph onex {\n");
    line(&mut out, 1, "rankdir=LR; compound=true; fontname=\"Helvetica\"");
    line(
        &mut out,
        1,
        "node [fontname=\"Helvetica\", fontsize=11, shape=box, style=\"rounded,filled\"]",
    );
    line(&mut out, 1, "edge [fontname=\"Helvetica\", fontsize=9, color=\"#57534e\"]");
    for (index, node) in picture.nodes.iter().enumerate() {
        draw_node(&mut out, index, node);
    }
    for topic in &picture.topics {
        let fill = if topic.is_entry { "#fef9c3" } else { "#f5f5f4" };
        let style = if topic.is_exit { "filled,dashed" } else { "filled" };
        let (id, label) = (text(&topic.name), text(&event(&topic.name)));
        let attributes =
            format!("shape=oval, label={label}, fillcolor=\"{fill}\", style=\"{style}\"");
        line(&mut out, 1, &format!("{id} [{attributes}, tooltip={id}]"));
    }
    for edge in &picture.edges {
        draw_edge(&mut out, picture, edge);
    }
    out.push_str("}\n");
    out
}

fn fill(node: &Node) -> &'static str {
    match word(node.kind) {
        "effect" => "#fde8d7",
        "compute" => "#e3f4e1",
        "reducer" => "#e1ecfb",
        _ => "#efe6fb",
    }
}

fn is_cluster(node: &Node) -> bool {
    !node.ways.is_empty() || node.parts.len() > 1
}

fn draw_node(out: &mut String, index: usize, node: &Node) {
    let label = text(&format!("{}\n{}", node.name, word(node.kind)));
    if !is_cluster(node) {
        let id = text(&node.name);
        line(out, 1, &format!("{id} [label={label}, fillcolor=\"{}\"]", fill(node)));
        return;
    }
    line(out, 1, &format!("subgraph cluster_{index} {{"));
    line(out, 2, &format!("label={label}; style=\"rounded,filled\"; fillcolor=\"{}\"", fill(node)));
    for part in &node.parts {
        let label = match part.note.as_str() {
            "" => text(&part.name),
            note => text(&format!("{}\n{note}", part.name)),
        };
        let fill = if part.is_last { "#e7e5e4" } else { "#ffffff" };
        let line_width = if part.is_first { 2 } else { 1 };
        let id = text(&inner(node, &part.name));
        let attributes = format!("label={label}, fillcolor=\"{fill}\", penwidth={line_width}");
        line(out, 2, &format!("{id} [{attributes}]"));
    }
    for way in &node.ways {
        let from = text(&inner(node, &node.parts[way.from].name));
        let to = text(&inner(node, &node.parts[way.to].name));
        line(out, 2, &format!("{from} -> {to} [label={}]", text(&way.label)));
    }
    line(out, 1, "}");
}

/// The id of a part: parts of different nodes may have one name.
fn inner(node: &Node, part: &str) -> String {
    format!("{}/{part}", node.name)
}

fn draw_edge(out: &mut String, picture: &Picture, edge: &Edge) {
    let (from, to, attributes) = match edge {
        Edge::Hears { topic, node } => (topic, node, String::new()),
        Edge::Publishes { node, topic } => (node, topic, String::new()),
        Edge::Intent { from, to, intent } => {
            (from, to, format!("label={}, penwidth=2", text(intent)))
        }
        Edge::Calls { from, to, what } => (from, to, format!("label={}, style=dashed", text(what))),
    };
    let (from, tail) = end(picture, from, "ltail");
    let (to, head) = end(picture, to, "lhead");
    let all: Vec<String> = [attributes, tail, head].into_iter().filter(|a| !a.is_empty()).collect();
    line(out, 1, &format!("{from} -> {to} [{}]", all.join(", ")));
}

/// An edge to a cluster goes to one of its parts and is cut at its border.
fn end(picture: &Picture, name: &str, attribute: &str) -> (String, String) {
    let found = picture.nodes.iter().enumerate().find(|(_, node)| node.name == name);
    match found {
        Some((index, node)) if is_cluster(node) => {
            let part = node.parts.first().map_or("", |part| part.name.as_str());
            (text(&inner(node, part)), format!("{attribute}=cluster_{index}"))
        }
        _ => (text(name), String::new()),
    }
}

fn line(out: &mut String, indent: usize, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}{text}", "  ".repeat(indent));
}

/// Text in quotes.
fn text(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{text}\"")
}
