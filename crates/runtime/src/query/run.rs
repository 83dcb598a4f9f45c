//! Workflow runs: head, steps with their names, and what they wait for.

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
            && self
                .correlation_id
                .is_none_or(|id| id == head.correlation_id)
            && self
                .started_after
                .is_none_or(|after| head.started_at > after)
    }
}

/// Whether a run of this status is over.
pub fn has_ended(status: RunStatus) -> bool {
    matches!(
        status,
        RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled
    )
}

/// The word on the interface.
pub fn status_word(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Pending => "pending",
        RunStatus::Running => "running",
        RunStatus::Paused => "paused",
        RunStatus::Completed => "completed",
        RunStatus::Failed => "failed",
        RunStatus::Cancelled => "cancelled",
    }
}

impl Reader {
    /// The head of a run.
    pub fn run_head(&self, id: Id) -> Result<Option<RunHead>, QueryError> {
        match self.row(key::run(id))? {
            Some(row) => Ok(Some(codec::row::read_head(&row)?)),
            None => Ok(None),
        }
    }

    /// A run.
    pub fn run(&self, id: Id) -> Result<Run, QueryError> {
        let head = self
            .run_head(id)?
            .ok_or_else(|| QueryError::NotFound(format!("there is no run {id}")))?;
        self.whole_run(head)
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
                let id = Id::parse(token).ok_or_else(|| {
                    QueryError::Invalid(format!("`after` is no run id: {token}"))
                })?;
                Some(key::run(id).to_vec())
            }
            None => None,
        };
        let scan = Scan {
            prefix: key::RUNS,
            after,
            limit,
        };
        let heads = self.page(
            scan,
            |_, row| {
                let head = codec::row::read_head(row)?;
                Ok(filter.takes(&head).then_some(head))
            },
            |head| head.id.to_string(),
        )?;
        let items = heads.items.into_iter().map(|head| self.whole_run(head));
        Ok(Page {
            items: items.collect::<Result<_, _>>()?,
            next: heads.next,
        })
    }

    /// A run with its steps and waits.
    pub(super) fn whole_run(&self, head: RunHead) -> Result<Run, QueryError> {
        let ids = self.graphs.step_ids(head.graph, &head.node);
        let mut steps = Vec::with_capacity(ids.len());
        let first = key::step(head.id, 0);
        let prefix = &first[..first.len() - 2];
        self.each(prefix, None, |key, row| {
            let Some(index) = key.last_chunk::<2>().map(|index| u16::from_be_bytes(*index)) else {
                return Ok(super::Visit::Next);
            };
            let row = codec::row::read_step(row)?;
            let id = ids.get(usize::from(index)).cloned();
            steps.push(Step {
                id: id.unwrap_or_else(|| format!("{index}").into()),
                attempts: row.attempts,
                row,
            });
            Ok(super::Visit::Next)
        })?;
        let mut run = Run {
            head,
            steps,
            waits_for: Vec::new(),
        };
        if !has_ended(run.head.status) {
            self.add_waits(&mut run)?;
        }
        Ok(run)
    }
}
