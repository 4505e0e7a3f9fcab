//! Google Cloud Billing catalogue: SKUs of Compute Engine, by an API key.
//!
//! In: a key, regions, machines and their zones. Out: quotes, put together by [`assemble`](crate::pricing::assemble). The list holds some
//! thirty thousand SKUs in pages of five thousand; only those that price a part of a GPU machine are kept.
//!
//! Form: <https://cloud.google.com/billing/docs/reference/rest/v1/services.skus/list>.

use crate::diagnostic::{Diagnostic, Severity};
use crate::pricing::assemble::{self, Machine, Sku, part};
use crate::pricing::codes;
use crate::pricing::gathered::Gathered;
use crate::pricing::http::{Client, Get, ReadFault};
use crate::pricing::pages::{self, FromElement, Kept, Page};
use crate::pricing::summed::Summed;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::io::{BufReader, Read};

/// Where the catalogue is.
pub const BASE: &str = "https://cloudbilling.googleapis.com/v1";

/// Words of a quote's `source`.
const SOURCE: &str = "Google Cloud Billing catalogue";

/// Compute Engine among the services.
const COMPUTE_ENGINE: &str = "services/6F81-5844-456A";

/// SKUs a page: the most that the interface allows.
const PAGE_SIZE: u32 = 5000;

/// Where to ask, and as whom.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// Address, [`BASE`].
    pub base: &'a str,
    /// API key. It travels in a header, so that no address, and no message with an address, can hold it.
    pub key: &'a str,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Regions.
    pub regions: &'a [String],
    /// Machines to put together, with the zones where they are known to be.
    pub machines: &'a [Machine],
    /// The moment for which prices must hold.
    pub now: Timestamp,
}

/// Asks for the whole catalogue and puts the machines together.
///
/// # Errors
/// A key that is none, a page that cannot be had, a catalogue without any part of a GPU machine.
pub fn fetch(client: &Client, source: &Source<'_>, scope: &Scope<'_>) -> Result<Gathered, Diagnostic> {
    let key = source.key.trim();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let mut fault = Diagnostic::new(codes::CREDENTIALS, Severity::Error, format!("{SOURCE}: the API key is empty or not a key"));
        fault.help("set GOOGLE_API_KEY to an API key that may use the Cloud Billing API (docs/prices.md)");
        return Err(fault);
    }
    let entries = pages::all(SOURCE, |token| {
        let token = token.map_or_else(String::new, |token| format!("&pageToken={}", pages::encoded(token)));
        let url = format!("{}/{COMPUTE_ENGINE}/skus?pageSize={PAGE_SIZE}&currencyCode=USD{token}", source.base);
        let get = Get { url: &url, what: SOURCE, headers: &[("x-goog-api-key", key)] };
        // A server may repeat the key where it refuses it.
        client.get(&get, |body| parse_page(body)).map_err(|fault| Diagnostic { message: fault.message.replace(key, "***"), ..fault })
    })?;
    if entries.is_empty() {
        let message = format!("{SOURCE}: no price of a GPU machine's part in it, from {}", source.base);
        let mut fault = Diagnostic::new(codes::NOTHING_FOUND, Severity::Error, message);
        fault.help("check the address; the last good prices are untouched");
        return Err(fault);
    }
    Ok(priced(entries, scope))
}

/// One SKU that prices a part, or why it cannot be read.
#[derive(Debug)]
pub enum Entry {
    /// As it is listed, with its prices over time.
    Listed(Box<Listed>),
    /// Which, and what is wrong.
    Bad {
        /// Id and description, as far as they can be read.
        name: String,
        /// In a few words.
        why: &'static str,
    },
}

/// A SKU with its prices over time.
#[derive(Debug)]
pub struct Listed {
    /// Without a price.
    sku: Sku,
    /// From oldest to newest as a rule.
    prices: Vec<Price>,
}

/// A price from some time on.
#[derive(Debug)]
struct Price {
    unit: String,
    currency: String,
    price: f64,
    effective: Option<Timestamp>,
}

