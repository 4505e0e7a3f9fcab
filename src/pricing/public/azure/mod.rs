//! Azure Retail Prices: what virtual machines with GPUs cost, on demand, spot, reserved and under a savings plan.
//!
//! In: regions. Out: quotes. The interface needs no key and knows no GPUs: which sizes have some is the caller's to say. One list a
//! region, in pages; a region whose list breaks brings nothing. Left out because they are other products: Windows, Low Priority,
//! Cloud Services, Dev/Test, terms other than one and three years.
//!
//! Form and filters: <https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices>.

use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::Cloud;
use crate::pricing::codes;
use crate::pricing::gathered::{Bought, Gathered, Payment, Product, Quote, Term};
use crate::pricing::http::{Client, Get, ReadFault};
use crate::pricing::pages::{self, FromElement, Kept, Page};
use crate::pricing::summed::Summed;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufReader, Read};

/// Where the prices are.
pub const BASE: &str = "https://prices.azure.com/api/retail/prices";

/// The version that has savings plans; `2023-01-01` without `-preview` is refused.
const VERSION: &str = "2023-01-01-preview";

/// Words of a quote's `source`.
const SOURCE: &str = "Azure Retail Prices";

/// Hours of a year as reservations are billed: 365 days.
const HOURS_A_YEAR: f64 = 8760.0;

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// Regions, by Azure's own names: `eastus`.
    pub regions: &'a [String],
    /// Whether a size (`Standard_NC24ads_A100_v4`) has GPUs. Only sizes that begin with `Standard_N` are asked about: all others have none.
    pub is_gpu_type: &'a dyn Fn(&str) -> bool,
    /// The moment for which prices must hold.
    pub now: Timestamp,
}

/// Asks for every region. A region that cannot be had is an error of its own beside what the others brought.
#[must_use]
pub fn fetch(client: &Client, base: &str, scope: &Scope<'_>) -> (Gathered, Vec<Diagnostic>) {
    let mut gathered = Gathered::default();
    let mut faults = Vec::new();
    for (at, region) in scope.regions.iter().enumerate() {
        match region_entries(client, base, region) {
            Ok(entries) => gathered.add(priced(entries, region, scope)),
            Err(fault) => {
                let hopeless = matches!(fault.code, codes::UNREACHABLE | codes::TIMED_OUT | codes::THROTTLED);
                let (code, help) = (fault.code, fault.help.clone());
                faults.push(fault);
                let rest = &scope.regions[at + 1..];
                if hopeless && !rest.is_empty() {
                    faults.push(not_asked(code, help, rest));
                    break;
                }
            }
        }
    }
    (gathered, faults)
}

/// After a source that does not answer in spite of all retries, the next region would only wait as long again.
fn not_asked(code: &'static str, help: Option<String>, regions: &[String]) -> Diagnostic {
    let message = format!("{SOURCE}: not asked any more, for the same reason: `{}`", regions.join("`, `"));
    Diagnostic { help, ..Diagnostic::new(code, Severity::Error, message) }
}

fn region_entries(client: &Client, base: &str, region: &str) -> Result<Vec<Entry>, Diagnostic> {
    let what = format!("{SOURCE} of {region}");
    pages::all(&what, |next| {
        let url = next.map_or_else(|| first_page(base, region), |link| link.replace(' ', "%20"));
        if next.is_some() && !pages::same_origin(base, &url) {
            return Err(pages::broken(format!("{what}: the next page is said to be elsewhere than {base}")));
        }
        client.get(&Get { url: &url, what: &what, headers: &[] }, |body| parse_page(body))
    })
}

/// Address of the first page. Names in a filter are case-sensitive since 2023.
fn first_page(base: &str, region: &str) -> String {
    let quoted = region.replace('\'', "''");
    let filter = format!(
        "serviceName eq 'Virtual Machines' and armRegionName eq '{quoted}' and contains(armSkuName, 'Standard_N') \
         and (priceType eq 'Consumption' or priceType eq 'Reservation')"
    );
    format!("{base}?api-version={VERSION}&$filter={}", pages::encoded(&filter))
}

/// One price, or why it cannot be read.
#[derive(Debug)]
pub enum Entry {
    /// As it is listed.
    Item(Box<Item>),
    /// Which, and what is wrong.
    Bad {
        /// Size; empty where not even that can be read.
        size: String,
        /// In a few words.
        why: String,
    },
}

