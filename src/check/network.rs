//! Where workloads run: residency, what the way leaves of the limits, traffic, bytes of starts, and one cluster each.
//!
//! Added: the longest round trip of a service's clients. Traffic: `requests x sum of shares x (answer x price out + request x price in)`.
//! Bytes: `starts x (image + weights)` through NAT, weights alone where the node has the image; a reclaim causes two starts.

use super::bundle;
use super::capacity::{self, Ask};
use super::claims::{self, Claim};
use super::finding::{Dollars, Family, Finding};
use super::spot;
use super::tolerance::{same, same_usd};
use super::view::{Common, PoolView, View};
use crate::domain::{Cloud, Network, OperatingPoint, Remote, Scenario, Service, Workload, WorkloadKind};
use crate::ids::RegionId;
use crate::plan::{Bundle, ClientDistance, NetworkOrigin, Plan, WorkloadNetwork, WorkloadPlan};
use crate::units::{HOURS_PER_WEEK, MONTHS_PER_WEEK_FACTOR, Millis, Usd};
use std::collections::BTreeSet;

/// Starts that a reclaim causes: there and back.
const STARTS_A_RECLAIM: f64 = 2.0;

fn finding(subject: &str, message: impl Into<String>) -> Finding {
    Finding::new(Family::Network, subject, message)
}

/// Dollars a week.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Week {
    pub egress: f64,
    pub bytes: f64,
}

impl Week {
    /// Dollars a month of both.
    pub fn monthly(self) -> f64 {
        (self.egress + self.bytes) * MONTHS_PER_WEEK_FACTOR
    }

    fn plus(self, other: Self) -> Self {
        Self { egress: self.egress + other.egress, bytes: self.bytes + other.bytes }
    }
}

/// The scenario with each service's limits as the way to the region of its pools leaves them, and its tables carried over.
pub(super) fn near(scenario: &Scenario, plan: &Plan) -> Scenario {
    let mut near = scenario.clone();
    let Some(network) = &scenario.network else { return near };
    for workload in &mut near.workloads {
        let decided = plan.workloads.iter().find(|w| w.name == workload.id.as_str());
        let pool = decided.and_then(|w| pool_names(w).into_iter().find_map(|name| plan.pools.iter().find(|p| p.name == name)));
        let (Some(pool), Some(remote)) = (pool, network.workloads.get(&workload.id)) else { continue };
        let added = added_ms(network, remote, &pool.region);
        let points = scenario.profiles.get(&workload.profile).map_or(&[][..], |p| &p.points);
        if let WorkloadKind::Service(service) = &mut workload.kind
            && added > 0.0
        {
            tighten(service, points, added);
        }
    }
    near
}

fn tighten(service: &mut Service, points: &[OperatingPoint], added: f64) {
    let mut plain = service.clone();
    let tables = std::mem::take(&mut plain.tables);
    for limit in [&mut service.slo.ttft, &mut service.slo.latency].into_iter().flatten() {
        *limit = Millis((limit.0 - added).max(0.0));
    }
    service.tables.clear();
    let mut scaled = Vec::new();
    for mut table in tables {
        let is_of = |p: &&OperatingPoint| {
            let own = (&p.accelerator, p.gpus_per_replica, &p.precision, &p.slice);
            own == (&table.accelerator, table.gpus_per_replica, &table.precision, &table.slice)
        };
        let Some(point) = points.iter().find(is_of) else { continue };
        let rate = |service: &Service, n: u32| capacity::sustained(&Ask { point, service }, n);
        let ratios: Vec<f64> = table.points.iter().map(|(n, _)| rate(service, *n) / rate(&plain, *n)).collect();
        if ratios.iter().all(|r| r.is_finite()) {
            table.points.iter_mut().zip(ratios).for_each(|(row, ratio)| row.1 *= ratio);
            scaled.push(table);
        }
    }
    service.tables = scaled;
}

/// Checks every workload, the totals and the list of sources.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for common in view.workloads() {
        match (&view.scenario.network, &common.plan.network) {
            (None, None) => {}
            (Some(network), Some(stated)) => findings.extend(workload(view, (network, stated), &common)),
            (wanted, found) => {
                findings.push(finding(common.name(), "its place is told with `network`").differs(wanted.is_some(), found.is_some()));
            }
        }
    }
    findings.extend(totals(view));
    findings.extend(origins(view));
    findings
}

