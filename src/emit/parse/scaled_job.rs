//! ScaledJobs of KEDA, its defaults filled in.
//!
//! Source: github.com/kedacore/keda, `apis/keda/v1alpha1/scaledjob_types.go`.

use super::fault::Faults;
use super::manifest::Manifest;
use super::pod::{self, Draft};
use super::trigger;
use super::types::ScaledJob;

/// Reads one, with where its pods want to run.
pub(super) fn read(manifest: &Manifest, faults: &mut Faults) -> Option<(ScaledJob, Draft)> {
    let spec = manifest.spec(faults)?;
    let job = spec.required_map("jobTargetRef", faults);
    let (min_replicas, max_replicas) = (spec.count("minReplicaCount", faults).unwrap_or(0), spec.count("maxReplicaCount", faults));
    let high = max_replicas.unwrap_or(100);
    if min_replicas > high && (max_replicas.is_some() || spec.get("maxReplicaCount").is_none()) {
        let at = spec.get("minReplicaCount").unwrap_or(spec);
        let what = format!("`minReplicaCount` {min_replicas} of {} is above `maxReplicaCount` {high}", manifest.owner);
        at.fault(faults, what, "lower one or raise the other");
    }
    if let Some(strategy) = spec.map("scalingStrategy", faults) {
        let name = strategy.text("strategy", faults).unwrap_or_default();
        if !["", "default", "basic"].contains(&name) {
            strategy.get("strategy").unwrap_or(strategy).unsupported(&format!("scalingStrategy: {name}"), faults);
        }
        let several = spec.items("triggers", &mut Faults::default()).len() > 1;
        let calculation = strategy.text("multipleScalersCalculation", faults).unwrap_or("max");
        if several && calculation != "max" {
            strategy.unsupported(&format!("multipleScalersCalculation: {calculation}"), faults);
        }
    }
    let triggers = trigger::read(spec, faults);
    if spec.get("triggers").is_none_or(|_| spec.items("triggers", &mut Faults::default()).is_empty()) {
        faults.note(spec.origin(), format!("{} has no trigger: it starts nothing beyond `minReplicaCount`", manifest.owner));
    }
    let polling_interval_s = spec.positive("pollingInterval", faults).unwrap_or(30);
    let paused = trigger::paused(manifest.field(), faults);
    let job = job?;
    for key in ["parallelism", "completions"] {
        if job.count(key, faults).unwrap_or(1) != 1 {
            let at = job.get(key).unwrap_or(job);
            at.fault(
                faults,
                format!("`{key}` of a Job of {} is not 1", manifest.owner),
                "write 1: `maxReplicaCount` says how many run at once",
            );
        }
    }
    let active_deadline_s = job.positive("activeDeadlineSeconds", faults);
    let draft = job.required_map("template", faults).and_then(|template| pod::read(template, pod::Whole::Yes, faults));
    let draft = draft?;
    let scaled_job = ScaledJob {
        namespace: manifest.namespace.clone(),
        name: manifest.name.clone(),
        workload: manifest.workload.clone().unwrap_or_default(),
        polling_interval_s,
        max_replicas: high,
        min_replicas,
        active_deadline_s,
        triggers,
        paused,
        pod: draft.spec.clone(),
    };
    Some((scaled_job, draft))
}
