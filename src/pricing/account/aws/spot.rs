//! Spot prices of the last ninety days, zone by zone.
//!
//! In: a region and its machines. Out: points in time, keyed by the zone's id. The current price of a zone is its last point: no price
//! holds but the one that was posted last.

use super::faults::Action;
use super::session::Session;
use super::{Region, is_of_region};
use crate::diagnostic::{Diagnostic, Severity};
use crate::pricing::codes;
use crate::pricing::gathered::{Gathered, SpotPoint};
use crate::pricing::pages::Page;
use crate::pricing::summed::Summed;
use aws_sdk_ec2::primitives::DateTime;
use aws_sdk_ec2::types::{InstanceType, SpotPrice};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// As far back as AWS looks.
const DAYS: i64 = 90;

/// Points a page; the interface allows no more than a thousand, and may give none and a token.
const PAGE: i32 = 1000;

/// Linux, in and outside of a virtual private cloud: which of the two a price is listed under depends on the account's age.
const LINUX: &str = "Linux/UNIX";
const LINUX_VPC: &str = "Linux/UNIX (Amazon VPC)";

/// Asks for the history of all the machines.
///
/// # Errors
/// The list cannot be had.
pub(super) fn history(session: &Session<'_>, region: &Region<'_>, machines: &BTreeSet<String>) -> Result<Gathered, Diagnostic> {
    let action = Action { name: "ec2:DescribeSpotPriceHistory", region: region.name, severity: Severity::Error };
    let client = session.ec2(region.name);
    let now = region.scope.now;
    let from = now.checked_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(Timestamp::MIN);
    let types: Vec<InstanceType> = machines.iter().map(|machine| InstanceType::from(machine.as_str())).collect();
    let prices = session.all(
        &action,
        |token| {
            let ask = client.describe_spot_price_history().set_instance_types(Some(types.clone()));
            let ask = ask.product_descriptions(LINUX).product_descriptions(LINUX_VPC).max_results(PAGE);
            ask.start_time(date_time(from)).end_time(date_time(now)).set_next_token(token).send()
        },
        |answer| Page { next: answer.next_token, items: answer.spot_price_history.unwrap_or_default() },
    )?;
    let is_named = |price: &SpotPrice| price.availability_zone_id().is_none_or(str::is_empty);
    let mut findings = Summed::default();
    let ids = if prices.iter().any(is_named) { zone_ids(session, region, &mut findings) } else { BTreeMap::new() };
    let spot_history = points(&prices, region, &ids, &mut findings);
    Ok(Gathered { spot_history, findings: findings.told(), ..Gathered::default() })
}

/// Ids of the account's zones, by name; none where they cannot be had, and a finding.
fn zone_ids(session: &Session<'_>, region: &Region<'_>, findings: &mut Summed) -> BTreeMap<String, String> {
    let action = Action { name: "ec2:DescribeAvailabilityZones", region: region.name, severity: Severity::Warning };
    let client = session.ec2(region.name);
    match session.one(&action, client.describe_availability_zones().send()) {
        Ok(answer) => {
            let zones = answer.availability_zones.unwrap_or_default().into_iter();
            zones.filter_map(|zone| Some((zone.zone_name?, zone.zone_id?))).collect()
        }
        Err(fault) => {
            let says = "zones of AWS have names only and their ids cannot be had";
            findings.add((fault.code, Severity::Warning), says, format!("in {} ({})", region.name, fault.message));
            BTreeMap::new()
        }
    }
}

/// The points of the region's own zones, in order, each once.
fn points(prices: &[SpotPrice], region: &Region<'_>, ids: &BTreeMap<String, String>, findings: &mut Summed) -> Vec<SpotPoint> {
    let bad = (codes::BAD_ENTRY, Severity::Warning);
    // By whether they are of a private cloud: where both are listed at one moment, that is the price that is paid.
    let mut found: BTreeMap<(String, String, Timestamp), (bool, f64)> = BTreeMap::new();
    for price in prices {
        let machine = price.instance_type().map_or("unknown", InstanceType::as_str);
        let name = price.availability_zone();
        let id = price.availability_zone_id().filter(|id| !id.is_empty()).or_else(|| ids.get(name?).map(String::as_str));
        let Some(zone) = id else {
            let says = format!("spot prices of AWS in {} whose zone has no id, left out", region.name);
            findings.add(bad, says, format!("`{}`", name.unwrap_or("no zone")));
            continue;
        };
        if !is_of_region(zone) {
            continue;
        }
        let says = || format!("spot prices of AWS in {} that cannot be read, left out", region.name);
        let at = price.timestamp().and_then(|at| Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).ok()?).ok());
        let text = price.spot_price().unwrap_or_default();
        let (Some(at), Some(usd_per_hour)) = (at, text.trim().parse().ok().filter(|price: &f64| price.is_finite())) else {
            findings.add(bad, says(), format!("`{machine}` in {zone} (`{text}`)"));
            continue;
        };
        let is_private = price.product_description().is_some_and(|description| description.as_str() == LINUX_VPC);
        let entry = found.entry((machine.to_owned(), zone.to_owned(), at)).or_insert((is_private, usd_per_hour));
        if is_private && !entry.0 {
            *entry = (is_private, usd_per_hour);
        }
    }
    let point = |((instance_type, zone, at), (_, usd_per_hour))| SpotPoint {
        region: region.name.to_owned(),
        zone,
        instance_type,
        at,
        usd_per_hour,
    };
    found.into_iter().map(point).collect()
}

fn date_time(at: Timestamp) -> DateTime {
    DateTime::from_secs(at.as_second())
}
