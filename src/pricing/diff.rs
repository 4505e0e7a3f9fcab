//! What changed between two snapshots.
//!
//! In: two snapshots. Out: the prices that differ, came or went. What that does to a plan is not asked here.

use super::history::same;
use super::key::OfferingKey;
use super::snapshot::{PriceRow, Snapshot};
use std::collections::BTreeMap;

/// A price that changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What it is for.
    pub key: OfferingKey,
    /// Dollars an hour in the first snapshot; none where it has no such price.
    pub before: Option<f64>,
    /// Dollars an hour in the second.
    pub after: Option<f64>,
}

impl Change {
    /// How far the price went, up or down: twice and half are as far. None where it came or went.
    fn distance(&self) -> Option<f64> {
        Some((self.after? / self.before?).ln().abs())
    }
}

/// Changes from `a` to `b`, the largest relative change first; then those that came or went, by name.
#[must_use]
pub fn diff(a: &Snapshot, b: &Snapshot) -> Vec<Change> {
    let mut prices: BTreeMap<OfferingKey, (Option<f64>, Option<f64>)> = BTreeMap::new();
    let price = |row: &PriceRow| Some(row.row.usd_per_hour);
    for row in &a.rows {
        prices.entry(row.key()).or_default().0 = price(row);
    }
    for row in &b.rows {
        prices.entry(row.key()).or_default().1 = price(row);
    }
    let differs = |change: &Change| !change.before.zip(change.after).is_some_and(|(before, after)| same(before, after));
    let mut changes: Vec<Change> = prices.into_iter().map(|(key, (before, after))| Change { key, before, after }).filter(differs).collect();
    // Stable: equal distances stay in the order of their names.
    changes.sort_by(|x, y| y.distance().unwrap_or(-1.0).total_cmp(&x.distance().unwrap_or(-1.0)));
    changes
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;
    use crate::catalog::builtin;
    use crate::pricing::snapshot::from_builtin;

    #[test]
    fn the_largest_relative_change_comes_first_and_what_came_or_went_last() {
        let embedded = from_builtin(&builtin::catalog().unwrap(), "2026-11-26T00:00:00Z".parse().unwrap());
        let mut a = embedded.clone();
        a.rows.truncate(5);
        let mut b = embedded;
        b.rows.truncate(6);
        b.rows.remove(0);
        // Rows 1 to 3 of the first snapshot: a fifth up, half, as it was but for rounding.
        b.rows[0].row.usd_per_hour *= 1.2;
        b.rows[1].row.usd_per_hour *= 0.5;
        b.rows[2].row.usd_per_hour *= 1.0 + 1e-12;
        let keys: Vec<OfferingKey> = [2, 1, 0].map(|at: usize| a.rows[at].key()).to_vec();
        let changes = diff(&a, &b);
        assert_eq!(changes[..3].iter().map(|change| change.key.clone()).collect::<Vec<_>>(), keys);
        assert_eq!(changes.len(), 4);
        assert_eq!((changes[2].after, changes[3].before), (None, None));
        assert_eq!(diff(&a, &a), []);
    }
}
