//! From rows to what a scenario can buy: instance types, accelerators and offerings with the planner's price and risk.

use super::partition::{self, Card};
use super::rows::{AcceleratorRow, Catalog, CatalogRow, RowCapacity};
use crate::domain::{Accelerator, Adders, Assurance, CapacityType, Cloud, InstanceType, Offering, Risk, SpotEvidence, SpotRisk};
use crate::ids::{AcceleratorId, InstanceTypeId, RegionId};
use crate::units::{GiB, HOURS_PER_MONTH, UsdPerHour};
use std::collections::{BTreeMap, BTreeSet};

/// A price that the scenario knows better than the catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceOverride {
    /// Machine shape; must be in the catalogue.
    pub instance_type: InstanceTypeId,
    /// Region.
    pub region: RegionId,
    /// On-demand or spot.
    pub capacity_type: CapacityType,
    /// List price, dollars an hour.
    pub usd_per_hour: f64,
    /// Where it comes from.
    pub source: String,
    /// Day of the price.
    pub as_of: String,
}

/// What a scenario says about prices and risk.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Regions.
    pub regions: &'a [RegionId],
    /// Discount and adders.
    pub adders: Adders,
    /// Risk conventions.
    pub risk: &'a Risk,
    /// The scenario's own prices.
    pub prices: &'a [PriceOverride],
}

/// What can be bought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Market {
    /// All GPU types of the catalogue whose visible memory is known.
    pub accelerators: BTreeMap<AcceleratorId, Accelerator>,
    /// Machine shapes with whole GPUs and known size that have a row in the regions.
    pub instance_types: BTreeMap<InstanceTypeId, InstanceType>,
    /// Sorted by (instance type, region, capacity type).
    pub offerings: Vec<Offering>,
}

/// Builds the market of a scenario.
#[must_use]
pub fn market(catalog: &Catalog, terms: &Terms<'_>) -> Market {
    let accelerators: BTreeMap<_, _> =
        catalog.accelerators.iter().filter_map(accelerator).map(|accelerator| (accelerator.id.clone(), accelerator)).collect();
    let in_regions = || catalog.rows.iter().filter(|row| terms.regions.iter().any(|region| region.as_str() == row.region));
    let mut instance_types: BTreeMap<InstanceTypeId, InstanceType> = BTreeMap::new();
    for row in in_regions() {
        if let Some(shape) = instance_type(row, &accelerators) {
            instance_types.entry(shape.id.clone()).or_insert(shape);
        }
    }
    let mut listed: BTreeMap<(InstanceTypeId, RegionId, CapacityType), Listing> = BTreeMap::new();
    for row in in_regions().filter(|row| row.purchasable) {
        let id = InstanceTypeId::new(&*row.instance_type);
        let Some(capacity_type) = capacity_type(row.capacity_type) else { continue };
        if instance_types.contains_key(&id) {
            listed.insert((id, RegionId::new(&*row.region), capacity_type), Listing::of_row(row));
        }
    }
    for price in terms.prices.iter().filter(|price| instance_types.contains_key(&price.instance_type)) {
        let zones = zones(catalog, &price.instance_type, &price.region);
        let key = (price.instance_type.clone(), price.region.clone(), price.capacity_type);
        let band = listed.get(&key).map(|listing| listing.band.clone()).unwrap_or_default();
        listed.insert(key, Listing::of_override(price, zones, band));
    }
    let offerings = listed
        .into_iter()
        .filter_map(|(key, listing)| {
            let shape = instance_types.get(&key.0)?;
            let scarce = accelerators.get(&shape.accelerator).is_some_and(|a| a.scarce);
            Some(offering(key, listing, scarce, terms))
        })
        .collect();
    Market { accelerators, instance_types, offerings }
}

/// Offerings of the same clouds' other regions, of machine shapes that the market knows.
#[must_use]
pub fn elsewhere(catalog: &Catalog, market: &Market, terms: &Terms<'_>) -> Vec<Offering> {
    let clouds: BTreeSet<Cloud> =
        catalog.rows.iter().filter(|row| terms.regions.iter().any(|region| region.as_str() == row.region)).map(|row| row.cloud).collect();
    let others: BTreeSet<RegionId> = catalog
        .rows
        .iter()
        .filter(|row| clouds.contains(&row.cloud) && !terms.regions.iter().any(|region| region.as_str() == row.region))
        .map(|row| RegionId::new(&*row.region))
        .collect();
    let others: Vec<RegionId> = others.into_iter().collect();
    let mut found = self::market(catalog, &Terms { regions: &others, ..*terms }).offerings;
    found.retain(|offering| others.contains(&offering.region) && market.instance_types.contains_key(&offering.instance_type));
    found
}

/// A list price before the scenario's terms.
struct Listing {
    zones: Vec<String>,
    usd_per_hour: f64,
    band: String,
    source: String,
    as_of: String,
}

impl Listing {
    fn of_row(row: &CatalogRow) -> Self {
        Self {
            zones: row.zones.clone(),
            usd_per_hour: row.usd_per_hour,
            band: row.interruption_band.clone(),
            source: row.source.clone(),
            as_of: row.as_of.clone(),
        }
    }

