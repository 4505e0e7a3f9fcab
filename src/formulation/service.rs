//! The ways a service may be run: operating point x on-demand place x spot place x spot share.
//!
//! In each hour n replicas carry the planning load; `F` of them are the on-demand floor and `S = n - F` are flex.

use crate::demand::{self, HPA_TOLERANCE, SleepyHour};
use crate::domain::{CapacityType, ColdRequests, Evidence, InstanceType, Mode, OperatingPoint, Service};
use crate::formulation::freedom::Autoscaling;
use crate::formulation::network;
use crate::formulation::pools::{Context, Pools};
use crate::formulation::problem::{Place, Sharing};
use crate::ids::RegionId;
use crate::risk::{self, ReclaimLoss};
use crate::sizing::capacity::{self, Capacity};
use crate::sizing::distance;
use crate::units::HOURS_PER_WEEK;
use std::sync::Arc;

/// Steps in which a spot share may stay below the owner's limit.
const SHARE_STEPS: u32 = 4;

/// HPA steps from one replica to the most that are ever planned, s.
pub const LONGEST_RAMP_S: f64 = 150.0;

/// What one operating point means for the service, whatever the machines: needs and budget.
#[derive(Clone, Debug)]
pub struct ServiceShape {
    /// Position of the operating point in the profile.
    pub point: usize,
    /// Capacity table.
    pub capacity: Capacity,
    /// Mean load by hour (UTC), requests a second.
    pub mean_rps: Vec<f64>,
    /// Replicas that carry the peak of each hour.
    pub need: Vec<u32>,
    /// Replicas that the HPA runs in each hour; empty when it cannot follow this load.
    pub hpa: Vec<u32>,
    /// The same for the load that it is insured for: counts that it may follow up to, which pools and quotas keep.
    pub hpa_insured: Vec<u32>,
    /// Replicas that carry the week, when the count is constant.
    pub need_static: u32,
    /// Expected sleep by hour; empty when zero is not allowed.
    pub sleep: Vec<SleepyHour>,
    /// Misses a week that the spare half of the error budget allows.
    pub spare_misses: f64,
    /// Paid hours that one start adds.
    pub start_hours: f64,
    /// Hours from the end of a reclaim notice to a serving replacement.
    pub recover_hours: f64,
    /// Share of mean load that stays stable when a pool is lost.
    pub contingency: f64,
    /// Fewest replicas while not at zero.
    pub min_replicas: u32,
    /// Most windows.
    pub max_windows: u32,
    /// First hours of every service day that stay at the base, so that a window and the lead of its cron never fill a
    /// day: KEDA takes a cron whose next start comes before its next end for outside its window.
    pub quiet_hours: usize,
    /// Hours that the workload's zone is ahead of UTC.
    pub utc_offset_hours: i32,
}

/// Replicas of an hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HourCount {
    /// On-demand floor.
    pub floor: u32,
    /// Flex replicas, when awake.
    pub flex: u32,
    /// The service may be at zero: flex replicas run only while it is awake.
    pub asleep: bool,
    /// Share of the hour in which flex replicas run: 1 unless it may be at zero.
    pub awake: f64,
    /// Expected wakes from zero.
    pub wakes: f64,
    /// Expected misses from cold starts.
    pub cold_misses: f64,
}

impl HourCount {
    /// An hour that is never at zero.
    #[must_use]
    pub const fn up(floor: u32, flex: u32) -> Self {
        Self { floor, flex, asleep: false, awake: 1.0, wakes: 0.0, cold_misses: 0.0 }
    }
}

/// One way to run a service.
#[derive(Clone, Debug)]
pub struct ServiceOption {
    /// What the operating point means.
    pub shape: Arc<ServiceShape>,
    /// On-demand place.
    pub floor: Place,
    /// Spot place of the flex replicas; `None`: they run on demand, in the floor's place.
    pub spot: Option<Place>,
    /// Zones that spot replicas spread over.
    pub zones: u32,
    /// Collapses an hour of one zone of the spot pool.
    pub hazard: f64,
    /// Largest share of replicas on spot.
    pub share: f64,
    /// Traffic, dollars a week.
    pub egress: f64,
    /// Modes to consider.
    pub modes: Vec<Mode>,
    /// Today's region, precision and GPUs a replica: with today's nodes as well, nothing changes.
    pub as_today: bool,
}

impl ServiceOption {
    /// Place of the flex replicas.
    #[must_use]
    pub fn flex(&self) -> &Place {
        self.spot.as_ref().unwrap_or(&self.floor)
    }

