//! What the files of a folder say otherwise than the plan: objects that are gone or new, and every value that a replay reads.
//!
//! A difference is no fault: the replay runs on the files and shows the consequences. The plan's side is what the emitters write for it
//! today, read back in the same way, so that nothing of a file is compared that has no meaning to a replay.

use super::types::{
    Behavior, CronJob, Deployment, Fallback, Files, Gate, ModelServer, ObjectId, ObjectKind, PodSpec, PoolSpec, ScaledJob, ScaledObject,
    ScalingRules, ServedModel, Trigger, TriggerKind,
};
use super::{SourceText, files as read_back};
use crate::plan::Plan;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// Something that a file says otherwise than the plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Path of the file; for what is gone, where the plan has it.
    pub path: String,
    /// Line of the object, from 1; `None` for what is gone.
    pub line: Option<u32>,
    /// In words, ids in backticks.
    pub what: String,
}

/// What the files say otherwise than the plan, sorted by path. Empty: a replay of them is a replay of the plan.
#[must_use]
pub fn compare(plan: &Plan, files: &Files) -> Vec<Difference> {
    let emitted = crate::emit::artifacts(plan);
    let texts: Vec<SourceText> = emitted.into_iter().map(|file| SourceText { path: file.path, text: file.contents }).collect();
    let expected = match read_back(&texts) {
        Ok(expected) => expected,
        Err(faults) => {
            let of = |fault: super::ParseFault| Difference {
                path: fault.at.path.clone(),
                line: fault.at.place.map(|(line, _)| line),
                what: format!("the plan's own file is not sound: {}", fault.what),
            };
            return faults.into_iter().map(of).collect();
        }
    };
    let Files { scaled_objects, scaled_jobs, deployments, cron_jobs, gates, node_pools, origins: _, notes: _ } = &expected;
    let mut sides = Sides { plan: &expected, files, list: Vec::new() };
    sides.objects((ObjectKind::ScaledObject, "ScaledObject"), (scaled_objects, &files.scaled_objects), scaled_object);
    sides.objects((ObjectKind::ScaledJob, "ScaledJob"), (scaled_jobs, &files.scaled_jobs), scaled_job);
    sides.objects((ObjectKind::Deployment, "Deployment"), (deployments, &files.deployments), deployment);
    sides.objects((ObjectKind::CronJob, "CronJob"), (cron_jobs, &files.cron_jobs), cron_job);
    sides.objects((ObjectKind::Gate, "gate"), (gates, &files.gates), gate);
    sides.objects((ObjectKind::NodePool, "node pool"), (node_pools, &files.node_pools), node_pool);
    sides.list.sort();
    sides.list
}

struct Sides<'a> {
    plan: &'a Files,
    files: &'a Files,
    list: Vec<Difference>,
}

/// What names an object within its kind.
trait Named {
    fn namespace(&self) -> &str;
    fn name(&self) -> &str;
}

macro_rules! named {
    ($($kind:ty),*) => {
        $(impl Named for $kind {
            fn namespace(&self) -> &str {
                &self.namespace
            }
            fn name(&self) -> &str {
                &self.name
            }
        })*
    };
}

named!(ScaledObject, ScaledJob, Deployment, CronJob, Gate);

impl Named for PoolSpec {
    fn namespace(&self) -> &str {
        ""
    }
    fn name(&self) -> &str {
        &self.name
    }
}

