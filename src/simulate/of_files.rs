//! The configuration that emitted files describe. In: the files as read back, what the plan chose (precision, prices, gang speed) and
//! the inputs of the replay. Out: a [`Fleet`]. What the files say goes before what the plan says.

mod shared;

use super::cluster::{Delays, INDEPENDENT_SHARE, Pool, Purchased, PurchasedCover, Risk, Room, SLICE_KINDS, Span, StartUp};
use super::fleet::{Count, Covered, Fleet, JobSetup, JobStart, LatencyModel, Part, PodTemplate, ServiceSetup, Way};
use super::replica::llm::pass_tokens;
use super::today;
use crate::domain::{ColdRequests, DecodeStep, Knot, LlmModel, Routing};
use crate::emit::parse::types::{Files, PodSpec, PoolSpec};
use crate::plan::replay::{Engine, JobInputs, LlmEngine, Machine, NodeReserves, ReplayInputs, ServiceInputs, Spread};
use crate::plan::{Plan, WorkloadPlan};
use crate::units::{HOURS_PER_MONTH, Millis, PerSecond, Usd};

/// Why a configuration cannot be replayed, in words.
pub type Unplayable = String;

/// The fleet of a plan's files; frozen workloads, which the files leave alone, run as today.
///
/// # Errors
/// A pool of a machine that the inputs do not know, a workload without Deployment or latency model, a date that is none.
pub fn fleet(files: &Files, plan: &Plan, inputs: &ReplayInputs) -> Result<Fleet, Unplayable> {
    let mut fleet = frame(inputs)?;
    purchases(&mut fleet, plan);
    for spec in &files.node_pools {
        add_pool(&mut fleet, spec, inputs)?;
    }
    for workload in &plan.workloads {
        if workload.mode == "frozen" {
            today::add(&mut fleet, &workload.name, inputs)?;
        } else if plan.bundles.iter().any(|bundle| bundle.members.iter().any(|member| member.workload == workload.name)) {
            // Its server follows.
        } else if let Some(service) = inputs.services.iter().find(|s| s.name == workload.name) {
            let setup = service_of(&fleet, (files, workload), service, inputs)?;
            fleet.services.push(setup);
        } else if let Some(job) = inputs.jobs.iter().find(|j| j.name == workload.name) {
            let setup = job_of(&fleet, (files, workload), job)?;
            fleet.jobs.push(setup);
        } else {
            return Err(format!("the replay inputs do not know the workload `{}`", workload.name));
        }
    }
    for bundle in &plan.bundles {
        let setup = shared::server(&fleet, (files, bundle), inputs)?;
        fleet.services.push(setup);
    }
    fleet.services.sort_by(|a, b| a.inputs.name.cmp(&b.inputs.name));
    Ok(fleet)
}

/// A fleet without pools and workloads.
pub(super) fn frame(inputs: &ReplayInputs) -> Result<Fleet, Unplayable> {
    let monday: jiff::civil::Date = inputs.anchor_monday.parse().map_err(|e| format!("`{}` is no date: {e}", inputs.anchor_monday))?;
    let anchor = jiff::tz::TimeZone::UTC.to_timestamp(monday.at(0, 0, 0, 0)).map_err(|e| e.to_string())?;
    Ok(Fleet {
        anchor_unix_s: anchor.as_second(),
        pools: Vec::new(),
        slices: Vec::new(),
        risks: Vec::new(),
        covered: inputs
            .commitments
            .iter()
            .map(|c| Covered { instance_type: c.instance_type.clone(), region: c.region.clone(), nodes: c.nodes })
            .collect(),
        purchased: Vec::new(),
        commitments_usd_per_month: inputs
            .commitments
            .iter()
            .map(|c| c.usd_per_hour.for_hours(f64::from(c.nodes) * HOURS_PER_MONTH))
            .sum::<Usd>(),
        delays: Delays { provision: span(inputs.nodes.provision_s) },
        services: Vec::new(),
        jobs: Vec::new(),
        notes: Vec::new(),
    })
}

/// What the plan buys, which no file says: it is paid in full, and credited to the nodes as they run.
fn purchases(fleet: &mut Fleet, plan: &Plan) {
    for purchase in &plan.purchases {
        fleet.commitments_usd_per_month += purchase.usd_per_month;
        fleet.purchased.push(Purchased {
            // Parts of a machine are credited side by side.
            part: match purchase.unit.as_str() {
                "nodes" | "usd-per-hour" => "machine".to_owned(),
                part => part.to_owned(),
            },
            amount: purchase.amount,
            covers: purchase
                .covers
                .iter()
                .map(|c| PurchasedCover {
                    instance_type: c.instance_type.clone(),
                    region: c.region.clone(),
                    units: c.units_per_node_hour,
                    worth: c.worth_usd_per_node_hour,
                })
                .collect(),
        });
    }
}

