//! Servers that several services share: who is in them, that their loads fit as parts of a card's time, and what they cost each. For the other
//! families a server is a workload beside its members: [`flattened`] makes scenario and plan look so, with sums of the checker's own.

use super::capacity::{self, Ask};
use super::finding::{Dollars, Family, Finding};
use super::network;
use super::tolerance::{same, same_usd};
use super::view::View;
use crate::domain::{
    CapacityTable, ColdStart, Demand, Evidence, Isolation, Knot, Mode, OperatingPoint, Performance, Profile, ProfileKind, Scaling,
    Scenario, Service, ShareWith, Spread, Workload, WorkloadKind,
};
use crate::ids::{ProfileId, WorkloadId};
use crate::plan::{Bundle, BundleMember, Plan};
use crate::units::{GiB, HOURS_PER_WEEK, Millis, PerSecond, Seconds};
use std::collections::BTreeMap;

/// Most models in one server.
const MOST_MEMBERS: usize = 8;
/// Factors on every time of a model that is not alone on its card, each up to so many models in the server.
const INTERFERENCE: [(usize, f64); 3] = [(2, 1.35), (4, 1.6), (MOST_MEMBERS, 2.05)];
/// CPUs that a further model takes.
const MORE_VCPUS: f64 = 0.25;
/// More replicas of a server than any plan has.
const MOST_REPLICAS: u32 = 512;

/// Checks every server and every workload that says it is in one.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = membership(view.plan);
    for bundle in &view.plan.bundles {
        findings.extend(company(view.scenario, bundle));
        findings.extend(members(view.scenario, bundle));
        findings.extend(carried(view.scenario, bundle));
        findings.extend(shared_out(view, bundle));
        findings.extend(as_members_say(view, bundle));
    }
    findings
}

fn finding(subject: &str, message: impl Into<String>) -> Finding {
    Finding::new(Family::Sharing, subject, message)
}

/// Who says that he is in a server is in exactly one, and the other way round.
fn membership(plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    for workload in plan.workloads.iter().filter(|w| w.kind != "bundle") {
        let servers = plan.bundles.iter().flat_map(|b| &b.members).filter(|m| m.workload == workload.name).count();
        let wanted = usize::from(workload.mode == "bundled");
        if servers != wanted {
            findings.push(finding(&workload.name, "is in another number of servers").differs(wanted, servers));
        }
    }
    for member in plan.bundles.iter().flat_map(|b| &b.members) {
        if !plan.workloads.iter().any(|w| w.name == member.workload) {
            findings.push(finding(&member.workload, "a server has a model of a workload that the plan does not have"));
        }
    }
    findings
}

fn workload_of<'a>(scenario: &'a Scenario, member: &BundleMember) -> Option<&'a Workload> {
    scenario.workloads.iter().find(|w| w.id.as_str() == member.workload)
}

/// What owners allow: one process, one namespace and zone, and either anybody or one team.
fn company(scenario: &Scenario, bundle: &Bundle) -> Vec<Finding> {
    let name = &bundle.host.name;
    let mut findings = Vec::new();
    let members: Vec<&Workload> = bundle.members.iter().filter_map(|m| workload_of(scenario, m)).collect();
    if !(2..=MOST_MEMBERS).contains(&bundle.members.len()) {
        findings.push(
            finding(name, "another number of models than a server has").differs(format!("2 to {MOST_MEMBERS}"), bundle.members.len()),
        );
    }
    let one_team = members.iter().all(|w| w.team == members[0].team);
    for workload in &members {
        let id = workload.id.as_str();
        let allowed = match workload.share.with {
            ShareWith::Never => false,
            ShareWith::Team => one_team,
            ShareWith::Any => one_team || members.iter().all(|w| w.share.with == ShareWith::Any),
        };
        if !allowed {
            findings.push(finding(id, format!("shares `{name}` with others than its owner allows")));
        }
        if workload.share.isolation != Isolation::None {
            let message = format!("less isolation in `{name}` than its owner wants");
            findings.push(finding(id, message).differs(workload.share.isolation.as_str(), "none"));
        }
        if (&workload.namespace, &workload.time_zone) != (&members[0].namespace, &members[0].time_zone) {
            findings.push(finding(id, format!("is in another namespace or time zone than others of `{name}`")));
        }
        if workload.scale_target.is_some() {
            findings.push(finding(id, format!("has a Deployment of its own and is in `{name}`")));
        }
    }
    findings
}

