//! The plan of a service: floor, flex, thresholds, error budget.

use super::Context;
use super::{pools, windows};
use crate::demand::{self, HPA_TOLERANCE};
use crate::domain::{Mode, Service, Slo};
use crate::formulation::columns::{Decision, WindowSpec, column};
use crate::formulation::service::{HourCount, ServiceOption};
use crate::plan::{BudgetUse, CapacityPoint, ColdStartPlan, ErrorBudget, FlexPlan, FloorPlan, ScalingPlan, ServicePlan, SloPlan};
use crate::sizing::cold_start;
use crate::units::HOURS_PER_WEEK;

/// What the column decided.
struct Decided<'a> {
    option: &'a ServiceOption,
    mode: Mode,
    base: (u32, u32),
    sleeps: bool,
    windows: &'a [WindowSpec],
    hours: &'a [HourCount],
}

impl Decided<'_> {
    /// Most flex replicas that may run: those of any hour, and what the service may follow up to.
    fn flex_limit(&self) -> u32 {
        let follows = || {
            let floor: Vec<u32> = self.hours.iter().map(|h| h.floor).collect();
            column::flex_insured(self.option, &floor).into_iter().max().unwrap_or(0)
        };
        self.most_flex().max(if self.mode == Mode::Reactive { follows() } else { 0 })
    }

    fn most_floor(&self) -> u32 {
        self.hours.iter().map(|h| h.floor).max().unwrap_or(0)
    }
    fn most_flex(&self) -> u32 {
        self.hours.iter().map(|h| h.flex).max().unwrap_or(0)
    }
    /// Most replicas of any hour, or that it may follow up to.
    fn reach(&self) -> u32 {
        let most = self.hours.iter().map(|h| h.floor + h.flex).max().unwrap_or(0);
        if self.flex_limit() > self.most_flex() { most.max(self.most_floor() + self.flex_limit()) } else { most }
    }
}

/// The plan of the service; `None` when its column is no service's.
#[must_use]
pub fn of(context: &Context<'_>, service: &Service) -> Option<ServicePlan> {
    let Decision::Service { option, mode, base, sleeps, windows, hours } = &context.column.decision else { return None };
    let option = &context.problem.workloads[context.index].services[*option];
    let decided = Decided { option, mode: *mode, base: *base, sleeps: *sleeps, windows, hours };
    // Who follows is planned for the demand as it is, and may go beyond it; who does not stands there for what may come.
    let insured = if *mode == Mode::Reactive { 1.0 } else { service.demand.insured };
    let planning_load_rps = match mode {
        Mode::Static => vec![demand::highest_peak(service) * insured; HOURS_PER_WEEK],
        Mode::Scheduled => service.demand.peak_rps.iter().map(|peak| peak * insured).collect(),
        Mode::Reactive => demand::reactive_envelope(service),
    };
    Some(ServicePlan {
        slo: slo(&service.slo),
        floor: FloorPlan { pool: context.names[&option.floor.pool].clone(), base_replicas: base.0, max_replicas: decided.most_floor() },
        flex: (decided.flex_limit() > 0).then(|| flex(context, &decided)),
        load_factor: service.demand.load_factor * insured,
        planning_load_rps,
        mean_load_rps: service.demand.mean_rps.clone(),
        floor_by_hour: hours.iter().map(|h| h.floor).collect(),
        flex_by_hour: hours.iter().map(|h| h.flex).collect(),
        awake_share_by_hour: hours.iter().map(|h| h.awake).collect(),
        starts_per_week: starts(hours),
        capacity: (1..=decided.reach().max(1)).map(|n| CapacityPoint { replicas: n, rps: option.shape.capacity.at(n) }).collect(),
        capacity_source: source(context, service, option.shape.point),
        stable_rps_per_replica: option.shape.capacity.stable_rps,
        burst: service.demand.burst.as_str().to_owned(),
        routing: service.scaling.routing.as_str().to_owned(),
        scaling: scaling(context, service, &decided),
        error_budget: budget(service, &decided),
        cold_start: ColdStartPlan {
            provision_p95_s: context.scenario.node_autoscaler.provision_p95.0,
            replica_p95_s: context.scenario.profiles[&context.workload.profile].cold_start.p95().0,
            paid_hours_per_start: cold_start::paid_hours_per_start(
                &context.scenario.node_autoscaler,
                &context.scenario.profiles[&context.workload.profile],
            ),
        },
    })
}