/// A span of the inputs.
pub(super) const fn span(spread: Spread) -> Span {
    Span { p50_s: spread.p50, p95_s: spread.p95 }
}

/// Start-up stages.
pub(super) const fn start_up(start: &crate::plan::replay::StartUp) -> StartUp {
    StartUp { image: span(start.image_pull_s), weights: span(start.weights_load_s), engine: span(start.engine_start_s) }
}

/// Adds a pool and its spot terms.
pub(super) fn add_pool(fleet: &mut Fleet, spec: &PoolSpec, inputs: &ReplayInputs) -> Result<(), Unplayable> {
    let capacity_type = if spec.spot { "spot" } else { "on-demand" };
    let machine = machine(inputs, (&spec.instance_type, &spec.region), capacity_type)?;
    let risk = machine.availability.zip(machine.reclaims_per_hour);
    fleet.risks.push(risk.filter(|_| spec.spot).map(|(availability, reclaims_per_hour)| Risk { availability, reclaims_per_hour }));
    fleet.pools.push(Pool {
        name: spec.name.clone(),
        instance_type: spec.instance_type.clone(),
        region: spec.region.clone(),
        zones: spec.zones.clone(),
        spot: spec.spot,
        allocatable: with_slices(allocatable(machine, &inputs.reserves), spec, &mut fleet.slices)?,
        max_nodes: spec.max_nodes,
        min_nodes: spec.min_nodes,
        consolidate_after_s: spec.consolidate_after_s,
        replaces_underutilized: spec.replaces_underutilized,
        usd_per_hour: machine.usd_per_hour,
        notice_s: machine.notice_s.round() as u32,
        node_reclaims_per_hour: risk.filter(|_| spec.spot).map_or(0.0, |(_, hazard)| INDEPENDENT_SHARE * hazard),
    });
    Ok(())
}

/// Room of a node whose GPUs are cut: slices, and no whole GPU.
fn with_slices(room: Room, spec: &PoolSpec, kinds: &mut Vec<String>) -> Result<Room, Unplayable> {
    let mut cut = Room { gpus: if spec.slices.is_empty() { room.gpus } else { 0 }, ..room };
    for (resource, count) in &spec.slices {
        let kind = kinds.iter().position(|known| known == resource).unwrap_or(kinds.len());
        if kind == SLICE_KINDS {
            return Err(format!("pool `{}`: a fleet may have {SLICE_KINDS} kinds of slices", spec.name));
        }
        if kind == kinds.len() {
            kinds.push(resource.clone());
        }
        cut.slices[kind] = u16::try_from(*count).map_err(|_| format!("pool `{}` has {count} slices a node", spec.name))?;
    }
    Ok(cut)
}

/// The machine of that shape.
pub(super) fn machine<'a>(inputs: &'a ReplayInputs, (shape, region): (&str, &str), capacity_type: &str) -> Result<&'a Machine, Unplayable> {
    let is = |m: &&Machine| m.instance_type == shape && m.region == region && m.capacity_type == capacity_type;
    inputs.machines.iter().find(is).ok_or_else(|| format!("no price is known for {shape} {capacity_type} in {region}"))
}

fn allocatable(machine: &Machine, reserves: &NodeReserves) -> Room {
    let left = |capacity: f64, fixed: f64| (capacity * (1.0 - reserves.share) - fixed).max(0.0);
    Room {
        gpus: machine.gpus,
        cpu_milli: (left(machine.vcpus, reserves.vcpus) * 1000.0).round() as u64,
        memory_mib: (left(machine.ram_gib, reserves.ram_gib) * 1024.0).floor() as u64,
        ..Room::default()
    }
}

/// A pod's place and needs; what its file does not say is the plan's.
fn pod(fleet: &Fleet, spec: &PodSpec, workload: &WorkloadPlan) -> Result<PodTemplate, Unplayable> {
    let position = |name: &String| fleet.pools.iter().position(|p| &p.name == name);
    let pools: Vec<usize> = spec.pools.iter().filter_map(position).collect();
    if pools.is_empty() {
        return Err(format!("pods of `{}` may run on no pool that the files declare", workload.name));
    }
    let requests = &workload.variant.requests;
    // A patch that says nothing of GPUs leaves what the plan chose.
    let planned = workload.variant.slice.as_ref().filter(|_| spec.gpus.is_none()).map(|slice| &slice.resource);
    let slice = spec.slice.as_ref().or(planned);
    let mut slices = [0; SLICE_KINDS];
    if let Some(kind) = slice.and_then(|resource| fleet.slices.iter().position(|known| known == resource)) {
        slices[kind] = 1;
    }
    Ok(PodTemplate {
        pools,
        ask: Room {
            slices,
            gpus: if slice.is_some() { 0 } else { spec.gpus.unwrap_or(requests.gpus) },
            cpu_milli: spec.cpu_milli.unwrap_or((requests.vcpus * 1000.0).round() as u64),
            memory_mib: spec.memory_mib.unwrap_or((requests.ram_gib * 1024.0).floor() as u64),
        },
        grace_s: spec.grace_s,
        zones_spread: spec.zones_spread,
        // What gpuplan writes: jobs are not moved; a Deployment that comes whole has a disruption budget.
        do_not_disrupt: workload.job.is_some(),
        max_unavailable: (workload.service.is_some() && workload.kubernetes.scale_target.is_none()).then_some(1),
    })
}

