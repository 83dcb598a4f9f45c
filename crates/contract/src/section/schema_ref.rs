//! A schema where one may stand: a definition's name, `{from, name}`, or a schema itself.
//! Also the sections that are one: `input_model` and `output_model`.

use super::fields::{Fields, Reading};
use crate::model::{Contract, SchemaRef};
use crate::yaml::{Node, Tree};

pub(super) fn read_input<'a>(
    reading: &mut Reading<'_, '_>,
    node: &'a Node,
    contract: &mut Contract<'a>,
) {
    contract.input_model = read(reading, node);
}

pub(super) fn read_output<'a>(
    reading: &mut Reading<'_, '_>,
    node: &'a Node,
    contract: &mut Contract<'a>,
) {
    contract.output_model = read(reading, node);
}

/// Reads a schema.
pub(super) fn read<'a>(reading: &mut Reading<'_, '_>, node: &'a Node) -> Option<SchemaRef<'a>> {
    match &node.tree {
        Tree::String(_) => reading
            .word(node, "a definition's name")
            .map(SchemaRef::Name),
        Tree::Map(_) if node.get("from").is_some() => {
            let mut fields = Fields::open(reading, node, "the reference to a definition")?;
            let other = fields.required_word("from");
            let name = fields.required_word("name");
            let at = fields.at();
            fields.close();
            Some(SchemaRef::From {
                node: other?,
                name: name?,
                at,
            })
        }
        Tree::Map(_) | Tree::Bool(_) => Some(SchemaRef::Inline(reading.data(node))),
        _ => {
            reading.wrong_type(node, "a schema", "a definition's name or a JSON Schema");
            None
        }
    }
}
