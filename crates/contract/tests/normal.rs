//! The normal form: how it looks (`cases/normal`), and that nothing is lost in it.

mod cases;

use onex_contract::normal::to_yaml;
use onex_contract::source::Source;
use onex_contract::yaml::{self, Entry, Node, Tree};
use proptest::prelude::*;

#[test]
fn each_tree_is_written_as_beside_it() {
    cases::compare("normal", |source| {
        let (node, findings) = yaml::parse_any(source);
        assert!(findings.is_empty(), "{findings:?}");
        to_yaml(&node.expect("a case is YAML"))
    });
}

fn same(a: &Node, b: &Node) -> bool {
    match (&a.tree, &b.tree) {
        (Tree::Null, Tree::Null) => true,
        (Tree::Bool(a), Tree::Bool(b)) => a == b,
        (Tree::Int(a), Tree::Int(b)) => a == b,
        (Tree::Double(a), Tree::Double(b)) => a.to_bits() == b.to_bits(),
        (Tree::String(a), Tree::String(b)) => a == b,
        (Tree::List(a), Tree::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Tree::Map(a), Tree::Map(b)) => {
            let entry = |(a, b): (&Entry, &Entry)| a.key == b.key && same(&a.value, &b.value);
            a.len() == b.len() && a.iter().zip(b).all(entry)
        }
        _ => false,
    }
}

/// Texts that YAML is likely to take for something else.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        "word",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\t",
        ": ",
        ":",
        " #",
        "#",
        "-",
        "- ",
        "---",
        "...",
        "?",
        "? ",
        ",",
        "[",
        "]",
        "{",
        "}",
        "&",
        "*",
        "!",
        "|",
        ">",
        "'",
        "\"",
        "%",
        "@",
        "`",
        "\\",
        "<<",
        "=",
        "~",
        "null",
        "true",
        "no",
        "on",
        "0644",
        "12:30",
        "1e3",
        "1.5",
        "0x1f",
        "2025-01-01",
        "${x}",
        "{{y}}",
        "\u{e9}",
        "\u{1f600}",
        "\u{85}",
        "\u{a0}",
        "\u{2028}",
        "\u{feff}",
        "\0",
        "\u{7f}",
        "\r",
        "\u{fffe}",
        "onex.evt.shop.order-placed.v1",
        "size(payload.lines) > 0",
    ]);
    let long = prop::sample::select(vec![1usize, 1, 1, 1, 1, 1, 1, 40, 400]);
    (prop::collection::vec(pieces, 0..6), long).prop_map(|(pieces, n)| pieces.concat().repeat(n))
}

fn tree() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Bool),
        any::<i64>().prop_map(Tree::Int),
        (any::<f64>()).prop_filter_map("JSON has it", |n| n.is_finite().then_some(Tree::Double(n))),
        text().prop_map(|text| Tree::String(text.into())),
    ];
    leaf.prop_map(Node::new).prop_recursive(6, 60, 6, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..6).prop_map(Tree::List);
        let map = prop::collection::btree_map(text(), inner, 0..6).prop_map(|map| {
            let entry =
                |(key, value): (String, Node)| Entry { key: key.into(), key_span: 0..0, value };
            Tree::Map(map.into_iter().rev().map(entry).collect())
        });
        prop_oneof![list, map].prop_map(Node::new)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back_without_a_finding_and_writes_the_same(node in tree()) {
        let written = to_yaml(&node);
        let (read, findings) = yaml::parse_any(&Source::new("a.yaml", &written));
        prop_assert!(findings.is_empty(), "{findings:?}\n{written}");
        let read = read.expect("without findings there is a tree");
        prop_assert!(same(&read, &node), "{written}\n{read:?}");
        prop_assert_eq!(to_yaml(&read), written);
    }
}

#[test]
fn deep_trees_stay_readable_by_the_parser() {
    let mut node = Node::new(Tree::List(Vec::new()));
    for depth in 0..60 {
        let two = vec![Node::new(Tree::Int(depth)), node.clone()];
        let entry = |value| Entry { key: "k".into(), key_span: 0..0, value };
        node = Node::new(match depth % 3 {
            0 => Tree::Map(vec![entry(node)]),
            1 => Tree::List(vec![node]),
            _ => Tree::List(two),
        });
    }
    let (read, findings) = yaml::parse_any(&Source::new("a.yaml", to_yaml(&node)));
    assert!(findings.is_empty(), "{findings:?}");
    assert!(same(&read.expect("a tree"), &node));
}

#[test]
fn a_carriage_return_before_a_line_break_is_kept() {
    let node = Node::new(Tree::List(vec![Node::new(Tree::String("\r\n---".into()))]));
    let (read, findings) = yaml::parse_any(&Source::new("a.yaml", to_yaml(&node)));
    assert!(findings.is_empty(), "{findings:?}");
    assert!(same(&read.expect("without findings there is a tree"), &node));
}