/// Where the rates of an operating point come from.
fn source(context: &Context<'_>, service: &Service, point: usize) -> String {
    let point = &context.scenario.profiles[&context.workload.profile].points[point];
    let calibrated = service.tables.iter().any(|table| table.is_of(point));
    if calibrated { "calibrated" } else { "closed-form" }.to_owned()
}

/// The objective as planned.
#[must_use]
pub fn slo(slo: &Slo) -> SloPlan {
    SloPlan {
        attainment: slo.attainment,
        ttft_ms: slo.ttft.map(|l| l.0),
        tpot_ms: slo.tpot.map(|l| l.0),
        latency_ms: slo.latency.map(|l| l.0),
        planning_percentile: slo.planning_percentile(),
    }
}

fn flex(context: &Context<'_>, decided: &Decided<'_>) -> FlexPlan {
    let pool = decided.option.flex().pool;
    let fallback = decided.option.spot.and_then(|spot| pools::stand_in(context.problem, spot.pool));
    FlexPlan {
        pool: context.names[&pool].clone(),
        fallback_pool: fallback.and_then(|p| context.names.get(&p).cloned()),
        base_replicas: decided.base.1,
        max_replicas: decided.flex_limit(),
        zones_spread: decided.option.zones,
    }
}

/// Starts a week: floor and flex grow, and wakes from zero.
fn starts(hours: &[HourCount]) -> f64 {
    let up = |h: &HourCount| if h.asleep { 0 } else { h.flex };
    (0..hours.len())
        .map(|hour| {
            let (now, before) = (&hours[hour], &hours[(hour + hours.len() - 1) % hours.len()]);
            f64::from(now.floor.saturating_sub(before.floor))
                + f64::from(up(now).saturating_sub(up(before)))
                + now.wakes * f64::from(now.flex)
        })
        .sum()
}

/// Autoscaler settings. The load trigger's threshold is the load in flight on one replica at the rate that the fewest
/// replicas carry each, less the room for growth while replicas start and for the HPA's tolerance.
fn scaling(context: &Context<'_>, service: &Service, decided: &Decided<'_>) -> ScalingPlan {
    let shape = &decided.option.shape;
    let least = shape.min_replicas;
    let headroom = service.demand.lag_growth * (1.0 + HPA_TOLERANCE);
    let kappa = shape.capacity.per_replica(least);
    let threshold = shape.capacity.in_flight(kappa) / headroom;
    let loaded = decided.mode == Mode::Reactive || decided.sleeps;
    let metrics = service.scaling.metrics.as_ref().filter(|_| loaded);
    let floor = decided.base.0;
    let query = metrics
        .map(|m| if floor == 0 { m.query.clone() } else { format!("clamp_min(({}) - {:.6}, 0)", m.query, f64::from(floor) * threshold) });
    let chain = cold_start::chain_p95_s(&context.scenario.node_autoscaler, &context.scenario.profiles[&context.workload.profile]);
    let has_flex = decided.flex_limit() > 0;
    ScalingPlan {
        polling_interval_s: service.scaling.polling.0.round() as u32,
        cooldown_s: service.scaling.cooldown.0.max(chain).ceil() as u32,
        stabilization_s: service.scaling.stabilization.0.round() as u32,
        min_replicas: if has_flex { decided.base.1 } else { decided.base.0 },
        max_replicas: if has_flex { decided.flex_limit() } else { decided.most_floor() },
        prometheus_server: metrics.map(|m| m.server.clone()),
        query,
        activity_query: metrics.filter(|_| decided.sleeps).and_then(|m| m.activity_query.clone()),
        threshold: metrics.map(|_| threshold),
        threshold_headroom: headroom,
        scale_to_zero: decided.sleeps,
        cold_requests: service.scaling.cold_requests.as_str().to_owned(),
        lead_minutes: windows::lead_minutes(context, decided.windows.iter().map(|w| w.floor + w.flex).max().unwrap_or(1)),
    }
}

fn budget(service: &Service, decided: &Decided<'_>) -> ErrorBudget {
    let cold: f64 = decided.hours.iter().map(|h| h.cold_misses).sum();
    let reclaims: f64 = decided.hours.iter().zip(&service.demand.mean_rps).map(|(h, &mean)| decided.option.reclaim_misses(h, mean)).sum();
    ErrorBudget {
        requests_per_week: service.demand.requests_per_week(),
        steady_state_share: service.slo.spare_budget(),
        spare_share: service.slo.spare_budget(),
        miss_factor: service.demand.miss_factor,
        uses: vec![
            BudgetUse { name: "cold_starts".to_owned(), misses_per_week: cold },
            BudgetUse { name: "reclaims".to_owned(), misses_per_week: reclaims },
        ],
    }
}
