//! The picture as SVG, laid out from left to right: a box a node, with its state machine,
//! workflow or operations inside; topics as rounded labels; intents and calls as named arrows.
//!
//! In reading order: `layout` where boxes go, `inside` what a node holds, `draw` shapes as text.

mod draw;
mod inside;
mod layout;

use super::picture::{Edge, Picture, Topic, event};
use draw::{Canvas, Line, Stroke};
use inside::Inside;
use layout::{Gaps, Layout, Point, Size};

/// Space around everything.
const MARGIN: f64 = 24.0;
const GAPS: Gaps = Gaps { layers: 48.0, boxes: 22.0 };
/// The height of a topic's label.
const TOPIC_HEIGHT: f64 = 36.0;

/// Something that the outer layout places.
enum Item<'p> {
    Node(Inside<'p>),
    Topic(&'p Topic),
    /// The name of an arrow.
    Label(String),
}

/// The whole drawing.
pub fn render(picture: &Picture) -> String {
    let mut items: Vec<Item<'_>> =
        picture.nodes.iter().map(|node| Item::Node(Inside::of(node))).collect();
    items.extend(picture.topics.iter().map(Item::Topic));
    let mut arrows: Vec<(usize, usize, Stroke, bool)> = Vec::new();
    for edge in &picture.edges {
        add_edge(picture, edge, &mut items, &mut arrows);
    }
    let sizes: Vec<Size> = items.iter().map(size).collect();
    let ends: Vec<(usize, usize)> = arrows.iter().map(|(from, to, ..)| (*from, *to)).collect();
    let laid = layout::layout(&sizes, &ends, GAPS);
    draw(&items, &sizes, &arrows, &laid)
}

fn add_edge<'p>(
    picture: &'p Picture,
    edge: &Edge,
    items: &mut Vec<Item<'p>>,
    arrows: &mut Vec<(usize, usize, Stroke, bool)>,
) {
    let node = |name: &str| picture.nodes.iter().position(|node| node.name == name);
    let topic = |name: &str| {
        let at = picture.topics.iter().position(|topic| topic.name == name);
        at.map(|at| picture.nodes.len() + at)
    };
    let (from, to, label, stroke) = match edge {
        Edge::Hears { topic: from, node: to } => (topic(from), node(to), "", Stroke::Plain),
        Edge::Publishes { node: from, topic: to } => (node(from), topic(to), "", Stroke::Plain),
        Edge::Intent { from, to, intent } => {
            (node(from), node(to), intent.as_str(), Stroke::Strong)
        }
        Edge::Calls { from, to, what } => (node(from), node(to), what.as_str(), Stroke::Dashed),
    };
    let (Some(from), Some(to)) = (from, to) else {
        return;
    };
    if label.is_empty() {
        arrows.push((from, to, stroke, true));
        return;
    }
    let middle = items.len();
    items.push(Item::Label(label.to_owned()));
    arrows.push((from, middle, stroke, false));
    arrows.push((middle, to, stroke, true));
}

fn size(item: &Item<'_>) -> Size {
    match item {
        Item::Node(inside) => inside.size(),
        Item::Topic(topic) => {
            let widest = draw::width(&event(&topic.name)).max(draw::small_width(&producer(topic)));
            Size { width: widest + 32.0, height: TOPIC_HEIGHT }
        }
        Item::Label(label) => Size { width: draw::small_width(label) + 8.0, height: 16.0 },
    }
}

/// Who a topic belongs to, as far as its name tells.
fn producer(topic: &Topic) -> String {
    match topic.name.split('.').collect::<Vec<_>>().as_slice() {
        [_, kind, producer, _, version] => format!("{kind} · {producer} · {version}"),
        _ => String::new(),
    }
}

fn draw(
    items: &[Item<'_>],
    sizes: &[Size],
    arrows: &[(usize, usize, Stroke, bool)],
    laid: &Layout,
) -> String {
    let mut canvas = Canvas::new(Size {
        width: laid.size.width + 2.0 * MARGIN,
        height: laid.size.height + 2.0 * MARGIN,
    });
    let shifted = |point: &Point| Point { x: point.x + MARGIN, y: point.y + MARGIN };
    for ((_, _, stroke, head), line) in arrows.iter().zip(&laid.lines) {
        let points = line.iter().map(shifted).collect();
        canvas.line(&Line { points, stroke: *stroke, head: *head });
    }
    for ((item, size), centre) in items.iter().zip(sizes).zip(&laid.centres) {
        let centre = shifted(centre);
        let corner = Point { x: centre.x - size.width / 2.0, y: centre.y - size.height / 2.0 };
        match item {
            Item::Node(inside) => inside.draw(&mut canvas, corner),
            Item::Topic(topic) => draw_topic(&mut canvas, topic, corner, *size),
            Item::Label(label) => canvas.label(centre, label),
        }
    }
    canvas.finish()
}

fn draw_topic(canvas: &mut Canvas, topic: &Topic, corner: Point, size: Size) {
    let class = match (topic.is_entry, topic.is_exit) {
        (true, _) => "entry",
        (_, true) => "exit",
        _ => "topic",
    };
    canvas.open(&topic.name);
    canvas.rectangle(corner, size, size.height / 2.0, class);
    let middle = corner.x + size.width / 2.0;
    let producer = producer(topic);
    let first = if producer.is_empty() { 22.0 } else { 16.0 };
    canvas.text(Point { x: middle, y: corner.y + first }, &event(&topic.name), "name");
    canvas.text(Point { x: middle, y: corner.y + 29.0 }, &producer, "small");
    canvas.close();
}
