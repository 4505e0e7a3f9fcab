//! Commitments that may be bought: those that the scenario writes out. Those of the price list are in `price_list`.

use super::Context;
use super::fleet::{instance_type, region};
use super::price_list;
use super::values::{Rule, between, date, dns_label, number, one_line, positive, price, unique};
use crate::domain::{Buying, CapacityType, Cloud, Cover, InstanceType, Payment, Product, PurchaseKind, PurchaseUnit};
use crate::ids::{InstanceTypeId, ProductId, RegionId, WorkloadId};
use crate::input::at::{At, Span};
use crate::input::codes;
use crate::input::faults::Faults;
use crate::input::purchase_file::{BuyFile, PartFile, PaymentFile, ProductFile, PurchaseKindFile};
use crate::input::scenario_file::ScenarioFile;
use crate::units::{HOURS_PER_MONTH, Usd, UsdPerHour};

/// Terms that clouds sell, months.
const TERMS: [u32; 2] = [12, 36];

impl From<PaymentFile> for Payment {
    fn from(given: PaymentFile) -> Self {
        match given {
            PaymentFile::NoUpfront => Self::NoUpfront,
            PaymentFile::PartialUpfront => Self::PartialUpfront,
            PaymentFile::AllUpfront => Self::AllUpfront,
        }
    }
}

/// What the owner accepts.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Longest term, months.
    pub max_term_months: u32,
    /// Ways to pay.
    pub payments: Vec<Payment>,
}

impl Accepted {
    /// Whether a product is within it; else why not.
    #[must_use]
    pub fn refuses(&self, term_months: u32, payment: Payment) -> Option<String> {
        if term_months > self.max_term_months {
            Some(format!("it binds for {term_months} months, and `max_term_months` is {}", self.max_term_months))
        } else if !self.payments.contains(&payment) {
            Some(format!("`payments` does not list {}", payment.as_str()))
        } else {
            None
        }
    }
}

/// Everything that may be bought, and the workloads that are expected to shrink.
pub fn buying(file: &ScenarioFile, context: &Context<'_>, faults: &mut Faults) -> Buying {
    let shrinking = file.workloads.iter().filter(|w| w.shrinking).map(|w| WorkloadId::new(&*w.name.value)).collect();
    let Some(section) = &file.commitments_to_buy else { return Buying { products: Vec::new(), shrinking } };
    let accepted = accepted(section, faults);
    unique(faults, "product", section.products.iter().map(|p| &p.name));
    let mut products = Vec::new();
    for given in &section.products {
        let found = product(given, context, faults);
        if let Some(why) = found.first().and_then(|p| accepted.refuses(p.term_months, p.payment)) {
            faults.note(codes::NOT_OFFERED, given.name.span, format!("product `{}` is left out: {why}", given.name.value));
            continue;
        }
        products.extend(found);
    }
    if section.from_prices.unwrap_or(true) {
        products.extend(price_list::products(&accepted, (context, section.span), faults));
    }
    if products.is_empty() {
        faults
            .warning(codes::NOTHING_TO_BUY, section.span, "`commitments_to_buy` offers nothing")
            .help("give `products` with prices of your own, or see `gpuplan prices list --all` for what is known");
    }
    Buying { products, shrinking }.sorted()
}

fn accepted(section: &At<BuyFile>, faults: &mut Faults) -> Accepted {
    if let Some(given) = &section.max_term_months {
        term(given, "max_term_months", faults);
    }
    let payments = section.payments.as_ref().map(|all| all.iter().map(|&p| Payment::from(p)).collect());
    Accepted {
        max_term_months: section.max_term_months.as_ref().map_or(12, |given| given.value),
        payments: payments.unwrap_or_else(|| Payment::ALL.to_vec()),
    }
}

fn term(given: &At<u32>, key: &str, faults: &mut Faults) {
    if !TERMS.contains(&given.value) {
        faults.error(codes::BAD_TERM, given.span, format!("`{key}` is {}", given.value)).help("commitments are sold for 12 or 36 months");
    }
}

