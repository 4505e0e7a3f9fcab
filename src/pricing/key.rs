//! The name of a price: which machine, where, and how it is bought.
//!
//! In: a row, a quote, or what a person typed. Out: an [`OfferingKey`], which is the same for the same thing in every snapshot.

use super::gathered::{Bought, Payment, Product, Quote, Term};
use crate::catalog::RowCapacity;
use crate::domain::Cloud;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// What a price is for. Ordered by its names, as the catalogue's file is: cloud, region, machine, capacity type, term, product, payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferingKey {
    /// Cloud.
    pub cloud: Cloud,
    /// Region.
    pub region: String,
    /// Machine.
    pub instance_type: String,
    /// How it is bought.
    pub capacity_type: RowCapacity,
    /// `1y` or `3y` for a commitment, else empty.
    pub term: String,
    /// Name of the product that commits, else empty.
    pub product: String,
    /// Name of the way to pay for a commitment, else empty.
    pub payment: String,
}

const CLOUDS: [Cloud; 3] = [Cloud::Aws, Cloud::Azure, Cloud::Gcp];
const CAPACITIES: [RowCapacity; 3] = [RowCapacity::Committed, RowCapacity::OnDemand, RowCapacity::Spot];
const TERMS: [&str; 2] = ["1y", "3y"];
const PRODUCTS: [Product; 7] = [
    Product::StandardReserved,
    Product::ConvertibleReserved,
    Product::InstanceSavingsPlan,
    Product::ComputeSavingsPlan,
    Product::ResourceCommitment,
    Product::Reservation,
    Product::AzureSavingsPlan,
];
const PAYMENTS: [Payment; 3] = [Payment::NoUpfront, Payment::PartialUpfront, Payment::AllUpfront];

/// A name that is no [`OfferingKey`], in parts, so that the caller can look for the nearest known name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` names no price: {}", self.what())]
pub struct KeyFault {
    /// The whole text.
    pub text: String,
    /// Part that is wrong: `cloud`, `region`, `instance type`, `capacity type`, `term`, `product`, `payment`, `end`.
    pub part: &'static str,
    /// What stands there; empty where it is missing.
    pub given: String,
    /// What may stand there; empty where that is no closed list.
    pub known: Vec<&'static str>,
}

impl KeyFault {
    /// The form of a name, for help texts.
    pub const FORM: &'static str =
        "aws/us-east-1/g6e.12xlarge/spot, or aws/us-east-1/g6e.12xlarge/committed/1y/standard-reserved/no-upfront";

    fn what(&self) -> String {
        let Self { text: _, part, given, known } = self;
        let what = match (given.is_empty(), *part) {
            (true, _) => format!("its {part} is missing"),
            (false, "end") => format!("`/{given}` is too much"),
            (false, _) => format!("unknown {part} `{given}`"),
        };
        if known.is_empty() { format!("{what} (form: {})", Self::FORM) } else { format!("{what} (known: {})", known.join(", ")) }
    }
}

/// The cloud of a name.
#[must_use]
pub fn cloud(name: &str) -> Option<Cloud> {
    CLOUDS.into_iter().find(|cloud| cloud.as_str() == name)
}

/// The capacity type of a name.
#[must_use]
pub fn capacity(name: &str) -> Option<RowCapacity> {
    CAPACITIES.into_iter().find(|capacity| capacity.as_str() == name)
}

/// The product of a name.
#[must_use]
pub fn product(name: &str) -> Option<Product> {
    PRODUCTS.into_iter().find(|product| product.as_str() == name)
}

/// The way to pay of a name.
#[must_use]
pub fn payment(name: &str) -> Option<Payment> {
    PAYMENTS.into_iter().find(|payment| payment.as_str() == name)
}

impl OfferingKey {
    /// What a quote is for; none where its term is neither one year nor three.
    #[must_use]
    pub fn of_quote(quote: &Quote) -> Option<Self> {
        let hourly = |capacity_type| (capacity_type, String::new(), String::new(), String::new());
        let (capacity_type, term, product, payment) = match &quote.bought {
            Bought::OnDemand => hourly(RowCapacity::OnDemand),
            Bought::Spot => hourly(RowCapacity::Spot),
            Bought::Committed(Term { product, years: years @ (1 | 3), payment }) => {
                (RowCapacity::Committed, format!("{years}y"), product.as_str().to_owned(), payment.as_str().to_owned())
            }
            Bought::Committed(_) => return None,
        };
        let (cloud, region, instance_type) = (quote.cloud, quote.region.clone(), quote.instance_type.clone());
        Some(Self { cloud, region, instance_type, capacity_type, term, product, payment })
    }

    /// The same machine in the same region, by the hour.
    #[must_use]
    pub fn hourly(cloud: Cloud, region: &str, instance_type: &str, capacity_type: RowCapacity) -> Self {
        let (region, instance_type) = (region.to_owned(), instance_type.to_owned());
        Self { cloud, region, instance_type, capacity_type, term: String::new(), product: String::new(), payment: String::new() }
    }

    /// The key of the on-demand price that this one is held against.
    #[must_use]
    pub fn on_demand(&self) -> Self {
        Self::hourly(self.cloud, &self.region, &self.instance_type, RowCapacity::OnDemand)
    }

    fn names(&self) -> [&str; 7] {
        let Self { cloud, region, instance_type, capacity_type, term, product, payment } = self;
        [cloud.as_str(), region, instance_type, capacity_type.as_str(), term, product, payment]
    }
}

impl Ord for OfferingKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.names().cmp(&other.names())
    }
}

