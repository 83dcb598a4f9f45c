//! Every rule about frames, attacked in the middle of a log, in its last frame, and in its last
//! frame with a seal behind: what can be a torn write is cut, everything else is refused by place.

mod model;

use model::{Model, open, refusal};
use onex_store::Store;
use onex_store::disk::{Disk, Memory};

const LOG: &str = "log-0000000001";
const SECTOR: u64 = 512;
const TURNS: u64 = 4;

/// Bytes of a frame that are written anew.
struct Field {
    name: &'static str,
    at: usize,
    bytes: usize,
}

const fn field(name: &'static str, at: usize, bytes: usize) -> Field {
    Field { name, at, bytes }
}

/// The whole frame: its header, one record of 300 bytes, and the zeros behind it.
const FIELDS: [Field; 14] = [
    field("magic", 0, 4),
    field("version", 4, 2),
    field("zeros of the header", 6, 2),
    field("length", 8, 4),
    field("count", 12, 4),
    field("first_offset", 16, 8),
    field("durable_before", 24, 8),
    field("time", 32, 8),
    field("boot", 40, 8),
    field("previous_frame_crc", 48, 4),
    field("length of the records", 52, 4),
    field("crc", 60, 4),
    field("records", 64, 330),
    field("zeros behind the records", 420, 92),
];

/// Frames that a right checksum does not make right: field, and what is added to it.
const WRITTEN_WRONG: [(&str, usize, usize); 7] = [
    ("version", 4, 2),
    ("length", 8, 4),
    ("count", 12, 4),
    ("first_offset", 16, 8),
    ("durable_before", 24, 8),
    ("boot", 40, 8),
    ("previous_frame_crc", 48, 4),
];

/// Four turns of one frame and one sector each, as a loss of power leaves them: the note of how far
/// the log had come is not there.
fn log(sealed: bool) -> (Memory, Model) {
    let disk = Memory::new();
    let store = open(&disk, 1).expect("opens");
    let mut model = Model::default();
    model.fill(&store, TURNS as usize, 300);
    if sealed {
        store.seal().expect("seals");
    }
    drop(store);
    disk.remove("position").expect("removes");
    (disk, model)
}

fn place(turn: u64) -> u64 {
    SECTOR * (1 + turn)
}

fn frame(disk: &Memory, turn: u64) -> [u8; SECTOR as usize] {
    let mut bytes = [0; SECTOR as usize];
    disk.read_at(LOG, place(turn), &mut bytes).expect("reads");
    bytes
}

fn write(disk: &Memory, turn: u64, frame: &[u8]) {
    disk.write_at(LOG, place(turn), frame).expect("writes");
    disk.sync(LOG).expect("syncs");
}

/// Gives a frame the checksum that its segment's salt demands.
fn sum(disk: &Memory, frame: &mut [u8]) {
    let mut salt = [0; 4];
    disk.read_at(LOG, 24, &mut salt).expect("reads");
    let crc = crc32c::crc32c_append(u32::from_le_bytes(salt), &frame[..60]);
    let crc = crc32c::crc32c_append(crc, &frame[64..]);
    frame[60..64].copy_from_slice(&crc.to_le_bytes());
}

/// The last turn is gone, all before it is there, and the log goes on.
fn check_cut(disk: &Memory, mut model: Model, what: &str) {
    let store = open(disk, 2).unwrap_or_else(|error| panic!("{what}: {error}"));
    model.records.pop();
    model.check(&store);
    model.fill(&store, 2, 300);
    drop(store);
    model.check(&open(&disk.crash(3), 3).expect("opens again"));
}

fn check_refused(disk: &Memory, turn: u64, what: &str) {
    let (file, position) = refusal(open(disk, 2));
    assert_eq!((file.as_str(), position), (LOG, place(turn)), "{what}");
}

