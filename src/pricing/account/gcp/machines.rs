//! Machines with GPUs that a project can have, and in which zones.
//!
//! In: regions. Out: machines for [`assemble`](crate::pricing::assemble), their shapes and zones. Prices of parts are listed for regions
//! that have no such machine, so what is not in these lists is not priced.

use super::session::Session;
use super::{Scope, faults::Action, last_part};
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::Cloud;
use crate::pricing::assemble::{Machine, bundled_ssd_gib, recipe};
use crate::pricing::codes;
use crate::pricing::gathered::{Gathered, Shape, ZoneOffer};
use crate::pricing::pages::Page;
use crate::pricing::summed::Summed;
use google_cloud_compute_v1::model::{AcceleratorType, MachineType};
use std::collections::{BTreeMap, BTreeSet};

const SOURCE: &str = "Compute Engine machine types";

/// Entries a page: the most that the interface allows.
const PAGE: u32 = 500;

/// GPUs that are attached to N1 machines: the name in the zone's list, the one in the names of such machines, and the catalogue's id.
const ATTACHED: [(&str, &str, &str); 4] = [
    ("nvidia-tesla-t4", "T4", "t4"),
    ("nvidia-tesla-p4", "P4", "p4"),
    ("nvidia-tesla-p100", "P100", "p100"),
    ("nvidia-tesla-v100", "V100", "v100-16"),
];

/// How many may be attached.
const COUNTS: [i32; 4] = [1, 2, 4, 8];

/// Machines with GPUs of the regions asked for.
pub(super) struct Listed {
    /// To be put together.
    pub(super) machines: Vec<Machine>,
    /// Shapes, zones and findings.
    pub(super) gathered: Gathered,
}

/// A machine, as zones list it.
struct Found {
    vcpus: f64,
    ram_gib: f64,
    /// Name of its GPU, as the cloud calls it.
    gpu: String,
    gpus: f64,
    /// Id of a GPU that is attached.
    attached: Option<&'static str>,
    zones: BTreeSet<String>,
}

type InZone<T> = (String, T);

/// Asks for the machines of all zones, and for the GPUs that can be attached there.
///
/// # Errors
/// The list of machines cannot be had, or has none with GPUs.
pub(super) fn listed(session: &Session<'_>, scope: &Scope<'_>) -> Result<Listed, Diagnostic> {
    let mut findings = Summed::default();
    let types = machine_types(session, scope, &mut findings)?;
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    for (zone, machine) in &types {
        if let Some((name, with_gpus)) = with_gpus(machine) {
            found.entry(name).or_insert(with_gpus).zones.insert(zone.clone());
        }
    }
    match accelerator_types(session, scope, &mut findings) {
        Ok(accelerators) => found.extend(with_attached(&types, &accelerators, scope.is_gpu_type)),
        Err(fault) => {
            let says = "GPUs that can be attached to N1 machines are not known, such machines are left out";
            findings.add((fault.code, Severity::Warning), says, fault.message);
        }
    }
    let machines = machines(&found, scope, &mut findings);
    if machines.is_empty() {
        let message = format!("Google Cloud machine types: none with GPUs that can be planned with in {}", scope.regions.join(", "));
        let mut fault = Diagnostic::new(codes::NOTHING_FOUND, Severity::Error, message);
        fault.help("check the names of the regions; some have no such machines");
        return Err(fault);
    }
    let mut gathered = described(&machines, &found);
    gathered.findings = findings.told();
    Ok(Listed { machines, gathered })
}

