//! Terms of the price list: what a machine costs by the hour, and reserved for one or three years.
//!
//! In: `terms` of the list, by class, SKU and term. Out: prices of whole machines an hour; a fee at the beginning of a reservation is
//! spread over the hours of its term. A term of which a price is missing brings none: a part of a price is not a price.

use super::offers::left_out;
use super::stream::{Kind, Part, Texts, pass_over, text, value};
use super::{LISTED, Machines, Region, amount, moment};
use crate::domain::Cloud;
use crate::pricing::gathered::{Bought, Payment, Product, Quote, Term};
use crate::pricing::summed::Summed;
use serde::de::MapAccess;
use std::collections::BTreeSet;

/// Hours of a year, as the clouds count a term.
const HOURS_A_YEAR: u32 = 8760;

/// A class of terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    OnDemand,
    Reserved,
}

impl Class {
    const fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "on demand",
            Self::Reserved => "reserved",
        }
    }
}

/// `terms`: the prices of the machines that are wanted.
pub struct Terms<'a> {
    /// Where.
    pub region: &'a Region<'a>,
    /// Machines that are wanted, by SKU.
    pub machines: &'a Machines,
    /// Prices found.
    pub quotes: &'a mut Vec<Quote>,
    /// What could not be read.
    pub summed: &'a mut Summed,
}

impl Part for Terms<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        let class = match name {
            "OnDemand" => Class::OnDemand,
            "Reserved" => Class::Reserved,
            _ => return pass_over(members),
        };
        // Without machines there is nothing to look for.
        if self.machines.is_empty() {
            return pass_over(members);
        }
        value(members, &mut BySku(self, class)).map(|_| ())
    }
}

impl Terms<'_> {
    fn take(&mut self, machine: &str, class: Class, term: &Priced) {
        match term.quote(machine, class, self.region) {
            Ok(quote) => self.quotes.push(quote),
            Err(why) => left_out(self.summed, self.region, machine, &format!("{}: {why}", class.as_str())),
        }
    }
}

/// The terms of one class, by SKU.
struct BySku<'a, 'b>(&'a mut Terms<'b>, Class);

impl Part for BySku<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, sku: &str, members: &mut A) -> Result<(), A::Error> {
        let Some(machine) = self.0.machines.get(sku) else { return pass_over(members) };
        let class = self.1;
        let kind = value(members, &mut OfMachine { terms: self.0, class, machine })?;
        if kind != Kind::Object {
            left_out(self.0.summed, self.0.region, machine, &format!("{}: no terms", class.as_str()));
        }
        Ok(())
    }
}

/// The terms of one machine.
struct OfMachine<'a, 'b> {
    terms: &'a mut Terms<'b>,
    class: Class,
    machine: &'a str,
}

impl Part for OfMachine<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, _code: &str, members: &mut A) -> Result<(), A::Error> {
        let mut term = Priced { effective: None, attributes: Texts::new(TERM_ATTRIBUTES), dimensions: Dimensions::default() };
        value(members, &mut term)?;
        self.terms.take(self.machine, self.class, &term);
        Ok(())
    }
}

const TERM_ATTRIBUTES: &[&str] = &["LeaseContractLength", "OfferingClass", "PurchaseOption"];

/// A term with its prices.
struct Priced {
    effective: Option<String>,
    attributes: Texts,
    dimensions: Dimensions,
}

impl Part for Priced {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "effectiveDate" => self.effective = text(members)?,
            "termAttributes" => value(members, &mut self.attributes).map(|_| ())?,
            "priceDimensions" => value(members, &mut self.dimensions).map(|_| ())?,
            _ => pass_over(members)?,
        }
        Ok(())
    }
}

/// `priceDimensions`: what is asked in each unit.
#[derive(Default)]
struct Dimensions(Vec<Dimension>);

impl Part for Dimensions {
    fn member<'de, A: MapAccess<'de>>(&mut self, _code: &str, members: &mut A) -> Result<(), A::Error> {
        let mut dimension = Dimension::default();
        value(members, &mut dimension)?;
        self.0.push(dimension);
        Ok(())
    }
}

/// One price in one unit.
#[derive(Default)]
struct Dimension {
    unit: Option<String>,
    prices: Currencies,
}

impl Part for Dimension {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "unit" => self.unit = text(members)?,
            "pricePerUnit" => value(members, &mut self.prices).map(|_| ())?,
            _ => pass_over(members)?,
        }
        Ok(())
    }
}

/// Texts of a price, by currency.
#[derive(Default)]
struct Currencies(Vec<(String, String)>);

