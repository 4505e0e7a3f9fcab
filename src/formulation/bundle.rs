//! Bundles: sets of small services whose served models share every replica of one Triton server. Each set is a unit of its own beside the
//! workloads; the master runs every workload exactly once, alone or in one of its bundles.
//!
//! ```text
//! sum over ways of w + sum over bundles b with w in b of ways of b = 1                          each workload w
//! U_b(t) = sum over i in b of peak_i(t) / f_i          need_b(t) = ceil(U_b(t))
//! ```
//!
//! `f_i`: what one replica carries of model `i` alone, all its times longer by [`interference`] and derated as `estimated`. One card is shared out
//! in time, so loads add up as parts of it; what pooling over several replicas would add is left out. A bundle's load is written as requests
//! a second of the busiest hour's mix, `U(t) r`, with `r` what one replica carries of that mix.
//!
//! Which sets: of few candidates all of them; of many, runs of two to eight along several orders ([`sets`]). The bound is one over
//! these sets.

use crate::demand;
use crate::domain::{
    CapacityTable, CapacityType, ColdStart, Demand, Evidence, Isolation, Knot, Mode, OperatingPoint, Performance, Profile, ProfileKind,
    Scenario, Service, ShareWith, SpotPolicy, Spread, Workload, WorkloadKind,
};
use crate::formulation::columns::column;
use crate::formulation::freedom::{Autoscaling, Freedom};
use crate::formulation::network;
use crate::formulation::pools::{Context, Pools};
use crate::formulation::problem::{Place, Sharing, WorkloadOptions};
use crate::formulation::service::{self, ServiceOption, ServiceShape};
use crate::ids::{AcceleratorId, InstanceTypeId, ProfileId, WorkloadId};
use crate::sizing;
use crate::sizing::capacity::{self, Capacity};
use crate::units::{GiB, HOURS_PER_WEEK, Millis, PerSecond, Seconds};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Factor on every time in a server of so many models while others are at work on the card: the worst measured, of BERT-large and ResNet-50
/// on an H100 within 5 and 20 times the time of a lone request (docs/sharing-measured.md). Queues of several models are short, and short
/// ones make small batches.
#[must_use]
pub const fn interference(models: usize) -> f64 {
    match models {
        0..=2 => 1.35,
        3..=4 => 1.6,
        _ => 2.05,
    }
}

/// Where the factor comes from, for the reader.
pub const INTERFERENCE_SOURCE: &str = "measured by the gpuplan authors, 2026-11-26, on one H100 with BERT-large and ResNet-50, the worst of both: 1.35 for two models in a server, 1.6 for three and four, 2.05 for more (docs/sharing-measured.md)";

/// Most models in one server.
pub const MOST_MEMBERS: usize = 8;

/// Up to so many candidates of a group every set of them is considered.
const FEW: usize = 6;

/// Precision of a server whose models run in their own.
pub const SEVERAL: &str = "several";

/// CPUs that each further model takes beside the one that takes the most.
const MORE_VCPUS: f64 = 0.25;

/// How a bundle may be run on one card.
#[derive(Clone, Debug)]
pub struct BundleOption {
    /// Operating point of each member in its profile.
    pub points: Vec<usize>,
    /// Rate that one replica carries of each member alone, derated, requests a second.
    pub alone_rps: Vec<f64>,
    /// The server as if it were one service: loads as those of the busiest hour's mix, the strictest of what owners say.
    pub workload: Workload,
    /// The server as an operating point: memory, CPUs, card.
    pub point: OperatingPoint,
}

/// A set of services in one server.
#[derive(Clone, Debug)]
pub struct BundleOptions {
    /// What each option of [`WorkloadOptions::services`] means.
    pub options: Vec<BundleOption>,
    /// Start of the server: the slowest image and engine, the weights of all models.
    pub cold_start: ColdStart,
}

/// Every bundle that could run, each with its ways.
pub fn units(scenario: &Scenario, freedom: &Freedom, pools: &mut Pools) -> Vec<WorkloadOptions> {
    if !freedom.sharing {
        return Vec::new();
    }
    let candidates: Vec<usize> = (0..scenario.workloads.len()).filter(|&w| is_candidate(scenario, &scenario.workloads[w])).collect();
    let groups = groups(scenario, &candidates);
    let sets: BTreeSet<Vec<usize>> = groups.iter().flat_map(|group| sets(scenario, group)).collect();
    sets.into_iter().filter_map(|members| unit(scenario, freedom, (members, &mut *pools))).collect()
}

