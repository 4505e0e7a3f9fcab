//! What a machine of Compute Engine is made of, and how it is sold.
//!
//! In: a machine. Out: its parts and how many of each. No prices here.

use super::Machine;
use super::part::{Family, Gpu, Part};
use crate::pricing::gathered::Bought;

/// Parts of a machine, each with its quantity; nothing for a machine whose parts are not known.
#[must_use]
pub fn of(machine: &Machine) -> Option<Vec<(Part, f64)>> {
    let series = machine.instance_type.rsplit_once('-').map_or("", |(series, _)| series);
    let (family, gpu) = match series {
        // A4 is billed by the slice: a GPU with its share of everything else, local SSD included.
        "a4-highgpu" => return Some(vec![(Part::Slice(Gpu::B200), machine.gpus)]),
        "a2-highgpu" | "a2-megagpu" => (Family::A2, Gpu::A100),
        "a2-ultragpu" => (Family::A2, Gpu::A100Large),
        "a3-highgpu" => (Family::A3, Gpu::H100),
        "a3-megagpu" => (Family::A3Mega, Gpu::H100Mega),
        "a3-ultragpu" => (Family::A3Ultra, Gpu::H200),
        "g2-standard" => (Family::G2, Gpu::L4),
        "g4-standard" => (Family::G4, Gpu::RtxPro6000),
        _ if series.starts_with("n1-") => (Family::N1, attached(&machine.accelerator)?),
        _ => return None,
    };
    let mut parts = vec![(Part::Core(family), machine.vcpus), (Part::Ram(family), machine.ram_gib), (Part::Gpu(gpu), machine.gpus)];
    if machine.local_ssd_gib > 0.0 {
        parts.push((Part::LocalSsd(Some(family)), machine.local_ssd_gib));
    }
    Some(parts)
}

/// GPUs that can be attached to N1, by their id in the catalogue. Such a machine has a made-up name there, `n1-standard-4+1xT4`.
fn attached(accelerator: &str) -> Option<Gpu> {
    Some(match accelerator {
        "t4" => Gpu::T4,
        "p4" => Gpu::P4,
        "p100" => Gpu::P100,
        "v100-16" => Gpu::V100,
        _ => return None,
    })
}

/// GiB of local SSD that come with a machine whether wanted or not, and are billed with it.
///
/// Source: which series have it, Compute Engine documentation, "Add local SSD disks"; how much, the same documentation's table of fixed
/// disks as gpuhunt (dstackai/gpuhunt, `providers/gcp.py`) quotes it, disks of 375 GiB: one a GPU in A2 Ultra, 16 in A3 High and A3 Mega of
/// eight GPUs, 32 in A3 Ultra and A4. Checked by adding up: a2-ultragpu-1g and a3-highgpu-8g in us-central1 come to their list prices of
/// 5.0688 and 88.49 only with 375 and 6000 GiB at 0.08 a GiB and month.
#[must_use]
pub fn bundled_ssd_gib(instance_type: &str) -> f64 {
    let Some((series, gpus)) = instance_type.rsplit_once('-') else { return 0.0 };
    let gpus: f64 = gpus.strip_suffix('g').and_then(|gpus| gpus.parse().ok()).unwrap_or(0.0);
    let per_gpu = match series {
        "a2-ultragpu" => 375.0,
        "a3-highgpu" | "a3-megagpu" => 750.0,
        "a3-ultragpu" | "a4-highgpu" => 1500.0,
        _ => 0.0,
    };
    per_gpu * gpus
}

/// Whether a machine is sold this way, however its parts are priced: A4, A3 Ultra and A3 High with fewer than eight GPUs are not to be had
/// on demand, and a commitment discounts on-demand machines.
///
/// Source: Compute Engine documentation, "Accelerator-optimized machine family", consumption options by machine type, as gpuhunt
/// (dstackai/gpuhunt) follows it.
#[must_use]
pub fn sold(instance_type: &str, bought: &Bought) -> bool {
    let spot_only = ["a4-", "a4x-", "a3-ultragpu-"].iter().any(|series| instance_type.starts_with(series))
        || (instance_type.starts_with("a3-highgpu-") && instance_type != "a3-highgpu-8g");
    match bought {
        Bought::Spot => true,
        Bought::OnDemand | Bought::Committed(_) => !spot_only,
    }
}
