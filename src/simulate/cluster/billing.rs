//! The bill: node lives times prices, what commitments cover taken off, to the nano-dollar.
//!
//! A node is paid from its order to its end, by the second, at least [`MINIMUM_S`] (AWS: per second with a minimum of 60 s for Linux;
//! Google Cloud and Azure per second or minute). So boot, image pull, load, drain and consolidation delay are in. Strictly a cloud
//! starts to charge when the machine runs, some seconds after the order; that errs on the dear side.
//!
//! Commitments: at every second, of the on-demand nodes of a commitment's instance type and region as many as it covers are free,
//! dearest first (then the earliest ordered). What commitments themselves cost is not counted here. Those that the plan buys come
//! after, in [`super::purchased`].

use super::control::Cluster;
use super::nodes::NodeLife;
use super::purchased::Purchased;
use super::types::Pool;
use crate::units::Usd;
use std::collections::{BTreeMap, BTreeSet};

/// Least seconds that a node is paid for.
pub const MINIMUM_S: i64 = 60;

/// Machines that are paid for already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Machine shape.
    pub instance_type: String,
    /// Region.
    pub region: String,
    /// Machines.
    pub nodes: u32,
}

/// What one pool costs over a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolBill {
    /// Pool.
    pub pool: String,
    /// On spot.
    pub spot: bool,
    /// Nodes that lived in the span.
    pub nodes: u32,
    /// Node-seconds that are charged for, the minimum included.
    pub paid_s: i64,
    /// Node-seconds that commitments cover, the minimum included.
    pub covered_s: i64,
    /// Node-seconds that were lived.
    pub lived_s: i64,
    /// What commitments that were bought take off.
    pub credited: Usd,
    /// Cost of the paid ones, less that.
    pub usd: Usd,
}

/// The bill of a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// First second.
    pub from: i64,
    /// First second after it.
    pub to: i64,
    /// Pools in their order.
    pub pools: Vec<PoolBill>,
}

/// The books do not balance: a fault of the simulation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pool `{pool}`: {counted_s} node-seconds as time went by, {lived_s} in the lives of its nodes, {billed_s} billed")]
pub struct Imbalance {
    /// Pool.
    pub pool: String,
    /// Node-seconds counted as time went by.
    pub counted_s: i64,
    /// Sum of the lives of its nodes.
    pub lived_s: i64,
    /// Paid and covered seconds, minima taken off.
    pub billed_s: i64,
}

impl Invoice {
    /// Cost of all pools.
    #[must_use]
    pub fn usd(&self) -> Usd {
        self.pools.iter().map(|pool| pool.usd).sum()
    }

    /// Cost of spot, or of on-demand pools.
    #[must_use]
    pub fn usd_of(&self, spot: bool) -> Usd {
        self.pools.iter().filter(|pool| pool.spot == spot).map(|pool| pool.usd).sum()
    }
}

/// A span that is paid for: from, to, without and with the minimum, inside the span of the invoice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Charge {
    pub(super) pool: usize,
    node: u64,
    pub(super) from: i64,
    pub(super) to: i64,
    lived_to: i64,
}

/// What is charged for in a span.
pub(super) fn charges(lives: &[NodeLife], (from, to): (i64, i64)) -> Vec<Charge> {
    let clip = |second: i64| second.clamp(from, to);
    let charge = |life: &NodeLife| Charge {
        pool: life.pool,
        node: life.node,
        from: clip(life.from),
        to: clip(life.to.max(life.from + MINIMUM_S)),
        lived_to: clip(life.to),
    };
    lives.iter().map(charge).filter(|charge| charge.from < charge.to).collect()
}

/// The bill of `span` for nodes with these lives; minima count where they fall.
#[must_use]
pub fn invoice(pools: &[&Pool], lives: &[NodeLife], (span, committed): ((i64, i64), &[Committed])) -> Invoice {
    let (from, to) = span;
    let charges = charges(lives, span);
    let covered = covered_s(pools, &charges, committed);
    let bill = |(index, pool): (usize, &&Pool)| {
        let mine = || charges.iter().filter(|charge| charge.pool == index);
        let all_s: i64 = mine().map(|charge| charge.to - charge.from).sum();
        let covered_s = covered.get(&index).copied().unwrap_or(0);
        PoolBill {
            pool: pool.name.clone(),
            spot: pool.spot,
            nodes: mine().count() as u32,
            paid_s: all_s - covered_s,
            covered_s,
            lived_s: mine().map(|charge| charge.lived_to - charge.from).sum(),
            credited: Usd::ZERO,
            usd: cost(all_s - covered_s, pool),
        }
    };
    Invoice { from, to, pools: pools.iter().enumerate().map(bill).collect() }
}

