//! Which part of a machine a SKU of Compute Engine prices, and how that part is bought, by the words of its description.
//!
//! In: a description and a usage type. Out: a part, or nothing for everything that is none: the catalogue has no field that says it, and
//! its usage type `OnDemand` also stands on reservations, calendar mode, sole tenancy, custom shapes, premiums and suspended machines.
//! So the words are compared whole, never searched: `A100` would be found in `A100 80GB`.

use crate::pricing::gathered::{Bought, Payment, Product, Term};

/// Machines whose cores and memory have one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// A2, all of it: Standard and Ultra differ in the GPU alone.
    A2,
    /// A3 High.
    A3,
    /// A3 Mega, which the catalogue calls `A3Plus`.
    A3Mega,
    /// A3 Ultra.
    A3Ultra,
    /// G2.
    G2,
    /// G4.
    G4,
    /// N1, with GPUs attached.
    N1,
}

/// GPUs that have a price of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gpu {
    /// T4.
    T4,
    /// P4.
    P4,
    /// P100.
    P100,
    /// V100.
    V100,
    /// L4.
    L4,
    /// A100 40 GB.
    A100,
    /// A100 80 GB.
    A100Large,
    /// H100 of A3 High.
    H100,
    /// H100 of A3 Mega, called `Mega` or `Plus`.
    H100Mega,
    /// H200.
    H200,
    /// B200.
    B200,
    /// RTX PRO 6000.
    RtxPro6000,
}

/// What a SKU prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// One virtual CPU.
    Core(Family),
    /// One GiB of main memory.
    Ram(Family),
    /// One GPU.
    Gpu(Gpu),
    /// One GPU with its share of cores, memory and local SSD.
    Slice(Gpu),
    /// One GiB of local SSD; of one family where the family has its own price.
    LocalSsd(Option<Family>),
}

impl Part {
    /// The word for it in a derivation.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Core(_) => "core",
            Self::Ram(_) => "ram",
            Self::Gpu(_) => "gpu",
            Self::Slice(_) => "gpu slice",
            Self::LocalSsd(_) => "local ssd",
        }
    }
}

/// Words of other products that carry the description of a part.
const OTHER_PRODUCTS: [&str; 14] = [
    "sole tenancy",
    "custom",
    "premium",
    "reserved",
    "reservation",
    "suspended",
    "vm state",
    "calendar mode",
    "dws",
    "defined duration",
    "flex start",
    "virtual workstation",
    "vgpu",
    "dollar based",
];

/// A commitment for resources; `Commitment - dollar based v1` is one for money.
const COMMITMENT: &str = "commitment v1: ";

/// The part and how it is bought. `usage_type` is `OnDemand`, `Preemptible`, `Commit1Yr` or `Commit3Yr`; others are none of ours.
#[must_use]
pub fn of(description: &str, usage_type: &str) -> Option<(Part, Bought)> {
    let words = description.trim().to_lowercase();
    if OTHER_PRODUCTS.iter().any(|other| words.contains(other)) {
        return None;
    }
    match words.strip_prefix(COMMITMENT) {
        Some(words) => {
            let years = match usage_type {
                "Commit1Yr" => 1,
                "Commit3Yr" => 3,
                _ => return None,
            };
            let (words, term) = words.rsplit_once(" for ").unwrap_or((words, ""));
            if !(term.is_empty() || term.starts_with(&format!("{years} year"))) {
                return None;
            }
            let term = Term { product: Product::ResourceCommitment, years, payment: Payment::NoUpfront };
            Some((committed_part(without_place(words))?, Bought::Committed(term)))
        }
        None => {
            // Some spot SKUs are tagged `OnDemand` (A4, local SSD): the description knows better.
            let spot = match usage_type {
                "OnDemand" => words.contains("preemptible"),
                "Preemptible" => true,
                _ => return None,
            };
            let part = used_part(without_spot(&words))?;
            Some((part, if spot { Bought::Spot } else { Bought::OnDemand }))
        }
    }
}

/// `a2 instance core running in americas` is `a2 instance core`. Local SSD may have no place at all.
fn without_place(words: &str) -> &str {
    let end = [" running in ", " in "].iter().filter_map(|word| words.find(word)).min();
    end.map_or(words, |end| &words[..end])
}

