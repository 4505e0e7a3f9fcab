//! What a region costs a workload beside its machines: the latency that the way takes, traffic, and bytes of starts.

use crate::domain::{CapacityType, Network, Remote, Scenario, Service, Workload, WorkloadKind};
use crate::formulation::freedom::Freedom;
use crate::formulation::pools::Context;
use crate::ids::RegionId;
use crate::units::HOURS_PER_WEEK;

/// Starts that a reclaim causes: one where the replica goes, one where it comes back to, as the expected price of spot has it.
const STARTS_PER_RECLAIM: f64 = 2.0;

/// A region as a workload sees it. Without `network`, and of a workload that says nothing of it, all is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Terms {
    /// Taken off the limits on the first token and on the whole request: the round trip of its farthest clients, ms.
    pub added_ms: f64,
    /// Dollars a mean request.
    pub egress_per_request: f64,
    /// Dollars of a start on a new node: image and weights.
    pub new_node: f64,
    /// Dollars of a start on a node that has the image.
    pub known_node: f64,
}

impl Terms {
    /// Dollars that reclaims cause a replica-hour on spot: each replacement pulls everything anew.
    #[must_use]
    pub fn restart(&self, capacity_type: CapacityType, hazard: f64) -> f64 {
        match capacity_type {
            CapacityType::OnDemand => 0.0,
            CapacityType::Spot => STARTS_PER_RECLAIM * hazard * self.new_node,
        }
    }
}

/// What the scenario says of a workload's traffic and starts.
#[must_use]
pub fn remote<'a>(scenario: &'a Scenario, workload: &Workload) -> Option<(&'a Network, &'a Remote)> {
    let network = scenario.network.as_ref()?;
    Some((network, network.workloads.get(&workload.id)?))
}

/// Terms of a region; `None` where a distance or a price is not known, so that the workload cannot be planned there.
#[must_use]
pub fn terms(scenario: &Scenario, workload: &Workload, region: &RegionId) -> Option<Terms> {
    let Some((network, remote)) = remote(scenario, workload) else { return Some(Terms::default()) };
    let added_ms = network.added(&workload.id, region)?.0;
    let mut egress = 0.0;
    for client in &remote.clients {
        if remote.response_gib > 0.0 {
            egress += client.share * remote.response_gib * network.egress(region, &client.place)?;
        }
        if remote.request_gib > 0.0 && network.is_region(&client.place) {
            egress += client.share * remote.request_gib * network.egress(&RegionId::new(&*client.place), region.as_str())?;
        }
    }
    let pulled = remote.through_nat && remote.image_gib + remote.weights_gib > 0.0;
    let gib = if pulled { network.nat(region)? } else { 0.0 };
    Some(Terms {
        added_ms,
        egress_per_request: egress,
        new_node: (remote.image_gib + remote.weights_gib) * gib,
        known_node: remote.weights_gib * gib,
    })
}

/// Whether the region lever lets the workload go there: without it, what runs somewhere today stays in that region, unless it may not be
/// there at all.
#[must_use]
pub fn reachable(context: &Context<'_>, region: &RegionId) -> bool {
    let today = context.workload.placement.as_ref().and_then(|p| context.scenario.node_group(&p.node_group)).map(|g| &g.region);
    let own = &context.workload.regions;
    let stays = |today: &RegionId| today != region && (own.is_empty() || own.contains(today));
    context.freedom.regions || context.scenario.network.is_none() || !today.is_some_and(stays)
}

/// What a region costs a server that several services share.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ServerTerms {
    /// Traffic of all members, dollars a week.
    pub egress: f64,
    /// Dollars of a start on a new node: one image, the largest, and the weights of all.
    pub new_node: f64,
    /// Dollars of a start on a node that has the image.
    pub known_node: f64,
}

/// Terms of a region for a server; `None` where a member may not go or knows no price, or where the way would take anything of a member's
/// limits: its rate beside others is made for the whole of them.
#[must_use]
pub fn of_server((scenario, freedom): (&Scenario, &Freedom), members: &[usize], region: &RegionId) -> Option<ServerTerms> {
    let (mut all, mut image) = (ServerTerms::default(), 0.0_f64);
    for &member in members {
        let workload = &scenario.workloads[member];
        let one = terms(scenario, workload, region).filter(|one| one.added_ms <= 0.0)?;
        if !reachable(&Context { scenario, workload, freedom }, region) {
            return None;
        }
        all.egress += workload.service().map_or(0.0, |service| egress_per_week(service, &one));
        all.known_node += one.known_node;
        image = image.max(one.new_node - one.known_node);
    }
    Some(ServerTerms { new_node: all.known_node + image, ..all })
}

/// Dollars of traffic a week.
#[must_use]
pub fn egress_per_week(service: &Service, terms: &Terms) -> f64 {
    terms.egress_per_request * service.demand.requests_per_week()
}

/// Dollars a week of a workload where it runs today: traffic, then bytes of starts. An inventory knows no starts of a service but those that
/// reclaims of spot cause; a job loads its weights for every run and worker.
#[must_use]
pub fn as_today(scenario: &Scenario, workload: &Workload) -> Option<(f64, f64)> {
    let placement = workload.placement.as_ref()?;
    let group = scenario.node_group(&placement.node_group)?;
    remote(scenario, workload)?;
    let terms = terms(scenario, workload, &group.region)?;
    let hazard = scenario.offering(&group.instance_type, &group.region, group.capacity_type).and_then(|o| o.risk);
    let restart = terms.restart(group.capacity_type, hazard.map_or(0.0, |risk| risk.reclaims_per_hour));
    let replicas = f64::from(placement.replicas);
    let restarts = restart * replicas * HOURS_PER_WEEK as f64;
    Some(match &workload.kind {
        WorkloadKind::Service(service) => (egress_per_week(service, &terms), restarts),
        WorkloadKind::Job(job) => (0.0, job.runs.len() as f64 * replicas * terms.known_node + restarts),
    })
}