#[test]
fn a_flip_in_any_field_is_refused_unless_it_can_be_a_torn_write() {
    for Field { name, at, bytes } in FIELDS {
        for bit in 0..bytes * 8 {
            let flip = |sealed: bool, turn: u64| {
                let (disk, model) = log(sealed);
                disk.flip_bit(LOG, place(turn) + (at + bit / 8) as u64, bit as u8).expect("flips");
                (disk, model)
            };
            let what = format!("bit {bit} of {name}");
            check_refused(&flip(false, 1).0, 1, &what);
            check_refused(&flip(true, TURNS - 1).0, TURNS - 1, &what);
            if bit % 7 == 0 {
                let (disk, model) = flip(false, TURNS - 1);
                check_cut(&disk, model, &what);
            }
        }
    }
}

#[test]
fn a_frame_with_a_right_checksum_that_does_not_follow_is_never_taken() {
    for (name, at, bytes) in WRITTEN_WRONG {
        for (sealed, turn) in [(false, 1), (true, TURNS - 1), (false, TURNS - 1)] {
            let (disk, model) = log(sealed);
            let mut wrong = frame(&disk, turn);
            let mut number = [0; 8];
            number[..bytes].copy_from_slice(&wrong[at..at + bytes]);
            let number = match name {
                // What it says was synced lies before what it follows.
                "durable_before" => u64::from_le_bytes(number) - 1,
                _ => u64::from_le_bytes(number) + 1,
            };
            wrong[at..at + bytes].copy_from_slice(&number.to_le_bytes()[..bytes]);
            sum(&disk, &mut wrong);
            write(&disk, turn, &wrong);
            let looks_like_no_frame = matches!(name, "version" | "length");
            if turn == TURNS - 1 && !sealed && looks_like_no_frame {
                check_cut(&disk, model, name);
            } else {
                check_refused(&disk, turn, name);
            }
        }
    }
}

#[test]
fn zeros_in_place_of_frames_are_a_torn_tail_or_damage() {
    for first in 0..TURNS {
        let (disk, model) = log(false);
        for turn in first..TURNS {
            write(&disk, turn, &[0; SECTOR as usize]);
        }
        // Without the note nothing tells these from frames that were never written.
        let mut left = model.clone();
        left.records.truncate(first as usize);
        left.check(&open(&disk, 2).expect("nothing shows that more was synced"));
        let (disk, _) = log(false);
        write(&disk, first, &[0; SECTOR as usize]);
        match first + 1 < TURNS {
            true => check_refused(&disk, first, "zeros with a frame behind"),
            false => check_cut(&disk, model, "zeros at the end"),
        }
        let (disk, _) = log(true);
        write(&disk, first, &[0; SECTOR as usize]);
        check_refused(&disk, first, "zeros before a seal");
    }
}

#[test]
fn frames_of_another_use_of_the_segment_behind_the_tail_are_stale() {
    let (disk, model) = log(false);
    // The same frames as another segment would hold them: every number follows, the salt differs.
    let follows = frame(&disk, TURNS - 1);
    for salt in [0_u32, 1, 0xffff_ffff] {
        let disk = disk.copy();
        let mut stale = follows;
        stale[16..24].copy_from_slice(&TURNS.to_le_bytes());
        stale[24..32].copy_from_slice(&TURNS.to_le_bytes());
        stale[48..52].copy_from_slice(&follows[60..64]);
        let crc = crc32c::crc32c_append(salt, &stale[..60]);
        let crc = crc32c::crc32c_append(crc, &stale[64..]);
        stale[60..64].copy_from_slice(&crc.to_le_bytes());
        write(&disk, TURNS, &stale);
        write(&disk, TURNS + 3, &stale);
        model.check(&open(&disk, 2).expect("stale frames are no frames"));
    }
    // With the salt of this segment it is the next frame.
    let mut next = follows;
    next[16..24].copy_from_slice(&TURNS.to_le_bytes());
    next[24..32].copy_from_slice(&TURNS.to_le_bytes());
    next[48..52].copy_from_slice(&follows[60..64]);
    sum(&disk, &mut next);
    write(&disk, TURNS, &next);
    assert_eq!(open(&disk, 2).expect("opens").durable_to(), TURNS + 1);
}
