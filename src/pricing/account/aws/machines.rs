//! Machines with GPUs that a region offers, and in which of its zones.
//!
//! In: a region. Out: shapes of every machine with NVIDIA GPUs, known to the catalogue or not, and zones by id: names of zones mean
//! something else to each account. Only what is offered to this account in this region is listed.

use super::faults::Action;
use super::session::Session;
use super::{Region, is_of_region};
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::Cloud;
use crate::pricing::codes;
use crate::pricing::gathered::{Gathered, Shape, ZoneOffer};
use crate::pricing::pages::Page;
use crate::pricing::summed::Summed;
use aws_sdk_ec2::types::{GpuDeviceInfo, InstanceTypeInfo, LocationType};
use std::collections::{BTreeMap, BTreeSet};

const SOURCE: &str = "EC2 DescribeInstanceTypes";

/// Machines a page: the most that the interface allows (5 to 100).
const TYPES_A_PAGE: i32 = 100;

/// Offers a page: the most that the interface allows (5 to 1000).
const OFFERS_A_PAGE: i32 = 1000;

/// Machines of a region.
pub(super) struct Described {
    /// Those that are asked for.
    pub(super) names: BTreeSet<String>,
    /// Their shapes, and findings.
    pub(super) gathered: Gathered,
}

/// Asks for every machine and keeps those with GPUs.
///
/// # Errors
/// The list cannot be had, or is empty.
pub(super) fn described(session: &Session<'_>, region: &Region<'_>) -> Result<Described, Diagnostic> {
    let action = Action { name: "ec2:DescribeInstanceTypes", region: region.name, severity: Severity::Error };
    let client = session.ec2(region.name);
    let infos = session.all(
        &action,
        |token| client.describe_instance_types().max_results(TYPES_A_PAGE).set_next_token(token).send(),
        |answer| Page {
            next: answer.next_token,
            // Most machines have no GPU and are forgotten at once.
            items: answer.instance_types.unwrap_or_default().into_iter().filter(|info| info.gpu_info.is_some()).collect::<Vec<_>>(),
        },
    )?;
    let described = sorted(&infos, region);
    if described.names.is_empty() {
        let message = format!("AWS {}: no machine with GPUs that can be planned with", action.what());
        let mut fault = Diagnostic::new(codes::NOTHING_FOUND, Severity::Error, message);
        fault.help("check the region's name; some regions have no such machines");
        return Err(fault);
    }
    Ok(described)
}

/// Machines with GPUs of NVIDIA, and those of the catalogue; others are named in a note.
fn sorted(infos: &[InstanceTypeInfo], region: &Region<'_>) -> Described {
    let mut findings = Summed::default();
    let mut shapes: BTreeMap<String, Shape> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for info in infos {
        let Some(name) = info.instance_type().map(|name| name.as_str().to_owned()) else { continue };
        let makers: Vec<&str> = devices(info).iter().map(|gpu| gpu.manufacturer().unwrap_or("unknown")).collect();
        if !makers.contains(&"NVIDIA") && !(region.scope.is_gpu_type)(&name) {
            let says = "AWS machines with accelerators of other makers than NVIDIA, left out";
            findings.add((codes::UNKNOWN_MACHINE, Severity::Note), says, format!("`{name}` ({})", makers.join(", ")));
            continue;
        }
        match shape(&name, info) {
            Ok(shape) => {
                shapes.insert(name.clone(), shape);
            }
            Err(why) => {
                let says = "machines that EC2 describes in part only, taken as the catalogue knows them";
                findings.add((codes::BAD_ENTRY, Severity::Warning), says, format!("`{name}` ({why})"));
            }
        }
        names.insert(name);
    }
    let gathered = Gathered { shapes: shapes.into_values().collect(), findings: findings.told(), ..Gathered::default() };
    Described { names, gathered }
}

fn devices(info: &InstanceTypeInfo) -> &[GpuDeviceInfo] {
    info.gpu_info().map_or(&[], |gpus| gpus.gpus())
}

/// The machine, or what is missing of it.
fn shape(name: &str, info: &InstanceTypeInfo) -> Result<Shape, &'static str> {
    let [device] = devices(info) else { return Err("not one kind of GPU") };
    let vcpus = info.v_cpu_info().and_then(|cpus| cpus.default_v_cpus()).ok_or("no number of CPUs")?;
    let ram_mib = info.memory_info().and_then(|memory| memory.size_in_mib()).ok_or("no size of memory")?;
    let mib = device.memory_info().and_then(|memory| memory.size_in_mib()).filter(|mib| *mib > 0);
    let gpu_name = [device.manufacturer(), device.name()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    Ok(Shape {
        cloud: Cloud::Aws,
        instance_type: name.to_owned(),
        gpu_name,
        gpus: gpus(device).ok_or("no number of GPUs")?,
        gpu_memory_gib: mib.map(|mib| f64::from(mib) / 1024.0),
        vcpus: f64::from(vcpus),
        ram_gib: ram_mib as f64 / 1024.0,
        source: SOURCE.to_owned(),
    })
}

/// GPUs of a machine. One with parts of a GPU says that it has none, and how large a part each logical GPU is.
fn gpus(device: &GpuDeviceInfo) -> Option<f64> {
    match device.count() {
        Some(count) if count > 0 => Some(f64::from(count)),
        _ => {
            let part = device.gpu_partition_size().filter(|part| *part > 0.0)?;
            Some(part * f64::from(device.logical_gpu_count().unwrap_or(1)))
        }
    }
}

/// Zones that offer the machines.
///
/// # Errors
/// The list cannot be had.
pub(super) fn offered(session: &Session<'_>, region: &Region<'_>, machines: &BTreeSet<String>) -> Result<Vec<ZoneOffer>, Diagnostic> {
    let action = Action { name: "ec2:DescribeInstanceTypeOfferings", region: region.name, severity: Severity::Warning };
    let client = session.ec2(region.name);
    let offers = session.all(
        &action,
        |token| {
            let by_zone = client.describe_instance_type_offerings().location_type(LocationType::AvailabilityZoneId);
            by_zone.max_results(OFFERS_A_PAGE).set_next_token(token).send()
        },
        |answer| Page { next: answer.next_token, items: answer.instance_type_offerings.unwrap_or_default() },
    )?;
    let mut zones: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for offer in &offers {
        if let (Some(machine), Some(zone)) = (offer.instance_type(), offer.location())
            && machines.contains(machine.as_str())
            && is_of_region(zone)
        {
            zones.entry(machine.as_str()).or_default().insert(zone);
        }
    }
    let offer = |(machine, zones): (&str, BTreeSet<&str>)| ZoneOffer {
        cloud: Cloud::Aws,
        region: region.name.to_owned(),
        instance_type: machine.to_owned(),
        zones: zones.into_iter().map(str::to_owned).collect(),
    };
    Ok(zones.into_iter().map(offer).collect())
}