/// Seconds at a price an hour, rounded once, half to even.
fn cost(seconds: i64, pool: &Pool) -> Usd {
    let (whole, rest) = {
        let product = i128::from(seconds) * i128::from(pool.usd_per_hour.nanos());
        (product.div_euclid(3600), product.rem_euclid(3600))
    };
    let up = rest > 1800 || (rest == 1800 && whole % 2 != 0);
    Usd::from_nanos(i64::try_from(whole + i128::from(up)).unwrap_or(i64::MAX))
}

/// Node-seconds of each pool that commitments cover.
fn covered_s(pools: &[&Pool], charges: &[Charge], committed: &[Committed]) -> BTreeMap<usize, i64> {
    // Several commitments for one machine are one.
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for commitment in committed {
        *counts.entry((&commitment.instance_type, &commitment.region)).or_insert(0) += commitment.nodes as usize;
    }
    let mut covered: BTreeMap<usize, i64> = BTreeMap::new();
    for ((instance_type, region), count) in counts {
        let fits = |pool: &Pool| !pool.spot && pool.instance_type == instance_type && pool.region == region;
        let mine: Vec<&Charge> = charges.iter().filter(|charge| pools.get(charge.pool).is_some_and(|pool| fits(pool))).collect();
        let mut edges: Vec<(i64, bool, &Charge)> = mine.iter().flat_map(|c| [(c.from, true, *c), (c.to, false, *c)]).collect();
        edges.sort_by_key(|(at, starts, charge)| (*at, *starts, charge.node));
        // Dearest first, then the earliest ordered.
        let mut running: BTreeSet<(std::cmp::Reverse<i64>, u64, usize)> = BTreeSet::new();
        let mut before = None;
        for (at, starts, charge) in edges {
            let span = at - before.unwrap_or(at);
            for (_, _, pool) in running.iter().take(if span > 0 { count } else { 0 }) {
                *covered.entry(*pool).or_insert(0) += span;
            }
            before = Some(at);
            let price = pools.get(charge.pool).map_or(0, |pool| pool.usd_per_hour.nanos());
            let key = (std::cmp::Reverse(price), charge.node, charge.pool);
            if starts {
                running.insert(key);
            } else {
                running.remove(&key);
            }
        }
    }
    covered
}

impl Cluster {
    /// The bill from `from` up to `to`, for nodes that lived up to now.
    #[must_use]
    pub fn invoice(&self, span: (i64, i64), (committed, purchased): (&[Committed], &[Purchased])) -> Invoice {
        let pools: Vec<&Pool> = self.pools().collect();
        let lives = self.lives();
        let mut invoice = invoice(&pools, &lives, (span, committed));
        if !purchased.is_empty() {
            let credits = super::purchased::credits(&pools, &lives, (span, committed, purchased));
            for (bill, credit) in invoice.pools.iter_mut().zip(credits) {
                bill.credited = credit;
                bill.usd = bill.usd - credit;
            }
        }
        invoice
    }

    /// Billed seconds are the lives of the nodes, and both are what was counted as time went by.
    ///
    /// # Errors
    /// When they are not: a fault of the simulation.
    pub fn balance(&self) -> Result<(), Imbalance> {
        let lives = self.lives();
        let pools: Vec<&Pool> = self.pools().collect();
        // Wide enough for the minima of nodes that have just been ordered.
        let all = invoice(&pools, &lives, ((i64::MIN, i64::MAX), &[]));
        for (index, bill) in all.pools.iter().enumerate() {
            let mine = || lives.iter().filter(|life| life.pool == index);
            let lived_s: i64 = mine().map(|life| life.to - life.from).sum();
            let minima_s: i64 = mine().map(|life| (MINIMUM_S - (life.to - life.from)).max(0)).sum();
            let (counted_s, billed_s) = (self.node_seconds(index), bill.paid_s + bill.covered_s - minima_s);
            if counted_s != lived_s || billed_s != lived_s {
                return Err(Imbalance { pool: bill.pool.clone(), counted_s, lived_s, billed_s });
            }
        }
        Ok(())
    }
}
