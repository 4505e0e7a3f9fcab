//! Deliberate corruptions of a good plan, and the family that must find each. None knows the fixture: they run on real plans
//! as well. One that finds nothing to corrupt says so by returning false.

use gpuplan::check::Family;
use gpuplan::plan::{CaseOutcome, JobPlan, NodePool, Plan, Purchase, PurchaseCover, ServicePlan, WorkloadNetwork};
use gpuplan::units::{Usd, UsdPerHour};

/// One corruption.
pub struct Corruption {
    pub name: &'static str,
    /// The family that must find it.
    pub family: Family,
    pub apply: fn(&mut Plan) -> bool,
}

const fn of(name: &'static str, family: Family, apply: fn(&mut Plan) -> bool) -> Corruption {
    Corruption { name, family, apply }
}

/// All of them.
pub const CORRUPTIONS: &[Corruption] = &[
    of("format unknown", Family::Structure, |p| set(&mut p.format, "gpuplan/plan/v0")),
    of("workload missing", Family::Structure, |p| p.workloads.pop().is_some()),
    of("pool missing", Family::Structure, used_pool_missing),
    of("hour missing", Family::Structure, |p| first_service(p).is_some_and(|s| s.floor_by_hour.pop().is_some())),
    of("workload twice", Family::Structure, |p| p.workloads.first().cloned().map(|w| p.workloads.push(w)).is_some()),
    of("wrong hash", Family::Provenance, |p| set(&mut p.provenance.scenario_sha256, "0")),
    of("input left out", Family::Provenance, |p| p.provenance.inputs.pop().is_some()),
    of("slo loosened", Family::Provenance, |p| first_service(p).is_some_and(|s| scale(&mut s.slo.attainment, 0.9))),
    of("claims to be verified", Family::Provenance, |p| set(&mut p.verification.status, "VERIFIED")),
    of("price lowered", Family::Price, |p| first_pool(p, |_| true).is_some_and(|pool| cheaper(&mut pool.usd_per_hour))),
    of("region swapped", Family::Price, |p| first_pool(p, busy).is_some_and(|pool| set(&mut pool.region, "nowhere-1"))),
    of("region not allowed", Family::Region, |p| first_pool(p, busy).is_some_and(|pool| set(&mut pool.region, "nowhere-1"))),
    of("more GPUs on a node", Family::Price, |p| first_pool(p, |_| true).map(|pool| pool.gpus_per_node *= 2).is_some()),
    of("spot risk taken as none", Family::Spot, |p| spot_terms(p).is_some_and(|s| scale(&mut s.reclaims_per_hour, 0.1))),
    of("spot price without fallback", Family::Spot, |p| {
        first_pool(p, |pool| pool.spot.is_some()).map(|pool| pool.planned_usd_per_hour = pool.usd_per_hour).is_some()
    }),
    of("precision not accepted", Family::Precision, |p| live(p).is_some_and(|w| set(&mut w.variant.precision, "int1"))),
    of("evidence flipped", Family::Evidence, |p| {
        live(p).is_some_and(|w| {
            let other = if w.variant.evidence == "measured" { "fitted" } else { "measured" };
            set(&mut w.variant.evidence, other)
        })
    }),
    of("derate halved", Family::Evidence, |p| live(p).is_some_and(|w| scale(&mut w.variant.derate, 0.5))),
    of("another card", Family::Variant, |p| live(p).is_some_and(|w| set(&mut w.variant.accelerator, "abacus"))),
    of("requests fewer CPUs", Family::Variant, |p| live(p).is_some_and(|w| scale(&mut w.variant.requests.vcpus, 0.5))),
    of("capacity table inflated", Family::CapacityTable, |p| {
        first_service(p).is_some_and(|s| s.capacity.last_mut().is_some_and(|row| scale(&mut row.rps, 1.001)))
    }),
    of("capacity of unknown source", Family::CapacityTable, |p| first_service(p).is_some_and(|s| set(&mut s.capacity_source, "measured"))),
    of("stable rate inflated", Family::CapacityTable, |p| first_service(p).is_some_and(|s| scale(&mut s.stable_rps_per_replica, 1.1))),
    of("planning load lowered", Family::DemandCover, |p| first_service(p).is_some_and(|s| scale(&mut s.planning_load_rps[12], 0.9))),
    of("no replica in the busiest hour", Family::DemandCover, no_replica_when_busiest),
    of("threshold wrong", Family::DemandCover, |p| {
        p.workloads
            .iter_mut()
            .filter(|w| w.mode == "reactive")
            .find_map(|w| w.service.as_mut()?.scaling.threshold.as_mut())
            .is_some_and(|t| scale(t, 1.5))
    }),
    of("one flex replica fewer when reactive", Family::DemandCover, one_fewer_when_reactive),
    of("one replica fewer in an hour", Family::Windows, |p| {
        services(p).find_map(|s| s.floor_by_hour.iter_mut().find(|n| **n > 0)).map(|n| *n -= 1).is_some()
    }),
    of("window removed", Family::Windows, window_removed),
    of("window twice", Family::Windows, |p| p.windows.first().cloned().map(|w| p.windows.insert(0, w)).is_some()),
    of("window lowered", Family::Windows, |p| p.windows.iter_mut().find(|w| w.floor > 0).map(|w| w.floor -= 1).is_some()),
    of("cron shifted", Family::Windows, |p| p.windows.first_mut().is_some_and(|w| set(&mut w.cron_start, "17 3 * * 3"))),
    of("cron broken", Family::Windows, |p| p.windows.first_mut().is_some_and(|w| set(&mut w.cron_end, "0 25 * * 1"))),
    of("window moved by a day", Family::Windows, |p| p.windows.first_mut().map(|w| w.days = vec![6]).is_some()),
    of("no lead", Family::Windows, no_lead),
    of("many windows", Family::Windows, many_windows),
    of("zero where not allowed", Family::ZeroHours, zero_where_not_allowed),
    of("awake less than it is", Family::ZeroHours, |p| {
        services(p).find_map(|s| s.awake_share_by_hour.iter_mut().find(|a| **a > 0.0)).is_some_and(|a| scale(a, 0.9))
    }),
    of("half the nodes in an hour", Family::NodeCapacity, |p| first_pool(p, busy).is_some_and(half_the_nodes)),
    of("half the nodes in a shared pool", Family::NodeCapacity, |p| {
        first_pool(p, |pool| pool.shared && busy(pool)).is_some_and(half_the_nodes)
    }),
    of("packed or not", Family::NodeCapacity, |p| first_pool(p, busy).map(|pool| pool.shared = !pool.shared).is_some()),
    of("most nodes lowered", Family::NodeCapacity, |p| first_pool(p, busy).map(|pool| pool.max_nodes = 0).is_some()),
    of("workers forgotten", Family::NodeCapacity, |p| {
        first_job(p).is_some_and(|j| j.workers_by_hour.iter_mut().find(|n| **n > 0.0).map(|n| *n = 0.0).is_some())
    }),
    of("spot share exceeded", Family::PoolLoss, all_on_spot),
    of("fallback removed", Family::PoolLoss, |p| {
        services(p).find_map(|s| s.flex.as_mut().filter(|f| f.fallback_pool.is_some())).map(|f| f.fallback_pool = None).is_some()
    }),
    of("fallback of a job removed", Family::PoolLoss, |p| {
        jobs(p).find(|j| j.fallback_pool.is_some()).map(|j| j.fallback_pool = None).is_some()
    }),
    of("no room on the fallback", Family::PoolLoss, no_room_on_the_fallback),
    of("spread over one zone", Family::PoolLoss, |p| {
        services(p).find_map(|s| s.flex.as_mut().filter(|f| f.zones_spread > 1)).map(|f| f.zones_spread = 1).is_some()
    }),
    of("quota exceeded", Family::Quota, a_thousand_replicas),
    of("starts halved", Family::StartUp, |p| {
        services(p).find(|s| s.starts_per_week > 0.0).is_some_and(|s| scale(&mut s.starts_per_week, 0.5))
    }),
    of("starts free", Family::StartUp, |p| {
        (p.cost.start_up_usd_per_month > Usd::from_f64(1.0)).then(|| p.cost.start_up_usd_per_month = Usd::ZERO).is_some()
    }),
    of("nodes kept for less", Family::StartUp, |p| first_pool(p, |_| true).map(|pool| pool.consolidate_after_s = 1).is_some()),
    of("cold start shortened", Family::StartUp, |p| first_service(p).is_some_and(|s| scale(&mut s.cold_start.paid_hours_per_start, 0.5))),
    of("deadline missed", Family::Deadline, |p| {
        first_job(p).is_some_and(|j| j.runs.last_mut().map(|r| r.start_hour = r.deadline_hour).is_some())
    }),
    of("deadline moved", Family::Deadline, |p| first_job(p).is_some_and(|j| j.runs.last_mut().map(|r| r.deadline_hour += 24).is_some())),
    of("run before its release", Family::Deadline, |p| {
        jobs(p).find_map(|j| j.runs.iter_mut().find(|r| r.release_hour > 0)).map(|r| r.start_hour = r.release_hour - 1).is_some()
    }),
    of("efficiency raised", Family::Deadline, |p| first_job(p).is_some_and(|j| scale(&mut j.efficiency, 1.05))),
    of("throughput raised", Family::Deadline, |p| first_job(p).is_some_and(|j| scale(&mut j.units_per_s, 1.1))),
    of("gang wider than allowed", Family::Deadline, |p| first_job(p).map(|j| j.workers = 4000).is_some()),
    of("run left out", Family::Deadline, |p| first_job(p).is_some_and(|j| j.runs.pop().is_some())),
    of("misses forgotten", Family::ErrorBudget, |p| {
        services(p)
            .find_map(|s| s.error_budget.uses.iter_mut().find(|u| u.misses_per_week > 1.0))
            .map(|u| u.misses_per_week = 0.0)
            .is_some()
    }),
    of("budget raised", Family::ErrorBudget, |p| first_service(p).is_some_and(|s| scale(&mut s.error_budget.spare_share, 2.0))),
    of("commitment dropped", Family::Commitment, |p| p.cost.commitments.pop().is_some()),
    of("commitment charged half", Family::Commitment, |p| {
        p.cost.commitments.first_mut().map(|c| c.usd_per_month = c.usd_per_month.scaled(0.5)).is_some()
    }),
    of("stranded hours wrong", Family::Commitment, |p| {
        p.cost.commitments.first_mut().map(|c| c.stranded_node_hours_per_week += 24.0).is_some()
    }),
    of("more nodes committed", Family::Commitment, |p| first_pool(p, |_| true).map(|pool| pool.committed_nodes += 1).is_some()),
    of("one bought more", Family::Purchase, |p| bought(p).map(|b| b.amount += 1.0).is_some()),
    of("purchase dropped", Family::Purchase, |p| p.purchases.pop().is_some()),
    of("bought twice", Family::Purchase, |p| p.purchases.first().cloned().map(|b| p.purchases.push(b)).is_some()),
    of("unknown product", Family::Purchase, |p| bought(p).is_some_and(|b| set(&mut b.product, "nothing"))),
    of("purchase charged half", Family::Purchase, |p| bought(p).map(|b| b.usd_per_month = b.usd_per_month.scaled(0.5)).is_some()),
    of("unit price lowered", Family::Purchase, |p| bought(p).is_some_and(|b| cheaper(&mut b.usd_per_unit_hour))),
    of("covers a machine that it does not", Family::Purchase, |p| cover(p).is_some_and(|c| set(&mut c.instance_type, "abacus"))),
    of("covers another region", Family::Purchase, |p| cover(p).is_some_and(|c| set(&mut c.region, "nowhere-1"))),
    of("covered hours inflated", Family::Purchase, |p| cover(p).is_some_and(|c| scale(&mut c.node_hours_per_week, 1.1))),
    of("worth raised", Family::Purchase, |p| cover(p).map(|c| c.worth_usd_per_node_hour = c.worth_usd_per_node_hour.scaled(1.1)).is_some()),
    of("utilization inflated", Family::Purchase, |p| bought(p).is_some_and(|b| scale(&mut b.utilization, 1.1))),
    of("coverage of an hour lowered", Family::Purchase, |p| bought(p).is_some_and(|b| scale(&mut b.coverage_by_hour[100], 0.9))),
    of("cash of the first month hidden", Family::Purchase, |p| bought(p).map(|b| b.first_month_usd = Usd::ZERO).is_some()),
    of("break-even lowered", Family::Purchase, |p| bought(p).is_some_and(|b| scale(&mut b.break_even_share, 0.9))),
    of("credit of a pool raised", Family::Purchase, |p| {
        first_pool(p, |pool| pool.purchases_credit_usd_per_month > Usd::ZERO)
            .is_some_and(|pool| cents(&mut pool.purchases_credit_usd_per_month, 5))
    }),
    of("purchases two cents off", Family::Cost, |p| cents(&mut p.cost.purchases_usd_per_month, 2)),
    of("scarce replicas released", Family::Scarce, scarce_released),
    of("frozen without being told", Family::Frozen, |p| live(p).is_some_and(|w| set(&mut w.mode, "frozen"))),
    of("said to be unchanged", Family::Frozen, |p| {
        let changed = p.workloads.iter_mut().find(|w| w.change.changed_nodes > 0);
        changed.map(|w| w.change.unchanged = true).is_some()
    }),
    of("pool two cents off", Family::Cost, |p| first_pool(p, |_| true).is_some_and(|pool| cents(&mut pool.usd_per_month, -2))),
    of("workload two cents off", Family::Cost, |p| p.workloads.first_mut().is_some_and(|w| cents(&mut w.usd_per_month, -2))),
    of("total two cents off", Family::Cost, |p| cents(&mut p.cost.usd_per_month, -2)),
    of("spot two cents off", Family::Cost, |p| cents(&mut p.cost.spot_usd_per_month, 2)),
    of("paid hours lowered", Family::Cost, |p| first_pool(p, busy).is_some_and(|pool| scale(&mut pool.paid_node_hours_per_week, 0.99))),
    of("evidence classes off", Family::Cost, |p| p.cost.by_evidence_usd_per_month.values_mut().next().is_some_and(|usd| cents(usd, 2))),
    of("saving inflated", Family::Cost, |p| scale(&mut p.saving, 1.01)),
    of("baseline inflated", Family::Baseline, |p| cents(&mut p.baseline.usd_per_month, 100)),
    of("node group dearer", Family::Baseline, |p| {
        p.baseline.node_groups.first_mut().map(|g| g.usd_per_month = g.usd_per_month.scaled(1.1)).is_some()
    }),
    of("more nodes today", Family::Baseline, |p| p.baseline.node_groups.first_mut().map(|g| g.nodes += 1.0).is_some()),
    of("met flag flipped", Family::Target, |p| p.target.as_mut().map(|t| t.met = !t.met).is_some()),
    of("target eased", Family::Target, |p| p.target.as_mut().map(|t| t.usd_per_month = t.usd_per_month.scaled(1.1)).is_some()),
    of("impossible flag flipped", Family::Target, |p| p.target.as_mut().map(|t| t.provably_impossible = !t.provably_impossible).is_some()),
    of("bound above value", Family::Target, |p| {
        let above = p.optimality.usd_per_month.scaled(1.01);
        p.optimality.bound_usd_per_month = above;
        true
    }),
    of("bound of a stage above its value", Family::Target, |p| p.optimality.stages.first_mut().map(|s| s.bound = s.value * 1.01).is_some()),
    of("gap understated", Family::Target, |p| {
        p.optimality.gap += 0.001;
        true
    }),
    of("exposure understated", Family::Target, |p| {
        p.optimality.stages.iter_mut().find(|s| s.name == "least_exposure" && s.value > 0.0).is_some_and(|s| scale(&mut s.value, 0.5))
    }),
    of("stages swapped", Family::Target, |p| {
        p.optimality.stages.reverse();
        p.optimality.stages.len() > 1
    }),
    of("case forgotten", Family::Robustness, |p| p.robustness.as_mut().is_some_and(|r| r.cases.pop().is_some())),
    of("case taken for likelier", Family::Robustness, |p| case(p).is_some_and(|c| scale(&mut c.probability, 1.5))),
    of("case milder", Family::Robustness, |p| case(p).is_some_and(|c| scale(&mut c.demand_factor, 0.9))),
    of("case cheaper", Family::Robustness, |p| case(p).is_some_and(|c| cents(&mut c.usd_per_month, -2))),
    of("case better served", Family::Robustness, |p| {
        case(p).and_then(|c| c.workloads.first_mut()).is_some_and(|w| scale(&mut w.attainment, 0.99))
    }),
    of("tail left out", Family::Robustness, |p| p.robustness.as_mut().is_some_and(|r| scale(&mut r.usd_per_month.cvar_95, 0.99))),
    of("holds more than it does", Family::Robustness, |p| {
        p.robustness.as_mut().and_then(|r| r.holds.first_mut()).is_some_and(|h| scale(&mut h.demand_factor, 1.2))
    }),
    of("insured by words", Family::Robustness, |p| {
        p.robustness.as_mut().is_some_and(|r| {
            r.holds.iter_mut().for_each(|h| h.insured_factor *= 2.0);
            !r.holds.is_empty()
        })
    }),
    of("insurance for nothing", Family::Robustness, |p| p.robustness.as_mut().is_some_and(|r| cents(&mut r.insurance_usd_per_month, -200))),
    of("somebody else gives up first", Family::Robustness, |p| {
        p.robustness.as_mut().and_then(|r| r.gives_up_first.as_mut()).is_some_and(|f| set(&mut f.workload, "nobody"))
    }),
    of("alternative dearer than 2%", Family::Robustness, |p| {
        p.alternatives.first_mut().map(|a| a.usd_per_month = a.usd_per_month.scaled(1.05)).is_some()
    }),
];