/// Machine types of the zones that are asked for, each with its zone: those with GPUs of NVIDIA, and N1.
fn machine_types(session: &Session<'_>, scope: &Scope<'_>, findings: &mut Summed) -> Result<Vec<InZone<MachineType>>, Diagnostic> {
    let action =
        Action { what: "machine types", permission: "compute.machineTypes.list", api: "compute.googleapis.com", severity: Severity::Error };
    let scopes = session.all(
        &action,
        |token| session.machines.aggregated_list().set_project(&session.project).set_max_results(PAGE).set_page_token(token).send(),
        |answer| Page { next: answer.next_page_token, items: answer.items.into_iter().collect() },
    )?;
    let mut types = Vec::new();
    for (name, list) in scopes {
        let code = list.warning.as_ref().and_then(|warning| warning.code.as_ref());
        let Some(zone) = asked_zone(&name, code.and_then(|code| code.name()), scope, findings) else { continue };
        let is_ours = |machine: &MachineType| is_n1(machine) || with_gpus(machine).is_some();
        types.extend(list.machine_types.into_iter().filter(is_ours).map(|machine| (zone.to_owned(), machine)));
    }
    types.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.name.cmp(&b.1.name)));
    Ok(types)
}

const UNREACHABLE: (&str, Severity) = (codes::UNREACHABLE, Severity::Warning);
const UNREACHABLE_SAYS: &str = "zones of Google Cloud that did not answer, as if they had no machines";

/// GPUs of the zones that are asked for, each with its zone.
fn accelerator_types(session: &Session<'_>, scope: &Scope<'_>, findings: &mut Summed) -> Result<Vec<InZone<AcceleratorType>>, Diagnostic> {
    let action = Action {
        what: "accelerator types",
        permission: "compute.acceleratorTypes.list",
        api: "compute.googleapis.com",
        severity: Severity::Warning,
    };
    let scopes = session.all(
        &action,
        |token| session.accelerators.aggregated_list().set_project(&session.project).set_max_results(PAGE).set_page_token(token).send(),
        |answer| Page { next: answer.next_page_token, items: answer.items.into_iter().collect() },
    )?;
    let mut types = Vec::new();
    for (name, list) in scopes {
        let code = list.warning.as_ref().and_then(|warning| warning.code.as_ref());
        let Some(zone) = asked_zone(&name, code.and_then(|code| code.name()), scope, findings) else { continue };
        types.extend(list.accelerator_types.into_iter().map(|accelerator| (zone.to_owned(), accelerator)));
    }
    Ok(types)
}

/// Region of a zone: `us-central1` of `us-central1-a`.
fn region(zone: &str) -> &str {
    zone.rsplit_once('-').map_or("", |(region, _)| region)
}

/// The zone of a part of a list, if it is asked for; that it did not answer is told.
fn asked_zone<'n>(name: &'n str, warning: Option<&str>, scope: &Scope<'_>, findings: &mut Summed) -> Option<&'n str> {
    let zone = last_part(name);
    if !is_asked(zone, scope) {
        return None;
    }
    if warning == Some("UNREACHABLE") {
        findings.add(UNREACHABLE, UNREACHABLE_SAYS, format!("`{zone}`"));
    }
    Some(zone)
}

fn is_asked(zone: &str, scope: &Scope<'_>) -> bool {
    scope.regions.iter().any(|asked| asked == region(zone))
}

fn is_n1(machine: &MachineType) -> bool {
    machine.name.as_deref().is_some_and(|name| name.starts_with("n1-"))
}

/// A machine that comes with GPUs of NVIDIA; nothing for others, and for what is described in part only.
fn with_gpus(machine: &MachineType) -> Option<(String, Found)> {
    let name = machine.name.clone()?;
    let [accelerators] = machine.accelerators.as_slice() else { return None };
    let gpu = last_part(accelerators.guest_accelerator_type.as_deref()?).to_owned();
    if !gpu.starts_with("nvidia-") {
        return None;
    }
    let (vcpus, ram_gib) = size(machine)?;
    let count = accelerators.guest_accelerator_count.filter(|count| *count > 0)?;
    let gpus = if name.starts_with("g4-") { vcpus / G4_VCPUS_A_GPU } else { f64::from(count) };
    Some((name, Found { vcpus, ram_gib, gpu, gpus, attached: None, zones: BTreeSet::new() }))
}

