//! One workload: names, profile, placement, what its owner allows, and its demand or its work.

use super::fleet::region;
use super::values::{between, count, dns_label, is_dns_label, label_value, number, optional, quoted, share, token};
use super::{Context, demand, fit, job, network, scaling, slo};
use crate::domain::{Isolation, Job, Placement, Profile, ProfileKind, Service, SharePolicy, ShareWith, SpotPolicy, Workload, WorkloadKind};
use crate::ids::{AcceleratorId, NodeGroupId, ProfileId, RegionId, WorkloadId};
use crate::input::at::{At, Span};
use crate::input::codes;
use crate::input::faults::Faults;
use crate::input::suggest;
use crate::input::workload_file::{IsolationFile, KindFile, RunsOnFile, ShareWithFile, SpotFile, WorkloadFile};
use std::collections::BTreeSet;

/// Share of the hour's mean demand that must survive the loss of a pool, where the owner gives none.
const DEFAULT_CONTINGENCY: f64 = 0.5;

/// The workload; `None` when a part that everything hangs on is not sound, with the faults told.
pub fn workload(file: &WorkloadFile, context: &Context<'_>, faults: &mut Faults) -> Option<Workload> {
    names(file, faults);
    let before = faults.len();
    let profile = context.data.profile_of(file).and_then(|id| context.profiles.get(&id));
    if let Some(profile) = profile {
        kind_of_profile(file, profile, faults);
    }
    let zone = file.time_zone.as_ref().unwrap_or(context.time_zone);
    let offset = match &file.time_zone {
        Some(zone) => context.zones.offset(faults, zone),
        None => context.utc_offset,
    };
    let placement = file.runs_on.as_ref().and_then(|runs_on| placement(runs_on, (file, profile), context, faults));
    let precisions = precisions(file, (placement.as_ref(), profile), faults);
    // Sets, so that the order of the file does not matter.
    let accelerators: BTreeSet<AcceleratorId> = file.accelerators.iter().map(|given| accelerator(given, context, faults)).collect();
    let regions: BTreeSet<RegionId> = file.regions.iter().map(|given| region(given, context, faults)).collect();
    let regions = network::resident(file, regions, context, faults);
    let spot = spot(file.spot.as_ref(), (file, profile), faults);
    let kind = match file.kind {
        KindFile::Service => service(file, (profile, offset), context, faults).map(WorkloadKind::Service),
        KindFile::Batch | KindFile::Training => job_of(file, (profile, offset), faults).map(WorkloadKind::Job),
    };
    let text = |given: &Option<At<String>>, default: &str| given.as_ref().map_or_else(|| default.to_owned(), |g| g.value.clone());
    let team = text(&file.team, "unassigned");
    let workload = Workload {
        id: WorkloadId::new(&*file.name.value),
        profile: profile.map_or_else(|| ProfileId::new(&*file.profile.value), |profile| profile.id.clone()),
        kind: kind?,
        cost_center: text(&file.cost_center, &team),
        team,
        namespace: text(&file.namespace, "default"),
        scale_target: file.scale_target.as_ref().map(|given| given.value.clone()),
        image: text(&file.image, &format!("registry.example.com/{}:latest", file.name.value)),
        time_zone: zone.value.clone(),
        utc_offset_hours: offset,
        precisions,
        accelerators: accelerators.into_iter().collect(),
        regions: regions.into_iter().collect(),
        spot,
        share: sharing(file, faults),
        placement,
    };
    let profile = profile?;
    if !faults.has_errors_since(before) {
        fit::check(&workload, (profile, file.profile.span), context, faults);
    }
    Some(workload)
}

/// Whom it may share a GPU with: services only.
fn sharing(file: &WorkloadFile, faults: &mut Faults) -> SharePolicy {
    let Some(given) = &file.share else { return SharePolicy::NEVER };
    if file.kind != KindFile::Service {
        misplaced(("share", given.span), "a job", faults);
    }
    SharePolicy {
        with: match given.with {
            ShareWithFile::Never => ShareWith::Never,
            ShareWithFile::Team => ShareWith::Team,
            ShareWithFile::Any => ShareWith::Any,
        },
        isolation: match given.isolation {
            None | Some(IsolationFile::Hardware) => Isolation::Hardware,
            Some(IsolationFile::Memory) => Isolation::Memory,
            Some(IsolationFile::None) => Isolation::None,
        },
    }
}

/// Names and labels, which end up in manifests, queries and tables.
fn names(file: &WorkloadFile, faults: &mut Faults) {
    dns_label(faults, &file.name, "name");
    for (given, key) in [(&file.namespace, "namespace"), (&file.scale_target, "scale_target")] {
        if let Some(given) = given {
            dns_label(faults, given, key);
        }
    }
    for (given, key) in [(&file.team, "team"), (&file.cost_center, "cost_center")] {
        if let Some(given) = given {
            label_value(faults, given, key);
        }
    }
    if let Some(image) = &file.image {
        token(faults, image, "image");
    }
}

