//! The keywords of JSON Schema 2020-12: what each takes, and whether it acts.

/// What may stand under a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// A schema.
    Schema,
    /// A list of at least one schema.
    Schemas,
    /// A map of schemas.
    SchemaMap,
    /// Text.
    Text,
    /// A regular expression.
    Pattern,
    /// A map from regular expressions to schemas.
    PatternMap,
    /// A number.
    Number,
    /// A number above 0.
    Divisor,
    /// A whole number from 0.
    Count,
    /// `true` or `false`.
    Truth,
    /// A list of different names.
    Names,
    /// A map of lists of names.
    NamesMap,
    /// The name of a type, or a list of them.
    Types,
    /// A list of at least one value.
    Values,
    /// Anything.
    Any,
    /// `#/...`
    Reference,
}

/// What a keyword does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// A value that does not satisfy it does not fit.
    Acts,
    /// It is for readers.
    Describes,
    /// Its author may think that it acts.
    NotEnforced(&'static str),
    /// It would change what other keywords mean.
    Refused(&'static str),
}

/// A keyword.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyword {
    pub(super) name: &'static str,
    pub(super) takes: Takes,
    pub(super) effect: Effect,
}

const fn acts(name: &'static str, takes: Takes) -> Keyword {
    Keyword { name, takes, effect: Effect::Acts }
}

const fn describes(name: &'static str, takes: Takes) -> Keyword {
    Keyword { name, takes, effect: Effect::Describes }
}

const fn not_enforced(name: &'static str, takes: Takes, why: &'static str) -> Keyword {
    Keyword { name, takes, effect: Effect::NotEnforced(why) }
}

const fn refused(name: &'static str, instead: &'static str) -> Keyword {
    Keyword { name, takes: Takes::Any, effect: Effect::Refused(instead) }
}

/// Why `format` and its like do not act.
const DESCRIBES_ONLY: &str = "it only describes in JSON Schema 2020-12; `pattern` checks a text";
/// What to use where anchors are not.
const USE_NAMES: &str = "name the schema under `definitions` and refer to it by its name";

/// Every keyword, in the order of the standard.
pub(super) const KEYWORDS: &[Keyword] = &[
    acts("$ref", Takes::Reference),
    describes("$defs", Takes::SchemaMap),
    describes("definitions", Takes::SchemaMap),
    describes("$schema", Takes::Text),
    describes("$id", Takes::Text),
    describes("$comment", Takes::Text),
    refused("$anchor", USE_NAMES),
    refused("$dynamicRef", USE_NAMES),
    refused("$dynamicAnchor", USE_NAMES),
    refused("$recursiveRef", USE_NAMES),
    refused("$recursiveAnchor", USE_NAMES),
    refused("$vocabulary", "remove it"),
    acts("allOf", Takes::Schemas),
    acts("anyOf", Takes::Schemas),
    acts("oneOf", Takes::Schemas),
    acts("not", Takes::Schema),
    acts("if", Takes::Schema),
    acts("then", Takes::Schema),
    acts("else", Takes::Schema),
    acts("dependentSchemas", Takes::SchemaMap),
    acts("prefixItems", Takes::Schemas),
    acts("items", Takes::Schema),
    acts("contains", Takes::Schema),
    acts("properties", Takes::SchemaMap),
    acts("patternProperties", Takes::PatternMap),
    acts("additionalProperties", Takes::Schema),
    acts("propertyNames", Takes::Schema),
    acts("unevaluatedItems", Takes::Schema),
    acts("unevaluatedProperties", Takes::Schema),
    acts("type", Takes::Types),
    acts("enum", Takes::Values),
    acts("const", Takes::Any),
    acts("multipleOf", Takes::Divisor),
    acts("maximum", Takes::Number),
    acts("exclusiveMaximum", Takes::Number),
    acts("minimum", Takes::Number),
    acts("exclusiveMinimum", Takes::Number),
    acts("maxLength", Takes::Count),
    acts("minLength", Takes::Count),
    acts("pattern", Takes::Pattern),
    acts("maxItems", Takes::Count),
    acts("minItems", Takes::Count),
    acts("uniqueItems", Takes::Truth),
    acts("maxContains", Takes::Count),
    acts("minContains", Takes::Count),
    acts("maxProperties", Takes::Count),
    acts("minProperties", Takes::Count),
    acts("required", Takes::Names),
    acts("dependentRequired", Takes::NamesMap),
    not_enforced("format", Takes::Text, DESCRIBES_ONLY),
    not_enforced("contentEncoding", Takes::Text, DESCRIBES_ONLY),
    not_enforced("contentMediaType", Takes::Text, DESCRIBES_ONLY),
    not_enforced("contentSchema", Takes::Schema, DESCRIBES_ONLY),
    not_enforced("default", Takes::Any, "no value is filled in; an expression may, with `orValue`"),
    describes("title", Takes::Text),
    describes("description", Takes::Text),
    describes("deprecated", Takes::Truth),
    describes("readOnly", Takes::Truth),
    describes("writeOnly", Takes::Truth),
    describes("examples", Takes::Any),
];

/// Keywords of other drafts and languages, and what to write instead.
const FOREIGN: &[(&str, &str)] = &[
    ("nullable", "write `type: [string, \"null\"]` with the type in place of `string`"),
    ("additionalItems", "write `prefixItems` for the first items and `items` for the others"),
    ("dependencies", "write `dependentRequired` or `dependentSchemas`"),
    ("optional", "leave the name out of `required`"),
    ("example", "write `examples` with a list"),
    ("fields", "write `properties`"),
];

/// The names of the types.
pub(super) const TYPES: &[&str] =
    &["string", "integer", "number", "boolean", "object", "array", "null"];

/// What other languages call the types.
pub(super) const TYPE_SYNONYMS: &[(&str, &str)] = &[
    ("str", "string"),
    ("text", "string"),
    ("uuid", "string"),
    ("datetime", "string"),
    ("date", "string"),
    ("timestamp", "string"),
    ("bytes", "string"),
    ("int", "integer"),
    ("long", "integer"),
    ("float", "number"),
    ("double", "number"),
    ("decimal", "number"),
    ("bool", "boolean"),
    ("dict", "object"),
    ("map", "object"),
    ("mapping", "object"),
    ("list", "array"),
    ("tuple", "array"),
    ("set", "array"),
    ("none", "null"),
];

/// The keyword of a name.
pub(super) fn find(name: &str) -> Option<&'static Keyword> {
    KEYWORDS.iter().find(|keyword| keyword.name == name)
}

/// What to write in place of a keyword that is none here.
pub(super) fn instead_of(name: &str) -> Option<&'static str> {
    FOREIGN.iter().find(|(foreign, _)| *foreign == name).map(|(_, instead)| *instead)
}
