//! What callers give, against what is read of it: an operation, a compute or a workflow without a
//! schema of its own is compiled once more with what each caller gives.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use onex_expr::{Field, ObjectType, Text, Type};

use super::{Linker, carried, compute, effect, orchestrator, reducer};
use crate::diagnostic::{Diagnostic, Severity, code};
use crate::graph::{NodeIndex, Performer};
use crate::model::{At, Contract};

/// What a caller gives.
pub(crate) struct Call {
    /// To whom.
    pub called: Called,
    /// What is known of it.
    pub made: Type,
    /// Where the caller says so.
    pub at: At,
}

/// What can be called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Called {
    /// An operation of an effect.
    Operation(NodeIndex, u16),
    /// A compute.
    Compute(NodeIndex),
    /// The runs of an orchestrator.
    Run(NodeIndex),
    /// What a reducer or a run does with the messages of a topic that it hears, or a reducer with
    /// the input of the steps that give it this trigger.
    Heard(NodeIndex, Text),
}

/// What a node is linked with on trial, instead of what its contract says.
#[derive(Clone)]
pub(crate) enum Given {
    /// Its input.
    Input(Type),
    /// What it hears: by topic, or by trigger of steps.
    Carried(BTreeMap<Text, Type>),
}

impl Called {
    /// What an intent calls; a trigger of a reducer has its own messages.
    pub(crate) fn of(performer: Performer) -> Option<Called> {
        match performer {
            Performer::Operation(node, operation) => Some(Called::Operation(node, operation)),
            Performer::Run(node) => Some(Called::Run(node)),
            Performer::Trigger(..) => None,
        }
    }

    fn node(&self) -> usize {
        let (Called::Operation(node, _)
        | Called::Compute(node)
        | Called::Run(node)
        | Called::Heard(node, _)) = self;
        usize::from(node.0)
    }

    /// This given to it.
    fn given(&self, made: Type) -> Given {
        match self {
            Called::Heard(_, name) => Given::Carried(BTreeMap::from([(name.clone(), made)])),
            _ => Given::Input(made),
        }
    }
}

/// One thing that goes wrong with what a caller gives.
#[derive(Clone)]
struct Found {
    /// Whether every call goes wrong, as far as the types tell.
    certain: bool,
    message: String,
    /// Where it is read.
    at: At,
}

/// Judges every call.
pub(super) fn judge(linker: &mut Linker<'_, '_, '_>) {
    let mut known: BTreeMap<(Called, String), Vec<Found>> = BTreeMap::new();
    let mut calls = std::mem::take(&mut linker.calls);
    calls.extend(carried::calls(linker));
    let mut judged: Vec<(Call, Vec<Found>)> = Vec::new();
    for call in calls {
        let contract = &linker.system.contracts[call.called.node()];
        if call.made == Type::Dyn || declares(linker, &call.called, contract) {
            continue;
        }
        let key = (call.called.clone(), format!("{:?}", call.made));
        let found = known.entry(key).or_insert_with(|| found(linker, &call.called, &call.made));
        judged.push((call, found.clone()));
    }
    let content = content(linker, &judged);
    for (call, found) in &judged {
        for fault in found {
            let chosen = content.contains(&(&call.called, fault.at));
            report(linker, call, &Found { certain: fault.certain && !chosen, ..fault.clone() });
        }
    }
}

/// The places of reducers and waits that are content with one form of what they hear and not with
/// another: a guard may tell the two apart. Nothing tells them apart before the key is known.
fn content<'c>(
    linker: &Linker<'_, '_, '_>,
    judged: &'c [(Call, Vec<Found>)],
) -> BTreeSet<(&'c Called, At)> {
    let mut forms: BTreeMap<&Called, usize> = BTreeMap::new();
    let mut failing: BTreeMap<(&Called, At), usize> = BTreeMap::new();
    for (call, found) in judged.iter().filter(|(call, _)| matches!(call.called, Called::Heard(..)))
    {
        *forms.entry(&call.called).or_default() += 1;
        let places: BTreeSet<At> = found.iter().map(|fault| fault.at).collect();
        for at in places.into_iter().filter(|at| !is_key(linker, &call.called, *at)) {
            *failing.entry((&call.called, at)).or_default() += 1;
        }
    }
    failing.retain(|(called, _), count| forms.get(called).is_some_and(|all| *count < *all));
    failing.into_keys().collect()
}

/// Whether the place is part of an entity's key.
fn is_key(linker: &Linker<'_, '_, '_>, called: &Called, at: At) -> bool {
    let contract = &linker.system.contracts[called.node()];
    let own = contract.event_bus.subscribe.iter().filter_map(|entry| entry.entity_key);
    let machine = contract.state_machine.as_ref().and_then(|machine| machine.entity_key);
    own.chain(machine).any(|key| key.at.start <= at.start && at.end <= key.at.end)
}

/// Whether a schema says already what is wanted.
fn declares(linker: &Linker<'_, '_, '_>, called: &Called, contract: &Contract<'_>) -> bool {
    let declared = match called {
        Called::Operation(..) | Called::Heard(..) => None,
        Called::Compute(_) => contract.compute.as_ref().and_then(|compute| compute.input.as_ref()),
        Called::Run(_) => contract.input_model.as_ref(),
    };
    linker.system.schema_of(declared).is_some()
}

