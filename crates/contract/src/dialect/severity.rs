//! What an error means in a file of an old dialect.

use crate::diagnostic::code;

/// Whether a fault stays an error in an old dialect: the file cannot be read as a contract, or its
/// structure is broken whoever performs it. Any other error is a warning there, and the node that
/// has it is quarantined, because its normal form would not pass.
pub(crate) fn rejects(code: &str) -> bool {
    REJECTED.contains(&code)
        || code.starts_with("C01") && !MILD_TEXT.contains(&code) && code < "C0150"
}

/// Faults of the text that only warn.
const MILD_TEXT: [&str; 2] = [code::DUPLICATE_KEY, code::UNQUOTED_TEMPLATE];

/// Faults of structure that stay errors.
const REJECTED: [&str; 22] = [
    code::MISSING_NODE_TYPE,
    code::UNKNOWN_NODE_TYPE,
    code::BAD_VERSION,
    code::DUPLICATE_NODE,
    code::WRONG_SECTION,
    code::DUPLICATE_NAME,
    code::UNKNOWN_STATE,
    code::AMBIGUOUS_TRANSITION,
    code::LEAVES_TERMINAL,
    code::DUPLICATE_STEP,
    code::UNKNOWN_DEPENDENCY,
    code::CYCLE,
    code::BODY_MISSING,
    code::RETRY_NOT_IDEMPOTENT,
    code::BAD_PATH,
    code::BAD_PREDICATE,
    code::CONFIG_MISFIT,
    code::ENV_MISSING,
    code::CONFIG_MISSING,
    code::BAD_SUBCONTRACT,
    code::TWO_CONTRACTS,
    code::BAD_QUERY,
];
