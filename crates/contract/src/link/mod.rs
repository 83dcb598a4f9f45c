//! Compiles a checked system into the graph that the kernel reads.
//!
//! Every expression is compiled in the scope of its place; its faults are findings. What cannot be
//! linked because a name does not exist has been reported by a rule and is left out in silence.

mod callers;
mod carried;
mod compute;
mod effect;
mod expression;
mod orchestrator;
mod predicate;
mod reducer;
mod schedule;
mod scope;
pub(crate) mod told;
mod topics;
pub(crate) mod types;
mod values;

use std::collections::BTreeMap;

use onex_expr::{Text, Type};

pub(crate) use effect::{ATTEMPT_TIMEOUT_MS, BREAKER_TIMEOUT_MS, OPERATION_TIMEOUT_MS};
pub(crate) use orchestrator::RUN_TIMEOUT_MS;
pub(crate) use reducer::transition_name;
pub(crate) use values::Values;

use crate::catalog::EffectKind;
use crate::diagnostic::code;
use crate::findings::Findings;
use crate::graph::{Body, Node, NodeIndex, Performer, Schedule, Topic};
use crate::model::{At, Contract, EffectOperation, Publication, SubscribeTopic};
use crate::schema::Schema;
use crate::system::{ConsumerKind, System, default_publication};
use callers::{Call, Called, Given};
use expression::Expressions;
use told::Told;

/// What linking gave, before it is stored.
pub(crate) struct Linked {
    /// Every node, by name.
    pub nodes: Vec<Node>,
    /// Every topic, by name.
    pub topics: BTreeMap<Text, Topic>,
    /// Who performs each intent type.
    pub performers: BTreeMap<Text, Performer>,
    /// When the clock publishes.
    pub schedules: Vec<Schedule>,
    /// `config` and `env` of each node.
    pub values: Vec<Values>,
    /// What others are told, by the types of what makes it.
    pub told: Vec<Told>,
}

/// Links the system; `None` when something could not be.
pub(crate) fn link(system: &System<'_>, findings: &mut Findings<'_>) -> Option<Linked> {
    let values = system
        .contracts
        .iter()
        .map(|contract| Values::of(contract, system.host, findings))
        .collect();
    let responses = system
        .catalog
        .effects
        .iter()
        .map(|(name, kind)| (*name, Schema::from_json(kind.response_schema).ok()))
        .collect();
    let mut linker = Linker {
        system,
        findings,
        values,
        responses,
        step_triggers: BTreeMap::new(),
        outputs: BTreeMap::new(),
        calls: Vec::new(),
        told: Vec::new(),
        given: None,
    };
    let mut nodes: Vec<Option<Node>> = vec![None; system.contracts.len()];
    // Orchestrators come last: the types of their steps' outputs are those of other nodes.
    let (last, first): (Vec<usize>, Vec<usize>) =
        (0..nodes.len()).partition(|index| system.contracts[*index].workflow.is_some());
    for index in first.into_iter().chain(last) {
        let contract = &system.contracts[index];
        nodes[index] = linker.body(index, contract).map(|body| Node {
            name: contract.name.value.clone(),
            version: contract.version.clone(),
            description: contract.description.clone(),
            normal_form: contract.normal_form.clone(),
            body,
        });
        if nodes[index].is_none() {
            linker.findings.not_linked(contract.kind.at);
        }
    }
    callers::judge(&mut linker);
    let nodes = nodes.into_iter().collect::<Option<Vec<Node>>>()?;
    let topics = topics::link(&linker, &nodes)?;
    let schedules = schedule::link(&mut linker);
    let performers = performers(system)?;
    Some(Linked { nodes, topics, performers, schedules, values: linker.values, told: linker.told })
}

/// What linking one node needs.
pub(crate) struct Linker<'l, 'a, 's> {
    /// Everything with names looked up.
    pub system: &'l System<'a>,
    /// What was found.
    pub findings: &'l mut Findings<'s>,
    /// `config` and `env` of each node.
    pub values: Vec<Values>,
    /// Triggers of reducers that have no topic of their own, by node and name.
    pub step_triggers: BTreeMap<(usize, Text), u16>,
    /// Types of what operations yield, by node and operation; of computes, operation 0.
    pub outputs: BTreeMap<(u16, u16), Type>,
    /// Who gives what to whom.
    calls: Vec<Call>,
    /// What others are told.
    told: Vec<Told>,
    /// What the node that is linked is given, instead of what its contract says of it.
    given: Option<Given>,
    responses: BTreeMap<&'static str, Option<Schema>>,
}

