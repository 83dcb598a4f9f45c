//! Scalars and tags: what a word is.

use std::ops::Range;

use granit_parser::{ScalarStyle, Span, Tag};

use super::{Builder, bytes};
use crate::yaml::scalar::{OutOfRange, other_reading, resolve};
use crate::yaml::{Node, Tree, finding, place};

impl Builder<'_> {
    pub(super) fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: &Span,
    ) -> Node {
        let mut at = bytes(span);
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            at.end = at.start + self.text[at.clone()].trim_end().len();
        }
        self.end = at.end;
        let quoted = style != ScalarStyle::Plain;
        let tree = match tag {
            Some(tag) if is_core(tag) => self.tagged(tag, text, span),
            Some(tag) if is_non_specific(tag) => Tree::String(text.into()),
            Some(_) | None if quoted => {
                self.check_tag(tag, "str", span);
                Tree::String(text.into())
            }
            Some(_) | None => {
                self.check_tag(tag, "str", span);
                self.plain(text, &at)
            }
        };
        let text_map = match &tree {
            Tree::String(_) => place::text_map(self.text, &at, style, text),
            _ => None,
        };
        Node { tree, span: at, text_map, quoted }
    }

    fn plain(&mut self, word: &str, at: &Range<usize>) -> Tree {
        match resolve(word) {
            Ok(tree) => {
                self.warn_if_ambiguous(word, &tree, at);
                tree
            }
            Err(OutOfRange(nearest)) => {
                self.findings.error(|| finding::out_of_range(self.source, word, at));
                nearest
            }
        }
    }

    /// A scalar whose tag says what it is.
    fn tagged(&mut self, tag: &Tag, text: &str, span: &Span) -> Tree {
        let wanted = tag.core_suffix().unwrap_or_default();
        let read = match wanted {
            "str" => return Tree::String(text.into()),
            _ => resolve(text).unwrap_or_else(|OutOfRange(nearest)| nearest),
        };
        match (wanted, read) {
            ("null", Tree::Null) => Tree::Null,
            ("bool", Tree::Bool(truth)) => Tree::Bool(truth),
            ("int", Tree::Int(number)) => Tree::Int(number),
            ("float", Tree::Int(number)) => Tree::Double(number as f64),
            ("float", Tree::Double(number)) if number.is_finite() => Tree::Double(number),
            (_, read) => {
                self.findings.error(|| finding::tag_misfit(self.source, wanted, tag_place(span)));
                read
            }
        }
    }

    /// Reports a tag that we would otherwise ignore.
    pub(super) fn check_tag(&mut self, tag: Option<&Tag>, wanted: &str, span: &Span) {
        let Some(tag) = tag else { return };
        if is_non_specific(tag) || tag.is_yaml_core_schema_tag(wanted) {
            return;
        }
        let at = tag_place(span);
        self.findings.error(|| match tag.core_suffix() {
            Some(other) => finding::tag_misfit(self.source, other, at),
            None => finding::unknown_tag(self.source, &tag.original(), at),
        });
    }

    pub(super) fn warn_if_ambiguous(&mut self, word: &str, ours: &Tree, at: &Range<usize>) {
        // As names of fields `y` and `n` are common, and hardly any reader takes them for truth values.
        let is_letter = matches!(word, "y" | "Y" | "n" | "N");
        if let Some(other) = other_reading(word).filter(|_| !is_letter) {
            self.findings.warning(|| finding::ambiguous(self.source, word, at, (ours, other)));
        }
    }
}

fn tag_place(span: &Span) -> Range<usize> {
    span.tag_span().and_then(|tag| tag.byte_range()).unwrap_or_else(|| bytes(span))
}

pub(super) fn is_core(tag: &Tag) -> bool {
    matches!(tag.core_suffix(), Some("str" | "int" | "float" | "bool" | "null"))
}

/// `!` alone: text, whatever it looks like.
fn is_non_specific(tag: &Tag) -> bool {
    tag.parts() == ("", "!")
}
