//! What a start makes of torn, lost, flipped and stale bytes.

mod model;

use model::{Model, open, options, record, refusal};
use onex_store::Store;
use onex_store::disk::{Disk, Fault, Memory};
use onex_store::embedded::Embedded;

const SECTOR: usize = 512;
const LOG: &str = "log-0000000001";

/// Three turns, sealed, and the bytes that a fourth adds to the only segment.
struct LastFrame {
    model: Model,
    before: Memory,
    /// Place and bytes of the frame of the fourth turn.
    position: u64,
    frame: Vec<u8>,
    fourth: onex_store::Record,
}

fn last_frame(bytes: usize) -> LastFrame {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    let mut model = Model::default();
    model.fill(&store, 3, 300);
    let before = disk.copy();
    let free = store.status().tail_free_bytes;
    let fourth = record(3, bytes);
    store.append(std::slice::from_ref(&fourth), 3).expect("appends");
    let length = free - store.status().tail_free_bytes;
    let position = 8 * 1024 - free;
    let mut frame = vec![0; length as usize];
    disk.read_at(LOG, position, &mut frame).expect("reads");
    LastFrame { model, before, position, frame, fourth }
}

impl LastFrame {
    /// The disk when only some bytes of the frame reached it.
    fn torn(&self, kept: std::ops::Range<usize>) -> Memory {
        let disk = self.before.copy();
        let position = self.position + kept.start as u64;
        disk.write_at(LOG, position, &self.frame[kept]).expect("writes");
        disk.sync(LOG).expect("syncs");
        disk
    }

    /// The store must hold the three turns, take another, and hold that after the next start.
    fn check_cut(&self, disk: &Memory) {
        let mut model = self.model.clone();
        let store = open(disk, 2).expect("a torn tail is cut");
        model.check(&store);
        model.fill(&store, 2, 100);
        drop(store);
        model.check(&open(&disk.crash(7), 3).expect("opens again"));
    }
}

#[test]
fn a_last_frame_torn_at_any_sector_is_cut() {
    let last = last_frame(2_500);
    assert_eq!(last.frame.len(), 6 * SECTOR);
    for kept in 0..6 {
        last.check_cut(&last.torn(0..kept * SECTOR));
        last.check_cut(&last.torn((kept + 1) * SECTOR..6 * SECTOR));
    }
    let store = open(&last.torn(0..6 * SECTOR), 2).expect("opens");
    let mut model = last.model.clone();
    model.records.push(last.fourth.clone());
    model.check(&store);
}

#[test]
fn a_last_frame_torn_at_any_byte_of_its_header_is_cut() {
    let last = last_frame(700);
    for kept in 0..64 {
        last.check_cut(&last.torn(0..kept));
    }
}

#[test]
fn a_flip_in_the_unsealed_last_frame_cuts_it() {
    let last = last_frame(700);
    for at in 0..last.frame.len() {
        let disk = last.torn(0..last.frame.len());
        disk.flip_bit(LOG, last.position + at as u64, at as u8).expect("flips");
        let store = open(&disk, 2).expect("a flip there is a torn write");
        last.model.check(&store);
    }
}

#[test]
fn a_flip_in_a_sealed_log_is_refused_with_its_place() {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    let mut model = Model::default();
    model.fill(&store, 3, 700);
    let end = 8 * 1024 - store.status().tail_free_bytes;
    let frame_bytes = (end - SECTOR as u64) / 3;
    store.seal().expect("seals");
    drop(store);
    for at in 0..end {
        let flipped = disk.copy();
        flipped.flip_bit(LOG, at, at as u8).expect("flips");
        let (file, position) = refusal(open(&flipped, 2));
        assert_eq!(file, LOG);
        let frame = at.saturating_sub(SECTOR as u64) / frame_bytes;
        let start = if at < SECTOR as u64 { 0 } else { SECTOR as u64 + frame * frame_bytes };
        assert_eq!(position, start, "flip at {at}");
    }
    for at in end..end + 2 * SECTOR as u64 {
        let flipped = disk.copy();
        flipped.flip_bit(LOG, at, at as u8).expect("flips");
        model.check(&open(&flipped, 2).expect("the seal and what is behind it hold no record"));
    }
}

