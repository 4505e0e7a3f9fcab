//! What distance costs: round trips, prices of traffic, residency, and what each workload sends and pulls.

use super::Context;
use super::values::{between, date, dns_label, not_negative, number, one_line, optional, quoted, share};
use crate::catalog::network::{self as listed, Way};
use crate::domain::{Client, EgressPrice, NatPrice, Network, Remote, RoundTrip, Workload};
use crate::ids::RegionId;
use crate::input::at::{At, Span};
use crate::input::codes;
use crate::input::faults::Faults;
use crate::input::network_file::{NetworkFile, PullsThroughFile};
use crate::input::scenario_file::ScenarioFile;
use crate::input::suggest;
use crate::input::workload_file::{KindFile, WorkloadFile};
use crate::units::Millis;
use std::collections::{BTreeMap, BTreeSet};

/// KiB of a GiB.
const KIB_PER_GIB: f64 = 1_048_576.0;

/// Shares may miss 1 by the rounding of a file.
const SHARES_SLACK: f64 = 1e-6;

/// Regions that a workload may use once its residency is kept: those that it lists, or all of the catalogue's.
pub fn resident(file: &WorkloadFile, regions: BTreeSet<RegionId>, context: &Context<'_>, faults: &mut Faults) -> BTreeSet<RegionId> {
    let Some(first) = file.residency.first() else { return regions };
    let known = jurisdictions(context.section);
    let all: BTreeSet<RegionId> = context.catalog.regions().into_keys().map(RegionId::new).collect();
    let mut inside: BTreeSet<RegionId> = BTreeSet::new();
    for name in &file.residency {
        let id = RegionId::new(&*name.value);
        if let Some(regions) = known.get(name.as_str()) {
            inside.extend(regions.iter().cloned());
        } else if all.contains(&id) {
            inside.insert(id);
        } else {
            let message = format!("`residency` names {}, which is neither a region nor a jurisdiction", quoted(name));
            let names = known.keys().map(String::as_str).chain(all.iter().map(RegionId::as_str));
            faults.error(codes::UNKNOWN_JURISDICTION, name.span, message).help = suggest::help(name, names);
            return regions;
        }
    }
    let wanted = if regions.is_empty() { &all } else { &regions };
    let kept: BTreeSet<RegionId> = wanted.intersection(&inside).cloned().collect();
    if !context.regions.iter().any(|region| kept.contains(region)) {
        let own: Vec<&str> = context.regions.iter().filter(|region| wanted.contains(region)).map(RegionId::as_str).collect();
        faults
            .error(
                codes::RESIDENCY_LEAVES_NOTHING,
                first.span,
                format!("`residency` leaves `{}` no region: of {} none is inside", file.name.value, own.join(", ")),
            )
            .help("add a region of the jurisdiction to the scenario's `regions`, or widen `residency`");
    }
    kept
}

/// Regions of each jurisdiction: the catalogue's and the scenario's.
fn jurisdictions(file: Option<&NetworkFile>) -> BTreeMap<String, BTreeSet<RegionId>> {
    let of = |regions: BTreeSet<&str>| regions.into_iter().map(RegionId::new).collect::<BTreeSet<_>>();
    let mut all: BTreeMap<String, BTreeSet<RegionId>> =
        listed::jurisdictions().into_iter().map(|(name, regions)| (name.to_owned(), of(regions))).collect();
    for own in file.into_iter().flat_map(|file| &file.jurisdictions) {
        all.insert(own.name.value.clone(), own.regions.iter().map(|region| RegionId::new(&*region.value)).collect());
    }
    all
}

