//! Which conditions always hold: there are none, or they are true whatever comes.

use onex_expr::{Known, Template, Value, never_all_hold};

use crate::graph::Body;
use crate::link::Linked;
use crate::system::System;

/// By contract: whether each transition, or each step, is free of a condition that may not hold.
pub(super) struct Certain {
    transitions: Vec<Vec<bool>>,
    steps: Vec<Vec<bool>>,
}

impl Certain {
    /// Judges every transition and step.
    pub(super) fn of(system: &System<'_>, linked: &Linked) -> Certain {
        let mut certain = Certain { transitions: Vec::new(), steps: Vec::new() };
        for node in linked.nodes.iter().take(system.contracts.len()) {
            let (mut transitions, mut steps) = (Vec::new(), Vec::new());
            match &node.body {
                Body::Reducer(reducer) => {
                    let holds = |t: &crate::graph::Transition| {
                        t.guards.iter().all(|guard| always_holds(&guard.condition))
                    };
                    transitions = reducer.transitions.iter().map(holds).collect();
                }
                Body::Orchestrator(run) => {
                    let holds = |step: &crate::graph::Step| {
                        step.condition.as_ref().is_none_or(always_holds)
                    };
                    steps = run.steps.iter().map(holds).collect();
                }
                Body::Effect(_) | Body::Compute(_) => {}
            }
            certain.transitions.push(transitions);
            certain.steps.push(steps);
        }
        certain
    }

    /// Whether nothing keeps a transition from being taken.
    pub(super) fn transition(&self, node: usize, index: usize) -> bool {
        self.transitions[node].get(index).copied().unwrap_or(false)
    }

    /// Whether nothing keeps a step from being done.
    pub(super) fn step(&self, node: usize, index: usize) -> bool {
        self.steps[node].get(index).copied().unwrap_or(false)
    }
}

/// Whether a condition is true whatever it is asked about.
fn always_holds(condition: &Template) -> bool {
    match condition {
        Template::Literal(value) => *value == Value::Bool(true),
        Template::Expr(program) if program.constant().is_some() => {
            program.constant() == Some(&Value::Bool(true))
        }
        // What is no constant is always true only as one of several.
        Template::Expr(program) if program.source().contains("||") => {
            never_all_hold(&[&format!("!({})", program.source())], &|_| Known::default())
        }
        _ => false,
    }
}