/// The member's whole-card point in the precision that it runs in.
fn point_of<'a>(scenario: &'a Scenario, (bundle, member): (&Bundle, &BundleMember)) -> Option<&'a OperatingPoint> {
    let workload = workload_of(scenario, member)?;
    scenario.profiles.get(&workload.profile)?.points.iter().find(|p| {
        p.slice.is_none()
            && p.gpus_per_replica == 1
            && p.accelerator.as_str() == bundle.host.variant.accelerator
            && p.precision == member.precision
    })
}

/// What is said of each model: its point, its loads, its rate alone.
fn members(scenario: &Scenario, bundle: &Bundle) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in &bundle.members {
        let name = &member.workload;
        let (Some(workload), Some(point)) = (workload_of(scenario, member), point_of(scenario, (bundle, member))) else {
            findings.push(finding(name, "its profile has no such operating point on a whole card"));
            continue;
        };
        let Some(service) = workload.service() else { continue };
        let allowed = workload.accelerators.is_empty() || workload.accelerators.contains(&point.accelerator);
        if !workload.precisions.contains(&point.precision) || !allowed {
            findings.push(finding(name, "a precision or a card that its owner does not accept"));
        }
        if point.evidence == Evidence::Estimated && !scenario.risk.allow_estimated {
            findings.push(finding(name, "an estimated operating point, and the scenario does not allow it"));
        }
        let alone = alone_rps(service, (point, bundle.members.len()));
        let rows = [
            ("rate alone, requests/s", alone, member.alone_rps),
            ("GPU memory, GiB", point.gpu_memory.0, member.gpu_memory_gib),
            ("latency limit, ms", service.slo.latency.map_or(0.0, |l| l.0), member.slo.latency_ms.unwrap_or(0.0)),
            ("attainment", service.slo.attainment, member.slo.attainment),
            ("load factor", service.demand.load_factor, member.load_factor),
        ];
        let wrong = rows.into_iter().filter(|(_, wanted, found)| !same(*wanted, *found));
        findings.extend(wrong.map(|(what, wanted, found)| finding(name, format!("another {what}")).differs(wanted, found)));
        for (what, wanted, found) in [
            ("planning load", &service.demand.peak_rps, &member.planning_load_rps),
            ("mean load", &service.demand.mean_rps, &member.mean_load_rps),
        ] {
            if let Some(hour) = (0..HOURS_PER_WEEK).find(|&t| !found.get(t).is_some_and(|f| same(wanted[t], *f))) {
                findings.push(finding(name, format!("another {what}")).at(hour));
            }
        }
        if member.evidence != point.evidence.as_str() {
            findings.push(finding(name, "another evidence class").differs(point.evidence.as_str(), member.evidence.as_str()));
        }
    }
    let factor = interference(bundle.members.len());
    if !same(factor, bundle.interference) {
        findings.push(finding(&bundle.host.name, "another factor for models beside each other").differs(factor, bundle.interference));
    }
    findings
}

