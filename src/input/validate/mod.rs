//! From file structs to the scenario. Pure; every fault is told, none hides another.
//!
//! In: a [`ScenarioFile`], the profiles and data files it names, the catalogue. Out: a [`Scenario`], sound if no fault was added.

pub mod capacity;
pub mod demand;
pub mod fit;
pub mod fleet;
pub mod job;
pub mod network;
pub mod policy;
pub mod price_list;
pub mod profile;
pub mod purchase;
pub mod scaling;
pub mod slices;
pub mod slo;
pub mod uncertainty;
pub mod values;
pub mod workload;

use super::at::At;
use super::codes;
use super::faults::Faults;
use super::load::DataFiles;
use super::network_file::NetworkFile;
use super::scenario_file::{SCENARIO_FORMAT, ScenarioFile};
use super::suggest;
use crate::catalog::{Catalog, Market, Terms, market};
use crate::domain::{CapacityType, Cloud, InstanceType, NodeAutoscaler, NodeGroup, Offering, Profile, Reserves, Scenario, Workload};
use crate::ids::{AcceleratorId, InstanceTypeId, NodeGroupId, ProfileId, RegionId, WorkloadId};
use jiff::civil::{Date, Weekday};
use std::collections::{BTreeMap, BTreeSet};
use values::{Zones, count, date, dns_label, quoted, unique};

/// The anchor week of a scenario that names none: a week without a clock change in the northern winter.
const DEFAULT_ANCHOR: &str = "2026-01-12";

/// What checks of single nouns look things up in.
pub struct Context<'a> {
    catalog: &'a Catalog,
    market: &'a Market,
    /// Instance types and regions by accelerator, for the on-demand and spot offerings that there are.
    offered: BTreeMap<AcceleratorId, Vec<(&'a InstanceType, &'a RegionId)>>,
    regions: &'a [RegionId],
    profiles: &'a BTreeMap<ProfileId, Profile>,
    data: &'a DataFiles,
    section: Option<&'a NetworkFile>,
    groups: BTreeMap<NodeGroupId, &'a NodeGroup>,
    node_autoscaler: &'a NodeAutoscaler,
    reserves: &'a Reserves,
    allow_estimated: bool,
    time_zone: &'a At<String>,
    utc_offset: i32,
    zones: &'a Zones,
    monday: Date,
}

impl<'a> Context<'a> {
    fn offering(&self, instance_type: &InstanceTypeId, region: &RegionId, capacity_type: CapacityType) -> Option<&'a Offering> {
        let key = (instance_type, region, capacity_type);
        let offerings = &self.market.offerings;
        offerings.binary_search_by(|o| (&o.instance_type, &o.region, o.capacity_type).cmp(&key)).ok().map(|i| &offerings[i])
    }
}

/// What a scenario is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Embedded catalogue.
    pub catalog: &'a Catalog,
    /// Profiles that were read, sound ones.
    pub profiles: &'a BTreeMap<ProfileId, Profile>,
    /// Series and traces that were read.
    pub data: &'a DataFiles,
    /// The embedded example.
    pub demo: bool,
}

/// The scenario, without digest and list of inputs.
pub fn scenario(file: &ScenarioFile, known: &Known<'_>, faults: &mut Faults) -> Scenario {
    header(file, faults);
    let (monday, zones, offset) = clock(file, faults);
    let (regions, clouds) = regions(file, known.catalog, faults);
    let adders = policy::adders(&file.adders.clone().unwrap_or_default(), file.discount_percent.as_ref(), faults);
    let risk_file = file.risk.clone().unwrap_or_default();
    let risk = policy::risk(&risk_file, faults);
    let uncertainty = uncertainty::uncertainty(file.uncertainty.as_ref(), risk_file.level, faults);
    let prices = policy::prices(&file.prices, faults);
    let priced = Terms { regions: &regions, adders, risk: &risk, prices: &prices };
    let market = market(known.catalog, &priced);
    let reserves = policy::reserves(&file.reserves.clone().unwrap_or_default(), faults);
    let node_autoscaler = policy::node_autoscaler(file.node_autoscaler.as_ref(), &clouds, faults);
    let mut context = Context {
        catalog: known.catalog,
        market: &market,
        offered: offered(&market),
        regions: &regions,
        profiles: known.profiles,
        data: known.data,
        section: file.network.as_ref(),
        groups: BTreeMap::new(),
        node_autoscaler: &node_autoscaler,
        reserves: &reserves,
        allow_estimated: risk.allow_estimated,
        time_zone: &file.time_zone,
        utc_offset: offset,
        zones: &zones,
        monday,
    };
    policy::pools(&risk_file, &file.prices, &context, faults);
    let fleet = fleet::fleet(&file.baseline.clone().unwrap_or_default(), &context, faults);
    context.groups = fleet.node_groups.iter().map(|group| (group.id.clone(), group)).collect();
    let quotas = policy::quotas(&file.quotas, &context, faults);
    let buying = purchase::buying(file, &context, faults);
    let mut workloads = workloads(file, &context, faults);
    room(file, &workloads, &context, faults);
    let network = network::network(file, (&workloads, adders.percent), &context, faults);
    drop(context);
    let frozen = freeze(file, &workloads, faults);
    let terms = slices::Terms { market: &market, reserves: &reserves, allow_estimated: risk.allow_estimated };
    let profiles = profiles((file, known, terms), (&mut workloads, &frozen), faults);
    Scenario {
        name: file.name.value.clone(),
        demo: known.demo,
        time_zone: file.time_zone.value.clone(),
        elsewhere: crate::catalog::market::elsewhere(known.catalog, &market, &priced),
        anchor_monday: monday.to_string(),
        profiles,
        freeze: frozen,
        workloads,
        fleet,
        buying,
        quotas,
        node_autoscaler,
        reserves,
        adders,
        max_changes: file.max_changes.as_ref().map(|given| count(faults, given, ("max_changes", 0))),
        target: file.target.as_ref().and_then(|given| policy::target(given, faults)),
        sha256: String::new(),
        inputs: Vec::new(),
        regions,
        accelerators: market.accelerators,
        instance_types: market.instance_types,
        network,
        offerings: market.offerings,
        risk,
        uncertainty,
    }
}

