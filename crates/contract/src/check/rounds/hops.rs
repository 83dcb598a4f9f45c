//! What comes of a message where it is heard.

use crate::check::rounds::certain::Certain;
use crate::check::rounds::walk::Step;
use crate::model::{
    Action, ActionWork, At, Contract, Data, From, GraphNode, Publication, StateMachine, Transition,
    TriggerRef, Work, Workflow,
};
use crate::system::{ConsumerKind, PerformerRef, System, default_publication, event_segment};
use crate::yaml::Tree;

/// Something that is heard. Numbers are indices of contracts, and of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Message<'s> {
    /// A message on a topic.
    Topic(&'s str),
    /// An intent of this type.
    Intent(&'s str),
    /// What a step or topic asks of an operation.
    Operation(usize, usize),
    /// The beginning of a run.
    Run(usize),
    /// What a step asks of a reducer.
    Trigger(usize, &'s str),
    /// The timer of a reducer's state.
    Timer(usize),
}

impl<'s> Message<'s> {
    /// What people call it; operations go without saying.
    pub(super) fn name(self, system: &'s System<'_>) -> Option<String> {
        let node = |at: usize| system.contracts[at].name.as_str();
        match self {
            Message::Topic(name) | Message::Intent(name) => Some(name.to_owned()),
            Message::Operation(..) => None,
            Message::Run(at) => Some(format!("a run of `{}`", node(at))),
            Message::Trigger(at, _) => Some(format!("`{}`", node(at))),
            Message::Timer(at) => Some(format!("the timer of `{}`", node(at))),
        }
    }
}

/// When a hop is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum When {
    /// When a condition holds, or something else happens first.
    Sometimes,
    /// Whenever something fails.
    Failing,
    /// Whenever it is heard.
    Always,
}

/// One hop to what is heard next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hop<'s> {
    /// What comes of it.
    pub to: Message<'s>,
    /// Where the contract says so.
    pub at: At,
    /// Whether one may become many.
    pub fans_out: bool,
    /// When.
    pub when: When,
}

/// One way a reducer goes on when it hears something.
pub(super) struct Move<'s> {
    /// The state it is in then.
    pub to: usize,
    /// What comes of it.
    pub hops: Vec<Hop<'s>>,
}

/// The hops of a system that are at least so certain.
pub(super) struct Hops<'s, 'a> {
    /// The system.
    pub system: &'s System<'a>,
    /// Which conditions always hold.
    pub certain: &'s Certain,
    /// The least certain hops that count.
    pub least: When,
    /// Whether timers count.
    pub timers: bool,
}

