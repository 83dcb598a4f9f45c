//! Contract text and where it came from.

use std::sync::Arc;

/// One file's text.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as the user gave or would write it, for messages.
    pub path: Arc<str>,
    /// The bytes as found; not yet known to be UTF-8.
    pub bytes: Arc<[u8]>,
}
