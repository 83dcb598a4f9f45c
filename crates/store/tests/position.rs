//! A log that ends before what was once durable is refused, however it came to be shorter.

mod model;

use model::{Model, open, record, refusal};
use onex_store::disk::{Disk, Memory};

const LOG: &str = "log-0000000001";

/// A disk as it is found after kill -9: all that was written is there, no seal.
fn killed(turns: usize, bytes: usize) -> (Memory, Model) {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    let mut model = Model::default();
    model.fill(&store, turns, bytes);
    (disk.copy(), model)
}

fn segments(disk: &Memory) -> Vec<String> {
    let files = disk.list().expect("lists");
    files.into_iter().map(|(name, _)| name).filter(|name| name.starts_with("log-")).collect()
}

#[test]
fn a_log_that_is_gone_is_refused_and_not_begun_anew() {
    for (turns, bytes) in [(0, 0), (3, 300), (80, 700)] {
        let (disk, _) = killed(turns, bytes);
        for name in segments(&disk) {
            disk.remove(&name).expect("removes");
        }
        let (file, _) = refusal(open(&disk, 2));
        assert_eq!(file, "position");
    }
}

#[test]
fn the_last_segment_that_is_gone_is_refused() {
    let (disk, _) = killed(80, 700);
    let last = segments(&disk).pop().expect("there are segments");
    assert_ne!(last, LOG);
    disk.remove(&last).expect("removes");
    assert_eq!(refusal(open(&disk, 2)).0, last);
}

#[test]
fn frames_that_were_zeroed_at_the_end_are_refused_after_a_kill() {
    let (disk, model) = killed(6, 300);
    let end = 512 * 7;
    for from in (512 + 20..end).step_by(512) {
        let damaged = disk.copy();
        damaged.write_at(LOG, from, &vec![0; (end - from) as usize]).expect("writes");
        let (file, position) = refusal(open(&damaged, 2));
        assert_eq!((file.as_str(), position), (LOG, from / 512 * 512), "zeroed from {from}");
    }
    model.check(&open(&disk, 2).expect("undamaged it opens"));
}

#[test]
fn a_note_that_was_lost_or_damaged_keeps_no_log_from_opening() {
    let (disk, mut model) = killed(6, 300);
    let lost = disk.copy();
    lost.remove("position").expect("removes");
    model.check(&open(&lost, 2).expect("opens"));
    for slot in [0, 512] {
        disk.write_at("position", slot, &[0; 64]).expect("writes");
    }
    let store = open(&disk, 2).expect("opens");
    model.check(&store);
    model.append(&store, &[record(6, 300)]).expect("appends");
    let again = disk.copy();
    again.write_at(LOG, 512, &[0; 512]).expect("writes");
    assert_eq!(refusal(open(&again, 3)).0, LOG);
}