/// Those of a plan whose scenario has `network`.
pub const REMOTE: &[Corruption] = &[
    of("another cluster", Family::Network, |p| remote(p, |_| true).is_some_and(|n| set(&mut n.cluster, "aws-us-east-2"))),
    of("moved to another region", Family::Network, |p| {
        let Some(home) = p.pools.first().map(|pool| (pool.cloud.clone(), pool.region.clone(), pool.instance_type.clone())) else {
            return false;
        };
        let far = p.pools.iter_mut().find(|pool| pool.region != home.1 && busy(pool));
        far.map(|pool| (pool.cloud, pool.region, pool.instance_type) = home).is_some()
    }),
    of("the way shortened", Family::Network, |p| remote(p, |n| n.added_ms > 0.0).is_some_and(|n| scale(&mut n.added_ms, 0.5))),
    of("a client nearer", Family::Network, |p| {
        remote(p, |n| n.added_ms > 0.0)
            .is_some_and(|n| n.clients.iter_mut().find(|c| c.round_trip_ms > 0.0).is_some_and(|c| scale(&mut c.round_trip_ms, 0.5)))
    }),
    of("a client left out", Family::Network, |p| remote(p, |n| !n.clients.is_empty()).is_some_and(|n| n.clients.pop().is_some())),
    of("traffic cheaper", Family::Network, |p| {
        remote(p, |n| n.egress_usd_per_month > Usd::ZERO).map(|n| n.egress_usd_per_month = n.egress_usd_per_month.scaled(0.5)).is_some()
    }),
    of("traffic free", Family::Network, |p| p.cost.egress_usd_per_month.replace(Usd::ZERO).is_some_and(|usd| usd > Usd::ZERO)),
    of("bytes of starts free", Family::Network, |p| {
        remote(p, |n| n.start_up_bytes_usd_per_month > Usd::ZERO).map(|n| n.start_up_bytes_usd_per_month = Usd::ZERO).is_some()
    }),
    of("today's traffic inflated", Family::Network, |p| {
        p.baseline.egress_usd_per_month.as_mut().map(|usd| *usd = usd.scaled(2.0)).is_some()
    }),
    of("a source made up", Family::Network, |p| p.provenance.network.first_mut().is_some_and(|row| set(&mut row.source, "hearsay"))),
    of("network forgotten", Family::Network, |p| p.workloads.iter_mut().find_map(|w| w.network.take()).is_some()),
    of("sized without the way", Family::CapacityTable, |p| {
        let far =
            p.workloads.iter_mut().filter(|w| w.network.as_ref().is_some_and(|n| n.added_ms > 50.0)).filter_map(|w| w.service.as_mut());
        far.filter_map(|s| s.capacity.first_mut()).next().is_some_and(|row| scale(&mut row.rps, 1.05))
    }),
    of("share without traffic", Family::Cost, |p| {
        let priced = p.workloads.iter_mut().find(|w| w.network.as_ref().is_some_and(|n| n.egress_usd_per_month > Usd::from_f64(1.0)));
        priced.map(|w| w.usd_per_month = w.usd_per_month - w.network.as_ref().map_or(Usd::ZERO, |n| n.egress_usd_per_month)).is_some()
    }),
];

