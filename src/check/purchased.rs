//! What commitments that are bought pay for, computed from the plan's own nodes: kind by kind (instances, then resources, then
//! savings plans), of a kind those for fewer machines first, each on the machine with its largest discount first.

use super::purchase::{Used, unit_price, worth};
use super::view::{self, View};
use crate::domain::{Product, PurchaseKind, PurchaseUnit};
use crate::units::HOURS_PER_WEEK;
use std::collections::BTreeMap;

/// An amount of a product.
#[derive(Clone, Copy)]
pub(super) struct Bought<'a> {
    pub product: &'a Product,
    pub amount: f64,
}

/// A machine in a region.
type Machine = (String, String);

/// Node-hours that held commitments leave, by machine and hour; in each machine its shared pool's first.
pub(super) struct Room<'a> {
    view: &'a View<'a>,
    left: BTreeMap<Machine, Vec<f64>>,
}

impl<'a> Room<'a> {
    /// Of the plan's on-demand pools.
    pub fn of(view: &'a View<'_>) -> Self {
        let mut left = BTreeMap::new();
        for pool in view.pools.iter().filter(|p| !p.spot) {
            let key = (pool.pool.instance_type.clone(), pool.pool.region.clone());
            let held = f64::from(view::committed(view.scenario, &key.0, &key.1));
            left.entry(key.clone()).or_insert_with(|| (0..HOURS_PER_WEEK).map(|t| (nodes(view, &key, t) - held).max(0.0)).collect());
        }
        Self { view, left }
    }

    /// Node-hours a week of a machine that held commitments pay for.
    pub fn held_hours(view: &View<'_>, (machine, region): (&str, &str)) -> f64 {
        let held = f64::from(view::committed(view.scenario, machine, region));
        let key = (machine.to_owned(), region.to_owned());
        (0..HOURS_PER_WEEK).map(|t| nodes(view, &key, t).min(held)).sum()
    }

    /// Position in the order of crediting.
    pub fn rank(product: &Product) -> (u8, usize, &str) {
        let kind = match product.kind {
            PurchaseKind::Instance => 0,
            PurchaseKind::Resource => 1,
            PurchaseKind::SavingsPlan => 2,
        };
        (kind, product.covers.len(), product.id.as_str())
    }

    /// Use of each product, in the order given, and dollars a week taken off each pool.
    pub fn credited(&self, bought: &[Bought<'_>]) -> (Vec<Used>, BTreeMap<&'a str, f64>) {
        let mut in_order: Vec<usize> = (0..bought.len()).collect();
        in_order.sort_by_key(|&i| Self::rank(bought[i].product));
        let mut left: BTreeMap<(Machine, u8), Vec<f64>> = BTreeMap::new();
        let mut credits: BTreeMap<&'a str, f64> = BTreeMap::new();
        let mut all: BTreeMap<usize, Used> = BTreeMap::new();
        for index in in_order {
            let Bought { product, amount } = bought[index];
            let part = part(product.unit);
            let mut used =
                Used { covered: vec![0.0; HOURS_PER_WEEK], asked: vec![0.0; HOURS_PER_WEEK], node_hours: BTreeMap::new(), usd: 0.0 };
            for (machine, units, worth) in self.machines(product) {
                let free = left.entry((machine.clone(), part)).or_insert_with(|| self.left[&machine].clone());
                let mut taken = vec![0.0; HOURS_PER_WEEK];
                for hour in 0..HOURS_PER_WEEK {
                    used.asked[hour] += units * free[hour];
                    taken[hour] = free[hour].min((amount - used.covered[hour]) / units).max(0.0);
                    used.covered[hour] += units * taken[hour];
                }
                let hours: f64 = taken.iter().sum();
                used.usd += worth * hours;
                used.node_hours.insert(machine.clone(), hours);
                self.to_pools((&machine, worth), (free, &taken), &mut credits);
                free.iter_mut().zip(&taken).for_each(|(free, taken)| *free -= taken);
            }
            all.insert(index, used);
        }
        (all.into_values().collect(), credits)
    }

    /// Machines of a product that the plan has, the largest discount first: units and worth of a node-hour.
    fn machines(&self, product: &Product) -> Vec<(Machine, f64, f64)> {
        let of = |c: &crate::domain::Cover| {
            let key = (c.instance_type.to_string(), c.region.to_string());
            let worth = worth(self.view, product, (&key.0, &key.1, c.units))?;
            (self.left.contains_key(&key) && worth > 0.0).then_some((key, c.units, worth))
        };
        let mut machines: Vec<_> = product.covers.iter().filter_map(of).collect();
        machines.sort_by(|a, b| (b.2 / b.1).total_cmp(&(a.2 / a.1)).then_with(|| a.0.cmp(&b.0)));
        // Of equal discounts the plan says which comes first; that it is in the order of discounts is checked by itself.
        let stated = self.view.plan.purchases.iter().find(|p| p.product == product.id.as_str());
        let at = |(name, ..): &(Machine, f64, f64)| {
            stated.and_then(|p| p.covers.iter().position(|c| c.instance_type == name.0 && c.region == name.1))
        };
        machines.sort_by_key(at);
        machines
    }

    /// Shares what is taken of a machine out to its pools: the shared one's node-hours are covered first.
    fn to_pools(&self, (machine, worth): (&Machine, f64), (free, taken): (&[f64], &[f64]), credits: &mut BTreeMap<&'a str, f64>) {
        let mine = self.view.pools.iter().filter(|p| !p.spot && p.pool.instance_type == machine.0 && p.pool.region == machine.1);
        for pool in mine {
            let mut sum = 0.0;
            for hour in 0..HOURS_PER_WEEK {
                let all = self.left[machine][hour];
                let own = (pool.pool.nodes_by_hour[hour] - self.view.credited(pool, hour)).max(0.0);
                let (from, to) = (all - free[hour], all - free[hour] + taken[hour]);
                let (low, high) = if pool.shared { (0.0, own) } else { (all - own, all) };
                sum += (to.min(high) - from.max(low)).max(0.0);
            }
            *credits.entry(pool.pool.name.as_str()).or_insert(0.0) += worth * sum;
        }
    }

    /// What amounts cost a week beyond what they save, dollars.
    pub fn net(&self, view: &View<'_>, bought: &[Bought<'_>]) -> f64 {
        let saved: f64 = self.credited(bought).0.iter().map(|used| used.usd).sum();
        bought.iter().map(|b| b.amount * unit_price(view, b.product) * HOURS_PER_WEEK as f64).sum::<f64>() - saved
    }
}

/// Nodes of all on-demand pools of a machine.
fn nodes(view: &View<'_>, (machine, region): &Machine, hour: usize) -> f64 {
    let mine = view.pools.iter().filter(|p| !p.spot && &p.pool.instance_type == machine && &p.pool.region == region);
    mine.map(|p| p.pool.nodes_by_hour[hour]).sum()
}

const fn part(unit: PurchaseUnit) -> u8 {
    match unit {
        PurchaseUnit::Nodes | PurchaseUnit::UsdPerHour => 0,
        PurchaseUnit::Vcpus => 1,
        PurchaseUnit::RamGib => 2,
        PurchaseUnit::Gpus => 3,
    }
}
