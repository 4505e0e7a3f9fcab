//! Commitments of the price list: reserved instances, reservations, savings plans and committed use, as far as the prices that are
//! planned on know them. What is not known is not offered, and that is said.

use super::Context;
use super::purchase::{Accepted, paid};
use crate::catalog::{CatalogRow, RowCapacity, family};
use crate::domain::{CapacityType, Cloud, Cover, Payment, Product, PurchaseKind, PurchaseUnit};
use crate::ids::{InstanceTypeId, ProductId, RegionId};
use crate::input::at::Span;
use crate::input::codes;
use crate::input::faults::Faults;
use crate::units::{HOURS_PER_MONTH, Usd, UsdPerHour};
use std::collections::{BTreeMap, BTreeSet};

/// What a row's remark says that it is.
const PRODUCTS: [(&str, PurchaseKind); 7] = [
    ("standard reserved instance", PurchaseKind::Instance),
    ("convertible reserved instance", PurchaseKind::Instance),
    ("resource commitment", PurchaseKind::Resource),
    ("reservation", PurchaseKind::Instance),
    ("EC2 instance savings plan", PurchaseKind::SavingsPlan),
    ("savings plan for compute", PurchaseKind::SavingsPlan),
    ("compute savings plan", PurchaseKind::SavingsPlan),
];

/// How a row's remark says that it is paid. Google's are paid by the month and say nothing.
const PAYMENTS: [(&str, Payment); 3] =
    [("no upfront", Payment::NoUpfront), ("partial upfront", Payment::PartialUpfront), ("all upfront", Payment::AllUpfront)];

/// A row with what it is.
struct Listed<'a> {
    row: &'a CatalogRow,
    words: &'static str,
    kind: PurchaseKind,
    payment: Payment,
    term_months: u32,
}

fn listed(row: &CatalogRow) -> Option<Listed<'_>> {
    let &(words, kind) = PRODUCTS.iter().find(|(words, _)| row.note.contains(words))?;
    let payment = PAYMENTS.iter().find(|(words, _)| row.note.contains(words)).map_or(Payment::NoUpfront, |(_, payment)| *payment);
    let term_months = match row.term.as_str() {
        "1y" => 12,
        "3y" => 36,
        _ => return None,
    };
    Some(Listed { row, words, kind, payment, term_months })
}

/// The products of the scenario's regions that the owner accepts.
pub fn products(accepted: &Accepted, (context, at): (&Context<'_>, Span), faults: &mut Faults) -> Vec<Product> {
    let id = |row: &CatalogRow| (InstanceTypeId::new(&*row.instance_type), RegionId::new(&*row.region));
    let rows = context.catalog.rows.iter().filter(|row| {
        let (shape, place) = id(row);
        row.capacity_type == RowCapacity::Committed
            && row.purchasable
            && context.market.instance_types.contains_key(&shape)
            && context.offering(&shape, &place, CapacityType::OnDemand).is_some()
    });
    let all: Vec<Listed<'_>> = rows.filter_map(listed).filter(|l| accepted.refuses(l.term_months, l.payment).is_none()).collect();
    let mut products = Vec::new();
    let mut unknown_split: BTreeSet<&str> = BTreeSet::new();
    let mut plans: BTreeMap<String, Product> = BTreeMap::new();
    for item in &all {
        let (instance_type, region) = id(item.row);
        match item.kind {
            PurchaseKind::Instance | PurchaseKind::Resource if item.payment == Payment::PartialUpfront => {
                unknown_split.insert(&item.row.instance_type);
            }
            PurchaseKind::Instance | PurchaseKind::Resource => {
                let covers = vec![Cover { instance_type, region, units: 1.0 }];
                let name = format!("{}-{}", item.row.instance_type, item.row.region);
                let at_once = item.payment == Payment::AllUpfront;
                let term = item.row.usd_per_hour * f64::from(item.term_months) * HOURS_PER_MONTH;
                let (upfront, hourly) = if at_once { (term, 0.0) } else { (0.0, item.row.usd_per_hour) };
                products.push(Product {
                    upfront: Usd::from_f64(upfront),
                    hourly: UsdPerHour::from_f64(hourly),
                    covers,
                    ..named(item, &name)
                });
            }
            PurchaseKind::SavingsPlan => {
                let cover = Cover { instance_type, region, units: item.row.usd_per_hour };
                let product = named(item, &scope(item));
                let (upfront, hourly) = paid(item.payment, item.term_months);
                let plan = plans.entry(product.id.to_string());
                let plan = plan.or_insert(Product { unit: PurchaseUnit::UsdPerHour, upfront, hourly, ..product });
                plan.covers.push(cover);
            }
        }
    }
    products.extend(plans.into_values());
    if !unknown_split.is_empty() {
        let names: Vec<&str> = unknown_split.into_iter().collect();
        let message =
            format!("partial-upfront commitments of {} are not offered: what is paid at once is not known apart", names.join(", "));
        faults.note(codes::NOT_OFFERED, at, message).help("give them under `products` with `upfront_usd` and `usd_per_hour`");
    }
    without_rate(&products, (context, at), faults);
    products
}

/// What a savings plan is good for: EC2 instance plans for one family in one region, the others for all.
fn scope(item: &Listed<'_>) -> String {
    if item.words.starts_with("EC2") {
        format!("{}-{}", family::family(item.row.cloud, &item.row.instance_type), item.row.region)
    } else {
        item.row.cloud.as_str().to_owned()
    }
}

fn named(item: &Listed<'_>, name: &str) -> Product {
    let words = item.words.to_lowercase().replace(' ', "-");
    let payment = if item.row.cloud == Cloud::Gcp { String::new() } else { format!("-{}", item.payment.as_str()) };
    Product {
        id: ProductId::new(format!("{name}-{}-{words}{payment}", item.row.term)),
        kind: item.kind,
        unit: PurchaseUnit::Nodes,
        term_months: item.term_months,
        payment: item.payment,
        upfront: Usd::ZERO,
        hourly: UsdPerHour::ZERO,
        on_demand: None,
        covers: Vec::new(),
        source: item.row.source.clone(),
        as_of: item.row.as_of.clone(),
    }
}

/// Says which machines of today's fleet have no commitment whose rate is known.
fn without_rate(products: &[Product], (context, at): (&Context<'_>, Span), faults: &mut Faults) {
    let covered = |shape: &InstanceTypeId, place: &RegionId| {
        products.iter().flat_map(|p| &p.covers).any(|c| &c.instance_type == shape && &c.region == place)
    };
    let today: BTreeSet<_> = context.groups.values().map(|g| (&g.instance_type, &g.region)).collect();
    let bare = today.into_iter().filter(|(shape, place)| !covered(shape, place));
    let names: Vec<String> = bare.map(|(shape, place)| format!("`{shape}` in `{place}`")).collect();
    if !names.is_empty() {
        let message = format!("the prices know no commitment that you would sign for {}: none is offered", names.join(", "));
        faults.note(codes::NOT_OFFERED, at, message).help("give one under `products` if you have a quote, or `gpuplan prices refresh`");
    }
}