impl<'s> Linker<'_, '_, 's> {
    fn body(&mut self, node: usize, contract: &Contract<'_>) -> Option<Body> {
        if let Some(machine) = &contract.state_machine {
            let reducer = reducer::link(self, node, contract, machine)?;
            for (index, trigger) in (0..).zip(&reducer.triggers) {
                if trigger.topic.is_none() && Some(index) != reducer.timeout_trigger {
                    self.step_triggers.insert((node, trigger.name.clone()), index);
                }
            }
            return Some(Body::Reducer(reducer));
        }
        if let Some(workflow) = &contract.workflow {
            return orchestrator::link(self, node, contract, workflow).map(Body::Orchestrator);
        }
        let place = u16::try_from(node).ok()?;
        if let Some(declared) = &contract.effect {
            let effect = effect::link(self, node, contract, declared)?;
            for (index, operation) in effect.operations.iter().enumerate() {
                let kind = self.system.catalog.effects.get(operation.kind.as_str())?;
                let ty = effect::output_type(operation, &self.response_type(kind));
                self.fits_outcomes(operation, &declared.operations[index], &ty);
                default_publication(contract).iter().for_each(|topic| self.tell(topic, ty.clone()));
                self.outputs.insert((place, u16::try_from(index).ok()?), ty);
                self.called_by_topic(contract, place, index, &declared.operations[index]);
            }
            return Some(Body::Effect(effect));
        }
        let declared = contract.compute.as_ref()?;
        let (compute, made) = compute::link(self, node, contract, declared)?;
        if let (Some(topic), None) = (default_publication(contract), &compute.output) {
            self.tell(topic, made);
        }
        let ty = compute.output.as_ref().map_or(Type::Dyn, |schema| schema.ty().clone());
        self.outputs.insert((place, 0), ty);
        for entry in &contract.event_bus.subscribe {
            let called = Called::Compute(NodeIndex(place));
            self.call(called, &self.payload_type(entry), entry.topic.at);
        }
        Some(Body::Compute(compute))
    }

    /// Notes what the messages of its topic give to an operation.
    fn called_by_topic(
        &mut self,
        contract: &Contract<'_>,
        node: u16,
        operation: usize,
        declared: &EffectOperation<'_>,
    ) {
        let (Some(topic), Ok(operation)) = (&declared.on_topic, u16::try_from(operation)) else {
            return;
        };
        let listed = contract.event_bus.subscribe.iter();
        let mut listed = listed.filter(|entry| entry.topic.value == topic.value);
        let made = match listed.next() {
            Some(entry) => self.payload_type(entry),
            None => self.producer_type(topic.as_str()),
        };
        self.call(Called::Operation(NodeIndex(node), operation), &made, topic.at);
    }

    /// Notes what is given to a node.
    pub(crate) fn call(&mut self, called: Called, made: &Type, at: At) {
        self.calls.push(Call { called, made: made.clone(), at });
    }

    /// What is known of a topic's payload where it is made.
    pub(crate) fn producer_type(&self, topic: &str) -> Type {
        if let Some(ty) = self.carried(topic) {
            return ty;
        }
        self.system.producer_schema(topic).map_or(Type::Dyn, |schema| schema.ty().clone())
    }

    /// What a topic carries, or a trigger of steps, on this trial.
    pub(crate) fn carried(&self, name: &str) -> Option<Type> {
        match &self.given {
            Some(Given::Carried(carried)) => carried.get(name).cloned(),
            _ => None,
        }
    }

    /// The input on this trial: nothing is known of it where what is heard is tried.
    pub(crate) fn input(&self) -> Option<Type> {
        self.given.as_ref().map(|given| match given {
            Given::Input(ty) => ty.clone(),
            Given::Carried(_) => Type::Dyn,
        })
    }

    /// Compiles what one node holds.
    pub(crate) fn expressions(&mut self, node: usize) -> Expressions<'_, 's> {
        Expressions { findings: self.findings, values: &mut self.values[node] }
    }