impl<'s> Hops<'s, '_> {
    /// What is heard first somewhere: every topic, intent and timer.
    pub(super) fn all(&self) -> Vec<Message<'s>> {
        let topics = self.system.topics.keys().map(|topic| Message::Topic(topic.as_str()));
        let intents = self.system.intents.keys().map(|intent| Message::Intent(intent.as_str()));
        let nodes = self.system.contracts.iter().enumerate();
        let own = nodes.filter_map(|(at, contract)| {
            match (&contract.workflow, &contract.state_machine) {
                (Some(_), _) => Some(Message::Run(at)),
                (None, Some(machine)) => {
                    (self.timers && machine.has_timers()).then_some(Message::Timer(at))
                }
                _ => None,
            }
        });
        topics.chain(intents).chain(own).collect()
    }

    /// What comes of a message wherever no state matters.
    pub(super) fn stateless(&self, message: Message<'s>) -> Vec<Hop<'s>> {
        let mut hops = Vec::new();
        match message {
            Message::Topic(topic) => self.of_topic(topic, &mut hops),
            Message::Intent(intent) => {
                let uses = self.system.intents.get(intent);
                for PerformerRef { node, operation, at } in
                    uses.into_iter().flat_map(|uses| uses.performers.iter().copied())
                {
                    let to =
                        operation.map_or(Message::Run(node), |at| Message::Operation(node, at));
                    hops.push(always(to, at));
                }
            }
            Message::Operation(node, index) => {
                operation(&self.system.contracts[node], index, &mut hops);
            }
            Message::Run(node) => self.run(node, &mut hops),
            Message::Trigger(..) | Message::Timer(_) => {}
        }
        hops.retain(|hop| hop.when >= self.least);
        hops
    }

    fn of_topic(&self, topic: &'s str, hops: &mut Vec<Hop<'s>>) {
        let consumers = self.system.topics.get(topic).map_or(&[][..], |uses| &uses.consumers);
        for consumer in consumers {
            let contract = &self.system.contracts[consumer.node];
            match consumer.kind {
                ConsumerKind::Operation(index) => {
                    hops.push(always(Message::Operation(consumer.node, index), consumer.at));
                }
                ConsumerKind::Subscription if contract.workflow.is_some() => {
                    let mut begun = contract.workflow.iter().flat_map(|w| w.begun_by(contract));
                    if begun.any(|begun| begun.as_str() == topic) {
                        hops.push(always(Message::Run(consumer.node), consumer.at));
                    }
                }
                ConsumerKind::Subscription if contract.compute.is_some() => {
                    let made = default_publication(contract);
                    hops.extend(made.map(|to| always(Message::Topic(to.as_str()), to.at)));
                }
                // A wait goes on with a run that there is: it begins nothing.
                ConsumerKind::Subscription | ConsumerKind::Run => {}
            }
        }
    }

    /// What a run does and how it may end.
    fn run(&self, node: usize, hops: &mut Vec<Hop<'s>>) {
        let Some(workflow) = &self.system.contracts[node].workflow else { return };
        let ancestors = workflow.ancestors();
        let is_wait = |at: &usize| matches!(workflow.nodes[*at].work, Some(Work::WaitFor { .. }));
        let waits: Vec<usize> = (0..workflow.nodes.len()).filter(is_wait).collect();
        for (at, step) in workflow.nodes.iter().enumerate() {
            let waited = waits.iter().any(|wait| ancestors.has(at, *wait));
            let certain = self.certain.step(node, at) && !waited;
            let when = if certain { When::Always } else { When::Sometimes };
            let made = self.of_step(step);
            hops.extend(made.map(|hop| each(Hop { when, ..hop }, step.for_each.as_ref())));
        }
        ends(workflow, !waits.is_empty(), self.fails(node, workflow), hops);
    }

    /// Whether a step fails each run.
    fn fails(&self, node: usize, workflow: &Workflow<'_>) -> bool {
        let fails = |(at, step): (usize, &GraphNode<'_>)| {
            matches!(step.work, Some(Work::Fail { .. })) && self.certain.step(node, at)
        };
        workflow.nodes.iter().enumerate().any(fails)
    }

    fn of_step(&self, step: &'s GraphNode<'_>) -> Option<Hop<'s>> {
        let (to, at) = match step.work.as_ref()? {
            Work::Publish { topic, .. } => (Message::Topic(topic.as_str()), topic.at),
            Work::Effect { node, operation } => {
                let (effect, index) = self.system.operation(node, operation.as_ref())?;
                (Message::Operation(effect, index), node.at)
            }
            Work::Reduce { node, trigger } => {
                (Message::Trigger(self.system.find(node.as_str())?, trigger.as_str()), node.at)
            }
            Work::Run(node) => (Message::Run(self.system.find(node.as_str())?), node.at),
            _ => return None,
        };
        Some(always(to, at))
    }

    /// The reducers that hear a message.
    pub(super) fn hearing(&self, message: Message<'s>) -> Vec<usize> {
        let is_reducer = |at: &usize| self.system.contracts[*at].state_machine.is_some();
        match message {
            Message::Topic(topic) => {
                let uses = self.system.topics.get(topic);
                let consumers = uses.map_or(&[][..], |uses| &uses.consumers).iter();
                let subscribed = consumers.filter(|c| c.kind == ConsumerKind::Subscription);
                subscribed.map(|consumer| consumer.node).filter(is_reducer).collect()
            }
            Message::Trigger(node, _) | Message::Timer(node) if is_reducer(&node) => vec![node],
            _ => Vec::new(),
        }
    }

    /// How a reducer may go on in a state when it hears something.
    pub(super) fn moves(&self, node: usize, state: usize, message: Message<'s>) -> Vec<Move<'s>> {
        let contract = &self.system.contracts[node];
        let Some(machine) = &contract.state_machine else { return Vec::new() };
        let timed_out = matches!(message, Message::Timer(_));
        if timed_out && machine.states[state].timeout_ms.is_none() {
            return Vec::new();
        }
        let heard = machine.leaving_at(state).filter(|(_, t)| hears(contract, t, message));
        let heard: Vec<(usize, &Transition<'_>)> =
            heard.filter(|(_, t)| t.to.is_none() || !machine.states[state].terminal).collect();
        let taken = |(index, transition): &(usize, &'s Transition<'_>)| {
            let to = match &transition.to {
                Some(to) => machine.find(to.as_str())?,
                None => state,
            };
            let when =
                if self.certain.transition(node, *index) { When::Always } else { When::Sometimes };
            let mut hops = emitted(machine, transition, state, to);
            let armed = transition.to.is_some() && machine.states[to].timeout_ms.is_some();
            if self.timers && armed {
                hops.push(always(Message::Timer(node), machine.states[to].name.at));
            }
            let hops = hops.into_iter().map(|hop| Hop { when: when.min(hop.when), ..hop });
            Some(Move { to, hops: hops.filter(|hop| hop.when >= self.least).collect() })
        };
        match self.least {
            When::Sometimes => heard.iter().filter_map(taken).collect(),
            _ => first(&heard).and_then(|at| taken(&heard[at])).into_iter().collect(),
        }
    }

    /// Whether a machine that a round goes through may leave it: some state on the way has a
    /// transition for something else, to a state that is not on the way.
    pub(super) fn may_be_left(&self, round: &[Step<'s>]) -> bool {
        let states = |node: usize| {
            let at = round.iter().flat_map(move |step| step.states.get(&node).copied());
            at.collect::<std::collections::BTreeSet<usize>>()
        };
        let touched = round.iter().flat_map(|step| step.states.keys().copied());
        touched.collect::<std::collections::BTreeSet<usize>>().into_iter().any(|node| {
            let Some(machine) = &self.system.contracts[node].state_machine else { return false };
            let inside = states(node);
            let leads_out = |t: &Transition<'_>| {
                let to = t.to.as_ref().and_then(|to| machine.find(to.as_str()));
                !t.trigger.is_timeout() && to.is_some_and(|to| !inside.contains(&to))
            };
            inside.iter().any(|state| machine.leaving(*state).any(leads_out))
        })
    }
}

/// The transition tried first: exact ones pre-empt wildcards, then the highest priority.
fn first(heard: &[(usize, &Transition<'_>)]) -> Option<usize> {
    let rank = |at: &usize| {
        let (index, transition) = heard[*at];
        let exact = matches!(transition.from, From::States(_));
        (exact, transition.priority, std::cmp::Reverse(index))
    };
    (0..heard.len()).max_by_key(rank)
}

fn hears(contract: &Contract<'_>, transition: &Transition<'_>, message: Message<'_>) -> bool {
    match (message, &transition.trigger) {
        (Message::Timer(_), trigger) => trigger.is_timeout(),
        (Message::Trigger(_, wanted), TriggerRef::Name(name)) => name.as_str() == wanted,
        (Message::Topic(topic), TriggerRef::Topic { topic: named, .. }) => named.as_str() == topic,
        (Message::Topic(topic), TriggerRef::Name(name)) => {
            event_segment(topic) == Some(name.as_str())
                && contract.event_bus.subscribe.iter().any(|entry| entry.topic.as_str() == topic)
        }
        _ => false,
    }
}

/// What a transition sends, with what its states send when it leaves and enters them.
fn emitted<'s>(
    machine: &'s StateMachine<'_>,
    transition: &'s Transition<'_>,
    from: usize,
    to: usize,
) -> Vec<Hop<'s>> {
    let mut actions: Vec<&Action<'_>> = transition.actions.iter().collect();
    if transition.to.is_some() {
        actions.extend(&machine.states[from].exit_actions);
        actions.extend(&machine.states[to].entry_actions);
    }
    let hop = |action: &&'s Action<'_>| {
        let (to, at) = match &action.work {
            ActionWork::Intent { intent_type, .. } => {
                (Message::Intent(intent_type.as_str()), intent_type.at)
            }
            ActionWork::Event { topic, .. } => (Message::Topic(topic.as_str()), topic.at),
            ActionWork::Update(_) => return None,
        };
        Some(each(always(to, at), action.for_each.as_ref()))
    };
    actions.iter().filter_map(hop).collect()
}

/// What an operation publishes.
fn operation<'s>(contract: &'s Contract<'_>, index: usize, hops: &mut Vec<Hop<'s>>) {
    let operations = contract.effect.as_ref().map_or(&[][..], |effect| &effect.operations);
    let Some(operation) = operations.get(index) else { return };
    let outcome = operation.response.outcome.as_ref();
    let default = default_publication(contract).filter(|_| outcome.is_none());
    let made = outcome.map(|outcome| &outcome.topic).or(default);
    hops.extend(made.map(|topic| always(Message::Topic(topic.as_str()), topic.at)));
    let refusals =
        operation.response.refusals.iter().filter_map(|refusal| refusal.outcome.as_ref());
    let failing = refusals.chain(&operation.on_exhausted);
    hops.extend(failing.map(|end| Hop { when: When::Failing, ..told(end) }));
}

