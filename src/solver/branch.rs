//! Limits on the node counts of fixed pools: where the relaxation buys half a node, the problem is split into "at most
//! the whole nodes below" and "at least those above", and each part has its own bound.

use crate::formulation::PoolIndex;
use std::collections::BTreeMap;

/// A part of the problem.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Branch {
    /// Fewest nodes by pool.
    pub least: BTreeMap<PoolIndex, u32>,
    /// Most nodes by pool.
    pub most: BTreeMap<PoolIndex, u32>,
}

/// Node counts closer than this to a whole number are whole.
const WHOLE: f64 = 1e-4;

impl Branch {
    /// Two parts at the pool whose count is furthest from whole (of equals the first); `None` when all are whole.
    #[must_use]
    pub fn split(&self, nodes: &BTreeMap<PoolIndex, f64>) -> Option<[Self; 2]> {
        let distance = |n: f64| (n - n.round()).abs();
        let (&pool, &count) = nodes
            .iter()
            .filter(|(_, n)| distance(**n) > WHOLE)
            .max_by(|a, b| distance(*a.1).total_cmp(&distance(*b.1)).then(b.0.cmp(a.0)))?;
        let (mut below, mut above) = (self.clone(), self.clone());
        below.most.insert(pool, count.floor() as u32);
        above.least.insert(pool, count.ceil() as u32);
        Some([below, above])
    }
}
