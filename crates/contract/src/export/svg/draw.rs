//! Shapes as SVG text.

use std::fmt::Write as _;

use super::layout::{Point, Size};

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stroke {
    /// A message.
    Plain,
    /// An intent.
    Strong,
    /// A call of a step.
    Dashed,
}

/// A line through points.
pub(super) struct Line {
    pub points: Vec<Point>,
    pub stroke: Stroke,
    /// Whether it ends in an arrow head.
    pub head: bool,
}

/// A drawing in the making.
pub(super) struct Canvas {
    out: String,
}

/// Width of a letter of a name, in the fonts that are asked for, on the careful side.
const LETTER: f64 = 7.2;
/// The same of small text.
const SMALL_LETTER: f64 = 5.8;

/// How wide a name is.
pub(super) fn width(text: &str) -> f64 {
    letters(text) * LETTER
}

/// How wide small text is.
pub(super) fn small_width(text: &str) -> f64 {
    letters(text) * SMALL_LETTER
}

/// How many letters of a middling width a text takes: those of East Asia and pictures count twice.
fn letters(text: &str) -> f64 {
    text.chars().map(|c| if c >= '\u{1100}' { 2.0 } else { 1.0 }).sum()
}

/// Colours and fonts; a page that shows the drawing may override them.
const STYLE: &str = "\
text{font-family:Helvetica,Arial,sans-serif;fill:#1c1917;text-anchor:middle}\
.title{font-size:14px;font-weight:bold}.name{font-size:12px}.small{font-size:10px;fill:#57534e}\
rect{stroke-width:1.2}\
.effect{fill:#fde8d7;stroke:#c2570c}.compute{fill:#e3f4e1;stroke:#3f7d35}\
.reducer{fill:#e1ecfb;stroke:#2563a8}.orchestrator{fill:#efe6fb;stroke:#7a3fb5}\
.part{fill:#fff;stroke:#78716c}.first{fill:#fff;stroke:#1c1917;stroke-width:2.2}\
.last{fill:#e7e5e4;stroke:#57534e}\
.topic{fill:#f5f5f4;stroke:#a8a29e}.entry{fill:#fef9c3;stroke:#a16207}\
.exit{fill:#f5f5f4;stroke:#a8a29e;stroke-dasharray:4 3}\
path{fill:none;stroke:#57534e;stroke-width:1.2}.strong{stroke-width:2.2}\
.dashed{stroke-dasharray:6 4}#head{fill:#57534e;stroke:none}";

// Writing to a String cannot fail, so results of `write!` are dropped throughout.
impl Canvas {
    pub(super) fn new(size: Size) -> Canvas {
        let Size { width, height } = size;
        let mut out = String::new();
        let _ = writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             width=\"{width:.0}\" height=\"{height:.0}\">"
        );
        let _ = writeln!(out, "<style>{STYLE}</style>");
        out.push_str(
            "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" \
             markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" \
             orient=\"auto\"><path id=\"head\" d=\"M0 0 L8 4 L0 8 z\"/></marker></defs>\n",
        );
        let _ = writeln!(
            out,
            "<rect width=\"{width:.0}\" height=\"{height:.0}\" fill=\"#fff\" stroke=\"none\"/>"
        );
        Canvas { out }
    }

    /// Begins a group that says its full name when pointed at.
    pub(super) fn open(&mut self, title: &str) {
        let _ = writeln!(self.out, "<g><title>{}</title>", escaped(title));
    }

    pub(super) fn close(&mut self) {
        self.out.push_str("</g>\n");
    }

    pub(super) fn rectangle(&mut self, corner: Point, size: Size, radius: f64, class: &str) {
        let (Point { x, y }, Size { width, height }) = (corner, size);
        let _ = writeln!(
            self.out,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\" rx=\"{radius:.1}\"/>"
        );
    }

    pub(super) fn text(&mut self, at: Point, text: &str, class: &str) {
        if !text.is_empty() {
            let Point { x, y } = at;
            let text = escaped(text);
            let _ = writeln!(
                self.out,
                "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"
            );
        }
    }

    /// The name of an arrow, on its line.
    pub(super) fn label(&mut self, centre: Point, text: &str) {
        self.text(Point { x: centre.x, y: centre.y + 3.5 }, text, "small");
    }

    /// A smooth line that leaves and arrives level.
    pub(super) fn line(&mut self, line: &Line) {
        let [first, rest @ ..] = line.points.as_slice() else {
            return;
        };
        if rest.is_empty() {
            return;
        }
        let mut path = format!("M{:.1} {:.1}", first.x, first.y);
        let mut from = *first;
        for to in rest {
            let bend = (to.x - from.x) / 2.0;
            let _ = write!(
                path,
                " C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
                from.x + bend,
                from.y,
                to.x - bend,
                to.y,
                to.x,
                to.y
            );
            from = *to;
        }
        let class = match line.stroke {
            Stroke::Plain => "plain",
            Stroke::Strong => "strong",
            Stroke::Dashed => "dashed",
        };
        let head = if line.head { " marker-end=\"url(#arrow)\"" } else { "" };
        let _ = writeln!(self.out, "<path class=\"{class}\" d=\"{path}\"{head}/>");
    }

    pub(super) fn finish(mut self) -> String {
        self.out.push_str("</svg>\n");
        self.out
    }
}

/// Text as XML, without what XML cannot hold.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