#[test]
fn a_flip_before_the_last_of_several_segments_is_refused() {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    let mut model = Model::default();
    model.fill(&store, 80, 700);
    store.seal().expect("seals");
    assert!(store.status().segments >= 3);
    drop(store);
    for at in (SECTOR as u64..7 * 1024).step_by(97) {
        let flipped = disk.copy();
        flipped.flip_bit(LOG, at, 3).expect("flips");
        assert_eq!(refusal(open(&flipped, 2)).0, LOG);
    }
}

#[test]
fn a_flip_below_the_checkpoint_is_found_when_it_is_read() {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    let mut model = Model::default();
    model.fill(&store, 80, 700);
    store.commit().expect("commits");
    store.seal().expect("seals");
    drop(store);
    disk.flip_bit(LOG, 3_000, 0).expect("flips");
    let store = open(&disk, 2).expect("rows are not affected");
    assert_eq!(store.read(70, 10, usize::MAX).expect("reads").len(), 10);
    let error = store.read(0, 10, usize::MAX).expect_err("the damage is named");
    assert!(error.to_string().starts_with("log-0000000001 is damaged at byte"), "{error}");
}

#[test]
fn a_lost_sync_is_refused_once_anything_was_written_after_it() {
    for lost in 0..4 {
        for after in ["turn", "seal"] {
            let disk = Memory::new();
            let store = open(&disk, 1).expect("opens");
            let mut model = Model::default();
            for turn in 0..5 {
                if turn == lost {
                    disk.inject(disk.operations() + 1, Fault::SyncLost);
                }
                model.fill(&store, 1, 300);
                if turn == lost && after == "seal" {
                    store.seal().expect("seals");
                    break;
                }
            }
            let (file, position) = refusal(open(&disk.crash(4), 2));
            assert_eq!((file.as_str(), position), (LOG, (SECTOR * (1 + lost)) as u64));
        }
    }
}

#[test]
fn a_log_shorter_than_its_checkpoint_is_refused() {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    Model::default().fill(&store, 3, 300);
    // The sync of the next frame is lost, but its rows reach the checkpoint.
    disk.inject(disk.operations() + 1, Fault::SyncLost);
    store.append(&[record(3, 300)], 3).expect("appends");
    store.commit().expect("commits");
    assert_eq!(refusal(open(&disk.crash(4), 2)).0, LOG);
}

#[test]
fn a_missing_segment_is_refused() {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    Model::default().fill(&store, 80, 700);
    store.seal().expect("seals");
    drop(store);
    for (number, missing) in [(1, "log-0000000001"), (2, "log-0000000002")] {
        let disk = disk.copy();
        disk.remove(missing).expect("removes");
        let (file, _) = refusal(open(&disk, 2));
        assert_eq!(file, format!("log-000000000{}", if number == 1 { 2 } else { number }));
    }
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    Model::default().fill(&store, 3, 300);
    store.commit().expect("commits");
    drop(store);
    disk.remove(LOG).expect("removes");
    assert_eq!(refusal(open(&disk, 2)).0, LOG);
}

#[test]
fn what_a_start_has_shown_survives_although_it_was_never_synced() {
    for (earlier, seed) in [0, 1, 3].into_iter().flat_map(|n| (0..10).map(move |seed| (n, seed))) {
        let disk = Memory::new();
        let store = open(&disk, 1).expect("opens");
        let mut model = Model::default();
        model.fill(&store, earlier, 300);
        // The sync fails: the turn is not acknowledged, but the next start can read it.
        disk.inject(disk.operations() + 1, Fault::Fails);
        let unsure = record(model.records.len() as u64, 300);
        store.append(std::slice::from_ref(&unsure), 9).expect_err("the sync fails");
        drop(store);
        let store = open(&disk, 2).expect("opens");
        model.records.push(unsure);
        model.check(&store);
        drop(store);
        model.check(&open(&disk.crash(seed), 3).expect("opens after the power loss"));
    }
}

