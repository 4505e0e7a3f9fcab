//! The plan beside the scenario: every name resolved once. Needs a plan whose structure is sound.

use super::capacity::{self, Ask};
use super::claims::{self, Claim};
use super::windows::{self, Schedule};
use crate::domain::{CapacityType, InstanceType, Job, Mode, Offering, OperatingPoint, Profile, Scenario, Service, Workload};
use crate::ids::{InstanceTypeId, RegionId};
use crate::plan::{JobPlan, NodePool, Plan, ServicePlan, WorkloadPlan};
use crate::units::HOURS_PER_WEEK;
use std::collections::{BTreeMap, BTreeSet};

/// Scenario and plan, joined.
pub(super) struct View<'a> {
    pub scenario: &'a Scenario,
    pub plan: &'a Plan,
    pub pools: Vec<PoolView<'a>>,
    pub services: Vec<ServiceView<'a>>,
    pub jobs: Vec<JobView<'a>>,
    /// Members of servers, which have no counts of their own.
    pub bundled: Vec<Common<'a>>,
    /// Who holds what of which pool.
    pub claims: Vec<Claim<'a>>,
}

/// A pool with its machine and its offering.
pub(super) struct PoolView<'a> {
    pub pool: &'a NodePool,
    pub machine: &'a InstanceType,
    pub region: RegionId,
    pub spot: bool,
    /// The offering of the price list; none: it cannot be bought.
    pub offering: Option<&'a Offering>,
    /// Nodes that commitments pay for (on-demand pools).
    pub committed: u32,
    /// Packed rather than one node a replica: as the plan says, which `node_capacity` holds against the replicas.
    pub shared: bool,
    /// Zones that a spot pool spreads over.
    pub zones: u32,
}

/// What both kinds of workload have.
#[derive(Clone, Copy)]
pub(super) struct Common<'a> {
    pub plan: &'a WorkloadPlan,
    pub workload: &'a Workload,
    pub profile: Option<&'a Profile>,
    /// The chosen operating point; none: the profile has no such one.
    pub point: Option<&'a OperatingPoint>,
    pub frozen: bool,
}

/// A service.
pub(super) struct ServiceView<'a> {
    pub common: Common<'a>,
    pub decided: &'a ServicePlan,
    /// With the limits that the way leaves; the owner's own are in `common.workload`.
    pub service: &'a Service,
    /// None when frozen: the strings of the plan are checked before.
    pub mode: Option<Mode>,
    /// Counts that base and windows give.
    pub schedule: Schedule,
    /// Rates that n replicas sustain, for every n that the checks ask for, requests a second.
    rates: BTreeMap<u32, f64>,
    /// Rate that one replica survives, requests a second.
    pub stable: f64,
}

/// A job.
pub(super) struct JobView<'a> {
    pub common: Common<'a>,
    pub decided: &'a JobPlan,
    pub job: &'a Job,
}

impl<'a> View<'a> {
    /// Joins the two. What does not resolve is left out; the structure check has said so before.
    /// `near` is the scenario with what the way leaves of each service's limits: what its capacity is judged by.
    pub fn of((scenario, near): (&'a Scenario, &'a Scenario), plan: &'a Plan) -> Self {
        let pools = plan.pools.iter().filter_map(|pool| pool_view(scenario, pool)).collect();
        let mut view = Self { scenario, plan, pools, services: Vec::new(), jobs: Vec::new(), bundled: Vec::new(), claims: Vec::new() };
        for decided in &plan.workloads {
            let Some(workload) = scenario.workloads.iter().find(|w| w.id.as_str() == decided.name) else { continue };
            let common = common(scenario, decided, workload);
            if decided.mode == "bundled" {
                view.bundled.push(common);
            }
            let sized = near.workloads.iter().find(|w| w.id == workload.id).and_then(Workload::service);
            if let (Some(service), Some(plan)) = (sized, &decided.service) {
                let view_of_service = service_view(&view, (common, service, plan));
                view.services.push(view_of_service);
            }
            if let (Some(job), Some(plan)) = (workload.job(), &decided.job) {
                view.jobs.push(JobView { common, decided: plan, job });
            }
        }
        view.claims = claims::of(&view);
        view
    }