impl PartialOrd for OfferingKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for OfferingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names();
        f.write_str(names[0])?;
        names[1..].iter().filter(|name| !name.is_empty()).try_for_each(|name| write!(f, "/{name}"))
    }
}

impl FromStr for OfferingKey {
    type Err = KeyFault;

    fn from_str(text: &str) -> Result<Self, KeyFault> {
        let mut parts = text.trim().split('/');
        let fault = |part, given: &str, known| KeyFault { text: text.trim().to_owned(), part, given: given.to_owned(), known };
        let mut free = |part| match parts.next().unwrap_or_default() {
            "" => Err(fault(part, "", Vec::new())),
            given => Ok(given.to_owned()),
        };
        let cloud_name = free("cloud")?;
        let cloud = cloud(&cloud_name).ok_or_else(|| fault("cloud", &cloud_name, CLOUDS.iter().map(|c| c.as_str()).collect()))?;
        let (region, instance_type) = (free("region")?, free("instance type")?);
        let name = parts.next().unwrap_or_default();
        let capacity_type = capacity(name).ok_or_else(|| fault("capacity type", name, CAPACITIES.iter().map(|c| c.as_str()).collect()))?;
        let mut key = Self::hourly(cloud, &region, &instance_type, capacity_type);
        if capacity_type == RowCapacity::Committed {
            let mut one_of = |part, known: Vec<&'static str>| {
                let given = parts.next().unwrap_or_default();
                if known.contains(&given) { Ok(given.to_owned()) } else { Err(fault(part, given, known)) }
            };
            key.term = one_of("term", TERMS.to_vec())?;
            key.product = one_of("product", PRODUCTS.iter().map(|p| p.as_str()).collect())?;
            key.payment = one_of("payment", PAYMENTS.iter().map(|p| p.as_str()).collect())?;
        }
        match parts.next() {
            None => Ok(key),
            Some(more) => Err(fault("end", if more.is_empty() { "/" } else { more }, Vec::new())),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    #[test]
    fn keys_print_and_parse_back() {
        for text in [
            "aws/us-east-1/g6e.12xlarge/spot",
            "gcp/us-central1/n1-standard-4+1xT4/on-demand",
            "azure/eastus/Standard_ND96isr_H100_v5/committed/3y/azure-savings-plan/no-upfront",
            "aws/us-east-1/g6e.12xlarge/committed/1y/standard-reserved/no-upfront",
        ] {
            let key: OfferingKey = text.parse().unwrap();
            assert_eq!(key.to_string(), text);
        }
    }

    #[test]
    fn a_wrong_part_is_named_with_what_may_stand_there() {
        let part = |text: &str| {
            let fault = text.parse::<OfferingKey>().unwrap_err();
            (fault.part, fault.given.clone(), fault.known.first().copied(), fault.to_string())
        };
        let (at, given, known, message) = part("awz/us-east-1/g6e.12xlarge/spot");
        assert_eq!((at, given.as_str(), known), ("cloud", "awz", Some("aws")));
        assert_eq!(message, "`awz/us-east-1/g6e.12xlarge/spot` names no price: unknown cloud `awz` (known: aws, azure, gcp)");
        assert_eq!(part("aws/us-east-1").0, "instance type");
        assert_eq!(part("aws/us-east-1//spot").0, "instance type");
        assert_eq!(part("aws/us-east-1/g6e.12xlarge").0, "capacity type");
        assert_eq!(part("aws/us-east-1/g6e.12xlarge/spots").1, "spots");
        assert_eq!(part("aws/us-east-1/g6e.12xlarge/committed/2y").0, "term");
        assert_eq!(part("aws/us-east-1/g6e.12xlarge/committed/1y/reserved").0, "product");
        assert_eq!(part("aws/us-east-1/g6e.12xlarge/committed/1y/standard-reserved/none").0, "payment");
        assert_eq!(part("aws/us-east-1/g6e.12xlarge/spot/1y").0, "end");
        assert!(part("").3.contains("aws/us-east-1/g6e.12xlarge/spot"), "the form is shown");
    }

    #[test]
    fn the_order_is_that_of_the_catalogue() {
        let keys = |texts: [&str; 4]| texts.map(|t| t.parse::<OfferingKey>().unwrap());
        let sorted =
            keys(["aws/r/t/committed/1y/compute-savings-plan/no-upfront", "aws/r/t/on-demand", "azure/r/t/on-demand", "gcp/r/t/on-demand"]);
        let mut mixed = sorted.clone();
        mixed.reverse();
        mixed.sort();
        assert_eq!(mixed, sorted);
    }

    /// Every product and payment is in the lists that names are read by.
    #[test]
    fn no_product_and_no_payment_is_forgotten() {
        for (at, listed) in PRODUCTS.iter().enumerate() {
            let place = match listed {
                Product::StandardReserved => 0,
                Product::ConvertibleReserved => 1,
                Product::InstanceSavingsPlan => 2,
                Product::ComputeSavingsPlan => 3,
                Product::ResourceCommitment => 4,
                Product::Reservation => 5,
                Product::AzureSavingsPlan => 6,
            };
            assert_eq!(place, at);
            assert_eq!(product(listed.as_str()), Some(*listed));
        }
        for (at, listed) in PAYMENTS.iter().enumerate() {
            let place = match listed {
                Payment::NoUpfront => 0,
                Payment::PartialUpfront => 1,
                Payment::AllUpfront => 2,
            };
            assert_eq!(place, at);
            assert_eq!(payment(listed.as_str()), Some(*listed));
        }
    }
}