    /// Largest count of `n` replicas that may be on spot while the mean load stays stable when a zone is lost.
    #[must_use]
    pub fn spot_of(&self, n: u32, mean_rps: f64) -> u32 {
        if self.spot.is_none() {
            return 0;
        }
        let mut spot = (self.share * f64::from(n) + 1e-9).floor() as u32;
        while spot > 0 {
            let left = n - risk::lost_with_one_zone(spot, self.zones);
            if self.shape.capacity.stable_rps * f64::from(left) >= self.shape.contingency * mean_rps {
                break;
            }
            spot -= 1;
        }
        spot
    }

    /// Whether a schedule may leave the hour at zero until a request comes. The wake must bring up all that the hour
    /// needs: beyond the fewest replicas something would have to follow the load, which is what reactive mode is for.
    /// Never on spot: a service that sleeps has no floor for the loss of a zone.
    #[must_use]
    pub fn may_sleep(&self, hour: usize) -> bool {
        self.spot.is_none() && !self.shape.sleep.is_empty() && self.shape.need[hour] <= self.shape.min_replicas
    }

    /// Expected misses of an hour from reclaims.
    #[must_use]
    pub fn reclaim_misses(&self, hour: &HourCount, mean_rps: f64) -> f64 {
        if self.spot.is_none() || hour.flex == 0 {
            return 0.0;
        }
        let left = hour.floor + hour.flex - risk::lost_with_one_zone(hour.flex, self.zones);
        hour.awake
            * risk::reclaim_misses(&ReclaimLoss {
                spot_replicas: hour.flex,
                zones: self.zones,
                reclaims_per_hour: self.hazard,
                recover_hours: self.shape.recover_hours,
                left_rps: self.shape.capacity.at(left),
                mean_rps,
            })
    }
}

/// Every option of a service, in a stable order.
#[must_use]
pub fn options(context: &Context<'_>, pools: &mut Pools) -> Vec<ServiceOption> {
    let Some(service) = context.workload.service() else { return Vec::new() };
    let profile = &context.scenario.profiles[&context.workload.profile];
    let mut options = Vec::new();
    for (index, point) in profile.points.iter().enumerate() {
        if !allowed(context, point) {
            continue;
        }
        let mut shapes = Shapes { context, service, at: (index, point), known: Vec::new() };
        // The way only takes: what does not meet the SLO beside its clients does so nowhere.
        if shapes.beside().is_none() {
            continue;
        }
        let on_demand = pools.places(context, point, CapacityType::OnDemand);
        let floors = today_only(context, pools, on_demand);
        let spots = spot_places(context, pools, point);
        for floor in floors {
            let Some((shape, egress)) = shapes.of(&pools.list[floor.pool].region) else { continue };
            let scarce = pools.list[floor.pool].scarce;
            let modes = modes(context, service, &shape, scarce && floor.sharing == Sharing::Exclusive);
            let as_today = as_today(context, point, &pools.list[floor.pool].region);
            let plain = ServiceOption { shape, floor, spot: None, zones: 1, hazard: 0.0, share: 0.0, egress, modes, as_today };
            options.push(plain.clone());
            if scarce {
                continue;
            }
            for spot in spots.iter().filter(|s| pools.list[s.pool].region == pools.list[floor.pool].region) {
                for step in 1..=SHARE_STEPS {
                    options.push(ServiceOption {
                        spot: Some(*spot),
                        zones: pools.list[spot.pool].zones,
                        hazard: pools.list[spot.pool].hazard,
                        share: context.workload.spot.max_share * f64::from(step) / f64::from(SHARE_STEPS),
                        ..plain.clone()
                    });
                }
            }
        }
    }
    options
}

/// A shape by the round trip and the reclaim notice that it was made for; `None` where it does not meet the SLO.
type KnownShape = ((f64, f64), Option<Arc<ServiceShape>>);

/// Shapes of an operating point by what a region takes of the limits and by the notice of its cloud, each made once.
struct Shapes<'a> {
    context: &'a Context<'a>,
    service: &'a Service,
    at: (usize, &'a OperatingPoint),
    known: Vec<KnownShape>,
}

