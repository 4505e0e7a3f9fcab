//! Pools: every offering as a place where replicas may run, priced, with its spot risk and its commitments.

use crate::domain::{
    Accelerator, Assurance, CapacityType, Layout, Offering, OperatingPoint, Quota, QuotaUnit, Scenario, ShareWith, Workload,
};
use crate::formulation::freedom::Freedom;
use crate::formulation::network;
use crate::formulation::problem::{Partition, Place, Pool, PoolIndex, QuotaGroup, Sharing, SliceCount, Tenants};
use crate::formulation::purchase;
use crate::ids::{InstanceTypeId, RegionId};
use crate::risk::{self, SpotPriceTerms};
use crate::sizing::{cold_start, fit};
use crate::units::UsdPerHour;
use std::collections::BTreeMap;

/// Most zones that a spot pool is spread over.
pub const MAX_SPREAD: u32 = 3;

/// What the options of one workload are built from.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Scenario.
    pub scenario: &'a Scenario,
    /// Workload.
    pub workload: &'a Workload,
    /// Levers.
    pub freedom: &'a Freedom,
}

impl Context<'_> {
    /// Start-up chain of a replica on a new node, p95 s.
    #[must_use]
    pub fn chain_s(&self) -> f64 {
        cold_start::chain_p95_s(&self.scenario.node_autoscaler, &self.scenario.profiles[&self.workload.profile])
    }

    /// Paid hours that one start adds.
    #[must_use]
    pub fn start_hours(&self) -> f64 {
        cold_start::paid_hours_per_start(&self.scenario.node_autoscaler, &self.scenario.profiles[&self.workload.profile])
    }
}

/// What tells pools apart: the offering, how it is shared and, where its GPUs are cut, the layout and for whom.
type Key = (usize, Sharing, Option<(String, Tenants)>);

/// Pools found so far, each once.
#[derive(Clone, Debug, Default)]
pub struct Pools {
    /// The pools, in order of first use (which is the order of workloads and offerings, both sorted).
    pub list: Vec<Pool>,
    index: BTreeMap<Key, PoolIndex>,
    /// Hours from a reclaim to a serving replacement.
    switch_hours: f64,
    /// Least price of a node-hour where a commitment may be bought.
    floors: BTreeMap<(InstanceTypeId, RegionId), f64>,
}

/// Hours from a reclaim to a serving replacement: the slowest start-up chain of the scenario, so that the price of a
/// spot pool does not depend on who ends up in it.
#[must_use]
pub fn switch_hours(scenario: &Scenario) -> f64 {
    scenario
        .workloads
        .iter()
        .map(|w| cold_start::chain_p95_s(&scenario.node_autoscaler, &scenario.profiles[&w.profile]) / 3600.0)
        .fold(0.0, f64::max)
}

/// Planned price of an offering: for spot the expected price, with the same shape on demand as its stand-in; `None`
/// when a spot offering has no on-demand stand-in.
#[must_use]
pub fn planned_price(scenario: &Scenario, offering: &Offering, switch_hours: f64) -> Option<UsdPerHour> {
    let Some(spot) = &offering.risk else { return Some(offering.price) };
    let fallback = scenario.offering(&offering.instance_type, &offering.region, CapacityType::OnDemand)?;
    Some(risk::expected_price(&SpotPriceTerms {
        spot: offering.price,
        fallback: fallback.price,
        availability: spot.availability,
        reclaims_per_hour: spot.reclaims_per_hour,
        switch_hours,
    }))
}

/// A machine shape as changes from today count it: with its region, where distance is priced, since a move is a change.
#[must_use]
pub fn machine(scenario: &Scenario, instance_type: &InstanceTypeId, region: &RegionId) -> String {
    let told = scenario.network.is_some() && scenario.regions.len() > 1;
    if told { format!("{instance_type} in {region}") } else { instance_type.to_string() }
}

