//! AWS by the user's own account: prices, machines, zones, spot history, placement scores, and commitments that are held.
//!
//! In: how to ask, and what for. Out: what the account's regions brought, and the faults of calls that brought nothing. Credentials,
//! profiles, endpoints and proxies come by the usual variables and files, which the client library reads. What may be asked is a
//! policy of eight actions, all of which only read (`docs/prices.md`).

mod faults;
mod machines;
mod owned;
mod placement;
mod products;
mod session;
mod spot;

use super::{Brought, Scope, Shut};
use crate::diagnostic::Diagnostic;
use crate::pricing::gathered::Gathered;
use crate::pricing::http::Policy;
use session::Session;
use std::collections::BTreeSet;

/// How to ask.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How patient to be.
    pub policy: Policy,
    /// Profile of the shared configuration; none: that of `AWS_PROFILE`, or the default one.
    pub profile: Option<String>,
}

/// Asks for all of it. A call that fails takes nothing from what the others brought; the faults are in the second list, as errors
/// where prices are missing because of them, and as warnings where only evidence is.
#[must_use]
pub fn fetch(settings: &Settings, scope: &Scope<'_>) -> (Gathered, Vec<Diagnostic>) {
    match session::open(settings, scope.progress) {
        Ok(session) => ask_all(&session, scope),
        Err(fault) => (Gathered::default(), vec![fault]),
    }
}

/// A region, and what is known of its machines.
#[derive(Clone, Copy)]
struct Region<'a> {
    name: &'a str,
    scope: &'a Scope<'a>,
}

fn ask_all(session: &Session<'_>, scope: &Scope<'_>) -> (Gathered, Vec<Diagnostic>) {
    let mut brought = Brought::default();
    let mut families = BTreeSet::new();
    let mut is_shut = false;
    for name in scope.regions {
        match ask_region(session, &Region { name, scope }, &mut brought) {
            Ok(machines) => families.extend(machines.iter().map(|machine| family(machine).to_owned())),
            Err(Shut) => is_shut = true,
        }
    }
    if !is_shut && let Ok(Some(plans)) = brought.take(owned::savings_plans(session, scope, &families)) {
        brought.gathered.add(plans);
    }
    // What is true of a machine is found in every region.
    let mut said = Vec::new();
    brought.gathered.findings.retain(|finding| {
        let is_new = !said.contains(finding);
        if is_new {
            said.push(finding.clone());
        }
        is_new
    });
    (brought.gathered, brought.faults)
}

/// All of one region; its machines with GPUs.
fn ask_region(session: &Session<'_>, region: &Region<'_>, brought: &mut Brought) -> Result<BTreeSet<String>, Shut> {
    let described = brought.take(machines::described(session, region))?;
    let known = described.as_ref().map(|described| described.names.clone());
    if let Some(described) = described {
        brought.gathered.add(described.gathered);
    }
    let is_wanted = |machine: &str| known.as_ref().map_or_else(|| (region.scope.is_gpu_type)(machine), |known| known.contains(machine));
    let priced = brought.take(products::priced(session, region, &is_wanted))?;
    // Without the machines that are offered, those that have a price stand in for them.
    let machines = known.clone().unwrap_or_else(|| priced.as_ref().map(|priced| priced.names.clone()).unwrap_or_default());
    if let Some(mut priced) = priced {
        // A described machine is known better than a listed one.
        priced.gathered.shapes.retain(|shape| !known.as_ref().is_some_and(|known| known.contains(&shape.instance_type)));
        brought.gathered.add(priced.gathered);
    }
    if machines.is_empty() {
        return Ok(machines);
    }
    if let Some(zones) = brought.take(machines::offered(session, region, &machines))? {
        brought.gathered.zones.extend(zones);
    }
    if let Some(history) = brought.take(spot::history(session, region, &machines))? {
        brought.gathered.add(history);
    }
    for scores in placement::scores(session, region, &machines) {
        if let Some(scores) = brought.take(scores)? {
            brought.gathered.placement.extend(scores);
        }
    }
    if let Some(reservations) = brought.take(owned::reservations(session, region, &machines))? {
        brought.gathered.add(reservations);
    }
    Ok(machines)
}

/// Family of a machine: `g6e` of `g6e.12xlarge`.
fn family(machine: &str) -> &str {
    machine.split_once('.').map_or(machine, |(family, _)| family)
}

/// Whether a zone's id is that of one of the region's own zones (`use1-az1`). Local Zones (`usw2-lax1-az1`) and Wavelength zones
/// (`use1-wl1-bos-wlz1`) have other prices and other machines.
fn is_of_region(zone_id: &str) -> bool {
    zone_id
        .split_once("-az")
        .is_some_and(|(region, number)| !region.contains('-') && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
