//! What is known of the producer's value: the schemas that all hold of it, and the choices that
//! are open.

use onex_expr::Value;

use super::address;
use super::kinds::Kinds;

/// A value of which all parts hold.
#[derive(Clone, Debug)]
pub(super) struct Made<'v> {
    parts: Vec<&'v Value>,
    /// Lists of which one member holds as well.
    choices: Vec<&'v [Value]>,
    /// The types it may have, as far as this case goes.
    only: Kinds,
}

/// Keywords from which a type may be read where `type` is not given.
const TELLING: [(Kinds, &[&str]); 4] = [
    (Kinds::OBJECT, &["properties", "required", "additionalProperties", "patternProperties"]),
    (Kinds::ARRAY, &["items", "prefixItems", "minItems", "maxItems", "contains"]),
    (Kinds::STRING, &["pattern", "minLength", "maxLength"]),
    (Kinds::NUMBER, &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
];

impl<'v> Made<'v> {
    /// What a schema of the document says.
    pub(super) fn of(document: &'v Value, schema: &'v Value) -> Made<'v> {
        let mut made = Made { parts: Vec::new(), choices: Vec::new(), only: Kinds::ALL };
        made.add(document, schema);
        made
    }

    fn add(&mut self, document: &'v Value, schema: &'v Value) {
        for part in conjuncts(document, schema) {
            self.parts.push(part);
            let choices = ["anyOf", "oneOf"].into_iter().filter_map(|key| part.get(key)?.as_list());
            self.choices.extend(choices);
        }
    }

    /// The values of a keyword, of each part that has it.
    pub(super) fn all(&self, keyword: &'static str) -> impl Iterator<Item = &'v Value> {
        self.parts.iter().filter_map(move |part| part.get(keyword))
    }

    /// The parts.
    pub(super) fn parts(&self) -> impl Iterator<Item = &'v Value> {
        self.parts.iter().copied()
    }

    /// Whether nothing is known of the value.
    pub(super) fn says_nothing(&self) -> bool {
        let acts = |part: &&Value| match part.as_map() {
            Some(keywords) => keywords.iter().any(|(key, _)| {
                let keyword = key.as_str().and_then(super::super::keyword::find);
                keyword.is_some_and(|k| k.effect == super::super::keyword::Effect::Acts)
            }),
            None => part.as_bool() == Some(false),
        };
        self.only == Kinds::ALL && !self.parts.iter().any(acts)
    }

    /// What tells this value from another one of the same document.
    pub(super) fn addresses(&self) -> Vec<usize> {
        let choices = self.choices.iter().map(|choice| choice.as_ptr() as usize);
        self.parts.iter().map(|part| address(part)).chain(choices).collect()
    }

    /// The types it may have.
    pub(super) fn kinds(&self) -> Kinds {
        let said = self.all("type").map(Kinds::of_keyword);
        let mut kinds = said.fold(self.only, Kinds::and);
        for value in self.all("const") {
            kinds = kinds.and(Kinds::of_value(value));
        }
        for values in self.all("enum").filter_map(Value::as_list) {
            let of = values.iter().map(Kinds::of_value);
            kinds = kinds.and(of.fold(Kinds::ALL.without(Kinds::ALL), Kinds::or));
        }
        let told = self.all("type").chain(self.all("const")).chain(self.all("enum")).next();
        if told.is_none() && self.choices.is_empty() && self.only == Kinds::ALL {
            let telling = TELLING.iter().find(|(_, keys)| {
                keys.iter().any(|key| self.parts.iter().any(|part| part.get(key).is_some()))
            });
            kinds = telling.map_or(kinds, |(kind, _)| *kind);
        }
        kinds
    }

    /// One case a member of the first open choice; members of no possible type are left out.
    pub(super) fn alternatives(&self, document: &'v Value) -> Option<Vec<Made<'v>>> {
        let mut rest = self.clone();
        let members = rest.choices.pop()?;
        let cases = members.iter().map(|member| {
            let mut case = rest.clone();
            case.add(document, member);
            case
        });
        Some(cases.filter(|case| !case.kinds().is_empty()).collect())
    }

    /// One case a type, when it may have several.
    pub(super) fn by_kind(&self) -> Option<Vec<Made<'v>>> {
        let kinds = self.kinds().each();
        let case = |only: Kinds| Made { only, ..self.clone() };
        (kinds.len() > 1).then(|| kinds.into_iter().map(case).collect())
    }

    /// Every value it may be, when the schema lists them.
    pub(super) fn values(&self) -> Option<Vec<&'v Value>> {
        let constant = self.all("const").next().map(|value| vec![value]);
        let listed = || Some(self.all("enum").next()?.as_list()?.iter().collect());
        let values: Vec<&Value> = constant.or_else(listed)?;
        let kinds = self.kinds();
        Some(values.into_iter().filter(|value| kinds.has(Kinds::of_value(value))).collect())
    }

    /// The largest of the lower bounds, and the smallest of the upper ones, that keywords give.
    pub(super) fn bound(&self, keyword: &'static str, is_lower: bool) -> Option<f64> {
        let given = self.all(keyword).filter_map(Value::as_double);
        given.reduce(|a, b| if is_lower { a.max(b) } else { a.min(b) })
    }
}

/// The schema and everything that must hold with it: references followed, `allOf` taken apart.
pub(in crate::schema) fn conjuncts<'v>(document: &'v Value, schema: &'v Value) -> Vec<&'v Value> {
    let mut parts: Vec<&Value> = Vec::new();
    let mut open = vec![schema];
    while let Some(part) = open.pop() {
        if parts.iter().any(|known| std::ptr::eq(*known, part)) {
            continue;
        }
        parts.push(part);
        open.extend(part.get("$ref").and_then(|reference| target(document, reference)));
        open.extend(part.get("allOf").and_then(Value::as_list).unwrap_or_default());
    }
    parts
}

/// What a reference of a translated document leads to: the document itself or one of its `$defs`.
fn target<'v>(document: &'v Value, reference: &Value) -> Option<&'v Value> {
    let reference = reference.as_str()?;
    match reference.strip_prefix("#/$defs/") {
        Some(name) => document.get("$defs")?.get(&unescaped(name)),
        None => (reference == "#").then_some(document),
    }
}

/// The name that a part of a JSON pointer in a URI fragment stands for.
fn unescaped(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = hex.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).replace("~1", "/").replace("~0", "~")
}