fn without_spot(words: &str) -> &str {
    let words = words.strip_prefix("spot ").unwrap_or(words);
    let words = without_place(words.strip_prefix("preemptible ").unwrap_or(words));
    let Some((thing, attached)) = words.split_once(" attached to ") else { return words };
    let to_spot = matches!(attached.strip_prefix("spot ").unwrap_or(attached), "preemptible vms" | "preemptible vm");
    if to_spot { thing } else { words }
}

fn used_part(words: &str) -> Option<Part> {
    if words == "ssd backed local storage" {
        return Some(Part::LocalSsd(None));
    }
    let (rest, part): (&str, fn(Family) -> Part) = if let Some(rest) = words.strip_suffix(" instance core") {
        (rest, Part::Core)
    } else if let Some(rest) = words.strip_suffix(" instance ram") {
        (rest, Part::Ram)
    } else if let Some(rest) = words.strip_suffix(" instance local ssd") {
        (rest, |family| Part::LocalSsd(Some(family)))
    } else {
        return gpu_part(words);
    };
    let family = if rest == "n1 predefined" { Family::N1 } else { named_family(rest)? };
    Some(part(family))
}

fn committed_part(words: &str) -> Option<Part> {
    match words {
        "local ssd" => return Some(Part::LocalSsd(None)),
        // Without a family's name: N1.
        "cpu" => return Some(Part::Core(Family::N1)),
        "ram" => return Some(Part::Ram(Family::N1)),
        _ => {}
    }
    if let Some(rest) = words.strip_suffix(" cpu").or_else(|| words.strip_suffix(" core")) {
        named_family(rest).map(Part::Core)
    } else if let Some(rest) = words.strip_suffix(" ram") {
        named_family(rest).map(Part::Ram)
    } else if let Some(rest) = words.strip_suffix(" local ssd") {
        named_family(rest).map(|family| Part::LocalSsd(Some(family)))
    } else {
        gpu_part(words)
    }
}

/// Families by the first words of their SKUs; `A3Ultra` is also written `A3 Ultra`.
fn named_family(words: &str) -> Option<Family> {
    Some(match words.replace(' ', "").as_str() {
        "a2" => Family::A2,
        "a3" => Family::A3,
        "a3plus" | "a3mega" => Family::A3Mega,
        "a3ultra" => Family::A3Ultra,
        "g2" => Family::G2,
        "g4" => Family::G4,
        _ => return None,
    })
}

fn gpu_part(words: &str) -> Option<Part> {
    match words {
        "a4 nvidia b200 (1 gpu slice)" => return Some(Part::Slice(Gpu::B200)),
        "rtx 6000 96gb" => return Some(Part::Gpu(Gpu::RtxPro6000)),
        _ => {}
    }
    let name = words.strip_suffix(" gpu")?;
    let name = name.strip_prefix("nvidia ").unwrap_or(name);
    let gpu = match name.strip_prefix("tesla ").unwrap_or(name) {
        "t4" => Gpu::T4,
        "p4" => Gpu::P4,
        "p100" => Gpu::P100,
        "v100" => Gpu::V100,
        "l4" => Gpu::L4,
        "a100" => Gpu::A100,
        "a100 80gb" => Gpu::A100Large,
        "h100 80gb" => Gpu::H100,
        "h100 80gb mega" | "h100 mega 80gb" | "h100 80gb plus" => Gpu::H100Mega,
        "h200 141gb" => Gpu::H200,
        _ => return None,
    };
    Some(Part::Gpu(gpu))
}

#[cfg(test)]
mod tests {
    use super::*;

    const C1: &str = "Commit1Yr";
    const C3: &str = "Commit3Yr";

    fn committed(years: u8) -> Bought {
        Bought::Committed(Term { product: Product::ResourceCommitment, years, payment: Payment::NoUpfront })
    }

