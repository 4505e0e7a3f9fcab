//! Machines of Google Cloud put together from their parts: the cloud prices cores, memory, GPUs and disks, never a machine.
//!
//! In: SKUs and machines. Out: quotes, each with the sum that it is, and findings. A pure function, whoever brought the SKUs.

pub mod part;
pub mod recipe;
mod sum;

use crate::diagnostic::Severity;
use crate::domain::Cloud;
use crate::pricing::codes;
use crate::pricing::gathered::{Bought, Gathered, Payment, Product, Quote, Term};
use crate::pricing::summed::{Kind, Summed};
use jiff::Timestamp;
use part::Part;
use std::collections::{BTreeMap, BTreeSet};
use sum::{Asked, Line, Sum};

pub use recipe::{bundled_ssd_gib, sold};

/// A price of a part, as the catalogue lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sku {
    /// Id: `039F-D0DA-4055`.
    pub id: String,
    /// Description: `Nvidia Tesla A100 GPU running in Americas`.
    pub description: String,
    /// Resource group: `GPU`, `CPU`, `RAM`, `N1Standard`. For people: the description decides.
    pub resource_group: String,
    /// Usage type: `OnDemand`, `Preemptible`, `Commit1Yr`, `Commit3Yr`.
    pub usage_type: String,
    /// Regions where it holds; a name of several (`americas`) too.
    pub regions: Vec<String>,
    /// Usage unit: `h`, `GiBy.h`, `GiBy.mo`.
    pub unit: String,
    /// Currency, ISO 4217.
    pub currency: String,
    /// Price of one unit in `currency`, of the last tier that has one; see [`price`].
    pub price: f64,
    /// From when on it holds, where the source says.
    pub effective: Option<Timestamp>,
}

/// An amount of money as Google's interfaces give it: whole units, and billionths.
#[must_use]
pub fn price(units: i64, nanos: i64) -> f64 {
    units as f64 + nanos as f64 / 1e9
}

/// A machine and where it is to be had.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// Name: `a2-highgpu-1g`.
    pub instance_type: String,
    /// Id of its GPU in the catalogue: tells what is attached to an N1 machine.
    pub accelerator: String,
    /// GPUs; a fraction for a part of one.
    pub gpus: f64,
    /// Virtual CPUs.
    pub vcpus: f64,
    /// Main memory, GiB.
    pub ram_gib: f64,
    /// Local SSD that is billed with it, GiB; see [`bundled_ssd_gib`].
    pub local_ssd_gib: f64,
    /// Zones that offer it, by region. Parts are priced in regions that have no such machine: without a zone there is no quote.
    pub zones: BTreeMap<String, Vec<String>>,
}

/// What is to be put together.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Regions.
    pub regions: &'a [String],
    /// Where the SKUs were read, in words for people.
    pub source: &'a str,
    /// Time of prices that say none.
    pub now: Timestamp,
}

/// Quotes of every machine in every region where it has a zone, each way that it is sold.
///
/// A part that is listed at two prices makes two quotes, the lowest and the highest sum: `sanity` sees that they contradict each other.
#[must_use]
pub fn quotes(skus: &[Sku], machines: &[Machine], scope: &Scope<'_>) -> Gathered {
    let mut findings = Summed::default();
    let table = sum::table(skus, scope.regions, &mut findings);
    let currencies: BTreeSet<&str> = table.keys().map(|(currency, _, _)| *currency).collect();
    let mut quotes = Vec::new();
    for machine in machines {
        let Some(parts) = recipe::of(machine) else {
            let name = format!("`{}`", machine.instance_type);
            findings.add((codes::PARTS_MISSING, Severity::Warning), "machines whose parts are not known, left out", name);
            continue;
        };
        for region in scope.regions.iter().filter(|region| machine.zones.get(*region).is_some_and(|zones| !zones.is_empty())) {
            for bought in ways().into_iter().filter(|bought| sold(&machine.instance_type, bought)) {
                let sums: Vec<Sum<'_>> =
                    currencies.iter().map(|currency| sum::of(&table, &parts, &Asked { currency, region, bought: &bought })).collect();
                let whole: Vec<&Sum<'_>> = sums.iter().filter(|sum| sum.missing.is_empty()).collect();
                if whole.is_empty() {
                    let fewest = sums.iter().map(|sum| &sum.missing).min_by_key(|missing| missing.len());
                    let missing = fewest.cloned().unwrap_or_else(|| parts.iter().map(|(part, _)| *part).collect());
                    if missing.len() < parts.len() || !matches!(bought, Bought::Committed(_)) {
                        findings.add(missing_kind(&bought), missing_says(&bought), missing_name(machine, region, &missing));
                    }
                }
                quotes.extend(whole.into_iter().flat_map(|sum| quotes_of(sum, &Made { machine, region, bought: &bought, scope })));
            }
        }
    }
    Gathered { quotes, findings: findings.told(), ..Gathered::default() }
}

/// Ways in which Google Cloud sells a machine.
fn ways() -> [Bought; 4] {
    let committed = |years| Bought::Committed(Term { product: Product::ResourceCommitment, years, payment: Payment::NoUpfront });
    [Bought::OnDemand, Bought::Spot, committed(1), committed(3)]
}

/// A commitment that is not sold for every part (A100 80 GB) is how things are; a machine without its own price is a loss.
fn missing_kind(bought: &Bought) -> Kind {
    match bought {
        Bought::OnDemand | Bought::Spot => (codes::PARTS_MISSING, Severity::Warning),
        Bought::Committed(_) => (codes::PARTS_MISSING, Severity::Note),
    }
}

fn missing_says(bought: &Bought) -> String {
    let way = match bought {
        Bought::OnDemand => "on demand".to_owned(),
        Bought::Spot => "on spot".to_owned(),
        Bought::Committed(term) => format!("under a commitment of {} y", term.years),
    };
    format!("machines left out {way}, a part of them has no price")
}

fn missing_name(machine: &Machine, region: &str, missing: &[Part]) -> String {
    let words: Vec<&str> = missing.iter().map(|part| part.word()).collect();
    format!("`{}` in `{region}` ({})", machine.instance_type, words.join(", "))
}

/// Whose quote, besides the sum.
struct Made<'a> {
    machine: &'a Machine,
    region: &'a str,
    bought: &'a Bought,
    scope: &'a Scope<'a>,
}

/// One quote; two where a part has several prices.
fn quotes_of(sum: &Sum<'_>, made: &Made<'_>) -> Vec<Quote> {
    let quote = |lines: Vec<Line<'_>>| Quote {
        cloud: Cloud::Gcp,
        region: made.region.to_owned(),
        zone: None,
        instance_type: made.machine.instance_type.clone(),
        bought: made.bought.clone(),
        per_hour: sum::rounded(lines.iter().map(Line::per_hour).sum()),
        currency: sum.currency.to_owned(),
        source: made.scope.source.to_owned(),
        as_of: lines.iter().filter_map(|line| line.priced.sku.effective).max().unwrap_or(made.scope.now),
        derivation: lines.iter().map(Line::text).collect::<Vec<_>>().join(" + "),
    };
    let mut quotes = vec![quote(sum.lowest())];
    if sum.is_contradicted() {
        quotes.push(quote(sum.highest()));
    }
    quotes
}

#[cfg(test)]
mod tests;