/// What the plan says of each member itself: the server's card, its model's precision and needs, and the class of what is not alone.
fn as_members_say(view: &View<'_>, bundle: &Bundle) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in &bundle.members {
        let said = view.plan.workloads.iter().find(|w| w.name == member.workload);
        let (Some(said), Some(point)) = (said, point_of(view.scenario, (bundle, member))) else { continue };
        let variant = &said.variant;
        let wanted = (bundle.host.variant.accelerator.as_str(), member.precision.as_str(), "estimated");
        let found = (variant.accelerator.as_str(), variant.precision.as_str(), variant.evidence.as_str());
        if wanted != found || variant.slice.is_some() {
            let message = "another card, precision or evidence class than in its server";
            findings.push(finding(&said.name, message).differs(format!("{wanted:?}"), format!("{found:?}")));
        }
        let rows = [
            ("derate", capacity::derate(Evidence::Estimated), variant.derate),
            ("CPUs", point.vcpus, variant.requests.vcpus),
            ("memory, GiB", point.ram.0, variant.requests.ram_gib),
            ("GPU memory, GiB", point.gpu_memory.0, variant.requests.gpu_memory_gib),
        ];
        let wrong = rows.into_iter().filter(|(_, wanted, found)| !same(*wanted, *found));
        findings.extend(
            wrong.map(|(what, wanted, found)| finding(&said.name, format!("another {what} than its model's")).differs(wanted, found)),
        );
    }
    findings
}

/// The factor of a server with so many models; more than any server may have count as the most.
fn interference(models: usize) -> f64 {
    INTERFERENCE.iter().find(|(most, _)| models <= *most).unwrap_or(&INTERFERENCE[2]).1
}

/// What one replica carries of a model beside others, so many in all: every time longer, derated as estimated.
fn alone_rps(service: &Service, (point, models): (&OperatingPoint, usize)) -> f64 {
    let factor = interference(models);
    let Performance::Request { knots } = &point.performance else { return 0.0 };
    let slower = |k: &Knot| Knot {
        concurrency: k.concurrency,
        rate: PerSecond(k.rate.0 / factor),
        p50: Millis(k.p50.0 * factor),
        p95: Millis(k.p95.0 * factor),
        p99: Millis(k.p99.0 * factor),
    };
    let performance = Performance::Request { knots: knots.iter().map(slower).collect() };
    let point = OperatingPoint { evidence: Evidence::Estimated, performance, ..point.clone() };
    let untabled = Service { tables: Vec::new(), ..service.clone() };
    capacity::sustained(&Ask { point: &point, service: &untabled }, 1)
}

/// Parts of a card's time that the members' loads take in an hour.
fn taken(bundle: &Bundle, hour: usize) -> f64 {
    bundle.members.iter().map(|m| m.planning_load_rps.get(hour).copied().unwrap_or(f64::INFINITY) / m.alone_rps).sum()
}

/// In every hour the loads are parts of no more cards than there are replicas.
fn carried(scenario: &Scenario, bundle: &Bundle) -> Vec<Finding> {
    let Some(service) = &bundle.host.service else { return vec![finding(&bundle.host.name, "a server without a plan of its own")] };
    let short = (0..HOURS_PER_WEEK).find(|&t| taken(bundle, t) > f64::from(service.floor_by_hour[t] + service.flex_by_hour[t]) + 1e-6);
    let mut findings: Vec<Finding> = short
        .map(|t| {
            let replicas = service.floor_by_hour[t] + service.flex_by_hour[t];
            finding(&bundle.host.name, "its models take more of the card's time than its replicas have")
                .at(t)
                .differs(taken(bundle, t), f64::from(replicas))
        })
        .into_iter()
        .collect();
    let memory: f64 = bundle.members.iter().map(|m| m.gpu_memory_gib).sum();
    let card = scenario.accelerators.values().find(|a| a.id.as_str() == bundle.host.variant.accelerator);
    if let Some(card) = card.filter(|card| memory > card.visible_memory.0 * scenario.reserves.gpu_memory_share + 1e-9) {
        let usable = card.visible_memory.0 * scenario.reserves.gpu_memory_share;
        findings.push(finding(&bundle.host.name, "its models do not fit into the card's memory, GiB").differs(usable, memory));
    }
    findings
}