/// A product; a resource one gives one for each part.
fn product(given: &ProductFile, context: &Context<'_>, faults: &mut Faults) -> Vec<Product> {
    dns_label(faults, &given.name, "name");
    term(&given.term_months, "term_months", faults);
    date(faults, &given.as_of, "as_of");
    one_line(faults, &given.source, ("source", given.as_of.span));
    others(given, faults);
    let before = faults.len();
    let products = match given.kind.value {
        PurchaseKindFile::Instance => instance(given, context, faults).into_iter().collect(),
        PurchaseKindFile::SavingsPlan => savings_plan(given, context, faults).into_iter().collect(),
        PurchaseKindFile::Resource => resource(given, context, faults),
    };
    if faults.len() == before {
        dear(given, (&products, context), faults);
    }
    products
}

/// Keys of another kind.
fn others(given: &ProductFile, faults: &mut Faults) {
    use PurchaseKindFile::{Instance, Resource, SavingsPlan};
    let kind = given.kind.value;
    let keys: [(&str, Option<Span>, &[PurchaseKindFile]); 7] = [
        ("region", given.region.as_ref().map(|v| v.span), &[Instance, Resource]),
        ("instance_type", given.instance_type.as_ref().map(|v| v.span), &[Instance]),
        ("upfront_usd", given.upfront_usd.as_ref().map(|v| v.span), &[Instance]),
        ("usd_per_hour", given.usd_per_hour.as_ref().map(|v| v.span), &[Instance]),
        ("rates", given.rates.as_ref().map(|v| v.span), &[SavingsPlan]),
        ("instance_types", given.instance_types.as_ref().map(|v| v.span), &[Resource]),
        ("parts", given.parts.as_ref().map(|v| v.span), &[Resource]),
    ];
    for (key, at, kinds) in keys {
        if let Some(at) = at.filter(|_| !kinds.contains(&kind)) {
            faults.error(
                codes::PART_OF_ANOTHER_KIND,
                at,
                format!("`{key}` does not belong to a product of kind {}", kind_of(kind).as_str()),
            );
        }
    }
}

const fn kind_of(kind: PurchaseKindFile) -> PurchaseKind {
    match kind {
        PurchaseKindFile::Instance => PurchaseKind::Instance,
        PurchaseKindFile::SavingsPlan => PurchaseKind::SavingsPlan,
        PurchaseKindFile::Resource => PurchaseKind::Resource,
    }
}

/// A key that the kind needs.
fn needed<'a, T>(key: &str, value: Option<&'a T>, (given, faults): (&ProductFile, &mut Faults)) -> Option<&'a T> {
    if value.is_none() {
        let message = format!("product `{}` of kind {} has no `{key}`", given.name.value, kind_of(given.kind.value).as_str());
        faults.error(codes::MISSING_PART, given.kind.span, message).help(format!("add `{key}`"));
    }
    value
}

/// A machine of a cloud that sells the kind, with an on-demand price.
fn machine<'a>(
    given: &ProductFile,
    (shape, place): (&At<String>, &At<String>),
    (context, faults): (&Context<'a>, &mut Faults),
) -> Option<(&'a InstanceType, RegionId)> {
    let place = region(place, context, faults);
    let found = instance_type(shape, context, faults)?;
    let sells = (found.cloud == Cloud::Gcp) == (given.kind.value == PurchaseKindFile::Resource);
    if !sells {
        let (cloud, kind) = (found.cloud.as_str(), kind_of(given.kind.value).as_str());
        faults
            .error(codes::NOT_SOLD, shape.span, format!("{cloud} sells no commitment of kind {kind} for `{}`", found.id))
            .help("`resource` is for Google Cloud, `instance` and `savings-plan` are for AWS and Azure");
        return None;
    }
    if context.offering(&found.id, &place, CapacityType::OnDemand).is_none() {
        faults
            .error(codes::NO_PRICE, shape.span, format!("no on-demand price of `{}` in `{place}` is known", found.id))
            .help("give one under `prices`: a commitment covers on-demand machines only");
        return None;
    }
    Some((found, place))
}

