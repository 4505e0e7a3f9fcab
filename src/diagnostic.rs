//! Faults of the input: a stable code, a place in a file, what is wrong and the way out.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is written and the exit code is 2.
    Error,
    /// Shown; the run goes on.
    Warning,
    /// A decision taken for the user, worth knowing.
    Note,
}

/// Where in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// File as the user named it.
    pub path: PathBuf,
    /// Byte range in its text.
    pub span: Range<usize>,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code, `E1204`; documented in `docs/diagnostics.md`.
    pub code: &'static str,
    /// Severity.
    pub severity: Severity,
    /// Lower-case fragment with ids in backticks.
    pub message: String,
    /// Place, when it has one.
    pub place: Option<Place>,
    /// Text under the marked source, when there is more to say.
    pub label: Option<String>,
    /// The way out.
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.code, self.message)
    }
}

impl Diagnostic {
    /// A fault without place, label and help.
    #[must_use]
    pub fn new(code: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        Self { code, severity, message: message.into(), place: None, label: None, help: None }
    }

    /// Says more under the marked source.
    pub fn label(&mut self, text: impl Into<String>) -> &mut Self {
        self.label = Some(text.into());
        self
    }

    /// Says the way out.
    pub fn help(&mut self, text: impl Into<String>) -> &mut Self {
        self.help = Some(text.into());
        self
    }
}
