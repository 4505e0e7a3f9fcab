//! Which GPU type of the catalogue a source means: `NVIDIA A100`, `nvidia-tesla-a100` and `A100` are not always the same card.
//!
//! In: the name as the source writes it, the machine, and the memory of one device. Out: an id of `catalog/data/accelerators.csv`, or
//! nothing where the name is not listed here. Whole names are compared, never parts of them: `L4` is no `L40S`, `A10` no `A10G`.

use crate::domain::Cloud;

/// What is known of a GPU by its source.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// Cloud.
    pub cloud: Cloud,
    /// Machine.
    pub instance_type: &'a str,
    /// GPU type as the source calls it.
    pub gpu_name: &'a str,
    /// GPUs on the machine; a fraction for a part of one.
    pub gpus: f64,
    /// Memory that one device shows, GiB. Of a partition it is the partition's and says nothing of the card.
    pub gpu_memory_gib: Option<f64>,
}

/// Words of a name that do not tell cards apart. A trailing `vws` (Google's virtual workstations) does: that is another price.
const NOISE: [&str; 9] = ["nvidia", "corporation", "tesla", "tensor", "core", "gpu", "sxm", "server", "edition"];

/// Id of the accelerator. Where one name stands for cards of two sizes, the size decides; without it there is no answer.
#[must_use]
pub fn accelerator_id(named: &Named<'_>) -> Option<&'static str> {
    let (name, written_gib) = normal(named.gpu_name);
    let shown = named.gpu_memory_gib.filter(|_| named.gpus >= 1.0);
    let gib = written_gib.or(shown);
    // Azure's NC sizes hold PCIe cards, its ND sizes SXM boards.
    let is_pcie = named.cloud == Cloud::Azure && named.instance_type.starts_with("Standard_NC");
    Some(match name.as_str() {
        "t4" => "t4",
        "t4g" => "t4g",
        "p4" => "p4",
        "p100" | "p100-pcie" => "p100",
        "v100" => match (named.cloud, gib) {
            // AWS: p3 has 16 GB cards, p3dn 32 GB ones, both named `V100`. Google has the small one only.
            (_, Some(gib)) if gib < 20.0 => "v100-16",
            (_, Some(_)) => "v100-32",
            (Cloud::Gcp, None) => "v100-16",
            (Cloud::Aws | Cloud::Azure, None) => return None,
        },
        "a10" => "a10",
        "a10g" => "a10g",
        "a30" => "a30",
        "a40" => "a40",
        "l4" => "l4",
        "l40s" => "l40s",
        "a100" => match (named.cloud, gib) {
            // AWS: p4d has 40 GB cards, p4de 80 GB ones, both named `A100`.
            (_, Some(gib)) if gib < 60.0 => "a100-40-sxm",
            (_, Some(_)) if is_pcie => "a100-80-pcie",
            (_, Some(_)) => "a100-80-sxm",
            // Google's `nvidia-tesla-a100` is the 40 GB card; the other one says `80gb`.
            (Cloud::Gcp, None) => "a100-40-sxm",
            (Cloud::Aws | Cloud::Azure, None) => return None,
        },
        "a100-pcie" if gib.is_some_and(|gib| gib > 60.0) => "a100-80-pcie",
        "h100" | "h100-mega" | "h100-nvl" | "h100-plus" => match gib {
            Some(gib) if gib > 88.0 => "h100-94-nvl",
            _ if is_pcie || name == "h100-nvl" => "h100-94-nvl",
            _ => "h100-80-sxm",
        },
        "h200" => "h200-141-sxm",
        "b200" => "b200-180-sxm",
        "b300" => "b300-269-sxm",
        "rtx-pro-4500" | "rtx-pro-4500-blackwell" => "rtx-pro-4500",
        "rtx-pro-6000" | "rtx-pro-6000-blackwell" | "rtx-6000" => "rtx-pro-6000",
        _ => return None,
    })
}

/// The name in lower case without noise, and the size that it states, GiB: `nvidia-h100-mega-80gb` is `h100-mega` of 80.
fn normal(name: &str) -> (String, Option<f64>) {
    let lower = name.to_ascii_lowercase();
    let mut size = None;
    let mut words: Vec<&str> = Vec::new();
    for word in lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty() && !NOISE.contains(word)) {
        match word.strip_suffix("gb").or(word.strip_suffix("gib")).and_then(|digits| digits.parse().ok()) {
            Some(gib) => size = Some(gib),
            None => words.push(word),
        }
    }
    (words.join("-"), size)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;
    use crate::catalog::builtin;
    use std::collections::BTreeSet;

    fn id(cloud: Cloud, instance_type: &str, gpu_name: &str, gpu_memory_gib: Option<f64>) -> Option<&'static str> {
        accelerator_id(&Named { cloud, instance_type, gpu_name, gpus: 8.0, gpu_memory_gib })
    }

    #[test]
    fn names_of_aws() {
        for (instance_type, name, mib, expected) in [
            ("g4dn.xlarge", "NVIDIA T4", 16384.0, "t4"),
            ("g5g.xlarge", "NVIDIA T4g", 16384.0, "t4g"),
            ("g5.xlarge", "NVIDIA A10G", 22888.0, "a10g"),
            ("g6.xlarge", "NVIDIA L4", 22888.0, "l4"),
            ("g6e.xlarge", "NVIDIA L40S", 45776.0, "l40s"),
            ("g7.2xlarge", "NVIDIA RTX PRO 4500", 32768.0, "rtx-pro-4500"),
            ("g7e.2xlarge", "NVIDIA RTX PRO Server 6000", 98304.0, "rtx-pro-6000"),
            ("p3.2xlarge", "NVIDIA V100", 16384.0, "v100-16"),
            ("p3dn.24xlarge", "NVIDIA V100", 32768.0, "v100-32"),
            ("p4d.24xlarge", "NVIDIA A100", 40960.0, "a100-40-sxm"),
            ("p4de.24xlarge", "NVIDIA A100", 81920.0, "a100-80-sxm"),
            ("p5.48xlarge", "NVIDIA H100", 81920.0, "h100-80-sxm"),
            ("p5en.48xlarge", "NVIDIA H200", 144384.0, "h200-141-sxm"),
            ("p6-b200.48xlarge", "NVIDIA B200", 183359.0, "b200-180-sxm"),
            ("p6-b300.48xlarge", "NVIDIA B300", 275040.0, "b300-269-sxm"),
        ] {
            assert_eq!(id(Cloud::Aws, instance_type, name, Some(mib / 1024.0)), Some(expected), "{name}");
        }
        assert_eq!(id(Cloud::Aws, "p4d.24xlarge", "NVIDIA A100", None), None, "two cards have this name");
        assert_eq!(id(Cloud::Aws, "g4ad.xlarge", "AMD Radeon Pro V520", Some(8.0)), None);
        assert_eq!(id(Cloud::Aws, "g9.xlarge", "NVIDIA L40", Some(44.7)), None, "not the L40S");
    }

    #[test]
    fn a_part_of_a_card_does_not_change_the_card() {
        let part = Named { cloud: Cloud::Aws, instance_type: "g6f.large", gpu_name: "NVIDIA L4", gpus: 0.125, gpu_memory_gib: Some(2.8) };
        assert_eq!(accelerator_id(&part), Some("l4"));
        let part = Named { gpu_name: "NVIDIA A100", gpus: 0.5, gpu_memory_gib: Some(40.0), ..part };
        assert_eq!(accelerator_id(&part), None, "half of an 80 GB card shows 40");
    }

    #[test]
    fn names_of_google() {
        for (name, expected) in [
            ("nvidia-tesla-t4", "t4"),
            ("nvidia-tesla-p4", "p4"),
            ("nvidia-tesla-p100", "p100"),
            ("nvidia-l4", "l4"),
            ("nvidia-tesla-a100", "a100-40-sxm"),
            ("nvidia-a100-80gb", "a100-80-sxm"),
            ("Nvidia Tesla A100 80GB", "a100-80-sxm"),
            ("nvidia-h100-80gb", "h100-80-sxm"),
            ("nvidia-h100-mega-80gb", "h100-80-sxm"),
            ("nvidia-h200-141gb", "h200-141-sxm"),
            ("nvidia-b200", "b200-180-sxm"),
            ("nvidia-rtx-pro-6000", "rtx-pro-6000"),
            ("RTX 6000 96GB", "rtx-pro-6000"),
        ] {
            assert_eq!(id(Cloud::Gcp, "any", name, None), Some(expected), "{name}");
        }
        assert_eq!(id(Cloud::Gcp, "n1-standard-8", "nvidia-tesla-t4-vws", None), None, "a workstation has another price");
        assert_eq!(id(Cloud::Gcp, "n1-standard-8+1xV100", "nvidia-tesla-v100", None), Some("v100-16"));
    }

    #[test]
    fn cards_of_azure_go_by_the_size_series() {
        assert_eq!(id(Cloud::Azure, "Standard_NC24ads_A100_v4", "NVIDIA A100", Some(80.0)), Some("a100-80-pcie"));
        assert_eq!(id(Cloud::Azure, "Standard_ND96amsr_A100_v4", "NVIDIA A100", Some(80.0)), Some("a100-80-sxm"));
        assert_eq!(id(Cloud::Azure, "Standard_NC40ads_H100_v5", "NVIDIA H100", None), Some("h100-94-nvl"));
        assert_eq!(id(Cloud::Azure, "Standard_ND96isr_H100_v5", "NVIDIA H100", Some(80.0)), Some("h100-80-sxm"));
        assert_eq!(id(Cloud::Azure, "Standard_NV36ads_A10_v5", "NVIDIA A10", Some(24.0)), Some("a10"));
    }

    /// The other direction: no id here that the catalogue does not have, and the catalogue's own names find their rows.
    #[test]
    fn the_catalogue_knows_every_id() {
        let builtin = builtin::catalog().unwrap();
        let ids: BTreeSet<&str> = builtin.accelerators.iter().map(|a| a.id.as_str()).collect();
        let mut reached = BTreeSet::new();
        for row in &builtin.accelerators {
            let found = id(Cloud::Azure, "Standard_ND96", &row.name, row.visible_memory_gib);
            assert_eq!(found, Some(row.id.as_str()), "{}", row.name);
            reached.extend(found);
        }
        assert_eq!(reached, ids);
    }
}