/// The network of a scenario; `None` without the section. `percent` comes on top of every list price.
pub fn network(
    file: &ScenarioFile,
    (workloads, percent): (&[Workload], f64),
    context: &Context<'_>,
    faults: &mut Faults,
) -> Option<Network> {
    let Some(section) = &file.network else {
        file.workloads.iter().filter_map(mentions).for_each(|(key, at)| {
            faults
                .error(codes::NO_NETWORK, at, format!("`{key}` needs the section `network` of the scenario"))
                .help("add `network: {}` and, where they are not the catalogue's, its distances and prices");
        });
        return None;
    };
    let mut network = Network {
        round_trips: round_trips(section, faults),
        clouds: context.catalog.regions().into_iter().map(|(region, cloud)| (RegionId::new(region), cloud)).collect(),
        ..Network::default()
    };
    own_jurisdictions(section, &network, faults);
    let known = jurisdictions(Some(section));
    let mut desk = Desk { section, percent, context, network: &mut network, asked: BTreeSet::new() };
    desk.own_prices(faults);
    for given in &file.workloads.value {
        let Some(remote) = remote(given, faults) else { continue };
        for name in &remote.residency {
            if let Some(regions) = known.get(name) {
                desk.network.jurisdictions.insert(name.clone(), regions.clone());
            }
        }
        if let Some(workload) = workloads.iter().find(|w| w.id.as_str() == given.name.value) {
            desk.prices((given, workload, &remote), faults);
            desk.network.workloads.insert(workload.id.clone(), remote);
        }
    }
    network.egress.sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
    network.nat.sort_by(|a, b| a.region.cmp(&b.region));
    Some(network)
}

/// The first key of a workload that belongs to the section.
fn mentions(file: &WorkloadFile) -> Option<(&'static str, Span)> {
    let clients = file.clients.as_ref().map(|given| ("clients", given.span));
    let bytes = file.bytes.as_ref().map(|given| ("bytes", given.span));
    let image = file.image_gib.as_ref().map(|given| ("image_gib", given.span));
    let weights = file.weights_gib.as_ref().map(|given| ("weights_gib", given.span));
    let through = file.pulls_through.as_ref().map(|given| ("pulls_through", given.span));
    let residency = file.residency.first().map(|given| ("residency", given.span));
    clients.or(bytes).or(image).or(weights).or(through).or(residency)
}

fn round_trips(section: &NetworkFile, faults: &mut Faults) -> Vec<RoundTrip> {
    let mut all: Vec<RoundTrip> = Vec::new();
    for given in &section.round_trips {
        let time = Millis(number(faults, &given.round_trip_ms, between("round_trip_ms", 0.0, 60_000.0)));
        dated((&given.source, &given.as_of), faults);
        let [a, b] = &given.between.value[..] else {
            faults
                .error(codes::OUT_OF_RANGE, given.between.span, format!("`between` names {} places", given.between.len()))
                .help("name two: `between: [us-east-1, office-berlin]`");
            continue;
        };
        dns_label(faults, a, "between");
        dns_label(faults, b, "between");
        let (from, to) = if a.value <= b.value { (a, b) } else { (b, a) };
        if all.iter().any(|trip| trip.from == from.value && trip.to == to.value) || from.value == to.value {
            let message = format!("the round trip between `{}` and `{}` is given twice, or leads nowhere", from.value, to.value);
            faults.error(codes::DUPLICATE_NAME, given.between.span, message).help("give each pair of places once");
            continue;
        }
        let (source, as_of) = (given.source.clone(), given.as_of.value.clone());
        all.push(RoundTrip { from: from.value.clone(), to: to.value.clone(), time, source, as_of });
    }
    all.sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
    all
}

fn own_jurisdictions(section: &NetworkFile, network: &Network, faults: &mut Faults) {
    super::unique(faults, "jurisdiction", section.jurisdictions.iter().map(|own| &own.name));
    for own in &section.jurisdictions {
        dns_label(faults, &own.name, "name");
        for region in own.regions.iter().filter(|region| !network.is_region(region)) {
            unknown_region(region, network, faults);
        }
    }
}

fn unknown_region(given: &At<String>, network: &Network, faults: &mut Faults) {
    let message = format!("no GPU prices are known of region {}", quoted(given));
    faults.error(codes::UNKNOWN_REGION, given.span, message).help = suggest::help(given, network.clouds.keys().map(RegionId::as_str));
}

fn dated((source, as_of): (&str, &At<String>), faults: &mut Faults) {
    date(faults, as_of, "as_of");
    one_line(faults, source, ("source", as_of.span));
}