    #[test]
    fn parts_are_known_by_their_whole_words() {
        let (on_demand, spot) = (Bought::OnDemand, Bought::Spot);
        for (description, usage_type, part, bought) in [
            ("A2 Instance Core running in Americas", "OnDemand", Part::Core(Family::A2), &on_demand),
            ("A2 Instance Ram running in Hong Kong", "OnDemand", Part::Ram(Family::A2), &on_demand),
            ("Spot Preemptible A3 Instance Core running in Iowa", "Preemptible", Part::Core(Family::A3), &spot),
            ("A3Plus Instance Core running in Americas", "OnDemand", Part::Core(Family::A3Mega), &on_demand),
            ("Spot Preemptible A3Plus Instance Ram running in Tokyo", "Preemptible", Part::Ram(Family::A3Mega), &spot),
            ("A3Ultra Instance Ram running in Iowa", "OnDemand", Part::Ram(Family::A3Ultra), &on_demand),
            ("A3 Ultra Instance Core running in Iowa", "OnDemand", Part::Core(Family::A3Ultra), &on_demand),
            ("G2 Instance Core running in Virginia", "OnDemand", Part::Core(Family::G2), &on_demand),
            ("G4 Instance Ram running in Oregon", "OnDemand", Part::Ram(Family::G4), &on_demand),
            ("N1 Predefined Instance Core running in Americas", "OnDemand", Part::Core(Family::N1), &on_demand),
            ("Preemptible N1 Predefined Instance Ram running in Americas", "Preemptible", Part::Ram(Family::N1), &spot),
            ("Nvidia Tesla A100 GPU running in Americas", "OnDemand", Part::Gpu(Gpu::A100), &on_demand),
            ("Nvidia Tesla A100 80GB GPU running in Americas", "OnDemand", Part::Gpu(Gpu::A100Large), &on_demand),
            ("Nvidia H100 80GB GPU running in Americas", "OnDemand", Part::Gpu(Gpu::H100), &on_demand),
            ("Nvidia H100 80GB Plus GPU running in Americas", "OnDemand", Part::Gpu(Gpu::H100Mega), &on_demand),
            ("Nvidia H100 80GB Mega GPU attached to Spot Preemptible VMs running in Tokyo", "Preemptible", Part::Gpu(Gpu::H100Mega), &spot),
            ("Nvidia H100 Mega 80GB GPU running in Iowa", "OnDemand", Part::Gpu(Gpu::H100Mega), &on_demand),
            ("H200 141GB GPU attached to Spot Preemptible VMs running in Iowa", "Preemptible", Part::Gpu(Gpu::H200), &spot),
            ("Nvidia L4 GPU running in Frankfurt", "OnDemand", Part::Gpu(Gpu::L4), &on_demand),
            ("Nvidia Tesla T4 GPU attached to Preemptible VMs running in Americas", "Preemptible", Part::Gpu(Gpu::T4), &spot),
            ("Nvidia Tesla V100 GPU running in Americas", "OnDemand", Part::Gpu(Gpu::V100), &on_demand),
            ("Nvidia Tesla P100 GPU running in Americas", "OnDemand", Part::Gpu(Gpu::P100), &on_demand),
            ("Nvidia Tesla P4 GPU running in Americas", "OnDemand", Part::Gpu(Gpu::P4), &on_demand),
            ("RTX 6000 96GB running in Delhi", "OnDemand", Part::Gpu(Gpu::RtxPro6000), &on_demand),
            ("RTX 6000 96GB attached to Spot Preemptible VMs running in Delhi", "Preemptible", Part::Gpu(Gpu::RtxPro6000), &spot),
            ("A4 Nvidia B200 (1 gpu slice) running in Americas", "OnDemand", Part::Slice(Gpu::B200), &on_demand),
            ("SSD backed Local Storage", "OnDemand", Part::LocalSsd(None), &on_demand),
            ("SSD backed Local Storage in Bangkok", "OnDemand", Part::LocalSsd(None), &on_demand),
            ("SSD backed Local Storage attached to Spot Preemptible VMs in Paris", "Preemptible", Part::LocalSsd(None), &spot),
            ("A3 Instance Local SSD running in Iowa", "OnDemand", Part::LocalSsd(Some(Family::A3)), &on_demand),
            ("Commitment v1: A2 Cpu in Americas for 1 Year", C1, Part::Core(Family::A2), &committed(1)),
            ("Commitment v1: A3 Ram in APAC for 3 Years", C3, Part::Ram(Family::A3), &committed(3)),
            ("Commitment v1: Cpu in Americas for 3 Year", C3, Part::Core(Family::N1), &committed(3)),
            ("Commitment v1: Ram in Americas for 1 Year", C1, Part::Ram(Family::N1), &committed(1)),
            ("Commitment v1: Nvidia Tesla A100 GPU running in Americas for 1 Year", C1, Part::Gpu(Gpu::A100), &committed(1)),
            ("Commitment v1: Nvidia L4 GPU in Frankfurt for 1 Year", C1, Part::Gpu(Gpu::L4), &committed(1)),
            ("Commitment v1: RTX 6000 96GB running in Delhi for 3 Years", C3, Part::Gpu(Gpu::RtxPro6000), &committed(3)),
            ("Commitment v1: A4 Nvidia B200 (1 gpu slice) in Americas for 1 Year", C1, Part::Slice(Gpu::B200), &committed(1)),
            ("Commitment v1: Local SSD In Americas for 1 Year", C1, Part::LocalSsd(None), &committed(1)),
        ] {
            assert_eq!(of(description, usage_type), Some((part, bought.clone())), "{description}");
        }
    }

