//! How many schemas are applied to one and the same value: what a validator has to do for it,
//! whatever the value is.
//!
//! A schema that refers twice to one that refers twice to a third applies four to each value, and
//! forty such levels more than any machine can. Schemas of parts of the value do not count: the
//! value itself bounds them.

use std::collections::BTreeMap;

use crate::yaml::Node;

use super::Definitions;
use super::reference::{Scope, Target, follow, follow_ref};

/// The most schemas that are applied to one value.
const APPLIED_MAX: u64 = 10_000;
/// The most schemas inside each other that are applied to one value.
const HEIGHT_MAX: usize = 128;
/// How far down is looked, which bounds the stack: deeper ones are too high from further down.
const DEPTH_MAX: usize = 4 * HEIGHT_MAX;

/// Why a schema cannot be applied to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heavy {
    /// It applies too many schemas, and none of them does so by itself.
    TooMany,
    /// It applies itself to the same value again.
    Endless,
    /// It applies one of which one of these is true.
    Inside,
}

impl Heavy {
    /// What is wrong, for a message.
    pub(super) fn told(self) -> String {
        match self {
            Heavy::Endless => "the schema applies itself to the same value, without end".to_owned(),
            Heavy::TooMany | Heavy::Inside => format!(
                "more than {APPLIED_MAX} schemas, or {HEIGHT_MAX} inside each other, for one value"
            ),
        }
    }
}

/// Whether the schema can be applied to a value.
pub(super) fn check<'n>(
    scope: Scope<'n>,
    node: &'n Node,
    definitions: &Definitions<'n>,
) -> Result<(), Heavy> {
    let mut scale = Scale { definitions, known: BTreeMap::from([(address(node), None)]), depth: 0 };
    match scale.schema(scope, node) {
        Ok(weight) if weight.is_heavy() => Err(Heavy::TooMany),
        Ok(_) => Ok(()),
        Err(Stop::Circle(at)) if at == address(node) => Err(Heavy::Endless),
        Err(_) => Err(Heavy::Inside),
    }
}

/// What a schema has a validator do for one value.
#[derive(Clone, Copy)]
struct Weight {
    /// How many schemas it applies, itself among them.
    applied: u64,
    /// How many stand inside each other.
    height: usize,
}

impl Weight {
    fn is_heavy(self) -> bool {
        self.applied > APPLIED_MAX || self.height > HEIGHT_MAX
    }

    fn add(&mut self, part: Weight) {
        self.applied += part.applied;
        self.height = self.height.max(part.height + 1);
    }
}

/// Why a schema inside is not weighed to the end.
enum Stop {
    Heavy,
    /// Where the circle begins.
    Circle(usize),
}

struct Scale<'d, 'n> {
    definitions: &'d Definitions<'n>,
    /// What each target weighs, by its address; `None` while it is on the scale.
    known: BTreeMap<usize, Option<Weight>>,
    depth: usize,
}

impl<'n> Scale<'_, 'n> {
    fn schema(&mut self, scope: Scope<'n>, node: &'n Node) -> Result<Weight, Stop> {
        match follow(scope, node, self.definitions) {
            Some(Ok(target)) => self.target(target),
            Some(Err(_)) => Ok(Weight { applied: 1, height: 1 }),
            None => self.parts(scope, node),
        }
    }

    /// A schema inside another, which has to be light enough by itself.
    fn inside(&mut self, scope: Scope<'n>, node: &'n Node) -> Result<Weight, Stop> {
        if self.depth >= DEPTH_MAX {
            return Err(Stop::Heavy);
        }
        self.depth += 1;
        let weight = self.schema(scope, node)?;
        self.depth -= 1;
        if weight.is_heavy() { Err(Stop::Heavy) } else { Ok(weight) }
    }

    fn target(&mut self, target: Target<'n>) -> Result<Weight, Stop> {
        let at = target.address();
        match self.known.get(&at) {
            Some(Some(weight)) => return Ok(*weight),
            Some(None) => return Err(Stop::Circle(at)),
            None => self.known.insert(at, None),
        };
        let weight = self.inside(target.scope, target.node)?;
        self.known.insert(at, Some(weight));
        Ok(weight)
    }

    /// The schema itself and those that it applies to the same value.
    fn parts(&mut self, scope: Scope<'n>, node: &'n Node) -> Result<Weight, Stop> {
        let mut weight = Weight { applied: 1, height: 1 };
        let reference = node.get("$ref").and_then(Node::as_str);
        if let Some(Ok(target)) = reference.map(|r| follow_ref(scope, r, self.definitions)) {
            weight.add(self.target(target)?);
        }
        let single = ["not", "if", "then", "else"].iter().filter_map(|keyword| node.get(keyword));
        let lists = ["allOf", "anyOf", "oneOf"].iter().filter_map(|keyword| node.get(keyword));
        let dependent = node.get("dependentSchemas").map_or(&[][..], Node::entries);
        let dependent = dependent.iter().map(|entry| &entry.value);
        for part in single.chain(lists.flat_map(Node::items)).chain(dependent) {
            weight.add(self.inside(scope, part)?);
        }
        Ok(weight)
    }
}

fn address(node: &Node) -> usize {
    std::ptr::from_ref(node) as usize
}
