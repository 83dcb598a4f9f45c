//! What every [`Store`] does.

use std::sync::Arc;

use crate::{
    KEY_BYTES_MAX, Record, RowBytes, RowChange, RowKey, Store, StoreError, VALUE_BYTES_MAX,
};

/// Runs the suite; `make` gives a new, empty store each time.
///
/// # Panics
/// Where a store behaves otherwise.
pub fn store<S: Store>(make: impl Fn() -> S) {
    an_empty_store_has_nothing(&make());
    records_are_read_back_in_order(&make());
    rows_are_readable_after_the_turn(&make());
    later_changes_of_a_turn_win(&make());
    scans_merge_in_key_order(&make());
    reads_respect_their_limits(&make());
    offsets_are_found_by_time(&make());
    too_large_is_refused_and_changes_nothing(&make());
    sealing_and_checkpoints_change_nothing_visible(&make());
    readers_see_whole_turns(&make());
}

fn an_empty_store_has_nothing(store: &impl Store) {
    assert_eq!((store.durable_to(), store.oldest()), (0, 0));
    assert_eq!(load(store, "a"), None);
    assert_eq!(scan(store, "", "z", 10), Vec::<(String, String)>::new());
    assert!(store.read(0, 10, 1_000).expect("reads").is_empty());
    assert_eq!(append(store, &[], 1), 0);
    assert_eq!(store.durable_to(), 0);
    commit(store, 0);
    seal(store);
    assert_eq!(store.offset_at(5).expect("answers"), 0);
}

fn records_are_read_back_in_order(store: &impl Store) {
    assert_eq!(append(store, &[plain("one"), plain("two")], 10), 0);
    assert_eq!(append(store, &[plain("three")], 20), 2);
    assert_eq!(append(store, &[], 30), 3);
    assert_eq!(store.durable_to(), 3);
    let records = store.read(0, 10, usize::MAX).expect("reads");
    let texts: Vec<_> = records.iter().map(|record| (record.offset, &*record.body)).collect();
    assert_eq!(texts, [(0, &b"one"[..]), (1, b"two"), (2, b"three")]);
    let times: Vec<_> = records.iter().map(|record| record.time_micros).collect();
    assert_eq!(times, [10, 10, 20]);
    assert_eq!(bodies(store, 1, 10, usize::MAX), ["two", "three"]);
    assert!(bodies(store, 3, 10, usize::MAX).is_empty());
    assert!(bodies(store, 99, 10, usize::MAX).is_empty());
}

fn rows_are_readable_after_the_turn(store: &impl Store) {
    append(store, &[with_rows(&[("a", Some("1")), ("b", Some(""))])], 1);
    let keys = [key("b"), key("missing"), key("a"), key("b")];
    let rows = store.load(&keys).expect("loads");
    let expected = [Some(value("")), None, Some(value("1")), Some(value(""))];
    assert_eq!(rows, expected);
    append(store, &[with_rows(&[("a", None), ("missing", None)])], 2);
    assert_eq!(load(store, "a"), None);
    commit(store, 2);
    assert_eq!(load(store, "a"), None);
    assert_eq!(load(store, "b"), Some(value("")));
    append(store, &[with_rows(&[("a", Some("2"))])], 3);
    assert_eq!(load(store, "a"), Some(value("2")));
}

fn later_changes_of_a_turn_win(store: &impl Store) {
    let one = with_rows(&[("a", Some("1")), ("a", Some("2")), ("b", Some("1"))]);
    let two = with_rows(&[("a", Some("3")), ("b", None), ("c", None), ("c", Some("1"))]);
    append(store, &[one, two], 1);
    for _ in 0..2 {
        let all = scan(store, "", "z", 10);
        assert_eq!(all, [("a".to_owned(), "3".to_owned()), ("c".to_owned(), "1".to_owned())]);
        commit(store, 2);
    }
}

