//! Conditions that can never hold are told, and none that can.

use onex_expr::{Known, Text, Value, never_all_hold};

/// `kind` is one of two words, `level` from 1 to 5; nothing is known of anything else.
fn known(path: &[Text]) -> Known {
    match path.last().map(Text::as_str) {
        Some("kind") => {
            let values = vec![Value::text("door"), Value::text("window")];
            Known { values: Some(values), ..Known::default() }
        }
        Some("level") => Known { values: None, least: Some(1.0), most: Some(5.0) },
        _ => Known::default(),
    }
}

#[test]
fn contradictions_are_told() {
    let never: [&[&str]; 18] = [
        &["false"],
        &["payload.kind == 'roof'"],
        &["'roof' == payload.kind"],
        &["payload.kind in ['roof', 'wall']"],
        &["payload.kind != 'door' && payload.kind != 'window'"],
        &["!(payload.kind == 'door' || payload.kind == 'window')"],
        &["payload.level > 5"],
        &["payload.level < 1"],
        &["1 > payload.level"],
        &["payload.x > 3 && payload.x < 3"],
        &["payload.x >= 3", "payload.x < 3"],
        &["payload.x == 'a'", "payload.x == 'b'"],
        &["payload.on && !payload.on"],
        &["has(payload.x) && !has(payload.x)"],
        &["payload.l.exists(k, k == 1)", "payload.y && !payload.l.exists(k, k == 1)"],
        &["payload.x == 1 && payload.x > 2"],
        &["payload.kind == 'roof' || payload.level == 9"],
        &["payload.y && (payload.x == 1 || payload.x == 2) && payload.x == 3"],
    ];
    for conditions in never {
        assert!(never_all_hold(conditions, &known), "{conditions:?}");
    }
}

#[test]
fn nothing_else_is_told() {
    let may: [&[&str]; 14] = [
        &[],
        &["true"],
        &["payload.kind == 'door'"],
        &["payload.kind == 'roof' || payload.y"],
        &["payload.level >= 5"],
        &["payload.x >= 3 && payload.x <= 3"],
        &["payload.x == 1", "payload.x == 1.0"],
        &["payload.x > 3 || payload.x < 3"],
        &["size(payload.kind) > 100"],
        &["has(payload.x) && !has(payload.y)"],
        &["has(payload.x) || !has(payload.x)"],
        &["payload.kind == payload.x"],
        &["payload.kinds.exists(k, k == 'roof')"],
        &["payload.?kind.orValue('roof') == 'roof'"],
    ];
    for conditions in may {
        assert!(!never_all_hold(conditions, &known), "{conditions:?}");
    }
}
