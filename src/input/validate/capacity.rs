//! Calibrated capacity tables go to the services whose numbers they were made for.

use crate::domain::{CapacityTable, OperatingPoint, Profile, Service, Workload, WorkloadKind};
use crate::ids::{ProfileId, WorkloadId};
use crate::input::capacity_file::{self, CapacityFile};
use crate::input::codes;
use crate::input::faults::Faults;
use crate::input::scenario_file::ScenarioFile;
use crate::input::validate::Known;
use std::collections::{BTreeMap, BTreeSet};

/// What tables are given to.
pub struct Services<'a> {
    /// Workloads.
    pub workloads: &'a mut [Workload],
    /// Their profiles.
    pub profiles: &'a BTreeMap<ProfileId, Profile>,
    /// Workloads that are not planned.
    pub frozen: &'a BTreeSet<WorkloadId>,
}

/// Gives each service the tables whose keys are those of its operating points. A table of other numbers is not used, and a
/// service without any is told of.
pub fn attach(services: Services<'_>, (scenario, known): (&ScenarioFile, &Known<'_>), faults: &mut Faults) {
    let (Some(named), Some(file)) = (&scenario.capacity_tables, &known.data.capacity) else { return };
    let Services { workloads, profiles, frozen } = services;
    for workload in workloads {
        let WorkloadKind::Service(service) = &mut workload.kind else { continue };
        let Some(profile) = profiles.get(&workload.profile) else { continue };
        let tables: Vec<CapacityTable> = profile.points.iter().filter_map(|point| table(file, service, point)).collect();
        let its = file.entries.iter().filter(|entry| entry.workload == workload.id.as_str());
        let stale = its.filter(|entry| !profile.points.iter().any(|point| capacity_file::key(service, point) == entry.key)).count();
        let name = &workload.id;
        let message = match (stale, tables.len()) {
            _ if frozen.contains(name) => None,
            (0, 0) => Some(format!("`{}` has no table of `{name}`: the closed form is used", named.value)),
            (0, _) => None,
            (n, _) => Some(format!("{n} of the tables of `{name}` were calibrated for other numbers: the closed form is used")),
        };
        if let Some(message) = message {
            faults.note(codes::NOT_CALIBRATED, named.span, message).help("run `gpuplan calibrate`");
        }
        service.tables = tables;
    }
}

fn table(file: &CapacityFile, service: &Service, point: &OperatingPoint) -> Option<CapacityTable> {
    let key = capacity_file::key(service, point);
    let entry = file.entries.iter().find(|entry| entry.key == key)?;
    Some(CapacityTable {
        accelerator: point.accelerator.clone(),
        gpus_per_replica: point.gpus_per_replica,
        precision: point.precision.clone(),
        slice: point.slice.clone(),
        points: entry.points.iter().map(|row| (row.replicas, row.rps_low)).collect(),
    })
}