impl Pools {
    /// No pools yet.
    #[must_use]
    pub fn of(scenario: &Scenario, freedom: &Freedom) -> Self {
        let floors = purchase::floors(scenario, freedom);
        Self { list: Vec::new(), index: BTreeMap::new(), switch_hours: switch_hours(scenario), floors }
    }

    /// The pool of an offering (by its position in the scenario), made when it is new.
    pub fn pool(&mut self, scenario: &Scenario, offering: usize, sharing: Sharing) -> Option<PoolIndex> {
        self.cut(scenario, offering, (sharing, None))
    }

    /// The pool of an offering whose GPUs are cut, or not.
    fn cut(&mut self, scenario: &Scenario, offering: usize, (sharing, partition): (Sharing, Option<Partition>)) -> Option<PoolIndex> {
        let key = (offering, sharing, partition.as_ref().map(|p| (p.layout.clone(), p.tenants.clone())));
        if let Some(&known) = self.index.get(&key) {
            return Some(known);
        }
        let o = &scenario.offerings[offering];
        let instance = &scenario.instance_types[&o.instance_type];
        let price = planned_price(scenario, o, self.switch_hours)?;
        let on_demand = o.capacity_type == CapacityType::OnDemand;
        let committed = scenario
            .fleet
            .commitments
            .iter()
            // A commitment is not counted on for cut GPUs: nodes that it pays for stay whole.
            .filter(|c| on_demand && partition.is_none() && c.instance_type == o.instance_type && c.region == o.region)
            .map(|c| c.nodes)
            .sum();
        self.list.push(Pool {
            instance_type: o.instance_type.clone(),
            region: o.region.clone(),
            machine: machine(scenario, &o.instance_type, &o.region),
            capacity_type: o.capacity_type,
            sharing,
            gpus: instance.gpus,
            price: price.as_f64(),
            hazard: o.risk.map_or(0.0, |r| r.reclaims_per_hour),
            zones: if sharing == Sharing::Exclusive { (o.zones.len() as u32).clamp(1, MAX_SPREAD) } else { 1 },
            committed,
            scarce: on_demand && o.assurance == Assurance::Scarce && !scenario.risk.allow_scarce_release,
            partition,
        });
        self.index.insert(key, self.list.len() - 1);
        Some(self.list.len() - 1)
    }

    /// Places of a capacity type where a replica of the operating point fits, dominated ones left out.
    pub fn places(&mut self, context: &Context<'_>, point: &OperatingPoint, capacity_type: CapacityType) -> Vec<Place> {
        let scenario = context.scenario;
        let mut places = Vec::new();
        if let Some(slice) = &point.slice {
            // Sharing is planned on demand only: a spot pool would take several services with it at once.
            if capacity_type == CapacityType::OnDemand {
                places = self.slice_places(context, (point, slice));
            }
            return self.without_dominated(scenario, places);
        }
        for (index, offering) in scenario.offerings.iter().enumerate() {
            let allowed = context.workload.regions.is_empty() || context.workload.regions.contains(&offering.region);
            if offering.capacity_type != capacity_type || !allowed || !network::reachable(context, &offering.region) {
                continue;
            }
            let Some(terms) = network::terms(scenario, context.workload, &offering.region) else { continue };
            let instance = &scenario.instance_types[&offering.instance_type];
            let Some(slots) = fit::slots(point, instance, &scenario.reserves) else { continue };
            let sharing = if 2 * slots > instance.gpus { Sharing::Exclusive } else { Sharing::Fixed };
            let Some(pool) = self.pool(scenario, index, sharing) else { continue };
            let p = &self.list[pool];
            let (price, hours, bytes) = match sharing {
                Sharing::Exclusive => (p.price, p.price * context.start_hours(), terms.new_node),
                Sharing::Fixed => (0.0, 0.0, terms.known_node),
            };
            let restart = terms.restart(capacity_type, p.hazard);
            places.push(Place { pool, kind: 0, slots, price, start: hours + bytes, bytes, restart, sharing });
        }
        self.without_dominated(scenario, places)
    }

