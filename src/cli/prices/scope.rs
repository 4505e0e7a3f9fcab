//! What a refresh asks for: clouds and regions, and which of a cloud's machines have NVIDIA GPUs.

use super::CloudArg;
use crate::catalog::Catalog;
use crate::domain::Cloud;
use crate::input::suggest;
use crate::pricing::assemble::{Machine, bundled_ssd_gib};
use std::collections::{BTreeMap, BTreeSet};

/// Regions by cloud, in the order in which they are asked.
pub type Regions = BTreeMap<Cloud, Vec<String>>;

/// The clouds and regions that were named; by default every cloud with the regions that prices are known of.
///
/// # Errors
/// A region that none of the clouds has, with the nearest name; told in full.
pub fn regions(clouds: &[CloudArg], named: &[String], catalog: &Catalog) -> Result<Regions, String> {
    let all = [Cloud::Aws, Cloud::Gcp, Cloud::Azure];
    let clouds: BTreeSet<Cloud> =
        if clouds.is_empty() { all.into_iter().collect() } else { clouds.iter().map(|cloud| cloud.cloud()).collect() };
    let known = catalog.regions();
    let mut regions = Regions::new();
    if named.is_empty() {
        for (region, cloud) in known.iter().filter(|(_, cloud)| clouds.contains(cloud)) {
            regions.entry(*cloud).or_default().push((*region).to_owned());
        }
        return Ok(regions);
    }
    for region in named {
        let only = if clouds.len() == 1 { clouds.first() } else { None };
        let Some(cloud) = known.get(region.as_str()).filter(|cloud| clouds.contains(cloud)).or(only) else {
            let near = suggest::help(region, known.keys().copied()).map(|help| format!("; {help}")).unwrap_or_default();
            return Err(format!("no cloud that is asked has a known region `{region}`{near}; with one --cloud any region is asked for"));
        };
        let list = regions.entry(*cloud).or_default();
        if !list.contains(region) {
            list.push(region.clone());
        }
    }
    Ok(regions)
}

/// Whether a machine of a cloud has NVIDIA GPUs, by its name: those of the catalogue, and families that may get new sizes.
pub fn has_gpus(cloud: Cloud, catalog: &Catalog) -> impl Fn(&str) -> bool + use<> {
    let known: BTreeSet<String> = catalog.rows.iter().filter(|row| row.cloud == cloud).map(|row| row.instance_type.clone()).collect();
    move |name: &str| known.contains(name) || family(cloud, name)
}

/// Families by their letters. AWS `g4ad` has AMD GPUs; so have Azure's NVv4, NG and the MI300X sizes; NP has FPGAs.
fn family(cloud: Cloud, name: &str) -> bool {
    match cloud {
        Cloud::Aws => {
            let letters: String = name.chars().take_while(char::is_ascii_lowercase).collect();
            let digit = name.chars().nth(letters.len()).is_some_and(|c| c.is_ascii_digit());
            digit && matches!(letters.as_str(), "g" | "gr" | "p") && !name.starts_with("g4ad")
        }
        Cloud::Azure => {
            let size = name.strip_prefix("Standard_").unwrap_or_default();
            let with_amd = size.contains("MI300X") || size.contains("V710") || size.starts_with("NV") && size.ends_with("_v4");
            !with_amd && ["NC", "ND", "NV"].iter().any(|family| size.starts_with(family))
        }
        Cloud::Gcp => ["a2-", "a3-", "a4-", "a4x-", "g2-", "g4-"].iter().any(|family| name.starts_with(family)),
    }
}

/// Google's machines with their parts, as the catalogue knows them, and the zones that have them.
#[must_use]
pub fn machines(catalog: &Catalog) -> Vec<Machine> {
    let mut machines: BTreeMap<&str, Machine> = BTreeMap::new();
    for row in catalog.rows.iter().filter(|row| row.cloud == Cloud::Gcp) {
        let (Some(vcpus), Some(ram_gib)) = (row.vcpus, row.ram_gib) else { continue };
        let machine = machines.entry(&row.instance_type).or_insert_with(|| Machine {
            instance_type: row.instance_type.clone(),
            accelerator: row.accelerator.clone(),
            gpus: row.gpus,
            vcpus,
            ram_gib,
            local_ssd_gib: bundled_ssd_gib(&row.instance_type),
            zones: BTreeMap::new(),
        });
        if !row.zones.is_empty() {
            machine.zones.insert(row.region.clone(), row.zones.clone());
        }
    }
    machines.into_values().collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "test")]

    use super::*;
    use crate::catalog::builtin;

    #[test]
    fn regions_go_to_the_cloud_that_has_them() {
        let catalog = builtin::catalog().unwrap();
        let asked = regions(&[], &["us-east-1".to_owned(), "eastus".to_owned(), "us-east-1".to_owned()], &catalog).unwrap();
        assert_eq!(asked[&Cloud::Aws], ["us-east-1"]);
        assert_eq!(asked[&Cloud::Azure], ["eastus"]);
        assert!(regions(&[], &["us-esat-1".to_owned()], &catalog).unwrap_err().contains("`us-east-1`"));
        let new = regions(&[CloudArg::Aws], &["eu-north-9".to_owned()], &catalog).unwrap();
        assert_eq!(new[&Cloud::Aws], ["eu-north-9"]);
        assert_eq!(regions(&[], &[], &catalog).unwrap().len(), 3);
    }

    #[test]
    fn families_of_other_makers_are_none() {
        let catalog = builtin::catalog().unwrap();
        let aws = has_gpus(Cloud::Aws, &catalog);
        assert!(aws("g6e.xlarge") && aws("p9.48xlarge") && aws("gr6.4xlarge"));
        assert!(!aws("g4ad.xlarge") && !aws("m7i.large") && !aws("trn1.2xlarge") && !aws("inf2.xlarge"));
        let azure = has_gpus(Cloud::Azure, &catalog);
        assert!(azure("Standard_NC24ads_A100_v4") && azure("Standard_ND96isr_H200_v5"));
        assert!(!azure("Standard_NV8as_v4") && !azure("Standard_ND96isr_MI300X_v5") && !azure("Standard_D4s_v5"));
    }

    #[test]
    fn machines_of_google_have_their_zones() {
        let machines = machines(&builtin::catalog().unwrap());
        let a2 = machines.iter().find(|m| m.instance_type == "a2-highgpu-1g").unwrap();
        assert!(!a2.zones["us-central1"].is_empty());
        assert!((a2.vcpus - 12.0).abs() < 1e-9 && (a2.ram_gib - 85.0).abs() < 1e-9);
    }
}