fn remote(plan: &mut Plan, which: fn(&WorkloadNetwork) -> bool) -> Option<&mut WorkloadNetwork> {
    plan.workloads.iter_mut().filter_map(|w| w.network.as_mut()).find(|n| which(n))
}

fn case(plan: &mut Plan) -> Option<&mut CaseOutcome> {
    plan.robustness.as_mut()?.cases.last_mut()
}

/// A window of a service that is never at zero: without its window, one that sleeps merely sleeps longer, which other families
/// find.
fn window_removed(plan: &mut Plan) -> bool {
    let kept_up = |s: &ServicePlan| s.floor.base_replicas + s.flex.as_ref().map_or(0, |f| f.base_replicas) > 0;
    let up: Vec<&str> = plan.workloads.iter().filter(|w| w.service.as_ref().is_some_and(kept_up)).map(|w| w.name.as_str()).collect();
    let found = plan.windows.iter().position(|window| up.contains(&window.workload.as_str()));
    found.map(|at| plan.windows.remove(at)).is_some()
}

fn set(text: &mut String, to: &str) -> bool {
    to.clone_into(text);
    true
}

fn scale(number: &mut f64, factor: f64) -> bool {
    *number *= factor;
    number.abs() > 1e-6
}

fn cents(usd: &mut Usd, cents: i64) -> bool {
    *usd += Usd::from_nanos(cents * 10_000_000);
    true
}

