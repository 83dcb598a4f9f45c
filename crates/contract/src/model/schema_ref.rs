//! Where a schema may stand: a definition's name, one of another node, or a schema itself.

use super::{At, Data, Word};

/// A schema as written.
#[derive(Clone, Debug)]
pub(crate) enum SchemaRef<'a> {
    /// A definition of this contract.
    Name(Word),
    /// `{from: node, name: X}`: a definition of another contract.
    From {
        /// The other node.
        node: Word,
        /// Its definition.
        name: Word,
        /// The whole reference.
        at: At,
    },
    /// The schema itself.
    Inline(Data<'a>),
}

impl SchemaRef<'_> {
    /// Where it stands.
    pub(crate) fn at(&self) -> At {
        match self {
            SchemaRef::Name(word) => word.at,
            SchemaRef::From { at, .. } => *at,
            SchemaRef::Inline(data) => data.at,
        }
    }
}
