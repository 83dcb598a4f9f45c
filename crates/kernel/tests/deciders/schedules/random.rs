//! Random numbers from one seed, and random workflows made of prototypes.

use onex_contract::graph::{
    Body, ErrorAction, ExecutionMode, Graph, NodeIndex, Orchestrator, Recovery, Step,
};
use onex_expr::Value;

/// SplitMix64.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// The same graph with another workflow in the place of the prototypes.
pub fn workflow(graph: &Graph, node: NodeIndex, random: &mut Random) -> Graph {
    let mut graph = graph.clone();
    let Body::Orchestrator(plan) = &mut graph.nodes[usize::from(node.0)].body else {
        panic!("the prototypes are steps of an orchestrator");
    };
    plan.recovery = match random.below(3) {
        0 => Recovery::FailFast,
        1 => Recovery::Compensate,
        _ => Recovery::Retry { max_retries: 2, backoff_ms: 50, multiplier: 2.0 },
    };
    plan.execution_mode = match random.below(4) {
        0 => ExecutionMode::Sequential,
        _ => ExecutionMode::Parallel,
    };
    let prototypes = plan.steps.clone();
    plan.steps = Vec::new();
    for index in 0..1 + random.below(7) {
        let mut step = prototypes[random.below(prototypes.len())].clone();
        step.id = format!("s{index}").into();
        randomise(&mut step, random);
        let before = u16::try_from(index).expect("few steps");
        step.depends_on = (0..before).filter(|_| random.once_in(3)).collect();
        step.dependents = Vec::new();
        plan.steps.push(step);
    }
    link(plan);
    graph
}

fn randomise(step: &mut Step, random: &mut Random) {
    step.error_action = random.one_of(&[
        ErrorAction::Stop,
        ErrorAction::Stop,
        ErrorAction::Continue,
        ErrorAction::Compensate,
        ErrorAction::Retry,
    ]);
    step.timeout_ms = random.one_of(&[None, Some(30), Some(100), Some(500)]);
    step.max_parallel = random.one_of(&[1, 2, 5]);
}

fn link(plan: &mut Orchestrator) {
    for index in 0..plan.steps.len() {
        for on in plan.steps[index].depends_on.clone() {
            let dependent = u16::try_from(index).expect("few steps");
            plan.steps[usize::from(on)].dependents.push(dependent);
        }
    }
}

/// An input under which some steps fail by themselves.
pub fn input(random: &mut Random) -> Value {
    let items = (0..random.below(5)).map(|_| Value::Int(random.one_of(&[0, 1, 2, 5, 5, 5])));
    let items: Vec<Value> = items.collect();
    let maybe = match random.below(5) {
        0 => Value::Int(1),
        1 | 2 => Value::Bool(false),
        _ => Value::Bool(true),
    };
    Value::map([
        ("list", Value::list(items)),
        ("n", Value::Int(random.one_of(&[0, 1, 1, 1]))),
        ("maybe", maybe),
    ])
}
