//! Types, listed values, and bounds of numbers, texts and sizes.

use onex_expr::Value;

use super::kinds::Kinds;
use super::made::Made;
use super::{Gap, gap};

/// What is wrong with the type, and with values that are listed where they are wanted.
pub(super) fn kind(made: &Made<'_>, wanted: &Value, path: &str) -> Option<Gap> {
    let kinds = made.kinds();
    if let Some(ty) = wanted.get("type") {
        let allowed = Kinds::of_keyword(ty);
        if !kinds.has(allowed) {
            let message = format!("{} where {} is wanted", kinds.name(), allowed.name());
            return Some(gap(path, message, true));
        }
        let rest = kinds.without(allowed);
        if !rest.is_empty() {
            let message = format!("it may be {} where {} is wanted", rest.name(), allowed.name());
            return Some(gap(path, message, false));
        }
    }
    let listed = wanted.get("enum").and_then(Value::as_list);
    let values = listed.or_else(|| wanted.get("const").map(std::slice::from_ref))?;
    if covers(values, kinds) {
        return None;
    }
    let possible = values.iter().any(|value| kinds.has(Kinds::of_value(value)));
    let names: Vec<String> = values.iter().take(NAMED_MAX).map(Value::to_json).collect();
    let more = if values.len() > NAMED_MAX { ", ..." } else { "" };
    let is = if possible { "it may be any" } else { "it is never" };
    let message = match possible {
        true => format!("{is} {}, only {}{more} is wanted", bare(kinds), names.join(", ")),
        false => format!("{is} {}{more}", names.join(", ")),
    };
    Some(gap(path, message, !possible))
}

/// The most values named in a message.
const NAMED_MAX: usize = 5;

fn bare(kinds: Kinds) -> String {
    kinds.name().trim_start_matches("a ").trim_start_matches("an ").to_owned()
}

/// Whether the listed values are all there are of these types.
fn covers(values: &[Value], kinds: Kinds) -> bool {
    let has = |value: &Value| values.contains(value);
    let bools = !kinds.has(Kinds::BOOL) || (has(&Value::Bool(true)) && has(&Value::Bool(false)));
    let null = !kinds.has(Kinds::NULL) || has(&Value::Null);
    kinds.without(Kinds::BOOL.or(Kinds::NULL)).is_empty() && bools && null
}

/// One pair of keywords that bound a quantity of values of one type.
struct Range {
    of: Kinds,
    lower: &'static str,
    upper: &'static str,
    below: &'static str,
    above: &'static str,
    /// The quantity is never less.
    least: f64,
}

const RANGES: [Range; 4] = [
    Range {
        of: Kinds::NUMBER,
        lower: "minimum",
        upper: "maximum",
        below: "below",
        above: "above",
        least: f64::NEG_INFINITY,
    },
    Range {
        of: Kinds::STRING,
        lower: "minLength",
        upper: "maxLength",
        below: "shorter than",
        above: "longer than",
        least: 0.0,
    },
    Range {
        of: Kinds::ARRAY,
        lower: "minItems",
        upper: "maxItems",
        below: "shorter than",
        above: "longer than",
        least: 0.0,
    },
    Range {
        of: Kinds::OBJECT,
        lower: "minProperties",
        upper: "maxProperties",
        below: "smaller than",
        above: "larger than",
        least: 0.0,
    },
];

/// Bounds that the made value may break.
pub(super) fn bounds(made: &Made<'_>, wanted: &Value, path: &str) -> Vec<Gap> {
    let kinds = made.kinds();
    let mut gaps = Vec::new();
    for range in RANGES.iter().filter(|range| kinds.has(range.of)) {
        let alone = range.of.or(kinds) == range.of;
        let low = made.bound(range.lower, true).unwrap_or(range.least);
        let high = made.bound(range.upper, false).unwrap_or(f64::INFINITY);
        if let Some(least) = wanted.get(range.lower).and_then(Value::as_double) {
            let low = low.max(exclusive(made, "exclusiveMinimum", range, true).unwrap_or(low));
            if low < least {
                let certain = alone && high < least;
                gaps.push(gap(
                    path,
                    format!("{} {} {least}", it_is(certain), range.below),
                    certain,
                ));
            }
        }
        if let Some(most) = wanted.get(range.upper).and_then(Value::as_double) {
            let high = high.min(exclusive(made, "exclusiveMaximum", range, false).unwrap_or(high));
            if high > most {
                let certain = alone && low > most;
                gaps.push(gap(path, format!("{} {} {most}", it_is(certain), range.above), certain));
            }
        }
    }
    if kinds.has(Kinds::NUMBER) {
        gaps.extend(open_bounds(made, wanted, path));
    }
    if kinds.has(Kinds::STRING)
        && let Some(pattern) = wanted.get("pattern")
        && !made.all("pattern").any(|other| other == pattern)
    {
        let pattern = pattern.as_str().unwrap_or_default();
        gaps.push(gap(path, format!("it may not match `{pattern}`"), false));
    }
    gaps
}

fn it_is(certain: bool) -> &'static str {
    if certain { "it is always" } else { "it may be" }
}

fn exclusive(made: &Made<'_>, keyword: &'static str, range: &Range, lower: bool) -> Option<f64> {
    made.bound(keyword, lower).filter(|_| range.of == Kinds::NUMBER)
}

/// `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf`.
fn open_bounds(made: &Made<'_>, wanted: &Value, path: &str) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let number = |keyword: &str| wanted.get(keyword).and_then(Value::as_double);
    if let Some(least) = number("exclusiveMinimum") {
        let above = made.bound("minimum", true).is_some_and(|low| low > least)
            || made.bound("exclusiveMinimum", true).is_some_and(|low| low >= least);
        let never = made.bound("maximum", false).is_some_and(|high| high <= least);
        if !above {
            gaps.push(gap(path, format!("it may not be above {least}"), never));
        }
    }
    if let Some(most) = number("exclusiveMaximum") {
        let below = made.bound("maximum", false).is_some_and(|high| high < most)
            || made.bound("exclusiveMaximum", false).is_some_and(|high| high <= most);
        let never = made.bound("minimum", true).is_some_and(|low| low >= most);
        if !below {
            gaps.push(gap(path, format!("it may not be below {most}"), never));
        }
    }
    if let Some(step) = number("multipleOf") {
        let whole = |given: f64| (given / step).fract() == 0.0;
        let integers = made.kinds().without(Kinds::of_value(&Value::Int(1))).is_empty();
        let fits = made.all("multipleOf").filter_map(Value::as_double).any(whole)
            || (integers && whole(1.0));
        if !fits {
            gaps.push(gap(path, format!("it may be no multiple of {step}"), false));
        }
    }
    gaps
}