impl Part for Currencies {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        self.0.extend(text(members)?.map(|price| (name.to_owned(), price)));
        Ok(())
    }
}

impl Currencies {
    /// The price in dollars, or in whatever currency there is.
    fn first(&self) -> Option<(&str, &str)> {
        let dollars = self.0.iter().find(|(currency, _)| currency == "USD");
        dollars.or_else(|| self.0.iter().min()).map(|(currency, price)| (currency.as_str(), price.as_str()))
    }
}

impl Priced {
    fn quote(&self, machine: &str, class: Class, region: &Region<'_>) -> Result<Quote, String> {
        let (per_hour, at_once, currency) = self.asked()?;
        let bought = match class {
            Class::OnDemand => Bought::OnDemand,
            Class::Reserved => Bought::Committed(self.term()?),
        };
        let (per_hour, derivation) = match &bought {
            Bought::Committed(term) => whole_rate(term, per_hour, at_once)?,
            Bought::OnDemand | Bought::Spot => (per_hour.ok_or("no price an hour")?, String::new()),
        };
        Ok(Quote {
            cloud: Cloud::Aws,
            region: region.name.to_owned(),
            zone: None,
            instance_type: machine.to_owned(),
            bought,
            per_hour,
            currency,
            source: LISTED.to_owned(),
            as_of: moment(self.effective.as_deref(), region.now),
            derivation,
        })
    }

    /// Asked an hour, at once, and in which currency.
    fn asked(&self) -> Result<(Option<f64>, Option<f64>, String), String> {
        let (mut per_hour, mut at_once, mut currencies) = (None, None, BTreeSet::new());
        for dimension in &self.dimensions.0 {
            let (currency, price) = dimension.prices.first().ok_or("no price")?;
            let price = amount(price).ok_or_else(|| format!("`{price}` is no price"))?;
            let unit = dimension.unit.as_deref().unwrap_or_default();
            let slot = match unit {
                "Hrs" => &mut per_hour,
                "Quantity" => &mut at_once,
                _ => return Err(format!("price for each `{unit}`")),
            };
            if slot.replace(price).is_some() {
                return Err(format!("two prices for each `{unit}`"));
            }
            currencies.insert(currency);
        }
        match currencies.iter().collect::<Vec<_>>()[..] {
            [currency] => Ok((per_hour, at_once, (*currency).to_owned())),
            [] => Err("no price".to_owned()),
            _ => Err("two currencies".to_owned()),
        }
    }

    fn term(&self) -> Result<Term, String> {
        let get = |name| self.attributes.get(name).unwrap_or_default();
        let product = match get("OfferingClass") {
            "standard" => Product::StandardReserved,
            "convertible" => Product::ConvertibleReserved,
            other => return Err(format!("offering class `{other}`")),
        };
        Ok(Term { product, years: years(get("LeaseContractLength"))?, payment: payment(get("PurchaseOption"))? })
    }
}

/// Years of a term: `1yr`, `3yr`.
pub(super) fn years(text: &str) -> Result<u8, String> {
    match text {
        "1yr" => Ok(1),
        "3yr" => Ok(3),
        other => Err(format!("term `{other}`")),
    }
}

/// Payment of a term: `No Upfront`, `Partial Upfront`, `All Upfront`.
pub(super) fn payment(text: &str) -> Result<Payment, String> {
    match text {
        "No Upfront" => Ok(Payment::NoUpfront),
        "Partial Upfront" => Ok(Payment::PartialUpfront),
        "All Upfront" => Ok(Payment::AllUpfront),
        other => Err(format!("payment `{other}`")),
    }
}

/// What a machine costs an hour when the fee is spread over the hours of the term, and how that was worked out.
fn whole_rate(term: &Term, per_hour: Option<f64>, at_once: Option<f64>) -> Result<(f64, String), String> {
    let per_hour = match (per_hour, term.payment) {
        (Some(price), _) => price,
        // All is paid with the fee: an hourly price that is not listed is none.
        (None, Payment::AllUpfront) => 0.0,
        (None, Payment::NoUpfront | Payment::PartialUpfront) => return Err("no price an hour".to_owned()),
    };
    let fee = match (at_once, term.payment) {
        (Some(fee), _) => fee,
        (None, Payment::NoUpfront) => return Ok((per_hour, String::new())),
        (None, Payment::PartialUpfront | Payment::AllUpfront) => return Err("no upfront fee".to_owned()),
    };
    let hours = HOURS_A_YEAR * u32::from(term.years);
    Ok((per_hour + fee / f64::from(hours), format!("{per_hour} an hour + {fee} at once / {hours} h")))
}