/// A request service whose owner lets it share a process, and that brings no Deployment of its own.
fn is_candidate(scenario: &Scenario, workload: &Workload) -> bool {
    let shares = workload.share.with != ShareWith::Never && workload.share.isolation == Isolation::None;
    let requests = scenario.profiles[&workload.profile].kind == ProfileKind::Request;
    let modes = workload.service().is_some_and(|s| s.scaling.modes.iter().any(|m| *m != Mode::Reactive));
    shares && requests && modes && workload.scale_target.is_none() && !scenario.freeze.contains(&workload.id)
}

/// Candidates that may be together: one namespace and zone, and either anybody or one team.
fn groups(scenario: &Scenario, candidates: &[usize]) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<(&str, &str, Option<&str>), Vec<usize>> = BTreeMap::new();
    for &index in candidates {
        let w = &scenario.workloads[index];
        let place = (w.namespace.as_str(), w.time_zone.as_str());
        if w.share.with == ShareWith::Any {
            groups.entry((place.0, place.1, None)).or_default().push(index);
        }
        groups.entry((place.0, place.1, Some(w.team.as_str()))).or_default().push(index);
    }
    groups.into_values().filter(|group| group.len() > 1).collect()
}

/// Sets of a group that are considered: all of two to [`MOST_MEMBERS`] where there are few candidates; else the runs of each such length that
/// cutting one of the orders below into equal parts makes.
fn sets(scenario: &Scenario, group: &[usize]) -> Vec<Vec<usize>> {
    if group.len() <= FEW {
        return (1_u32..1 << group.len())
            .filter(|mask| mask.count_ones() >= 2)
            .map(|mask| (0..group.len()).filter(|bit| mask & (1 << bit) != 0).map(|bit| group[bit]).collect())
            .collect();
    }
    let mut found = BTreeSet::new();
    for order in orders(scenario, group) {
        for size in 2..=MOST_MEMBERS {
            for chunk in order.chunks(size).filter(|chunk| chunk.len() >= 2) {
                let mut set = chunk.to_vec();
                set.sort_unstable();
                found.insert(set);
            }
        }
    }
    found.into_iter().collect()
}

/// Orders in which servers are filled: by memory, by load, by the hour of the peak (so that neighbours in a round robin peak apart), by name.
fn orders(scenario: &Scenario, group: &[usize]) -> Vec<Vec<usize>> {
    let demand = |w: usize| scenario.workloads[w].service().map(|s| &s.demand);
    let memory = |w: usize| scenario.profiles[&scenario.workloads[w].profile].points.iter().map(|p| p.gpu_memory.0).fold(0.0, f64::max);
    let load = |w: usize| demand(w).map_or(0.0, |d| d.peak_rps.iter().copied().fold(0.0, f64::max));
    let peak_hour =
        |w: usize| demand(w).map_or(0, |d| (0..d.peak_rps.len()).max_by(|&a, &b| d.peak_rps[a].total_cmp(&d.peak_rps[b])).unwrap_or(0));
    let sorted = |key: &dyn Fn(usize) -> f64| {
        let mut order = group.to_vec();
        order.sort_by(|&a, &b| key(b).total_cmp(&key(a)).then(a.cmp(&b)));
        order
    };
    let by_peak = sorted(&|w| peak_hour(w) as f64);
    // Every n-th of those sorted by their peaks: neighbours are hours apart.
    let stride = by_peak.len().div_ceil(MOST_MEMBERS).max(1);
    let apart = (0..stride).flat_map(|first| by_peak.iter().skip(first).step_by(stride).copied()).collect();
    vec![group.to_vec(), sorted(&memory), sorted(&load), apart]
}

