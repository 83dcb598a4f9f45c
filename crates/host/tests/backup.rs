//! `onex backup` of a host under load, and `onex restore`.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};

use onex_expr::Value;
use support::{Host, onex, parse, run};

fn added(amount: u32) -> String {
    format!(
        r#"{{"topic": "onex.evt.test.added.v1", "payload": {{"id": "a", "amount": {amount}}}}}"#
    )
}

fn total(host: &Host) -> Option<i64> {
    host.get("/v1/state/counter/a").json().get("data")?.get("total")?.as_int()
}

#[test]
fn a_host_under_load_is_backed_up_and_the_copy_holds_what_was_before_its_offset() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let host = Host::start_on(folder.path(), &[]);
    let backup = folder.path().join("backup");
    let stop = AtomicBool::new(false);
    let answer = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                assert_eq!(host.post("/v1/messages", &added(1)).status, 202);
            }
        });
        while total(&host).is_none_or(|total| total < 20) {
            std::thread::yield_now();
        }
        let answer = run(host.command(&["backup", "-o", "json"]).arg(&backup));
        stop.store(true, Ordering::Relaxed);
        answer
    });
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let offset = parse(&answer.stdout).get("offset").and_then(Value::as_int).expect("an offset");

    let other = folder.path().join("other");
    std::fs::create_dir(&other).expect("a folder can be made");
    let restored = run(onex().arg("restore").arg(&backup).arg("--data").arg(other.join("data")));
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    let copy = Host::start_on(&other, &[]);
    let items = |host: &Host| {
        let tail = ["tail", "onex.evt.test.added.v1", "--from", "beginning", "-o", "json"];
        let printed = run(&mut host.command(&tail)).stdout;
        let lines = printed.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let before = |record: &Value| record.get("offset").and_then(Value::as_int) < Some(offset);
        lines.map(parse).filter(before).collect::<Vec<Value>>()
    };
    let kept = items(&copy);
    assert!(kept.len() >= 20, "{} messages before offset {offset}", kept.len());
    assert_eq!(kept, items(&host));
    assert_eq!(total(&copy), i64::try_from(kept.len()).ok());
    assert!(total(&copy) <= total(&host));
    assert_eq!(copy.post("/v1/messages", &added(1)).status, 202);
    assert_eq!(total(&copy), i64::try_from(kept.len() + 1).ok());
}

#[test]
fn half_a_backup_is_not_restored_and_nothing_is_written_over() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut host = Host::start_on(folder.path(), &[]);
    assert_eq!(host.post("/v1/messages", &added(2)).status, 202);
    let backup = folder.path().join("backup");
    assert!(run(host.command(&["backup"]).arg(&backup)).status.success());
    assert_eq!(run(host.command(&["backup"]).arg(&backup)).status.code(), Some(1));
    host.signal("-TERM");
    assert_eq!(host.ended(), Some(0));

    let restore = |from: &str, to: &str| {
        let (from, to) = (folder.path().join(from), folder.path().join(to));
        run(onex().arg("restore").arg(from).arg("--data").arg(to)).status.code()
    };
    assert_eq!(restore("backup", "data"), Some(1), "the data folder is in use by its data");
    let whole = std::fs::read(backup.join("backup")).expect("the backup is there");
    std::fs::write(backup.join("backup"), &whole[..whole.len() / 2]).expect("it can be cut off");
    assert_eq!(restore("backup", "target"), Some(1));
    assert!(!folder.path().join("target").exists());
    std::fs::write(backup.join("backup"), &whole).expect("it can be mended");
    std::fs::rename(backup.join("manifest.json"), folder.path().join("m")).expect("it is there");
    assert_eq!(restore("backup", "target"), Some(1), "without its manifest it was not finished");
    std::fs::rename(folder.path().join("m"), backup.join("manifest.json")).expect("it is there");
    assert_eq!(restore("backup", "target"), Some(0));

    let offline = run(onex()
        .arg("backup")
        .arg(folder.path().join("offline"))
        .arg("--data")
        .arg(folder.path().join("target")));
    assert!(offline.status.success(), "{}", String::from_utf8_lossy(&offline.stderr));
    assert_eq!(restore("offline", "again"), Some(0));
}