    /// The pool of that name.
    pub fn pool(&self, name: &str) -> Option<&PoolView<'a>> {
        self.pools.iter().find(|p| p.pool.name == name)
    }

    /// Services whose promise is checked.
    pub fn promised(&self) -> impl Iterator<Item = &ServiceView<'a>> {
        self.services.iter().filter(|s| !s.common.frozen)
    }

    /// Services and jobs.
    pub fn workloads(&self) -> impl Iterator<Item = Common<'a>> + '_ {
        self.services.iter().map(|s| s.common).chain(self.jobs.iter().map(|j| j.common)).chain(self.bundled.iter().copied())
    }

    /// The on-demand or spot offering of a machine in a region.
    pub fn offering(&self, machine: &InstanceTypeId, region: &RegionId, spot: bool) -> Option<&'a Offering> {
        offering(self.scenario, machine, (region, spot))
    }

    /// Node provisioning, p95, s.
    pub fn provision_s(&self) -> f64 {
        self.scenario.node_autoscaler.provision_p95.0
    }

    /// Slowest start of a replica on a new node over the scenario's workloads, p95, s.
    pub fn slowest_chain_s(&self) -> f64 {
        let cold = |w: &Workload| {
            self.scenario.profiles.get(&w.profile).map_or(0.0, |p| {
                let c = &p.cold_start;
                c.image_pull.p95.0 + c.weights_load.p95.0 + c.engine_start.p95.0
            })
        };
        let planned = |w: &&Workload| self.plan.bundles.iter().all(|b| b.host.name != w.id.as_str());
        self.provision_s() + self.scenario.workloads.iter().filter(planned).map(cold).fold(0.0, f64::max)
    }

    /// Nodes of a pool that a commitment pays for in the hour: a shared pool comes first, others take what it leaves.
    pub fn credited(&self, pool: &PoolView<'_>, hour: usize) -> f64 {
        let nodes = pool.pool.nodes_by_hour[hour];
        if pool.shared {
            return nodes.min(f64::from(pool.committed));
        }
        let same = |p: &&PoolView<'_>| {
            p.shared && !p.spot && p.pool.partition.is_none() && p.machine.id == pool.machine.id && p.region == pool.region
        };
        let taken: f64 = self.pools.iter().filter(same).map(|p| p.pool.nodes_by_hour[hour]).sum();
        nodes.min((f64::from(pool.committed) - taken).max(0.0))
    }

    /// Paid hours of a node after its work: drain and consolidation delay.
    pub fn tail_hours(&self) -> f64 {
        (self.scenario.node_autoscaler.drain.0 + self.scenario.node_autoscaler.consolidate_after.0) / 3600.0
    }
}

impl Common<'_> {
    /// Name.
    pub fn name(&self) -> &str {
        &self.plan.name
    }

    /// Cold start of a replica on a node that is up, p95, s: the sum of the stages.
    pub fn replica_cold_s(&self) -> f64 {
        self.profile.map_or(0.0, |p| {
            let c = &p.cold_start;
            c.image_pull.p95.0 + c.weights_load.p95.0 + c.engine_start.p95.0
        })
    }
}

impl ServiceView<'_> {
    /// Floor and flex replicas of the hour; flex as when awake.
    pub fn counts(&self, hour: usize) -> (u32, u32) {
        (self.decided.floor_by_hour[hour], self.decided.flex_by_hour[hour])
    }

    /// Replicas of the hour when awake.
    pub fn total(&self, hour: usize) -> u32 {
        let (floor, flex) = self.counts(hour);
        floor + flex
    }

    /// The hour may be at zero: base and windows give nothing.
    pub fn asleep(&self, hour: usize) -> bool {
        !self.common.frozen && self.schedule.floor[hour] == 0 && self.schedule.flex[hour] == 0
    }

    /// Rate that `n` replicas sustain within the SLO, requests a second.
    pub fn rate(&self, n: u32) -> f64 {
        match (self.rates.get(&n), self.common.point) {
            (Some(rate), _) => *rate,
            (None, Some(point)) => capacity::sustained(&Ask { point, service: self.service }, n),
            (None, None) => 0.0,
        }
    }

    /// Its spot pool, if the flex part is on spot.
    pub fn spot_pool<'v, 'a>(&self, view: &'v View<'a>) -> Option<&'v PoolView<'a>> {
        let flex = self.decided.flex.as_ref()?;
        view.pool(&flex.pool).filter(|p| p.spot)
    }

    /// Its elastic pool.
    pub fn flex_pool<'v, 'a>(&self, view: &'v View<'a>) -> Option<&'v PoolView<'a>> {
        view.pool(&self.decided.flex.as_ref()?.pool)
    }
}

