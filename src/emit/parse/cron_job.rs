//! CronJobs: those that run work, and the gates that hold a ScaledJob back or let it go.

use super::fault::Faults;
use super::field::Field;
use super::manifest::Manifest;
use super::node::Value;
use super::pod::{self, Draft, Whole};
use super::types::{CronJob, Gate};
use super::{schedule, trigger};

/// Annotation that a gate sets and removes.
const PAUSED: &str = "autoscaling.keda.sh/paused";

/// A CronJob.
#[derive(Clone, Debug)]
pub(super) enum Read {
    /// Runs work.
    Work(CronJob, Draft),
    /// Opens or closes a gate.
    Gate(Gate),
}

/// Reads one; `None` for a gate that is suspended, and where something is wrong.
pub(super) fn read(manifest: &Manifest, faults: &mut Faults) -> Option<Read> {
    let spec = manifest.spec(faults)?;
    let time_zone = spec.text("timeZone", faults).unwrap_or("UTC");
    if let Err(what) = schedule::zone(time_zone) {
        let at = spec.get("timeZone").unwrap_or(spec);
        at.fault(
            faults,
            format!("{what} (`timeZone` of {})", manifest.owner),
            "write a name of the IANA database, such as `Europe/Berlin`",
        );
    }
    let schedule = spec.required("schedule", faults).and_then(|line| match schedule::of_cron_job(line) {
        Ok(fields) => Some(fields),
        Err(what) => {
            let help = "write five fields: minute, hour, day of the month, month, day of the week (Sunday is 0)";
            spec.get("schedule").unwrap_or(spec).fault(faults, format!("`schedule` of {}: {what}", manifest.owner), help);
            None
        }
    });
    let suspend = spec.flag("suspend", faults).unwrap_or(false);
    let starting_deadline_s = spec.count("startingDeadlineSeconds", faults);
    let job = spec.required_map("jobTemplate", faults).and_then(|template| template.required_map("spec", faults));
    let (schedule, job) = (schedule, job?);
    let when = (time_zone, schedule.as_deref());
    if let Some(command) = kubectl(job) {
        if suspend {
            faults.note(manifest.origin(), format!("{} is suspended: this gate does not move", manifest.owner));
            return None;
        }
        return gate(manifest, (command, spec), when, faults).map(Read::Gate);
    }
    let policy = spec.text("concurrencyPolicy", faults).unwrap_or("Allow");
    if policy != "Forbid" {
        let at = spec.get("concurrencyPolicy").unwrap_or(spec);
        let what = format!("`concurrencyPolicy` of {} is `{policy}`, so that a run may meet the one before", manifest.owner);
        at.fault(faults, what, "write `Forbid`: a replay knows nothing else");
    }
    let parallelism = job.positive("parallelism", faults).unwrap_or(1);
    let completions = job.positive("completions", faults).unwrap_or(parallelism);
    let active_deadline_s = job.positive("activeDeadlineSeconds", faults);
    let suspend = job.flag("suspend", faults).unwrap_or(false) || suspend;
    let draft = job.required_map("template", faults).and_then(|template| pod::read(template, Whole::Yes, faults));
    let (draft, schedule) = (draft?, schedule?);
    let Some(workload) = manifest.workload.clone() else {
        if draft.spec.gpus.is_some_and(|gpus| gpus > 0) {
            let what = format!("{} asks for GPUs and has no label `app.kubernetes.io/name`", manifest.owner);
            faults.push(manifest.origin(), what, "label it with the name of its workload");
        } else {
            faults.note(manifest.origin(), format!("{} belongs to no workload and asks for no GPU: it is left out", manifest.owner));
        }
        return None;
    };
    let cron_job = CronJob {
        namespace: manifest.namespace.clone(),
        name: manifest.name.clone(),
        workload,
        time_zone: time_zone.to_owned(),
        schedule,
        starting_deadline_s,
        parallelism,
        completions,
        active_deadline_s,
        suspend,
        pod: draft.spec.clone(),
    };
    Some(Read::Work(cron_job, draft))
}

/// The command of the first container, when it is `kubectl`.
fn kubectl<'a>(job: Field<'a>) -> Option<Vec<&'a str>> {
    let containers = job.at(&["template", "spec", "containers"])?;
    let Value::List(containers) = &containers.node.value else { return None };
    let container = containers.first()?;
    let mut words = Vec::new();
    for key in ["command", "args"] {
        let Some(Value::List(items)) = container.get(key).map(|node| &node.value) else { continue };
        for item in items {
            if let Value::Text(word) = &item.value {
                words.push(word.as_str());
            }
        }
    }
    let program = words.first()?.rsplit('/').next()?;
    (program == "kubectl").then_some(words)
}

/// `kubectl annotate [--namespace N] scaledjobs.keda.sh/NAME autoscaling.keda.sh/paused=true`, or `...paused-` to release.
fn gate(manifest: &Manifest, (words, spec): (Vec<&str>, Field), when: (&str, Option<&str>), faults: &mut Faults) -> Option<Gate> {
    let mut namespace = manifest.namespace.as_str();
    let mut words_left = words.iter().copied().skip(1);
    let (mut annotates, mut scaled_job, mut pauses) = (false, None, None);
    while let Some(word) = words_left.next() {
        if word == "annotate" {
            annotates = true;
        } else if word == "-n" || word == "--namespace" {
            namespace = words_left.next().unwrap_or(namespace);
        } else if let Some(name) = word.strip_prefix("--namespace=").or_else(|| word.strip_prefix("-n=")) {
            namespace = name;
        } else if let Some(rest) = word.strip_prefix(PAUSED) {
            pauses = match rest {
                "-" => Some(false),
                set => set.strip_prefix('=').map(trigger::pauses),
            };
        } else if let Some((kind, name)) = word.split_once('/') {
            let is_job = ["scaledjobs.keda.sh", "scaledjob.keda.sh", "scaledjobs", "scaledjob", "sj"].contains(&kind);
            scaled_job = is_job.then(|| name.to_owned()).or(scaled_job);
        }
    }
    let (Some(scaled_job), Some(pauses), true) = (scaled_job, pauses, annotates) else {
        let what = format!("{} runs `{}`, which a replay does not follow", manifest.owner, words.join(" "));
        let help = format!("a gate runs `kubectl annotate --overwrite scaledjobs.keda.sh/NAME {PAUSED}=true`, or `{PAUSED}-`");
        spec.fault(faults, what, help);
        return None;
    };
    let (time_zone, schedule) = when;
    Some(Gate {
        namespace: namespace.to_owned(),
        name: manifest.name.clone(),
        scaled_job,
        time_zone: time_zone.to_owned(),
        schedule: schedule?.to_owned(),
        pauses,
    })
}
