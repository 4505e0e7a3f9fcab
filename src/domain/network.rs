//! What distance costs: round trips between places, traffic that leaves a region, bytes that a start pulls.
//!
//! A *place* is where requests come from: a region of a cloud, or a name of the user's own (`internet`, `office-berlin`).

use crate::domain::offering::Cloud;
use crate::ids::{RegionId, WorkloadId};
use crate::units::Millis;
use std::collections::{BTreeMap, BTreeSet};

/// Time from a request's departure to the answer's arrival that the way alone takes. Holds in both directions.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundTrip {
    /// One end, the first by name.
    pub from: String,
    /// The other end.
    pub to: String,
    /// Time.
    pub time: Millis,
    /// Where it was measured or read.
    pub source: String,
    /// Day of it.
    pub as_of: String,
}

/// Price of what leaves a region for a place.
#[derive(Clone, Debug, PartialEq)]
pub struct EgressPrice {
    /// Region that is left.
    pub from: RegionId,
    /// Place that is reached.
    pub to: String,
    /// List price, dollars a GiB.
    pub list_usd_per_gib: f64,
    /// What the planner pays: with the scenario's percentage.
    pub usd_per_gib: f64,
    /// Where it was read.
    pub source: String,
    /// Day of it.
    pub as_of: String,
}

/// Price of what comes into a region through a NAT gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct NatPrice {
    /// Region.
    pub region: RegionId,
    /// List price, dollars a GiB.
    pub list_usd_per_gib: f64,
    /// What the planner pays: with the scenario's percentage.
    pub usd_per_gib: f64,
    /// Where it was read.
    pub source: String,
    /// Day of it.
    pub as_of: String,
}

/// Where a share of the requests comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// Place.
    pub place: String,
    /// Share of the requests; those of a service sum to 1.
    pub share: f64,
}

/// What a workload sends and pulls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Remote {
    /// Where requests come from, sorted by place; empty: not known, so that neither distance nor traffic counts.
    pub clients: Vec<Client>,
    /// Mean size of a request, GiB.
    pub request_gib: f64,
    /// Mean size of an answer, GiB.
    pub response_gib: f64,
    /// Container image, GiB: pulled once a node.
    pub image_gib: f64,
    /// Weights, GiB: loaded by each replica.
    pub weights_gib: f64,
    /// Both come through a NAT gateway; otherwise from a mirror inside the region, which costs nothing by the byte.
    pub through_nat: bool,
    /// Regions and jurisdictions that it must stay in, sorted; empty: anywhere.
    pub residency: Vec<String>,
}

/// What distance costs in a scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    /// Round trips, sorted by their ends.
    pub round_trips: Vec<RoundTrip>,
    /// Prices of every way that a request or an answer of the scenario may take, sorted.
    pub egress: Vec<EgressPrice>,
    /// Prices of NAT gateways, sorted.
    pub nat: Vec<NatPrice>,
    /// Regions of each jurisdiction that a workload names.
    pub jurisdictions: BTreeMap<String, BTreeSet<RegionId>>,
    /// Clouds of regions.
    pub clouds: BTreeMap<RegionId, Cloud>,
    /// Workloads that say anything of it.
    pub workloads: BTreeMap<WorkloadId, Remote>,
}

impl Network {
    /// Round trip between a place and a region: 0 inside the region, whose own network is part of today's latencies.
    #[must_use]
    pub fn round_trip(&self, place: &str, region: &RegionId) -> Option<Millis> {
        if place == region.as_str() {
            return Some(Millis(0.0));
        }
        let (from, to) = if place < region.as_str() { (place, region.as_str()) } else { (region.as_str(), place) };
        self.round_trips.iter().find(|trip| trip.from == from && trip.to == to).map(|trip| trip.time)
    }

    /// Round trip of a workload's farthest clients to a region: 0 where it says nothing of them, `None` where one is not known.
    #[must_use]
    pub fn added(&self, workload: &WorkloadId, region: &RegionId) -> Option<Millis> {
        let clients = self.workloads.get(workload).map_or(&[][..], |remote| &remote.clients);
        clients.iter().try_fold(Millis(0.0), |most, client| Some(Millis(most.0.max(self.round_trip(&client.place, region)?.0))))
    }

    /// Dollars a GiB that leaves a region for a place: nothing inside the region.
    #[must_use]
    pub fn egress(&self, from: &RegionId, to: &str) -> Option<f64> {
        if from.as_str() == to {
            return Some(0.0);
        }
        self.egress.iter().find(|price| &price.from == from && price.to == to).map(|price| price.usd_per_gib)
    }

    /// Dollars a GiB through a NAT gateway of the region.
    #[must_use]
    pub fn nat(&self, region: &RegionId) -> Option<f64> {
        self.nat.iter().find(|price| &price.region == region).map(|price| price.usd_per_gib)
    }

    /// Whether a place is a region of a cloud: then what is sent from there leaves that region, and is paid for.
    #[must_use]
    pub fn is_region(&self, place: &str) -> bool {
        self.clouds.contains_key(&RegionId::new(place))
    }
}