/// Pools of a workload, those first that it holds; of a model in a shared server the server's.
fn pools<'v, 'a>(view: &'v View<'a>, decided: &WorkloadPlan) -> Vec<&'v PoolView<'a>> {
    let holder = server_of(view, decided).map_or(decided, |bundle| &bundle.host);
    pool_names(holder).into_iter().filter_map(|name| view.pool(name)).collect()
}

/// The server that a model is in.
fn server_of<'a>(view: &View<'a>, decided: &WorkloadPlan) -> Option<&'a Bundle> {
    let bundled = decided.mode == "bundled";
    view.plan.bundles.iter().find(|bundle| bundled && bundle.members.iter().any(|m| m.workload == decided.name))
}

/// Whose traffic and bytes a workload's are: its own, or those of the models of a server.
fn behind<'a>(view: &View<'a>, workload: &'a Workload) -> Vec<&'a Workload> {
    let Some(bundle) = view.plan.bundles.iter().find(|bundle| bundle.host.name == workload.id.as_str()) else { return vec![workload] };
    let is_member = |w: &&Workload| bundle.members.iter().any(|m| m.workload == w.id.as_str());
    view.scenario.workloads.iter().filter(is_member).collect()
}

/// Pools that a workload names, those first that it holds.
fn pool_names(decided: &WorkloadPlan) -> Vec<&str> {
    let mut names = Vec::new();
    if let Some(service) = &decided.service {
        let flex = service.flex.as_ref();
        let floor = service.floor_by_hour.iter().any(|n| *n > 0).then_some(service.floor.pool.as_str());
        names.extend([floor, flex.map(|f| f.pool.as_str()), flex.and_then(|f| f.fallback_pool.as_deref())].into_iter().flatten());
    }
    if let Some(job) = &decided.job {
        names.push(job.pool.as_str());
        names.extend(job.fallback_pool.as_deref());
    }
    names
}

fn remote<'a>(view: &View<'a>, workload: &Workload) -> Option<(&'a Network, &'a Remote)> {
    let network = view.scenario.network.as_ref()?;
    Some((network, network.workloads.get(&workload.id)?))
}

/// Milliseconds between a place and a region; none: not known.
fn distance(network: &Network, place: &str, region: &str) -> Option<f64> {
    let joins = |a: &str, b: &str| (a == place && b == region) || (a == region && b == place);
    if place == region { Some(0.0) } else { network.round_trips.iter().find(|t| joins(&t.from, &t.to)).map(|t| t.time.0) }
}

fn added_ms(network: &Network, remote: &Remote, region: &str) -> f64 {
    remote.clients.iter().map(|client| distance(network, &client.place, region).unwrap_or(f64::INFINITY)).fold(0.0, f64::max)
}

/// Dollars a GiB of a way, with the scenario's percentage; none: not known.
fn way(view: &View<'_>, from: &str, to: &str) -> Option<f64> {
    let rows = &view.scenario.network.as_ref()?.egress;
    let list = rows.iter().find(|row| row.from.as_str() == from && row.to == to).map(|row| row.list_usd_per_gib);
    if from == to { Some(0.0) } else { list.map(|usd| usd * (1.0 + view.scenario.adders.percent / 100.0)) }
}

fn cloud_of(network: &Network, place: &str) -> Option<Cloud> {
    network.clouds.iter().find(|(region, _)| region.as_str() == place).map(|(_, cloud)| *cloud)
}

/// Traffic of a model in a shared server, dollars a month.
pub(super) fn egress_of_member(view: &View<'_>, (bundle, name): (&Bundle, &str)) -> f64 {
    let region = pool_names(&bundle.host).into_iter().find_map(|pool| view.pool(pool)).map(|pool| pool.region.as_str());
    let workload = view.scenario.workloads.iter().find(|w| w.id.as_str() == name);
    workload.zip(region).map_or(0.0, |of| egress(view, of) * MONTHS_PER_WEEK_FACTOR)
}

