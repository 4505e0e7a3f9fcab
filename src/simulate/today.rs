//! Today's configuration: node groups, counts and autoscalers as the inventory has them. In: the inputs of the replay. Out: a [`Fleet`].
//!
//! A group whose mean is its maximum is a fixed number of machines. One that is smaller on average than at most is autoscaled: its
//! service follows the load between its fewest replicas and today's count, with a threshold of requests in flight that is inferred
//! from the mean, since an inventory tells counts and not thresholds. That the bill fits is then no evidence; that the objective
//! holds, or does not, is.

use super::cluster::Room;
use super::fleet::{Count, Fleet, JobSetup, JobStart, LatencyModel, Part, PodTemplate, ServiceSetup, Way};
use super::of_files::{self, Unplayable, Wanted, add_pool, assembled, frame, machine, model};
use super::replica::passes::PassTimes;
use crate::emit::parse::types::{
    Behavior, CronJob, MetricType, PodSpec, PolicyUnit, PoolSpec, ScaledObject, ScalingPolicy, ScalingRules, SelectPolicy, Trigger,
    TriggerKind,
};
use crate::plan::replay::{JobInputs, ReplayInputs, ServiceInputs, TodayGroup, TodayPlace};

/// HPA tolerance.
const TOLERANCE: f64 = 0.1;

/// The fleet of today; workloads that do not run yet are left out.
///
/// # Errors
/// A machine without a price, a variant without a latency model.
pub fn fleet(inputs: &ReplayInputs) -> Result<Fleet, Unplayable> {
    let mut fleet = frame(inputs)?;
    let services = inputs.services.iter().filter(|s| s.today.is_some()).map(|s| &s.name);
    let jobs = inputs.jobs.iter().filter(|j| j.today.is_some()).map(|j| &j.name);
    for name in services.chain(jobs) {
        add(&mut fleet, name, inputs)?;
    }
    // Groups that nothing runs on are paid for all the same.
    for group in &inputs.node_groups {
        pool(&mut fleet, group, inputs)?;
    }
    Ok(fleet)
}

/// Adds one workload as it runs today, with its node group.
pub(super) fn add(fleet: &mut Fleet, name: &str, inputs: &ReplayInputs) -> Result<(), Unplayable> {
    let place_of = |today: &Option<TodayPlace>| today.clone().ok_or_else(|| format!("`{name}` does not run today"));
    if let Some(service) = inputs.services.iter().find(|s| s.name == name) {
        let place = place_of(&service.today)?;
        let pool = pool_of(fleet, &place, inputs)?;
        let engine = model(
            service,
            &Wanted { accelerator: &place.accelerator, precision: &place.precision, gpus: place.gpus_per_replica, slice: None },
        )?;
        let group = group_of(inputs, &place)?;
        let (count, note) = count(service, (&place, group), &engine);
        fleet.notes.extend(note);
        let part = Part { name: name.to_owned(), count, pod: template(pool, &place, engine_needs(service, &place)) };
        let way = Way::of(service.network.as_ref(), &group.region);
        fleet.services.push(ServiceSetup { way, ..assembled(service, engine, vec![part]) });
        return Ok(());
    }
    let job = inputs.jobs.iter().find(|j| j.name == name).ok_or_else(|| format!("the replay inputs do not know the workload `{name}`"))?;
    let place = place_of(&job.today)?;
    let pool = pool_of(fleet, &place, inputs)?;
    let setup = job_today(job, (&place, pool))?;
    let way = Way::of(job.network.as_ref(), &fleet.pools[pool].region);
    fleet.jobs.push(JobSetup { way, ..setup });
    Ok(())
}

fn group_of<'a>(inputs: &'a ReplayInputs, place: &TodayPlace) -> Result<&'a TodayGroup, Unplayable> {
    let found = inputs.node_groups.iter().find(|g| g.name == place.node_group);
    found.ok_or_else(|| format!("there is no node group `{}`", place.node_group))
}

/// Position of the pool of a placement, made if it is not there.
fn pool_of(fleet: &mut Fleet, place: &TodayPlace, inputs: &ReplayInputs) -> Result<usize, Unplayable> {
    let group = group_of(inputs, place)?;
    pool(fleet, group, inputs)
}

