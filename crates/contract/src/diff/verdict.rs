//! What a change asks for, and what it touches.

/// What a change asks for; a later one is graver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It can be activated while everything runs.
    Compatible,
    /// What is under way could lose its way: let it end first.
    NeedsDrain,
    /// What is kept does not fit: it has to be moved or rewritten first.
    NeedsMigration,
    /// Someone outside has to change first: a producer, a consumer, a caller, the host.
    Breaking,
}

/// How something differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another.
    Changed,
}

/// The instances that a change can touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touches {
    /// None.
    Nothing,
    /// Entities of a reducer in one state; `None`: in any.
    Entities {
        /// The reducer.
        node: String,
        /// The state.
        state: Option<String>,
    },
    /// Runs of an orchestrator that have not ended.
    Runs {
        /// The orchestrator.
        node: String,
    },
}

impl Verdict {
    /// Every verdict, the gravest first.
    pub const ALL: [Verdict; 4] =
        [Verdict::Breaking, Verdict::NeedsMigration, Verdict::NeedsDrain, Verdict::Compatible];

    /// The words that all output uses.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Compatible => "compatible",
            Verdict::NeedsDrain => "needs drain",
            Verdict::NeedsMigration => "needs migration",
            Verdict::Breaking => "breaking",
        }
    }
}

impl What {
    /// Of a thing that may be on either side; `None` when it is on neither.
    pub(super) fn of<T>(old: Option<T>, new: Option<T>) -> Option<What> {
        match (old, new) {
            (None, None) => None,
            (None, Some(_)) => Some(What::Added),
            (Some(_), None) => Some(What::Removed),
            (Some(_), Some(_)) => Some(What::Changed),
        }
    }

    /// The word that all output uses.
    pub fn word(self) -> &'static str {
        match self {
            What::Added => "added",
            What::Removed => "removed",
            What::Changed => "changed",
        }
    }
}
