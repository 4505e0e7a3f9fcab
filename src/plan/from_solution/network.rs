//! Traffic and bytes of starts of each workload, in money.

use super::Context;
use crate::domain::{Client, Scenario, Workload};
use crate::formulation::columns::{Decision, column};
use crate::formulation::network;
use crate::formulation::service::ServiceOption;
use crate::ids::RegionId;
use crate::plan::WorkloadPlan;
use crate::plan::network::{ClientDistance, NetworkOrigin, WorkloadNetwork};
use crate::plan::replay::{ClientWay, NetworkInputs, RegionTerms};
use crate::units::{MONTHS_PER_WEEK_FACTOR, Usd};
use std::collections::BTreeSet;

/// A week's dollars as a month's.
fn monthly(week: f64) -> Usd {
    Usd::from_f64(week * MONTHS_PER_WEEK_FACTOR)
}

/// The workload's place and what it costs; `None` in a scenario without `network`.
#[must_use]
pub fn of(context: &Context<'_>) -> Option<WorkloadNetwork> {
    let scenario = context.scenario;
    scenario.network.as_ref()?;
    let region = region(context)?;
    let terms = network::terms(scenario, context.workload, &region).unwrap_or_default();
    let (egress, bytes) = week(context);
    // A model of a shared server has traffic of its own, and a part of the server's starts.
    let own = context.workload.service().filter(|_| context.column.workload != context.index);
    let (egress, bytes) = match own {
        Some(service) => (monthly(network::egress_per_week(service, &terms)), super::bundle::part_of(context, monthly(bytes))),
        None => (monthly(egress), monthly(bytes)),
    };
    Some(WorkloadNetwork {
        cluster: cluster(scenario, &region),
        clients: clients(scenario, context.workload, &region),
        added_ms: terms.added_ms,
        egress_usd_per_month: egress,
        start_up_bytes_usd_per_month: bytes,
    })
}

/// A month of a workload where it runs today: traffic and bytes of starts.
#[must_use]
pub fn today(scenario: &Scenario, workload: &Workload) -> (Usd, Usd) {
    network::as_today(scenario, workload).map_or((Usd::ZERO, Usd::ZERO), |(egress, bytes)| (monthly(egress), monthly(bytes)))
}

/// `aws-us-east-1`.
fn cluster(scenario: &Scenario, region: &RegionId) -> String {
    let cloud = scenario.network.as_ref().and_then(|network| network.clouds.get(region));
    format!("{}-{region}", cloud.map_or("unknown", |cloud| cloud.as_str()))
}

/// Region of the pools that the column uses.
fn region(context: &Context<'_>) -> Option<RegionId> {
    let options = &context.problem.workloads[context.column.workload];
    let pool = match &context.column.decision {
        Decision::Service { option, .. } => options.services[*option].floor.pool,
        Decision::Job { option, .. } => options.jobs[*option].place.pool,
        Decision::Frozen => options.frozen.as_ref()?.pool,
    };
    Some(context.problem.pools[pool].region.clone())
}

/// Dollars a week: traffic and bytes of starts.
fn week(context: &Context<'_>) -> (f64, f64) {
    let options = &context.problem.workloads[context.column.workload];
    match &context.column.decision {
        Decision::Service { option, .. } => {
            let option = &options.services[*option];
            (option.egress, service_bytes(context, option))
        }
        Decision::Job { option, .. } => (0.0, options.jobs[*option].bytes),
        Decision::Frozen => network::as_today(context.scenario, context.workload).unwrap_or_default(),
    }
}

/// Starts that the schedule causes, wakes, and what reclaims cause.
fn service_bytes(context: &Context<'_>, option: &ServiceOption) -> f64 {
    let Decision::Service { hours, .. } = &context.column.decision else { return 0.0 };
    let floor: Vec<u32> = hours.iter().map(|h| h.floor).collect();
    let flex: Vec<u32> = hours.iter().map(|h| if h.asleep { 0 } else { h.flex }).collect();
    let wakes: f64 = hours.iter().map(|h| h.wakes * f64::from(h.flex)).sum();
    let place = option.flex();
    let on_flex: f64 = hours.iter().map(|h| f64::from(h.flex) * h.awake).sum();
    let on_floor: f64 = floor.iter().map(|&n| f64::from(n)).sum();
    f64::from(column::starts(&floor)) * option.floor.bytes
        + (f64::from(column::starts(&flex)) + wakes) * place.bytes
        + on_floor * option.floor.restart
        + on_flex * place.restart
}

