//! What callers give, against what is read of it: an operation, a compute or a workflow without a
//! schema of its own is compiled once more with what each caller gives.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use onex_expr::{Field, ObjectType, Text, Type};

use super::{Linker, compute, effect, orchestrator};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Called {
    /// An operation of an effect.
    Operation(NodeIndex, u16),
    /// A compute.
    Compute(NodeIndex),
    /// The runs of an orchestrator.
    Run(NodeIndex),
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

    fn node(self) -> usize {
        let (Called::Operation(node, _) | Called::Compute(node) | Called::Run(node)) = self;
        usize::from(node.0)
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
    for call in std::mem::take(&mut linker.calls) {
        let contract = &linker.system.contracts[call.called.node()];
        if call.made == Type::Dyn || declares(linker, call.called, contract) {
            continue;
        }
        let key = (call.called, format!("{:?}", call.made));
        let found = known.entry(key).or_insert_with(|| found(linker, call.called, &call.made));
        for fault in found.iter() {
            report(linker, &call, fault);
        }
    }
}

/// Whether a schema says already what is wanted.
fn declares(linker: &Linker<'_, '_, '_>, called: Called, contract: &Contract<'_>) -> bool {
    let declared = match called {
        Called::Operation(..) => None,
        Called::Compute(_) => contract.compute.as_ref().and_then(|compute| compute.input.as_ref()),
        Called::Run(_) => contract.input_model.as_ref(),
    };
    linker.system.schema_of(declared).is_some()
}

fn report(linker: &mut Linker<'_, '_, '_>, call: &Call, fault: &Found) {
    let contract = &linker.system.contracts[call.called.node()];
    let name = contract.name.as_str();
    let whose = match (call.called, &contract.effect) {
        (Called::Operation(_, operation), Some(effect)) => {
            let operation = effect.operations[usize::from(operation)].name.as_str();
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
fn found(linker: &mut Linker<'_, '_, '_>, called: Called, made: &Type) -> Vec<Found> {
    let place = |found: &Diagnostic| (found.span.start, found.span.end);
    let always = compiled(linker, called, Type::Dyn);
    let always: BTreeSet<_> = always.iter().map(|found| (found.code, place(found))).collect();
    let mut strict = compiled(linker, called, made.clone());
    strict.retain(|found| {
        JUDGED.contains(&found.code) && !always.contains(&(found.code, place(found)))
    });
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
    let lenient = compiled(linker, called, with_absent(made, &absent));
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

/// Faults of types: the others do not depend on what is given.
const JUDGED: [&str; 4] =
    [code::UNKNOWN_FIELD, code::MAYBE_MISSING, code::NO_OVERLOAD, code::NEVER_EQUAL];

/// What is found when the one called is linked with this given to it.
fn compiled(linker: &mut Linker<'_, '_, '_>, called: Called, given: Type) -> Vec<Diagnostic> {
    let system = linker.system;
    let contract = &system.contracts[called.node()];
    let scratch = linker.findings.scratch();
    let own = std::mem::replace(linker.findings, scratch);
    linker.given = Some(given);
    match called {
        Called::Operation(_, operation) => {
            let mut operations = contract.effect.iter().flat_map(|effect| &effect.operations);
            if let Some(declared) = operations.nth(usize::from(operation)) {
                effect::link_one(linker, called.node(), contract, declared);
            }
        }
        Called::Compute(_) => {
            if let Some(declared) = &contract.compute {
                compute::link(linker, called.node(), contract, declared);
            }
        }
        Called::Run(_) => {
            if let Some(workflow) = &contract.workflow {
                orchestrator::link(linker, called.node(), contract, workflow);
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
