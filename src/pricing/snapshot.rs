//! A snapshot: all prices that were known at a moment, each with its origin.
//!
//! In: the embedded catalogue, or what [`super::merge`] makes of a refresh. Out: a [`Catalog`] for the planner. Values only: the form
//! of the file is in [`super::snapshot_file`], the cache in [`super::store`].

use super::gathered::{Owned, PlacementScore, Product};
use super::key::{self, OfferingKey};
use super::statistics::SpotStatistics;
use crate::catalog::{Catalog, CatalogRow, RowCapacity};
use crate::domain::Cloud;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// All prices known at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// When it was put together.
    pub taken_at: Timestamp,
    /// What was refreshed last, by cloud, region and source; what is not listed still has its embedded prices.
    pub refreshed: Vec<Refreshed>,
    /// Prices, one for each [`OfferingKey`], in the order of the keys.
    pub rows: Vec<PriceRow>,
    /// New prices that are too far from the old ones to be believed at once.
    pub held_back: Vec<HeldBack>,
    /// How likely spot requests succeed.
    pub placement: Vec<PlacementScore>,
    /// Commitments that the account holds.
    pub owned: Vec<Owned>,
}

/// A cloud's region that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// Cloud.
    pub cloud: Cloud,
    /// Region.
    pub region: String,
    /// `public` or `api`.
    pub source: String,
    /// When.
    pub taken_at: Timestamp,
}

/// A price, and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceRow {
    /// The row as the planner sees it; `term` is `1y` or `3y` for a commitment.
    pub row: CatalogRow,
    /// Name of the product that commits ([`Product::as_str`]), else empty.
    pub product: String,
    /// Name of the way to pay for a commitment, else empty.
    pub payment: String,
    /// Currency, ISO 4217: always `USD`.
    pub currency: String,
    /// How the price was put together; empty where it is as listed.
    pub derivation: String,
    /// Latest price by zone id, dollars an hour, where it is known by zone.
    pub zone_prices: BTreeMap<String, f64>,
    /// Spot prices over time, all zones together.
    pub statistics: Option<SpotStatistics>,
    /// When a refresh read it; none for an embedded price.
    pub read_at: Option<Timestamp>,
}

/// A price that is held back until it is seen twice.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldBack {
    /// What it is for.
    pub key: OfferingKey,
    /// The new price, dollars an hour.
    pub usd_per_hour: f64,
    /// The price that stays in its place, dollars an hour.
    pub kept_usd_per_hour: f64,
    /// Where the new price was read.
    pub source: String,
    /// Day of the new price.
    pub as_of: String,
    /// When it was first seen.
    pub first_seen: Timestamp,
}

impl PriceRow {
    /// What the price is for.
    #[must_use]
    pub fn key(&self) -> OfferingKey {
        OfferingKey {
            cloud: self.row.cloud,
            region: self.row.region.clone(),
            instance_type: self.row.instance_type.clone(),
            capacity_type: self.row.capacity_type,
            term: self.row.term.clone(),
            product: self.product.clone(),
            payment: self.payment.clone(),
        }
    }
}

impl Snapshot {
    /// The price of that name.
    #[must_use]
    pub fn row(&self, key: &OfferingKey) -> Option<&PriceRow> {
        self.rows.iter().find(|row| row.key() == *key)
    }

    /// The same snapshot in its one order, in which it is written.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.refreshed.sort_by(|a, b| {
            let key = |r: &Refreshed| (r.cloud.as_str(), r.region.clone(), r.source.clone(), r.taken_at);
            key(a).cmp(&key(b))
        });
        self.rows.sort_by_cached_key(PriceRow::key);
        self.held_back.sort_by(|a, b| a.key.cmp(&b.key).then(a.usd_per_hour.total_cmp(&b.usd_per_hour)));
        self.placement.sort_by(|a, b| {
            let key = |p: &PlacementScore| (p.region.clone(), p.zone.clone(), p.instance_type.clone(), p.score);
            key(a).cmp(&key(b))
        });
        self.owned.sort_by(|a, b| {
            let key = |o: &Owned| (o.cloud.as_str(), o.region.clone(), o.id.clone(), o.product, o.covers.clone(), o.count, o.ends);
            let rate = |o: &Owned| o.usd_per_hour.unwrap_or(-1.0);
            key(a).cmp(&key(b)).then(rate(a).total_cmp(&rate(b)))
        });
        self
    }
}

/// The embedded catalogue as a snapshot: the base of the first refresh, each row with its own source and day.
#[must_use]
pub fn from_builtin(catalog: &Catalog, taken_at: Timestamp) -> Snapshot {
    let rows = catalog.rows.iter().map(embedded_row).collect();
    Snapshot { taken_at, refreshed: Vec::new(), rows, held_back: Vec::new(), placement: Vec::new(), owned: Vec::new() }.sorted()
}