/// The part of a server's cost that a member bears: that of the time of the card that its mean load takes.
pub(super) fn part(bundle: &Bundle, workload: &str) -> f64 {
    let taken = |m: &BundleMember| m.mean_load_rps.iter().sum::<f64>() / m.alone_rps;
    let all: f64 = bundle.members.iter().map(taken).sum();
    bundle.members.iter().filter(|m| m.workload == workload).map(taken).sum::<f64>() / all
}

/// Each member pays its part of the server, and its own traffic.
fn shared_out(view: &View<'_>, bundle: &Bundle) -> Vec<Finding> {
    let egress: f64 = bundle.members.iter().map(|m| network::egress_of_member(view, (bundle, &m.workload))).sum();
    let usd = bundle.host.usd_per_month.as_f64() - egress;
    let of_member = |m: &BundleMember| -> Option<Finding> {
        let found = view.plan.workloads.iter().find(|w| w.name == m.workload)?.usd_per_month.as_f64();
        let wanted = usd * part(bundle, &m.workload) + network::egress_of_member(view, (bundle, &m.workload));
        (!same_usd(wanted, found))
            .then(|| finding(&m.workload, "another part of its server's cost a month").differs(Dollars(wanted), Dollars(found)))
    };
    bundle.members.iter().filter_map(of_member).collect()
}

/// Scenario and plan with every server as a workload of its own: its loads as those of the busiest hour's mix, its point the sum of its models,
/// its start that of the slowest image and engine and of all weights.
pub(super) fn flattened(scenario: &Scenario, plan: &Plan) -> (Scenario, Plan) {
    let (mut scenario, mut flat) = (scenario.clone(), plan.clone());
    for bundle in &plan.bundles {
        if let Some((workload, profile)) = server(&scenario, bundle) {
            scenario.profiles.insert(profile.id.clone(), profile);
            scenario.workloads.push(workload);
            flat.workloads.push(bundle.host.clone());
        }
    }
    (scenario, flat)
}

fn server(scenario: &Scenario, bundle: &Bundle) -> Option<(Workload, Profile)> {
    let parts: Vec<(&Workload, &Service, &OperatingPoint)> = bundle
        .members
        .iter()
        .map(|m| {
            let workload = workload_of(scenario, m)?;
            Some((workload, workload.service()?, point_of(scenario, (bundle, m))?))
        })
        .collect::<Option<_>>()?;
    let (first, lead, base) = *parts.first()?;
    let alone: Vec<f64> = parts.iter().map(|(_, service, point)| alone_rps(service, (point, bundle.members.len()))).collect();
    let used = |t: usize| -> f64 { parts.iter().zip(&alone).map(|((_, s, _), rps)| s.demand.peak_rps[t] / rps).sum() };
    let busiest = (0..HOURS_PER_WEEK).fold(0, |best, t| if used(t) > used(best) { t } else { best });
    let mix = parts.iter().map(|(_, s, _)| s.demand.peak_rps[busiest]).sum::<f64>() / used(busiest);
    let total = |of: &dyn Fn(&Demand) -> &Vec<f64>| -> Vec<f64> {
        (0..HOURS_PER_WEEK).map(|t| parts.iter().zip(&alone).map(|((_, s, _), rps)| of(&s.demand)[t] * mix / rps).sum()).collect()
    };
    let id = ProfileId::new(bundle.host.profile.clone());
    let point = joined_point(base, &parts.iter().map(|(_, _, point)| *point).collect::<Vec<_>>());
    let points = (1..=MOST_REPLICAS).map(|n| (n, f64::from(n) * mix / (1.0 - capacity::derate(Evidence::Estimated)))).collect();
    let table = CapacityTable {
        accelerator: point.accelerator.clone(),
        gpus_per_replica: 1,
        precision: point.precision.clone(),
        slice: None,
        points,
    };
    let mut service = lead.clone();
    service.demand.mean_rps = total(&|d| &d.mean_rps);
    service.demand.peak_rps = total(&|d| &d.peak_rps);
    (service.demand.load_factor, service.demand.miss_factor) = (1.0, 1.0);
    service.tables = vec![table];
    for (_, other, _) in &parts {
        service.demand.burst = service.demand.burst.max(other.demand.burst);
        service.slo.attainment = service.slo.attainment.max(other.slo.attainment);
        service.slo.latency = [service.slo.latency, other.slo.latency].into_iter().flatten().min_by(|a, b| a.0.total_cmp(&b.0));
    }
    strictest(&mut service.scaling, &parts.iter().map(|(_, s, _)| &s.scaling).collect::<Vec<_>>())?;
    let regions: Vec<_> =
        scenario.regions.iter().filter(|r| parts.iter().all(|(w, _, _)| w.regions.is_empty() || w.regions.contains(r))).cloned().collect();
    let workload = Workload {
        id: WorkloadId::new(bundle.host.name.clone()),
        profile: id.clone(),
        kind: WorkloadKind::Service(service),
        regions,
        precisions: vec![point.precision.clone()],
        accelerators: Vec::new(),
        placement: None,
        spot: crate::domain::SpotPolicy { max_share: 0.0, contingency: first.spot.contingency },
        ..first.clone()
    };
    let cold_start = start(scenario, &parts.iter().map(|(w, _, _)| *w).collect::<Vec<_>>());
    let profile = Profile {
        id,
        kind: ProfileKind::Request,
        title: String::new(),
        work_unit: None,
        points: vec![point],
        cold_start,
        checkpoint: None,
        divisible: false,
        sha256: String::new(),
    };
    Some((workload, profile))
}