fn cheaper(price: &mut UsdPerHour) -> bool {
    *price = price.scaled(0.99);
    true
}

fn busy(pool: &NodePool) -> bool {
    pool.nodes_by_hour.iter().any(|n| *n > 0.0)
}

fn live(plan: &mut Plan) -> Option<&mut gpuplan::plan::WorkloadPlan> {
    plan.workloads.iter_mut().find(|w| w.mode != "frozen" && w.mode != "bundled")
}

fn services(plan: &mut Plan) -> impl Iterator<Item = &mut ServicePlan> {
    plan.workloads.iter_mut().filter(|w| w.mode != "frozen").filter_map(|w| w.service.as_mut())
}

fn jobs(plan: &mut Plan) -> impl Iterator<Item = &mut JobPlan> {
    plan.workloads.iter_mut().filter(|w| w.mode != "frozen").filter_map(|w| w.job.as_mut())
}

fn first_service(plan: &mut Plan) -> Option<&mut ServicePlan> {
    services(plan).next()
}

fn first_job(plan: &mut Plan) -> Option<&mut JobPlan> {
    jobs(plan).next()
}

fn first_pool(plan: &mut Plan, which: fn(&NodePool) -> bool) -> Option<&mut NodePool> {
    plan.pools.iter_mut().find(|pool| which(pool))
}