/// A price as it is listed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    currency_code: String,
    retail_price: f64,
    arm_region_name: String,
    arm_sku_name: String,
    sku_name: String,
    #[serde(default)]
    meter_name: String,
    product_name: String,
    unit_of_measure: String,
    #[serde(rename = "type")]
    kind: String,
    reservation_term: Option<String>,
    effective_start_date: Option<String>,
    effective_end_date: Option<String>,
    is_primary_meter_region: Option<bool>,
    savings_plan: Option<Vec<Value>>,
}

/// A rate under a savings plan, an hour, in the currency of its item.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    term: String,
    retail_price: f64,
}

impl FromElement for Entry {
    fn from_element(element: &Value) -> Option<Self> {
        Some(match Item::deserialize(element) {
            Ok(item) => Self::Item(Box::new(item)),
            Err(fault) => {
                let size = element.get("armSkuName").and_then(Value::as_str).unwrap_or_default().to_owned();
                Self::Bad { size, why: fault.to_string() }
            }
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    items: Kept<Entry>,
    next_page_link: Option<String>,
}

/// Reads one page.
///
/// # Errors
/// The text breaks off, or is not a page.
pub fn parse_page(body: impl Read) -> Result<Page<Entry>, ReadFault> {
    let Document { items, next_page_link } = serde_json::from_reader(BufReader::new(body))?;
    Ok(Page { items: items.0, next: next_page_link })
}

/// A price that holds now, for one size bought one way.
#[derive(Clone, Debug)]
struct Held {
    per_hour: f64,
    currency: String,
    since: Option<Timestamp>,
    primary: bool,
    derivation: String,
    plans: Vec<(u8, f64)>,
}

/// The quotes of one region.
#[must_use]
pub fn priced(entries: Vec<Entry>, region: &str, scope: &Scope<'_>) -> Gathered {
    let mut held: BTreeMap<(String, Bought), Vec<Held>> = BTreeMap::new();
    let mut findings = Summed::default();
    let mut bad = |size: &str, why: &str| {
        let name = if size.is_empty() { "an entry without a size" } else { size };
        findings.add(
            (codes::BAD_ENTRY, Severity::Warning),
            format!("{SOURCE} of {region}: entries that cannot be read, left out"),
            format!("`{name}` ({why})"),
        );
    };
    for entry in entries {
        match entry {
            Entry::Bad { size, why } if size.is_empty() || (scope.is_gpu_type)(&size) => bad(&size, &why),
            Entry::Bad { .. } => {}
            Entry::Item(item) if item.arm_region_name != region || !(scope.is_gpu_type)(&item.arm_sku_name) => {}
            Entry::Item(item) => match holds(&item, scope.now) {
                Ok(Some((bought, mut price))) => {
                    if bought == Bought::OnDemand {
                        let (plans, faults) = plans(&item);
                        faults.iter().for_each(|why| bad(&item.arm_sku_name, why));
                        price.plans = plans;
                    }
                    held.entry((item.arm_sku_name, bought)).or_default().push(price);
                }
                Ok(None) => {}
                Err(why) => bad(&item.arm_sku_name, &why),
            },
        }
    }
    let quotes = held.into_iter().flat_map(|((size, bought), prices)| {
        let sold = Sold { region, size: &size, bought: &bought, now: scope.now };
        quotes(&sold, current(prices))
    });
    let quotes = quotes.collect();
    Gathered { quotes, findings: findings.told(), ..Gathered::default() }
}

/// How an item is bought and what it costs now; nothing for another product or another time.
fn holds(item: &Item, now: Timestamp) -> Result<Option<(Bought, Held)>, String> {
    let product = item.product_name.to_ascii_lowercase().replace(' ', "");
    if product.contains("windows") || product.contains("cloudservices") {
        return Ok(None);
    }
    let names = [&item.sku_name, &item.meter_name];
    if names.iter().any(|name| name.contains("Low Priority")) {
        return Ok(None);
    }
    let since = item.effective_start_date.as_deref().map(moment).transpose()?;
    let until = item.effective_end_date.as_deref().filter(|end| !end.starts_with("9999")).map(moment).transpose()?;
    if since.is_some_and(|since| since > now) || until.is_some_and(|until| until <= now) {
        return Ok(None);
    }
    let reserved = |years| Bought::Committed(Term { product: Product::Reservation, years, payment: Payment::NoUpfront });
    let (bought, hours) = match (item.kind.as_str(), item.reservation_term.as_deref()) {
        ("Consumption", _) if names.iter().any(|name| name.ends_with(" Spot")) => (Bought::Spot, None),
        ("Consumption", _) => (Bought::OnDemand, None),
        ("Reservation", Some(term)) => match years(term) {
            Some(years) => (reserved(years), Some(f64::from(years) * HOURS_A_YEAR)),
            None => return Ok(None),
        },
        ("Reservation", None) => return Err("a reservation without a term".to_owned()),
        _ => return Ok(None),
    };
    if item.unit_of_measure != "1 Hour" {
        return Err(format!("unit `{}`", item.unit_of_measure));
    }
    // A reservation's unit says an hour too, but its price is that of the whole term.
    let derivation = hours.map_or_else(String::new, |hours| format!("{} for the term / {hours} h", item.retail_price));
    let per_hour = hours.map_or(item.retail_price, |hours| (item.retail_price / hours * 1e9).round() / 1e9);
    let primary = item.is_primary_meter_region == Some(true);
    Ok(Some((bought, Held { per_hour, currency: item.currency_code.clone(), since, primary, derivation, plans: Vec::new() })))
}

fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| format!("date `{text}`"))
}

/// `1 Year`, `3 Years`; there are others (5), which the planner has no use for.
fn years(term: &str) -> Option<u8> {
    match term.split_once(' ') {
        Some(("1", _)) => Some(1),
        Some(("3", _)) => Some(3),
        _ => None,
    }
}

/// Rates under savings plans, by years of the term, and what cannot be read of them.
fn plans(item: &Item) -> (Vec<(u8, f64)>, Vec<String>) {
    let (mut rates, mut faults) = (Vec::new(), Vec::new());
    for plan in item.savings_plan.iter().flatten() {
        match Plan::deserialize(plan) {
            Ok(plan) => rates.extend(years(&plan.term).map(|years| (years, plan.retail_price))),
            Err(fault) => faults.push(format!("savings plan: {fault}")),
        }
    }
    (rates, faults)
}

/// The prices that count, of those that hold.
///
/// A meter that belongs to the region goes before one that is billed for it from elsewhere; but many sizes have only the latter. Then the
/// newest price counts: the service leaves old ones in the list.
fn current(mut prices: Vec<Held>) -> Vec<Held> {
    if prices.iter().any(|price| price.primary) {
        prices.retain(|price| price.primary);
    }
    let newest = prices.iter().map(|price| price.since).max().flatten();
    prices.retain(|price| price.since == newest);
    prices
}

/// What is sold, where and how.
struct Sold<'a> {
    region: &'a str,
    size: &'a str,
    bought: &'a Bought,
    now: Timestamp,
}

/// One quote, where the listed prices agree; where they do not, all of them, for `sanity` to see. Savings plans hang on the price on
/// demand.
fn quotes(sold: &Sold<'_>, prices: Vec<Held>) -> Vec<Quote> {
    let mut quotes: Vec<Quote> = Vec::new();
    for price in prices {
        let Held { per_hour, currency, since, derivation, plans, primary: _ } = price;
        let quote = |bought: &Bought, per_hour: f64, derivation: String| Quote {
            cloud: Cloud::Azure,
            region: sold.region.to_owned(),
            zone: None,
            instance_type: sold.size.to_owned(),
            bought: bought.clone(),
            per_hour,
            currency: currency.clone(),
            source: SOURCE.to_owned(),
            as_of: since.unwrap_or(sold.now),
            derivation,
        };
        let mut listed = vec![quote(sold.bought, per_hour, derivation)];
        for (years, per_hour) in plans {
            let term = Term { product: Product::AzureSavingsPlan, years, payment: Payment::NoUpfront };
            listed.push(quote(&Bought::Committed(term), per_hour, String::new()));
        }
        for quote in listed {
            if !quotes.contains(&quote) {
                quotes.push(quote);
            }
        }
    }
    quotes
}

#[cfg(test)]
mod tests;