/// The first day, the zones of scenario and workloads in its week, and the scenario's own offset.
fn clock(file: &ScenarioFile, faults: &mut Faults) -> (Date, Zones, i32) {
    let monday = anchor(file.anchor_monday.as_ref(), faults);
    let own = file.workloads.iter().filter_map(|workload| workload.time_zone.as_ref());
    let zones = Zones::of(std::iter::once(&file.time_zone).chain(own).map(|zone| zone.as_str()), monday);
    let offset = zones.offset(faults, &file.time_zone);
    (monday, zones, offset)
}

/// Profiles that workloads use, with slices where owners share, and calibrated tables for the services.
fn profiles(
    (file, known, terms): (&ScenarioFile, &Known<'_>, slices::Terms<'_>),
    (workloads, frozen): (&mut [Workload], &BTreeSet<WorkloadId>),
    faults: &mut Faults,
) -> BTreeMap<ProfileId, Profile> {
    let mut profiles = used(known.profiles, workloads);
    slices::add(&mut profiles, workloads, terms);
    capacity::attach(capacity::Services { workloads, profiles: &profiles, frozen }, (file, known), faults);
    profiles
}

/// Profiles that workloads use.
fn used(profiles: &BTreeMap<ProfileId, Profile>, workloads: &[Workload]) -> BTreeMap<ProfileId, Profile> {
    let used: BTreeSet<&ProfileId> = workloads.iter().map(|workload| &workload.profile).collect();
    profiles.iter().filter(|(id, _)| used.contains(id)).map(|(id, p)| (id.clone(), p.clone())).collect()
}

/// Format and name.
fn header(file: &ScenarioFile, faults: &mut Faults) {
    if file.format.value != SCENARIO_FORMAT {
        faults
            .error(codes::WRONG_FORMAT, file.format.span, format!("format {} is not known", quoted(&file.format)))
            .help(format!("this program reads `{SCENARIO_FORMAT}`"));
    }
    dns_label(faults, &file.name, "name");
}

/// The anchor Monday.
fn anchor(given: Option<&At<String>>, faults: &mut Faults) -> Date {
    let default = DEFAULT_ANCHOR.parse().unwrap_or(Date::MIN);
    let Some(given) = given else { return default };
    let Some(day) = date(faults, given, "anchor_monday") else { return default };
    if day.weekday() != Weekday::Monday {
        let back = i64::from(day.weekday().to_monday_zero_offset());
        let monday = day.checked_sub(jiff::Span::new().days(back)).unwrap_or(day);
        faults
            .error(codes::NO_MONDAY, given.span, format!("{day} is a {:?}", day.weekday()))
            .help(format!("the Monday of that week is {monday}"));
    }
    day
}

