//! Findings that repeat: said once, with the first names and a count, so that a refresh does not print thousands of lines.
//!
//! In: one finding at a time. Out: diagnostics, sorted. It must not decide what is a finding.

use crate::diagnostic::{Diagnostic, Severity};
use std::collections::{BTreeMap, BTreeSet};

/// Names that are spelled out.
const NAMED: usize = 3;

/// A code of [`super::codes`], and how bad it is.
pub type Kind = (&'static str, Severity);

/// Findings by what they say.
#[derive(Clone, Debug, Default)]
pub struct Summed {
    said: BTreeMap<(Kind, String), BTreeSet<String>>,
}

impl Summed {
    /// Adds one: `says` is a lower-case fragment without the name, `name` is whom it is about, with ids in backticks.
    pub fn add(&mut self, kind: Kind, says: impl Into<String>, name: impl Into<String>) {
        self.said.entry((kind, says.into())).or_default().insert(name.into());
    }

    /// One diagnostic for each thing said: `entries left out (7): a, b, c and 4 more`.
    #[must_use]
    pub fn told(self) -> Vec<Diagnostic> {
        let tell = |(((code, severity), says), names): ((Kind, String), BTreeSet<String>)| {
            let first: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
            let more = match names.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            Diagnostic::new(code, severity, format!("{says} ({}): {}{more}", names.len(), first.join(", ")))
        };
        self.said.into_iter().map(tell).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::codes;

    #[test]
    fn the_first_three_are_named_and_the_rest_are_counted() {
        let mut summed = Summed::default();
        for name in ["`d`", "`a`", "`c`", "`b`", "`a`"] {
            summed.add((codes::BAD_ENTRY, Severity::Warning), "left out", name);
        }
        summed.add((codes::NO_PRICE, Severity::Note), "free", "`z`");
        let told: Vec<String> = summed.told().iter().map(ToString::to_string).collect();
        assert_eq!(told, ["[E1821] free (1): `z`", "[E1825] left out (4): `a`, `b`, `c` and 1 more"]);
    }
}
