//! The parser's events to a tree, within the limits.

mod leaf;

use std::collections::BTreeMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, StructureStyle};
use onex_expr::Text;

use crate::diagnostic::Diagnostic;
use crate::source::Source;

use super::entries::{Written, settle};
use super::finding::{self, Findings};
use super::limits::{ALIAS_NODES_MAX, DEPTH_MAX, NODES_MAX};
use super::{Entry, Node, Tree, fault, place};
use leaf::is_core;

/// Reads the first document of a text; nothing after it.
pub(super) fn document(source: &Source, text: &str) -> (Option<Node>, Vec<Diagnostic>) {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: DEPTH_MAX + 1,
        block_nesting_limit: DEPTH_MAX + 1,
    };
    let mut builder = Builder {
        source,
        text,
        parser: Parser::new_from_str_with_options(text, options),
        findings: Findings::default(),
        anchors: BTreeMap::new(),
        nodes: 0,
        copied: 0,
        depth: 0,
        end: 0,
        open: Vec::new(),
    };
    let root = match builder.stream() {
        Ok(root) => Some(root),
        Err(Stop(finding)) => {
            builder.findings.end(*finding);
            None
        }
    };
    (root, builder.findings.finish(source))
}

/// A finding after which nothing more can be read.
struct Stop(Box<Diagnostic>);

type Read<T> = Result<T, Stop>;

/// A key's text and place.
type Key = (Text, Range<usize>);

struct Builder<'t> {
    source: &'t Source,
    text: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    findings: Findings,
    /// By the parser's number; `None` while the anchored value is being read.
    anchors: BTreeMap<usize, Option<Node>>,
    nodes: usize,
    copied: usize,
    depth: usize,
    /// Where what was read last ends.
    end: usize,
    /// Where the brackets begin that are not closed yet.
    open: Vec<usize>,
}