    /// Places on a slice: every layout that has it, on every machine with room for as many replicas as there are slices, for
    /// each set of tenants that the workload may join.
    fn slice_places(&mut self, context: &Context<'_>, (point, slice): (&OperatingPoint, &str)) -> Vec<Place> {
        let (scenario, workload) = (context.scenario, context.workload);
        let Some(card) = scenario.accelerators.get(&point.accelerator) else { return Vec::new() };
        let mut places = Vec::new();
        for (index, offering) in scenario.offerings.iter().enumerate() {
            let allowed = workload.regions.is_empty() || workload.regions.contains(&offering.region);
            let instance = &scenario.instance_types[&offering.instance_type];
            if offering.capacity_type != CapacityType::OnDemand || !allowed || instance.accelerator != point.accelerator {
                continue;
            }
            let terms = network::terms(scenario, workload, &offering.region);
            let Some(terms) = terms.filter(|_| network::reachable(context, &offering.region)) else { continue };
            for layout in card.layouts.iter().filter(|layout| layout.slices.iter().any(|(name, _)| name == slice)) {
                if !fit::on_slice(point, (instance, card), (layout, &scenario.reserves)) {
                    continue;
                }
                for tenants in tenants(scenario, workload) {
                    let partition = partition((card, layout), (instance.gpus, tenants));
                    let kind = partition.slices.iter().position(|s| s.name == slice);
                    let Some((kind, pool)) = kind.zip(self.cut(scenario, index, (Sharing::Fixed, Some(partition)))) else { continue };
                    let bytes = terms.known_node;
                    places.push(Place { pool, kind, slots: 1, price: 0.0, start: bytes, bytes, restart: 0.0, sharing: Sharing::Fixed });
                }
            }
        }
        places
    }

    /// Leaves out a place when another in the same region holds a replica for no more money (on demand, and with the best
    /// commitments that may be bought), needs no company to be filled, is no scarcer, no riskier, in no fewer zones, and
    /// asks no more of any quota; committed pools always stay.
    /// For a fixed place this is a restriction of the problem: an idle slot beside another workload would cost nothing.
    fn without_dominated(&self, scenario: &Scenario, places: Vec<Place>) -> Vec<Place> {
        let per_slot = |p: &Place| f64::from(p.slots) * self.list[p.pool].share_of_slot(p.kind);
        let share = |p: &Place| self.list[p.pool].price * per_slot(p);
        let cut = |p: &Place| self.list[p.pool].partition.as_ref().map(|c| (&c.layout, &c.tenants));
        let least = |p: &Place| self.floor(p.pool) * per_slot(p);
        let asks_no_more = |a: &Place, b: &Place| {
            let asked = |quota: &Quota, p: &Place| asked_of(scenario, quota, &self.list[p.pool]) * per_slot(p);
            scenario.quotas.iter().all(|quota| asked(quota, a) <= asked(quota, b) + 1e-9)
        };
        let dominates = |a: &Place, b: &Place| {
            let (pa, pb) = (&self.list[a.pool], &self.list[b.pool]);
            let no_dearer = share(a) <= share(b) && least(a) <= least(b);
            let first = share(a) < share(b) || least(a) < least(b) || (pa.gpus, &pa.instance_type) < (pb.gpus, &pb.instance_type);
            let cheaper = no_dearer && first;
            let no_lumpier = a.sharing == Sharing::Exclusive
                || (b.sharing == Sharing::Fixed && cut(a) == cut(b) && pa.slots(a.kind) * b.slots <= pb.slots(b.kind) * a.slots);
            let no_riskier = pa.hazard <= pb.hazard && pa.zones >= pb.zones && (pb.scarce || !pa.scarce);
            a.pool != b.pool && pa.region == pb.region && cheaper && no_lumpier && no_riskier && pb.committed == 0 && asks_no_more(a, b)
        };
        places.iter().filter(|b| !places.iter().any(|a| dominates(a, b))).copied().collect()
    }
}