/// Traffic of a service that is served from a region, or of all models of a server, dollars a week.
fn egress_all<'a>(view: &View<'a>, (workload, region): (&'a Workload, &str)) -> f64 {
    behind(view, workload).into_iter().map(|w| egress(view, (w, region))).sum()
}

/// Traffic of a service that is served from a region, dollars a week.
fn egress(view: &View<'_>, (workload, region): (&Workload, &str)) -> f64 {
    let (Some((network, remote)), Some(service)) = (remote(view, workload), workload.service()) else { return 0.0 };
    let priced = |gib: f64, from: &str, to: &str| if gib > 0.0 { gib * way(view, from, to).unwrap_or(f64::NAN) } else { 0.0 };
    let each: f64 = remote
        .clients
        .iter()
        .map(|client| {
            let inward = if cloud_of(network, &client.place).is_some() { priced(remote.request_gib, &client.place, region) } else { 0.0 };
            client.share * (priced(remote.response_gib, region, &client.place) + inward)
        })
        .sum();
    each * service.demand.mean_rps.iter().sum::<f64>() * 3600.0
}

/// Dollars of a start of all that a workload is, with the image and with weights alone: of a server the largest image, and all weights.
fn start_all<'a>(view: &View<'a>, (workload, region): (&'a Workload, &str)) -> (f64, f64) {
    let starts = behind(view, workload).into_iter().map(|w| start(view, (w, region)));
    let (image, weights) = starts.fold((0.0_f64, 0.0), |(image, weights), (full, own)| (image.max(full - own), weights + own));
    (image + weights, weights)
}

/// Dollars of a start in a region: with the image, and with weights alone.
fn start(view: &View<'_>, (workload, region): (&Workload, &str)) -> (f64, f64) {
    let Some((network, remote)) = remote(view, workload).filter(|(_, remote)| remote.through_nat) else { return (0.0, 0.0) };
    let list = network.nat.iter().find(|row| row.region.as_str() == region).map_or(0.0, |row| row.list_usd_per_gib);
    let usd = list * (1.0 + view.scenario.adders.percent / 100.0);
    ((remote.image_gib + remote.weights_gib) * usd, remote.weights_gib * usd)
}

/// What a workload costs where it runs today.
pub(super) fn today(view: &View<'_>, workload: &Workload) -> Week {
    let group = workload.placement.as_ref().and_then(|p| view.scenario.fleet.node_groups.iter().find(|g| g.id == p.node_group));
    let (Some(group), Some(placement)) = (group, &workload.placement) else { return Week::default() };
    let region = group.region.as_str();
    let (full, weights) = start(view, (workload, region));
    let spot = group.capacity_type == crate::domain::CapacityType::Spot;
    let hazard = if spot { spot::risk_of(view, &group.instance_type, &group.region).reclaims_per_hour } else { 0.0 };
    let count = f64::from(placement.replicas);
    let reclaims = count * HOURS_PER_WEEK as f64 * hazard;
    let runs = workload.job().map_or(0.0, |job| job.runs.len() as f64);
    Week { egress: egress(view, (workload, region)), bytes: reclaims * STARTS_A_RECLAIM * full + runs * count * weights }
}

/// What a workload costs as planned.
pub(super) fn planned(view: &View<'_>, common: &Common<'_>) -> Week {
    if common.frozen {
        return today(view, common.workload);
    }
    let all = pools(view, common.plan);
    let Some(region) = all.first().map(|pool| pool.region.as_str()) else { return Week::default() };
    if let Some(bundle) = server_of(view, common.plan) {
        let server = view.services.iter().find(|s| s.common.plan.name == bundle.host.name);
        let bytes = server.map_or(0.0, |s| bytes(view, &s.common)) * bundle::part(bundle, &common.plan.name);
        return Week { egress: egress(view, (common.workload, region)), bytes };
    }
    Week { egress: egress_all(view, (common.workload, region)), bytes: bytes(view, common) }
}

/// What all workloads cost as planned; models of a server in the server's.
pub(super) fn all_planned(view: &View<'_>) -> Week {
    let once = view.workloads().filter(|common| common.plan.mode != "bundled");
    once.map(|common| planned(view, &common)).fold(Week::default(), Week::plus)
}