/// The unit of a set; `None` where no card carries it.
fn unit(scenario: &Scenario, freedom: &Freedom, (members, pools): (Vec<usize>, &mut Pools)) -> Option<WorkloadOptions> {
    let cold_start = cold_start(scenario, &members);
    let nodes = &scenario.node_autoscaler;
    let start_hours = (nodes.provision_p95.0 + cold_start.p95().0 + sizing::cold_start::tail_s(nodes)) / 3600.0;
    let today = today(scenario, &members);
    let (mut services, mut options, mut id) = (Vec::new(), Vec::new(), None);
    for card in cards((scenario, freedom), &members) {
        let Some(option) = option((scenario, freedom), (&members, &card)) else { continue };
        let Some(service) = option.workload.service() else { continue };
        let Some(shape) = shape(service, (&option, start_hours)) else { continue };
        let shape = Arc::new(shape);
        id = Some(option.workload.id.clone());
        // A place does not depend on the profile; its price of a start does, and is set here.
        let placed = Workload { profile: scenario.workloads[members[0]].profile.clone(), ..option.workload.clone() };
        let places = pools.places(&Context { scenario, workload: &placed, freedom }, &option.point, CapacityType::OnDemand);
        // Without right-sizing the server runs on a machine that a member has today.
        let known = |p: &Place| freedom.right_sizing || has_today(scenario, &members, &pools.list[p.pool].instance_type);
        for mut floor in places.into_iter().filter(known).collect::<Vec<_>>() {
            let Some(terms) = network::of_server((scenario, freedom), &members, &pools.list[floor.pool].region) else { continue };
            floor.bytes = if floor.sharing == Sharing::Exclusive { terms.new_node } else { terms.known_node };
            floor.start = floor.price * start_hours + floor.bytes;
            let scarce = pools.list[floor.pool].scarce && floor.sharing == Sharing::Exclusive;
            let modes = service.scaling.modes.iter().copied().filter(|mode| match mode {
                Mode::Static => true,
                Mode::Scheduled => freedom.autoscaling == Autoscaling::Full && !scarce,
                Mode::Reactive => false,
            });
            services.push(ServiceOption {
                shape: Arc::clone(&shape),
                floor,
                spot: None,
                zones: 1,
                hazard: 0.0,
                share: 0.0,
                egress: terms.egress,
                modes: modes.collect(),
                as_today: false,
            });
            options.push(option.clone());
        }
    }
    let bundle = Some(BundleOptions { options, cold_start });
    id.filter(|_| !services.is_empty()).map(|id| WorkloadOptions { id, members, services, jobs: Vec::new(), frozen: None, today, bundle })
}

/// Whether a member runs on such machines today.
fn has_today(scenario: &Scenario, members: &[usize], shape: &InstanceTypeId) -> bool {
    let groups = members.iter().filter_map(|&m| scenario.node_group(&scenario.workloads[m].placement.as_ref()?.node_group));
    groups.into_iter().any(|group| &group.instance_type == shape)
}

/// Start of a server with these models.
fn cold_start(scenario: &Scenario, members: &[usize]) -> ColdStart {
    let of = |stage: &dyn Fn(&ColdStart) -> Spread, join: fn(f64, f64) -> f64| -> Spread {
        let all = members.iter().map(|&m| stage(&profile(scenario, m).cold_start));
        let (p50, p95) = all.fold((0.0, 0.0), |(p50, p95), s| (join(p50, s.p50.0), join(p95, s.p95.0)));
        Spread { p50: Seconds(p50), p95: Seconds(p95) }
    };
    ColdStart {
        image_pull: of(&|c| c.image_pull, f64::max),
        weights_load: of(&|c| c.weights_load, |a, b| a + b),
        engine_start: of(&|c| c.engine_start, f64::max),
    }
}

fn profile(scenario: &Scenario, member: usize) -> &Profile {
    &scenario.profiles[&scenario.workloads[member].profile]
}

/// Machines of the members today, together.
fn today(scenario: &Scenario, members: &[usize]) -> BTreeMap<(String, CapacityType), u32> {
    let mut all = BTreeMap::new();
    for &member in members {
        for (key, nodes) in column::today(scenario, &scenario.workloads[member]) {
            *all.entry(key).or_insert(0) += nodes;
        }
    }
    all
}

