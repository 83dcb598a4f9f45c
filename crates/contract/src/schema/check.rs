//! What is wrong with a schema as written, with places and remedies.

use std::collections::BTreeSet;
use std::ops::Range;

use jsonschema::PatternOptions;

use crate::diagnostic::{Diagnostic, code};
use crate::source::Source;
use crate::suggest::{did_you_mean, nearest};
use crate::yaml::{Entry, Node, Tree};

use super::Definitions;
use super::keyword::{self, Effect, KEYWORDS, Keyword, TYPE_SYNONYMS, TYPES, Takes};
use super::reference::{Lost, Scope, follow, follow_ref, of_other_node};
use super::weight::{self, Heavy};

/// Checks what stands where a schema may stand in a contract of the node `owner`, whose text is
/// `source`. Definitions that it names are looked up, not checked: each is checked where it stands.
pub fn check(
    source: &Source,
    owner: &str,
    node: &Node,
    definitions: &Definitions<'_>,
) -> Vec<Diagnostic> {
    let scope = Scope { owner, root: node };
    let mut check = Check { source, definitions, scope, findings: Vec::new() };
    check.schema(node);
    check.findings
}

struct Check<'c, 'n> {
    source: &'c Source,
    definitions: &'c Definitions<'n>,
    scope: Scope<'n>,
    findings: Vec<Diagnostic>,
}

