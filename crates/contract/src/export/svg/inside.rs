//! What a node holds: its states or steps with their ways, or a list of operations.

use super::draw::{self, Canvas, Line, Stroke};
use super::layout::{self, Gaps, Layout, Point, Size};
use crate::export::picture::{Node, Part, word};

const PAD: f64 = 14.0;
/// The height of the title.
const HEAD: f64 = 40.0;
/// The height of a line of a list.
const ROW: f64 = 17.0;
const GAPS: Gaps = Gaps { layers: 26.0, boxes: 12.0 };

/// A node with its inside laid out.
pub(super) struct Inside<'p> {
    node: &'p Node,
    /// Sizes of parts, then of the names of ways.
    sizes: Vec<Size>,
    arrows: Vec<(usize, usize, bool)>,
    labels: Vec<&'p str>,
    laid: Option<Layout>,
}

impl<'p> Inside<'p> {
    pub(super) fn of(node: &'p Node) -> Inside<'p> {
        let mut inside =
            Inside { node, sizes: Vec::new(), arrows: Vec::new(), labels: Vec::new(), laid: None };
        if node.ways.is_empty() {
            return inside;
        }
        inside.sizes =
            node.parts.iter().enumerate().map(|(at, part)| part_size(node, at, part)).collect();
        for way in node.ways.iter().filter(|way| way.from != way.to) {
            if way.label.is_empty() {
                inside.arrows.push((way.from, way.to, true));
                continue;
            }
            let middle = inside.sizes.len();
            let width = draw::small_width(&way.label) + 6.0;
            inside.sizes.push(Size { width, height: 14.0 });
            inside.labels.push(&way.label);
            inside.arrows.push((way.from, middle, false));
            inside.arrows.push((middle, way.to, true));
        }
        let ends: Vec<(usize, usize)> = inside.arrows.iter().map(|(a, b, _)| (*a, *b)).collect();
        inside.laid = Some(layout::layout(&inside.sizes, &ends, GAPS));
        inside
    }

    pub(super) fn size(&self) -> Size {
        let title = (self.node.name.chars().count() as f64) * 8.6;
        let title = title.max(draw::small_width(word(self.node.kind)));
        let (width, height) = match &self.laid {
            Some(laid) => (laid.size.width, laid.size.height),
            None => {
                let rows = self.node.parts.iter().map(|part| draw::small_width(&row(part)));
                let count = self.node.parts.len() as f64;
                (rows.fold(0.0, f64::max), count * ROW - 4.0)
            }
        };
        Size { width: width.max(title) + 2.0 * PAD, height: HEAD + height.max(0.0) + PAD }
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, corner: Point) {
        let size = self.size();
        let kind = word(self.node.kind);
        let description = match self.node.description.as_str() {
            "" => self.node.name.clone(),
            text => format!("{}: {text}", self.node.name),
        };
        canvas.open(&description);
        canvas.rectangle(corner, size, 8.0, kind);
        let middle = corner.x + size.width / 2.0;
        canvas.text(Point { x: middle, y: corner.y + 19.0 }, &self.node.name, "title");
        canvas.text(Point { x: middle, y: corner.y + 32.0 }, kind, "small");
        match &self.laid {
            Some(laid) => {
                let free = size.width - 2.0 * PAD - laid.size.width;
                let x = corner.x + PAD + free / 2.0;
                self.draw_parts(canvas, laid, Point { x, y: corner.y + HEAD });
            }
            None => {
                for (at, part) in self.node.parts.iter().enumerate() {
                    let y = corner.y + HEAD + 10.0 + at as f64 * ROW;
                    canvas.text(Point { x: middle, y }, &row(part), "small");
                }
            }
        }
        canvas.close();
    }

    fn draw_parts(&self, canvas: &mut Canvas, laid: &Layout, origin: Point) {
        let shifted = |point: &Point| Point { x: point.x + origin.x, y: point.y + origin.y };
        for ((_, _, head), line) in self.arrows.iter().zip(&laid.lines) {
            let points = line.iter().map(shifted).collect();
            canvas.line(&Line { points, stroke: Stroke::Plain, head: *head });
        }
        let count = self.node.parts.len();
        for (at, (size, centre)) in self.sizes.iter().zip(&laid.centres).enumerate() {
            let centre = shifted(centre);
            match self.node.parts.get(at) {
                Some(part) => {
                    let notes = notes(self.node, at, part);
                    draw_part(canvas, part, &notes, centre, *size);
                }
                None => canvas.label(centre, self.labels[at - count]),
            }
        }
    }
}

/// A part of a list on one line.
fn row(part: &Part) -> String {
    match part.note.as_str() {
        "" => part.name.clone(),
        note => format!("{} · {note}", part.name),
    }
}

/// What stands below a part's name: what it does, and ways that lead back to it.
fn notes(node: &Node, index: usize, part: &Part) -> Vec<String> {
    let mut notes: Vec<String> =
        Some(part.note.clone()).filter(|n| !n.is_empty()).into_iter().collect();
    let loops = node.ways.iter().filter(|way| way.from == index && way.to == index);
    notes.extend(loops.map(|way| format!("again on {}", way.label)));
    notes
}

fn part_size(node: &Node, index: usize, part: &Part) -> Size {
    let notes = notes(node, index, part);
    let widest =
        notes.iter().map(|note| draw::small_width(note)).fold(draw::width(&part.name), f64::max);
    Size { width: widest + 20.0, height: 26.0 + 12.0 * notes.len() as f64 }
}

fn draw_part(canvas: &mut Canvas, part: &Part, notes: &[String], centre: Point, size: Size) {
    let corner = Point { x: centre.x - size.width / 2.0, y: centre.y - size.height / 2.0 };
    let class = match (part.is_first, part.is_last) {
        (_, true) => "last",
        (true, _) => "first",
        _ => "part",
    };
    canvas.rectangle(corner, size, 5.0, class);
    canvas.text(Point { x: centre.x, y: corner.y + 17.0 }, &part.name, "name");
    for (at, note) in notes.iter().enumerate() {
        let y = corner.y + 29.0 + 12.0 * at as f64;
        canvas.text(Point { x: centre.x, y }, note, "small");
    }
}