    #[test]
    fn spot_tagged_on_demand_is_spot() {
        let slice = Some((Part::Slice(Gpu::B200), Bought::Spot));
        assert_eq!(of("Spot Preemptible A4 Nvidia B200 (1 gpu slice) running in Americas", "OnDemand"), slice);
        let ssd = Some((Part::LocalSsd(None), Bought::Spot));
        assert_eq!(of("SSD backed Local Storage attached to Spot Preemptible VMs in Paris", "OnDemand"), ssd);
    }

    #[test]
    fn other_products_are_no_parts() {
        for description in [
            "DWS Calendar Mode A4 Nvidia B200 (1 gpu slice) running in Americas",
            "DWS Defined Duration A3 Ultra Instance Core running in Iowa",
            "Nvidia H100 80GB GPU in Calendar Mode running in Americas",
            "Reserved Nvidia H100 80GB Mega GPU in Americas in Calendar Mode",
            "Nvidia L4 GPU attached to DWS Defined Duration VMs running in Frankfurt",
            "A3 Instance Local SSD attached to Calendar mode reservations running in Iowa",
            "Reserved A2 Ram in Netherlands",
            "A2 Sole Tenancy Instance Core running in Americas",
            "Sole Tenancy Premium for A2 Sole Tenancy Instance Core running in Americas",
            "Custom Instance Core running in Americas",
            "G2 Custom Instance Core running in Americas",
            "Committed Use Discount Premium for A2 Instance Core running in Americas",
            "Nvidia Tesla T4 GPU suspended in Americas",
            "A2 Instance Ram suspended running in Americas",
            "VM state: preserved local SSD in Bangkok",
            "Nvidia L4 Virtual Workstation GPU running in Netherlands",
            "vGPU G4 Instance Core running in Iowa",
            "Nvidia L40 GPU running in Netherlands",
            "Nvidia RTX Pro 6000 GPU with no zonal redundancy in us-central1",
            "Nvidia Tesla A100 GPU attached to something else running in Americas",
            "N2 Instance Core running in Americas",
            "A2",
            "",
        ] {
            for usage_type in ["OnDemand", "Preemptible", C1] {
                assert_eq!(of(description, usage_type), None, "{description}");
            }
        }
    }

    #[test]
    fn a_commitment_is_one_by_word_and_by_type() {
        let a2 = "Commitment v1: A2 Cpu in Americas for 1 Year";
        for usage_type in ["OnDemand", "Preemptible", "Commit", "CmtCudPremium1Yr", C3] {
            assert_eq!(of(a2, usage_type), None, "{usage_type}");
        }
        assert_eq!(of("A2 Instance Core running in Americas", C1), None);
        assert_eq!(of("Commitment v1: A2 Cpu in Americas for 5 Years", "Commit"), None);
        assert_eq!(of("Commitment - dollar based v1: GCE for 1 year", C1), None);
    }
}
