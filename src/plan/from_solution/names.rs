//! Names of pools: short, unique, DNS labels.

use super::pools;
use crate::domain::CapacityType;
use crate::formulation::problem::{Partition, PoolIndex, Problem, Sharing, Tenants};
use crate::solver::Solution;
use std::collections::{BTreeMap, BTreeSet};

/// Names of every pool in use and of the on-demand pools that stand in for spot; the example's start with `demo-`.
#[must_use]
pub fn of(problem: &Problem, solution: &Solution, demo: bool) -> BTreeMap<PoolIndex, String> {
    let used = pools::used(problem, solution);
    let regions: BTreeSet<_> = used.iter().map(|&p| &problem.pools[p].region).collect();
    used.iter()
        .map(|&index| {
            let pool = &problem.pools[index];
            let mut own = name((pool.instance_type.as_str(), pool.region.as_str(), regions.len() > 1), pool.capacity_type, pool.sharing);
            if let Some(cut) = &pool.partition {
                own = cut_name(&own, cut);
            }
            (index, if demo { format!("demo-{own}") } else { own })
        })
        .collect()
}

/// `g6e-4xlarge-od-mps-4`, with the team where it is for one only.
fn cut_name(own: &str, cut: &Partition) -> String {
    let team = match &cut.tenants {
        Tenants::Any => String::new(),
        Tenants::Team(team) => format!("-{team}"),
    };
    let raw = format!("{}-{}{team}", own.strip_suffix("-shared").unwrap_or(own), cut.layout).to_lowercase();
    let label: String = raw.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    label.trim_matches('-').chars().take(63).collect()
}

/// `g6e-xlarge-spot`, `p4d-24xlarge-od-shared`, with the region where there are several.
#[must_use]
pub fn name((instance_type, region, with_region): (&str, &str, bool), capacity_type: CapacityType, sharing: Sharing) -> String {
    let kind = match capacity_type {
        CapacityType::OnDemand => "od",
        CapacityType::Spot => "spot",
    };
    let shared = if sharing == Sharing::Fixed { "-shared" } else { "" };
    let place = if with_region { format!("-{region}") } else { String::new() };
    let raw = format!("{instance_type}{place}-{kind}{shared}").to_lowercase();
    let label: String = raw.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    label.trim_matches('-').chars().take(63).collect()
}
