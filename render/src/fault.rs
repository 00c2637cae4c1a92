//! What went wrong: the place, what was found and expected, the cure, in one line.

use std::path::Path;

/// One clear line about bad input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// File, and where in it.
    pub place: String,
    /// What was found, what was expected.
    pub what: String,
    /// What to do about it.
    pub cure: String,
}

/// What can fail on bad input.
pub type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    /// A fault in the file at `path`.
    #[must_use]
    pub fn in_file(path: &Path, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Fault { place: path.display().to_string(), what: what.into(), cure: cure.into() }
    }

    /// A fault at a place within the file at `path`.
    #[must_use]
    pub fn within(path: &Path, place: &str, what: impl Into<String>, cure: impl Into<String>) -> Self {
        Fault { place: format!("{}: {place}", path.display()), what: what.into(), cure: cure.into() }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.what, self.cure)
    }
}

impl std::error::Error for Fault {}
