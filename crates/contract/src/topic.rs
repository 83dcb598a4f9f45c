//! The grammar of topics, `onex.<kind>.<producer>.<event>.v<n>`, and patterns over them.

use std::fmt;
use std::ops::Range;

use crate::suggest;

/// What a topic's second segment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `cmd`
    Command,
    /// `evt`
    Event,
    /// `dlq`
    DeadLetter,
    /// `intent`
    Intent,
    /// `snapshot`
    Snapshot,
}

/// What a message is: it happened, please do, please perform this effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// It happened.
    Event,
    /// Please do.
    Command,
    /// Please perform this effect, as data.
    Intent,
}

const KINDS: &[(&str, Kind)] = &[
    ("cmd", Kind::Command),
    ("evt", Kind::Event),
    ("dlq", Kind::DeadLetter),
    ("intent", Kind::Intent),
    ("snapshot", Kind::Snapshot),
];

/// What other grammars write for a kind.
const KIND_SYNONYMS: &[(&str, &str)] = &[
    ("command", "cmd"),
    ("commands", "cmd"),
    ("event", "evt"),
    ("events", "evt"),
    ("intents", "intent"),
    ("int", "intent"),
    ("snapshots", "snapshot"),
];

/// Words that older topics begin with; a topic carries no environment.
const ENVIRONMENTS: &[&str] = &["dev", "staging", "prod", "test", "local"];

impl Kind {
    /// The segment.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Command => "cmd",
            Kind::Event => "evt",
            Kind::DeadLetter => "dlq",
            Kind::Intent => "intent",
            Kind::Snapshot => "snapshot",
        }
    }

    /// What its messages are; snapshots and dead letters are dispatched to nobody.
    pub fn category(self) -> Option<Category> {
        match self {
            Kind::Command => Some(Category::Command),
            Kind::Event => Some(Category::Event),
            Kind::Intent => Some(Category::Intent),
            Kind::DeadLetter | Kind::Snapshot => None,
        }
    }
}

impl Category {
    /// The word that logs and tables use.
    pub fn word(self) -> &'static str {
        match self {
            Category::Event => "event",
            Category::Command => "command",
            Category::Intent => "intent",
        }
    }
}

/// A topic within the grammar, in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicName<'t> {
    /// What its messages are.
    pub kind: Kind,
    /// Who publishes it.
    pub producer: &'t str,
    /// What happened or is asked for; the trigger of its messages.
    pub event: &'t str,
    /// The version of its payload, from 1.
    pub version: u32,
}

/// Why a text is no topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicError {
    /// Which rule it breaks.
    pub rule: Rule,
    /// The part of the text that breaks it, in bytes.
    pub range: Range<usize>,
}

/// The rules in the order in which they are checked: the first broken one is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// No control characters.
    ControlCharacter,
    /// Not empty.
    Empty,
    /// No capitals.
    LowerCase,
    /// No environment in front.
    Environment,
    /// Five segments; this many there are.
    Segments(usize),
    /// The first is `onex`.
    Prefix,
    /// The second is a kind.
    Kind,
    /// The third is words in lower case, joined by hyphens.
    Producer,
    /// So is the fourth.
    Event,
    /// The fifth is `v` and a number from 1.
    Version,
}

impl fmt::Display for TopicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.rule {
            Rule::ControlCharacter => "the topic has a control character",
            Rule::Empty => "the topic is empty",
            Rule::LowerCase => "the topic has capitals",
            Rule::Environment => "the topic begins with an environment",
            Rule::Segments(count) => {
                let plural = if count == 1 { "" } else { "s" };
                return write!(f, "the topic has {count} segment{plural}, not five");
            }
            Rule::Prefix => "the topic does not begin with `onex`",
            Rule::Kind => "the second segment is none of cmd, evt, dlq, intent, snapshot",
            Rule::Producer => "the producer is not lower-case words joined by hyphens",
            Rule::Event => "the event is not lower-case words joined by hyphens",
            Rule::Version => "the version is not `v` and a number from 1",
        };
        f.write_str(what)
    }
}

impl std::error::Error for TopicError {}

impl TopicError {
    /// What to write instead, as far as it can be told from what was written.
    pub fn remedy(&self, topic: &str) -> String {
        let part = topic.get(self.range.clone()).unwrap_or_default();
        match self.rule {
            Rule::ControlCharacter => "remove it".to_owned(),
            Rule::LowerCase => format!("write `{}`", topic.to_lowercase()),
            Rule::Environment => {
                format!("write `{}`: a topic carries no environment", &topic[self.range.end..])
            }
            Rule::Kind => {
                let synonym = KIND_SYNONYMS.iter().find(|(word, _)| *word == part);
                let known = KINDS.iter().map(|(word, _)| *word);
                let meant =
                    synonym.map(|(_, word)| *word).or_else(|| suggest::nearest(part, known));
                meant.map_or_else(grammar, |word| format!("did you mean `{word}`?"))
            }
            Rule::Producer | Rule::Event if is_kebab(&hyphened(part)) => {
                format!("write `{}`", hyphened(part))
            }
            _ => match whole(topic) {
                Some(meant) => format!("{}, such as `{meant}`", grammar()),
                None => grammar(),
            },
        }
    }
}

