//! Commitments that may be bought, in numbers: what a unit costs, which machines it covers, what a covered node-hour saves.
//!
//! What is offered and can never be the best is left out here: products that no machine of the problem uses, that cost more than
//! on demand, or that another product undercuts on every machine.

use crate::domain::purchase::{Part, Product};
use crate::domain::{CapacityType, Scenario};
use crate::formulation::freedom::Freedom;
use crate::formulation::problem::{Pool, PoolIndex};
use crate::ids::{InstanceTypeId, RegionId};
use crate::units::UsdPerHour;
use std::collections::{BTreeMap, BTreeSet};

/// A machine in a region, on demand, that some product covers. Both of its pools draw on the same commitments.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// Shape and region.
    pub key: (InstanceTypeId, RegionId),
    /// Its pools.
    pub pools: Vec<PoolIndex>,
    /// Planned on-demand price of a node-hour, dollars.
    pub price: f64,
    /// Nodes that commitments pay for already.
    pub committed: u32,
}

/// A machine that an option covers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Covered {
    /// Position of the machine.
    pub machine: usize,
    /// Units that a node-hour takes.
    pub units: f64,
    /// What a covered node-hour saves, dollars.
    pub worth: f64,
}

/// A product that may be bought.
#[derive(Clone, Debug, PartialEq)]
pub struct PurchaseOption {
    /// Position among the scenario's products.
    pub product: usize,
    /// What of a machine it pays for.
    pub part: Part,
    /// Price of a unit and hour, dollars.
    pub price: f64,
    /// Least amount that can be bought.
    pub step: f64,
    /// Machines, the largest discount first: that is how clouds credit.
    pub covers: Vec<Covered>,
}

impl PurchaseOption {
    /// An amount of so many steps.
    #[must_use]
    pub fn amount(&self, steps: f64) -> f64 {
        // A division, since a tenth of a cent is no binary number and 1234 / 1000 is the nearest one.
        steps / (1.0 / self.step).round().max(1.0)
    }

    /// Only whole units are sold.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.step >= 1.0
    }
}

/// All that may be bought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Purchases {
    /// Machines that some option covers.
    pub machines: Vec<Machine>,
    /// Options in the order in which clouds credit them.
    pub options: Vec<PurchaseOption>,
}

/// What a unit of a product costs an hour: the upfront payment spread over the term, and the percentage that comes on top of
/// everything.
#[must_use]
pub fn unit_price(scenario: &Scenario, product: &Product) -> UsdPerHour {
    UsdPerHour::from_f64(product.spread_usd_per_hour() * (1.0 + scenario.adders.percent / 100.0))
}

/// What a node-hour that a product covers saves. Root disks and the like are paid all the same, so a covered machine is worth its
/// on-demand price without them; a covered part is worth its own on-demand price.
#[must_use]
pub fn worth(scenario: &Scenario, product: &Product, (units, on_demand): (f64, UsdPerHour)) -> UsdPerHour {
    let on_top = 1.0 + scenario.adders.percent / 100.0;
    UsdPerHour::from_f64(match product.on_demand {
        None => on_demand.as_f64() - scenario.adders.usd_per_node_hour * on_top,
        Some(part) => units * part.as_f64() * (1.0 - scenario.adders.discount_percent / 100.0) * on_top,
    })
}

/// What each machine of the scenario costs at the least, a node-hour, with the best commitment used all week.
#[must_use]
pub fn floors(scenario: &Scenario, freedom: &Freedom) -> BTreeMap<(InstanceTypeId, RegionId), f64> {
    let mut saved: BTreeMap<(InstanceTypeId, RegionId, Part), f64> = BTreeMap::new();
    for product in scenario.buying.products.iter().filter(|_| freedom.commitments) {
        let price = unit_price(scenario, product).as_f64();
        for cover in &product.covers {
            let Some(offering) = scenario.offering(&cover.instance_type, &cover.region, CapacityType::OnDemand) else { continue };
            let worth = worth(scenario, product, (cover.units, offering.price)).as_f64();
            let best = saved.entry((cover.instance_type.clone(), cover.region.clone(), product.unit.part())).or_insert(0.0);
            *best = best.max(worth - cover.units * price);
        }
    }
    let mut floors = BTreeMap::new();
    for ((instance_type, region, _), saves) in saved {
        let Some(offering) = scenario.offering(&instance_type, &region, CapacityType::OnDemand) else { continue };
        *floors.entry((instance_type, region)).or_insert(offering.price.as_f64()) -= saves;
    }
    floors
}

/// The options over the pools of a problem.
#[must_use]
pub fn options(scenario: &Scenario, freedom: &Freedom, pools: &[Pool]) -> Purchases {
    let mut purchases = Purchases::default();
    if !freedom.commitments {
        return purchases;
    }
    let mut known: BTreeMap<(InstanceTypeId, RegionId), usize> = BTreeMap::new();
    for (position, product) in scenario.buying.products.iter().enumerate() {
        let price = unit_price(scenario, product).as_f64();
        let mut covers = Vec::new();
        for cover in &product.covers {
            let key = (cover.instance_type.clone(), cover.region.clone());
            let own = |p: &Pool| {
                p.capacity_type == CapacityType::OnDemand
                    && p.partition.is_none()
                    && p.instance_type == cover.instance_type
                    && p.region == cover.region
            };
            let mine: Vec<PoolIndex> = pools.iter().enumerate().filter(|(_, p)| own(p)).map(|(i, _)| i).collect();
            let Some(first) = mine.first().map(|&i| &pools[i]) else { continue };
            let worth = worth(scenario, product, (cover.units, UsdPerHour::from_f64(first.price))).as_f64().min(first.price);
            if worth <= 0.0 {
                continue;
            }
            let machine = *known.entry(key.clone()).or_insert_with(|| {
                purchases.machines.push(Machine { key, pools: mine.clone(), price: first.price, committed: first.committed });
                purchases.machines.len() - 1
            });
            covers.push(Covered { machine, units: cover.units, worth });
        }
        if covers.iter().any(|c| c.worth > c.units * price) {
            purchases.options.push(PurchaseOption {
                product: position,
                part: product.unit.part(),
                price,
                step: product.unit.step(),
                covers,
            });
        }
    }
    purchases.with_parts_no_dearer_than_machines().keep_the_best(scenario)
}