impl<'t> Builder<'t> {
    fn stream(&mut self) -> Read<Node> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::StreamEnd => break,
                Event::DocumentStart(..) if root.is_some() => {
                    self.findings.end(finding::several_documents(self.source, bytes(&span)));
                    break;
                }
                Event::DocumentStart(..) => self.end = bytes(&span).end,
                other => root = Some(self.node(other, &span)?),
            }
        }
        Ok(root.unwrap_or_else(|| Node::new(Tree::Null)))
    }

    fn next(&mut self) -> Read<(Event<'t>, Span)> {
        match self.parser.next() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => {
                let open = self.open.last().copied();
                Err(stop(fault::of(self.source, self.text, &error, open)))
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'t>, span: &Span) -> Read<Node> {
        self.nodes += 1;
        let at = bytes(span);
        if self.nodes > NODES_MAX {
            return Err(stop(finding::too_many_nodes(self.source, at)));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let node = self.scalar(&text, style, tag.as_deref(), span);
                self.keep(anchor, &node)?;
                Ok(node)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.enter(anchor, &at)?;
                self.check_tag(tag.as_deref(), "seq", span);
                let tree = Tree::List(self.items()?);
                self.leave(anchor, at.start, tree)
            }
            Event::MappingStart(style, anchor, tag) => {
                self.enter(anchor, &at)?;
                self.check_tag(tag.as_deref(), "map", span);
                let tree = self.mapping(style, at.start)?;
                self.leave(anchor, at.start, tree)
            }
            Event::Alias(id) => self.alias(id, at),
            _ => Ok(Node { span: at, ..Node::new(Tree::Null) }),
        }
    }

    fn items(&mut self) -> Read<Vec<Node>> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, span) => {
                    self.end = self.end.max(self.content_end(&span));
                    return Ok(items);
                }
                (event, span) => items.push(self.node(event, &span)?),
            }
        }
    }

    fn mapping(&mut self, style: StructureStyle, start: usize) -> Read<Tree> {
        let mut written = Vec::new();
        let mut template = false;
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                self.end = self.end.max(self.content_end(&span));
                break;
            }
            let plain = matches!(event, Event::Scalar(_, ScalarStyle::Plain, _, None));
            let key = self.key(event, &span)?;
            let doubled = style == StructureStyle::Flow && self.text[start..].starts_with("{{");
            template |= doubled && matches!(key, Err(ref at) if at.start == start + 1);
            let (event, value_span) = self.next()?;
            let value = self.node(event, &value_span)?;
            match key {
                Ok((key, key_span)) => {
                    written.push(Written { entry: Entry { key, key_span, value }, plain });
                }
                Err(at) if !template => {
                    self.findings.error(|| finding::key_not_text(self.source, at))
                }
                Err(_) => {}
            }
        }
        if template {
            self.findings.error(|| fault::unquoted_template(self.source, start..self.end));
            return Ok(Tree::String(self.text[start..self.end].into()));
        }
        Ok(Tree::Map(settle(self.source, written, &mut self.findings)))
    }

    /// A key's text and place, or the place of what cannot be one.
    fn key(&mut self, event: Event<'t>, span: &Span) -> Read<Result<Key, Range<usize>>> {
        let at = bytes(span);
        if let Event::Scalar(text, style, anchor, tag) = &event {
            self.nodes += 1;
            self.end = at.end;
            let plain = *style == ScalarStyle::Plain;
            if tag.as_deref().is_none_or(|tag| !is_core(tag)) {
                self.check_tag(tag.as_deref(), "str", span);
            }
            if plain && (at.is_empty() || *text == "~") {
                return Ok(Err(at));
            }
            let key = Text::from(text.as_ref());
            if plain {
                self.warn_if_ambiguous(text, &Tree::String(key.clone()), &at);
            }
            if *anchor != 0 {
                let node = Node {
                    tree: Tree::String(key.clone()),
                    span: at.clone(),
                    text_map: place::text_map(self.text, &at, *style, text),
                    quoted: !plain,
                };
                self.keep(*anchor, &node)?;
            }
            return Ok(Ok((key, at)));
        }
        let node = self.node(event, span)?;
        Ok(match node.tree {
            Tree::String(text) => Ok((text, at)),
            Tree::Bool(truth) => Ok((truth.to_string().into(), at)),
            Tree::Int(number) => Ok((number.to_string().into(), at)),
            _ => Err(at.start..self.end.max(at.end)),
        })
    }

    fn enter(&mut self, anchor: usize, at: &Range<usize>) -> Read<()> {
        self.depth += 1;
        self.end = at.end;
        if self.depth > DEPTH_MAX {
            return Err(stop(fault::too_deep(self.source, at.clone())));
        }
        if !at.is_empty() {
            self.open.push(at.start);
        }
        if anchor != 0 {
            self.anchors.insert(anchor, None);
        }
        Ok(())
    }

    fn leave(&mut self, anchor: usize, start: usize, tree: Tree) -> Read<Node> {
        self.depth -= 1;
        if self.open.last() == Some(&start) {
            self.open.pop();
        }
        let node = Node { span: start..self.end, ..Node::new(tree) };
        self.keep(anchor, &node)?;
        Ok(node)
    }

    /// Remembers an anchored value; the copy counts.
    fn keep(&mut self, anchor: usize, node: &Node) -> Read<()> {
        if anchor != 0 {
            self.charge(node, &node.span)?;
            self.anchors.insert(anchor, Some(node.clone()));
        }
        Ok(())
    }

    fn alias(&mut self, id: usize, at: Range<usize>) -> Read<Node> {
        self.end = at.end;
        let Some(Some(node)) = self.anchors.remove(&id) else {
            return Err(stop(finding::alias_of_itself(self.source, at)));
        };
        let height = self.charge(&node, &at)?;
        if self.depth + height > DEPTH_MAX {
            return Err(stop(fault::too_deep(self.source, at)));
        }
        let copy = node.clone();
        self.anchors.insert(id, Some(node));
        Ok(copy)
    }

    /// Counts a copy of a value before it is made; gives how deep the value nests.
    fn charge(&mut self, node: &Node, at: &Range<usize>) -> Read<usize> {
        let (weight, height) = measure(node);
        self.copied += weight;
        if self.copied > ALIAS_NODES_MAX {
            return Err(stop(finding::aliases_too_large(self.source, at.clone())));
        }
        Ok(height)
    }

    /// Where a collection ends: after its bracket, or where its last content ended.
    fn content_end(&self, end: &Span) -> usize {
        let at = bytes(end);
        if at.is_empty() { self.end } else { at.end }
    }
}

/// How many values a copy has, counting large maps of places, and how deep it nests.
fn measure(node: &Node) -> (usize, usize) {
    /// Entries of a map of places that weigh as much as one value.
    const PLACES_PER_NODE: usize = 16;
    let own = 1 + node.text_map.as_ref().map_or(0, |map| map.len() / PLACES_PER_NODE);
    let inner = |nodes: &mut dyn Iterator<Item = &Node>| {
        nodes
            .map(measure)
            .fold((own, 0), |(sum, deepest), (weight, height)| (sum + weight, deepest.max(height)))
    };
    match &node.tree {
        Tree::List(items) => {
            let (weight, height) = inner(&mut items.iter());
            (weight, height + 1)
        }
        Tree::Map(entries) => {
            let (weight, height) = inner(&mut entries.iter().map(|entry| &entry.value));
            (weight, height + 1)
        }
        _ => (own, 0),
    }
}

fn bytes(span: &Span) -> Range<usize> {
    span.byte_range().unwrap_or(0..0)
}

fn stop(finding: Diagnostic) -> Stop {
    Stop(Box::new(finding))
}
