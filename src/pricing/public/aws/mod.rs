//! AWS without an account: price lists, savings plans, spot feed, interruption bands.
//!
//! In: addresses, regions and what a machine with GPUs is called. Out: prices of whole Linux machines, and the faults of documents
//! that did not come. Documents do not depend on each other, except that savings plans name machines by the SKUs of the price list.

pub mod advisor;
pub mod offers;
pub mod plan_index;
pub mod savings_plans;
pub mod spot_feed;
pub mod stream;
pub mod terms;

use crate::diagnostic::{Diagnostic, Severity};
use crate::pricing::codes;
use crate::pricing::gathered::{Gathered, Quote};
use crate::pricing::http::{Client, Get};
use crate::pricing::summed::{Kind, Summed};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Where the documents are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Price lists and savings plans: what comes before `/offers`.
    pub prices: String,
    /// Spot prices: one document.
    pub spot: String,
    /// Interruption bands: one document.
    pub advisor: String,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            prices: "https://pricing.us-east-1.amazonaws.com".to_owned(),
            spot: "https://website.spot.ec2.aws.a2z.com/spot.json".to_owned(),
            advisor: "https://spot-bid-advisor.s3.amazonaws.com/spot-advisor-data.json".to_owned(),
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// Regions, by their codes.
    pub regions: &'a [String],
    /// Whether a machine is one with GPUs that can be planned with.
    pub is_gpu_type: &'a dyn Fn(&str) -> bool,
    /// The moment of reading.
    pub now: Timestamp,
}

/// What is asked for in one region.
#[derive(Clone, Copy)]
pub struct Region<'a> {
    /// Its code.
    pub name: &'a str,
    /// Whether a machine is one with GPUs that can be planned with.
    pub is_gpu_type: &'a dyn Fn(&str) -> bool,
    /// The moment of reading.
    pub now: Timestamp,
}

/// Machines by SKU.
pub type Machines = BTreeMap<String, String>;

/// Source of what the price list says, in words for people.
const LISTED: &str = "AWS Price List";

const BAD_ENTRY: Kind = (codes::BAD_ENTRY, Severity::Warning);
const NOTHING_FOUND: Kind = (codes::NOTHING_FOUND, Severity::Note);
const UNKNOWN_MACHINE: Kind = (codes::UNKNOWN_MACHINE, Severity::Note);

/// Fetches all documents. What one lacks does not keep out what the others bring: faults of whole documents are in the second list.
#[must_use]
pub fn fetch(client: &Client, endpoints: &Endpoints, scope: &Scope<'_>) -> (Gathered, Vec<Diagnostic>) {
    let (mut gathered, mut faults, machines) = fetch_price_lists(client, &endpoints.prices, scope);
    let (plans, plan_faults) = plan_index::fetch(client, &endpoints.prices, &machines);
    gathered.add(plans);
    faults.extend(plan_faults);
    let spot = Get { url: &endpoints.spot, what: "AWS spot feed", headers: &[] };
    match client.get(&spot, |body| spot_feed::parse_spot(body, scope)) {
        Ok(found) => gathered.add(found),
        Err(fault) => faults.push(fault),
    }
    let advisor = Get { url: &endpoints.advisor, what: "AWS Spot Advisor", headers: &[] };
    match client.get(&advisor, |body| advisor::parse_advisor(body, scope)) {
        Ok(found) => gathered.add(found),
        Err(fault) => faults.push(fault),
    }
    tidy(&mut gathered);
    (gathered, faults)
}

/// The price lists of all regions, and the machines of each.
fn fetch_price_lists<'a>(client: &Client, prices: &str, scope: &Scope<'a>) -> (Gathered, Vec<Diagnostic>, Vec<(Region<'a>, Machines)>) {
    let mut gathered = Gathered::default();
    let mut faults = Vec::new();
    let mut machines = Vec::new();
    let mut summed = Summed::default();
    for (at, name) in scope.regions.iter().enumerate() {
        let region = Region { name, is_gpu_type: scope.is_gpu_type, now: scope.now };
        match fetch_offers(client, prices, &region) {
            Ok(offers) => {
                gathered.add(offers.gathered);
                machines.extend((!offers.machines.is_empty()).then_some((region, offers.machines)));
                for machine in offers.unknown {
                    summed.add(UNKNOWN_MACHINE, "machines that the catalogue does not know, left out", format!("`aws/{machine}`"));
                }
            }
            Err(fault) => {
                let rest: Vec<&str> = scope.regions[at + 1..].iter().map(String::as_str).collect();
                let not_asked = not_asked("AWS price lists", &fault, &rest);
                let is_hopeless = not_asked.is_some();
                faults.extend([Some(fault), not_asked].into_iter().flatten());
                if is_hopeless {
                    break;
                }
            }
        }
    }
    gathered.findings.extend(summed.told());
    (gathered, faults, machines)
}

/// After a host that does not answer in spite of all retries, the next region would only wait as long again.
fn not_asked(what: &str, fault: &Diagnostic, rest: &[&str]) -> Option<Diagnostic> {
    let is_hopeless = matches!(fault.code, codes::UNREACHABLE | codes::TIMED_OUT | codes::THROTTLED);
    (is_hopeless && !rest.is_empty()).then(|| {
        let message = format!("{what}: not asked any more, for the same reason: `{}`", rest.join("`, `"));
        Diagnostic { help: fault.help.clone(), ..Diagnostic::new(fault.code, Severity::Error, message) }
    })
}

/// The price list of a region; read twice where its prices come before its products.
fn fetch_offers(client: &Client, prices: &str, region: &Region<'_>) -> Result<offers::Offers, Diagnostic> {
    let url = format!("{prices}/offers/v1.0/aws/AmazonEC2/current/{}/index.json", region.name);
    let what = format!("AWS price list of {}", region.name);
    let get = Get { url: &url, what: &what, headers: &[] };
    let offers = client.get(&get, |body| offers::parse_offers(body, region, Machines::new()))?;
    if !offers.terms_came_first || offers.machines.is_empty() {
        return Ok(offers);
    }
    client.get(&get, |body| offers::parse_offers(body, region, offers.machines.clone()))
}

/// An amount or a count, where the text is one.
fn amount(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// The moment that a document gives, or else the moment of reading.
fn moment(text: Option<&str>, now: Timestamp) -> Timestamp {
    text.and_then(|text| text.parse().ok()).unwrap_or(now)
}

/// Sorted, and the same price of the same thing once: lists repeat themselves. Prices that differ stay, and are judged elsewhere.
fn tidy(gathered: &mut Gathered) {
    let thing = |quote: &Quote| (quote.region.clone(), quote.instance_type.clone(), quote.bought.clone(), quote.currency.clone());
    gathered.quotes.sort_by(|a, b| {
        let latest_first = b.as_of.cmp(&a.as_of);
        thing(a).cmp(&thing(b)).then(a.per_hour.total_cmp(&b.per_hour)).then(latest_first)
    });
    gathered.quotes.dedup_by(|a, b| a.per_hour.total_cmp(&b.per_hour).is_eq() && thing(a) == thing(b));
    // Every region describes the same machines.
    gathered.shapes.sort_by(|a, b| {
        let sizes = a.gpus.total_cmp(&b.gpus).then(a.vcpus.total_cmp(&b.vcpus)).then(a.ram_gib.total_cmp(&b.ram_gib));
        a.instance_type.cmp(&b.instance_type).then(sizes)
    });
    gathered.shapes.dedup();
}

#[cfg(test)]
mod tests;
