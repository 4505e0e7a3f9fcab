//! Rates of savings plans, from the public file of one region.
//!
//! In: the file, as large as a price list, and the machines of the price list, because a rate is that of a SKU. Out: what a machine
//! costs an hour when a plan covers it. Rates are whole for every payment: a plan is a commitment of dollars an hour, however much of
//! it is paid at once. Compute and EC2 Instance Savings Plans have different rates for one SKU: a rate is read with its plan only.

use super::stream::{self, Kind, Part, Texts, pass_over, text, value};
use super::terms::{payment, years};
use super::{BAD_ENTRY, Machines, Region, amount, moment, tidy};
use crate::domain::Cloud;
use crate::pricing::gathered::{Bought, Gathered, Product, Quote, Term};
use crate::pricing::http::ReadFault;
use crate::pricing::summed::Summed;
use serde::de::{MapAccess, SeqAccess};
use std::collections::BTreeMap;
use std::io::Read;

const SOURCE: &str = "AWS savings plan price list";

/// Reads the rates of a region's file: those of `machines`.
///
/// # Errors
/// The file broke off, or is no file of savings plans.
pub fn parse_plans(reader: impl Read, region: &Region<'_>, machines: &Machines) -> Result<Gathered, ReadFault> {
    let mut file = PlanFile { machines, plans: None, terms: None };
    stream::document(reader, &mut file)?;
    let missing = |name: &str| ReadFault::Malformed(format!("it has no `{name}`"));
    let plans = file.plans.ok_or_else(|| missing("products"))?;
    let terms = file.terms.ok_or_else(|| missing("terms"))?;
    let mut gathered = Gathered::default();
    let mut summed = Summed::default();
    let mut left_out = |name: &str, why: &str| {
        let name = format!("{name} in `{}` ({why})", region.name);
        summed.add(BAD_ENTRY, "entries of the AWS savings plans that cannot be read, left out", name);
    };
    for term in terms {
        let sku = term.sku.as_deref().unwrap_or_default();
        let plan = match plans.0.get(sku) {
            Some(Ok(Some(plan))) => plan,
            // Another kind of plan, which does not cover machines.
            Some(Ok(None)) => continue,
            Some(Err(why)) => {
                left_out(&format!("plan `{sku}`"), why);
                continue;
            }
            None => {
                left_out(&format!("plan `{sku}`"), "no product");
                continue;
            }
        };
        let as_of = moment(term.effective.as_deref(), region.now);
        for (machine, rate) in &term.rates.found {
            match rate.quote(machine, plan, (region.name, as_of)) {
                Ok(quote) => gathered.quotes.push(quote),
                Err(why) => left_out(&format!("`{machine}` in plan `{sku}`"), &why),
            }
        }
    }
    tidy(&mut gathered);
    gathered.findings.extend(summed.told());
    Ok(gathered)
}

/// The document. Plans may come before or after their rates.
struct PlanFile<'a> {
    machines: &'a Machines,
    plans: Option<Plans>,
    terms: Option<Vec<PlanTerm<'a>>>,
}

impl Part for PlanFile<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "products" => {
                let mut plans = Plans::default();
                let kind = value(members, &mut plans)?;
                self.plans = (kind == Kind::Array).then_some(plans);
            }
            "terms" => {
                let mut terms = Terms(PlanTerms { machines: self.machines, found: Vec::new() });
                let kind = value(members, &mut terms)?;
                self.terms = (kind == Kind::Object).then_some(terms.0.found);
            }
            _ => pass_over(members)?,
        }
        Ok(())
    }
}

/// `products`: by SKU, what a plan commits to; `None` for plans that do not cover machines; a reason where it cannot be read.
#[derive(Default)]
struct Plans(BTreeMap<String, Result<Option<Term>, String>>);

impl Part for Plans {
    fn element<'de, A: SeqAccess<'de>>(&mut self, elements: &mut A) -> Result<bool, A::Error> {
        let mut plan = Plan { sku: None, family: None, attributes: Texts::new(&["purchaseTerm", "purchaseOption"]) };
        let more = stream::next(elements, &mut plan)?.is_some();
        if let Some(sku) = plan.sku.take() {
            self.0.insert(sku, plan.term());
        }
        Ok(more)
    }
}

/// A plan as a product.
struct Plan {
    sku: Option<String>,
    family: Option<String>,
    attributes: Texts,
}

impl Part for Plan {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "sku" => self.sku = text(members)?,
            "productFamily" => self.family = text(members)?,
            "attributes" => value(members, &mut self.attributes).map(|_| ())?,
            _ => pass_over(members)?,
        }
        Ok(())
    }
}

