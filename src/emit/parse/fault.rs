//! Faults of files that were read back: all of them at once, each with its place and the way out.

use super::types::{Note, Origin};
use std::fmt;

/// Why a folder cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ParseFault {
    /// Where.
    pub at: Origin,
    /// What is wrong: a lower-case fragment, ids in backticks.
    pub what: String,
    /// The way out.
    pub help: String,
}

impl std::error::Error for ParseFault {}

/// `kubernetes/keda/chat.yaml:12:5: what is wrong; the way out`.
impl fmt::Display for ParseFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, what, help } = self;
        f.write_str(&at.path)?;
        if let Some((line, column)) = at.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {what}; {help}")
    }
}

/// Faults and notes while reading.
#[derive(Debug, Default)]
pub(super) struct Faults {
    faults: Vec<ParseFault>,
    notes: Vec<Note>,
    lost: bool,
    lost_pools: bool,
}

impl Faults {
    /// A fault.
    pub(super) fn push(&mut self, at: Origin, what: impl Into<String>, help: impl Into<String>) {
        self.faults.push(ParseFault { at, what: what.into(), help: help.into() });
    }

    /// A fault that hides objects: what refers to them may be right.
    pub(super) fn lose(&mut self, at: Origin, what: impl Into<String>, help: impl Into<String>) {
        self.lost = true;
        self.push(at, what, help);
    }

    /// Something worth knowing.
    pub(super) fn note(&mut self, at: Origin, text: impl Into<String>) {
        self.notes.push(Note { at, text: text.into() });
    }

    /// Objects may be hidden by a fault that has been told.
    pub(super) const fn lost(&self) -> bool {
        self.lost
    }

    /// A node pool was found and is not sound, which has been told.
    pub(super) const fn lose_pool(&mut self) {
        self.lost_pools = true;
    }

    /// Node pools may be hidden by a fault that has been told.
    pub(super) const fn lost_pools(&self) -> bool {
        self.lost || self.lost_pools
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.faults.len()
    }

    /// Notes, or the faults; sorted, without doubles.
    pub(super) fn finish(mut self) -> Result<Vec<Note>, Vec<ParseFault>> {
        self.faults.sort();
        self.faults.dedup();
        self.notes.sort();
        self.notes.dedup();
        if self.faults.is_empty() { Ok(self.notes) } else { Err(self.faults) }
    }
}
