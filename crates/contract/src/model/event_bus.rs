//! `event_bus`: topics a node hears and topics it publishes to.

use super::{At, Data, Located, Word};
use crate::graph::Missed;

/// The section.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventBus<'a> {
    /// Topics heard.
    pub subscribe: Vec<SubscribeTopic<'a>>,
    /// Topics published to.
    pub publish: Vec<PublishTopic<'a>>,
    /// Topics on which the clock publishes.
    pub schedules: Vec<Schedule<'a>>,
}

/// One entry of `subscribe_topics`.
#[derive(Clone, Debug)]
pub(crate) struct SubscribeTopic<'a> {
    /// The topic.
    pub topic: Word,
    /// What the payload must satisfy.
    pub payload: Option<Data<'a>>,
    /// The entity's key in messages of this topic.
    pub entity_key: Option<Data<'a>>,
    /// Whether it begins runs; unless it is said, it does where no step waits for it.
    pub begins: Option<bool>,
}

/// One entry of `publish_topics`.
#[derive(Clone, Debug)]
pub(crate) struct PublishTopic<'a> {
    /// The topic.
    pub topic: Word,
    /// What the payload will satisfy.
    pub payload: Option<Data<'a>>,
}

/// One entry of `schedules`.
#[derive(Clone, Debug)]
pub(crate) struct Schedule<'a> {
    /// The topic.
    pub topic: Word,
    /// When it comes due.
    pub when: When,
    /// What its messages say beside `due_at` and `sequence`.
    pub payload: Option<Data<'a>>,
    /// What becomes of due times at which nothing could be published.
    pub missed: Missed,
}

/// When a schedule comes due.
#[derive(Clone, Debug)]
pub(crate) enum When {
    /// As a cron expression says, in a time zone.
    Cron {
        /// The expression.
        expression: Word,
        /// The zone; UTC when none is given.
        timezone: Option<Word>,
    },
    /// Every so many milliseconds.
    Every(Located<u64>),
}

impl When {
    /// Where it is said.
    pub(crate) fn at(&self) -> At {
        match self {
            When::Cron { expression, .. } => expression.at,
            When::Every(millis) => millis.at,
        }
    }
}
