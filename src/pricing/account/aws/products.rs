//! Prices by the hour and of reserved instances, by GetProducts.
//!
//! In: a region. Out: what the price list of the region brings, for the products of GetProducts are those of the list, each as a text
//! of its own: put together again they are read by the same code, traps and all.

use super::Region;
use super::faults::Action;
use super::session::Session;
use crate::diagnostic::{Diagnostic, Severity};
use crate::pricing::codes;
use crate::pricing::gathered::Gathered;
use crate::pricing::http::ReadFault;
use crate::pricing::pages::Page;
use crate::pricing::public::aws::{self as public, Machines, offers};
use crate::pricing::summed::Summed;
use aws_sdk_pricing::types::{Filter, FilterType};
use serde_json::Value;
use std::collections::BTreeSet;

/// Products a page: the most that the interface allows.
const PAGE: i32 = 100;

/// Families of machines, each with the tenancy under which it is sold to everyone.
const FAMILIES: [(&str, &str); 2] = [("Compute Instance", "Shared"), ("Compute Instance (bare metal)", "Dedicated")];

/// What the price list of a region brought.
pub(super) struct Priced {
    /// Machines that it lists.
    pub(super) names: BTreeSet<String>,
    /// Prices, shapes and findings.
    pub(super) gathered: Gathered,
}

/// Asks for the prices of a region's machines with GPUs.
///
/// # Errors
/// The list cannot be had, or is empty.
pub(super) fn priced(session: &Session<'_>, region: &Region<'_>, is_wanted: &dyn Fn(&str) -> bool) -> Result<Priced, Diagnostic> {
    let action = Action { name: "pricing:GetProducts", region: region.name, severity: Severity::Error };
    let client = session.pricing();
    let mut products = Vec::new();
    for (family, tenancy) in FAMILIES {
        let filters = filters(region.name, family, tenancy);
        products.extend(session.all(
            &action,
            |token| {
                let ask = client.get_products().service_code("AmazonEC2").format_version("aws_v1").max_results(PAGE);
                ask.set_filters(filters.clone()).set_next_token(token).send()
            },
            |answer| Page { next: answer.next_token, items: read(answer.price_list.unwrap_or_default(), is_wanted) },
        )?);
    }
    let scope = public::Region { name: region.name, is_gpu_type: is_wanted, now: region.scope.now };
    let document = document(&products);
    let offers = offers::parse_offers(document.as_bytes(), &scope, Machines::new()).map_err(|fault| {
        let (ReadFault::Broken(why) | ReadFault::Malformed(why)) = fault;
        let message = format!("AWS {}: the answer is not of the form that it should have: {why}", action.what());
        let mut fault = Diagnostic::new(codes::MALFORMED, Severity::Error, message);
        fault.help("the last good prices are untouched; try again later");
        fault
    })?;
    let names: BTreeSet<String> = offers.machines.into_values().collect();
    if names.is_empty() {
        let mut fault = Diagnostic::new(codes::NOTHING_FOUND, Severity::Error, format!("AWS {}: no machine with GPUs", action.what()));
        fault.help("check the region's name; some regions have no such machines");
        return Err(fault);
    }
    let mut gathered = offers.gathered;
    gathered.findings.extend(unreadable(&products, region.name));
    Ok(Priced { names, gathered })
}

/// One product for each machine: without `marketoption` those with capacity blocks are listed twice, once for nothing.
fn filters(region: &str, family: &str, tenancy: &str) -> Option<Vec<Filter>> {
    let wanted = [
        ("regionCode", region),
        ("productFamily", family),
        ("tenancy", tenancy),
        ("operatingSystem", "Linux"),
        ("preInstalledSw", "NA"),
        ("capacitystatus", "Used"),
        ("marketoption", "OnDemand"),
    ];
    let filter = |(field, value)| Filter::builder().r#type(FilterType::TermMatch).field(field).value(value).build().ok();
    wanted.into_iter().map(filter).collect()
}

/// A product.
enum Product {
    Listed { sku: String, value: Value },
    Unreadable(String),
}

/// Reads the products of a page; machines that are not wanted are forgotten at once.
fn read(texts: Vec<String>, is_wanted: &dyn Fn(&str) -> bool) -> Vec<Product> {
    texts.iter().enumerate().filter_map(|(at, text)| product(at, text, is_wanted)).collect()
}

fn product(at: usize, text: &str, is_wanted: &dyn Fn(&str) -> bool) -> Option<Product> {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return Some(Product::Unreadable(named(at, text))) };
    let Some(product) = value.get("product") else { return Some(Product::Unreadable(named(at, text))) };
    let machine = product.pointer("/attributes/instanceType").and_then(Value::as_str);
    if machine.is_some_and(|machine| !is_wanted(machine)) {
        return None;
    }
    let Some(sku) = product.get("sku").and_then(Value::as_str) else { return Some(Product::Unreadable(named(at, text))) };
    Some(Product::Listed { sku: sku.to_owned(), value })
}

/// The SKU of a text that is no product, if one stands in it; else its place.
fn named(at: usize, text: &str) -> String {
    let sku = text.split_once("\"sku\":\"").and_then(|(_, rest)| rest.split_once('"')).map(|(sku, _)| sku);
    match sku {
        Some(sku) if !sku.is_empty() && sku.bytes().all(|byte| byte.is_ascii_alphanumeric()) => format!("`{sku}`"),
        _ => format!("entry {} of a page", at + 1),
    }
}

/// The products as a price list: there, terms stand apart from products and by SKU.
fn document(products: &[Product]) -> String {
    let listed = || {
        products.iter().filter_map(|product| match product {
            Product::Listed { sku, value } => Some((sku, value)),
            Product::Unreadable(_) => None,
        })
    };
    // Names may come twice, and must: a product with two prices is found out by it.
    let object = |part: &dyn Fn(&Value) -> Option<&Value>| {
        let members = listed().filter_map(|(sku, value)| part(value).map(|part| format!("{}:{part}", Value::from(sku.as_str()))));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    };
    let products = object(&|value| value.get("product"));
    let on_demand = object(&|value| value.pointer("/terms/OnDemand"));
    let reserved = object(&|value| value.pointer("/terms/Reserved"));
    format!("{{\"products\":{products},\"terms\":{{\"OnDemand\":{on_demand},\"Reserved\":{reserved}}}}}")
}

fn unreadable(products: &[Product], region: &str) -> Vec<Diagnostic> {
    let mut findings = Summed::default();
    for product in products {
        if let Product::Unreadable(name) = product {
            let says = format!("products of AWS in {region} that cannot be read, left out");
            findings.add((codes::BAD_ENTRY, Severity::Warning), says, name.clone());
        }
    }
    findings.told()
}