/// Sets of tenants that a workload may be among.
fn tenants(scenario: &Scenario, workload: &Workload) -> Vec<Tenants> {
    let own = Tenants::Team(workload.team.clone());
    match workload.share.with {
        ShareWith::Never => Vec::new(),
        ShareWith::Team => vec![own],
        ShareWith::Any => {
            // Its own team's GPUs as well, where somebody of the team shares with the team only.
            let strict = scenario.workloads.iter().any(|w| w.team == workload.team && w.share.with == ShareWith::Team);
            if strict { vec![Tenants::Any, own] } else { vec![Tenants::Any] }
        }
    }
}

/// A layout on nodes of so many GPUs. Until the master knows better, a kind stands for its share of the compute.
fn partition((card, layout): (&Accelerator, &Layout), (gpus, tenants): (u32, Tenants)) -> Partition {
    let compute = |name: &str, count: u32| card.slice(name).map_or(0.0, |s| s.compute) * f64::from(count);
    let all: f64 = layout.slices.iter().map(|(name, count)| compute(name, *count)).sum();
    let slices = layout
        .slices
        .iter()
        .map(|(name, count)| SliceCount { name: name.clone(), per_node: count * gpus, weight: compute(name, *count) / all })
        .collect();
    Partition { layout: layout.name.clone(), technique: layout.technique, tenants, slices }
}

impl Pools {
    /// Least price of a node-hour in a pool: with the best commitment used all week, where one may be bought.
    fn floor(&self, pool: PoolIndex) -> f64 {
        let p = &self.list[pool];
        let bought = self.floors.get(&(p.instance_type.clone(), p.region.clone()));
        bought.filter(|_| p.capacity_type == CapacityType::OnDemand && p.partition.is_none()).map_or(p.price, |floor| floor.min(p.price))
    }
}

/// Units that a node of a pool, or its stand-in, takes of a quota.
fn asked_of(scenario: &Scenario, quota: &Quota, pool: &Pool) -> f64 {
    let counted = quota.capacity_type == pool.capacity_type || pool.capacity_type == CapacityType::Spot;
    if counted && in_group(quota, pool) { units(scenario, pool, quota.unit) } else { 0.0 }
}

/// Whether a quota counts the pool's shape and region, however it is bought.
fn in_group(quota: &Quota, pool: &Pool) -> bool {
    pool.region == quota.region && quota.instance_types.contains(&pool.instance_type)
}

/// Units of one node of a pool in a quota's unit.
fn units(scenario: &Scenario, pool: &Pool, unit: QuotaUnit) -> f64 {
    let instance = &scenario.instance_types[&pool.instance_type];
    match unit {
        QuotaUnit::Vcpus => instance.vcpus,
        QuotaUnit::Gpus => f64::from(instance.gpus),
        QuotaUnit::Nodes => 1.0,
    }
}

/// Quotas over the pools. The fallback of a spot pool is the same shape on demand.
#[must_use]
pub fn quota_rows(scenario: &Scenario, pools: &Pools) -> Vec<QuotaGroup> {
    scenario
        .quotas
        .iter()
        .map(|quota| {
            let of = |capacity_type: CapacityType| -> Vec<(PoolIndex, f64)> {
                let members = pools.list.iter().enumerate().filter(|(_, p)| p.capacity_type == capacity_type && in_group(quota, p));
                members.map(|(i, p)| (i, units(scenario, p, quota.unit))).collect()
            };
            QuotaGroup {
                id: quota.id.clone(),
                capacity_type: quota.capacity_type,
                units: of(quota.capacity_type),
                fallback_units: if quota.capacity_type == CapacityType::OnDemand { of(CapacityType::Spot) } else { Vec::new() },
                limit: quota.limit,
            }
        })
        .collect()
}
