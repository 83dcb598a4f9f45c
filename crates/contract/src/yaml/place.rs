//! Where each byte of a decoded text stands in the file.
//!
//! The parser decodes; here its result is laid beside the text as written, which is simpler than
//! decoding twice and cannot disagree with it.

use std::ops::Range;

use granit_parser::ScalarStyle;

/// The byte offset of each byte of `decoded` and of its end; `None` when it stands in the file as
/// it is, after one quote if it has quotes.
pub(super) fn text_map(
    file: &str,
    span: &Range<usize>,
    style: ScalarStyle,
    decoded: &str,
) -> Option<Box<[u32]>> {
    let written = match style {
        ScalarStyle::Plain => span.clone(),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
            span.start + 1..span.end.saturating_sub(1).max(span.start + 1)
        }
        ScalarStyle::Literal | ScalarStyle::Folded => {
            let line = file[..span.start].rfind('\n').map_or(0, |at| at + 1);
            return Some(block_map(file, line..span.end, style, decoded));
        }
    };
    if file.get(written.clone()) == Some(decoded) {
        return None;
    }
    let mut walk = Walk { file: file.as_bytes(), at: written.start, end: written.end, map: vec![] };
    walk.flow(style, decoded);
    Some(walk.finish(decoded))
}

fn block_map(file: &str, region: Range<usize>, style: ScalarStyle, decoded: &str) -> Box<[u32]> {
    let mut walk = Walk { file: file.as_bytes(), at: region.start, end: region.end, map: vec![] };
    match style {
        ScalarStyle::Literal => walk.literal(decoded),
        _ => walk.folded(decoded),
    }
    walk.finish(decoded)
}

struct Walk<'f> {
    file: &'f [u8],
    at: usize,
    end: usize,
    map: Vec<u32>,
}

impl Walk<'_> {
    /// Text of a plain or quoted scalar, from where escapes and line breaks are undone.
    fn flow(&mut self, style: ScalarStyle, decoded: &str) {
        let mut after_escaped_break = false;
        while self.map.len() < decoded.len() && self.at < self.end {
            let blank = self.run(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
            let breaks = self.breaks(blank.clone());
            if breaks > 0 {
                let folded = if after_escaped_break { breaks } else { (breaks - 1).max(1) };
                self.put(blank.start, folded);
                self.at = blank.end;
            } else if style == ScalarStyle::DoubleQuoted && self.byte(0) == b'\\' {
                after_escaped_break = matches!(self.byte(1), b'\r' | b'\n');
                self.escape(decoded, after_escaped_break);
                continue;
            } else if style == ScalarStyle::SingleQuoted && self.byte(0) == b'\'' {
                self.put(self.at, 1);
                self.at += 2;
            } else {
                self.put(self.at, 1);
                self.at += 1;
            }
            after_escaped_break = false;
        }
    }

    fn escape(&mut self, decoded: &str, is_break: bool) {
        if is_break {
            self.at += if self.byte(1) == b'\r' && self.byte(2) == b'\n' { 3 } else { 2 };
            self.at = self.run(|byte| matches!(byte, b' ' | b'\t')).end;
            return;
        }
        let written = match self.byte(1) {
            b'x' => 4,
            b'u' if self.is_high_surrogate() => super::ESCAPE_BYTES_MAX,
            b'u' => 6,
            b'U' => 10,
            _ => 2,
        };
        let character = decoded.get(self.map.len()..).and_then(|rest| rest.chars().next());
        self.put(self.at, character.map_or(1, char::len_utf8));
        self.at += written;
    }

    fn is_high_surrogate(&self) -> bool {
        matches!(
            (self.byte(2), self.byte(3)),
            (b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B')
        )
    }

    /// Lines of the text are the ends of the lines written: what precedes is indentation.
    fn literal(&mut self, decoded: &str) {
        let mut lines = self.lines();
        let leading = decoded.split('\n').take_while(|line| is_blank(line.as_bytes())).count();
        let written = lines.iter().take_while(|line| is_blank(&self.file[(*line).clone()])).count();
        let missing = leading.saturating_sub(written);
        lines.splice(0..0, std::iter::repeat_n(self.at..self.at, missing));
        for (index, line) in decoded.split('\n').enumerate() {
            let written = lines.get(index).cloned().unwrap_or(self.end..self.end);
            let start = written.end.saturating_sub(line.len()).max(written.start);
            (0..line.len()).for_each(|byte| self.put((start + byte).min(written.end), 1));
            self.put(written.end, 1);
        }
        self.map.truncate(decoded.len());
    }

    /// Each line written, without its indentation, is a piece of the text; between pieces stand a
    /// space or line breaks.
    fn folded(&mut self, decoded: &str) {
        let lines = self.lines();
        let text = decoded.as_bytes();
        let indent = self.indentation(&lines, decoded);
        let mut breaks_at = self.at;
        for line in lines {
            let content = self.file[line.clone()].get(indent..).unwrap_or_default();
            if content.is_empty() {
                continue;
            }
            while self.map.len() < text.len() && !text[self.map.len()..].starts_with(content) {
                self.put(breaks_at, 1);
            }
            let start = line.end - content.len();
            (0..content.len()).for_each(|byte| self.put(start + byte, 1));
            breaks_at = line.end;
        }
        self.end = self.end.min(breaks_at.max(self.at));
    }

    /// How far the block is indented: where its first line that is not blank begins to agree with
    /// that of the text.
    fn indentation(&self, lines: &[Range<usize>], decoded: &str) -> usize {
        let written =
            lines.iter().map(|line| &self.file[line.clone()]).find(|line| !is_blank(line));
        let text = decoded.split('\n').find(|line| !is_blank(line.as_bytes())).unwrap_or_default();
        let agrees = |line: &[u8], depth: &usize| text.as_bytes().starts_with(&line[*depth..]);
        written.and_then(|line| (0..line.len()).find(|depth| agrees(line, depth))).unwrap_or(0)
    }

    /// The lines from here to the end, without their breaks.
    fn lines(&self) -> Vec<Range<usize>> {
        let mut start = self.at;
        let mut lines = Vec::new();
        for line in self.file[self.at..self.end].split_inclusive(|byte| *byte == b'\n') {
            let end = start + line.len();
            let breaks = line.iter().rev().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            lines.push(start..end - breaks);
            start = end;
        }
        lines
    }

    fn run(&self, fits: impl Fn(u8) -> bool) -> Range<usize> {
        let rest = &self.file[self.at..self.end];
        let length = rest.iter().position(|byte| !fits(*byte)).unwrap_or(rest.len());
        self.at..self.at + length
    }

    /// How many line breaks a range has: `\n`, `\r\n` and `\r` are one each.
    fn breaks(&self, range: Range<usize>) -> usize {
        let bytes = &self.file[range];
        let lone = |at: usize| bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
        (0..bytes.len()).filter(|at| bytes[*at] == b'\n' || lone(*at)).count()
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.file.get(self.at + ahead).copied().unwrap_or_default()
    }

    fn put(&mut self, place: usize, times: usize) {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        self.map.extend(std::iter::repeat_n(place, times));
    }

    fn finish(mut self, decoded: &str) -> Box<[u32]> {
        let end = u32::try_from(self.end).unwrap_or(u32::MAX);
        self.map.resize(decoded.len(), end);
        self.map.push(end);
        self.map.into_boxed_slice()
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}