impl Shapes<'_> {
    /// Where the way takes nothing.
    fn beside(&mut self) -> Option<Arc<ServiceShape>> {
        let of_point = |i: &&InstanceType| i.accelerator == self.at.1.accelerator;
        let notice = self.context.scenario.instance_types.values().find(of_point).map_or(30.0, |i| i.cloud.reclaim_notice_s());
        self.make(0.0, notice)
    }

    /// The shape in a region, and the dollars a week of traffic; `None` where nothing is left of the limits.
    fn of(&mut self, region: &RegionId) -> Option<(Arc<ServiceShape>, f64)> {
        let scenario = self.context.scenario;
        let terms = network::terms(scenario, self.context.workload, region)?;
        let here = |i: &&InstanceType| {
            i.accelerator == self.at.1.accelerator && scenario.offerings.iter().any(|o| o.instance_type == i.id && &o.region == region)
        };
        let notice = scenario.instance_types.values().find(here).map_or(30.0, |i| i.cloud.reclaim_notice_s());
        Some((self.make(terms.added_ms, notice)?, network::egress_per_week(self.service, &terms)))
    }

    fn make(&mut self, added_ms: f64, notice_s: f64) -> Option<Arc<ServiceShape>> {
        let same = |key: &(f64, f64)| key.0.total_cmp(&added_ms).is_eq() && key.1.total_cmp(&notice_s).is_eq();
        if let Some((_, known)) = self.known.iter().find(|(key, _)| same(key)) {
            return known.clone();
        }
        let points = &self.context.scenario.profiles[&self.context.workload.profile].points;
        let made = if added_ms > 0.0 {
            distance::nearer(self.service, points, added_ms).and_then(|left| shape(self.context, &left, (self.at, notice_s)))
        } else {
            shape(self.context, self.service, (self.at, notice_s))
        };
        let made = made.map(Arc::new);
        self.known.push(((added_ms, notice_s), made.clone()));
        made
    }
}

/// Whether owner, scenario and freedom allow the operating point.
#[must_use]
pub fn allowed(context: &Context<'_>, point: &OperatingPoint) -> bool {
    let workload = context.workload;
    let precision_allowed = if context.freedom.precision {
        workload.precisions.contains(&point.precision)
    } else {
        workload.precisions.first() == Some(&point.precision)
    };
    let accelerator_allowed = workload.accelerators.is_empty() || workload.accelerators.contains(&point.accelerator);
    // Who allows sharing takes what is known of it; what a whole card does is estimated only where the scenario allows that.
    let evidence_allowed = point.evidence != Evidence::Estimated || context.scenario.risk.allow_estimated || point.slice.is_some();
    let sharing_allowed = point.slice.as_ref().is_none_or(|slice| {
        let card = context.scenario.accelerators.get(&point.accelerator);
        let technique = card.and_then(|card| card.slice(slice)).map(|slice| slice.technique);
        context.freedom.sharing && technique.is_some_and(|technique| workload.share.allows(technique))
    });
    let as_today = context.freedom.right_sizing
        || workload.placement.as_ref().is_none_or(|p| p.gpus_per_replica == point.gpus_per_replica && p.precision == point.precision);
    precision_allowed && accelerator_allowed && evidence_allowed && sharing_allowed && as_today
}

/// Whether the workload runs like this in this region today, on whole GPUs.
fn as_today(context: &Context<'_>, point: &OperatingPoint, region: &RegionId) -> bool {
    context.workload.placement.as_ref().is_some_and(|p| {
        let group = context.scenario.node_group(&p.node_group);
        let same = p.gpus_per_replica == point.gpus_per_replica && p.precision == point.precision;
        let whole = point.slice.is_none();
        same && whole && group.is_some_and(|g| &g.region == region)
    })
}

/// Without right-sizing only today's machine shape remains.
#[must_use]
pub fn today_only(context: &Context<'_>, pools: &Pools, places: Vec<Place>) -> Vec<Place> {
    let today = context.workload.placement.as_ref().and_then(|p| context.scenario.node_group(&p.node_group));
    match today {
        Some(group) if !context.freedom.right_sizing => {
            places.into_iter().filter(|p| pools.list[p.pool].instance_type == group.instance_type).collect()
        }
        _ => places,
    }
}

/// Spot places of a service: none where the owner or the lever says no, and none on scarce accelerators.
fn spot_places(context: &Context<'_>, pools: &mut Pools, point: &OperatingPoint) -> Vec<Place> {
    let scarce = context.scenario.accelerators[&point.accelerator].scarce && !context.scenario.risk.allow_scarce_release;
    if !context.freedom.spot || context.workload.spot.max_share <= 0.0 || scarce {
        return Vec::new();
    }
    let places = pools.places(context, point, CapacityType::Spot);
    today_only(context, pools, places)
}

/// Modes that owner, lever, load and scarcity leave.
fn modes(context: &Context<'_>, service: &Service, shape: &ServiceShape, constant: bool) -> Vec<Mode> {
    let keep = |mode: &Mode| match (mode, context.freedom.autoscaling) {
        (Mode::Static, _) => true,
        (_, Autoscaling::Off) => false,
        (Mode::Scheduled, Autoscaling::Tuned) => false,
        (Mode::Scheduled, Autoscaling::Full) => !constant,
        (Mode::Reactive, _) => !constant && !shape.hpa.is_empty(),
    };
    service.scaling.modes.iter().copied().filter(keep).collect()
}