/// Bytes of all starts of a workload, dollars a week.
fn bytes(view: &View<'_>, common: &Common<'_>) -> f64 {
    let claims = view.claims.iter().filter(|claim| claim.workload == common.plan.name);
    claims.filter_map(|claim| Some(bytes_of(view, common, (claim, view.pool(claim.pool)?)))).sum()
}

fn bytes_of(view: &View<'_>, common: &Common<'_>, (claim, pool): (&Claim<'_>, &PoolView<'_>)) -> f64 {
    let (full, weights) = start_all(view, (common.workload, pool.region.as_str()));
    let job = view.jobs.iter().find(|job| job.common.plan.name == common.plan.name);
    let has_image = pool.shared || (job.is_some() && claims::held(view, pool));
    let starts = match job {
        Some(job) => f64::from(job.decided.workers) * job.decided.runs.len() as f64,
        None => claim.start_hours / claim.hours_per_start,
    };
    let hazard = if pool.spot { spot::risk(view, pool).reclaims_per_hour } else { 0.0 };
    let hours: f64 = claim.expected.iter().sum();
    starts * if has_image { weights } else { full } + hours * hazard * STARTS_A_RECLAIM * full
}

fn workload(view: &View<'_>, (network, stated): (&Network, &WorkloadNetwork), common: &Common<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = common.name();
    let nothing = Remote::default();
    let remote = network.workloads.get(&common.workload.id).unwrap_or(&nothing);
    let pools = pools(view, common.plan);
    for pool in &pools {
        let wanted = format!("{}-{}", pool.machine.cloud.as_str(), pool.region);
        if wanted != stated.cluster {
            findings
                .push(finding(name, format!("pool `{}` is in another cluster", pool.pool.name)).differs(wanted, stated.cluster.as_str()));
        }
        if !common.frozen && !inside(network, remote, pool.region.as_str()) {
            findings.push(finding(name, "a region outside its residency").differs(remote.residency.join(" or "), pool.region.as_str()));
        }
    }
    let Some(first) = pools.first() else { return findings };
    let region = first.region.as_str();
    let added = added_ms(network, remote, region);
    if !same(added, stated.added_ms) {
        findings.push(finding(name, "the way adds another time, ms").differs(added, stated.added_ms));
    }
    if added > 0.0 && common.plan.mode == "bundled" {
        findings.push(finding(name, "shares a server away from its clients: the way takes of its limits, ms").differs(0.0, added));
    }
    findings.extend(left(common, added));
    findings.extend(clients(view, (network, remote, stated), (name, region)));
    let week = planned(view, common);
    findings.extend(money(name, "another cost of traffic a month", (week.egress, stated.egress_usd_per_month)));
    findings.extend(money(name, "another cost of the bytes of starts a month", (week.bytes, stated.start_up_bytes_usd_per_month)));
    findings
}

fn money(subject: &str, message: &str, (week, stated): (f64, Usd)) -> Option<Finding> {
    let (wanted, found) = (week * MONTHS_PER_WEEK_FACTOR, stated.as_f64());
    (!same_usd(wanted, found)).then(|| finding(subject, message).differs(Dollars(wanted), Dollars(found)))
}

/// The region is one of the residency's, or lies in one of its jurisdictions.
fn inside(network: &Network, remote: &Remote, region: &str) -> bool {
    let holds = |name: &String| name == region || network.jurisdictions.get(name).is_some_and(|all| all.contains(&RegionId::new(region)));
    remote.residency.is_empty() || remote.residency.iter().any(holds)
}

/// Something must be left of the limits on the first token and on the whole request.
fn left(common: &Common<'_>, added: f64) -> Option<Finding> {
    let slo = common.workload.service().filter(|_| !common.frozen)?.slo;
    let shortest = [slo.ttft, slo.latency].into_iter().flatten().map(|limit| limit.0).fold(f64::INFINITY, f64::min);
    (shortest - added <= 0.0).then(|| finding(common.name(), "the way takes all of a limit, ms").differs(shortest, added))
}

