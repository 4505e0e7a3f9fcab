//! Whether and how a replica fits a machine: GPU memory, links, CPUs and main memory of whole nodes.
//!
//! A replica takes `k` of the node's `m` GPU slots: its GPUs, or more when its CPUs or memory ask for a larger share.
//! `k` and `m` are powers of two, so packing by slots alone is exact (bin packing with divisible sizes:
//! Coffman, Garey, Johnson 1987).

use crate::domain::{Accelerator, InstanceType, Layout, OperatingPoint, Reserves};

/// CPUs and memory of a node that pods can have.
#[must_use]
pub fn allocatable(instance: &InstanceType, reserves: &Reserves) -> (f64, f64) {
    (instance.vcpus * (1.0 - reserves.share) - reserves.vcpus, instance.ram.0 * (1.0 - reserves.share) - reserves.ram.0)
}

/// Slots of one replica on the node; `None` when it does not fit.
#[must_use]
pub fn slots(point: &OperatingPoint, instance: &InstanceType, reserves: &Reserves) -> Option<u32> {
    let gpus = instance.gpus;
    let memory_fits = point.gpu_memory.0 <= instance.gpu_memory.0 * reserves.gpu_memory_share;
    let linked = !point.requires_nvlink || point.gpus_per_replica == 1 || instance.nvlink;
    if point.slice.is_some()
        || point.accelerator != instance.accelerator
        || !gpus.is_power_of_two()
        || !memory_fits
        || !linked
        || point.gpus_per_replica > gpus
    {
        return None;
    }
    let (vcpus, ram) = allocatable(instance, reserves);
    if point.vcpus > vcpus || point.ram.0 > ram {
        return None;
    }
    let share = (point.vcpus / vcpus).max(point.ram.0 / ram) * f64::from(gpus);
    let mut slots = point.gpus_per_replica.next_power_of_two();
    while f64::from(slots) < share - 1e-9 {
        slots *= 2;
    }
    (slots <= gpus).then_some(slots)
}

/// Whether a replica on a slice fits a machine that is cut like this: memory of its slice, and an equal share of the node's CPUs and
/// memory for each slice, so that any mix of tenants fits.
#[must_use]
pub fn on_slice(point: &OperatingPoint, (instance, card): (&InstanceType, &Accelerator), (layout, reserves): (&Layout, &Reserves)) -> bool {
    let Some(slice) = point.slice.as_deref().and_then(|name| card.slice(name)) else { return false };
    let (vcpus, ram) = allocatable(instance, reserves);
    let each = f64::from(layout.total() * instance.gpus);
    let memory_fits = point.gpu_memory.0 <= slice.memory.0 * reserves.gpu_memory_share + 1e-9;
    memory_fits && point.gpus_per_replica == 1 && point.vcpus <= vcpus / each && point.ram.0 <= ram / each
}
