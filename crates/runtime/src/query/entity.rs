//! Entities of reducers.

use std::collections::BTreeMap;

use onex_contract::graph::Body;
use onex_engine::{codec, key};
use onex_expr::Text;
use onex_kernel::row::Entity as EntityRow;

use super::{Page, QueryError, Reader, Scan, Visit};

/// An entity as it is durable.
#[derive(Clone, Debug)]
pub struct Entity {
    /// The reducer.
    pub node: Text,
    /// Its key.
    pub key: Text,
    /// Its row.
    pub row: EntityRow,
    /// Whether its state is terminal.
    pub terminal: bool,
}

impl Reader {
    /// One entity.
    pub fn entity(&self, node: &str, entity: &str) -> Result<Entity, QueryError> {
        self.reducer(node)?;
        self.find_entity(node, entity)?
            .ok_or_else(|| QueryError::NotFound(format!("{node} has no entity {entity}")))
    }

    /// One entity, if it exists.
    pub(super) fn find_entity(
        &self,
        node: &str,
        entity: &str,
    ) -> Result<Option<Entity>, QueryError> {
        match self.row(key::entity(node, entity))? {
            Some(row) => Ok(Some(self.read_entity(node, entity, &row)?)),
            None => Ok(None),
        }
    }

    /// Entities of a reducer, by key; with `state` only those in it.
    pub fn entities(
        &self,
        node: &str,
        state: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Entity>, QueryError> {
        self.reducer(node)?;
        let scan = Scan {
            prefix: &key::entities(node),
            after: after.map(|after| key::entity(node, after).to_vec()),
            limit,
        };
        self.page(
            scan,
            |row_key, row| {
                let Some((_, entity)) = key::read_entity(row_key) else {
                    return Ok(None);
                };
                let entity = self.read_entity(node, entity, row)?;
                let wanted = state.is_none_or(|state| entity.row.state == state);
                Ok(wanted.then_some(entity))
            },
            |entity| entity.key.to_string(),
        )
    }

    /// How many entities of a reducer are in each state.
    pub fn counts(&self, node: &str) -> Result<BTreeMap<Text, u64>, QueryError> {
        self.reducer(node)?;
        let mut counts = BTreeMap::new();
        self.each(&key::entities(node), None, |_, row| {
            let row = codec::row::read_entity(row)?;
            *counts.entry(row.state).or_insert(0) += 1;
            Ok(Visit::Next)
        })?;
        Ok(counts)
    }

    fn reducer(&self, node: &str) -> Result<(), QueryError> {
        let graph = self.graphs.active();
        let is_reducer = graph
            .find(node)
            .is_some_and(|index| matches!(graph.node(index).body, Body::Reducer(_)));
        if is_reducer {
            Ok(())
        } else {
            Err(QueryError::NotFound(format!("there is no reducer {node}")))
        }
    }

    /// An entity of its row.
    pub(super) fn read_entity(
        &self,
        node: &str,
        entity: &str,
        row: &[u8],
    ) -> Result<Entity, QueryError> {
        let row = codec::row::read_entity(row)?;
        Ok(Entity {
            node: node.into(),
            key: entity.into(),
            terminal: self.graphs.is_terminal(node, &row.state),
            row,
        })
    }
}
