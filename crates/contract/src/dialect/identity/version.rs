//! Versions in every shape that was ever written.

use crate::section::version_text;
use crate::yaml::{Node, Tree};

/// The version as text; `None` when it cannot be read as one.
pub(in crate::dialect) fn read(node: &Node) -> Option<String> {
    if let Some(version) = version_text(node) {
        return Some(version.to_string());
    }
    let written = match &node.tree {
        Tree::String(text) => text.trim().to_owned(),
        Tree::Int(major @ 0..) => major.to_string(),
        _ => return None,
    };
    let dotted = written.trim_start_matches(['v', 'V']).replace('_', ".");
    let padded = match dotted.split('.').count() {
        1 => format!("{dotted}.0.0"),
        2 => format!("{dotted}.0"),
        _ => dotted,
    };
    version_text(&Node::new(Tree::String(padded.as_str().into()))).map(|text| text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_a_version() {
        let read = |tree| read(&Node::new(tree));
        for (text, meant) in [("v1_0_0", "1.0.0"), ("1.2", "1.2.0"), ("1.2.3-a", "1.2.3-a")] {
            assert_eq!(read(Tree::String(text.into())).as_deref(), Some(meant));
        }
        // As a number 1.10 is 1.1: which of the two was written cannot be told.
        assert_eq!(read(Tree::Double(1.5)), None);
        assert_eq!(read(Tree::Int(2)).as_deref(), Some("2.0.0"));
        assert_eq!(read(Tree::String("new".into())), None);
    }
}