fn spot_terms(plan: &mut Plan) -> Option<&mut gpuplan::plan::SpotTerms> {
    plan.pools.iter_mut().find_map(|pool| pool.spot.as_mut())
}

fn used_pool_missing(plan: &mut Plan) -> bool {
    let Some(at) = plan.pools.iter().position(busy) else { return false };
    plan.pools.remove(at);
    true
}

fn half_the_nodes(pool: &mut NodePool) -> bool {
    let Some(hour) = pool.nodes_by_hour.iter().position(|n| *n > 0.0) else { return false };
    pool.nodes_by_hour[hour] = (pool.nodes_by_hour[hour] / 2.0).floor();
    true
}

fn no_replica_when_busiest(plan: &mut Plan) -> bool {
    let Some(service) = first_service(plan) else { return false };
    let loads = service.planning_load_rps.iter().enumerate();
    let Some((hour, load)) = loads.max_by(|a, b| a.1.total_cmp(b.1)) else { return false };
    let carries = *load > 0.0;
    service.floor_by_hour[hour] = 0;
    service.flex_by_hour[hour] = 0;
    carries
}

fn one_fewer_when_reactive(plan: &mut Plan) -> bool {
    let reactive = plan.workloads.iter_mut().filter(|w| w.mode == "reactive").filter_map(|w| w.service.as_mut());
    let mut counts = reactive.flat_map(|s| s.flex_by_hour.iter_mut());
    counts.find(|n| **n > 0).map(|n| *n -= 1).is_some()
}

