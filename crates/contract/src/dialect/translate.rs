//! The top level of a file: each feature takes its keys in turn.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use onex_expr::Text;

use crate::catalog::HostValues;
use crate::diagnostic::code;
use crate::dialect::{
    compute, documents, durations, effect, environment, handler_routing, identity, limits,
    made::Made, operation_bindings, other_file::host_config, other_file::part,
    other_file::projector, recognise, reducer::fsm, reducer::intents, reducer::intents::Declared,
    reducer::state_machine, reducer::validation, reducer::validation::Rule, schema::definitions,
    schema::models, switch, topic, topic::Topics, untold, workflow,
};
use crate::graph::Kind;
use crate::section::fields::Fields;
use crate::section::reading::Reading;
use crate::yaml::Node;

/// What a file of an old dialect became.
pub(crate) struct Translated {
    /// The normal form; absent when the file describes no node, or cannot be read.
    pub root: Option<Node>,
    /// Whether it can run here.
    pub verdict: Verdict,
}

/// Whether a node of an old dialect can run here, as far as its own file tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// What it declares can be performed.
    Native,
    /// It needs a foreign handler.
    External,
    /// It has nothing to run.
    Inert,
}

/// A node while it is translated.
pub(super) struct Translation {
    /// Its name.
    pub name: Text,
    /// Its kind.
    pub kind: Option<Kind>,
    /// Where it says its kind, or begins.
    pub head: Range<usize>,
    /// The normal form so far.
    pub out: Made,
    /// Topics in and out.
    pub topics: Topics,
    /// Names of the schemas it defines.
    pub definitions: BTreeSet<Text>,
    /// Intents it says to emit.
    pub intents: Vec<Declared>,
    /// Whether it says that it emits none of them.
    pub emits_nothing: bool,
    /// What `is_valid` means, by field.
    pub rules: BTreeMap<Text, Rule>,
    /// What holds for all of its work.
    pub limits: limits::Limits,
    /// Whether a section says what it does in a way that can be performed here.
    pub runs: bool,
    /// The first handler named, or other work, that is not part of this product.
    pub foreign: Option<Node>,
    /// Whether a value that the host lacks stops the start.
    pub is_strict: bool,
}

/// Translates a file; what is wrong or left out is reported.
pub(crate) fn translate(
    reading: &mut Reading<'_, '_>,
    root: &Node,
    dialect: &str,
    stem: &str,
    host: &HostValues,
) -> Translated {
    let root = environment::resolve(root, &host.env);
    let root = switch::off(reading, &root);
    let root = durations::in_ms(reading, &root);
    let translated = match dialect {
        // Of these it was said that nothing in them acts.
        recognise::SUBCONTRACT | recognise::REPOSITORY => {
            return part::read(reading, &root, dialect);
        }
        recognise::HOST => host_config::read(reading, &root),
        recognise::PROJECTOR => projector::translate(reading, &root, stem),
        _ => node(reading, &root, dialect, stem, host.strict),
    };
    untold::tell(reading, &root, translated.root.as_ref());
    match switch::is_off(&root) || limits::is_aside(&root) {
        true => Translated { root: translated.root.map(switch::without_work), ..translated },
        false => translated,
    }
}

type Feature = fn(&mut Fields<'_, '_, '_, '_>, &mut Translation);

/// Every feature, in the order in which one needs what another found.
const FEATURES: &[Feature] = &[
    limits::read,
    documents::keep,
    definitions::translate,
    topic::collect,
    intents::emitted,
    intents::consumed,
    validation::translate,
    state_machine::translate,
    fsm::translate,
    effect::translate,
    compute::translate,
    workflow::translate,
    limits::refuse,
    operation_bindings::check,
    handler_routing::read,
    models::translate,
    documents::note,
];

fn node(
    reading: &mut Reading<'_, '_>,
    root: &Node,
    dialect: &str,
    stem: &str,
    is_strict: bool,
) -> Translated {
    let nothing = Translated { root: None, verdict: Verdict::Inert };
    let Some(mut fields) = Fields::open(reading, root, "the contract") else {
        return nothing;
    };
    let mut made = Translation { is_strict, ..Translation::new(root) };
    identity::translate(&mut fields, &mut made, dialect, stem);
    for feature in FEATURES {
        feature(&mut fields, &mut made);
    }
    fields.acts(&["enabled"]);
    fields.close();
    if made.kind.is_none() {
        return nothing;
    }
    made.topics.settle(reading, made.kind, made.runs);
    let verdict = if is_off(reading, root) { Verdict::Inert } else { made.verdict() };
    if verdict == Verdict::Inert {
        made.tell_inert(reading);
    }
    let translated = made.finish(verdict);
    if let Some(normal) = translated.root.as_ref().filter(|_| verdict == Verdict::Native) {
        environment::judge(reading, normal, is_strict);
    }
    translated
}

/// Whether the whole node is switched off.
fn is_off(reading: &mut Reading<'_, '_>, root: &Node) -> bool {
    let (is_off, is_aside) = (switch::is_off(root), limits::is_aside(root));
    if is_off {
        switch::tell(reading, root, "the node");
    }
    if let Some(aside) = root.get("quarantine").filter(|_| is_aside) {
        let at = reading.at(&aside.span);
        let message = "the node is put aside by its own file: it does nothing";
        reading.findings.note(code::SWITCHED_OFF, at, message);
    }
    is_off || is_aside
}

impl Translation {
    /// Nothing is known yet.
    pub(super) fn new(root: &Node) -> Translation {
        let first = root.entries().first();
        let head = first.map_or_else(|| root.span.clone(), |entry| entry.key_span.clone());
        Translation {
            name: Text::new_static(""),
            kind: None,
            out: Made::new(&head),
            head,
            topics: Topics::default(),
            definitions: BTreeSet::new(),
            intents: Vec::new(),
            emits_nothing: false,
            rules: BTreeMap::new(),
            limits: limits::Limits::default(),
            runs: false,
            foreign: None,
            is_strict: false,
        }
    }

    /// Whether it can run here.
    fn verdict(&self) -> Verdict {
        match (self.runs, self.foreign.is_some()) {
            (true, _) => Verdict::Native,
            (false, true) => Verdict::External,
            (false, false) => Verdict::Inert,
        }
    }

    /// Says that the node has nothing to run.
    pub(super) fn tell_inert(&self, reading: &mut Reading<'_, '_>) {
        let at = reading.at(&self.head);
        reading
            .findings
            .warning(code::INERT, at, format!("`{}` has nothing to run", self.name))
            .help("it is left out of the running system; the others run");
    }

    /// The normal form.
    pub(super) fn finish(mut self, verdict: Verdict) -> Translated {
        self.topics.put(&mut self.out);
        Translated { root: Some(self.out.done()), verdict }
    }
}