#[test]
fn starts_without_traffic_do_not_grow_the_log() {
    let disk = Memory::new();
    let mut model = Model::default();
    model.fill(&open(&disk, 1).expect("opens"), 10, 300);
    let log_bytes = open(&disk, 2).expect("opens").status().log_bytes;
    for entropy in 3..30 {
        let store = open(&disk.crash(entropy), entropy).expect("opens");
        model.check(&store);
        assert_eq!(store.status().log_bytes, log_bytes);
    }
}

#[test]
fn an_open_store_without_calls_does_not_touch_the_disk() {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    let mut model = Model::default();
    model.fill(&store, 10, 300);
    store.commit().expect("commits");
    store.seal().expect("seals");
    let operations = disk.operations();
    model.check(&store);
    store.commit().expect("commits");
    store.seal().expect("seals");
    assert_eq!(disk.operations(), operations);
}

#[test]
fn a_segment_used_again_never_shows_its_former_frames() {
    let disk = Memory::new();
    let limits = |entropy| onex_store::embedded::Options {
        segment_first_bytes: 8 * 1024,
        segment_bytes: 8 * 1024,
        log_bytes_max: 24 * 1024,
        log_keep_micros: 0,
        ..options(entropy)
    };
    let mut model = Model::default();
    let mut stale_starts = 0;
    for entropy in 1..60 {
        let store = Embedded::open(disk.clone(), limits(entropy)).expect("opens");
        model.check(&store);
        model.fill(&store, 3 + entropy as usize % 5, 300);
        store.commit().expect("commits");
        model.check(&store);
        drop(store);
        stale_starts += usize::from(has_stale_frames(&disk, &model));
    }
    assert!(stale_starts > 10, "only {stale_starts} starts met stale frames");
}

/// Whether the last segment holds frames of its former use behind the tail.
fn has_stale_frames(disk: &Memory, model: &Model) -> bool {
    let files = disk.list().expect("lists");
    let (name, length) =
        files.iter().rfind(|(name, _)| name.starts_with("log-")).expect("a segment");
    let mut bytes = vec![0; *length as usize];
    disk.read_at(name, 0, &mut bytes).expect("reads");
    let newest = model.records.len() as u64;
    bytes.chunks(SECTOR).any(|sector| {
        let first = u64::from_le_bytes(sector[16..24].try_into().expect("eight bytes"));
        sector.starts_with(b"ONXF") && first + 20 < newest
    })
}

#[test]
fn a_crash_at_any_operation_of_a_start_loses_nothing() {
    let disk = Memory::new();
    let mut model = Model::default();
    let store = open(&disk, 1).expect("opens");
    model.fill(&store, 25, 700);
    store.commit().expect("commits");
    model.fill(&store, 8, 700);
    drop(store);
    let before = disk.operations();
    drop(open(&disk.copy(), 2).expect("opens"));
    assert!(before > 0);
    let count = {
        let copy = disk.copy();
        drop(open(&copy, 2).expect("opens"));
        copy.operations()
    };
    assert!(count >= 4, "an unsealed start writes: {count}");
    for operation in 0..count {
        for seed in 0..12 {
            let copy = disk.copy();
            copy.inject(operation, Fault::PowerLost);
            assert!(open(&copy, 2).is_err(), "operation {operation} of {count}");
            let store = open(&copy.crash(seed), 3).expect("opens after the power loss");
            model.check(&store);
        }
    }
}

#[test]
fn another_format_is_refused() {
    let disk = Memory::new();
    drop(open(&disk, 1).expect("opens"));
    let mut header = [0; SECTOR];
    disk.read_at(LOG, 0, &mut header).expect("reads");
    header[4..8].copy_from_slice(&9_u32.to_le_bytes());
    let crc = crc32c::crc32c(&header[..SECTOR - 4]);
    header[SECTOR - 4..].copy_from_slice(&crc.to_le_bytes());
    disk.write_at(LOG, 0, &header).expect("writes");
    let error = open(&disk, 2).err().expect("refused").to_string();
    assert_eq!(error, "log-0000000001 has format 9, this version reads format 2");
}
