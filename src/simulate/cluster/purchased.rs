//! Commitments that were bought: at every second what they cover of the on-demand nodes that no held commitment covers, in dollars.
//!
//! They are credited in their order, each on its machines in theirs, for each part of a machine by itself: as clouds do, and as the
//! plan counts, but to the second and to the nodes that ran. What they cost themselves is not counted here.

use super::billing::{Committed, charges};
use super::nodes::NodeLife;
use super::types::Pool;
use crate::units::{Usd, UsdPerHour};
use std::collections::BTreeMap;

/// A commitment that was bought.
#[derive(Clone, Debug, PartialEq)]
pub struct Purchased {
    /// What of a machine it pays for: `machine` for all of it.
    pub part: String,
    /// How much, in its unit.
    pub amount: f64,
    /// Machines in the order in which it is credited.
    pub covers: Vec<PurchasedCover>,
}

/// A machine that it covers.
#[derive(Clone, Debug, PartialEq)]
pub struct PurchasedCover {
    /// Machine shape.
    pub instance_type: String,
    /// Region.
    pub region: String,
    /// Units that a node takes.
    pub units: f64,
    /// What a covered node and hour saves.
    pub worth: UsdPerHour,
}

/// Credits of each pool over a span.
#[must_use]
pub fn credits(pools: &[&Pool], lives: &[NodeLife], (span, committed, purchased): ((i64, i64), &[Committed], &[Purchased])) -> Vec<Usd> {
    let mut edges: Vec<(i64, i64, usize)> = Vec::new();
    for charge in charges(lives, span).iter().filter(|c| pools.get(c.pool).is_some_and(|p| !p.spot)) {
        edges.extend([(charge.from, 1, charge.pool), (charge.to, -1, charge.pool)]);
    }
    edges.sort_unstable();
    let mut counts = vec![0_i64; pools.len()];
    let mut dollars = vec![0.0; pools.len()];
    let mut before = None;
    for (at, change, pool) in edges {
        let seconds = at - before.unwrap_or(at);
        if seconds > 0 {
            credit((pools, &counts), (committed, purchased), &mut |pool, usd_per_hour| {
                dollars[pool] += usd_per_hour * seconds as f64 / 3600.0
            });
        }
        before = Some(at);
        counts[pool] += change;
    }
    dollars.into_iter().map(Usd::from_f64).collect()
}

/// Credits an hour while the counts of nodes are these, told pool by pool.
fn credit((pools, counts): (&[&Pool], &[i64]), (committed, purchased): (&[Committed], &[Purchased]), tell: &mut dyn FnMut(usize, f64)) {
    let open = uncovered((pools, counts), committed);
    let mut left: BTreeMap<(&str, usize), f64> = BTreeMap::new();
    for purchase in purchased {
        let mut room = purchase.amount;
        for cover in &purchase.covers {
            let mine =
                pools.iter().enumerate().filter(|(_, p)| !p.spot && p.instance_type == cover.instance_type && p.region == cover.region);
            for (index, _) in mine {
                let nodes = left.entry((&purchase.part, index)).or_insert(open[index]);
                let taken = nodes.min(room / cover.units).max(0.0);
                *nodes -= taken;
                room -= taken * cover.units;
                if taken > 0.0 {
                    tell(index, taken * cover.worth.as_f64());
                }
            }
        }
    }
}

/// Nodes of each pool that no held commitment covers: the dearest are covered first, then those of the first pool.
fn uncovered((pools, counts): (&[&Pool], &[i64]), committed: &[Committed]) -> Vec<f64> {
    let mut open: Vec<f64> = counts.iter().map(|&n| n as f64).collect();
    let mut order: Vec<usize> = (0..pools.len()).filter(|&i| !pools[i].spot).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(pools[i].usd_per_hour), i));
    for held in committed {
        let mut left = f64::from(held.nodes);
        for &index in order.iter().filter(|&&i| pools[i].instance_type == held.instance_type && pools[i].region == held.region) {
            let taken = open[index].min(left);
            open[index] -= taken;
            left -= taken;
        }
    }
    open
}
