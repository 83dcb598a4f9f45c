//! The saved index of full segments: used, worked out again when it is missing, never believed.

mod model;

use model::{Model, options};
use onex_store::disk::{Disk, Memory};
use onex_store::embedded::{Embedded, Options};
use onex_store::{Store, StoreError};

/// A store whose segments have several places each.
fn open(disk: &Memory, entropy: u64) -> Result<Embedded<Memory>, StoreError> {
    Embedded::open(disk.clone(), Options { segment_bytes: 256 * 1024, ..options(entropy) })
}

/// Several segments with an index each, all sealed; the second one's name and its index.
fn written() -> (Memory, Model) {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    let mut model = Model::default();
    model.fill(&store, 200, 700);
    store.commit().expect("commits");
    store.seal().expect("seals");
    (disk, model)
}

const SEGMENT: &str = "log-0000000002";
const INDEX: &str = "index/0000000002";

/// First and last offset of the second segment.
fn bounds(disk: &Memory) -> (u64, u64) {
    let first = |name: &str| {
        let mut bytes = [0; 8];
        disk.read_at(name, 512 + 16, &mut bytes).expect("reads");
        u64::from_le_bytes(bytes)
    };
    (first(SEGMENT), first("log-0000000003") - 1)
}

fn is_right(store: &impl Store, model: &Model, offset: u64) -> Result<(), StoreError> {
    let read = store.read(offset, 1, usize::MAX)?;
    assert_eq!(read[0].offset, offset);
    assert_eq!(*read[0].body, *model.records[offset as usize].body);
    Ok(())
}

#[test]
fn a_read_after_a_start_begins_near_what_is_wanted() {
    let (disk, model) = written();
    let (_, last) = bounds(&disk);
    // The second frame is damaged: who follows the segment from its start comes to it.
    disk.flip_bit(SEGMENT, 512 + 1024 + 200, 1).expect("flips");
    let store = open(&disk, 2).expect("the checkpoint covers it");
    is_right(&store, &model, last).expect("the damage is elsewhere");
    drop(store);
    disk.remove(INDEX).expect("there is an index");
    let store = open(&disk, 3).expect("opens");
    let refused = is_right(&store, &model, last).expect_err("every frame is followed");
    assert!(refused.to_string().starts_with(SEGMENT), "{refused}");
}

#[test]
fn an_index_that_is_missing_is_worked_out_and_saved_again() {
    let (disk, model) = written();
    disk.remove(INDEX).expect("there is an index");
    let store = open(&disk, 2).expect("opens");
    model.check(&store);
    store.commit().expect("commits");
    let indexes = disk.list_in("index").expect("lists");
    assert!(indexes.iter().any(|(name, _)| name == INDEX), "{indexes:?}");
}

#[test]
fn a_damaged_index_changes_nothing() {
    let (disk, model) = written();
    let (first, last) = bounds(&disk);
    let mut bytes = vec![0; 4096];
    let length = disk.read_at(INDEX, 0, &mut bytes).expect("reads") as u64;
    for at in 0..length {
        let disk = disk.copy();
        disk.flip_bit(INDEX, at, at as u8).expect("flips");
        let store = open(&disk, 2).expect("opens");
        for offset in [first, last] {
            is_right(&store, &model, offset).expect("the frames are whole");
        }
    }
}

#[test]
fn an_index_that_is_whole_and_wrong_is_not_believed() {
    let (disk, model) = written();
    let (first, last) = bounds(&disk);
    let mut bytes = vec![0; 4096];
    let length = disk.read_at(INDEX, 0, &mut bytes).expect("reads");
    bytes.truncate(length);
    // Every place says another offset, or another position, than the frame there.
    for (field, wrong) in [(0, 1_u64), (0, u64::MAX), (8, 512), (8, 3), (8, 1 << 40)] {
        let mut bytes = bytes[..length - 4].to_vec();
        for place in bytes[24..].chunks_exact_mut(24) {
            let number = u64::from_le_bytes(place[field..field + 8].try_into().expect("eight"));
            place[field..field + 8].copy_from_slice(&number.wrapping_add(wrong).to_le_bytes());
        }
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        let disk = disk.copy();
        disk.put(INDEX, &[&bytes]).expect("puts");
        let store = open(&disk, 2).expect("opens");
        for offset in (first..=last).step_by(3) {
            is_right(&store, &model, offset).expect("the frames are whole");
        }
    }
}

#[test]
fn indexes_go_with_their_segments() {
    let disk = Memory::new();
    let limits = Options { log_bytes_max: 0, log_keep_micros: 0, ..options(1) };
    let store = Embedded::open(disk.clone(), limits).expect("opens");
    let mut model = Model::default();
    for _ in 0..5 {
        model.fill(&store, 60, 700);
        store.commit().expect("commits");
    }
    let segments = store.status().segments;
    assert!(disk.list_in("index").expect("lists").len() < segments, "{segments} segments");
    model.check(&store);
}
