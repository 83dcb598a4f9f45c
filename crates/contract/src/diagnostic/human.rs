//! Findings for people: what is wrong, the line it stands on with the place underlined, and what
//! to do about it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::source::Source;

use super::{Diagnostic, Severity};

/// How findings are printed.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether terminal colours are used.
    pub colour: bool,
    /// Columns of the terminal; longer lines of a file are cut around the place.
    pub width: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { colour: false, width: 120 }
    }
}

/// The longest place that is underlined in full; of a longer one only the first line is.
const LINES_MAX: usize = 6;

/// Each finding with an excerpt of its file, in the order given, a blank line between two.
pub fn render(diagnostics: &[Diagnostic], sources: &[Source], options: Options) -> String {
    let renderer = if options.colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(options.width);
    let sources: BTreeMap<&str, &Source> = sources.iter().map(|s| (&*s.path, s)).collect();
    let mut out = String::new();
    for diagnostic in diagnostics {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&renderer.render(&[report(diagnostic, &sources)]));
        out.push('\n');
    }
    out
}

fn report<'a>(diagnostic: &'a Diagnostic, sources: &BTreeMap<&str, &'a Source>) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(&*diagnostic.message).id(diagnostic.code);
    let mut group = Group::with_title(title);
    let mut places: Vec<Place> = vec![Place {
        file: &diagnostic.file,
        span: &diagnostic.span,
        start: (diagnostic.line, diagnostic.column),
        label: None,
    }];
    places.extend(diagnostic.related.iter().map(|related| Place {
        file: &related.file,
        span: &related.span,
        start: (related.line, related.column),
        label: Some(&related.message),
    }));
    while let Some(first) = places.first() {
        let file = first.file;
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            places.into_iter().partition(|place| place.file == file);
        places = elsewhere;
        group = excerpt(group, &here, sources.get(file).copied());
    }
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(&**help)),
        None => group,
    }
}

/// One place of a finding.
struct Place<'a> {
    file: &'a str,
    span: &'a Range<usize>,
    start: (usize, usize),
    label: Option<&'a str>,
}

/// The lines of one file on which the places stand; only the first place's position when the file
/// is not at hand.
fn excerpt<'a>(group: Group<'a>, places: &[Place<'a>], source: Option<&'a Source>) -> Group<'a> {
    let first = &places[0];
    let Some(source) = source.filter(|source| !source.bytes.is_empty()) else {
        let (line, column) = first.start;
        return group.element(Origin::path(first.file).line(line).char_column(column));
    };
    let spans: Vec<Range<usize>> =
        places.iter().map(|p| shortened(&source.bytes, p.span)).collect();
    let lines = lines_around(&source.bytes, &spans);
    let top = places.iter().map(|place| place.start.0).min().unwrap_or(1);
    let bytes = &source.bytes[lines.clone()];
    let annotations: Vec<Annotation> = places
        .iter()
        .zip(&spans)
        .map(|(place, span)| {
            let kind = match place.label {
                None => AnnotationKind::Primary,
                Some(_) => AnnotationKind::Context,
            };
            let start = shown_length(&bytes[..span.start - lines.start]);
            let end = start + shown_length(&source.bytes[span.clone()]);
            kind.span(start..end).label(place.label)
        })
        .collect();
    let shown: Cow<str> = String::from_utf8_lossy(bytes);
    let snippet = Snippet::source(shown).path(first.file).line_start(top);
    group.element(snippet.annotations(annotations))
}

/// The span within the file, cut to its first line when it has very many.
fn shortened(bytes: &[u8], span: &Range<usize>) -> Range<usize> {
    let start = span.start.min(bytes.len());
    let end = span.end.clamp(start, bytes.len());
    let mut breaks = (start..end).filter(|at| bytes[*at] == b'\n');
    let first_break = breaks.next();
    match (first_break, breaks.nth(LINES_MAX - 2)) {
        (Some(first), Some(_)) => start..first,
        _ => start..end,
    }
}

/// The whole lines from the first span to the last.
fn lines_around(bytes: &[u8], spans: &[Range<usize>]) -> Range<usize> {
    let start = spans.iter().map(|span| span.start).min().unwrap_or(0);
    let end = spans.iter().map(|span| span.end).max().unwrap_or(bytes.len());
    let top = bytes[..start].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let rest = bytes[end..].iter().position(|byte| *byte == b'\n');
    let bottom = rest.map_or(bytes.len(), |length| end + length);
    let carriage_return = bottom > end && bytes[bottom - 1] == b'\r';
    top..bottom - usize::from(carriage_return)
}

/// How long bytes are when what is no UTF-8 among them is replaced.
fn shown_length(bytes: &[u8]) -> usize {
    String::from_utf8_lossy(bytes).len()
}
