//! Whether a profile fits anything that can be bought: said here, since no plan could use the workload.

use super::Context;
use crate::domain::{Evidence, InstanceType, OperatingPoint, Profile, Reserves, Workload};
use crate::input::at::Span;
use crate::input::codes;
use crate::input::faults::Faults;
use std::collections::BTreeMap;

/// The first thing that keeps an operating point off a machine, in the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Obstacle {
    Evidence,
    Precision,
    AcceleratorNotAllowed,
    NotOffered,
    Gpus,
    Nvlink,
    GpuMemory,
    VcpusOrRam,
}

impl Obstacle {
    const fn words(self) -> &'static str {
        match self {
            Self::Evidence => "estimated only (`risk.allow_estimated` is off)",
            Self::Precision => "not in an accepted precision",
            Self::AcceleratorNotAllowed => "on an accelerator that the workload does not allow",
            Self::NotOffered => "on an accelerator that the regions do not offer",
            Self::Gpus => "with more GPUs than a machine has",
            Self::Nvlink => "in need of NVLink, which the machines lack",
            Self::GpuMemory => "with too much GPU memory",
            Self::VcpusOrRam => "with more CPUs or memory than a machine has left",
        }
    }
}

/// Adds a fault when no operating point of the profile fits an offering of the workload's regions.
pub fn check(workload: &Workload, (profile, at): (&Profile, Span), context: &Context<'_>, faults: &mut Faults) {
    let mut obstacles: BTreeMap<Obstacle, usize> = BTreeMap::new();
    for point in &profile.points {
        match obstacle(point, workload, context) {
            None => return,
            Some(obstacle) => *obstacles.entry(obstacle).or_default() += 1,
        }
    }
    let regions: Vec<&str> = regions(workload, context).map(|region| region.as_str()).collect();
    let reasons: Vec<String> = obstacles.iter().rev().map(|(obstacle, n)| format!("{n} {}", obstacle.words())).collect();
    let message = format!("workload `{}`: profile `{}` fits no offering in {}", workload.id, profile.id, regions.join(", "));
    faults
        .error(codes::FITS_NOWHERE, at, message)
        .label(format!("operating points: {}", reasons.join("; ")))
        .help("allow more accelerators, precisions or regions, or add operating points to the profile");
}

fn regions<'a>(workload: &'a Workload, context: &'a Context<'_>) -> impl Iterator<Item = &'a crate::ids::RegionId> {
    let own = if workload.regions.is_empty() { context.regions } else { &workload.regions };
    own.iter()
}

/// The obstacle that the nearest machine leaves; `None` when one fits.
fn obstacle(point: &OperatingPoint, workload: &Workload, context: &Context<'_>) -> Option<Obstacle> {
    if point.evidence == Evidence::Estimated && !context.allow_estimated {
        return Some(Obstacle::Evidence);
    }
    if !workload.precisions.contains(&point.precision) {
        return Some(Obstacle::Precision);
    }
    if !workload.accelerators.is_empty() && !workload.accelerators.contains(&point.accelerator) {
        return Some(Obstacle::AcceleratorNotAllowed);
    }
    let offered = context.offered.get(&point.accelerator).map(Vec::as_slice).unwrap_or_default();
    let here = offered.iter().filter(|(_, region)| regions(workload, context).any(|own| own == *region));
    let mut best = Obstacle::NotOffered;
    for (shape, _) in here {
        match misfit(point, shape, context.reserves) {
            None => return None,
            Some(obstacle) => best = best.max(obstacle),
        }
    }
    Some(best)
}

fn misfit(point: &OperatingPoint, shape: &InstanceType, reserves: &Reserves) -> Option<Obstacle> {
    let left = |capacity: f64, daemons: f64| capacity * (1.0 - reserves.share) - daemons;
    if point.gpus_per_replica > shape.gpus {
        Some(Obstacle::Gpus)
    } else if point.requires_nvlink && point.gpus_per_replica > 1 && !shape.nvlink {
        Some(Obstacle::Nvlink)
    } else if point.gpu_memory.0 > shape.gpu_memory.0 * reserves.gpu_memory_share {
        Some(Obstacle::GpuMemory)
    } else if point.vcpus > left(shape.vcpus, reserves.vcpus) || point.ram.0 > left(shape.ram.0, reserves.ram.0) {
        Some(Obstacle::VcpusOrRam)
    } else {
        None
    }
}