fn bought(plan: &mut Plan) -> Option<&mut Purchase> {
    plan.purchases.first_mut()
}

fn cover(plan: &mut Plan) -> Option<&mut PurchaseCover> {
    bought(plan)?.covers.first_mut()
}

fn no_lead(plan: &mut Plan) -> bool {
    let Some(name) = plan.windows.first().map(|w| w.workload.clone()) else { return false };
    let owner = plan.workloads.iter_mut().find(|w| w.name == name).and_then(|w| w.service.as_mut());
    owner.map(|s| s.scaling.lead_minutes = 0).is_some()
}

fn many_windows(plan: &mut Plan) -> bool {
    let Some(first) = plan.windows.first().cloned() else { return false };
    plan.windows.extend(std::iter::repeat_n(first, 12));
    true
}

/// A service that may not: base and counts at zero in every hour outside windows.
fn zero_where_not_allowed(plan: &mut Plan) -> bool {
    let service = services(plan).find(|s| !s.scaling.scale_to_zero && s.floor.base_replicas > 0);
    let Some(service) = service else { return false };
    let base = service.floor.base_replicas;
    service.floor.base_replicas = 0;
    for count in service.floor_by_hour.iter_mut().filter(|n| **n == base) {
        *count = 0;
    }
    if let Some(flex) = &mut service.flex {
        flex.base_replicas = 0;
    }
    true
}