fn service_of(
    fleet: &Fleet,
    (files, workload): (&Files, &WorkloadPlan),
    service: &ServiceInputs,
    inputs: &ReplayInputs,
) -> Result<ServiceSetup, Unplayable> {
    let parts = parts(fleet, files, workload)?;
    let on_slice = parts.first().is_some_and(|part| sliced(&part.pod));
    let wanted = Wanted {
        accelerator: accelerator(fleet, &parts, inputs)?,
        precision: &workload.variant.precision,
        gpus: if on_slice { 1 } else { gpus(&parts) },
        // Equal parts have one resource whatever their number; which one the plan has is the pool's to say, and is checked there.
        slice: if on_slice { workload.variant.slice.as_ref().map(|slice| slice.name.as_str()) } else { None },
    };
    let model = model(service, &wanted)?;
    let way = Way::of(service.network.as_ref(), region(fleet, &parts));
    Ok(ServiceSetup { way, ..assembled(service, model, parts) })
}

/// Region of the machines that the first Deployment prefers.
fn region<'a>(fleet: &'a Fleet, parts: &[Part]) -> &'a str {
    let first = parts.first().and_then(|part| part.pod.pools.first()).and_then(|&pool| fleet.pools.get(pool));
    first.map_or("", |pool| pool.region.as_str())
}

/// Deployments of a service with their autoscalers; at least one.
fn parts(fleet: &Fleet, files: &Files, workload: &WorkloadPlan) -> Result<Vec<Part>, Unplayable> {
    let mut parts = Vec::new();
    for deployment in files.deployments.iter().filter(|d| d.workload == workload.name) {
        let scaler = files.scaled_objects.iter().find(|s| s.namespace == deployment.namespace && s.target == deployment.name);
        let count = match scaler {
            // KEDA refuses one without triggers and makes no HPA: the count stays where it is.
            Some(scaler) if scaler.triggers.is_empty() => Count::Fixed(scaler.min_replicas),
            Some(scaler) => Count::Scaled(scaler.clone()),
            None => Count::Fixed(deployment.replicas.unwrap_or(1)),
        };
        parts.push(Part { name: deployment.name.clone(), count, pod: pod(fleet, &deployment.pod, workload)? });
    }
    if parts.is_empty() {
        return Err(format!("the files hold no Deployment of `{}`", workload.name));
    }
    Ok(parts)
}

/// GPU type of the machines that the first Deployment prefers.
fn accelerator<'a>(fleet: &Fleet, parts: &[Part], inputs: &'a ReplayInputs) -> Result<&'a str, Unplayable> {
    let first = parts.first().and_then(|part| part.pod.pools.first()).and_then(|&pool| fleet.pools.get(pool));
    let pool = first.ok_or_else(|| "a Deployment without a pool".to_owned())?;
    let capacity_type = if pool.spot { "spot" } else { "on-demand" };
    Ok(machine(inputs, (&pool.instance_type, &pool.region), capacity_type)?.accelerator.as_str())
}

/// GPUs of a replica.
fn gpus(parts: &[Part]) -> u32 {
    parts.first().map_or(0, |part| part.pod.ask.gpus)
}

fn sliced(pod: &PodTemplate) -> bool {
    pod.ask.slices.iter().any(|count| *count > 0)
}

/// An operating point by name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// GPU type.
    pub accelerator: &'a str,
    /// Precision.
    pub precision: &'a str,
    /// GPUs of a replica.
    pub gpus: u32,
    /// Part of a GPU.
    pub slice: Option<&'a str>,
}

/// A service from its parts.
pub(super) fn assembled(service: &ServiceInputs, model: LatencyModel, parts: Vec<Part>) -> ServiceSetup {
    ServiceSetup {
        model,
        routing: if service.routing == "least-loaded" { Routing::LeastLoaded } else { Routing::Random },
        cold: cold_requests(service),
        start_up: start_up(&service.start_up),
        parts,
        way: None,
        members: Vec::new(),
        inputs: service.clone(),
    }
}