    fn of_override(price: &PriceOverride, zones: Vec<String>, band: String) -> Self {
        Self { zones, usd_per_hour: price.usd_per_hour, band, source: price.source.clone(), as_of: price.as_of.clone() }
    }
}

/// Zones of a type in a region, from any of its rows.
fn zones(catalog: &Catalog, instance_type: &InstanceTypeId, region: &RegionId) -> Vec<String> {
    let same = |row: &&CatalogRow| row.instance_type == instance_type.as_str() && row.region == region.as_str() && !row.zones.is_empty();
    catalog.rows.iter().find(same).map(|row| row.zones.clone()).unwrap_or_default()
}

fn accelerator(row: &AcceleratorRow) -> Option<Accelerator> {
    let visible_memory = GiB(row.visible_memory_gib?);
    let (slices, layouts) = partition::of(&Card { id: &row.id, memory: visible_memory, mig_profiles: &row.mig_profiles });
    Some(Accelerator { id: AcceleratorId::new(&*row.id), name: row.name.clone(), visible_memory, scarce: row.scarce, slices, layouts })
}

/// The machine shape of a row, if it can be planned on: whole GPUs of a known type, known CPUs and memory.
fn instance_type(row: &CatalogRow, accelerators: &BTreeMap<AcceleratorId, Accelerator>) -> Option<InstanceType> {
    let accelerator = accelerators.get(&AcceleratorId::new(&*row.accelerator))?;
    Some(InstanceType {
        id: InstanceTypeId::new(&*row.instance_type),
        cloud: row.cloud,
        accelerator: accelerator.id.clone(),
        gpus: row.whole_gpus()?,
        gpu_memory: row.gpu_memory_gib.map_or(accelerator.visible_memory, GiB),
        vcpus: row.vcpus?,
        ram: GiB(row.ram_gib?),
        nvlink: row.nvlink,
    })
}

const fn capacity_type(capacity: RowCapacity) -> Option<CapacityType> {
    match capacity {
        RowCapacity::OnDemand => Some(CapacityType::OnDemand),
        RowCapacity::Spot => Some(CapacityType::Spot),
        RowCapacity::Committed => None,
    }
}

fn offering(key: (InstanceTypeId, RegionId, CapacityType), listing: Listing, scarce: bool, terms: &Terms<'_>) -> Offering {
    let (instance_type, region, capacity_type) = key;
    let risk = (capacity_type == CapacityType::Spot).then(|| spot_risk(&instance_type, &region, &listing.band, terms.risk));
    Offering {
        price: planned_price(listing.usd_per_hour, capacity_type, &terms.adders),
        list_price: UsdPerHour::from_f64(listing.usd_per_hour),
        zones: listing.zones,
        assurance: if scarce { Assurance::Scarce } else { Assurance::Reliable },
        risk,
        source: listing.source,
        as_of: listing.as_of,
        instance_type,
        region,
        capacity_type,
    }
}

/// Planned price of a node-hour: on demand `(L (1 - discount) + adder) (1 + percent)`, spot `(L + adder) (1 + percent)`.
#[must_use]
pub fn planned_price(list_usd_per_hour: f64, capacity_type: CapacityType, adders: &Adders) -> UsdPerHour {
    let kept = match capacity_type {
        CapacityType::OnDemand => 1.0 - adders.discount_percent / 100.0,
        CapacityType::Spot => 1.0,
    };
    UsdPerHour::from_f64((list_usd_per_hour * kept + adders.usd_per_node_hour) * (1.0 + adders.percent / 100.0))
}

/// Risk of a spot pool: the scenario's own knowledge, else the prior, whose hazard an advisor band can only worsen.
///
/// A band says how many instances were interrupted in a month, which is evidence of the hazard (a weak one) and none of
/// the availability.
fn spot_risk(instance_type: &InstanceTypeId, region: &RegionId, band: &str, risk: &Risk) -> SpotRisk {
    if let Some(own) = risk.overrides.iter().find(|o| &o.instance_type == instance_type && &o.region == region) {
        return SpotRisk { availability: own.availability, reclaims_per_hour: own.reclaims_per_hour, evidence: own.evidence };
    }
    let (prior, from_band) = (risk.prior_reclaims_per_hour, band_reclaims_per_hour(band));
    let (reclaims_per_hour, evidence) = match from_band {
        Some(hazard) if hazard > prior => (hazard, SpotEvidence::AdvisorBand),
        _ => (prior, SpotEvidence::Prior),
    };
    SpotRisk { availability: risk.prior_availability, reclaims_per_hour, evidence }
}

/// Hazard of the upper end of an advisor band: that share of instances a month, as a rate an hour.
fn band_reclaims_per_hour(band: &str) -> Option<f64> {
    let share_a_month = match band {
        "<5%" => 0.05,
        "5-10%" => 0.10,
        "10-15%" => 0.15,
        "15-20%" => 0.20,
        ">20%" => 1.0,
        _ => return None,
    };
    Some(share_a_month / HOURS_PER_MONTH)
}