fn clients(
    view: &View<'_>,
    (network, remote, stated): (&Network, &Remote, &WorkloadNetwork),
    (name, region): (&str, &str),
) -> Vec<Finding> {
    let places: Vec<&str> = remote.clients.iter().map(|c| c.place.as_str()).collect();
    let told: Vec<&str> = stated.clients.iter().map(|c| c.place.as_str()).collect();
    if places != told {
        return vec![finding(name, "requests from other places").differs(places.join(", "), told.join(", "))];
    }
    let mut findings = Vec::new();
    for (client, row) in remote.clients.iter().zip(&stated.clients) {
        let ClientDistance { place, share, round_trip_ms, answer_usd_per_gib, request_usd_per_gib } = row;
        let back = way(view, region, place).filter(|_| remote.response_gib > 0.0);
        let there = way(view, place, region).filter(|_| remote.request_gib > 0.0 && cloud_of(network, place).is_some());
        let rows = [
            ("share of the requests", Some(client.share), Some(*share)),
            ("round trip, ms", distance(network, place, region), Some(*round_trip_ms)),
            ("price of answers, a GiB", back, *answer_usd_per_gib),
            ("price of requests, a GiB", there, *request_usd_per_gib),
        ];
        for (what, wanted, found) in rows {
            let kept = match (wanted, found) {
                (Some(a), Some(b)) => same(a, b),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            if !kept {
                findings.push(finding(name, format!("another {what} of `{place}`")).differs(wanted, found));
            }
        }
    }
    findings
}

fn totals(view: &View<'_>) -> Vec<Finding> {
    let (cost, baseline) = (&view.plan.cost, &view.plan.baseline);
    let now = view.workloads().map(|c| today(view, c.workload)).fold(Week::default(), Week::plus);
    let plan = all_planned(view);
    let rows = [
        ("total", "traffic", plan.egress, cost.egress_usd_per_month),
        ("total", "the bytes of starts", plan.bytes, cost.start_up_bytes_usd_per_month),
        ("baseline", "traffic", now.egress, baseline.egress_usd_per_month),
        ("baseline", "the bytes of starts", now.bytes, baseline.start_up_bytes_usd_per_month),
    ];
    let priced = view.scenario.network.is_some();
    let mut findings = Vec::new();
    for (subject, what, week, stated) in rows {
        match stated {
            Some(stated) if priced => findings.extend(money(subject, &format!("another cost of {what} a month"), (week, stated))),
            None if !priced => {}
            Some(_) | None => findings.push(finding(subject, format!("{what}: told with `network`")).differs(priced, stated.is_some())),
        }
    }
    findings
}

/// The sources are those of the scenario.
fn origins(view: &View<'_>) -> Vec<Finding> {
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    if let Some(network) = &view.scenario.network {
        let places: BTreeSet<&str> = network.workloads.values().flat_map(|r| &r.clients).map(|c| c.place.as_str()).collect();
        let regions: BTreeSet<&str> = view.scenario.regions.iter().map(RegionId::as_str).collect();
        let used = |place: &str| regions.contains(place) || places.contains(place);
        let row = |what: String, value: f64, from: (&str, &str)| format!("{what}: {value} ({}, {})", from.0, from.1);
        wanted.extend(
            network.round_trips.iter().map(|t| row(format!("round trip {} - {} ms", t.from, t.to), t.time.0, (&t.source, &t.as_of))),
        );
        let ways = network.egress.iter().filter(|e| used(e.from.as_str()) && used(&e.to));
        wanted.extend(ways.map(|e| row(format!("egress {} -> {} usd_per_gib", e.from, e.to), e.list_usd_per_gib, (&e.source, &e.as_of))));
        let gateways = network.nat.iter().filter(|n| regions.contains(n.region.as_str()));
        wanted.extend(gateways.map(|n| row(format!("nat {} usd_per_gib", n.region), n.list_usd_per_gib, (&n.source, &n.as_of))));
    }
    let told = |NetworkOrigin { what, value, unit, source, as_of }: &NetworkOrigin| format!("{what} {unit}: {value} ({source}, {as_of})");
    let found: BTreeSet<String> = view.plan.provenance.network.iter().map(told).collect();
    let missing = wanted.difference(&found).map(|row| finding(row, "not among the sources of the plan"));
    let strange = found.difference(&wanted).map(|row| finding(row, "a source that the scenario does not have"));
    missing.chain(strange).collect()
}