/// What a run publishes when it ends.
fn ends<'s>(workflow: &'s Workflow<'_>, waits: bool, fails: bool, hops: &mut Vec<Hop<'s>>) {
    let outcomes = &workflow.outcomes;
    let completed = if waits { When::Sometimes } else { When::Always };
    let completed_ends = outcomes.completed.iter().filter(|_| !fails);
    hops.extend(completed_ends.map(|end| Hop { when: completed, ..told(end) }));
    let failed = if fails { When::Always } else { When::Failing };
    hops.extend(outcomes.failed.iter().map(|end| Hop { when: failed, ..told(end) }));
    // Somebody cancels it.
    hops.extend(outcomes.cancelled.iter().map(|end| Hop { when: When::Sometimes, ..told(end) }));
}

fn told<'s>(end: &'s Publication<'_>) -> Hop<'s> {
    always(Message::Topic(end.topic.as_str()), end.topic.at)
}

fn always(to: Message<'_>, at: At) -> Hop<'_> {
    Hop { to, at, fans_out: false, when: When::Always }
}

/// The same once an item of a list: of one that is not written there nobody knows how many it has.
fn each<'s>(hop: Hop<'s>, list: Option<&Data<'_>>) -> Hop<'s> {
    let Some(list) = list else { return hop };
    let written = match &list.node.tree {
        Tree::List(items) => Some(items.len()),
        Tree::String(text) if text.trim_start().starts_with('[') => {
            Some(text.matches(',').count() + 1)
        }
        _ => None,
    };
    let when = if written.is_none_or(|count| count == 0) { When::Sometimes } else { hop.when };
    Hop { fans_out: written != Some(1), when: when.min(hop.when), ..hop }
}
