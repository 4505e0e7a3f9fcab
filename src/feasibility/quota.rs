//! Demand that no quota can hold, workload by workload.

use super::fault;
use crate::diagnostic::Diagnostic;
use crate::domain::{InstanceType, OperatingPoint, Quota, QuotaUnit, Scenario, Workload};
use crate::sizing::fit;

/// A fault when, on every machine that holds the workload, its own peak alone is beyond the quotas of that machine.
#[must_use]
pub fn check(scenario: &Scenario, workload: &Workload, needs: &[(&OperatingPoint, u32)]) -> Option<Diagnostic> {
    let mut closest: Option<(f64, String)> = None;
    for (point, replicas) in needs {
        for offering in &scenario.offerings {
            let instance = &scenario.instance_types[&offering.instance_type];
            let Some(slots) = fit::slots(point, instance, &scenario.reserves) else { continue };
            let nodes = (replicas * slots).div_ceil(instance.gpus);
            let (share, words) = tightest(scenario, instance, (&offering.region, nodes));
            if share <= 1.0 {
                return None;
            }
            if closest.as_ref().is_none_or(|(known, _)| share < *known) {
                closest = Some((share, words));
            }
        }
    }
    closest.map(|(_, words)| {
        fault(
            "E1603",
            format!("workload `{}` alone is beyond every quota: {words}", workload.id),
            "ask the cloud for more quota and raise the limit in the scenario, or allow other accelerators".to_owned(),
        )
    })
}

/// Use over limit where on-demand and spot quotas of the type are taken together; 0 when the type has no quota.
fn tightest(scenario: &Scenario, instance: &InstanceType, (region, nodes): (&crate::ids::RegionId, u32)) -> (f64, String) {
    let covering: Vec<&Quota> = scenario.quotas.iter().filter(|q| &q.region == region && q.instance_types.contains(&instance.id)).collect();
    let Some(first) = covering.first() else { return (0.0, String::new()) };
    let unit = match first.unit {
        QuotaUnit::Vcpus => instance.vcpus,
        QuotaUnit::Gpus => f64::from(instance.gpus),
        QuotaUnit::Nodes => 1.0,
    };
    let limit: f64 = covering.iter().map(|q| q.limit).sum();
    let needed = f64::from(nodes) * unit;
    let share = if limit > 0.0 { needed / limit } else { f64::INFINITY };
    (share, format!("{nodes} x {} take {needed:.0} {}, the quotas allow {limit:.0}", instance.id, first.unit.as_str()))
}