/// What becomes of requests that find no replica.
pub(super) fn cold_requests(service: &ServiceInputs) -> ColdRequests {
    match service.cold_requests.as_str() {
        "hold" => ColdRequests::Hold,
        "fallback" => ColdRequests::Fallback,
        _ => ColdRequests::Reject,
    }
}

/// Latency model of a service on an operating point.
pub(super) fn model(service: &ServiceInputs, wanted: &Wanted<'_>) -> Result<LatencyModel, Unplayable> {
    let Wanted { accelerator, precision, gpus, slice } = *wanted;
    let is =
        |e: &&Engine| e.accelerator == accelerator && e.precision == precision && e.gpus_per_replica == gpus && e.slice.as_deref() == slice;
    let engine = service.engines.iter().find(is).ok_or_else(|| {
        let part = slice.map_or_else(String::new, |slice| format!(" ({slice})"));
        let name = &service.name;
        format!("no latency model of `{name}` on {gpus} x {accelerator}{part} in {precision}: the plan was made with another variant")
    })?;
    match (&engine.llm, &engine.knots) {
        (Some(llm), _) => Ok(LatencyModel::Llm(llm_model(llm, correction(&engine.evidence))?, pass_tokens(accelerator))),
        (None, Some(knots)) => Ok(LatencyModel::Request(
            knots
                .iter()
                .map(|k| Knot {
                    concurrency: k.concurrency,
                    rate: PerSecond(k.rate_per_s),
                    p50: Millis(k.p50_ms),
                    p95: Millis(k.p95_ms),
                    p99: Millis(k.p99_ms),
                })
                .collect(),
        )),
        (None, None) => Err(format!("the engine of `{}` has no latency model", service.name)),
    }
}

/// Factor on the pass times of an operating point: fitted ones are 6% faster at the median than what was measured on the same card
/// (docs/accuracy-latency.md), and a replay is to be right, not on either side.
fn correction(evidence: &str) -> f64 {
    if evidence == "fitted" { 1.06 } else { 1.0 }
}

fn llm_model(llm: &LlmEngine, factor: f64) -> Result<LlmModel, Unplayable> {
    let decode = match (&llm.affine, &llm.table) {
        (Some(a), _) => {
            DecodeStep::Affine { alpha_ms: a.alpha_ms * factor, beta_ms: a.beta_ms * factor, eps_ms_per_ktok: a.eps_ms_per_ktok * factor }
        }
        (None, Some(t)) => DecodeStep::Table {
            batch: t.batch.clone(),
            context_tokens: t.context_tokens.clone(),
            step_ms: t.step_ms.iter().map(|row| row.iter().map(|ms| ms * factor).collect()).collect(),
        },
        (None, None) => return Err("an LLM engine has no decode step".to_owned()),
    };
    Ok(LlmModel {
        decode,
        prefill_gamma_ms: llm.prefill_gamma_ms * factor,
        prefill_delta_ms_per_ktok: llm.prefill_delta_ms_per_ktok * factor,
        prefill_zeta_ms_per_ktok2: llm.prefill_zeta_ms_per_ktok2 * factor,
        max_batch: llm.max_batch,
        max_kv_tokens: llm.max_kv_tokens,
    })
}

fn job_of(fleet: &Fleet, (files, workload): (&Files, &WorkloadPlan), job: &JobInputs) -> Result<JobSetup, Unplayable> {
    let Some(planned) = &workload.job else { return Err(format!("the plan says nothing of the job `{}`", workload.name)) };
    let crons: Vec<_> = files.cron_jobs.iter().filter(|c| c.workload == workload.name).cloned().collect();
    let queue = files.scaled_jobs.iter().find(|s| s.workload == workload.name);
    let (start, spec, workers) = match (queue, crons.first()) {
        (Some(queue), _) => {
            let gates = files.gates.iter().filter(|g| g.scaled_job == queue.name && g.namespace == queue.namespace).cloned().collect();
            (JobStart::Queue(Box::new(queue.clone()), gates), queue.pod.clone(), queue.max_replicas)
        }
        (None, Some(first)) => (JobStart::Cron(crons.clone()), first.pod.clone(), first.parallelism),
        (None, None) => return Err(format!("the files hold no CronJob and no ScaledJob of `{}`", workload.name)),
    };
    // Other counts than the plan's scale its speed evenly: no measurement says better.
    let planned_rate = planned.units_per_s / (1.0 - workload.variant.derate);
    let pod = pod(fleet, &spec, workload)?;
    Ok(JobSetup {
        way: Way::of(job.network.as_ref(), &fleet.pools[pod.pools[0]].region),
        inputs: job.clone(),
        units_per_s: planned_rate * f64::from(workers) / f64::from(planned.workers.max(1)),
        workers,
        checkpoint_interval_s: planned.checkpoint_interval_s,
        start,
        start_up: start_up(&job.start_up),
        pod,
    })
}