/// What a workload says of its traffic and starts; `None` when it says nothing.
fn remote(file: &WorkloadFile, faults: &mut Faults) -> Option<Remote> {
    mentions(file)?;
    if file.kind != KindFile::Service {
        let strays = [file.clients.as_ref().map(|g| ("clients", g.span)), file.bytes.as_ref().map(|g| ("bytes", g.span))];
        for (key, at) in strays.into_iter().flatten() {
            faults
                .error(codes::PART_OF_ANOTHER_KIND, at, format!("`{key}` does not belong to a job"))
                .help("remove it: a job's data are not priced");
        }
    }
    let kib = |given: &At<f64>, key, faults: &mut Faults| number(faults, given, not_negative(key)) / KIB_PER_GIB;
    let (request_gib, response_gib) = file
        .bytes
        .as_ref()
        .map_or((0.0, 0.0), |bytes| (kib(&bytes.request_kib, "request_kib", faults), kib(&bytes.response_kib, "response_kib", faults)));
    if let Some(given) = file.clients.as_ref().filter(|_| file.bytes.is_none()) {
        let message = format!("`{}` has `clients` and no `bytes`: its traffic is not priced", file.name.value);
        faults.note(codes::TRAFFIC_NOT_PRICED, given.span, message).help("add `bytes: {request_kib: .., response_kib: ..}`");
    }
    let mut residency: Vec<String> = file.residency.iter().map(|name| name.value.clone()).collect();
    residency.sort();
    residency.dedup();
    Some(Remote {
        clients: clients(file, faults),
        request_gib,
        response_gib,
        image_gib: optional(faults, file.image_gib.as_ref(), between("image_gib", 0.0, 1000.0)).unwrap_or(0.0),
        weights_gib: optional(faults, file.weights_gib.as_ref(), between("weights_gib", 0.0, 10_000.0)).unwrap_or(0.0),
        through_nat: file.pulls_through.as_ref().is_none_or(|given| given.value == PullsThroughFile::Nat),
        residency,
    })
}

fn clients(file: &WorkloadFile, faults: &mut Faults) -> Vec<Client> {
    let Some(given) = &file.clients else { return Vec::new() };
    super::unique(faults, "client place", given.iter().map(|client| &client.region));
    let mut clients: Vec<Client> = Vec::new();
    for client in &given.value {
        dns_label(faults, &client.region, "region");
        clients.push(Client { place: client.region.value.clone(), share: number(faults, &client.share, share("share")) });
    }
    let sum: f64 = clients.iter().map(|client| client.share).sum();
    if (sum - 1.0).abs() > SHARES_SLACK {
        faults
            .error(codes::BAD_SHARES, given.span, format!("the shares of the clients of `{}` sum to {sum}", file.name.value))
            .help("they are parts of all requests and sum to 1");
    }
    clients.retain(|client| client.share > 0.0);
    clients.sort_by(|a, b| a.place.cmp(&b.place));
    clients
}

/// Prices while they are gathered.
struct Desk<'a, 'b> {
    section: &'a NetworkFile,
    percent: f64,
    context: &'a Context<'b>,
    network: &'a mut Network,
    /// Ways whose price was asked for and is not known: told once.
    asked: BTreeSet<(String, String)>,
}

impl Desk<'_, '_> {
    /// The scenario's own prices, which go before the catalogue's.
    fn own_prices(&mut self, faults: &mut Faults) {
        let mut ways = BTreeSet::new();
        for given in &self.section.egress {
            if !self.network.is_region(&given.from) {
                unknown_region(&given.from, self.network, faults);
            }
            dns_label(faults, &given.to, "to");
            number(faults, &given.usd_per_gib, between("usd_per_gib", 0.0, 100.0));
            dated((&given.source, &given.as_of), faults);
            if !ways.insert((given.from.as_str(), given.to.as_str())) {
                let message = format!("the price from `{}` to `{}` is given twice", given.from.value, given.to.value);
                faults.error(codes::DUPLICATE_NAME, given.from.span, message);
            }
        }
        super::unique(faults, "NAT gateway", self.section.nat.iter().map(|given| &given.region));
        for given in &self.section.nat {
            if !self.network.is_region(&given.region) {
                unknown_region(&given.region, self.network, faults);
            }
            number(faults, &given.usd_per_gib, between("usd_per_gib", 0.0, 100.0));
            dated((&given.source, &given.as_of), faults);
        }
    }