fn pool(fleet: &mut Fleet, group: &TodayGroup, inputs: &ReplayInputs) -> Result<usize, Unplayable> {
    let name = format!("today-{}", group.name);
    if let Some(position) = fleet.pools.iter().position(|p| p.name == name) {
        return Ok(position);
    }
    let fixed = group.nodes >= f64::from(group.max_nodes);
    let spot = group.capacity_type == "spot";
    let machine = machine(inputs, (&group.instance_type, &group.region), &group.capacity_type)?;
    let zones = if spot { machine.zones.clone() } else { Vec::new() };
    let spec = PoolSpec {
        name,
        region: group.region.clone(),
        instance_type: group.instance_type.clone(),
        spot,
        zones,
        max_nodes: group.max_nodes,
        min_nodes: if fixed { group.max_nodes } else { 0 },
        consolidate_after_s: (!fixed).then_some(inputs.nodes.consolidate_after_s.round() as u32),
        replaces_underutilized: false,
        weight: 0,
        slices: std::collections::BTreeMap::new(),
    };
    add_pool(fleet, &spec, inputs)?;
    Ok(fleet.pools.len() - 1)
}

fn engine_needs(service: &ServiceInputs, place: &TodayPlace) -> (f64, f64) {
    let is = |e: &&crate::plan::replay::Engine| e.accelerator == place.accelerator && e.precision == place.precision && e.slice.is_none();
    service.engines.iter().find(is).map_or((0.0, 0.0), |e| (e.vcpus, e.ram_gib))
}

fn template(pool: usize, place: &TodayPlace, (vcpus, ram_gib): (f64, f64)) -> PodTemplate {
    PodTemplate {
        pools: vec![pool],
        ask: Room {
            gpus: place.gpus_per_replica,
            cpu_milli: (vcpus * 1000.0) as u64,
            memory_mib: (ram_gib * 1024.0) as u64,
            ..Room::default()
        },
        grace_s: 30,
        zones_spread: None,
        do_not_disrupt: true,
        max_unavailable: None,
    }
}

/// Fixed, or an autoscaler between the fewest replicas and today's count.
fn count(service: &ServiceInputs, (place, group): (&TodayPlace, &TodayGroup), engine: &LatencyModel) -> (Count, Option<String>) {
    let autoscaled = group.nodes < f64::from(group.max_nodes) && service.min_replicas < place.replicas;
    let Some(metric) = service.metric.as_ref().filter(|_| autoscaled) else { return (Count::Fixed(place.replicas), None) };
    let share = group.nodes / f64::from(group.max_nodes);
    let low = service.min_replicas.max(1);
    let threshold = inferred_threshold(service, (low, place.replicas), (f64::from(place.replicas) * share, engine));
    let note = format!(
        "`{}` runs behind an HPA today, {low} to {} replicas; its threshold of {threshold:.2} requests in flight a replica is inferred from the mean of {} nodes",
        service.name, place.replicas, group.nodes
    );
    let rules = |stabilization_s: u32| ScalingRules {
        stabilization_s,
        select: SelectPolicy::Max,
        policies: vec![
            ScalingPolicy { unit: PolicyUnit::Pods, value: 4, period_s: 15 },
            ScalingPolicy { unit: PolicyUnit::Percent, value: 100, period_s: 15 },
        ],
        tolerance: TOLERANCE,
    };
    let trigger = TriggerKind::Prometheus {
        server: String::new(),
        query: metric.query.clone(),
        threshold,
        activation_threshold: 0.0,
        ignore_null_values: true,
    };
    let scaler = ScaledObject {
        namespace: service.namespace.clone(),
        name: service.name.clone(),
        workload: service.name.clone(),
        target: service.name.clone(),
        polling_interval_s: service.polling_s.round() as u32,
        cooldown_s: 300,
        initial_cooldown_s: 0,
        min_replicas: low,
        max_replicas: place.replicas,
        idle_replicas: None,
        fallback: None,
        behavior: Behavior { up: rules(0), down: rules(service.stabilization_s.round() as u32) },
        triggers: vec![Trigger {
            name: "load".to_owned(),
            metric_type: MetricType::AverageValue,
            use_cached_metrics: false,
            kind: trigger,
        }],
        paused: false,
    };
    (Count::Scaled(scaler), Some(note))
}

