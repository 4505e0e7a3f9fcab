//! Prices by the hour and of reserved instances, from the price list of one region.
//!
//! In: `/offers/v1.0/aws/AmazonEC2/current/REGION/index.json`, hundreds of megabytes with a product for every operating system,
//! tenancy and licence of every machine. Out: the prices and shapes of machines with GPUs, shared tenancy, Linux, and nothing else
//! installed. Only what is wanted of the file is ever held.

use super::stream::{self, Kind, Part, Texts, pass_over, text, value};
use super::terms::Terms;
use super::{BAD_ENTRY, LISTED, Machines, Region, amount, tidy};
use crate::domain::Cloud;
use crate::pricing::gathered::{Gathered, Shape};
use crate::pricing::http::ReadFault;
use crate::pricing::summed::Summed;
use serde::de::MapAccess;
use std::collections::BTreeSet;
use std::io::Read;

/// What the price list of a region brought.
#[derive(Debug, Default)]
pub struct Offers {
    /// Machines with GPUs, by SKU: the key to the savings plans.
    pub machines: Machines,
    /// Prices, shapes and findings.
    pub gathered: Gathered,
    /// Machines with GPUs that were not asked for, because nobody knows them.
    pub unknown: BTreeSet<String>,
    /// Prices came before the products that they are of, and were passed over where those were not known: read again, with `machines`.
    pub terms_came_first: bool,
}

/// Reads the price list of a region. `known` holds the machines that an earlier reading found, and is empty in the first.
///
/// # Errors
/// The list broke off, or is no price list.
pub fn parse_offers(reader: impl Read, region: &Region<'_>, known: Machines) -> Result<Offers, ReadFault> {
    let offers = Offers { machines: known, ..Offers::default() };
    let mut list = List { region, offers, has_products: false, has_terms: false, summed: Summed::default() };
    stream::document(reader, &mut list)?;
    let List { mut offers, has_products, has_terms, summed, .. } = list;
    if !has_products || !has_terms {
        let missing = if has_products { "terms" } else { "products" };
        return Err(ReadFault::Malformed(format!("it has no `{missing}`")));
    }
    tidy(&mut offers.gathered);
    offers.gathered.findings.extend(summed.told());
    Ok(offers)
}

/// The document.
struct List<'a> {
    region: &'a Region<'a>,
    offers: Offers,
    has_products: bool,
    has_terms: bool,
    summed: Summed,
}

impl Part for List<'_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "products" => {
                self.has_products |= value(members, &mut Products(self))? == Kind::Object;
                Ok(())
            }
            "terms" => {
                self.offers.terms_came_first |= !self.has_products;
                let Offers { machines, gathered, .. } = &mut self.offers;
                let mut terms = Terms { region: self.region, machines, quotes: &mut gathered.quotes, summed: &mut self.summed };
                self.has_terms |= value(members, &mut terms)? == Kind::Object;
                Ok(())
            }
            _ => pass_over(members),
        }
    }
}

/// `products`, by SKU.
struct Products<'a, 'b>(&'a mut List<'b>);

impl Part for Products<'_, '_> {
    fn member<'de, A: MapAccess<'de>>(&mut self, sku: &str, members: &mut A) -> Result<(), A::Error> {
        let mut entry = Entry { family: None, attributes: Texts::new(ATTRIBUTES), has_attributes: false };
        if value(members, &mut entry)? == Kind::Object {
            self.0.product(sku, &entry);
        } else {
            left_out(&mut self.0.summed, self.0.region, sku, "no product");
        }
        Ok(())
    }
}

/// Attributes that decide, and those that describe the machine.
const ATTRIBUTES: &[&str] = &[
    "instanceType",
    "locationType",
    "regionCode",
    "tenancy",
    "operatingSystem",
    "preInstalledSw",
    "capacitystatus",
    "marketoption",
    "operation",
    "vcpu",
    "memory",
    "gpu",
];

/// A product.
struct Entry {
    family: Option<String>,
    attributes: Texts,
    has_attributes: bool,
}