impl Sides<'_> {
    /// Objects of a kind: gone, new, changed.
    fn objects<T: Named>(&mut self, (kind, word): (ObjectKind, &str), (plan, files): (&[T], &[T]), changes: fn(&T, &T) -> Changes) {
        let of = |list: &'_ [T]| -> BTreeSet<(String, String)> {
            list.iter().map(|object| (object.namespace().to_owned(), object.name().to_owned())).collect()
        };
        let find =
            |list: &'_ [T], key: &(String, String)| list.iter().position(|o| (o.namespace(), o.name()) == (key.0.as_str(), key.1.as_str()));
        for key in of(plan).union(&of(files)) {
            let id = ObjectId { kind, namespace: key.0.clone(), name: key.1.clone() };
            let called = if key.0.is_empty() { format!("{word} `{}`", key.1) } else { format!("{word} `{}/{}`", key.0, key.1) };
            match (find(plan, key).and_then(|at| plan.get(at)), find(files, key).and_then(|at| files.get(at))) {
                (Some(_), None) => self.push(&id, format!("{called} is gone")),
                (None, Some(_)) => self.push(&id, format!("{called} is not in the plan")),
                (Some(before), Some(after)) => {
                    for change in changes(before, after).list {
                        self.push(&id, format!("{called}: {change}"));
                    }
                }
                (None, None) => {}
            }
        }
    }

    fn push(&mut self, id: &ObjectId, what: String) {
        let found = self.files.origins.get(id);
        let path = found.or_else(|| self.plan.origins.get(id)).map(|origin| origin.path.clone()).unwrap_or_default();
        let line = found.and_then(|origin| origin.place).map(|(line, _)| line);
        self.list.push(Difference { path, line, what });
    }
}

/// Changes of one object, in words.
#[derive(Default)]
struct Changes {
    list: Vec<String>,
}

impl Changes {
    /// A value, when it differs.
    fn value(&mut self, name: &str, plan: impl Into<Shown>, file: impl Into<Shown>) {
        let (Shown(plan), Shown(file)) = (plan.into(), file.into());
        if plan != file {
            self.list.push(format!("{name} is {file}, the plan has {plan}"));
        }
    }
}

fn shown_slice(slice: &Option<String>) -> Shown {
    Shown(slice.as_ref().map_or_else(|| "none".to_owned(), |name| format!("`{name}`")))
}

fn shown_slices(slices: &BTreeMap<String, u32>) -> Shown {
    let parts: Vec<String> = slices.iter().map(|(name, count)| format!("{count} x `{name}`")).collect();
    Shown(if parts.is_empty() { "none".to_owned() } else { parts.join(" + ") })
}

/// A value as it is shown; two values are equal when they are shown alike.
struct Shown(String);

impl From<&str> for Shown {
    fn from(text: &str) -> Self {
        Self(format!("`{text}`"))
    }
}

