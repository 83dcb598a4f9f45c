//! An effective value, where it came from, and what may be wrong with it.

use std::fmt;
use std::path::PathBuf;

use onex_expr::Value;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// The configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A variable of the environment.
    Environment(String),
    /// An argument of the command line.
    Argument(&'static str),
    /// Less than was asked for: the process may open only so many files.
    OpenFiles(u64),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
            Origin::Environment(name) => write!(f, "environment {name}"),
            Origin::Argument(name) => f.write_str(name),
            Origin::OpenFiles(most) => write!(f, "at most {most} open files"),
        }
    }
}

/// One effective value.
#[derive(Clone, Debug)]
pub struct Setting {
    /// `section.key`.
    pub key: String,
    /// What it is; a secret's value never stands here.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
}

/// What is wrong with the configuration, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Wrong {
    /// The place: a file with its line, a variable or an argument.
    pub place: Origin,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// An argument that stands for a key.
#[derive(Clone, Debug)]
pub struct Argument {
    /// The key.
    pub key: &'static str,
    /// What was given.
    pub value: String,
    /// The argument's name.
    pub name: &'static str,
}