impl<'n> Check<'_, 'n> {
    fn schema(&mut self, node: &'n Node) {
        match &node.tree {
            Tree::Bool(_) => {}
            Tree::String(_) => self.reference(node),
            Tree::Map(_) if of_other_node(node).is_some() => self.reference(node),
            Tree::Map(entries) => {
                if follow(self.scope, node, self.definitions).is_some() {
                    self.circle(node);
                } else {
                    self.weight(node);
                }
                entries.iter().for_each(|entry| self.entry(node, entry));
            }
            _ => {
                let message =
                    format!("a schema is a mapping or a definition's name, not {}", node.kind());
                self.error(code::NOT_A_SCHEMA, &node.span, message)
                    .help("write a mapping such as `{type: string}`, or `{}` to allow anything");
            }
        }
    }

    /// A name, or a reference to another node's definition.
    fn reference(&mut self, node: &'n Node) {
        match follow(self.scope, node, self.definitions) {
            Some(Err(lost)) => self.lost(lost, &node.span),
            _ => self.circle(node),
        }
    }

    /// Names that only name each other never come to a schema.
    fn circle(&mut self, node: &'n Node) {
        let mut seen = BTreeSet::new();
        let mut next = follow(self.scope, node, self.definitions);
        while let Some(Ok(target)) = next {
            if !seen.insert(target.address()) {
                let message = "the definition leads back to itself and never to a schema";
                self.error(code::CIRCULAR_DEFINITION, &node.span, message.to_owned())
                    .help("write the schema out in one of the definitions");
                return;
            }
            next = follow(target.scope, target.node, self.definitions);
        }
    }

    /// More schemas for one value than can be applied to it; told where that begins.
    fn weight(&mut self, node: &'n Node) {
        let (code, help, heavy) = match weight::check(self.scope, node, self.definitions) {
            Ok(()) | Err(Heavy::Inside) => return,
            Err(heavy @ Heavy::Endless) => {
                let help = "let it contain itself only below `properties` or `items`";
                (code::CIRCULAR_DEFINITION, help, heavy)
            }
            Err(heavy @ Heavy::TooMany) => {
                let help = "refer to each definition once, or write what they say together";
                (code::SCHEMA_TOO_HEAVY, help, heavy)
            }
        };
        self.error(code, &node.span, heavy.told()).help(help);
    }

    fn lost(&mut self, lost: Lost<'n>, at: &Range<usize>) {
        let (message, help) = match lost {
            Lost::Name { owner, name } => {
                (format!("`{owner}` has no definition `{name}`"), self.name_help(owner, name))
            }
            Lost::Pointer(pointer) => (
                format!("`{pointer}` leads to nothing"),
                "write the name of a definition in place of the whole schema".to_owned(),
            ),
            Lost::Remote(text) => {
                let message = format!("`{text}` leads out of the contract; nothing is fetched");
                self.error(code::REMOTE_REFERENCE, at, message)
                    .help("copy the schema into `definitions`, or write `{from: node, name: X}`");
                return;
            }
        };
        self.error(code::UNKNOWN_SCHEMA_NAME, at, message).help(help);
    }

    fn name_help(&self, owner: &str, name: &str) -> String {
        if let Some(ty) = type_of_word(name) {
            return format!("write `{{type: {ty}}}` if the type is meant");
        }
        if let Some(question) = did_you_mean(name, self.definitions.names(owner)) {
            return question;
        }
        let is_known = self.definitions.nodes().any(|node| node == owner);
        match did_you_mean(owner, self.definitions.nodes().filter(|_| !is_known)) {
            Some(question) => question,
            None => format!("add it under `definitions` of `{owner}`"),
        }
    }

    fn entry(&mut self, parent: &'n Node, entry: &'n Entry) {
        let Some(keyword) = keyword::find(&entry.key) else {
            if !entry.key.starts_with("x-") {
                self.unknown_keyword(entry);
            }
            return;
        };
        match keyword.effect {
            Effect::Acts | Effect::Describes => {}
            Effect::NotEnforced(why) => {
                let message = format!("`{}` is not enforced: {why}", keyword.name);
                let note = Diagnostic::note;
                let note =
                    note(self.source, code::SCHEMA_NOT_ENFORCED, entry.key_span.clone(), message);
                self.findings.push(note.with_help("nothing to do if it is meant for readers"));
            }
            Effect::Refused(instead) => {
                let message = format!("`{}` is not supported", keyword.name);
                self.error(code::SCHEMA_KEYWORD_VALUE, &entry.key_span, message).help(instead);
                return;
            }
        }
        self.value(keyword, &entry.value);
        if keyword.name == "required" {
            self.undeclared(parent, &entry.value);
        }
    }

    fn unknown_keyword(&mut self, entry: &Entry) {
        let known = KEYWORDS.iter().map(|keyword| keyword.name);
        let help = match keyword::instead_of(&entry.key) {
            Some(instead) => instead.to_owned(),
            None => did_you_mean(&entry.key, known)
                .unwrap_or_else(|| "remove it, or begin it with `x-`".to_owned()),
        };
        let message = format!("`{}` is no keyword of JSON Schema; it does nothing", entry.key);
        let at = entry.key_span.clone();
        let finding = Diagnostic::warning(self.source, code::UNKNOWN_SCHEMA_KEYWORD, at, message);
        self.findings.push(finding.with_help(help));
    }

    /// What stands under a keyword.
    fn value(&mut self, keyword: &Keyword, value: &'n Node) {
        match (keyword.takes, &value.tree) {
            (Takes::Any, _) | (Takes::Text, Tree::String(_)) | (Takes::Truth, Tree::Bool(_)) => {}
            (Takes::Number, Tree::Int(_) | Tree::Double(_)) => {}
            (Takes::Divisor, Tree::Int(1..)) => {}
            (Takes::Divisor, Tree::Double(number)) if *number > 0.0 => {}
            (Takes::Count, Tree::Int(0..)) => {}
            (Takes::Values, Tree::List(items)) if !items.is_empty() => {}
            (Takes::Schema, Tree::Bool(_) | Tree::String(_) | Tree::Map(_)) => self.schema(value),
            (Takes::Schemas, Tree::List(items)) if !items.is_empty() => {
                items.iter().for_each(|item| self.schema(item));
            }
            (Takes::SchemaMap, Tree::Map(entries)) => {
                entries.iter().for_each(|entry| self.schema(&entry.value));
            }
            (Takes::PatternMap, Tree::Map(entries)) => {
                for entry in entries {
                    self.pattern(&entry.key, &entry.key_span);
                    self.schema(&entry.value);
                }
            }
            (Takes::Pattern, Tree::String(pattern)) => self.pattern(pattern, &value.span),
            (Takes::Types, Tree::String(word)) => self.type_word(word, &value.span),
            (Takes::Types, Tree::List(items)) if !items.is_empty() => self.type_words(items),
            (Takes::Types, Tree::Null) => {
                let message = "`type` is the name of a type, not nothing".to_owned();
                self.error(code::UNKNOWN_TYPE, &value.span, message)
                    .help("write `\"null\"` in quotes if the type of null is meant");
            }
            (Takes::Names, Tree::List(items)) => self.names(items),
            (Takes::NamesMap, Tree::Map(entries)) => {
                entries.iter().for_each(|entry| match &entry.value.tree {
                    Tree::List(items) => self.names(items),
                    _ => self.misfit(keyword, &entry.value),
                });
            }
            (Takes::Reference, Tree::String(text)) => {
                if let Err(lost) = follow_ref(self.scope, text, self.definitions) {
                    self.lost(lost, &value.span);
                }
            }
            _ => self.misfit(keyword, value),
        }
    }

    fn misfit(&mut self, keyword: &Keyword, value: &Node) {
        let wanted = match keyword.takes {
            Takes::Schema | Takes::Any => "a schema",
            Takes::Schemas => "a list of at least one schema",
            Takes::SchemaMap | Takes::PatternMap => "a mapping of schemas",
            Takes::Text | Takes::Pattern | Takes::Reference => "text",
            Takes::Number => "a number",
            Takes::Divisor => "a number above 0",
            Takes::Count => "a whole number from 0",
            Takes::Truth => "true or false",
            Takes::Names => "a list of names",
            Takes::NamesMap => "a mapping of lists of names",
            Takes::Types => "the name of a type or a list of them",
            Takes::Values => "a list of at least one value",
        };
        let help = match (keyword.name, &value.tree) {
            ("required", Tree::Bool(_)) => "list the required names beside `properties`",
            ("items", Tree::List(_)) => "write `prefixItems` for one schema for each place",
            ("exclusiveMinimum" | "exclusiveMaximum", Tree::Bool(_)) => "write the number itself",
            _ => "correct the value or remove the keyword",
        };
        let given = match &value.tree {
            Tree::Int(number) => number.to_string(),
            Tree::Double(number) => format!("{number:?}"),
            Tree::List(items) if items.is_empty() => "an empty list".to_owned(),
            _ => value.kind().to_owned(),
        };
        let message = format!("`{}` takes {wanted}, this is {given}", keyword.name);
        self.error(code::SCHEMA_KEYWORD_VALUE, &value.span, message).help(help);
    }

    fn pattern(&mut self, pattern: &str, at: &Range<usize>) {
        let schema = serde_json::json!({ "pattern": pattern });
        let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
        if options.offline().build(&schema).is_err() {
            let message = "the pattern is no regular expression that we can match".to_owned();
            self.error(code::BAD_PATTERN, at, message)
                .help("look-around and back-references are not supported: they may never end");
        }
    }

    fn type_words(&mut self, items: &[Node]) {
        let mut seen = BTreeSet::new();
        for item in items {
            match &item.tree {
                Tree::String(word) => {
                    self.type_word(word, &item.span);
                    if !seen.insert(word) {
                        self.twice(word, &item.span);
                    }
                }
                _ => {
                    let message = format!("a type is a name, not {}", item.kind());
                    self.error(code::UNKNOWN_TYPE, &item.span, message)
                        .help("write `\"null\"` in quotes if the type of null is meant");
                }
            }
        }
    }

    fn type_word(&mut self, word: &str, at: &Range<usize>) {
        if TYPES.contains(&word) {
            return;
        }
        let help = if self.definitions.get(self.scope.owner, word).is_some() {
            format!("write `{word}` in place of the whole schema to use the definition")
        } else if word == "any" {
            "leave `type` out to allow anything".to_owned()
        } else {
            match type_of_word(word).or_else(|| nearest(word, TYPES.iter().copied())) {
                Some(ty) => format!("did you mean `{ty}`?"),
                None => format!("the types are {}", TYPES.join(", ")),
            }
        };
        self.error(code::UNKNOWN_TYPE, at, format!("there is no type `{word}`")).help(help);
    }

    fn names(&mut self, items: &[Node]) {
        let mut seen = BTreeSet::new();
        for item in items {
            match item.as_str() {
                Some(name) if !seen.insert(name) => self.twice(name, &item.span),
                Some(_) => {}
                None => {
                    let message = format!("a name is text, not {}", item.kind());
                    self.error(code::SCHEMA_KEYWORD_VALUE, &item.span, message)
                        .help("write the name, in quotes if it looks like a number");
                }
            }
        }
    }

    fn twice(&mut self, name: &str, at: &Range<usize>) {
        let message = format!("`{name}` is given twice");
        self.error(code::SCHEMA_KEYWORD_VALUE, at, message).help("remove one of the two");
    }

    /// Required names that `properties` lacks: no expression can select them.
    fn undeclared(&mut self, parent: &Node, required: &Node) {
        let Some(properties) = parent.get("properties") else {
            return;
        };
        let is_open = |keyword: &str| {
            parent.get(keyword).is_some_and(|value| !matches!(value.tree, Tree::Bool(false)))
        };
        let opening = ["additionalProperties", "patternProperties", "allOf", "$ref"];
        if opening.into_iter().any(is_open) {
            return;
        }
        for item in required.items() {
            let Some(name) = item.as_str().filter(|name| properties.get(name).is_none()) else {
                continue;
            };
            let declared = properties.entries().iter().map(|entry| &*entry.key);
            let help = did_you_mean(name, declared)
                .unwrap_or_else(|| format!("add `{name}` to `properties`"));
            let message = format!("`{name}` is required but not among the `properties`");
            let at = item.span.clone();
            let finding = Diagnostic::warning(self.source, code::REQUIRED_UNDECLARED, at, message);
            self.findings.push(finding.with_help(help));
        }
    }

    fn error(&mut self, code: &'static str, at: &Range<usize>, message: String) -> Pushed<'_> {
        self.findings.push(Diagnostic::error(self.source, code, at.clone(), message));
        Pushed(self.findings.last_mut())
    }
}

/// A finding that waits for its remedy.
struct Pushed<'f>(Option<&'f mut Diagnostic>);

impl Pushed<'_> {
    fn help(self, help: impl Into<String>) {
        if let Some(finding) = self.0 {
            finding.help = Some(help.into());
        }
    }
}

/// The type that a word of another language means, or the type itself.
fn type_of_word(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    let synonym = TYPE_SYNONYMS.iter().find(|(synonym, _)| *synonym == word);
    let own = TYPES.iter().find(|ty| **ty == word);
    synonym.map(|(_, ty)| *ty).or(own.copied())
}
