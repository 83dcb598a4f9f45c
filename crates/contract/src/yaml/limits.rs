//! How much one file may hold. What exceeds a limit is refused with a finding that names it.

/// Bytes of one file: 10 MiB.
pub const FILE_BYTES_MAX: usize = 10 * 1024 * 1024;

/// How deep lists and mappings may nest, anchors expanded; JSON payloads have the same limit.
pub const DEPTH_MAX: usize = 64;

/// Keys and values of one file.
pub const NODES_MAX: usize = 250_000;

/// Values that all copies made for anchors, aliases and merge keys of one file may have together.
pub const ALIAS_NODES_MAX: usize = 100_000;

/// Findings that one file's YAML shows.
pub const FINDINGS_MAX: usize = 100;