fn scans_merge_in_key_order(store: &impl Store) {
    let name = |number: usize| format!("k{number:02}");
    let mut model = std::collections::BTreeMap::new();
    for round in 0..6 {
        for number in (round..40).step_by(round + 1) {
            let (row, text) = (name(number), format!("{round}"));
            let deleted = (number + round) % 3 == 0;
            append(store, &[with_rows(&[(&row, (!deleted).then_some(text.as_str()))])], 1);
            if deleted {
                model.remove(&row)
            } else {
                model.insert(row, text)
            };
        }
        for (from, to, limit) in
            [(0, 40, 100), (0, 40, 7), (5, 6, 9), (10, 30, 1), (20, 20, 5), (30, 10, 5), (0, 40, 0)]
        {
            let (from, to) = (name(from), name(to));
            let wanted = |(key, _): &(&String, &String)| **key >= from && **key < to;
            let expected: Vec<(String, String)> = model
                .iter()
                .filter(wanted)
                .take(limit)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            assert_eq!(scan(store, &from, &to, limit), expected, "{from}..{to} limit {limit}");
        }
        if round % 2 == 0 {
            commit(store, store.durable_to());
        }
    }
}

fn reads_respect_their_limits(store: &impl Store) {
    for turn in 0..10 {
        append(store, &[plain(&format!("{turn}a")), plain(&format!("{turn}b"))], turn);
    }
    assert_eq!(bodies(store, 3, 4, usize::MAX), ["1b", "2a", "2b", "3a"]);
    assert!(bodies(store, 3, 0, usize::MAX).is_empty());
    assert_eq!(bodies(store, 3, 9, 6), ["1b", "2a", "2b"]);
    assert_eq!(bodies(store, 3, 9, 7), ["1b", "2a", "2b"]);
    assert_eq!(bodies(store, 3, 9, 0), ["1b"]);
    assert_eq!(bodies(store, 18, 9, 1_000), ["9a", "9b"]);
}

fn offsets_are_found_by_time(store: &impl Store) {
    for (turn, micros) in (0_u64..).zip([100, 200, 200, 150, 300]) {
        let first = append(store, &[plain("x"), plain("y")], micros);
        assert_eq!(first, 2 * turn);
    }
    let times: Vec<u64> = store
        .read(0, 100, usize::MAX)
        .expect("reads")
        .iter()
        .map(|record| record.time_micros)
        .collect();
    assert_eq!(times, [100, 100, 200, 200, 200, 200, 200, 200, 300, 300]);
    for micros in [0, 99, 100, 101, 200, 201, 300, 301, u64::MAX] {
        let offset = store.offset_at(micros).expect("answers");
        assert!(times[..offset as usize].iter().all(|time| *time < micros), "{micros}: {offset}");
    }
}

