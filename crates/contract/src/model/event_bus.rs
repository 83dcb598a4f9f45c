//! `event_bus`: topics a node hears and topics it publishes to.

use super::{Data, Word};

/// The section.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventBus<'a> {
    /// Topics heard.
    pub subscribe: Vec<SubscribeTopic<'a>>,
    /// Topics published to.
    pub publish: Vec<PublishTopic<'a>>,
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