/// Needs and budget of the service on an operating point; `None` when it does not meet the SLO.
fn shape(context: &Context<'_>, service: &Service, ((index, point), notice_s): ((usize, &OperatingPoint), f64)) -> Option<ServiceShape> {
    let scaling = &service.scaling;
    let insured = service.demand.insured;
    let highest = demand::highest_peak(service) * insured;
    let capacity = capacity::of(service, point, highest * (1.0 + HPA_TOLERANCE)).ok()?;
    let least = scaling.min_replicas.max(1);
    let need =
        service.demand.peak_rps.iter().map(|&peak| capacity.need(peak * insured).map(|n| n.max(least))).collect::<Option<Vec<u32>>>()?;
    let most = scaling.max_replicas.unwrap_or(capacity::MAX_REPLICAS);
    let need_static = need.iter().copied().max()?;
    if need_static > most {
        return None;
    }
    let hpa_insured = hpa_counts(service, &capacity, (most, insured));
    // Who cannot follow what it is insured for stands there instead.
    let hpa = if hpa_insured.is_empty() { Vec::new() } else { hpa_counts(service, &capacity, (most, 1.0)) };
    let chain = context.chain_s();
    let frozen_count = context.workload.placement.as_ref().filter(|_| !context.freedom.right_sizing).map(|p| p.replicas);
    Some(ServiceShape {
        point: index,
        mean_rps: service.demand.mean_rps.clone(),
        need,
        hpa,
        hpa_insured,
        need_static: frozen_count.unwrap_or(need_static),
        sleep: if may_sleep(context, service, chain) { sleep(service, chain) } else { Vec::new() },
        spare_misses: service.slo.spare_budget() * service.demand.requests_per_week() / service.demand.miss_factor,
        start_hours: context.start_hours(),
        recover_hours: (chain - notice_s).max(0.0) / 3600.0,
        contingency: context.workload.spot.contingency,
        min_replicas: least,
        max_windows: scaling.max_windows,
        quiet_hours: ((scaling.polling.0 + LONGEST_RAMP_S + chain) / 3600.0).ceil().max(1.0) as usize,
        utc_offset_hours: context.workload.utc_offset_hours,
        capacity,
    })
}

/// Replicas that the HPA runs: `ceil(1.1 x envelope / kappa)`, kappa the rate a replica at the fewest replicas. Empty
/// when there is no metric, the load is untrackable, the fewest replicas attain nothing or the count would pass the owner's cap.
/// The envelope is taken times a factor.
fn hpa_counts(service: &Service, capacity: &Capacity, (most, factor): (u32, f64)) -> Vec<u32> {
    let scaling = &service.scaling;
    if scaling.metrics.is_none() || service.demand.burst == crate::domain::BurstClass::Untrackable {
        return Vec::new();
    }
    let least = scaling.min_replicas.max(1);
    let kappa = capacity.at(least) / f64::from(least);
    if kappa <= 0.0 {
        return Vec::new();
    }
    let count = |load: f64| ((1.0 + HPA_TOLERANCE) * load / kappa - 1e-9).ceil().max(f64::from(least)) as u32;
    let counts: Vec<u32> = demand::reactive_envelope(service).into_iter().map(|load| count(load * factor)).collect();
    if counts.iter().any(|&n| n > most) { Vec::new() } else { counts }
}

/// Whether the service may be at zero: allowed, something can wake it, and held requests do not time out.
fn may_sleep(context: &Context<'_>, service: &Service, chain_s: f64) -> bool {
    let scaling = &service.scaling;
    let wakes = scaling.metrics.as_ref().is_some_and(|m| m.survives_pods);
    let held_too_long = scaling.cold_requests == ColdRequests::Hold && chain_s > scaling.request_timeout.0;
    context.freedom.autoscaling == Autoscaling::Full && scaling.scale_to_zero && wakes && !held_too_long
}

/// Expected sleep by hour; the cooldown is never shorter than the start-up chain.
fn sleep(service: &Service, chain_s: f64) -> Vec<SleepyHour> {
    // Whole seconds, as KEDA takes them.
    let cooldown = service.scaling.cooldown.0.max(chain_s).ceil();
    debug_assert_eq!(service.demand.mean_rps.len(), HOURS_PER_WEEK);
    demand::sleepy_week(&service.demand.mean_rps, chain_s, cooldown)
}
