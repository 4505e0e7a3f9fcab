//! The change between two plans: every field that differs, found by name, not by place in the file.
//!
//! Two plans are the same when nothing is listed. A different order of notes or of equal rows is no difference.

mod fields;
mod parts;
mod purchase;
mod robust;

use crate::plan::Plan;
use crate::units::Usd;
use fields::Facts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The version of the difference's format.
pub const PLAN_DIFF_FORMAT: &str = "gpuplan/plan-diff/v1";

/// What differs between two plans.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanDiff {
    /// Always `gpuplan/plan-diff/v1`.
    pub format: String,
    /// The first plan in short.
    pub before: Side,
    /// The second plan in short.
    pub after: Side,
    /// Name, marks, costs, saving, baseline and comparison totals.
    pub totals: Vec<FieldChange>,
    /// Target; relaxations and binding limits included.
    pub target: Vec<FieldChange>,
    /// Least cost, bound, gap.
    pub optimality: Vec<FieldChange>,
    /// Stages of the solve.
    pub stages: ItemChanges,
    /// Workloads.
    pub workloads: ItemChanges,
    /// Node pools.
    pub pools: ItemChanges,
    /// Servers that several services share.
    #[serde(default, skip_serializing_if = "ItemChanges::is_empty")]
    pub bundles: ItemChanges,
    /// Commitments that the plan buys.
    #[serde(default, skip_serializing_if = "ItemChanges::is_empty")]
    pub purchases: ItemChanges,
    /// Windows of the week, by workload, days and hours.
    pub windows: ItemChanges,
    /// Today's node groups.
    pub node_groups: ItemChanges,
    /// Commitments, today's and the plan's.
    pub commitments: ItemChanges,
    /// Levers.
    pub levers: ItemChanges,
    /// Sensitivities.
    pub sensitivity: ItemChanges,
    /// What the plan stands: totals and each workload.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub robustness: Vec<FieldChange>,
    /// Cases that it was held against.
    #[serde(default, skip_serializing_if = "ItemChanges::is_empty")]
    pub cases: ItemChanges,
    /// Alternatives.
    #[serde(default, skip_serializing_if = "ItemChanges::is_empty")]
    pub alternatives: ItemChanges,
    /// Prices.
    pub prices: ItemChanges,
    /// Files that went in.
    pub inputs: ItemChanges,
    /// Explanations: only additions and removals.
    pub notes: ItemChanges,
    /// Versions, digests, zones.
    pub provenance: Vec<FieldChange>,
}

/// One of the two plans, in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// Scenario name.
    pub name: String,
    /// Today's bill, $ a month.
    pub baseline_usd_per_month: Usd,
    /// Cost of the plan, $ a month.
    pub usd_per_month: Usd,
    /// Saving as a share of the baseline.
    pub saving: f64,
    /// The target is met; none without a target.
    pub target_met: Option<bool>,
}

/// A field with two values. `null`: the field is absent on that side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldChange {
    /// Dotted name, as in the plan file.
    pub field: String,
    /// In the first plan.
    pub before: Value,
    /// In the second plan.
    pub after: Value,
}

/// Named things that came, went or changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemChanges {
    /// Only in the second plan.
    pub added: Vec<Item>,
    /// Only in the first plan.
    pub removed: Vec<Item>,
    /// In both, and different.
    pub changed: Vec<ItemChange>,
}

/// A thing that is in one plan only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Name.
    pub name: String,
    /// Its cost, where it has one, $ a month.
    pub usd_per_month: Option<f64>,
}

/// A thing that is in both plans and differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemChange {
    /// Name.
    pub name: String,
    /// The fields that differ, in the order of the plan file.
    pub fields: Vec<FieldChange>,
}

impl ItemChanges {
    /// Nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { added, removed, changed } = self;
        added.is_empty() && removed.is_empty() && changed.is_empty()
    }
}

