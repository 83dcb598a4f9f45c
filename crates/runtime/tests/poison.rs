//! A message whose step aborts the whole process: at the third start it is a dead letter, by the
//! page that a real process leaves behind.

mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use onex_contract::graph::Graph;
use onex_contract::source::Source;
use onex_engine::guard::Guard;
use onex_engine::input::Publish;
use onex_expr::Value;
use onex_kernel::port::BoxFuture;
use onex_kernel::row::Reason;
use onex_kernel::{Id, Payload};
use onex_runtime::Options;
use onex_runtime::guard::StepGuard;
use onex_runtime::query::letter::Filter;
use onex_store::embedded::{Embedded, Options as Limits};
use support::{Does, answer, run_with};

/// Set for the process that is to die: its data folder.
const FOLDER: &str = "FOLDER_TO_DIE_ON";

const COUNTS: &str = "
name: counts
node_type: reducer
contract_version: 1.0.0
description: Counts.
event_bus: {subscribe_topics: [{topic: onex.evt.test.said.v1}]}
state_machine:
  initial_state: open
  initial_data: {count: 0}
  entity_key: \"'all'\"
  states: [{state_name: open, waits: forever}]
  transitions:
    - {from_state: open, trigger: said, actions: [{action_type: state_update, set: {count: '${state.count + 1}'}}]}
";

/// A guard whose steps abort the process.
struct Aborts(StepGuard);

impl Guard for Aborts {
    fn step(&mut self, delivery: Id, _step: &mut dyn FnMut()) -> bool {
        self.0.step(delivery, &mut || std::process::abort())
    }

    fn poisoned(&self, delivery: &mut dyn FnMut() -> Id) -> bool {
        self.0.poisoned(delivery)
    }
}

fn graph() -> Graph {
    let sources = [Source::new("counts.yaml", COUNTS)];
    let checked = onex_contract::check(&sources, &onex_effects::catalog(), &Default::default());
    checked.graph.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

/// The client's message, the same each time.
fn message(number: u8) -> Publish {
    let id = Id([number; 16]);
    Publish {
        id,
        id_given: true,
        topic: "onex.evt.test.said.v1".into(),
        key: None,
        event_type: None,
        payload: Payload { value: Value::map::<&str>([]), bytes: Some(b"{}".as_slice().into()) },
        correlation_id: id,
    }
}

async fn start(folder: &Path, aborts: bool) -> support::Running {
    let store = Embedded::open_folder(folder, Limits::default()).expect("opens");
    let page = StepGuard::open(&folder.join("step")).expect("opens");
    let guard: Box<dyn Guard> = if aborts { Box::new(Aborts(page)) } else { Box::new(page) };
    let never = Does(|_| -> BoxFuture<_> { Box::pin(async { Ok(answer(Value::Null)) }) });
    run_with(Arc::new(store), Options::default(), Arc::new(never), graph(), guard).await
}

#[tokio::test]
async fn a_message_that_ends_the_process_twice_is_a_letter_the_third_time_and_others_go_on() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let running = start(Path::new(&folder), true).await;
        // Nobody comes back from this.
        let _ = running.handle.publish(message(1)).await;
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    for _ in 0..2 {
        let name =
            "a_message_that_ends_the_process_twice_is_a_letter_the_third_time_and_others_go_on";
        let ended = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", name])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("starts");
        assert_eq!(ended.code(), None, "it is killed by a signal");
    }
    let running = start(folder.path(), false).await;
    for number in [1, 2] {
        running.handle.publish(message(number)).await.expect("it is accepted");
    }
    let letters = running.handle.letters(Filter::default(), None, 10).await.expect("reads");
    let found: Vec<_> =
        letters.items.iter().map(|letter| (letter.message.id, letter.reason)).collect();
    assert_eq!(found, [(Id([1; 16]), Reason::StepPanicked)]);
    let all = running.handle.entity("counts".into(), "all".into()).await.expect("is there");
    assert_eq!(all.row.data.get("count"), Some(&Value::Int(1)));
}