fn report(linker: &mut Linker<'_, '_, '_>, call: &Call, fault: &Found) {
    let contract = &linker.system.contracts[call.called.node()];
    let name = contract.name.as_str();
    let whose = match (&call.called, &contract.effect) {
        (Called::Operation(_, operation), Some(effect)) => {
            let operation = effect.operations[usize::from(*operation)].name.as_str();
            format!("`{name}.{operation}`")
        }
        _ => format!("`{name}`"),
    };
    let message = format!("{whose} cannot work with what it gets here: {}", fault.message);
    let added = match fault.certain {
        true => linker.findings.error(code::NOT_GIVEN, call.at, message),
        false => linker.findings.warning(code::NOT_GIVEN, call.at, message),
    };
    added
        .help("give what is read, or read it as something that may be missing: `.?` and `orValue`")
        .related(fault.at, "it is read here");
}

/// What goes wrong in the one called, and does not whatever it is given.
fn found(linker: &mut Linker<'_, '_, '_>, called: &Called, made: &Type) -> Vec<Found> {
    let place = |found: &Diagnostic| (found.span.start, found.span.end);
    let strict = strict(linker, called, called.given(Type::Dyn), called.given(made.clone()));
    if strict.is_empty() {
        return Vec::new();
    }
    let file = linker.system.contracts[called.node()].name.at.file;
    // What asks carefully for a field that is never there, as it may of a schema, is content here:
    // only what fails with such fields as may be missing fails indeed.
    let text = &linker.findings.source(At { file, start: 0, end: 0 }).bytes;
    let absent = strict.iter().filter(|found| found.code == code::UNKNOWN_FIELD);
    let absent: BTreeSet<Text> = absent
        .filter_map(|found| std::str::from_utf8(text.get(found.span.clone())?).ok())
        .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .map(Text::from)
        .collect();
    let lenient = compiled(linker, called, called.given(with_absent(made, &absent)));
    let lenient: BTreeSet<_> =
        lenient.iter().filter(|f| JUDGED.contains(&f.code)).map(place).collect();
    let still = strict.into_iter().filter(|found| lenient.contains(&place(found)));
    still
        .map(|found| Found {
            certain: found.severity == Severity::Error && found.code != code::NEVER_EQUAL
                || found.code == code::UNKNOWN_FIELD,
            at: At::new(file, &found.span),
            message: found.message,
        })
        .collect()
}

/// What is found with this given and not with that of which nothing is known.
fn strict(
    linker: &mut Linker<'_, '_, '_>,
    called: &Called,
    unknown: Given,
    given: Given,
) -> Vec<Diagnostic> {
    let place = |found: &Diagnostic| (found.code, found.span.start, found.span.end);
    let always = compiled(linker, called, unknown);
    let always: BTreeSet<_> = always.iter().map(place).collect();
    let mut strict = compiled(linker, called, given);
    strict.retain(|found| JUDGED.contains(&found.code) && !always.contains(&place(found)));
    strict
}

/// Whether anything goes wrong in a node with what all these topics carry.
pub(super) fn goes_wrong(
    linker: &mut Linker<'_, '_, '_>,
    node: NodeIndex,
    carried: BTreeMap<Text, Type>,
) -> bool {
    let unknown = carried.keys().map(|topic| (topic.clone(), Type::Dyn)).collect();
    let called = Called::Heard(node, Text::default());
    !strict(linker, &called, Given::Carried(unknown), Given::Carried(carried)).is_empty()
}

/// Faults of types: the others do not depend on what is given.
const JUDGED: [&str; 4] =
    [code::UNKNOWN_FIELD, code::MAYBE_MISSING, code::NO_OVERLOAD, code::NEVER_EQUAL];

/// What is found when the one called is linked with this given to it.
fn compiled(linker: &mut Linker<'_, '_, '_>, called: &Called, given: Given) -> Vec<Diagnostic> {
    let system = linker.system;
    let contract = &system.contracts[called.node()];
    let scratch = linker.findings.scratch();
    let own = std::mem::replace(linker.findings, scratch);
    linker.given = Some(given);
    match called {
        Called::Operation(_, operation) => {
            let mut operations = contract.effect.iter().flat_map(|effect| &effect.operations);
            if let Some(declared) = operations.nth(usize::from(*operation)) {
                effect::link_one(linker, called.node(), contract, declared);
            }
        }
        Called::Compute(_) => {
            if let Some(declared) = &contract.compute {
                compute::link(linker, called.node(), contract, declared);
            }
        }
        Called::Run(_) | Called::Heard(..) => {
            if let Some(workflow) = &contract.workflow {
                orchestrator::link(linker, called.node(), contract, workflow);
            } else if let Some(machine) = &contract.state_machine {
                reducer::link(linker, called.node(), contract, machine);
            }
        }
    }
    linker.given = None;
    linker.calls.clear();
    std::mem::replace(linker.findings, own).finish()
}

/// The type with fields that may be missing, in every map that does not have them.
fn with_absent(ty: &Type, names: &BTreeSet<Text>) -> Type {
    match ty {
        Type::Object(object) => {
            let mut object = ObjectType::clone(object);
            for field in object.fields.values_mut() {
                field.ty = with_absent(&field.ty, names);
            }
            for name in names.iter().filter(|_| !object.open) {
                let absent = Field { ty: Type::Dyn, required: false };
                object.fields.entry(name.clone()).or_insert(absent);
            }
            Type::Object(Arc::new(object))
        }
        Type::List(item) => Type::List(Box::new(with_absent(item, names))),
        Type::Optional(inner) => Type::Optional(Box::new(with_absent(inner, names))),
        Type::Union(members) => {
            Type::Union(members.iter().map(|member| with_absent(member, names)).collect())
        }
        other => other.clone(),
    }
}
