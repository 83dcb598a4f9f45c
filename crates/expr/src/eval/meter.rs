//! What an evaluation may still use: steps, and bytes of new values.

use core::cell::Cell;

use crate::Value;
use crate::fault::{Failed, failed};
use crate::value::Key;

/// The most bytes of new values that one evaluation may make, all together.
pub(crate) const PRODUCED_MAX: u64 = 16 * 1024 * 1024;
/// How deep what an expression yields may nest: as deep as JSON is read by default.
pub(crate) const VALUE_DEPTH_MAX: usize = 64;
/// Bytes that cost one step to make or to look through.
const BYTES_A_STEP: u64 = 32;
/// What a list item or a map entry takes.
const ITEM_BYTES: u64 = size_of::<Value>() as u64;
const ENTRY_BYTES: u64 = size_of::<(Key, Value)>() as u64;

pub(crate) struct Meter {
    fuel: Cell<u64>,
    room: Cell<u64>,
}

impl Meter {
    pub(crate) fn new(fuel: u64) -> Meter {
        Meter { fuel: Cell::new(fuel), room: Cell::new(PRODUCED_MAX) }
    }

    pub(crate) fn fuel_left(&self) -> u64 {
        self.fuel.get()
    }

    /// Takes steps.
    #[inline]
    pub(crate) fn spend(&self, steps: u64) -> Result<(), Failed> {
        match self.fuel.get().checked_sub(steps) {
            Some(left) => {
                self.fuel.set(left);
                Ok(())
            }
            None => {
                self.fuel.set(0);
                Err(out_of_fuel())
            }
        }
    }

    /// Takes the steps for looking through so many bytes.
    pub(crate) fn read(&self, bytes: usize) -> Result<(), Failed> {
        self.spend(bytes as u64 / BYTES_A_STEP)
    }

    /// Takes steps and room for so many new bytes; to be called before they are made.
    pub(crate) fn produce(&self, bytes: usize) -> Result<(), Failed> {
        self.take_room(bytes as u64)
    }

    pub(crate) fn produce_items(&self, count: usize) -> Result<(), Failed> {
        self.take_room((count as u64).saturating_mul(ITEM_BYTES))
    }

    pub(crate) fn produce_entries(&self, count: usize) -> Result<(), Failed> {
        self.take_room((count as u64).saturating_mul(ENTRY_BYTES))
    }

    fn take_room(&self, bytes: u64) -> Result<(), Failed> {
        let left = self.room.get().checked_sub(bytes).ok_or_else(too_large)?;
        self.room.set(left);
        self.spend(bytes / BYTES_A_STEP)
    }

    /// Takes the steps for walking all through a value. Shared parts count as often as they are
    /// reached, so that no later walk over them (comparing, writing) can be longer than this one.
    pub(crate) fn walk(&self, value: &Value) -> Result<(), Failed> {
        match value {
            Value::List(_) | Value::Map(_) | Value::Optional(Some(_)) => {
                let mut bytes_left = PRODUCED_MAX;
                self.walk_deep(value, VALUE_DEPTH_MAX, &mut bytes_left)?;
                self.read((PRODUCED_MAX - bytes_left) as usize)
            }
            Value::String(text) => self.read(text.len()),
            Value::Bytes(bytes) => self.read(bytes.len()),
            _ => Ok(()),
        }
    }

    fn walk_deep(
        &self,
        value: &Value,
        depth_left: usize,
        bytes_left: &mut u64,
    ) -> Result<(), Failed> {
        let own = match value {
            Value::String(text) => text.len() as u64,
            Value::Bytes(bytes) => bytes.len() as u64,
            _ => 8,
        };
        *bytes_left = bytes_left.checked_sub(own).ok_or_else(too_large)?;
        let deeper = || depth_left.checked_sub(1).ok_or_else(too_nested);
        match value {
            Value::List(items) => {
                let depth = deeper()?;
                items.iter().try_for_each(|item| self.walk_deep(item, depth, bytes_left))
            }
            Value::Map(map) => {
                let depth = deeper()?;
                map.iter().try_for_each(|(key, value)| {
                    let key = key.as_str().map_or(8, str::len) as u64;
                    *bytes_left = bytes_left.checked_sub(key).ok_or_else(too_large)?;
                    self.walk_deep(value, depth, bytes_left)
                })
            }
            Value::Optional(Some(value)) => self.walk_deep(value, deeper()?, bytes_left),
            _ => Ok(()),
        }
    }
}

#[cold]
fn out_of_fuel() -> Failed {
    failed("fuel", "the evaluation took more steps than it may")
}

#[cold]
fn too_large() -> Failed {
    failed("too_large", "the expression makes more than 16 MiB of values")
}

#[cold]
fn too_nested() -> Failed {
    failed("too_large", "the value nests more than 64 levels")
}
