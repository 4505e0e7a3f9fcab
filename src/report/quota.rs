//! Quota that the plan may use, counted as each cloud counts it, beside what runs today.
//!
//! A plan does not know the limits that are granted. It knows the most that its pools may hold (fallback for lost spot
//! pools included), and what runs today must have been granted; the difference is what a request is about.

use crate::plan::{NodeGroupCost, NodePool, Plan};
use crate::report::text::count;
use std::collections::BTreeMap;

/// What one quota must allow.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    /// Cloud and region.
    pub place: String,
    /// The quota as the cloud's console names it, as far as the plan can tell.
    pub quota: String,
    /// `vCPUs` or `GPUs`.
    pub unit: &'static str,
    /// Most that the plan's pools may hold.
    pub plan: f64,
    /// Held by today's machines whose shape the plan knows.
    pub today: f64,
    /// Today's machines of shapes that the plan does not use, so that their size is not in it: machines by type.
    pub today_unknown: BTreeMap<String, f64>,
}

impl Need {
    /// The plan needs more than is known to run.
    #[must_use]
    pub fn is_more(&self) -> bool {
        self.plan > self.today + 1e-9
    }

    /// Today's use in words: `60 + 13 x g5.xlarge`.
    #[must_use]
    pub fn today_text(&self) -> String {
        self.with_unknown(self.today)
    }

    /// Limit that lets old and new machines run beside each other while workloads move, in words.
    #[must_use]
    pub fn while_moving_text(&self) -> String {
        self.with_unknown(self.plan + self.today)
    }

    fn with_unknown(&self, known: f64) -> String {
        let unknown = self.today_unknown.iter().map(|(instance_type, nodes)| format!("{} x {instance_type}", count(*nodes)));
        let known = (known > 0.0 || self.today_unknown.is_empty()).then(|| count(known));
        known.into_iter().chain(unknown).collect::<Vec<_>>().join(" + ")
    }
}

/// Every quota the plan draws on, sorted by place and name.
#[must_use]
pub fn needs(plan: &Plan) -> Vec<Need> {
    let mut needs: BTreeMap<(String, String), Need> = BTreeMap::new();
    for pool in plan.pools.iter().filter(|p| p.max_nodes > 0) {
        let (unit, size) = size(pool);
        let place = format!("{} {}", pool.cloud, pool.region);
        let quota = quota_name(&pool.cloud, &pool.instance_type, &pool.accelerator, &pool.capacity_type);
        let need = Need { place: place.clone(), quota: quota.clone(), unit, plan: 0.0, today: 0.0, today_unknown: BTreeMap::new() };
        needs.entry((place, quota)).or_insert(need).plan += f64::from(pool.max_nodes) * size;
    }
    for group in &plan.baseline.node_groups {
        add_today(plan, group, &mut needs);
    }
    needs.into_values().collect()
}

/// Adds a node group of today to the quota it draws on, if the plan draws on it too.
fn add_today(plan: &Plan, group: &NodeGroupCost, needs: &mut BTreeMap<(String, String), Need>) {
    let known = plan.pools.iter().find(|p| p.instance_type == group.instance_type);
    let neighbour = known.or_else(|| plan.pools.iter().find(|p| p.region == group.region));
    let Some(neighbour) = neighbour else { return };
    let accelerator = known.map_or("", |p| p.accelerator.as_str());
    let quota = quota_name(&neighbour.cloud, &group.instance_type, accelerator, &group.capacity_type);
    let Some(need) = needs.get_mut(&(format!("{} {}", neighbour.cloud, group.region), quota)) else { return };
    match known {
        Some(pool) => need.today += group.nodes.ceil() * size(pool).1,
        None => *need.today_unknown.entry(group.instance_type.clone()).or_insert(0.0) += group.nodes.ceil(),
    }
}

/// Unit of the cloud's GPU quota, and how much of it one node takes.
fn size(pool: &NodePool) -> (&'static str, f64) {
    if pool.cloud == "gcp" { ("GPUs", f64::from(pool.gpus_per_node)) } else { ("vCPUs", pool.vcpus_per_node) }
}

/// The quota that an instance type draws on.
fn quota_name(cloud: &str, instance_type: &str, accelerator: &str, capacity_type: &str) -> String {
    let spot = capacity_type == "spot";
    match cloud {
        "aws" => aws_quota(instance_type, spot),
        "gcp" => format!("{}{accelerator} GPUs", if spot { "Preemptible " } else { "" }),
        // Azure has one spot quota a region, whatever the family.
        _ if spot => "Total Regional Spot vCPUs".to_owned(),
        _ => format!("{} family vCPUs", without_size(instance_type)),
    }
}

/// AWS counts vCPUs by family: on-demand G with VT, all of P; spot splits P by generation.
fn aws_quota(instance_type: &str, spot: bool) -> String {
    let shape = instance_type.split('.').next().unwrap_or(instance_type);
    let letters: String = shape.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_uppercase();
    let family = match letters.as_str() {
        "G" | "GR" | "VT" => "G and VT".to_owned(),
        "P" if spot && ["p2", "p3", "p4"].iter().any(|p| shape.starts_with(p)) => "P4, P3 and P2".to_owned(),
        "P" if spot => shape.chars().take(2).collect::<String>().to_uppercase(),
        _ => letters,
    };
    if spot { format!("All {family} Spot Instance Requests") } else { format!("Running On-Demand {family} instances") }
}

/// Azure's family is the size without its count: `Standard_NC24ads_A100_v4` draws on `NCads_A100_v4`.
fn without_size(instance_type: &str) -> String {
    let name = instance_type.strip_prefix("Standard_").unwrap_or(instance_type);
    let (head, tail) = name.split_once('_').map_or((name, ""), |(h, t)| (h, t));
    let head: String = head.chars().filter(|c| !c.is_ascii_digit()).collect();
    if tail.is_empty() { head } else { format!("{head}_{tail}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_named_as_the_console_names_them() {
        assert_eq!(quota_name("aws", "g6e.xlarge", "l40s", "on-demand"), "Running On-Demand G and VT instances");
        assert_eq!(quota_name("aws", "g6.xlarge", "l4", "spot"), "All G and VT Spot Instance Requests");
        assert_eq!(quota_name("aws", "p4d.24xlarge", "a100-40gb", "spot"), "All P4, P3 and P2 Spot Instance Requests");
        assert_eq!(quota_name("aws", "p5.48xlarge", "h100-sxm", "spot"), "All P5 Spot Instance Requests");
        assert_eq!(quota_name("gcp", "g2-standard-4", "l4", "spot"), "Preemptible l4 GPUs");
        assert_eq!(quota_name("azure", "Standard_NC24ads_A100_v4", "a100", "on-demand"), "NCads_A100_v4 family vCPUs");
    }
}