impl From<&String> for Shown {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<bool> for Shown {
    fn from(flag: bool) -> Self {
        Self(flag.to_string())
    }
}

impl From<u32> for Shown {
    fn from(number: u32) -> Self {
        Self(number.to_string())
    }
}

impl From<f64> for Shown {
    fn from(number: f64) -> Self {
        Self(number.to_string())
    }
}

impl<T: ToString> From<Option<T>> for Shown {
    fn from(value: Option<T>) -> Self {
        Self(value.map_or_else(|| "not set".to_owned(), |value| value.to_string()))
    }
}

impl From<&Vec<String>> for Shown {
    fn from(list: &Vec<String>) -> Self {
        let quoted: Vec<String> = list.iter().map(|item| format!("`{item}`")).collect();
        Self(if quoted.is_empty() { "nothing".to_owned() } else { quoted.join(", ") })
    }
}

/// A value by its name in code: enums and lists of them.
fn word(value: impl Debug) -> Shown {
    Shown(format!("{value:?}"))
}

fn scaled_object(plan: &ScaledObject, file: &ScaledObject) -> Changes {
    let ScaledObject {
        namespace: _,
        name: _,
        workload,
        target,
        polling_interval_s,
        cooldown_s,
        initial_cooldown_s,
        min_replicas,
        max_replicas,
        idle_replicas,
        fallback,
        behavior: of_behavior,
        triggers: of_triggers,
        paused,
    } = plan;
    let mut changes = Changes::default();
    changes.value("its workload", workload, &file.workload);
    changes.value("its target", target, &file.target);
    changes.value("`pollingInterval`", *polling_interval_s, file.polling_interval_s);
    changes.value("`cooldownPeriod`", *cooldown_s, file.cooldown_s);
    changes.value("`initialCooldownPeriod`", *initial_cooldown_s, file.initial_cooldown_s);
    changes.value("`minReplicaCount`", *min_replicas, file.min_replicas);
    changes.value("`maxReplicaCount`", *max_replicas, file.max_replicas);
    changes.value("`idleReplicaCount`", *idle_replicas, file.idle_replicas);
    changes.value("paused", *paused, file.paused);
    let shown = |fallback: &Fallback| format!("{} replicas after {} failures", fallback.replicas, fallback.failure_threshold);
    changes.value("`fallback`", fallback.as_ref().map(shown), file.fallback.as_ref().map(shown));
    behavior(of_behavior, &file.behavior, &mut changes);
    triggers(of_triggers, &file.triggers, &mut changes);
    changes
}

fn behavior(plan: &Behavior, file: &Behavior, changes: &mut Changes) {
    let Behavior { up, down } = plan;
    for (name, plan, file) in [("scaleUp", up, &file.up), ("scaleDown", down, &file.down)] {
        let ScalingRules { stabilization_s, select, policies, tolerance } = plan;
        changes.value(&format!("`{name}.stabilizationWindowSeconds`"), *stabilization_s, file.stabilization_s);
        changes.value(&format!("`{name}.selectPolicy`"), word(select), word(file.select));
        changes.value(&format!("`{name}.tolerance`"), *tolerance, file.tolerance);
        let shown = |rules: &ScalingRules| {
            let policies: Vec<String> = rules.policies.iter().map(|p| format!("{} {:?} in {} s", p.value, p.unit, p.period_s)).collect();
            Shown(policies.join(" and "))
        };
        if policies != &file.policies {
            changes.value(&format!("`{name}.policies`"), shown(plan), shown(file));
        }
    }
}

/// Triggers by name, those without one by their place.
fn triggers(plan: &[Trigger], file: &[Trigger], changes: &mut Changes) {
    fn by_name(list: &[Trigger]) -> BTreeMap<String, &Trigger> {
        let name = |(at, trigger): (usize, &Trigger)| if trigger.name.is_empty() { format!("#{}", at + 1) } else { trigger.name.clone() };
        list.iter().enumerate().map(|(at, trigger)| (name((at, trigger)), trigger)).collect()
    }
    let (plan, file) = (by_name(plan), by_name(file));
    let names: BTreeSet<&String> = plan.keys().chain(file.keys()).collect();
    for name in names {
        match (plan.get(name), file.get(name)) {
            (Some(before), None) => changes.list.push(format!("trigger `{name}` ({}) is gone", scaler(before))),
            (None, Some(after)) => changes.list.push(format!("trigger `{name}` ({}) is not in the plan", scaler(after))),
            (Some(before), Some(after)) => trigger(name, (before, after), changes),
            (None, None) => {}
        }
    }
}

fn scaler(trigger: &Trigger) -> &str {
    match &trigger.kind {
        TriggerKind::Cron { .. } => "cron",
        TriggerKind::Prometheus { .. } => "prometheus",
        TriggerKind::Other { scaler, .. } => scaler,
    }
}

fn trigger(name: &str, (plan, file): (&Trigger, &Trigger), changes: &mut Changes) {
    let Trigger { name: _, metric_type, use_cached_metrics, kind } = plan;
    let of = |key: &str| format!("`{key}` of trigger `{name}`");
    changes.value(&of("metricType"), word(metric_type), word(file.metric_type));
    changes.value(&of("useCachedMetrics"), *use_cached_metrics, file.use_cached_metrics);
    match (kind, &file.kind) {
        (
            TriggerKind::Cron { timezone, start, end, desired_replicas },
            TriggerKind::Cron { timezone: zone, start: from, end: to, desired_replicas: count },
        ) => {
            changes.value(&of("timezone"), timezone, zone);
            changes.value(&of("start"), start, from);
            changes.value(&of("end"), end, to);
            changes.value(&of("desiredReplicas"), *desired_replicas, *count);
        }
        (
            TriggerKind::Prometheus { server, query, threshold, activation_threshold, ignore_null_values },
            TriggerKind::Prometheus {
                server: address,
                query: promql,
                threshold: target,
                activation_threshold: active,
                ignore_null_values: ignore,
            },
        ) => {
            changes.value(&of("serverAddress"), server, address);
            changes.value(&of("query"), query, promql);
            changes.value(&of("threshold"), *threshold, *target);
            changes.value(&of("activationThreshold"), *activation_threshold, *active);
            changes.value(&of("ignoreNullValues"), *ignore_null_values, *ignore);
        }
        (TriggerKind::Other { scaler: before, metadata: plan }, TriggerKind::Other { scaler: after, metadata: file }) => {
            changes.value(&of("type"), before, after);
            let keys: BTreeSet<&String> = plan.keys().chain(file.keys()).collect();
            for key in keys {
                changes.value(&of(key), plan.get(key), file.get(key));
            }
        }
        (
            TriggerKind::Cron { .. } | TriggerKind::Prometheus { .. } | TriggerKind::Other { .. },
            TriggerKind::Cron { .. } | TriggerKind::Prometheus { .. } | TriggerKind::Other { .. },
        ) => changes.value(&of("type"), scaler(plan), scaler(file)),
    }
}

fn scaled_job(plan: &ScaledJob, file: &ScaledJob) -> Changes {
    let ScaledJob {
        namespace: _,
        name: _,
        workload,
        polling_interval_s,
        max_replicas,
        min_replicas,
        active_deadline_s,
        triggers: of_triggers,
        paused,
        pod: of_pod,
    } = plan;
    let mut changes = Changes::default();
    changes.value("its workload", workload, &file.workload);
    changes.value("`pollingInterval`", *polling_interval_s, file.polling_interval_s);
    changes.value("`maxReplicaCount`", *max_replicas, file.max_replicas);
    changes.value("`minReplicaCount`", *min_replicas, file.min_replicas);
    changes.value("`activeDeadlineSeconds`", *active_deadline_s, file.active_deadline_s);
    changes.value("paused", *paused, file.paused);
    triggers(of_triggers, &file.triggers, &mut changes);
    pod(of_pod, &file.pod, &mut changes);
    changes
}

fn deployment(plan: &Deployment, file: &Deployment) -> Changes {
    let Deployment { namespace: _, name: _, workload, replicas, pod: of_pod, server: of_server } = plan;
    let mut changes = Changes::default();
    changes.value("its workload", workload, &file.workload);
    let shown = |replicas: Option<u32>| Shown(replicas.map_or_else(|| "KEDA's".to_owned(), |count| count.to_string()));
    changes.value("the count", shown(*replicas), shown(file.replicas));
    pod(of_pod, &file.pod, &mut changes);
    server((of_server.as_ref(), file.server.as_ref()), &mut changes);
    changes
}

fn server((plan, file): (Option<&ModelServer>, Option<&ModelServer>), changes: &mut Changes) {
    let (plan, file) = match (plan, file) {
        (Some(plan), Some(file)) => (plan, file),
        (Some(_), None) => return changes.list.push("its models have no configurations any more".to_owned()),
        (None, Some(_)) => return changes.list.push("it serves models of its own".to_owned()),
        (None, None) => return,
    };
    let ModelServer { models, executions } = plan;
    changes.value("executions at a time", *executions, file.executions);
    let find = |list: &[ServedModel], name: &str| list.iter().find(|model| model.name == name).cloned();
    let names: BTreeSet<&String> = models.iter().chain(&file.models).map(|model| &model.name).collect();
    for name in names {
        match (find(models, name), find(&file.models, name)) {
            (Some(_), None) => changes.list.push(format!("model `{name}` is gone")),
            (None, Some(_)) => changes.list.push(format!("model `{name}` is not in the plan")),
            (Some(before), Some(after)) => {
                let ServedModel { name: _, instances, max_batch_size, max_queue_delay_us, priority } = before;
                let of = |key: &str| format!("`{key}` of model `{name}`");
                changes.value(&of("count"), instances, after.instances);
                changes.value(&of("max_batch_size"), max_batch_size, after.max_batch_size);
                changes.value(&of("max_queue_delay_microseconds"), max_queue_delay_us, after.max_queue_delay_us);
                changes.value(&of("priority"), priority, after.priority);
            }
            (None, None) => {}
        }
    }
}

fn cron_job(plan: &CronJob, file: &CronJob) -> Changes {
    let CronJob {
        namespace: _,
        name: _,
        workload,
        time_zone,
        schedule,
        starting_deadline_s,
        parallelism,
        completions,
        active_deadline_s,
        suspend,
        pod: of_pod,
    } = plan;
    let mut changes = Changes::default();
    changes.value("its workload", workload, &file.workload);
    changes.value("`timeZone`", time_zone, &file.time_zone);
    changes.value("`schedule`", schedule, &file.schedule);
    changes.value("`startingDeadlineSeconds`", *starting_deadline_s, file.starting_deadline_s);
    changes.value("`parallelism`", *parallelism, file.parallelism);
    changes.value("`completions`", *completions, file.completions);
    changes.value("`activeDeadlineSeconds`", *active_deadline_s, file.active_deadline_s);
    changes.value("`suspend`", *suspend, file.suspend);
    pod(of_pod, &file.pod, &mut changes);
    changes
}

fn pod(plan: &PodSpec, file: &PodSpec, changes: &mut Changes) {
    let PodSpec { pools, gpus, slice, cpu_milli, memory_mib, grace_s, zones_spread } = plan;
    changes.value("the list of its pools", pools, &file.pools);
    changes.value("`nvidia.com/gpu`", *gpus, file.gpus);
    changes.value("the slice of a GPU", shown_slice(slice), shown_slice(&file.slice));
    changes.value("`cpu` in thousandths", *cpu_milli, file.cpu_milli);
    changes.value("`memory` in MiB", *memory_mib, file.memory_mib);
    changes.value("`terminationGracePeriodSeconds`", *grace_s, file.grace_s);
    changes.value("the hard spread over zones", *zones_spread, file.zones_spread);
}

fn gate(plan: &Gate, file: &Gate) -> Changes {
    let Gate { namespace: _, name: _, scaled_job, time_zone, schedule, pauses } = plan;
    let mut changes = Changes::default();
    changes.value("its ScaledJob", scaled_job, &file.scaled_job);
    changes.value("`timeZone`", time_zone, &file.time_zone);
    changes.value("`schedule`", schedule, &file.schedule);
    changes.value("whether it pauses", *pauses, file.pauses);
    changes
}

fn node_pool(plan: &PoolSpec, file: &PoolSpec) -> Changes {
    let PoolSpec {
        name: _,
        region,
        instance_type,
        spot,
        zones,
        max_nodes,
        min_nodes,
        consolidate_after_s,
        replaces_underutilized,
        weight,
        slices,
    } = plan;
    let mut changes = Changes::default();
    changes.value("its region", region, &file.region);
    changes.value("its instance type", instance_type, &file.instance_type);
    changes.value("whether it is on spot", *spot, file.spot);
    changes.value("its zones", zones, &file.zones);
    changes.value("the most nodes", *max_nodes, file.max_nodes);
    changes.value("the fewest nodes", *min_nodes, file.min_nodes);
    changes.value("seconds that an empty node stays", *consolidate_after_s, file.consolidate_after_s);
    changes.value("whether nodes that are not empty are given up", *replaces_underutilized, file.replaces_underutilized);
    changes.value("its weight", *weight, file.weight);
    changes.value("slices of its nodes", shown_slices(slices), shown_slices(&file.slices));
    changes
}