/// Services run `llm` and `request` profiles, jobs `job` profiles; training needs a checkpoint or divisible work.
fn kind_of_profile(file: &WorkloadFile, profile: &Profile, faults: &mut Faults) {
    let is_job = profile.kind == ProfileKind::Job;
    let wants_job = file.kind != KindFile::Service;
    if is_job != wants_job {
        let (kind, profiles) = if wants_job { ("a job", "`job`") } else { ("a service", "`llm` or `request`") };
        faults
            .error(
                codes::PROFILE_OF_ANOTHER_KIND,
                file.profile.span,
                format!("profile `{}` is of another kind than the workload", profile.id),
            )
            .help(format!("{kind} needs a profile of `kind` {profiles}"));
    }
}

fn service(file: &WorkloadFile, (profile, offset): (Option<&Profile>, i32), context: &Context<'_>, faults: &mut Faults) -> Option<Service> {
    let strays = [file.work.as_ref().map(|g| ("work", g.span)), file.max_workers.as_ref().map(|g| ("max_workers", g.span))];
    strays.into_iter().flatten().for_each(|stray| misplaced(stray, "a service", faults));
    if let Some(queue) = &file.queue {
        misplaced(("queue", queue.scaler.span), "a service", faults);
    }
    let kind = profile.map(|profile| profile.kind).filter(|kind| *kind != ProfileKind::Job);
    let missing = |key: &str, faults: &mut Faults| {
        faults
            .error(codes::MISSING_PART, file.name.span, format!("service `{}` has no `{key}`", file.name.value))
            .help(format!("add `{key}`, or change `kind`; `gpuplan init` shows how it is written"));
    };
    if file.demand.is_none() {
        missing("demand", faults);
    }
    if file.slo.is_none() {
        missing("slo", faults);
    }
    let scaling = scaling::scaling(file.scaling.as_ref(), faults);
    if let Some(given) = &file.scaling {
        scaling::zero(given, &scaling, (profile, context.node_autoscaler), faults);
    }
    let slo = file.slo.as_ref().map(|given| slo::slo(given, kind, faults));
    let demand = file.demand.as_ref().and_then(|given| demand::demand(given, (kind, offset), context, faults));
    Some(Service { demand: demand?, slo: slo?, scaling, tables: Vec::new() })
}

fn job_of(file: &WorkloadFile, (profile, offset): (Option<&Profile>, i32), faults: &mut Faults) -> Option<Job> {
    let strays = [
        file.demand.as_ref().map(|g| ("demand", g.span)),
        file.slo.as_ref().map(|g| ("slo", g.span)),
        file.scaling.as_ref().map(|g| ("scaling", g.span)),
    ];
    strays.into_iter().flatten().for_each(|stray| misplaced(stray, "a job", faults));
    let widest = profile.map_or(1, widest);
    let max_workers = file.max_workers.as_ref().map_or(widest, |given| count(faults, given, ("max_workers", 1)));
    let queue = file.queue.as_ref().map(|queue| job::queue(queue, faults));
    let Some(given) = &file.work else {
        faults
            .error(codes::MISSING_PART, file.name.span, format!("job `{}` has no `work`", file.name.value))
            .help("add `work: {units_per_run: .., daily: {release: \"22:00\", deadline: \"06:00\"}}`, or change `kind`");
        return None;
    };
    let (work_per_run, runs) = job::work(given, offset, faults);
    Some(Job {
        training: file.kind == KindFile::Training,
        work_per_run,
        runs,
        max_workers,
        baseline_workers: file.runs_on.as_ref().map_or(1, |runs_on| runs_on.replicas.value.max(1)),
        slack_hours: 0,
        insured: 1.0,
        queue,
    })
}

/// The widest gang of which the profile knows the throughput.
fn widest(profile: &Profile) -> u32 {
    let widths = profile.points.iter().filter_map(|point| match &point.performance {
        crate::domain::Performance::Job { throughput } => throughput.last().map(|gang| gang.workers),
        crate::domain::Performance::Llm(_) | crate::domain::Performance::Request { .. } => None,
    });
    widths.max().unwrap_or(1)
}

fn misplaced((key, at): (&str, Span), kind: &str, faults: &mut Faults) {
    faults.error(codes::PART_OF_ANOTHER_KIND, at, format!("`{key}` does not belong to {kind}")).help("remove it, or change `kind`");
}

/// An accelerator of the catalogue.
fn accelerator(given: &At<String>, context: &Context<'_>, faults: &mut Faults) -> AcceleratorId {
    let id = AcceleratorId::new(&*given.value);
    if !context.market.accelerators.contains_key(&id) {
        let diagnostic = faults.error(codes::UNKNOWN_ACCELERATOR, given.span, format!("unknown accelerator {}", quoted(given)));
        diagnostic.help = suggest::help(given, context.market.accelerators.keys().map(AcceleratorId::as_str));
    }
    id
}