/// Where it runs and what that takes, in words.
#[must_use]
pub fn why(network: &WorkloadNetwork) -> String {
    let WorkloadNetwork { cluster, clients, added_ms, egress_usd_per_month, start_up_bytes_usd_per_month } = network;
    let way = match clients.len() {
        0 => String::new(),
        _ => format!(", {added_ms:.0} ms from its farthest clients"),
    };
    format!("runs in {cluster}{way}: traffic {egress_usd_per_month} a month, bytes of starts {start_up_bytes_usd_per_month}")
}

fn clients(scenario: &Scenario, workload: &Workload, region: &RegionId) -> Vec<ClientDistance> {
    let Some((network, remote)) = network::remote(scenario, workload) else { return Vec::new() };
    let one = |client: &Client| ClientDistance {
        place: client.place.clone(),
        share: client.share,
        round_trip_ms: network.round_trip(&client.place, region).map_or(0.0, |ms| ms.0),
        answer_usd_per_gib: network.egress(region, &client.place).filter(|_| remote.response_gib > 0.0),
        request_usd_per_gib: network
            .egress(&RegionId::new(&*client.place), region.as_str())
            .filter(|_| remote.request_gib > 0.0 && network.is_region(&client.place)),
    };
    remote.clients.iter().map(one).collect()
}

/// What a replay needs of it, for the plan's region and today's.
#[must_use]
pub fn inputs((scenario, workload): (&Scenario, &Workload), chosen: Option<&WorkloadPlan>) -> Option<NetworkInputs> {
    let (network, remote) = network::remote(scenario, workload)?;
    let today = workload.placement.as_ref().and_then(|p| scenario.node_group(&p.node_group)).map(|group| group.region.clone());
    let planned = chosen.and_then(|w| w.network.as_ref()).and_then(|n| n.cluster.split_once('-')).map(|(_, region)| RegionId::new(region));
    let regions: BTreeSet<RegionId> = today.into_iter().chain(planned).collect();
    let one = |region: RegionId| {
        let terms = network::terms(scenario, workload, &region)?;
        let way = |client: &Client| ClientWay {
            share: client.share,
            round_trip_ms: network.round_trip(&client.place, &region).map_or(0.0, |ms| ms.0),
        };
        Some(RegionTerms {
            clients: remote.clients.iter().map(way).collect(),
            usd_per_request: terms.egress_per_request,
            usd_per_start_gib: if remote.through_nat { network.nat(&region).unwrap_or(0.0) } else { 0.0 },
            region: region.to_string(),
        })
    };
    Some(NetworkInputs {
        image_gib: remote.image_gib,
        weights_gib: remote.weights_gib,
        regions: regions.into_iter().filter_map(one).collect(),
    })
}

/// Every number of the scenario's `network` between its regions and its clients' places, with its source.
#[must_use]
pub fn origins(scenario: &Scenario) -> Vec<NetworkOrigin> {
    let Some(network) = &scenario.network else { return Vec::new() };
    let origin = |what: String, (value, unit): (f64, &str), (source, as_of): (&str, &str)| NetworkOrigin {
        what,
        value,
        unit: unit.to_owned(),
        source: source.to_owned(),
        as_of: as_of.to_owned(),
    };
    let trips =
        network.round_trips.iter().map(|t| origin(format!("round trip {} - {}", t.from, t.to), (t.time.0, "ms"), (&t.source, &t.as_of)));
    let is_place = |place: &str| network.workloads.values().flat_map(|remote| &remote.clients).any(|client| client.place == place);
    let used = |place: &str| scenario.regions.iter().any(|region| region.as_str() == place) || is_place(place);
    let ways = network.egress.iter().filter(|e| used(e.from.as_str()) && used(&e.to));
    let egress = ways.map(|e| origin(format!("egress {} -> {}", e.from, e.to), (e.list_usd_per_gib, "usd_per_gib"), (&e.source, &e.as_of)));
    let nat = network
        .nat
        .iter()
        .filter(|n| scenario.regions.contains(&n.region))
        .map(|n| origin(format!("nat {}", n.region), (n.list_usd_per_gib, "usd_per_gib"), (&n.source, &n.as_of)));
    trips.chain(egress).chain(nat).collect()
}