/// The embedded commitments are AWS standard reserved instances without upfront payment and Google resource commitments
/// (`catalog/data/README.md`); Azure has none, and a reservation would be the like of them.
fn embedded_row(row: &CatalogRow) -> PriceRow {
    let (product, payment) = match (row.capacity_type, row.cloud) {
        (RowCapacity::OnDemand | RowCapacity::Spot, _) => ("", ""),
        (RowCapacity::Committed, Cloud::Aws) => (Product::StandardReserved.as_str(), "no-upfront"),
        (RowCapacity::Committed, Cloud::Gcp) => (Product::ResourceCommitment.as_str(), "no-upfront"),
        (RowCapacity::Committed, Cloud::Azure) => (Product::Reservation.as_str(), "no-upfront"),
    };
    PriceRow {
        row: row.clone(),
        product: product.to_owned(),
        payment: payment.to_owned(),
        currency: "USD".to_owned(),
        derivation: String::new(),
        zone_prices: BTreeMap::new(),
        statistics: None,
        read_at: None,
    }
}

/// What the planner and the price list see of a snapshot. The GPU types are those of the embedded catalogue.
///
/// A commitment's product and payment go into its note: rows of a catalogue know no products, and several may stand beside each
/// other here. The planner does not buy them.
#[must_use]
pub fn catalog(snapshot: &Snapshot, builtin: &Catalog) -> Catalog {
    let rows = snapshot.rows.iter().map(|price| CatalogRow { note: note(price), ..price.row.clone() }).collect();
    Catalog { accelerators: builtin.accelerators.clone(), rows }
}

fn note(price: &PriceRow) -> String {
    let mut parts: Vec<&str> = vec![&price.row.note];
    if let Some(product) = key::product(&price.product) {
        // What Google commits to is paid by the month: there is nothing to tell apart.
        let payment = if product == Product::ResourceCommitment { "" } else { payment_words(&price.payment) };
        parts.extend([product_words(product), payment].into_iter().filter(|words| !price.row.note.contains(words)));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("; ")
}

const fn product_words(product: Product) -> &'static str {
    match product {
        Product::StandardReserved => "standard reserved instance",
        Product::ConvertibleReserved => "convertible reserved instance",
        Product::InstanceSavingsPlan => "EC2 instance savings plan",
        Product::ComputeSavingsPlan => "compute savings plan",
        Product::ResourceCommitment => "resource commitment",
        Product::Reservation => "reservation",
        Product::AzureSavingsPlan => "savings plan for compute",
    }
}

fn payment_words(payment: &str) -> &str {
    match payment {
        "no-upfront" => "no upfront",
        "partial-upfront" => "partial upfront",
        "all-upfront" => "all upfront",
        other => other,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_embedded_catalogue_comes_back_as_it_was() {
        let builtin = builtin::catalog().unwrap();
        let snapshot = from_builtin(&builtin, at("2026-11-26T00:00:00Z"));
        assert_eq!(snapshot.rows.len(), builtin.rows.len());
        assert_eq!(catalog(&snapshot, &builtin), builtin);
    }

    #[test]
    fn embedded_commitments_have_their_product() {
        let builtin = builtin::catalog().unwrap();
        let snapshot = from_builtin(&builtin, at("2026-11-26T00:00:00Z"));
        let key = "aws/us-east-1/g6e.12xlarge/committed/1y/standard-reserved/no-upfront".parse().unwrap();
        let row = snapshot.row(&key).unwrap();
        assert!((row.row.usd_per_hour - 6.61036).abs() < 1e-9, "{}", row.row.usd_per_hour);
        assert_eq!((row.row.as_of.as_str(), row.read_at), ("2026-01-21", None));
    }

    #[test]
    fn products_that_differ_stand_beside_each_other_and_say_which_they_are() {
        let builtin = builtin::catalog().unwrap();
        let mut snapshot = from_builtin(&builtin, at("2026-11-26T00:00:00Z"));
        let key: OfferingKey = "aws/us-east-1/g6e.12xlarge/committed/1y/standard-reserved/no-upfront".parse().unwrap();
        let mut plan = snapshot.row(&key).unwrap().clone();
        plan.product = Product::ComputeSavingsPlan.as_str().to_owned();
        plan.payment = "all-upfront".to_owned();
        plan.row.note = "Graviton host: arm64 images only".to_owned();
        snapshot.rows = vec![snapshot.row(&key).unwrap().clone(), plan];
        let notes: Vec<String> =
            catalog(&snapshot.sorted(), &builtin).rows.into_iter().map(|row| format!("{} {}", row.term, row.note)).collect();
        assert_eq!(
            notes,
            ["1y Graviton host: arm64 images only; compute savings plan; all upfront", "1y standard reserved instance; no upfront"]
        );
    }
}
