//! What every [`Store`] holds after any number of starts.

use crate::conformance::store::{append, commit, key, load, seal};
use crate::{Record, RowBytes, RowChange, Store};

/// Runs the part of the suite about starts; `open` opens the same data each time.
///
/// # Panics
/// Where a store behaves otherwise.
pub fn reopened<S: Store>(open: impl Fn() -> S) {
    let mut expected = 0;
    for round in 0..12_u64 {
        let store = open();
        assert_eq!(store.durable_to(), expected, "after start {round}");
        check_counters(&store, expected);
        for _ in 0..5 {
            let first = append(&store, &[counter(expected), counter(expected + 1)], round);
            assert_eq!(first, expected);
            expected += 2;
        }
        match round % 4 {
            0 => {}
            1 => seal(&store),
            2 => commit(&store, expected),
            _ => {
                commit(&store, expected);
                seal(&store);
            }
        }
        check_counters(&store, expected);
    }
}

/// A record that counts in row `n % 7` and removes row `n % 5`.
fn counter(number: u64) -> Record {
    let put = RowChange {
        key: key(&format!("count/{}", number % 7)),
        value: Some(RowBytes::from(number.to_le_bytes())),
        fresh: false,
    };
    let delete = RowChange { key: key(&format!("gone/{}", number % 5)), value: None, fresh: false };
    Record {
        partition: (number % 64) as u16,
        body: vec![number as u8; 300],
        payload_bytes: 200,
        rows: vec![put, delete],
    }
}

fn check_counters(store: &impl Store, count: u64) {
    let rows = store.scan(b"", b"\xff", usize::MAX).expect("scans");
    assert_eq!(rows.len() as u64, count.min(7));
    for (row_key, value) in rows {
        let last = u64::from_le_bytes(value[..].try_into().expect("eight bytes were written"));
        assert!(last + 7 >= count, "{row_key:?} holds {last} of {count}");
        assert_eq!(load(store, &format!("count/{}", last % 7)), Some(value));
    }
    let records = store.read(0, usize::MAX, usize::MAX).expect("reads");
    assert_eq!(records.len() as u64, count);
    for (offset, record) in (0..).zip(records) {
        assert_eq!(record.offset, offset);
        assert_eq!(record.partition, (offset % 64) as u16);
        assert_eq!(*record.body, [offset as u8; 300]);
        assert!(record.rows.changes().eq(counter(offset).rows));
    }
}
