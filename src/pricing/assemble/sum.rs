//! The sum that a machine costs: each part times its price in one region and currency.
//!
//! In: SKUs and parts. Out: lines of a sum, and the parts that have no price.

use super::Sku;
use super::part::{self, Part};
use crate::diagnostic::Severity;
use crate::pricing::codes;
use crate::pricing::gathered::Bought;
use crate::pricing::summed::Summed;
use crate::units::HOURS_PER_MONTH;
use std::collections::BTreeMap;

/// A SKU that prices a part.
#[derive(Clone, Copy, Debug)]
pub struct Priced<'a> {
    /// The SKU.
    pub sku: &'a Sku,
    /// Priced by the month: local SSD.
    pub monthly: bool,
}

impl Priced<'_> {
    fn per_hour(self) -> f64 {
        if self.monthly { self.sku.price / HOURS_PER_MONTH } else { self.sku.price }
    }
}

/// Prices by currency, part and way of buying.
pub type Table<'a> = BTreeMap<(&'a str, Part, Bought), Vec<Priced<'a>>>;

/// The SKUs that price a part in one of the regions. Unknown is not zero: a part without a price is left out.
pub fn table<'a>(skus: &'a [Sku], regions: &[String], findings: &mut Summed) -> Table<'a> {
    let mut table = Table::new();
    for sku in skus {
        let Some((part, bought)) = part::of(&sku.description, &sku.usage_type) else { continue };
        if !regions.iter().any(|region| sku.regions.iter().any(|listed| listed == region || covers(listed, region))) {
            continue;
        }
        let name = format!("`{}` ({})", sku.id, sku.description);
        let monthly = match (part, sku.unit.as_str()) {
            (Part::Core(_) | Part::Gpu(_) | Part::Slice(_), "h") | (Part::Ram(_) | Part::LocalSsd(_), "GiBy.h") => false,
            (Part::Ram(_) | Part::LocalSsd(_), "GiBy.mo") => true,
            (_, unit) => {
                findings.add((codes::BAD_ENTRY, Severity::Warning), format!("SKUs in an unexpected unit `{unit}`, left out"), name);
                continue;
            }
        };
        if !(sku.price.is_finite() && sku.price > 0.0) {
            findings.add((codes::NO_PRICE, Severity::Warning), "SKUs whose price is none, left out", name);
            continue;
        }
        table.entry((sku.currency.as_str(), part, bought)).or_default().push(Priced { sku, monthly });
    }
    table
}

/// Whether the name of several regions stands for this one.
fn covers(listed: &str, region: &str) -> bool {
    let starts: &[&str] = match listed.to_ascii_lowercase().as_str() {
        "global" => return true,
        "americas" => &["us-", "northamerica-", "southamerica-"],
        "us" => &["us-"],
        "emea" => &["europe-", "me-", "africa-"],
        "europe" | "eu" => &["europe-"],
        "apac" => &["asia-", "australia-"],
        "asia" => &["asia-"],
        _ => return false,
    };
    starts.iter().any(|start| region.starts_with(start))
}

/// Where, in what, and how bought.
pub struct Asked<'a> {
    /// Currency.
    pub currency: &'a str,
    /// Region.
    pub region: &'a str,
    /// Way of buying.
    pub bought: &'a Bought,
}

/// One part of a sum.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    part: Part,
    quantity: f64,
    /// What it is priced by.
    pub priced: Priced<'a>,
}

impl Line<'_> {
    /// Price of the whole line an hour.
    pub fn per_hour(&self) -> f64 {
        self.quantity * self.priced.per_hour()
    }

    /// `12 x core 0.031611`; what is listed by the month shows by how many hours it is divided.
    pub fn text(&self) -> String {
        let month = if self.priced.monthly { format!("/{HOURS_PER_MONTH}") } else { String::new() };
        format!("{} x {} {}{month}", number(self.quantity), self.part.word(), number(self.priced.sku.price))
    }
}

/// To a billionth, as prices are listed: a sum is not known any closer, and its last bits are noise.
pub fn rounded(price: f64) -> f64 {
    (price * 1e9).round() / 1e9
}

/// Nine decimals, without idle zeros.
fn number(value: f64) -> String {
    let text = format!("{value:.9}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A sum, each part at its lowest and at its highest price, and what is missing of it.
#[derive(Clone, Debug)]
pub struct Sum<'a> {
    /// Currency.
    pub currency: &'a str,
    lines: Vec<(Line<'a>, Line<'a>)>,
    /// Parts without a price.
    pub missing: Vec<Part>,
}

impl<'a> Sum<'a> {
    /// Each part at its lowest price.
    pub fn lowest(&self) -> Vec<Line<'a>> {
        self.lines.iter().map(|(low, _)| *low).collect()
    }

    /// Each part at its highest price.
    pub fn highest(&self) -> Vec<Line<'a>> {
        self.lines.iter().map(|(_, high)| *high).collect()
    }

    /// Whether a part has prices that differ by more than how they are rounded, a billionth.
    pub fn is_contradicted(&self) -> bool {
        self.lines.iter().any(|(low, high)| high.priced.per_hour() - low.priced.per_hour() > 1e-9)
    }
}

/// The sum of the parts.
pub fn of<'a>(table: &Table<'a>, parts: &[(Part, f64)], asked: &Asked<'a>) -> Sum<'a> {
    let mut sum = Sum { currency: asked.currency, lines: Vec::new(), missing: Vec::new() };
    for (part, quantity) in parts {
        let priced = match part {
            Part::LocalSsd(Some(_)) => {
                [*part, Part::LocalSsd(None)].into_iter().map(|part| listed(table, part, asked)).find(|p| !p.is_empty())
            }
            Part::Core(_) | Part::Ram(_) | Part::Gpu(_) | Part::Slice(_) | Part::LocalSsd(None) => Some(listed(table, *part, asked)),
        };
        let mut priced = priced.unwrap_or_default();
        priced.sort_by(|a, b| a.per_hour().total_cmp(&b.per_hour()).then_with(|| a.sku.id.cmp(&b.sku.id)));
        let line = |priced: &Priced<'a>| Line { part: *part, quantity: *quantity, priced: *priced };
        match (priced.first(), priced.last()) {
            (Some(low), Some(high)) => sum.lines.push((line(low), line(high))),
            _ => sum.missing.push(*part),
        }
    }
    sum
}

/// Prices of one part: those that name the region go before those that name a group of regions.
fn listed<'a>(table: &Table<'a>, part: Part, asked: &Asked<'a>) -> Vec<Priced<'a>> {
    let Some(priced) = table.get(&(asked.currency, part, asked.bought.clone())) else { return Vec::new() };
    let of_regions = |fits: &dyn Fn(&str) -> bool| -> Vec<Priced<'a>> {
        priced.iter().filter(|p| p.sku.regions.iter().any(|listed| fits(listed))).copied().collect()
    };
    let exact = of_regions(&|listed| listed == asked.region);
    if exact.is_empty() { of_regions(&|listed| covers(listed, asked.region)) } else { exact }
}
