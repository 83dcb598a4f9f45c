//! State machines in every shape they had, their triggers, conditions and actions, and intents.

pub(in crate::dialect) mod action;
pub(in crate::dialect) mod condition;
pub(in crate::dialect) mod fsm;
pub(in crate::dialect) mod intents;
pub(in crate::dialect) mod predicate;
pub(in crate::dialect) mod state_machine;
pub(in crate::dialect) mod trigger;
pub(in crate::dialect) mod validation;