fn too_large_is_refused_and_changes_nothing(store: &impl Store) {
    append(store, &[with_rows(&[("a", Some("1"))])], 1);
    let large_key =
        RowChange { key: RowKey::from(vec![1; KEY_BYTES_MAX + 1]), value: None, fresh: false };
    let large_value = vec![1; VALUE_BYTES_MAX + 1];
    let large_value =
        RowChange { key: key("a"), value: Some(RowBytes::from(large_value)), fresh: false };
    for (row, name) in [(large_key, "key_bytes_max"), (large_value, "value_bytes_max")] {
        let record = Record { rows: vec![row], ..plain("") };
        match store.append(&[record], 2) {
            Err(StoreError::TooLarge { limit, .. }) => assert_eq!(limit, name),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(store.durable_to(), 1);
    assert_eq!(load(store, "a"), Some(value("1")));
    let largest_key = "k".repeat(KEY_BYTES_MAX);
    append(store, &[with_rows(&[(&largest_key, Some("1")), ("", Some("empty key"))])], 3);
    commit(store, 2);
    assert_eq!(load(store, &largest_key), Some(value("1")));
    assert_eq!(load(store, ""), Some(value("empty key")));
}

fn sealing_and_checkpoints_change_nothing_visible(store: &impl Store) {
    for round in 0..20_u64 {
        let text = format!("{round}");
        let record = Record {
            body: text.clone().into_bytes(),
            ..with_rows(&[("row", Some(text.as_str()))])
        };
        assert_eq!(append(store, &[record], round), round);
        if round % 3 == 0 {
            seal(store);
            seal(store);
            assert!(store.status().sealed);
        }
        if round % 5 == 0 {
            commit(store, round + 1);
            assert_eq!(store.status().unwritten_rows, 0);
        }
        assert_eq!(load(store, "row"), Some(value(&text)));
        assert_eq!(bodies(store, round, 9, usize::MAX), [text]);
    }
    assert_eq!(bodies(store, 0, 99, usize::MAX).len(), 20);
}

/// While turns are appended and checkpoints made, a reader never sees half a turn.
fn readers_see_whole_turns(store: &impl Store) {
    const TURNS: u64 = 200;
    let turn = |number: u64| {
        let text = number.to_string();
        [with_rows(&[("x", Some(&text))]), with_rows(&[("y", Some(&text)), ("z", Some(&text))])]
    };
    append(store, &turn(0), 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..=TURNS {
                append(store, &turn(number), number);
                if number % 50 == 0 {
                    store.commit().expect("commits");
                }
            }
        });
        let last = Some(value(&TURNS.to_string()));
        loop {
            let rows = scan(store, "x", "zz", 9);
            assert_eq!(rows.len(), 3);
            assert!(rows.iter().all(|(_, text)| *text == rows[0].1), "{rows:?}");
            let seen = store.durable_to();
            assert_eq!(
                store.read(0, usize::MAX, usize::MAX).map(|all| all.len() as u64 >= seen).ok(),
                Some(true)
            );
            if load(store, "x") == last {
                break;
            }
        }
    });
}

pub(super) fn key(text: &str) -> RowKey {
    RowKey::from(text.as_bytes())
}

fn value(text: &str) -> RowBytes {
    RowBytes::from(text.as_bytes())
}

fn plain(body: &str) -> Record {
    let body = body.as_bytes().to_vec();
    Record { partition: 0, payload_bytes: body.len() / 2, body, rows: Vec::new() }
}

fn with_rows(rows: &[(&str, Option<&str>)]) -> Record {
    let change = |(row, text): &(&str, Option<&str>)| RowChange {
        key: key(row),
        value: text.map(value),
        fresh: false,
    };
    Record { rows: rows.iter().map(change).collect(), ..plain("") }
}

pub(super) fn append(store: &impl Store, records: &[Record], time_micros: u64) -> u64 {
    store.append(records, time_micros).expect("appends")
}

pub(super) fn commit(store: &impl Store, covered: u64) {
    assert_eq!(store.commit().expect("commits"), covered);
    assert_eq!(store.status().checkpoint, covered);
}

pub(super) fn seal(store: &impl Store) {
    store.seal().expect("seals");
}

pub(super) fn load(store: &impl Store, row: &str) -> Option<RowBytes> {
    store.load(&[key(row)]).expect("loads").into_iter().next().flatten()
}

fn scan(store: &impl Store, from: &str, to: &str, limit: usize) -> Vec<(String, String)> {
    let text = |bytes: &Arc<[u8]>| String::from_utf8_lossy(bytes).into_owned();
    let rows = store.scan(from.as_bytes(), to.as_bytes(), limit).expect("scans");
    rows.iter().map(|(row, value)| (text(row), text(value))).collect()
}

fn bodies(store: &impl Store, from: u64, limit: usize, bytes_max: usize) -> Vec<String> {
    let records = store.read(from, limit, bytes_max).expect("reads");
    records.iter().map(|record| String::from_utf8_lossy(&record.body).into_owned()).collect()
}