impl PlanDiff {
    /// The plans are the same. Destructured so that a new part cannot be forgotten.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            format: _,
            before: _,
            after: _,
            totals,
            target,
            optimality,
            stages,
            workloads,
            pools,
            bundles,
            purchases,
            windows,
            node_groups,
            commitments,
            levers,
            sensitivity,
            robustness,
            cases,
            alternatives,
            prices,
            inputs,
            notes,
            provenance,
        } = self;
        let items =
            [stages, workloads, pools, bundles, purchases, windows, node_groups, commitments, levers, sensitivity, prices, inputs, notes];
        let surprises = [cases, alternatives];
        [totals, target, optimality, robustness, provenance].iter().all(|f| f.is_empty())
            && items.iter().chain(&surprises).all(|i| i.is_empty())
    }
}

/// What differs from the first plan to the second.
#[must_use]
pub fn diff(before: &Plan, after: &Plan) -> PlanDiff {
    let (a, b) = (parts::of(before), parts::of(after));
    PlanDiff {
        format: PLAN_DIFF_FORMAT.to_owned(),
        before: side(before),
        after: side(after),
        totals: changes(&a.totals, &b.totals),
        target: changes(&a.target, &b.target),
        optimality: changes(&a.optimality, &b.optimality),
        stages: items(a.stages, b.stages),
        workloads: items(a.workloads, b.workloads),
        pools: items(a.pools, b.pools),
        bundles: items(a.bundles, b.bundles),
        purchases: items(a.purchases, b.purchases),
        windows: items(a.windows, b.windows),
        node_groups: items(a.node_groups, b.node_groups),
        commitments: items(a.commitments, b.commitments),
        levers: items(a.levers, b.levers),
        sensitivity: items(a.sensitivity, b.sensitivity),
        robustness: changes(&a.robustness, &b.robustness),
        cases: items(a.cases, b.cases),
        alternatives: items(a.alternatives, b.alternatives),
        prices: items(a.prices, b.prices),
        inputs: items(a.inputs, b.inputs),
        notes: items(a.notes, b.notes),
        provenance: changes(&a.provenance, &b.provenance),
    }
}

fn side(plan: &Plan) -> Side {
    Side {
        name: plan.name.clone(),
        baseline_usd_per_month: plan.baseline.usd_per_month,
        usd_per_month: plan.cost.usd_per_month,
        saving: plan.saving,
        target_met: plan.target.as_ref().map(|t| t.met),
    }
}

/// Fields that differ: the first plan's order, then those that only the second has.
fn changes(before: &Facts, after: &Facts) -> Vec<FieldChange> {
    let value = |facts: &Facts, field: &str| facts.iter().find(|(f, _)| f == field).map_or(Value::Null, |(_, v)| v.clone());
    let new = after.iter().filter(|(field, _)| !before.iter().any(|(f, _)| f == field));
    before
        .iter()
        .chain(new)
        .map(|(field, _)| FieldChange { field: field.clone(), before: value(before, field), after: value(after, field) })
        .filter(|c| c.before != c.after)
        .collect()
}

/// Things that came, went or changed, by name.
fn items(before: Vec<(String, Facts)>, after: Vec<(String, Facts)>) -> ItemChanges {
    let (before, after) = (named(before), named(after));
    let only = |these: &BTreeMap<String, Facts>, those: &BTreeMap<String, Facts>| {
        let missing = these.iter().filter(|(name, _)| !those.contains_key(*name));
        missing.map(|(name, facts)| Item { name: name.clone(), usd_per_month: cost(facts) }).collect()
    };
    let changed = before.iter().filter_map(|(name, a)| {
        let fields = changes(a, after.get(name)?);
        (!fields.is_empty()).then(|| ItemChange { name: name.clone(), fields })
    });
    ItemChanges { added: only(&after, &before), removed: only(&before, &after), changed: changed.collect() }
}

/// By name; a name that comes again is numbered, so that nothing is lost.
fn named(items: Vec<(String, Facts)>) -> BTreeMap<String, Facts> {
    let mut out = BTreeMap::new();
    for (name, facts) in items {
        let mut unique = name.clone();
        let mut n = 2;
        while out.contains_key(&unique) {
            unique = format!("{name} #{n}");
            n += 1;
        }
        out.insert(unique, facts);
    }
    out
}

fn cost(facts: &Facts) -> Option<f64> {
    facts.iter().find(|(field, _)| field == "usd_per_month").and_then(|(_, v)| v.as_f64())
}
