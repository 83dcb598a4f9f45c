//! What contracts that were changed mean for what the data folder holds: said before they start, and
//! refused where what is alive would be harmed.

use onex_contract::catalog::HostValues;
use onex_contract::diff::{self, Change, Diff, Set, Touches, Verdict};
use onex_contract::graph::Graph;
use onex_contract::source::Source;
use onex_runtime::query::{QueryError, alive};
use onex_store::Store;

use crate::compose;
use crate::fault::Fault;
use crate::print;
use crate::system::System;

/// Says what changes against the contracts that ran last, if anything does. `accepted`: nothing is
/// refused.
pub fn review(
    store: &dyn Store,
    system: &System,
    graph: &Graph,
    accepted: bool,
) -> Result<(), Fault> {
    let reading = |error: QueryError| Fault::no(error.to_string());
    let Some(stored) = alive::active_graph(store).map_err(reading)? else {
        return Ok(());
    };
    if *stored == *graph.stored {
        return Ok(());
    }
    let Ok(active) = Graph::restore(&stored, &compose::catalog()) else {
        print::note("the contracts that ran last do not pass this version's check: not compared");
        return Ok(());
    };
    let old = sources(&active);
    let checked = onex_contract::check(&old, &compose::catalog(), &HostValues::default());
    let before = Set { sources: &old, checked: &checked };
    let after = Set { sources: &system.sources, checked: &system.checked };
    let mut diff = diff::diff(before, after);
    count_alive(store, &mut diff).map_err(reading)?;
    print::note(told(&diff));
    let harmful = diff.changes.iter().filter(|change| harms(change)).count();
    if harmful == 0 || accepted {
        return Ok(());
    }
    let what = format!("{harmful} of the changes do not fit what is alive: nothing was started");
    Err(Fault::no(what).help(
        "let what is alive end under the old contracts, or say --yes to start with the new ones",
    ))
}

/// The contracts of a graph, in their normal form.
fn sources(graph: &Graph) -> Vec<Source> {
    let source = |node: &onex_contract::graph::Node| {
        Source::new(format!("{} (as it ran)", node.name), &*node.normal_form)
    };
    graph.nodes.iter().map(source).collect()
}

fn told(diff: &Diff) -> String {
    if diff.changes.is_empty() {
        return "the contracts mean what they meant; values of the host changed".to_owned();
    }
    let body = diff::human::render(diff, print::has_reader());
    format!("the contracts changed since this data folder was last used:\n\n{}", body.trim_end())
}

/// Whether instances that are alive cannot go on as they are.
fn harms(change: &Change) -> bool {
    change.verdict >= Verdict::NeedsMigration && change.alive.is_some_and(|alive| alive > 0)
}

fn count_alive(store: &dyn Store, diff: &mut Diff) -> Result<(), QueryError> {
    let mut counts: Vec<(Touches, u64)> = Vec::new();
    for change in &diff.changes {
        if counts.iter().any(|(known, _)| *known == change.touches) {
            continue;
        }
        let count = match &change.touches {
            Touches::Nothing => continue,
            Touches::Entities { node, state } => alive::entities(store, node, state.as_deref())?,
            Touches::Runs { node } => alive::runs(store, node)?,
        };
        counts.push((change.touches.clone(), count));
    }
    diff.count_alive(|touches| counts.iter().find(|(known, _)| known == touches).map(|(_, n)| *n));
    Ok(())
}
