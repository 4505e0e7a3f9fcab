//! Limits on the node counts of fixed pools and on what is bought in whole units: where the relaxation buys half a node, the
//! problem is split into "at most the whole nodes below" and "at least those above", and each part has its own bound.

use crate::formulation::PoolIndex;
use std::collections::BTreeMap;

/// What is counted whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Count {
    /// Nodes of a fixed pool.
    Nodes(PoolIndex),
    /// Units of a commitment that is bought, by its option.
    Bought(usize),
}

/// A part of the problem.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Branch {
    /// Fewest of each.
    pub least: BTreeMap<Count, u32>,
    /// Most of each.
    pub most: BTreeMap<Count, u32>,
}

/// Node counts closer than this to a whole number are whole.
const WHOLE: f64 = 1e-4;

impl Branch {
    /// Two parts at the one whose count is furthest from whole (of equals the first); `None` when all are whole.
    #[must_use]
    pub fn split(&self, counts: &BTreeMap<Count, f64>) -> Option<[Self; 2]> {
        let distance = |n: f64| (n - n.round()).abs();
        let (&what, &count) = counts
            .iter()
            .filter(|(_, n)| distance(**n) > WHOLE)
            .max_by(|a, b| distance(*a.1).total_cmp(&distance(*b.1)).then(b.0.cmp(a.0)))?;
        let (mut below, mut above) = (self.clone(), self.clone());
        below.most.insert(what, count.floor() as u32);
        above.least.insert(what, count.ceil() as u32);
        Some([below, above])
    }
}