/// The members as one service, each load multiplied by its factor. `None` where they have no mode or no region in common.
fn joined(scenario: &Scenario, (members, factors): (&[usize], &[f64])) -> Option<Workload> {
    let all: Vec<&Workload> = members.iter().map(|&m| &scenario.workloads[m]).collect();
    let services: Vec<&Service> = all.iter().filter_map(|w| w.service()).collect();
    let (first, lead) = (*all.first()?, *services.first()?);
    let sum = |of: &dyn Fn(&Demand, usize) -> f64| -> Vec<f64> {
        (0..HOURS_PER_WEEK).map(|hour| services.iter().zip(factors).map(|(s, factor)| of(&s.demand, hour) * factor).sum()).collect()
    };
    let modes: Vec<Mode> = lead
        .scaling
        .modes
        .iter()
        .copied()
        .filter(|m| *m != Mode::Reactive && services.iter().all(|s| s.scaling.modes.contains(m)))
        .collect();
    let regions: Vec<_> =
        scenario.regions.iter().filter(|r| all.iter().all(|w| w.regions.is_empty() || w.regions.contains(r))).cloned().collect();
    if modes.is_empty() || regions.is_empty() {
        return None;
    }
    let mut slo = lead.slo;
    for service in &services {
        slo.attainment = slo.attainment.max(service.slo.attainment);
        slo.latency = [slo.latency, service.slo.latency].into_iter().flatten().min_by(|a, b| a.0.total_cmp(&b.0));
    }
    let mut scaling = lead.scaling.clone();
    scaling.modes = modes;
    scaling.metrics = None;
    scaling.scale_to_zero = false;
    scaling.min_replicas = services.iter().map(|s| s.scaling.min_replicas.max(1)).max()?;
    scaling.max_replicas = services.iter().filter_map(|s| s.scaling.max_replicas).min();
    scaling.max_windows = services.iter().map(|s| s.scaling.max_windows).min()?;
    let demand = Demand {
        mean_rps: sum(&|d, hour| d.mean_rps[hour]),
        peak_rps: sum(&|d, hour| d.peak_rps[hour] * d.insured),
        insured: 1.0,
        load_factor: 1.0,
        miss_factor: 1.0,
        burst: services.iter().map(|s| s.demand.burst).max()?,
        source: "sum over the models of the server".to_owned(),
        ..lead.demand.clone()
    };
    let mut name = format!("bundle-{}", first.id);
    while scenario.workloads.iter().any(|w| w.id.as_str() == name) {
        name.push_str("-server");
    }
    Some(Workload {
        profile: ProfileId::new(name.clone()),
        id: WorkloadId::new(name),
        kind: WorkloadKind::Service(Service { demand, slo, scaling, tables: Vec::new() }),
        regions,
        precisions: vec![SEVERAL.to_owned()],
        accelerators: Vec::new(),
        placement: None,
        spot: SpotPolicy { max_share: 0.0, contingency: first.spot.contingency },
        ..first.clone()
    })
}

/// Cards that every member has an allowed point on.
fn cards((scenario, freedom): (&Scenario, &Freedom), members: &[usize]) -> Vec<AcceleratorId> {
    let of = |member: usize| -> BTreeSet<AcceleratorId> {
        let points = &profile(scenario, member).points;
        points.iter().filter(|p| usable((scenario, freedom), &scenario.workloads[member], p)).map(|p| p.accelerator.clone()).collect()
    };
    let mut sets = members.iter().map(|&m| of(m));
    let first = sets.next().unwrap_or_default();
    sets.fold(first, |common, own| common.intersection(&own).cloned().collect()).into_iter().collect()
}

/// A point of one whole card that owner and scenario allow.
fn usable((scenario, freedom): (&Scenario, &Freedom), workload: &Workload, point: &OperatingPoint) -> bool {
    let allowed = workload.accelerators.is_empty() || workload.accelerators.contains(&point.accelerator);
    let evidence = point.evidence != Evidence::Estimated || scenario.risk.allow_estimated;
    let accepted = if freedom.precision { &workload.precisions[..] } else { &workload.precisions[..1] };
    point.slice.is_none() && point.gpus_per_replica == 1 && accepted.contains(&point.precision) && allowed && evidence
}

/// The point as it works beside others.
fn beside_others(point: &OperatingPoint, models: usize) -> OperatingPoint {
    let factor = interference(models);
    let longer = |ms: Millis| Millis(ms.0 * factor);
    let performance = match &point.performance {
        Performance::Request { knots } => Performance::Request {
            knots: knots
                .iter()
                .map(|k| Knot {
                    concurrency: k.concurrency,
                    rate: PerSecond(k.rate.0 / factor),
                    p50: longer(k.p50),
                    p95: longer(k.p95),
                    p99: longer(k.p99),
                })
                .collect(),
        },
        other => other.clone(),
    };
    OperatingPoint { evidence: Evidence::Estimated, performance, ..point.clone() }
}

/// Capacity of a member alone on the card, at its fastest allowed point, in a server of so many models.
fn alone((scenario, freedom): (&Scenario, &Freedom), (member, models): (usize, usize), card: &AcceleratorId) -> Option<(usize, Capacity)> {
    let workload = &scenario.workloads[member];
    // Tables were made for whole cards without others on them.
    let service = &Service { tables: Vec::new(), ..workload.service()?.clone() };
    let points = profile(scenario, member).points.iter().enumerate();
    let here = points.filter(|(_, p)| &p.accelerator == card && usable((scenario, freedom), workload, p));
    let peak = demand::highest_peak(service);
    let sized = here.filter_map(|(index, p)| capacity::of(service, &beside_others(p, models), peak).ok().map(|c| (index, c)));
    sized.max_by(|a, b| a.1.at(1).total_cmp(&b.1.at(1)).then(b.0.cmp(&a.0)))
}

