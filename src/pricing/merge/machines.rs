//! What machine a price is for: its GPUs, its size, where it stands.
//!
//! In: the shapes and zones that sources brought, the rows from before, the GPU types of the catalogue. Out: the part of a catalogue
//! row that is no price. A machine is taken from what was just read, else from any row from before, else it is unknown.

use super::gpu_names::{self, Named};
use crate::catalog::{AcceleratorRow, CatalogRow, RowCapacity};
use crate::domain::Cloud;
use crate::pricing::gathered::{Gathered, Shape};
use crate::pricing::key::OfferingKey;
use crate::pricing::snapshot::Snapshot;
use std::collections::BTreeMap;

/// A machine shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// GPU type: an id of the catalogue.
    pub accelerator: String,
    /// GPUs, possibly a fraction of one.
    pub gpus: f64,
    /// Memory that one device shows, GiB, when known.
    pub gpu_memory_gib: Option<f64>,
    /// Virtual CPUs, when known.
    pub vcpus: Option<f64>,
    /// Main memory, GiB, when known.
    pub ram_gib: Option<f64>,
    /// NVLink between the GPUs.
    pub nvlink: bool,
}

/// All that is known of machines, to look things up in.
pub struct Machines<'a> {
    shapes: BTreeMap<(Cloud, &'a str), Machine>,
    before: BTreeMap<(Cloud, &'a str), Vec<&'a CatalogRow>>,
    zones: BTreeMap<(Cloud, &'a str, &'a str), &'a [String]>,
    bands: BTreeMap<(&'a str, &'a str), &'a str>,
}

/// Parts of an embedded row's note that speak of its price: gone with the price.
const OF_THE_PRICE: [&str; 9] = [
    "equals the on-demand price",
    "no on-demand price known",
    "price includes",
    "sum of core",
    "list sum",
    "local SSD not included",
    "standard reserved instance",
    "no upfront",
    "resource commitment",
];
/// Part of an embedded row's note that speaks of its band: gone with the band.
const OF_THE_BAND: &str = "band of ";

impl<'a> Machines<'a> {
    /// Sorts what is known.
    #[must_use]
    pub fn of(gathered: &'a Gathered, previous: &'a Snapshot, accelerators: &[AcceleratorRow]) -> Self {
        let mut before: BTreeMap<(Cloud, &str), Vec<&CatalogRow>> = BTreeMap::new();
        for price in &previous.rows {
            before.entry((price.row.cloud, &price.row.instance_type)).or_default().push(&price.row);
        }
        let mut shapes = BTreeMap::new();
        for shape in &gathered.shapes {
            let key = (shape.cloud, shape.instance_type.as_str());
            let known = before.get(&key).and_then(|rows| rows.first()).copied();
            if let Some(machine) = of_shape(shape, accelerators, known) {
                shapes.entry(key).or_insert(machine);
            }
        }
        let zones = gathered.zones.iter().filter(|offer| !offer.zones.is_empty());
        let zones = zones.map(|o| ((o.cloud, o.region.as_str(), o.instance_type.as_str()), o.zones.as_slice())).collect();
        let bands = gathered.bands.iter().map(|b| ((b.region.as_str(), b.instance_type.as_str()), b.band.as_str())).collect();
        Self { shapes, before, zones, bands }
    }

    /// The machine of a name.
    #[must_use]
    pub fn machine(&self, cloud: Cloud, instance_type: &str) -> Option<Machine> {
        let key = (cloud, instance_type);
        let before = || self.before.get(&key).and_then(|rows| rows.first()).map(|row| of_row(row));
        self.shapes.get(&key).cloned().or_else(before)
    }

    /// Zones that offer it, else those of the row from before, else those of another row of the machine in the region.
    #[must_use]
    pub fn zones(&self, key: &OfferingKey, previous: Option<&CatalogRow>) -> Vec<String> {
        if let Some(zones) = self.zones.get(&(key.cloud, key.region.as_str(), key.instance_type.as_str())) {
            let mut zones = zones.to_vec();
            zones.sort();
            zones.dedup();
            return zones;
        }
        let others = self.rows_of(key).filter(|row| row.region == key.region);
        previous.into_iter().chain(others).map(|row| row.zones.clone()).find(|zones| !zones.is_empty()).unwrap_or_default()
    }

    /// Interruption band, and whether it was just read. Of spot prices of AWS only: no other cloud publishes one.
    #[must_use]
    pub fn band(&self, key: &OfferingKey, previous: Option<&CatalogRow>) -> (String, bool) {
        if key.capacity_type != RowCapacity::Spot {
            return (String::new(), false);
        }
        let read = self.bands.get(&(key.region.as_str(), key.instance_type.as_str())).filter(|_| key.cloud == Cloud::Aws);
        match read {
            Some(band) => ((*band).to_owned(), true),
            None => (previous.map(|row| row.interruption_band.clone()).unwrap_or_default(), false),
        }
    }

    /// Whether it can be bought this way, and what there is to remark. Lists have prices for what is not sold; that a machine is not
    /// is known from before, of this region or, where all of them say so, of the others. What every row of a machine remarks is a
    /// fact of the machine, and so of its new rows.
    #[must_use]
    pub fn sold(&self, key: &OfferingKey, previous: Option<&CatalogRow>, keeps_band: bool) -> (bool, String) {
        let alike = || self.rows_of(key).filter(|row| row.capacity_type == key.capacity_type);
        if let Some(row) = previous.or_else(|| alike().next().filter(|_| alike().all(|row| !row.purchasable))) {
            return (row.purchasable, lasting(&row.note, keeps_band));
        }
        let first = self.rows_of(key).next().map(|row| lasting(&row.note, false)).unwrap_or_default();
        let of_all = first.split("; ").filter(|part| self.rows_of(key).all(|row| row.note.split("; ").any(|other| other == *part)));
        (true, of_all.collect::<Vec<_>>().join("; "))
    }

    fn rows_of(&self, key: &OfferingKey) -> impl Iterator<Item = &'a CatalogRow> + use<'a> {
        self.before.get(&(key.cloud, key.instance_type.as_str())).cloned().unwrap_or_default().into_iter()
    }
}

/// The parts of a note that outlive the price that they stood beside.
fn lasting(note: &str, keeps_band: bool) -> String {
    let goes = |part: &&str| OF_THE_PRICE.iter().any(|of| part.starts_with(of)) || part.starts_with(OF_THE_BAND) && !keeps_band;
    note.split("; ").filter(|part| !part.is_empty() && !goes(part)).collect::<Vec<_>>().join("; ")
}

fn of_row(row: &CatalogRow) -> Machine {
    Machine {
        accelerator: row.accelerator.clone(),
        gpus: row.gpus,
        gpu_memory_gib: row.gpu_memory_gib,
        vcpus: row.vcpus,
        ram_gib: row.ram_gib,
        nvlink: row.nvlink,
    }
}

/// A shape whose GPU is in the catalogue. Memory of a whole GPU is the catalogue's, since sources give the size on the card's box for
/// some cards and what the card shows for others; of a part of one it is the source's.
fn of_shape(shape: &Shape, accelerators: &[AcceleratorRow], before: Option<&CatalogRow>) -> Option<Machine> {
    let Shape { cloud, instance_type, gpu_name, gpus, gpu_memory_gib, vcpus, ram_gib, source: _ } = shape;
    let (cloud, gpus, gpu_memory_gib) = (*cloud, *gpus, *gpu_memory_gib);
    let known = |size: f64| Some(size).filter(|size| size.is_finite() && *size > 0.0);
    known(gpus)?;
    let id = gpu_names::accelerator_id(&Named { cloud, instance_type, gpu_name, gpus, gpu_memory_gib })?;
    let accelerator = accelerators.iter().find(|row| row.id == id)?;
    let read = gpu_memory_gib.and_then(known);
    Some(Machine {
        accelerator: id.to_owned(),
        gpus,
        gpu_memory_gib: if gpus < 1.0 {
            read.or(before.and_then(|row| row.gpu_memory_gib))
        } else {
            accelerator.visible_memory_gib.or(read)
        },
        vcpus: known(*vcpus).or(before.and_then(|row| row.vcpus)),
        ram_gib: known(*ram_gib).or(before.and_then(|row| row.ram_gib)),
        nvlink: before.map_or_else(|| has_nvlink(cloud, instance_type, id, gpus), |row| row.nvlink),
    })
}

/// Two or more GPUs on an SXM board. Every V100 machine counts, but for Azure's NC sizes, which hold PCIe cards (`catalog/data/README.md`).
fn has_nvlink(cloud: Cloud, instance_type: &str, accelerator: &str, gpus: f64) -> bool {
    let is_pcie = cloud == Cloud::Azure && instance_type.starts_with("Standard_NC");
    gpus >= 2.0 && !is_pcie && (accelerator.ends_with("-sxm") || accelerator.starts_with("v100"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;
    use crate::catalog::builtin;
    use crate::pricing::gathered::{Band, ZoneOffer};
    use crate::pricing::snapshot;

    fn shape(instance_type: &str, gpu_name: &str, gpus: f64, gpu_memory_gib: Option<f64>) -> Shape {
        Shape {
            cloud: Cloud::Aws,
            instance_type: instance_type.to_owned(),
            gpu_name: gpu_name.to_owned(),
            gpus,
            gpu_memory_gib,
            vcpus: 96.0,
            ram_gib: 1152.0,
            source: "DescribeInstanceTypes".to_owned(),
        }
    }

    fn before() -> (Snapshot, Vec<AcceleratorRow>) {
        let builtin = builtin::catalog().unwrap();
        let snapshot = snapshot::from_builtin(&builtin, "2026-11-26T00:00:00Z".parse().unwrap());
        (snapshot, builtin.accelerators)
    }

    #[test]
    fn a_shape_that_was_read_comes_first_and_a_row_from_before_second() {
        let (previous, accelerators) = before();
        let gathered = Gathered {
            shapes: vec![
                shape("p4de.24xlarge", "NVIDIA A100", 8.0, Some(80.0)),
                shape("p9.new", "NVIDIA H200", 8.0, Some(141.0)),
                shape("g4ad.xlarge", "AMD Radeon Pro V520", 1.0, Some(8.0)),
                shape("g6e.xlarge", "", 1.0, None),
                shape("g6f.large", "NVIDIA L4", 0.125, Some(2.794)),
            ],
            ..Gathered::default()
        };
        let machines = Machines::of(&gathered, &previous, &accelerators);
        let p4de = machines.machine(Cloud::Aws, "p4de.24xlarge").unwrap();
        assert_eq!((p4de.accelerator.as_str(), p4de.gpu_memory_gib, p4de.nvlink), ("a100-80-sxm", Some(79.34), true));
        let new = machines.machine(Cloud::Aws, "p9.new").unwrap();
        assert_eq!((new.accelerator.as_str(), new.gpu_memory_gib, new.nvlink), ("h200-141-sxm", Some(140.40), true));
        assert_eq!(machines.machine(Cloud::Aws, "g4ad.xlarge"), None, "no such GPU in the catalogue");
        let unnamed = machines.machine(Cloud::Aws, "g6e.xlarge").unwrap();
        assert_eq!((unnamed.accelerator.as_str(), unnamed.vcpus), ("l40s", Some(4.0)));
        assert_eq!(machines.machine(Cloud::Aws, "g6f.large").unwrap().gpu_memory_gib, Some(2.794));
    }

    /// With an empty past every embedded machine that has a whole GPU gets its NVLink by the rule.
    #[test]
    fn nvlink_by_rule_is_that_of_the_catalogue() {
        let (previous, _) = before();
        for price in &previous.rows {
            let CatalogRow { cloud, instance_type, accelerator, gpus, nvlink, .. } = &price.row;
            assert_eq!(has_nvlink(*cloud, instance_type, accelerator, *gpus), *nvlink, "{instance_type}");
        }
    }

    #[test]
    fn zones_and_bands_that_were_read_come_first() {
        let (previous, accelerators) = before();
        let offer = |zones: &[&str]| ZoneOffer {
            cloud: Cloud::Aws,
            region: "us-east-1".to_owned(),
            instance_type: "g6e.xlarge".to_owned(),
            zones: zones.iter().map(|z| (*z).to_owned()).collect(),
        };
        let band = Band { region: "us-east-1".to_owned(), instance_type: "g6e.xlarge".to_owned(), band: "<5%".to_owned() };
        let gathered = Gathered { zones: vec![offer(&["use1-az2", "use1-az1"])], bands: vec![band], ..Gathered::default() };
        let machines = Machines::of(&gathered, &previous, &accelerators);
        let key: OfferingKey = "aws/us-east-1/g6e.xlarge/spot".parse().unwrap();
        let row = previous.row(&key).map(|price| &price.row);
        assert_eq!(machines.zones(&key, row), ["use1-az1", "use1-az2"]);
        assert_eq!(machines.band(&key, row), ("<5%".to_owned(), true));
        assert_eq!(machines.band(&key.on_demand(), row), (String::new(), false));

        let other: OfferingKey = "aws/us-east-1/g6e.12xlarge/spot".parse().unwrap();
        let row = previous.row(&other).map(|price| &price.row);
        assert_eq!(machines.zones(&other, None).len(), 4, "of another row of the machine");
        assert_eq!(machines.band(&other, row), (">20%".to_owned(), false));
    }

    #[test]
    fn what_is_not_sold_stays_unsold_and_notes_of_old_prices_go() {
        let (previous, accelerators) = before();
        let gathered = Gathered::default();
        let machines = Machines::of(&gathered, &previous, &accelerators);
        let key: OfferingKey = "gcp/us-central1/a3-highgpu-1g/on-demand".parse().unwrap();
        let row = previous.row(&key).map(|price| &price.row);
        let sold = "list price only: Google Cloud sells this size as Spot or DWS (gpuhunt)";
        assert_eq!(machines.sold(&key, row, false), (false, sold.to_owned()));
        let new_region: OfferingKey = "gcp/mars-north1/a3-highgpu-1g/on-demand".parse().unwrap();
        assert_eq!(machines.sold(&new_region, None, false), (false, sold.to_owned()));
        let spot: OfferingKey = "gcp/mars-north1/a3-highgpu-1g/spot".parse().unwrap();
        assert_eq!(machines.sold(&spot, None, false), (true, String::new()));
        let graviton: OfferingKey = "aws/mars-north-1/g5g.xlarge/spot".parse().unwrap();
        assert_eq!(machines.sold(&graviton, None, false), (true, "Graviton host: arm64 images only".to_owned()));
        let note = "equals the on-demand price: no discount on that day; band of 2025-06-28; Graviton host: arm64 images only";
        assert_eq!(lasting(note, true), "band of 2025-06-28; Graviton host: arm64 images only");
        assert_eq!(lasting(note, false), "Graviton host: arm64 images only");
    }
}
