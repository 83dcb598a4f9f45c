//! One decision of a run in the making.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use onex_contract::graph::{ExecutionMode, Graph, Node, NodeIndex, Orchestrator, Step};
use onex_expr::{EvalError, Fuel, Text};

use super::rows::Rows;
use crate::row::{Armed, Failure, RunStatus, StepStatus};
use crate::{Circumstances, Decision, Draft, Micros, Verdict, ask};

pub(super) struct Turn<'a> {
    pub(super) graph: &'a Graph,
    pub(super) node: &'a Node,
    pub(super) plan: &'a Orchestrator,
    pub(super) rows: Rows<'a>,
    pub(super) draft: Draft,
    pub(super) fuel: Fuel,
    pub(super) at: &'a Circumstances,
    /// Ends of this decision so far.
    ends: u64,
    /// Steps that may have become ready.
    considered: BTreeSet<u16>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        graph: &'a Graph,
        node: NodeIndex,
        plan: &'a Orchestrator,
        rows: Rows<'a>,
        draft: Draft,
        at: &'a Circumstances,
    ) -> Turn<'a> {
        Turn {
            graph,
            node: graph.node(node),
            plan,
            rows,
            draft,
            fuel: Fuel(at.fuel),
            at,
            ends: 0,
            considered: BTreeSet::new(),
        }
    }

    /// The decision as a whole.
    pub(super) fn decision(mut self) -> Decision {
        self.rows.write(self.plan, &mut self.draft.decision);
        self.draft.decision
    }

    /// The delivery changes nothing, for this reason.
    pub(super) fn ignore(&mut self, reason: &'static str) {
        self.draft.decision.verdict = Verdict::Ignored(Text::new_static(reason));
    }

    pub(super) fn step(&self, index: u16) -> &'a Step {
        &self.plan.steps[usize::from(index)]
    }

    pub(super) fn indices(&self) -> impl Iterator<Item = u16> + use<'a> {
        // A file holds at most 250,000 values and a step takes five of them: a u16 counts steps.
        (0..self.plan.steps.len()).filter_map(|index| u16::try_from(index).ok())
    }

    /// Whether there is such a step and item.
    pub(super) fn knows(&self, step: u16, item: Option<u32>) -> bool {
        usize::from(step) < self.plan.steps.len()
            && item.is_none_or(|item| self.rows.item(step, item).is_some())
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.rows.head().ended_at.is_some()
    }

    /// Whether the run goes on: neither over nor coming to its bad end.
    pub(super) fn goes_on(&self) -> bool {
        self.rows.head().error.is_none() && !self.is_terminal()
    }

    /// A place in the order of ends, for compensation: by record, then within it. Never 0.
    pub(super) fn next_end(&mut self) -> u64 {
        self.ends += 1;
        self.at.offset << 20 | self.ends
    }

    pub(super) fn arm_ms(&mut self, pause_ms: u64) -> Armed {
        self.arm(self.at.now.plus_ms(pause_ms))
    }

    pub(super) fn arm(&mut self, due: Micros) -> Armed {
        let head = self.rows.head_mut();
        head.armings += 1;
        Armed { arming: head.armings, armed_at: self.at.now, due }
    }

    /// A failure of a step by an expression.
    pub(super) fn failed(&self, index: u16, place: &str, error: &EvalError) -> Failure {
        self.failure(index, ask::code(error), alloc::format!("{place}: {}", error.message))
    }

    pub(super) fn failure(&self, index: u16, code: &str, message: impl Into<Text>) -> Failure {
        Failure {
            code: code.into(),
            message: message.into(),
            step: Some(self.step(index).id.clone()),
        }
    }

    pub(super) fn consider_all(&mut self) {
        self.considered.extend(self.indices());
    }

    pub(super) fn consider(&mut self, index: u16) {
        self.considered.insert(index);
    }

    pub(super) fn consider_dependents(&mut self, index: u16) {
        self.considered.extend(&self.step(index).dependents);
    }

    /// Starts whatever is ready, until nothing is; then sees whether the run is over.
    pub(super) fn proceed(&mut self) {
        while self.goes_on() {
            match self.next_ready() {
                Some(step) => self.start(step),
                None => break,
            }
        }
        self.settle();
    }

    fn next_ready(&mut self) -> Option<u16> {
        let limit = match self.plan.execution_mode {
            ExecutionMode::Parallel => self.plan.max_steps,
            ExecutionMode::Sequential => Some(1),
        };
        if let Some(limit) = limit {
            let under_way = self.indices().filter(|index| self.is_under_way(*index));
            let full = under_way.fold(0_u32, |count, _| count + 1) >= limit;
            return self.indices().find(|index| !full && self.is_ready(*index));
        }
        while let Some(index) = self.considered.pop_first() {
            if self.is_ready(index) {
                return Some(index);
            }
        }
        None
    }

    fn is_ready(&self, index: u16) -> bool {
        self.rows.step(index).status == StepStatus::Pending
            && self.step(index).depends_on.iter().all(|on| self.is_satisfied(*on))
    }

    /// A failed step counts only while the run goes on, which it does where its failure may pass.
    fn is_satisfied(&self, index: u16) -> bool {
        matches!(
            self.rows.step(index).status,
            StepStatus::Completed | StepStatus::Skipped | StepStatus::Failed
        )
    }

    fn is_under_way(&self, index: u16) -> bool {
        matches!(self.rows.step(index).status, StepStatus::Running | StepStatus::Waiting)
    }

    /// Whether the run is over, and what then.
    fn settle(&mut self) {
        if self.is_terminal() {
            return;
        }
        if self.goes_on() {
            let over = |index| {
                !self.is_under_way(index) && self.rows.step(index).status != StepStatus::Pending
            };
            if self.indices().all(over) {
                self.complete_run();
            }
        }
        if self.rows.head().error.is_some() {
            self.undo_or_end();
        }
    }

    /// The last words of a run.
    pub(super) fn end_run(&mut self, status: RunStatus) {
        let now = self.at.now;
        let head = self.rows.head_mut();
        head.status = status;
        head.ended_at = Some(now);
        head.timer = None;
        self.draft.decision.ended = true;
        if status == RunStatus::Completed {
            let kept: Vec<u32> = self.rows.events().map(|(at, _)| at).collect();
            kept.into_iter().for_each(|at| self.rows.drop_event(at));
        }
        self.tell_parent();
    }
}