/// The floor of a service with spot goes to its flex part.
fn all_on_spot(plan: &mut Plan) -> bool {
    let spots: Vec<String> = plan.pools.iter().filter(|p| p.spot.is_some()).map(|p| p.name.clone()).collect();
    let on_spot = |s: &&mut ServicePlan| s.flex.as_ref().is_some_and(|f| spots.contains(&f.pool));
    let Some(service) = services(plan).find(on_spot) else { return false };
    for (floor, flex) in service.floor_by_hour.iter_mut().zip(&mut service.flex_by_hour) {
        *flex += *floor;
        *floor = 0;
    }
    true
}

fn no_room_on_the_fallback(plan: &mut Plan) -> bool {
    let Some(name) = plan.pools.iter().find_map(|p| p.spot.as_ref().filter(|_| busy(p))?.fallback_pool.clone()) else { return false };
    let fallback = plan.pools.iter_mut().find(|p| p.name == name);
    fallback.map(|pool| pool.max_nodes = pool.nodes_by_hour.iter().copied().fold(0.0, f64::max) as u32).is_some()
}

/// Only where a quota is there to exceed.
fn a_thousand_replicas(plan: &mut Plan) -> bool {
    let pools: Vec<String> = plan.pools.iter().filter(|p| !p.shared).map(|p| p.name.clone()).collect();
    let service = services(plan).find(|s| pools.contains(&s.floor.pool) && s.floor.base_replicas > 0);
    service.map(|s| s.floor_by_hour.iter_mut().for_each(|n| *n = 1000)).is_some()
}

fn scarce_released(plan: &mut Plan) -> bool {
    let scarce: Vec<String> = plan.pools.iter().filter(|p| p.assurance == "scarce").map(|p| p.name.clone()).collect();
    let service = services(plan).find(|s| scarce.contains(&s.floor.pool) && s.floor_by_hour[0] > 0);
    service.map(|s| s.floor_by_hour[0] -= 1).is_some()
}
