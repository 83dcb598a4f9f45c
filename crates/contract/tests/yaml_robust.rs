//! The YAML reader under bad and hostile input: it never panics, never hangs, respects its limits,
//! and each byte of a text knows where it was written.

use std::path::Path;

use onex_contract::diagnostic::{Severity, code};
use onex_contract::source::Source;
use onex_contract::yaml::{self, Node, limits};
use onex_expr::Value;

/// The texts of all cases, and of the test suite where it is at hand.
fn texts() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/yaml");
    let mut texts: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder of cases is there")
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect();
    texts.sort();
    let vectors = std::env::var("ONEX_VECTORS").map_or_else(
        |_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors").into(),
        std::path::PathBuf::from,
    );
    let suite = std::fs::read_to_string(vectors.join("yaml.jsonl")).unwrap_or_default();
    texts.extend(suite.lines().map(|line| {
        let case = Value::from_json(line).expect("a vector is JSON");
        case.get("yaml").and_then(Value::as_str).expect("a case has text").to_owned()
    }));
    texts
}

fn each_text(node: &Node, visit: &mut impl FnMut(&Node, &str)) {
    if let Some(text) = node.as_str() {
        visit(node, text);
    }
    node.items().iter().for_each(|item| each_text(item, visit));
    node.entries().iter().for_each(|entry| each_text(&entry.value, visit));
}

#[test]
fn every_character_of_a_text_is_found_where_it_was_written() {
    let mut seen = 0;
    for text in texts() {
        let (node, _) = yaml::parse_any(&Source::new("a.yaml", &text));
        let Some(node) = node else { continue };
        each_text(&node, &mut |node, decoded| {
            for (at, character) in decoded.char_indices().filter(|(_, c)| !c.is_whitespace()) {
                let range = node.source_range(at..at + character.len_utf8());
                let written = text.get(range.clone()).unwrap_or_default();
                let doubled = character == '\'' && written == "''";
                let copied = written.starts_with(character) && written.trim_end().len() < 8;
                assert!(
                    copied || doubled || written.starts_with('\\'),
                    "{character:?} at {at} of {decoded:?} is {written:?} at {range:?} of {text:?}"
                );
                seen += 1;
            }
        });
    }
    assert!(seen > 500, "only {seen} characters were looked at");
}

/// A small generator: the test must meet the same input every time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

/// What YAML's grammar is made of, and bytes that are none of it.
const PIECES: &[&[u8]] = &[
    b"\n",
    b"  ",
    b"\t",
    b"- ",
    b": ",
    b"? ",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"&a ",
    b"*a",
    b"<<: ",
    b"!!str ",
    b"!x ",
    b"|\n",
    b">-\n",
    b"'",
    b"\"",
    b"\\",
    b"\\u12",
    b"#",
    b"---\n",
    b"...\n",
    b"%YAML 1.2\n",
    b"${",
    b"{{",
    b"\xff",
    b"\xc3",
    b"\0",
    b"\xef\xbb\xbf",
    b"\r",
    b"0x",
    b"1e9",
];

fn mutate(text: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = text.to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(4) {
            0 => bytes.truncate(at),
            1 => drop(bytes.splice(at..bytes.len().min(at + random.below(8)), [])),
            2 => drop(bytes.splice(at..at, bytes[random.below(at + 1)..at].to_vec())),
            _ => drop(bytes.splice(at..at, PIECES[random.below(PIECES.len())].to_vec())),
        }
    }
    bytes
}

fn check(bytes: &[u8]) {
    let source = Source::new("a.yaml", bytes);
    let (node, findings) = yaml::parse(&source);
    assert!(node.is_some() || !findings.is_empty(), "nothing read, nothing said");
    assert!(findings.len() <= limits::FINDINGS_MAX + 2);
    for finding in &findings {
        assert!(finding.span.start <= finding.span.end, "{finding:?}");
        assert!((finding.line, finding.column) <= (finding.end_line, finding.end_column));
    }
    onex_contract::diagnostic::human::render(&findings, &[source], Default::default());
    if let Some(node) = node {
        each_text(&node, &mut |node, text| {
            let range = node.source_range(0..text.len());
            assert!(range.start <= range.end && range.end <= bytes.len(), "{range:?}");
        });
    }
}

#[test]
fn mutated_texts_are_read_or_refused_with_a_place() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for text in texts() {
        for _ in 0..8 {
            check(&mutate(text.as_bytes(), &mut random));
        }
    }
}

#[test]
fn random_pieces_are_read_or_refused_with_a_place() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for _ in 0..3000 {
        let length = random.below(40);
        let bytes: Vec<u8> =
            (0..length).flat_map(|_| PIECES[random.below(PIECES.len())].to_vec()).collect();
        check(&bytes);
    }
}

fn codes(text: &str) -> Vec<&'static str> {
    let (_, findings) = yaml::parse(&Source::new("a.yaml", text));
    findings.into_iter().map(|finding| finding.code).collect()
}

#[test]
fn a_file_over_the_limit_is_refused_unread() {
    let text = "a".repeat(limits::FILE_BYTES_MAX + 1);
    assert_eq!(codes(&text), [code::FILE_TOO_LARGE]);
}

#[test]
fn a_file_of_too_many_values_is_refused() {
    let text = format!("a: [{}]", "x,".repeat(limits::NODES_MAX));
    assert_eq!(codes(&text), [code::TOO_MANY_NODES]);
}

#[test]
fn findings_beyond_the_limit_are_counted_and_keep_their_gravity() {
    let mut text: String = (0..limits::FINDINGS_MAX + 5).map(|n| format!("k{n}: 0644\n")).collect();
    text.push_str("k1: 1\n");
    let (_, findings) = yaml::parse(&Source::new("a.yaml", &text));
    let last = findings.last().expect("there are findings");
    assert_eq!(findings.len(), limits::FINDINGS_MAX + 1);
    assert_eq!((last.code, last.severity), (code::MORE_FINDINGS, Severity::Error));
    assert!(last.message.starts_with("6 more"), "{}", last.message);
}

#[test]
fn an_alias_of_a_long_text_counts_by_its_length() {
    let text = format!("a: &a |\n  {}\nb: [{}]", "x".repeat(1 << 16), "*a,".repeat(1000));
    assert_eq!(codes(&text), [code::ALIASES_TOO_LARGE]);
}