    fn response_type(&self, kind: &EffectKind) -> Type {
        effect::response_type(self.responses.get(kind.name).and_then(Option::as_ref))
    }

    /// What is known of a subscribed topic's payload: the subscriber's schema, else the producer's.
    pub(crate) fn payload_type(&self, entry: &SubscribeTopic<'_>) -> Type {
        let own = self.system.schema_of(entry.payload.as_ref());
        own.map_or_else(|| self.producer_type(entry.topic.as_str()), |schema| schema.ty().clone())
    }

    /// Reports where a value made here cannot satisfy a schema.
    pub(crate) fn fits(&mut self, made: &Type, wanted: &Schema, at: At, what: &str, whose: &str) {
        for misfit in types::misfits(made, wanted.ty()).into_iter().filter(|m| m.certain) {
            let field = match misfit.path.as_str() {
                "" => String::new(),
                path => format!(" at `{path}`"),
            };
            let message = format!("{what} does not fit {whose}{field}: {}", misfit.message);
            self.findings.error(code::PAYLOAD_MISFIT, at, message);
        }
    }

    /// The same for the schema that the topic's producer declares, else for those of its subscribers.
    pub(crate) fn fits_topic(&mut self, made: &Type, topic: &str, at: At) {
        let system = self.system;
        if let Some(schema) = system.producer_schema(topic) {
            self.fits(made, schema, at, "this payload", &format!("what `{topic}` declares"));
            return;
        }
        let consumers = system.topics.get(topic).map_or(&[][..], |uses| &uses.consumers);
        for consumer in consumers.iter().filter(|c| c.kind == ConsumerKind::Subscription) {
            let contract = &system.contracts[consumer.node];
            let taken = contract.event_bus.subscribe.iter().filter(|e| e.topic.as_str() == topic);
            for schema in taken.filter_map(|entry| system.wanted(contract, entry)) {
                let whose = format!("what `{}` takes from `{topic}`", contract.name.as_str());
                self.fits(made, schema, at, "this payload", &whose);
            }
        }
    }

    /// The same for the input of the runs that an intent begins.
    pub(crate) fn fits_run(&mut self, made: &Type, run: NodeIndex, at: At) {
        let system = self.system;
        let contract = &system.contracts[usize::from(run.0)];
        if let Some(schema) = system.schema_of(contract.input_model.as_ref()) {
            let whose = format!("the `input_model` of `{}`", contract.name.as_str());
            self.fits(made, schema, at, "this payload", &whose);
        }
    }

    fn fits_outcomes(
        &mut self,
        operation: &crate::graph::Operation,
        declared: &EffectOperation<'_>,
        output: &Type,
    ) {
        let refusals = operation.refusals.iter().filter_map(|refusal| refusal.outcome.as_ref());
        let linked = operation.outcome.iter().chain(refusals).chain(&operation.on_exhausted);
        let is_outcome = |written: &Publication<'_>| {
            declared.response.outcome.as_ref().is_some_and(|o| o.topic.at == written.topic.at)
        };
        for (published, written) in linked.zip(declared.publications()) {
            let made = match &published.payload {
                Some(template) => types::of_template(template),
                None if is_outcome(written) => output.clone(),
                None => Type::Dyn,
            };
            if published.payload.is_some() && published.topic == written.topic.value {
                self.fits_topic(&made, written.topic.as_str(), written.topic.at);
            }
            self.tell(&written.topic, made);
        }
    }
}

fn performers(system: &System<'_>) -> Option<BTreeMap<Text, Performer>> {
    let mut performers = BTreeMap::new();
    for (intent, uses) in &system.intents {
        let Some(performer) = uses.performers.first() else {
            continue;
        };
        let node = node_index(performer.node)?;
        let performer = match performer.operation {
            Some(index) => Performer::Operation(node, u16::try_from(index).ok()?),
            None => Performer::Run(node),
        };
        performers.insert(intent.clone(), performer);
    }
    Some(performers)
}

/// The index of the contract at this place of the system.
pub(crate) fn node_index(at: usize) -> Option<NodeIndex> {
    u16::try_from(at).ok().map(NodeIndex)
}