impl Plan {
    fn term(&self) -> Result<Option<Term>, String> {
        let product = match self.family.as_deref() {
            Some("ComputeSavingsPlans") => Product::ComputeSavingsPlan,
            Some("EC2InstanceSavingsPlans") => Product::InstanceSavingsPlan,
            Some(_) => return Ok(None),
            None => return Err("no product family".to_owned()),
        };
        let get = |name| self.attributes.get(name).unwrap_or_default();
        Ok(Some(Term { product, years: years(get("purchaseTerm"))?, payment: payment(get("purchaseOption"))? }))
    }
}

/// `terms`.
struct Terms<'a>(PlanTerms<'a>);

impl Part for Terms<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        if name == "savingsPlan" { value(members, &mut self.0).map(|_| ()) } else { pass_over(members) }
    }
}

/// `savingsPlan`: the plans with their rates.
struct PlanTerms<'a> {
    machines: &'a Machines,
    found: Vec<PlanTerm<'a>>,
}

impl Part for PlanTerms<'_> {
    fn element<'de, A: SeqAccess<'de>>(&mut self, elements: &mut A) -> Result<bool, A::Error> {
        let mut term = PlanTerm { sku: None, effective: None, rates: Rates { machines: self.machines, found: Vec::new() } };
        let more = stream::next(elements, &mut term)?.is_some();
        if !term.rates.found.is_empty() {
            self.found.push(term);
        }
        Ok(more)
    }
}

/// A plan with its rates.
struct PlanTerm<'a> {
    sku: Option<String>,
    effective: Option<String>,
    rates: Rates<'a>,
}

impl Part for PlanTerm<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "sku" => self.sku = text(members)?,
            "effectiveDate" => self.effective = text(members)?,
            "rates" => value(members, &mut self.rates).map(|_| ())?,
            _ => pass_over(members)?,
        }
        Ok(())
    }
}

/// `rates`: those of the machines that are wanted.
struct Rates<'a> {
    machines: &'a Machines,
    found: Vec<(&'a str, Rate)>,
}

impl Part for Rates<'_> {
    fn element<'de, A: SeqAccess<'de>>(&mut self, elements: &mut A) -> Result<bool, A::Error> {
        let mut entry = RateEntry { sku: Sku { machines: self.machines, machine: None, is_read: false }, rate: Rate::default() };
        let more = stream::next(elements, &mut entry)?.is_some();
        self.found.extend(entry.sku.machine.map(|machine| (machine, entry.rate)));
        Ok(more)
    }
}

/// A rate, with what it is of.
struct RateEntry<'a> {
    sku: Sku<'a>,
    rate: Rate,
}

impl Part for RateEntry<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        // There are hundreds of thousands of rates: nothing is kept of one that is known not to be wanted.
        if self.sku.is_read && self.sku.machine.is_none() {
            return pass_over(members);
        }
        match name {
            "discountedSku" => value(members, &mut self.sku).map(|_| ()),
            "unit" => {
                self.rate.unit = text(members)?;
                Ok(())
            }
            "discountedRate" => value(members, &mut self.rate.price).map(|_| ()),
            _ => pass_over(members),
        }
    }
}

/// The SKU that a rate is of, looked up and not kept.
struct Sku<'a> {
    machines: &'a Machines,
    machine: Option<&'a str>,
    is_read: bool,
}

impl Part for Sku<'_> {
    fn scalar(&mut self, sku: &str) {
        self.machine = self.machines.get(sku).map(String::as_str);
        self.is_read = true;
    }
}

/// A rate of a machine.
struct Rate {
    unit: Option<String>,
    price: Texts,
}

impl Default for Rate {
    fn default() -> Self {
        Self { unit: None, price: Texts::new(&["price", "currency"]) }
    }
}

impl Rate {
    fn quote(&self, machine: &str, plan: &Term, (region, as_of): (&str, jiff::Timestamp)) -> Result<Quote, String> {
        let unit = self.unit.as_deref().unwrap_or_default();
        if unit != "Hrs" {
            return Err(format!("rate for each `{unit}`"));
        }
        let price = self.price.get("price").ok_or("no rate")?;
        Ok(Quote {
            cloud: Cloud::Aws,
            region: region.to_owned(),
            zone: None,
            instance_type: machine.to_owned(),
            bought: Bought::Committed(plan.clone()),
            per_hour: amount(price).ok_or_else(|| format!("`{price}` is no rate"))?,
            currency: self.price.get("currency").ok_or("no currency")?.to_owned(),
            source: SOURCE.to_owned(),
            as_of,
            derivation: String::new(),
        })
    }
}

#[cfg(test)]
mod tests;