impl FromElement for Entry {
    fn from_element(element: &Value) -> Option<Self> {
        let text = |pointer: &str| element.pointer(pointer).and_then(Value::as_str);
        let id = text("/skuId").unwrap_or_default();
        let bad = |why| {
            let name = format!("`{id}` ({})", text("/description").unwrap_or_default());
            Some(Self::Bad { name, why })
        };
        let Some(description) = text("/description") else { return bad("no description") };
        let Some(usage_type) = text("/category/usageType") else { return bad("no usage type") };
        part::of(description, usage_type)?;
        let Some(regions) = element.get("serviceRegions").and_then(strings) else { return bad("no regions") };
        let prices: Option<Vec<Price>> =
            element.get("pricingInfo").and_then(Value::as_array).map_or(Some(Vec::new()), |infos| infos.iter().map(price).collect());
        match prices {
            None => bad("a price that cannot be read"),
            Some(prices) if prices.is_empty() => bad("no price"),
            Some(prices) => {
                let sku = Sku {
                    id: id.to_owned(),
                    description: description.to_owned(),
                    resource_group: text("/category/resourceGroup").unwrap_or_default().to_owned(),
                    usage_type: usage_type.to_owned(),
                    regions,
                    unit: String::new(),
                    currency: String::new(),
                    price: 0.0,
                    effective: None,
                };
                Some(Self::Listed(Box::new(Listed { sku, prices })))
            }
        }
    }
}

fn strings(list: &Value) -> Option<Vec<String>> {
    let list = list.as_array()?;
    let strings: Vec<String> = list.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect();
    (!strings.is_empty() && strings.len() == list.len()).then_some(strings)
}

/// A price at one time; that of the last tier that has one: the first may be free of charge.
fn price(info: &Value) -> Option<Price> {
    let expression = info.get("pricingExpression")?;
    let rates = expression.get("tieredRates")?.as_array()?;
    let mut last = None;
    for rate in rates {
        let unit_price = rate.get("unitPrice")?;
        let amount = assemble::price(integer(unit_price.get("units"))?, integer(unit_price.get("nanos"))?);
        let currency = unit_price.get("currencyCode")?.as_str()?;
        if last.is_none() || amount > 0.0 {
            last = Some((amount, currency));
        }
    }
    let (price, currency) = last?;
    // Recorded answers have it in both spellings.
    let effective = info.get("effectiveTime").or_else(|| info.get("EffectiveTime")).and_then(Value::as_str);
    Some(Price {
        unit: expression.get("usageUnit")?.as_str()?.to_owned(),
        currency: currency.to_owned(),
        price,
        effective: effective.map(str::parse).transpose().ok()?,
    })
}

/// A whole number. An int64 comes as a string, and a field that is 0 need not come at all.
fn integer(value: Option<&Value>) -> Option<i64> {
    match value {
        None | Some(Value::Null) => Some(0),
        Some(Value::String(digits)) => digits.parse().ok(),
        Some(value) => value.as_i64(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    /// A page without any comes without the field.
    #[serde(default)]
    skus: Kept<Entry>,
    next_page_token: Option<String>,
}

/// Reads one page.
///
/// # Errors
/// The text breaks off, or is not a page.
pub fn parse_page(body: impl Read) -> Result<Page<Entry>, ReadFault> {
    let Document { skus, next_page_token } = serde_json::from_reader(BufReader::new(body))?;
    Ok(Page { items: skus.0, next: next_page_token })
}

/// Machines put together from the prices that hold now.
#[must_use]
pub fn priced(entries: Vec<Entry>, scope: &Scope<'_>) -> Gathered {
    let mut findings = Summed::default();
    let mut skus = Vec::new();
    for entry in entries {
        match entry {
            Entry::Bad { name, why } => {
                let says = format!("{SOURCE}: entries that cannot be read, left out");
                findings.add((codes::BAD_ENTRY, Severity::Warning), says, format!("{name}: {why}"));
            }
            Entry::Listed(listed) => skus.extend(now_held(*listed, scope.now)),
        }
    }
    let put_together = assemble::Scope { regions: scope.regions, source: SOURCE, now: scope.now };
    let mut gathered = assemble::quotes(&skus, scope.machines, &put_together);
    gathered.findings.extend(findings.told());
    gathered
}

/// The SKU at its newest price that is not in the future; nothing where all are.
fn now_held(listed: Listed, now: Timestamp) -> Option<Sku> {
    let Listed { sku, prices } = listed;
    let Price { unit, currency, price, effective } =
        prices.into_iter().filter(|price| price.effective.is_none_or(|from| from <= now)).max_by_key(|price| price.effective)?;
    Some(Sku { unit, currency, price, effective, ..sku })
}

#[cfg(test)]
mod tests;
