//! The list that checks write their diagnostics into, with the file they speak of.

use super::at::Span;
use crate::diagnostic::{Diagnostic, Place, Severity};
use std::path::{Path, PathBuf};

/// Diagnostics of one file, in the order in which they were found.
#[derive(Debug)]
pub struct Faults {
    path: PathBuf,
    all: Vec<Diagnostic>,
}

impl Faults {
    /// An empty list for a file.
    #[must_use]
    pub fn of(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), all: Vec::new() }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a fault.
    pub fn error(&mut self, code: &'static str, at: Span, message: impl Into<String>) -> &mut Diagnostic {
        self.add(at, Diagnostic::new(code, Severity::Error, message))
    }

    /// Adds a warning.
    pub fn warning(&mut self, code: &'static str, at: Span, message: impl Into<String>) -> &mut Diagnostic {
        self.add(at, Diagnostic::new(code, Severity::Warning, message))
    }

    /// Adds a note.
    pub fn note(&mut self, code: &'static str, at: Span, message: impl Into<String>) -> &mut Diagnostic {
        self.add(at, Diagnostic::new(code, Severity::Note, message))
    }

    /// How many so far: a check that compares before and after knows whether a part was sound.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether a fault (no warning, no note) came after the first `before`.
    #[must_use]
    pub fn has_errors_since(&self, before: usize) -> bool {
        self.all[before..].iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Keeps of the ones after the first `before` those that `keep` says.
    pub fn retain_from(&mut self, before: usize, keep: impl Fn(&Diagnostic) -> bool) {
        let tail = self.all.split_off(before);
        self.all.extend(tail.into_iter().filter(keep));
    }

    /// Nothing found so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The list.
    #[must_use]
    pub fn into_vec(self) -> Vec<Diagnostic> {
        self.all
    }

    fn add(&mut self, at: Span, diagnostic: Diagnostic) -> &mut Diagnostic {
        let place = (at != Span::default()).then(|| Place { path: self.path.clone(), span: at.range() });
        let index = self.all.len();
        self.all.push(Diagnostic { place, ..diagnostic });
        &mut self.all[index]
    }
}
