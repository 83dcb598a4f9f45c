//! The deciders, played from outside: scenarios as text, random schedules, and what has neither.

mod bench;
mod breaker;
mod scale;
mod scenarios;
mod schedules;
mod script;
mod transcript;