/// The threshold at which the mean count over the week is the inventory's: bisection on `clamp(ceil(in flight / threshold))`.
fn inferred_threshold(service: &ServiceInputs, (low, high): (u32, u32), (mean, engine): (f64, &LatencyModel)) -> f64 {
    let in_flight: Vec<f64> = service.traffic.rate_rps.iter().map(|&rps| rps * seconds_in_system(service, engine)).collect();
    let mean_count = |threshold: f64| {
        let one = |load: &f64| (load / threshold).ceil().clamp(f64::from(low), f64::from(high));
        in_flight.iter().map(one).sum::<f64>() / in_flight.len().max(1) as f64
    };
    let (mut small, mut large) = (1e-3, 1e4);
    for _ in 0..60 {
        let middle = f64::midpoint(small, large);
        if mean_count(middle) > mean { small = middle } else { large = middle }
    }
    (large * 1000.0).round().max(1.0) / 1000.0
}

/// Time that a request spends on a replica that is not busy.
fn seconds_in_system(service: &ServiceInputs, engine: &LatencyModel) -> f64 {
    match (engine, &service.tokens) {
        (LatencyModel::Llm(model, _), Some(tokens)) => {
            let times = PassTimes::new(model);
            let context = tokens.input_mean + tokens.output_mean / 2.0;
            let prefill_s = times.prefill_only_s() + times.chunk_s(0, tokens.input_mean as u32);
            prefill_s + tokens.output_mean * times.line(4, context).pass_s(context)
        }
        (LatencyModel::Request(knots), _) => knots.first().map_or(0.1, |k| k.concurrency / k.rate.0),
        (LatencyModel::Llm(..), None) | (LatencyModel::Shared(_), _) => 1.0,
    }
}

/// A job as it runs today: from each release on, with today's workers.
fn job_today(job: &JobInputs, (place, pool): (&TodayPlace, usize)) -> Result<JobSetup, Unplayable> {
    let is = |g: &&crate::plan::replay::GangRate| g.accelerator == place.accelerator && g.precision == place.precision;
    let gangs: Vec<_> = job.gangs.iter().filter(is).collect();
    let exact = gangs.iter().find(|g| g.workers == place.replicas).map(|g| g.units_per_s);
    let near = gangs.iter().min_by_key(|g| g.workers.abs_diff(place.replicas));
    let units_per_s = exact.or_else(|| near.map(|g| g.units_per_s * f64::from(place.replicas) / f64::from(g.workers)));
    let units_per_s = units_per_s.ok_or_else(|| format!("no speed of `{}` on {} in {}", job.name, place.accelerator, place.precision))?;
    let needs = gangs.first().map_or((0.0, 0.0), |g| (g.vcpus, g.ram_gib));
    let cron = |hour: u32| CronJob {
        namespace: job.namespace.clone(),
        name: job.name.clone(),
        workload: job.name.clone(),
        time_zone: "UTC".to_owned(),
        // Hours count from Monday, which is day 1 of a cron.
        schedule: format!("0 {} * * {}", hour % 24, (hour / 24 + 1) % 7),
        starting_deadline_s: None,
        parallelism: place.replicas,
        completions: place.replicas,
        active_deadline_s: None,
        suspend: false,
        pod: PodSpec { pools: Vec::new(), gpus: None, slice: None, cpu_milli: None, memory_mib: None, grace_s: 30, zones_spread: None },
    };
    Ok(JobSetup {
        units_per_s,
        workers: place.replicas,
        checkpoint_interval_s: job.checkpoint.map(|_| 3600.0),
        start: JobStart::Cron(job.runs.iter().map(|r| cron(r.release_hour % 168)).collect()),
        start_up: of_files::start_up(&job.start_up),
        pod: template(pool, place, needs),
        way: None,
        inputs: job.clone(),
    })
}