/// What a card means for a set.
fn option((scenario, freedom): (&Scenario, &Freedom), (members, card): (&[usize], &AcceleratorId)) -> Option<BundleOption> {
    let alone_on = |&member: &usize| alone((scenario, freedom), (member, members.len()), card);
    let sized: Vec<(usize, Capacity)> = members.iter().map(alone_on).collect::<Option<_>>()?;
    let alone_rps: Vec<f64> = sized.iter().map(|(_, capacity)| capacity.at(1)).collect();
    if alone_rps.iter().any(|rps| *rps <= 0.0) {
        return None;
    }
    let peak = |hour: usize| {
        members.iter().filter_map(|&m| scenario.workloads[m].service()).map(move |s| s.demand.peak_rps[hour] * s.demand.insured)
    };
    let used = |hour: usize| -> f64 { peak(hour).zip(&alone_rps).map(|(peak, rps)| peak / rps).sum() };
    let busiest = (0..HOURS_PER_WEEK).max_by(|&a, &b| used(a).total_cmp(&used(b)).then(b.cmp(&a)))?;
    let mix = peak(busiest).sum::<f64>() / used(busiest);
    let factors: Vec<f64> = alone_rps.iter().map(|rps| mix / rps).collect();
    let mut workload = joined(scenario, (members, &factors))?;
    if let WorkloadKind::Service(service) = &mut workload.kind {
        let most = service.scaling.max_replicas.unwrap_or(capacity::MAX_REPLICAS);
        let carried = (used(busiest) - 1e-9).ceil().max(f64::from(service.scaling.min_replicas)).max(1.0);
        if carried > f64::from(most) {
            return None;
        }
        // As a table of its own: what n replicas carry of the mix.
        let points = (1..=carried as u32).map(|n| (n, f64::from(n) * mix / (1.0 - Evidence::Estimated.derate()))).collect();
        let (accelerator, precision) = (card.clone(), SEVERAL.to_owned());
        service.tables = vec![CapacityTable { accelerator, gpus_per_replica: 1, precision, slice: None, points }];
    }
    let points: Vec<&OperatingPoint> = members.iter().zip(&sized).map(|(&m, (p, _))| &profile(scenario, m).points[*p]).collect();
    Some(BundleOption { points: sized.iter().map(|(point, _)| *point).collect(), alone_rps, workload, point: server(&points)? })
}

/// The replicas of each hour.
fn shape(service: &Service, (option, start_hours): (&BundleOption, f64)) -> Option<ServiceShape> {
    let table = service.tables.first()?;
    let kept = 1.0 - Evidence::Estimated.derate();
    let capacity = Capacity::of_mix(table.points.iter().map(|(_, rps)| rps * kept).collect());
    let least = service.scaling.min_replicas.max(1);
    let need: Vec<u32> =
        service.demand.peak_rps.iter().map(|&load| capacity.need(load * (1.0 - 1e-9)).map(|n| n.max(least))).collect::<Option<_>>()?;
    let chain_s = start_hours * 3600.0;
    Some(ServiceShape {
        point: 0,
        mean_rps: service.demand.mean_rps.clone(),
        need_static: need.iter().copied().max()?,
        need,
        hpa: Vec::new(),
        hpa_insured: Vec::new(),
        sleep: Vec::new(),
        spare_misses: 0.0,
        start_hours,
        recover_hours: 0.0,
        contingency: 0.0,
        min_replicas: least,
        max_windows: service.scaling.max_windows,
        quiet_hours: ((service.scaling.polling.0 + service::LONGEST_RAMP_S + chain_s) / 3600.0).ceil().max(1.0) as usize,
        utc_offset_hours: option.workload.utc_offset_hours,
        capacity,
    })
}

/// The server that holds all of them: memory adds up; of CPUs and main memory the largest, and a little for each other.
fn server(points: &[&OperatingPoint]) -> Option<OperatingPoint> {
    let first = *points.first()?;
    let more = (points.len() - 1) as f64;
    let largest = |of: &dyn Fn(&OperatingPoint) -> f64| points.iter().map(|p| of(p)).fold(0.0, f64::max);
    let memory: f64 = points.iter().map(|p| p.gpu_memory.0).sum();
    let ram = largest(&|p| p.ram.0);
    Some(OperatingPoint {
        precision: SEVERAL.to_owned(),
        evidence: Evidence::Estimated,
        requires_nvlink: false,
        gpu_memory: GiB(memory),
        vcpus: largest(&|p| p.vcpus) + MORE_VCPUS * more,
        // Weights of the other models pass through main memory.
        ram: GiB(ram + memory - points.iter().map(|p| p.gpu_memory.0).fold(0.0, f64::max)),
        source: "sum over the models of the server".to_owned(),
        ..first.clone()
    })
}
