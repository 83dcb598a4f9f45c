//! The ways in which an attempt ends without an answer. Messages never hold a header's value, a
//! query or a URL's user.

use onex_kernel::port::CallError;

fn error(code: &str, message: impl AsRef<str>, passing: bool, sent: bool) -> CallError {
    CallError { code: code.into(), message: message.as_ref().into(), passing, sent }
}

/// The request itself is wrong: no attempt will help, nothing was sent.
pub(crate) fn bad_request(message: impl AsRef<str>) -> CallError {
    error("bad_request", message, false, false)
}

/// The host does not allow it. The message says what to add to `onex.toml`.
pub(crate) fn not_allowed(message: impl AsRef<str>) -> CallError {
    error("not_allowed", message, false, false)
}

/// Something that should be there is not.
pub(crate) fn not_found(message: impl AsRef<str>) -> CallError {
    error("not_found", message, false, false)
}

/// No answer in time: it may have happened.
pub(crate) fn timeout(message: impl AsRef<str>) -> CallError {
    error("timeout", message, true, true)
}

/// The target could not be reached: nothing was sent.
pub(crate) fn connect(message: impl AsRef<str>) -> CallError {
    error("connect", message, true, false)
}

/// Reading or writing broke off: it may have happened.
pub(crate) fn io(message: impl AsRef<str>) -> CallError {
    error("io", message, true, true)
}

/// The target says that it never can: it was asked, nothing happened.
pub(crate) fn refused(message: impl AsRef<str>) -> CallError {
    error("io", message, false, false)
}

/// More than a limit: the answer to a call that was made.
pub(crate) fn too_large(message: impl AsRef<str>) -> CallError {
    error("too_large", message, false, true)
}