impl Purchases {
    /// Nothing may be bought.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.options.is_empty()
    }

    /// Parts of a machine together save no more than the machine costs.
    fn with_parts_no_dearer_than_machines(mut self) -> Self {
        for (index, machine) in self.machines.iter().enumerate() {
            let mut most: BTreeMap<Part, f64> = BTreeMap::new();
            for (part, cover) in self.options.iter().flat_map(|o| o.covers.iter().map(|c| (o.part, c))).filter(|(_, c)| c.machine == index)
            {
                let known = most.entry(part).or_insert(0.0);
                *known = known.max(cover.worth);
            }
            let factor = machine.price / most.values().sum::<f64>();
            for cover in self.options.iter_mut().flat_map(|o| &mut o.covers).filter(|c| c.machine == index && factor < 1.0) {
                cover.worth *= factor;
            }
        }
        self
    }

    /// Leaves out what another option undercuts on every machine (of equals the shorter term, then the later payment), and machines
    /// that nothing covers.
    fn keep_the_best(mut self, scenario: &Scenario) -> Self {
        let all = std::mem::take(&mut self.options);
        let terms = |o: &PurchaseOption| {
            let p = &scenario.buying.products[o.product];
            (p.term_months, p.payment, o.product)
        };
        // Parts of one commitment are bought apart, so each is held against its like.
        let undercuts = |a: &PurchaseOption, b: &PurchaseOption| {
            let like = a.part == b.part && a.product != b.product && (!a.is_whole() || b.is_whole());
            let cost = |o: &PurchaseOption, machine: usize| o.covers.iter().find(|c| c.machine == machine).map(|c| c.units * o.price);
            let pairs = || b.covers.iter().map(|c| (cost(a, c.machine), c.units * b.price));
            let slack = |price: f64| 1e-12 * price.abs();
            let no_dearer = pairs().all(|(a, b)| a.is_some_and(|a| a <= b + slack(b)));
            let cheaper = pairs().any(|(a, b)| a.is_some_and(|a| a < b - slack(b)));
            let smaller = a.covers.len() > b.covers.len();
            like && no_dearer && (cheaper || smaller || terms(a) < terms(b))
        };
        self.options = all.iter().filter(|b| !all.iter().any(|a| undercuts(a, b))).cloned().collect();
        let used: BTreeSet<usize> = self.options.iter().flat_map(|o| &o.covers).map(|c| c.machine).collect();
        let mut used: Vec<usize> = used.into_iter().collect();
        used.sort_by(|&a, &b| self.machines[a].key.cmp(&self.machines[b].key));
        let moved: BTreeMap<usize, usize> = used.iter().enumerate().map(|(to, &from)| (from, to)).collect();
        self.machines = used.iter().map(|&m| self.machines[m].clone()).collect();
        for cover in self.options.iter_mut().flat_map(|o| &mut o.covers) {
            cover.machine = moved[&cover.machine];
        }
        for option in &mut self.options {
            option.covers.sort_by(|a, b| (b.worth * a.units).total_cmp(&(a.worth * b.units)).then(a.machine.cmp(&b.machine)));
        }
        self
    }

    /// What of machines the options pay for, and which machines: each pair once.
    #[must_use]
    pub fn layers(&self) -> BTreeSet<(usize, Part)> {
        self.options.iter().flat_map(|o| o.covers.iter().map(|c| (c.machine, o.part))).collect()
    }

    /// The machine of a pool.
    #[must_use]
    pub fn machine_of(&self, pool: PoolIndex) -> Option<usize> {
        self.machines.iter().position(|m| m.pools.contains(&pool))
    }

    /// What covering one more node-hour of a machine is worth at least, at prices of a unit-hour of each option: by that much its
    /// node-hours may be priced below on demand, and by no more, or a commitment would pay for itself.
    #[must_use]
    pub fn discount(&self, machine: usize, unit_hour: &dyn Fn(usize) -> f64, dollar: f64) -> f64 {
        let mut by_part: BTreeMap<Part, f64> = BTreeMap::new();
        for (index, option) in self.options.iter().enumerate() {
            for cover in option.covers.iter().filter(|c| c.machine == machine) {
                let best = by_part.entry(option.part).or_insert(0.0);
                *best = best.max(dollar * cover.worth - cover.units * unit_hour(index));
            }
        }
        by_part.values().sum()
    }

    /// The same with every option bought and used all week.
    #[must_use]
    pub fn face_discount(&self, machine: usize) -> f64 {
        self.discount(machine, &|option| self.options[option].price, 1.0)
    }
}