fn named(given: &ProductFile, suffix: &str) -> Product {
    Product {
        id: ProductId::new(format!("{}{suffix}", given.name.value)),
        kind: kind_of(given.kind.value),
        unit: PurchaseUnit::Nodes,
        term_months: given.term_months.value,
        payment: Payment::from(given.payment.value),
        upfront: Usd::ZERO,
        hourly: UsdPerHour::ZERO,
        on_demand: None,
        covers: Vec::new(),
        source: given.source.clone(),
        as_of: given.as_of.value.clone(),
    }
}

fn instance(given: &ProductFile, context: &Context<'_>, faults: &mut Faults) -> Option<Product> {
    let shape = needed("instance_type", given.instance_type.as_ref(), (given, faults));
    let place = needed("region", given.region.as_ref(), (given, faults));
    let amount = |value: Option<&At<f64>>, rule: Rule, faults: &mut Faults| value.map_or(0.0, |v| number(faults, v, rule));
    let upfront = amount(given.upfront_usd.as_ref(), between("upfront_usd", 0.0, 1e7), faults);
    let hourly = amount(given.usd_per_hour.as_ref(), between("usd_per_hour", 0.0, 10_000.0), faults);
    let fits = match given.payment.value {
        PaymentFile::NoUpfront => upfront <= 0.0 && hourly > 0.0,
        PaymentFile::PartialUpfront => upfront > 0.0 && hourly > 0.0,
        PaymentFile::AllUpfront => upfront > 0.0 && hourly <= 0.0,
    };
    if !fits {
        let payment = Payment::from(given.payment.value).as_str();
        let message = format!("product `{}` is {payment}, with {upfront} dollars at once and {hourly} an hour", given.name.value);
        faults
            .error(codes::ODD_PAYMENT, given.payment.span, message)
            .help("no-upfront has `usd_per_hour` alone, all-upfront has `upfront_usd` alone, partial-upfront has both");
    }
    let (shape, place) = machine(given, (shape?, place?), (context, faults))?;
    let covers = vec![Cover { instance_type: shape.id.clone(), region: place, units: 1.0 }];
    Some(Product { upfront: Usd::from_f64(upfront), hourly: UsdPerHour::from_f64(hourly), covers, ..named(given, "") })
}

fn savings_plan(given: &ProductFile, context: &Context<'_>, faults: &mut Faults) -> Option<Product> {
    let rates = needed("rates", given.rates.as_ref(), (given, faults))?;
    if rates.is_empty() {
        faults.error(codes::MISSING_PART, rates.span, "`rates` is empty").help("add a rate for each machine type that the plan covers");
    }
    let mut covers: Vec<Cover> = Vec::new();
    for rate in &rates.value {
        let units = number(faults, &rate.usd_per_hour, price("usd_per_hour"));
        let Some((shape, region)) = machine(given, (&rate.instance_type, &rate.region), (context, faults)) else { continue };
        if covers.iter().any(|c| c.instance_type == shape.id && c.region == region) {
            let message = format!("the rate of `{}` in `{region}` is given twice", shape.id);
            faults.error(codes::DUPLICATE_NAME, rate.instance_type.span, message);
        }
        covers.push(Cover { instance_type: shape.id.clone(), region, units });
    }
    let (upfront, hourly) = paid(Payment::from(given.payment.value), given.term_months.value);
    Some(Product { unit: PurchaseUnit::UsdPerHour, upfront, hourly, covers, ..named(given, "") })
}

/// How a dollar an hour is paid: by the hour, half of it at once, or all of it at once.
#[must_use]
pub fn paid(payment: Payment, term_months: u32) -> (Usd, UsdPerHour) {
    let at_once = match payment {
        Payment::NoUpfront => 0.0,
        Payment::PartialUpfront => 0.5,
        Payment::AllUpfront => 1.0,
    };
    (Usd::from_f64(at_once * f64::from(term_months) * HOURS_PER_MONTH), UsdPerHour::from_f64(1.0 - at_once))
}