/// Regions, sorted, and their clouds.
fn regions(file: &ScenarioFile, catalog: &Catalog, faults: &mut Faults) -> (Vec<RegionId>, BTreeSet<Cloud>) {
    let known = catalog.regions();
    if file.regions.is_empty() {
        faults.error(codes::NO_REGION, file.regions.span, "`regions` is empty").help("name at least one, for example `us-east-1`");
    }
    unique(faults, "region", &file.regions.value);
    let mut clouds = BTreeSet::new();
    let mut regions = BTreeSet::new();
    for given in &file.regions.value {
        match known.get(given.as_str()) {
            Some(cloud) => {
                clouds.insert(*cloud);
                regions.insert(RegionId::new(&*given.value));
            }
            None => {
                faults.error(codes::UNKNOWN_REGION, given.span, format!("no GPU prices are known of region {}", quoted(given))).help =
                    suggest::help(given, known.keys().copied());
            }
        }
    }
    // With `network` each cloud and region gets a cluster of its own.
    if clouds.len() > 1 && file.network.is_none() {
        let names: Vec<&str> = clouds.iter().map(|cloud| cloud.as_str()).collect();
        faults
            .warning(
                codes::TWO_CLOUDS,
                file.regions.span,
                format!("the regions are of {}, and neither distance nor traffic between them is priced", names.join(" and ")),
            )
            .help("add the section `network`, or plan one scenario a cloud");
    }
    (regions.into_iter().collect(), clouds)
}

/// Instance types and regions by accelerator.
fn offered(market: &Market) -> BTreeMap<AcceleratorId, Vec<(&InstanceType, &RegionId)>> {
    let mut by_accelerator: BTreeMap<AcceleratorId, Vec<(&InstanceType, &RegionId)>> = BTreeMap::new();
    for offering in &market.offerings {
        if let Some(shape) = market.instance_types.get(&offering.instance_type) {
            by_accelerator.entry(shape.accelerator.clone()).or_default().push((shape, &offering.region));
        }
    }
    by_accelerator
}

/// Workloads, sorted.
fn workloads(file: &ScenarioFile, context: &Context<'_>, faults: &mut Faults) -> Vec<Workload> {
    if file.workloads.is_empty() {
        faults
            .error(codes::NO_WORKLOAD, file.workloads.span, "the scenario has no workload")
            .help("see `gpuplan init` for one to start from");
    }
    unique(faults, "workload", file.workloads.iter().map(|workload| &workload.name));
    let mut workloads: Vec<Workload> = file.workloads.iter().filter_map(|w| workload::workload(w, context, faults)).collect();
    workloads.sort_by(|a, b| a.id.cmp(&b.id));
    workloads
}

/// Node groups hold the replicas that are said to run on them.
fn room(file: &ScenarioFile, workloads: &[Workload], context: &Context<'_>, faults: &mut Faults) {
    let mut used: BTreeMap<&NodeGroupId, u64> = BTreeMap::new();
    for placement in workloads.iter().filter_map(|workload| workload.placement.as_ref()) {
        *used.entry(&placement.node_group).or_default() += u64::from(placement.replicas) * u64::from(placement.gpus_per_replica);
    }
    for (id, gpus) in used {
        let Some(group) = context.groups.get(id) else { continue };
        let Some(shape) = context.market.instance_types.get(&group.instance_type) else { continue };
        let has = u64::from(group.max_nodes) * u64::from(shape.gpus);
        if gpus > has {
            let named = |w: &&super::workload_file::WorkloadFile| w.runs_on.as_ref().is_some_and(|r| r.node_group.value == id.as_str());
            let at = file.workloads.iter().filter(named).filter_map(|w| w.runs_on.as_ref()).next_back().map(|r| r.replicas.span);
            faults
                .error(
                    codes::DOES_NOT_FIT_GROUP,
                    at.unwrap_or_default(),
                    format!("node group `{id}` has {has} GPUs at most, its replicas need {gpus}"),
                )
                .help(format!("raise `max_nodes` of `{id}`, or lower `replicas`"));
        }
    }
}

/// Frozen workloads exist and run somewhere.
fn freeze(file: &ScenarioFile, workloads: &[Workload], faults: &mut Faults) -> BTreeSet<WorkloadId> {
    let entries: BTreeMap<&str, bool> = file.workloads.iter().map(|entry| (entry.name.as_str(), entry.runs_on.is_some())).collect();
    let sound: BTreeSet<&str> = workloads.iter().map(|workload| workload.id.as_str()).collect();
    let mut frozen = BTreeSet::new();
    for given in &file.freeze {
        match entries.get(given.as_str()) {
            None => {
                faults.error(codes::UNKNOWN_WORKLOAD, given.span, format!("`freeze` names {}, which is no workload", quoted(given))).help =
                    suggest::help(given, entries.keys().copied());
            }
            Some(false) => {
                faults
                    .error(codes::FROZEN_NOWHERE, given.span, format!("`{}` is frozen and does not say where it runs", given.value))
                    .help("add `runs_on` to the workload: frozen means that it stays there");
            }
            Some(true) if sound.contains(given.as_str()) => {
                frozen.insert(WorkloadId::new(&*given.value));
            }
            Some(true) => {}
        }
    }
    frozen
}
