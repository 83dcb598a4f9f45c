//! How a command ends when it does not end well: one line what, one line what to do, an exit code.

use std::fmt::Display;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The answer is no: check found errors, a run failed, the host could not start.
    No = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// The host cannot be reached.
    Unreachable = 3,
    /// The host refused.
    Refused = 4,
    /// A bug of ours.
    Bug = 70,
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct Fault {
    /// The exit code.
    pub exit: Exit,
    /// What went wrong, in one line (or, for located findings, as many as they take).
    pub what: String,
    /// What to do.
    pub help: Option<String>,
    /// The status with which a host refused.
    pub status: Option<u16>,
}

impl Fault {
    /// A fault with this exit code.
    pub fn new(exit: Exit, what: impl Into<String>) -> Fault {
        Fault { exit, what: what.into(), help: None, status: None }
    }

    /// The answer is no.
    pub fn no(what: impl Into<String>) -> Fault {
        Fault::new(Exit::No, what)
    }

    /// The command line makes no sense.
    pub fn usage(what: impl Into<String>) -> Fault {
        Fault::new(Exit::Usage, what)
    }

    /// A failure while doing something, with its cause.
    pub fn doing(doing: impl Display, cause: impl Display) -> Fault {
        Fault::no(format!("{doing}: {cause}"))
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Fault {
        self.help = Some(help.into());
        self
    }
}