fn resource(given: &ProductFile, context: &Context<'_>, faults: &mut Faults) -> Vec<Product> {
    if given.payment.value != PaymentFile::NoUpfront {
        let message = format!("product `{}` is {}", given.name.value, Payment::from(given.payment.value).as_str());
        faults
            .error(codes::ODD_PAYMENT, given.payment.span, message)
            .help("committed use is paid by the month: write `payment: no-upfront`");
    }
    let place = needed("region", given.region.as_ref(), (given, faults));
    let shapes = needed("instance_types", given.instance_types.as_ref(), (given, faults));
    let parts = needed("parts", given.parts.as_ref(), (given, faults));
    let (Some(place), Some(shapes), Some(parts)) = (place, shapes, parts) else { return Vec::new() };
    let found = shapes.value.iter().filter_map(|shape| machine(given, (shape, place), (context, faults)));
    let machines: Vec<(&InstanceType, RegionId)> = found.collect();
    type Amount = fn(&InstanceType) -> f64;
    let all: [(&str, PurchaseUnit, Option<&PartFile>, Amount); 3] = [
        ("-vcpus", PurchaseUnit::Vcpus, parts.vcpu.as_ref(), |m| m.vcpus),
        ("-ram", PurchaseUnit::RamGib, parts.ram_gib.as_ref(), |m| m.ram.0),
        ("-gpus", PurchaseUnit::Gpus, parts.gpu.as_ref(), |m| f64::from(m.gpus)),
    ];
    if all.iter().all(|(_, _, part, _)| part.is_none()) {
        faults.error(codes::MISSING_PART, parts.span, "`parts` has no part").help("add `vcpu`, `ram_gib` or `gpu`");
    }
    let of = |(suffix, unit, part, amount): (&str, PurchaseUnit, Option<&PartFile>, Amount)| -> Option<Product> {
        let part = part?;
        let hourly = number(faults, &part.usd_per_hour, positive("usd_per_hour"));
        let on_demand = number(faults, &part.on_demand_usd_per_hour, positive("on_demand_usd_per_hour"));
        let cover =
            |(m, region): &(&InstanceType, RegionId)| Cover { instance_type: m.id.clone(), region: region.clone(), units: amount(m) };
        Some(Product {
            unit,
            hourly: UsdPerHour::from_f64(hourly),
            on_demand: Some(UsdPerHour::from_f64(on_demand)),
            covers: machines.iter().map(cover).collect(),
            ..named(given, suffix)
        })
    };
    all.into_iter().filter_map(of).collect()
}

/// A product that costs more than on demand on every machine, however much it is used; parts that cost more on demand than the
/// whole machine.
fn dear(given: &ProductFile, (products, context): (&[Product], &Context<'_>), faults: &mut Faults) {
    let list = |shape: &InstanceTypeId, place: &RegionId| {
        context.offering(shape, place, CapacityType::OnDemand).map_or(0.0, |o| o.list_price.as_f64())
    };
    for product in products {
        let of_part = product.on_demand.map(UsdPerHour::as_f64);
        let saves = |c: &Cover| {
            let on_demand = of_part.map_or_else(|| list(&c.instance_type, &c.region), |price| price * c.units);
            on_demand > c.units * product.spread_usd_per_hour()
        };
        if !product.covers.is_empty() && !product.covers.iter().any(saves) {
            faults
                .warning(codes::NEVER_PAYS, given.name.span, format!("product `{}` costs no less than on demand", product.id))
                .help("it is never bought: check its prices and their units");
        }
    }
    for cover in products.first().map_or(&[][..], |p| &p.covers) {
        let same = |c: &&Cover| c.instance_type == cover.instance_type && c.region == cover.region;
        let part = |p: &Product| p.covers.iter().find(same).zip(p.on_demand).map_or(0.0, |(c, price)| c.units * price.as_f64());
        let (parts, whole) = (products.iter().map(part).sum::<f64>(), list(&cover.instance_type, &cover.region));
        if parts > whole * 1.001 {
            let message = format!("parts of `{}` cost {parts:.4} dollars an hour on demand, the machine {whole:.4}", cover.instance_type);
            faults.error(codes::OUT_OF_RANGE, given.name.span, message).help("parts cannot cost more than the machine: check `parts`");
        }
    }
}