    /// Every price and distance that a workload may need: those that it must have are told when they are missing, those of other
    /// regions are taken where they are known.
    fn prices(&mut self, (file, workload, remote): (&WorkloadFile, &Workload, &Remote), faults: &mut Faults) {
        let today = workload.placement.as_ref().and_then(|p| self.context.groups.get(&p.node_group)).map(|group| group.region.clone());
        let all: Vec<RegionId> = self.network.clouds.keys().cloned().collect();
        for region in all {
            let allowed = workload.regions.is_empty() || workload.regions.contains(&region);
            let needed = (self.context.regions.contains(&region) && allowed) || today.as_ref() == Some(&region);
            let at = file.clients.as_ref().map_or(file.name.span, |given| given.span);
            for client in &remote.clients {
                if needed && self.network.round_trip(&client.place, &region).is_none() {
                    self.missing(("round trip", &client.place, region.as_str()), (codes::NO_ROUND_TRIP, at), faults);
                }
                if remote.response_gib > 0.0 {
                    self.egress((&region, &client.place), (needed, at), faults);
                }
                if remote.request_gib > 0.0 && self.network.is_region(&client.place) {
                    self.egress((&RegionId::new(&*client.place), region.as_str()), (needed, at), faults);
                }
            }
            if remote.through_nat && remote.image_gib + remote.weights_gib > 0.0 {
                self.nat(&region, (needed, at), faults);
            }
        }
    }

    fn missing(&mut self, (what, from, to): (&str, &str, &str), (code, at): (&'static str, Span), faults: &mut Faults) {
        if self.asked.insert((format!("{what} {from}"), to.to_owned())) {
            let message = format!("no {what} between `{from}` and `{to}` is known");
            let (key, help) = match code {
                codes::NO_ROUND_TRIP => ("round_trips", "a distance that is not known is not 0"),
                _ => ("egress` or `network.nat", "a price that is not known is not 0"),
            };
            faults.error(code, at, message).help(format!("give it under `network.{key}`, or restrict the workload's `regions`: {help}"));
        }
    }

    fn planned(&self, list: f64) -> f64 {
        list * (1.0 + self.percent / 100.0)
    }

    fn egress(&mut self, (from, to): (&RegionId, &str), (needed, at): (bool, Span), faults: &mut Faults) {
        if from.as_str() == to || self.network.egress(from, to).is_some() {
            return;
        }
        let own = self.section.egress.iter().find(|given| given.from.value == from.as_str() && given.to.value == to);
        let clouds = &self.network.clouds;
        let way = if clouds.get(&RegionId::new(to)).is_some_and(|cloud| Some(cloud) == clouds.get(from)) {
            Way::OtherRegion
        } else {
            Way::Internet
        };
        let found = match own {
            Some(given) => Some((given.usd_per_gib.value, given.source.clone(), given.as_of.value.clone())),
            None => listed::price(from.as_str(), way).map(|p| (p.usd_per_gib, p.source.to_owned(), p.as_of.to_owned())),
        };
        match found {
            Some((list, source, as_of)) => {
                let usd_per_gib = self.planned(list);
                let price = EgressPrice { from: from.clone(), to: to.to_owned(), list_usd_per_gib: list, usd_per_gib, source, as_of };
                self.network.egress.push(price);
            }
            None if needed => self.missing(("price of traffic", from.as_str(), to), (codes::NO_TRAFFIC_PRICE, at), faults),
            None => {}
        }
    }

    fn nat(&mut self, region: &RegionId, (needed, at): (bool, Span), faults: &mut Faults) {
        if self.network.nat(region).is_some() {
            return;
        }
        let own = self.section.nat.iter().find(|given| given.region.value == region.as_str());
        let found = match own {
            Some(given) => Some((given.usd_per_gib.value, given.source.clone(), given.as_of.value.clone())),
            None => listed::price(region.as_str(), Way::Nat).map(|p| (p.usd_per_gib, p.source.to_owned(), p.as_of.to_owned())),
        };
        match found {
            Some((list, source, as_of)) => {
                let usd_per_gib = self.planned(list);
                self.network.nat.push(NatPrice { region: region.clone(), list_usd_per_gib: list, usd_per_gib, source, as_of });
            }
            None if needed => {
                self.missing(("price of a NAT gateway", "the internet", region.as_str()), (codes::NO_TRAFFIC_PRICE, at), faults)
            }
            None => {}
        }
    }
}
