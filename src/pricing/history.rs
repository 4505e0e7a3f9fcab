//! The price of one thing over the snapshots that were kept.
//!
//! In: snapshots, oldest first, one at a time, and a key. Out: the moments at which the price was seen to change.

use super::key::OfferingKey;
use super::snapshot::Snapshot;
use jiff::Timestamp;
use std::borrow::Borrow;

/// A price from a snapshot on.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Moment of the first snapshot that has it.
    pub taken_at: Timestamp,
    /// Dollars an hour.
    pub usd_per_hour: f64,
    /// Day of the price, `YYYY-MM-DD`.
    pub as_of: String,
    /// Where it was read.
    pub source: String,
}

/// Prices that are nearer to each other, relatively, are the same.
const SAME: f64 = 1e-9;

/// The first price, and every one that differs from the one before, earliest first. A price that comes back after it was not listed
/// stands again, though it be the same.
#[must_use]
pub fn history<S: Borrow<Snapshot>>(oldest_first: impl IntoIterator<Item = S>, key: &OfferingKey) -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::new();
    let mut before: Option<f64> = None;
    for snapshot in oldest_first {
        let snapshot = snapshot.borrow();
        let row = snapshot.row(key).map(|price| &price.row);
        if let Some(row) = row.filter(|row| before.is_none_or(|before| !same(before, row.usd_per_hour))) {
            seen.push(Seen {
                taken_at: snapshot.taken_at,
                usd_per_hour: row.usd_per_hour,
                as_of: row.as_of.clone(),
                source: row.source.clone(),
            });
        }
        before = row.map(|row| row.usd_per_hour);
    }
    seen
}

/// Whether two prices are the same, dollars an hour.
#[must_use]
pub fn same(a_usd_per_hour: f64, b_usd_per_hour: f64) -> bool {
    (a_usd_per_hour - b_usd_per_hour).abs() <= SAME * a_usd_per_hour.abs().max(b_usd_per_hour.abs())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;
    use crate::catalog::builtin;
    use crate::pricing::snapshot::from_builtin;

    #[test]
    fn only_changes_are_told() {
        let builtin = builtin::catalog().unwrap();
        let key: OfferingKey = "aws/us-east-1/g6e.12xlarge/spot".parse().unwrap();
        let with = |taken_at: &str, usd_per_hour: Option<f64>| {
            let mut snapshot = from_builtin(&builtin, taken_at.parse().unwrap());
            snapshot.rows.retain(|row| row.key() == key && usd_per_hour.is_some());
            for row in &mut snapshot.rows {
                row.row.usd_per_hour = usd_per_hour.unwrap_or_default();
            }
            snapshot
        };
        let snapshots = [
            with("2026-11-01T00:00:00Z", Some(3.0)),
            with("2026-11-02T00:00:00Z", Some(3.0)),
            with("2026-11-03T00:00:00Z", Some(4.0)),
            with("2026-11-04T00:00:00Z", None),
            with("2026-11-05T00:00:00Z", Some(4.0)),
        ];
        let seen: Vec<(String, f64)> =
            history(&snapshots, &key).iter().map(|s| (s.taken_at.strftime("%d").to_string(), s.usd_per_hour)).collect();
        assert_eq!(seen, [("01".to_owned(), 3.0), ("03".to_owned(), 4.0), ("05".to_owned(), 4.0)]);
        assert_eq!(history(&snapshots, &key)[0].source, "AWS spot feed (alexei-led/spotinfo)");
        assert_eq!(history(&snapshots, &key.on_demand()), []);
    }
}
