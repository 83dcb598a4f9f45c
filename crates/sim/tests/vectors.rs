//! The vectors of the contract language: `vectors/` holds contracts, what happens to them and what
//! must come of it, in a form that no code of ours is needed to read. Each runs here through the real
//! engine on a store in memory, under virtual time.
//!
//! `VECTOR=text` runs only those whose name contains the text. `UPDATE=1` writes
//! `docs/reference/rules.md` anew.

#[path = "vectors/host.rs"]
mod host;
#[path = "vectors/pages.rs"]
mod pages;
#[path = "vectors/play.rs"]
mod play;
#[path = "vectors/read.rs"]
mod read;
#[path = "vectors/view.rs"]
mod view;

use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn every_vector_comes_out_as_written() {
    let wanted = std::env::var("VECTOR").unwrap_or_default();
    let vectors = read::all();
    let chosen = vectors.iter().filter(|vector| vector.name.contains(&wanted));
    let mut wrong = Vec::new();
    for vector in chosen {
        let played = catch_unwind(AssertUnwindSafe(|| play::play(vector)));
        match played {
            Ok(Ok(())) => {}
            Ok(Err(why)) => wrong.push(format!("{}: {why}", vector.name)),
            Err(_) => wrong.push(format!("{}: it panicked", vector.name)),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} are wrong:\n\n{}",
        wrong.len(),
        vectors.len(),
        wrong.join("\n\n")
    );
}

#[test]
fn every_rule_has_a_vector_and_every_vector_a_rule() {
    let (rules, vectors) = (read::rules(), read::all());
    for vector in &vectors {
        assert!(!vector.pins.is_empty(), "{} pins no rule", vector.name);
        for pin in &vector.pins {
            assert!(rules.iter().any(|rule| rule.id == *pin), "{}: no rule {pin}", vector.name);
        }
    }
    let bare = rules.iter().filter(|rule| !vectors.iter().any(|v| v.pins.contains(&rule.id)));
    let bare: Vec<&str> = bare.map(|rule| rule.id.as_str()).collect();
    assert!(bare.is_empty(), "rules without a vector: {}", bare.join(", "));
}

#[test]
fn the_page_of_rules_is_what_the_vectors_say() {
    let page = pages::rules(&read::rules(), &read::all());
    let path = read::root().join("../docs/reference/rules.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, page).expect("the page can be written");
    } else {
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == page, "docs/reference/rules.md is stale: UPDATE=1 writes it anew");
    }
}
