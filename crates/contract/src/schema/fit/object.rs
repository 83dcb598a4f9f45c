//! Maps: fields, required ones, and those beyond the declared.

use onex_expr::{Key, Value};

use super::kinds::Kinds;
use super::made::Made;
use super::{Gap, Pass, gap};

impl<'v> Pass<'v> {
    /// Keywords about maps.
    pub(super) fn object(
        &mut self,
        made: &Made<'v>,
        wanted: &'v Value,
        path: &str,
        gaps: &mut Vec<Gap>,
    ) {
        let kinds = made.kinds();
        if !kinds.has(Kinds::OBJECT) {
            return;
        }
        let alone = kinds.without(Kinds::OBJECT).is_empty();
        let from = gaps.len();
        self.fields(made, wanted, path, gaps);
        required(made, wanted, path, gaps);
        self.others(made, wanted, path, gaps);
        for keyword in ["patternProperties", "propertyNames", "dependentRequired"] {
            if let Some(rule) = wanted.get(keyword)
                && !made.all(keyword).any(|other| other == rule)
                && (keyword != "dependentRequired" || !holds_anyway(made, rule))
            {
                gaps.push(gap(path, format!("`{keyword}` may not hold"), false));
            }
        }
        if !alone {
            gaps[from..].iter_mut().for_each(|gap| gap.certain = false);
        }
    }

    fn fields(&mut self, made: &Made<'v>, wanted: &'v Value, path: &str, gaps: &mut Vec<Gap>) {
        for (name, want) in entries(wanted.get("properties")) {
            if let Some(have) = field(self.made, made, name) {
                gaps.extend(self.compare(&have, want, &below(path, name)));
            } else if let Some(others) = said_of_others(made) {
                let have = Made::of(self.made, others);
                let found = self.compare(&have, want, &below(path, name));
                gaps.extend(found.into_iter().map(|gap| Gap { certain: false, ..gap }));
            }
        }
    }

    /// What is wanted of fields that the consumer does not declare.
    fn others(&mut self, made: &Made<'v>, wanted: &'v Value, path: &str, gaps: &mut Vec<Gap>) {
        let Some(rule) = wanted.get("additionalProperties").or(wanted.get("unevaluatedProperties"))
        else {
            return;
        };
        if rule.as_bool() == Some(true) || wanted.get("patternProperties").is_some() {
            return;
        }
        let closed = rule.as_bool() == Some(false);
        for name in names(made).filter(|name| !declares(wanted, name)) {
            let path = below(path, name);
            if closed {
                let message = "it is not wanted: `additionalProperties` is false".to_owned();
                gaps.push(gap(&path, message, requires(made, name)));
            } else if let Some(have) = field(self.made, made, name) {
                gaps.extend(self.compare(&have, rule, &path));
            }
        }
        match said_of_others(made) {
            Some(_) if closed => {
                gaps.push(gap(path, "it may have fields that are not wanted", false));
            }
            Some(others) => {
                let have = Made::of(self.made, others);
                gaps.extend(self.compare(&have, rule, &below(path, "*")));
            }
            None => {}
        }
    }
}

/// Fields that must be there.
fn required(made: &Made<'_>, wanted: &Value, path: &str, gaps: &mut Vec<Gap>) {
    let names = wanted.get("required").and_then(Value::as_list).unwrap_or_default();
    for name in names.iter().filter_map(Value::as_str).filter(|name| !requires(made, name)) {
        let never = !declared(made, name)
            && said_of_others(made).is_none()
            && made.all("properties").next().is_some();
        let message = match never {
            true => "it is required and never there",
            false => "it may be missing and is required",
        };
        gaps.push(gap(&below(path, name), message, never));
    }
}

/// What is known of a field, when any part declares it.
fn field<'v>(document: &'v Value, made: &Made<'v>, name: &str) -> Option<Made<'v>> {
    let schemas = made.all("properties").filter_map(|fields| fields.get(name));
    schemas.map(|schema| Made::of(document, schema)).find(|field| !field.says_nothing()).or_else(
        || {
            made.all("properties")
                .find_map(|fields| fields.get(name))
                .map(|s| Made::of(document, s))
        },
    )
}

/// What a producer says of fields that it does not declare; it makes none when it says nothing of
/// them but declares others.
fn said_of_others<'v>(made: &Made<'v>) -> Option<&'v Value> {
    let closed = made.all("additionalProperties").any(|rule| rule.as_bool() == Some(false));
    let said = made
        .all("additionalProperties")
        .chain(made.all("unevaluatedProperties"))
        .chain(made.all("patternProperties"));
    said.filter(|_| !closed).find(|rule| rule.as_bool() != Some(false))
}

fn entries(map: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    let entries = map.and_then(Value::as_map).into_iter().flat_map(|map| map.iter());
    entries.filter_map(|(key, value)| match key {
        Key::String(name) => Some((name.as_str(), value)),
        _ => None,
    })
}

fn names<'v>(made: &Made<'v>) -> impl Iterator<Item = &'v str> {
    made.all("properties").flat_map(|fields| entries(Some(fields))).map(|(name, _)| name)
}

fn declared(made: &Made<'_>, name: &str) -> bool {
    made.parts().any(|part| declares(part, name))
}

fn declares(schema: &Value, name: &str) -> bool {
    schema.get("properties").is_some_and(|fields| fields.get(name).is_some())
}

fn requires(made: &Made<'_>, name: &str) -> bool {
    let lists = made.all("required").filter_map(Value::as_list);
    lists.flatten().any(|required| required.as_str() == Some(name))
}

/// Whether every field that some other field demands is there in any case.
fn holds_anyway(made: &Made<'_>, rule: &Value) -> bool {
    entries(Some(rule)).all(|(name, demanded)| {
        let demanded = demanded.as_list().unwrap_or_default();
        let there = |other: &Value| other.as_str().is_some_and(|other| requires(made, other));
        let made_never = !declared(made, name) && said_of_others(made).is_none();
        made_never || demanded.iter().all(there)
    })
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
