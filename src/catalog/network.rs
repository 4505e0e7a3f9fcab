//! List prices of traffic, and the jurisdictions of regions, as they are compiled in. A region without a row has no price: the scenario
//! then gives its own.

use std::collections::{BTreeMap, BTreeSet};

/// Prices of traffic.
const PRICES_CSV: &str = include_str!("data/network.csv");
/// Jurisdictions.
const JURISDICTIONS_CSV: &str = include_str!("data/jurisdictions.csv");

/// Where a price leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Out of the cloud.
    Internet,
    /// To another region of the same cloud.
    OtherRegion,
    /// In through a NAT gateway.
    Nat,
}

/// A list price, dollars a GiB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ListPrice {
    /// Price.
    pub usd_per_gib: f64,
    /// Where it was read.
    pub source: &'static str,
    /// Day of it.
    pub as_of: &'static str,
}

fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().skip(1).map(|line| line.split(',').collect())
}

/// The list price of a way from (or, through NAT, into) a region.
#[must_use]
pub fn price(region: &str, way: Way) -> Option<ListPrice> {
    let wanted = match way {
        Way::Internet => "internet",
        Way::OtherRegion => "other-region",
        Way::Nat => "nat",
    };
    rows(PRICES_CSV).find_map(|row| match row[..] {
        [at, to, usd, source, as_of] if at == region && to == wanted => {
            usd.parse().ok().map(|usd_per_gib| ListPrice { usd_per_gib, source, as_of })
        }
        _ => None,
    })
}

/// Regions of each jurisdiction: countries by their two letters, and `eu`.
#[must_use]
pub fn jurisdictions() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in rows(JURISDICTIONS_CSV) {
        let [region, names, ..] = row[..] else { continue };
        for name in names.split(';') {
            all.entry(name).or_default().insert(region);
        }
    }
    all
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_sound_and_sorted() {
        let prices: Vec<_> = rows(PRICES_CSV).collect();
        assert!(prices.iter().all(|row| row.len() == 5 && row[2].parse::<f64>().is_ok_and(|usd| usd > 0.0) && row[4].len() == 10));
        assert!(prices.is_sorted_by_key(|row| (row[0], row[1])));
        let places: Vec<_> = rows(JURISDICTIONS_CSV).collect();
        assert!(places.iter().all(|row| row.len() == 4 && row[3].len() == 10));
        assert!(places.is_sorted_by_key(|row| row[0]));
    }

    #[test]
    fn every_region_of_the_price_list_has_a_jurisdiction() {
        let catalog = crate::catalog::builtin::catalog().unwrap();
        let known: BTreeSet<&str> = jurisdictions().into_values().flatten().collect();
        let missing: Vec<_> = catalog.regions().into_keys().filter(|region| !known.contains(region)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn a_price_that_is_not_known_is_none() {
        assert!((price("us-east-1", Way::Nat).unwrap().usd_per_gib - 0.045).abs() < 1e-12);
        assert!(price("us-central1", Way::OtherRegion).is_none());
        assert!(price("nowhere", Way::Internet).is_none());
    }
}