/// A topic made of the words of what is none: its kind, producer and version, where it has them.
fn whole(topic: &str) -> Option<String> {
    let words: Vec<String> = topic.split(['.', '/', ':', ' ']).map(hyphened).collect();
    let mut words: Vec<&str> = words.iter().map(String::as_str).filter(|w| *w != "onex").collect();
    let is_version = |word: &str| {
        word.strip_prefix('v').is_some_and(|n| n.parse::<u32>().is_ok_and(|number| number > 0))
    };
    let version = words.pop_if(|last| is_version(last)).unwrap_or("v1");
    let kind = |word: &str| {
        let synonym = KIND_SYNONYMS.iter().find(|(other, _)| *other == word).map(|(_, kind)| *kind);
        synonym.or_else(|| KINDS.iter().map(|(kind, _)| *kind).find(|kind| *kind == word))
    };
    let at = words.iter().position(|word| kind(word).is_some());
    let kind = at.and_then(|at| kind(words.remove(at))).unwrap_or("evt");
    let producer = if words.len() > 1 { words.remove(0) } else { "app" };
    let meant = format!("onex.{kind}.{producer}.{}.{version}", words.join("-"));
    parse(&meant).is_ok().then_some(meant)
}

fn grammar() -> String {
    "a topic is `onex.<kind>.<producer>.<event>.v<n>`".to_owned()
}

/// Takes a topic apart.
pub fn parse(topic: &str) -> Result<TopicName<'_>, TopicError> {
    let fault = |rule, range| Err(TopicError { rule, range });
    if let Some((at, found)) = topic.char_indices().find(|(_, c)| c.is_control()) {
        return fault(Rule::ControlCharacter, at..at + found.len_utf8());
    }
    if topic.trim().is_empty() {
        return fault(Rule::Empty, 0..topic.len());
    }
    if let Some((at, found)) = topic.char_indices().find(|(_, c)| c.is_uppercase()) {
        return fault(Rule::LowerCase, at..at + found.len_utf8());
    }
    let first = topic.split('.').next().unwrap_or_default();
    if ENVIRONMENTS.contains(&first) && first.len() < topic.len() {
        return fault(Rule::Environment, 0..first.len() + 1);
    }
    let segments: Vec<&str> = topic.split('.').collect();
    let [prefix, kind, producer, event, version] = segments[..] else {
        return fault(Rule::Segments(segments.len()), 0..topic.len());
    };
    let place = |segment: &str| {
        let start = segment.as_ptr() as usize - topic.as_ptr() as usize;
        start..start + segment.len()
    };
    if prefix != "onex" {
        return fault(Rule::Prefix, place(prefix));
    }
    let Some((_, known)) = KINDS.iter().find(|(word, _)| *word == kind) else {
        return fault(Rule::Kind, place(kind));
    };
    if !is_kebab(producer) {
        return fault(Rule::Producer, place(producer));
    }
    if !is_kebab(event) {
        return fault(Rule::Event, place(event));
    }
    match version_number(version) {
        Some(version) => Ok(TopicName { kind: *known, producer, event, version }),
        None => fault(Rule::Version, place(version)),
    }
}

/// What a message on any topic is, also on one outside the grammar: the first segment that names
/// a category decides.
pub fn category(topic: &str) -> Option<Category> {
    topic.split('.').find_map(|segment| match segment.to_ascii_lowercase().as_str() {
        "evt" | "events" => Some(Category::Event),
        "cmd" | "commands" => Some(Category::Command),
        "intent" | "intents" => Some(Category::Intent),
        _ => None,
    })
}

/// The topic under which an intent is recorded: dots and underscores become hyphens.
pub fn intent_topic(node: &str, intent_type: &str) -> String {
    format!("onex.intent.{}.{}.v1", hyphened(node), hyphened(intent_type))
}

fn hyphened(words: &str) -> String {
    words.replace(['.', '_'], "-")
}

/// `^[a-z]([a-z0-9]*(-[a-z0-9]+)*)?$`
fn is_kebab(segment: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    segment.starts_with(|c: char| c.is_ascii_lowercase()) && segment.split('-').all(word)
}

fn version_number(segment: &str) -> Option<u32> {
    let digits = segment.strip_prefix('v')?;
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?;
    number.filter(|version| *version >= 1)
}

/// A pattern over topics: `*` stands for one segment, or for any part of one, `**` as a segment
/// for any number of segments, also none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    segments: Vec<String>,
}

impl Pattern {
    /// Reads a pattern. Every text is one.
    pub fn new(pattern: &str) -> Pattern {
        let mut segments: Vec<String> = pattern.split('.').map(str::to_owned).collect();
        segments.dedup_by(|next, before| next == "**" && before == "**");
        Pattern { segments }
    }

    /// Whether a topic fits.
    pub fn matches(&self, topic: &str) -> bool {
        let segments: Vec<&str> = topic.split('.').collect();
        let is_any = |pattern: &String| pattern == "**";
        let fits = |pattern: &String, segment: &&str| segment_matches(pattern, segment);
        glob(&self.segments, &segments, is_any, fits)
    }
}

fn segment_matches(pattern: &str, segment: &str) -> bool {
    if pattern == "*" {
        return !segment.is_empty();
    }
    glob(pattern.as_bytes(), segment.as_bytes(), |byte| *byte == b'*', |a, b| a == b)
}

/// Whether items fit a pattern in which some parts stand for any number of items. Takes time in
/// proportion to both lengths multiplied: on a misfit only the last such part is tried anew.
fn glob<P, T>(
    pattern: &[P],
    items: &[T],
    is_any: impl Fn(&P) -> bool,
    fits: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut at, mut item) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while item < items.len() {
        if at < pattern.len() && is_any(&pattern[at]) {
            retry = Some((at + 1, item));
            at += 1;
        } else if at < pattern.len() && fits(&pattern[at], &items[item]) {
            at += 1;
            item += 1;
        } else if let Some((after, taken)) = retry {
            retry = Some((after, taken + 1));
            at = after;
            item = taken + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(is_any)
}
