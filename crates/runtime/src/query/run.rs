//! Workflow runs: head, steps with their names, and what they wait for.

use onex_contract::graph;
use onex_engine::{codec, key};
use onex_expr::Text;
use onex_kernel::row::{RunHead, RunStatus, StepRow};
use onex_kernel::{Id, Micros};

use super::wait::Wait;
use super::{Page, QueryError, Reader, Scan};

/// A run as it is durable.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its head.
    pub head: RunHead,
    /// Its steps in the order of its graph.
    pub steps: Vec<Step>,
    /// What it waits for; empty when it has ended.
    pub waits_for: Vec<Wait>,
}

/// A step of a run.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its id in the contract.
    pub id: Text,
    /// Its row.
    pub row: StepRow,
    /// Attempts of the intent that it awaits, or of those it began.
    pub attempts: u32,
}

/// Which runs are asked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this orchestrator.
    pub node: Option<Text>,
    /// In this status.
    pub status: Option<RunStatus>,
    /// With this value of `run_key`.
    pub key: Option<Text>,
    /// Of this story.
    pub correlation_id: Option<Id>,
    /// Begun after this time.
    pub started_after: Option<Micros>,
}

impl Filter {
    fn takes(&self, head: &RunHead) -> bool {
        self.node.as_ref().is_none_or(|node| *node == head.node)
            && self.status.is_none_or(|status| status == head.status)
            && (self.key.is_none() || self.key == head.key)
            && self.correlation_id.is_none_or(|id| id == head.correlation_id)
            && self.started_after.is_none_or(|after| head.started_at > after)
    }
}

/// Whether a run of this status is over.
pub fn has_ended(status: RunStatus) -> bool {
    matches!(status, RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled)
}

/// The row of a run: its head, and its steps once it has ended.
pub(super) type RunRow = (RunHead, Option<Vec<StepRow>>);

impl Reader {
    /// The head of a run.
    pub fn run_head(&self, id: Id) -> Result<Option<RunHead>, QueryError> {
        Ok(self.run_row(id)?.map(|(head, _)| head))
    }

    /// A run.
    pub fn run(&self, id: Id) -> Result<Run, QueryError> {
        let found = self.find_run(id)?;
        found.ok_or_else(|| QueryError::NotFound(format!("there is no run {id}")))
    }

    /// A run, if it exists.
    pub(super) fn find_run(&self, id: Id) -> Result<Option<Run>, QueryError> {
        match self.run_row(id)? {
            Some((head, steps)) => self.whole_run(head, steps).map(Some),
            None => Ok(None),
        }
    }

    /// Runs, by id.
    pub fn runs(
        &self,
        filter: &Filter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Run>, QueryError> {
        let after = match after {
            Some(token) => {
                let id = Id::parse(token)
                    .ok_or_else(|| QueryError::Invalid(format!("`after` is no run id: {token}")))?;
                Some(key::run(id).to_vec())
            }
            None => None,
        };
        let scan = Scan { prefix: key::RUNS, after, limit };
        let rows = self.page(
            scan,
            |_, row| {
                let (head, steps) = read(row)?;
                Ok(filter.takes(&head).then_some((head, steps)))
            },
            |(head, _)| head.id.to_string(),
        )?;
        let items = rows.items.into_iter();
        let items = items.map(|(head, steps)| self.whole_run(head, steps));
        Ok(Page { items: items.collect::<Result<_, _>>()?, next: rows.next })
    }

    fn run_row(&self, id: Id) -> Result<Option<RunRow>, QueryError> {
        self.row(key::run(id))?.map(|row| read(&row)).transpose()
    }

    /// A run with its steps, which stand in rows of their own while it is alive, and its waits.
    fn whole_run(&self, head: RunHead, steps: Option<Vec<StepRow>>) -> Result<Run, QueryError> {
        let plan = self.graphs.steps(head.graph, &head.node);
        let rows = match steps {
            Some(rows) => rows,
            None => self.step_rows(head.id, plan.len())?,
        };
        let mut run = named(head, rows, &plan);
        if run.head.ended_at.is_none() {
            self.add_waits(&mut run, &plan)?;
        }
        Ok(run)
    }

    /// A run with these steps; what it waits for is not told.
    pub(super) fn named_steps(&self, head: RunHead, rows: Vec<StepRow>) -> Run {
        let plan = self.graphs.steps(head.graph, &head.node);
        named(head, rows, &plan)
    }

    /// The steps of a run in rows of their own; one that has not started needs none.
    fn step_rows(&self, run: Id, count: usize) -> Result<Vec<StepRow>, QueryError> {
        let keys: Vec<_> = (0..count).map(|step| key::step(run, step as u16)).collect();
        let rows = self.store.load(&keys)?.into_iter();
        rows.map(|row| match row {
            Some(row) => Ok(codec::row::read_step(&row)?),
            None => Ok(StepRow::pending()),
        })
        .collect()
    }
}

/// The row of a run.
pub(super) fn read(row: &[u8]) -> Result<RunRow, QueryError> {
    let (head, ended) = codec::row::read_run(row)?;
    Ok((head, ended.map(|ended| ended.steps)))
}

/// Steps with the ids that their plan gives them.
fn named(head: RunHead, rows: Vec<StepRow>, plan: &[graph::Step]) -> Run {
    let id_of = |index: usize| match plan.get(index) {
        Some(step) => step.id.clone(),
        None => format!("{index}").into(),
    };
    let steps = rows.into_iter().enumerate().map(|(index, row)| Step {
        id: id_of(index),
        attempts: row.attempts,
        row,
    });
    Run { head, steps: steps.collect(), waits_for: Vec::new() }
}