impl Part for Entry {
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "productFamily" => self.family = text(members)?,
            "attributes" => self.has_attributes = value(members, &mut self.attributes)? == Kind::Object,
            _ => pass_over(members)?,
        }
        Ok(())
    }
}

impl Entry {
    /// Tenancy under which a family of machines is sold to everyone; `None` for what is no machine.
    fn usual_tenancy(&self) -> Option<&'static str> {
        match self.family.as_deref()? {
            "Compute Instance" => Some("Shared"),
            "Compute Instance (bare metal)" => Some("Dedicated"),
            _ => None,
        }
    }

    /// Linux and nothing else, bought by the hour, in the region itself: no local zone, no reserved capacity, and no capacity block,
    /// which is listed for nothing because its price is made at the time of booking.
    fn is_plain(&self, tenancy: &str, region: &str) -> bool {
        let is = |name, wanted| self.attributes.get(name) == Some(wanted);
        let by_the_hour = match self.attributes.get("marketoption") {
            Some(option) => option == "OnDemand",
            None => is("operation", "RunInstances"),
        };
        by_the_hour
            && is("tenancy", tenancy)
            && is("operatingSystem", "Linux")
            && is("preInstalledSw", "NA")
            && is("capacitystatus", "Used")
            && is("locationType", "AWS Region")
            && self.attributes.get("regionCode").is_none_or(|code| code == region)
    }

    /// A count or size with its unit, `1,152 GiB`; `Ok(None)` where the list does not say.
    fn number(&self, name: &str, unit: &str) -> Result<Option<f64>, String> {
        let Some(text) = self.attributes.get(name).map(str::trim).filter(|text| !text.is_empty() && *text != "NA") else {
            return Ok(None);
        };
        let digits = text.strip_suffix(unit).unwrap_or(text).trim().replace(',', "");
        match amount(&digits) {
            Some(number) if number >= 0.0 => Ok(Some(number)),
            _ => Err(format!("{name} `{text}`")),
        }
    }
}

impl List<'_> {
    fn product(&mut self, sku: &str, entry: &Entry) {
        let Some(tenancy) = entry.usual_tenancy() else { return };
        let Some(instance_type) = entry.attributes.get("instanceType") else {
            let missing = if entry.has_attributes { "no instance type" } else { "no attributes" };
            return left_out(&mut self.summed, self.region, sku, missing);
        };
        if !entry.is_plain(tenancy, self.region.name) {
            return;
        }
        if !(self.region.is_gpu_type)(instance_type) {
            if matches!(entry.number("gpu", ""), Ok(Some(gpus)) if gpus > 0.0) {
                self.offers.unknown.insert(instance_type.to_owned());
            }
            return;
        }
        match shape(instance_type, entry) {
            Ok(shape) => self.offers.gathered.shapes.extend(shape),
            Err(why) => left_out(&mut self.summed, self.region, instance_type, &why),
        }
        self.offers.machines.insert(sku.to_owned(), instance_type.to_owned());
    }
}

/// Tells that an entry of the price list is left out: whose, and why.
pub(super) fn left_out(summed: &mut Summed, region: &Region<'_>, name: &str, why: &str) {
    summed.add(BAD_ENTRY, "entries of the AWS price list that cannot be read, left out", format!("`{name}` in `{}` ({why})", region.name));
}

/// The machine itself; `None` where the list does not say all of it.
fn shape(instance_type: &str, entry: &Entry) -> Result<Option<Shape>, String> {
    let (gpus, vcpus, ram_gib) = (entry.number("gpu", "")?, entry.number("vcpu", "")?, entry.number("memory", "GiB")?);
    let (Some(gpus), Some(vcpus), Some(ram_gib)) = (gpus, vcpus, ram_gib) else { return Ok(None) };
    Ok(Some(Shape {
        cloud: Cloud::Aws,
        instance_type: instance_type.to_owned(),
        gpu_name: String::new(),
        gpus,
        gpu_memory_gib: None,
        vcpus,
        ram_gib,
        source: LISTED.to_owned(),
    }))
}

#[cfg(test)]
mod tests;