/// Spot: as given, else off for services and on for jobs that can lose a worker.
fn spot(given: Option<&At<SpotFile>>, (file, profile): (&WorkloadFile, Option<&Profile>), faults: &mut Faults) -> SpotPolicy {
    let survives = profile.is_some_and(|profile| profile.checkpoint.is_some() || profile.divisible);
    let is_job = file.kind != KindFile::Service;
    let Some(given) = given else {
        let max_share = if is_job && survives { 1.0 } else { 0.0 };
        return SpotPolicy { max_share, contingency: DEFAULT_CONTINGENCY };
    };
    let max_share = number(faults, &given.max_share, share("max_share"));
    if is_job && !survives && profile.is_some() && max_share > 0.0 {
        faults
            .error(
                codes::SPOT_WITHOUT_CHECKPOINT,
                given.max_share.span,
                "the profile neither checkpoints nor is divisible: a reclaim loses the whole run",
            )
            .help("set `max_share: 0`, or add `checkpoint` to the profile");
    }
    let contingency = optional(faults, given.contingency.as_ref(), between("contingency", 0.0, 1.0)).unwrap_or(DEFAULT_CONTINGENCY);
    SpotPolicy { max_share, contingency }
}

/// Where it runs today.
fn placement(
    file: &RunsOnFile,
    (workload, profile): (&WorkloadFile, Option<&Profile>),
    context: &Context<'_>,
    faults: &mut Faults,
) -> Option<Placement> {
    let replicas = count(faults, &file.replicas, ("replicas", 1));
    let id = NodeGroupId::new(&*file.node_group.value);
    let Some(group) = context.groups.get(&id) else {
        let message = format!("unknown node group {}", quoted(&file.node_group));
        faults.error(codes::UNKNOWN_NODE_GROUP, file.node_group.span, message).help =
            suggest::help(&file.node_group, context.groups.keys().map(NodeGroupId::as_str))
                .or_else(|| Some("list it under `baseline.node_groups`".to_owned()));
        return None;
    };
    let shape = context.market.instance_types.get(&group.instance_type)?;
    let points = || profile.into_iter().flat_map(|profile| &profile.points).filter(|point| point.accelerator == shape.accelerator);
    let gpus = match &file.gpus_per_replica {
        Some(given) => count(faults, given, ("gpus_per_replica", 1)),
        None => points().map(|point| point.gpus_per_replica).min().unwrap_or(1),
    };
    if gpus > shape.gpus {
        let at = file.gpus_per_replica.as_ref().map_or(file.node_group.span, |given| given.span);
        let message = format!("a replica of {gpus} GPUs does not fit one `{}` with {}", shape.id, shape.gpus);
        faults.error(codes::DOES_NOT_FIT_GROUP, at, message).help("a replica stays inside one node");
    }
    let listed = workload.precisions.as_ref().and_then(|list| list.first());
    let precision = match file.precision.as_ref().or(listed) {
        Some(given) => given.value.clone(),
        None => points()
            .filter(|p| p.gpus_per_replica == gpus)
            .chain(points())
            .map(|p| p.precision.clone())
            .next()
            .or_else(|| profile.and_then(|profile| profile.points.first()).map(|point| point.precision.clone()))
            .unwrap_or_else(|| "unknown".to_owned()),
    };
    let known = points().any(|point| point.gpus_per_replica == gpus && point.precision == precision);
    if !known && profile.is_some() {
        let message = format!(
            "profile `{}` has no operating point for `{}` x{gpus} `{precision}`, on which it runs today",
            workload.profile.value, shape.accelerator
        );
        faults.note(codes::TODAY_NOT_PROFILED, file.node_group.span, message).help("today's capacity is taken from the replicas alone");
    }
    Some(Placement { node_group: id, replicas, gpus_per_replica: gpus, precision })
}

/// Accepted precisions, today's first.
fn precisions(file: &WorkloadFile, (placement, profile): (Option<&Placement>, Option<&Profile>), faults: &mut Faults) -> Vec<String> {
    let known: Vec<&str> = profile.into_iter().flat_map(|profile| &profile.points).map(|point| point.precision.as_str()).collect();
    let Some(given) = &file.precisions else {
        // New and unsaid: the precision that most operating points have, which is the published weights' own.
        let common = known.iter().max_by_key(|name| (known.iter().filter(|other| other == name).count(), std::cmp::Reverse(**name)));
        let default = placement.map(|placement| placement.precision.clone()).or_else(|| common.map(|name| (*name).to_owned()));
        return default.into_iter().collect();
    };
    if given.is_empty() {
        faults.error(codes::BAD_TEXT, given.span, "`precisions` is empty").help("list at least today's");
    }
    for precision in &given.value {
        if !is_dns_label(precision) || (profile.is_some() && !known.contains(&precision.as_str())) {
            let message = format!("profile `{}` has no operating point in {}", file.profile.value, quoted(precision));
            faults.error(codes::UNKNOWN_PRECISION, precision.span, message).help = suggest::help(precision, known.iter().copied());
        }
    }
    // Today's stands first, as the placement or the list says; the order of the others means nothing.
    let today = placement.map(|placement| placement.precision.clone()).or_else(|| given.first().map(|name| name.value.clone()));
    let others: BTreeSet<String> = given.iter().map(|name| name.value.clone()).filter(|name| Some(name) != today.as_ref()).collect();
    today.into_iter().chain(others).collect()
}