/// The server as an operating point on the card of its models.
fn joined_point(base: &OperatingPoint, points: &[&OperatingPoint]) -> OperatingPoint {
    let largest = |of: fn(&OperatingPoint) -> f64| points.iter().map(|p| of(p)).fold(0.0, f64::max);
    let memory: f64 = points.iter().map(|p| p.gpu_memory.0).sum();
    OperatingPoint {
        precision: "several".to_owned(),
        evidence: Evidence::Estimated,
        requires_nvlink: false,
        gpu_memory: GiB(memory),
        vcpus: largest(|p| p.vcpus) + MORE_VCPUS * (points.len() as f64 - 1.0),
        ram: GiB(largest(|p| p.ram.0) + memory - largest(|p| p.gpu_memory.0)),
        ..base.clone()
    }
}

/// Modes that all allow, and the strictest of each limit.
fn strictest(scaling: &mut Scaling, all: &[&Scaling]) -> Option<()> {
    scaling.modes = [Mode::Static, Mode::Scheduled].into_iter().filter(|m| all.iter().all(|s| s.modes.contains(m))).collect();
    (scaling.metrics, scaling.scale_to_zero) = (None, false);
    scaling.min_replicas = all.iter().map(|s| s.min_replicas.max(1)).max()?;
    scaling.max_replicas = all.iter().filter_map(|s| s.max_replicas).min();
    scaling.max_windows = all.iter().map(|s| s.max_windows).min()?;
    Some(())
}

fn start(scenario: &Scenario, members: &[&Workload]) -> ColdStart {
    let mut joined: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for c in members.iter().filter_map(|w| scenario.profiles.get(&w.profile)).map(|p| &p.cold_start) {
        let mut longer = |stage: &'static str, s: Spread| {
            let known = joined.entry(stage).or_insert((0.0, 0.0));
            *known = (known.0.max(s.p50.0), known.1.max(s.p95.0));
        };
        longer("image", c.image_pull);
        longer("engine", c.engine_start);
        let weights = joined.entry("weights").or_insert((0.0, 0.0));
        *weights = (weights.0 + c.weights_load.p50.0, weights.1 + c.weights_load.p95.0);
    }
    let of = |stage: &str| joined.get(stage).map_or((0.0, 0.0), |s| *s);
    let spread = |(p50, p95): (f64, f64)| Spread { p50: Seconds(p50), p95: Seconds(p95) };
    ColdStart { image_pull: spread(of("image")), weights_load: spread(of("weights")), engine_start: spread(of("engine")) }
}