/// A G4 machine with fewer has a part of a GPU, and its count does not say so.
///
/// Source: Compute Engine documentation, "Accelerator-optimized machine family", G4: `g4-standard-48` has one GPU, `g4-standard-6` an
/// eighth of one.
const G4_VCPUS_A_GPU: f64 = 48.0;

/// Virtual CPUs, and main memory in GiB.
fn size(machine: &MachineType) -> Option<(f64, f64)> {
    let vcpus = machine.guest_cpus.filter(|cpus| *cpus > 0)?;
    let memory_mib = machine.memory_mb.filter(|mib| *mib > 0)?;
    Some((f64::from(vcpus), f64::from(memory_mib) / 1024.0))
}

/// N1 machines with GPUs, of those that the catalogue knows: `n1-standard-4+1xT4` where a zone has both.
fn with_attached(
    types: &[InZone<MachineType>],
    accelerators: &[InZone<AcceleratorType>],
    is_gpu_type: &dyn Fn(&str) -> bool,
) -> BTreeMap<String, Found> {
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    for (zone, machine) in types.iter().filter(|(_, machine)| is_n1(machine)) {
        let (Some(name), Some((vcpus, ram_gib))) = (&machine.name, size(machine)) else { continue };
        for (_, accelerator) in accelerators.iter().filter(|(place, _)| place == zone) {
            let Some(gpu) = accelerator.name.as_deref() else { continue };
            let Some((_, short, id)) = ATTACHED.iter().find(|(known, ..)| *known == gpu) else { continue };
            let most = accelerator.maximum_cards_per_instance.unwrap_or(0);
            for count in COUNTS.into_iter().filter(|count| *count <= most) {
                let name = format!("{name}+{count}x{short}");
                if is_gpu_type(&name) {
                    let new = || Found {
                        vcpus,
                        ram_gib,
                        gpu: gpu.to_owned(),
                        gpus: f64::from(count),
                        attached: Some(*id),
                        zones: BTreeSet::new(),
                    };
                    found.entry(name).or_insert_with(new).zones.insert(zone.clone());
                }
            }
        }
    }
    found
}

/// Machines that can be put together; others are named in a note.
fn machines(found: &BTreeMap<String, Found>, scope: &Scope<'_>, findings: &mut Summed) -> Vec<Machine> {
    let mut machines = Vec::new();
    for (name, of) in found {
        let mut zones: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for zone in &of.zones {
            zones.entry(region(zone).to_owned()).or_default().push(zone.clone());
        }
        let machine = Machine {
            instance_type: name.clone(),
            accelerator: of.attached.unwrap_or(&of.gpu).to_owned(),
            gpus: of.gpus,
            vcpus: of.vcpus,
            ram_gib: of.ram_gib,
            local_ssd_gib: bundled_ssd_gib(name),
            zones,
        };
        if (scope.is_gpu_type)(name) || recipe::of(&machine).is_some() {
            machines.push(machine);
        } else {
            let says = "machines of Google Cloud whose parts are not known, left out";
            findings.add((codes::UNKNOWN_MACHINE, Severity::Note), says, format!("`{name}` ({})", of.gpu));
        }
    }
    machines
}

fn described(machines: &[Machine], found: &BTreeMap<String, Found>) -> Gathered {
    let mut gathered = Gathered::default();
    for machine in machines {
        let Machine { instance_type, accelerator: _, gpus, vcpus, ram_gib, local_ssd_gib: _, zones } = machine;
        let (cloud, instance_type) = (Cloud::Gcp, instance_type.clone());
        let gpu_name = found.get(&instance_type).map(|found| found.gpu.clone()).unwrap_or_default();
        for (region, zones) in zones {
            let (region, zones) = (region.clone(), zones.clone());
            gathered.zones.push(ZoneOffer { cloud, region, instance_type: instance_type.clone(), zones });
        }
        gathered.shapes.push(Shape {
            cloud,
            instance_type,
            gpu_name,
            gpus: *gpus,
            gpu_memory_gib: None,
            vcpus: *vcpus,
            ram_gib: *ram_gib,
            source: SOURCE.to_owned(),
        });
    }
    gathered
}