fn offering<'a>(scenario: &'a Scenario, machine: &InstanceTypeId, place: (&RegionId, bool)) -> Option<&'a Offering> {
    let wanted = if place.1 { CapacityType::Spot } else { CapacityType::OnDemand };
    scenario.offerings.iter().find(|o| &o.instance_type == machine && &o.region == place.0 && o.capacity_type == wanted)
}

/// Nodes that commitments cover for a machine in a region.
pub(super) fn committed(scenario: &Scenario, machine: &str, region: &str) -> u32 {
    let covers = scenario.fleet.commitments.iter();
    covers.filter(|c| c.instance_type.as_str() == machine && c.region.as_str() == region).map(|c| c.nodes).sum()
}

fn pool_view<'a>(scenario: &'a Scenario, pool: &'a NodePool) -> Option<PoolView<'a>> {
    let machine = scenario.instance_types.get(&InstanceTypeId::new(pool.instance_type.clone()))?;
    let region = RegionId::new(pool.region.clone());
    let spot = pool.capacity_type == CapacityType::Spot.as_str();
    let offering = offering(scenario, &machine.id, (&region, spot));
    let committed = if spot || pool.partition.is_some() { 0 } else { committed(scenario, &pool.instance_type, &pool.region) };
    let shared = pool.shared;
    // Unknown zones are one zone: a pool that may all be lost at once.
    let zones = if shared { 1 } else { offering.map_or(1, |o| o.zones.len().clamp(1, 3) as u32) };
    Some(PoolView { pool, machine, region, spot, offering, committed, shared, zones })
}

fn common<'a>(scenario: &'a Scenario, plan: &'a WorkloadPlan, workload: &'a Workload) -> Common<'a> {
    let profile = scenario.profiles.get(&workload.profile);
    let variant = &plan.variant;
    let point = profile.and_then(|p| {
        p.points.iter().find(|point| {
            point.accelerator.as_str() == variant.accelerator
                && point.gpus_per_replica == variant.gpus_per_replica
                && point.precision == variant.precision
                && point.engine == variant.engine
                && point.slice.as_deref() == variant.slice.as_ref().map(|slice| slice.name.as_str())
        })
    });
    Common { plan, workload, profile, point, frozen: plan.mode == "frozen" }
}

fn service_view<'a>(view: &View<'a>, parts: (Common<'a>, &'a Service, &'a ServicePlan)) -> ServiceView<'a> {
    let (common, service, decided) = parts;
    let own: Vec<_> = view.plan.windows.iter().filter(|w| w.workload == common.plan.name).collect();
    let schedule = windows::schedule(decided, &own, common.workload.utc_offset_hours);
    let mode = [Mode::Static, Mode::Scheduled, Mode::Reactive].into_iter().find(|m| m.as_str() == common.plan.mode);
    let mut joined = ServiceView { common, decided, service, mode, schedule, rates: BTreeMap::new(), stable: 0.0 };
    if let Some(point) = common.point.filter(|_| !common.frozen) {
        let ask = Ask { point, service };
        let zones = joined.spot_pool(view).map_or(1, |p| p.zones);
        joined.rates = counts_asked(&joined, zones).into_iter().map(|n| (n, capacity::sustained(&ask, n))).collect();
        // A server is as stable as its mix says; it has no law of its own.
        joined.stable = if common.plan.kind == "bundle" { capacity::sustained(&ask, 1) } else { capacity::stable(&ask) };
    }
    joined
}

/// Every count of replicas whose rate some check needs.
fn counts_asked(service: &ServiceView<'_>, zones: u32) -> BTreeSet<u32> {
    let mut counts: BTreeSet<u32> = service.decided.capacity.iter().map(|row| row.replicas).collect();
    counts.insert(service.service.scaling.min_replicas.max(1));
    for hour in 0..HOURS_PER_WEEK {
        let (_, flex) = service.counts(hour);
        let total = service.total(hour);
        counts.insert(total);
        counts.insert(total - flex.div_ceil(zones));
    }
    counts
}
