//! Tiny scenarios from a seed, as domain values: the same seed gives the same scenario on every machine.
//!
//! Needs are set in replicas, not in requests: the load of an hour is what so many replicas of the first operating
//! point carry, so that schedules have few levels and a brute force can try them all.

#![expect(clippy::unwrap_used, reason = "test")]

use gpuplan::domain::*;
use gpuplan::ids::{AcceleratorId, CommitmentId, InstanceTypeId, NodeGroupId, ProfileId, QuotaId, RegionId, WorkloadId};
use gpuplan::sizing::capacity;
use gpuplan::units::{GiB, HOURS_PER_WEEK, Millis, PerSecond, Seconds, UsdPerHour};
use std::collections::{BTreeMap, BTreeSet};

const REGION: &str = "here-1";
const PRECISION: &str = "fp16";

/// Splitmix64.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66_D1CE_4E5B)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// `0..n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// True once in `n`.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Between the two, in 16 steps.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.below(17) as f64 / 16.0
    }
}

/// How large scenarios are.
#[derive(Clone, Copy)]
pub struct Size {
    pub workloads: usize,
    pub accelerators: usize,
    /// Shapes of an accelerator: one-GPU, two-GPU, four-GPU.
    pub shapes: usize,
    /// Most replicas of the first operating point.
    pub replicas: u32,
    pub max_windows: u32,
}

impl Size {
    /// Small enough to try every decision.
    pub const TINY: Self = Self { workloads: 3, accelerators: 2, shapes: 2, replicas: 5, max_windows: 2 };
    /// For properties that only compare answers.
    pub const SMALL: Self = Self { workloads: 4, accelerators: 3, shapes: 3, replicas: 12, max_windows: 3 };
}

/// The scenario of a seed.
pub fn scenario(seed: u64, size: Size) -> Scenario {
    let random = &mut Random::new(seed);
    let names = ["amber", "beryl", "coral"];
    let accelerators = &names[..1 + random.below(size.accelerators)];
    let mut instance_types = BTreeMap::new();
    let mut offerings = Vec::new();
    let mut scarce = BTreeSet::new();
    for (rank, name) in accelerators.iter().enumerate() {
        if rank > 0 && random.one_in(5) {
            scarce.insert(*name);
        }
        let price = random.between(0.5, 1.5) * (1.0 + rank as f64);
        let shapes = 1 + random.below(size.shapes);
        let first = random.below(3);
        for gpus in (0..shapes).map(|i| 1_u32 << ((first + i) % 3)) {
            let id = InstanceTypeId::new(format!("{name}.{gpus}"));
            let node = price * f64::from(gpus) * random.between(0.9, 1.2);
            let assurance = if scarce.contains(name) { Assurance::Scarce } else { Assurance::Reliable };
            offerings.push(offering(&id, (node, CapacityType::OnDemand, assurance), None));
            if random.below(3) < 2 {
                let risk = SpotRisk {
                    availability: random.between(0.6, 1.0),
                    reclaims_per_hour: random.pick(&[0.005, 0.05, 0.3]),
                    evidence: SpotEvidence::OwnLog,
                };
                offerings.push(offering(&id, (node * random.between(0.2, 0.7), CapacityType::Spot, assurance), Some(risk)));
            }
            instance_types.insert(id.clone(), instance(&id, name, gpus));
        }
    }
    offerings.sort_by(|a, b| (&a.instance_type, a.capacity_type).cmp(&(&b.instance_type, b.capacity_type)));
    for o in &mut offerings {
        let zones = random.below(4);
        o.zones = (0..zones).map(|z| format!("{REGION}{z}")).collect();
    }
    let types: Vec<InstanceTypeId> = instance_types.keys().cloned().collect();
    let mut scenario = Scenario {
        name: format!("generated-{seed}"),
        demo: false,
        time_zone: "UTC".to_owned(),
        anchor_monday: "2026-01-05".to_owned(),
        regions: vec![RegionId::new(REGION)],
        accelerators: accelerators.iter().map(|name| (AcceleratorId::new(*name), accelerator(name, scarce.contains(name)))).collect(),
        instance_types,
        offerings,
        elsewhere: Vec::new(),
        profiles: BTreeMap::new(),
        workloads: Vec::new(),
        fleet: Fleet::default(),
        buying: Buying::default(),
        quotas: Vec::new(),
        node_autoscaler: NodeAutoscaler {
            kind: NodeAutoscalerKind::Karpenter,
            provision_p50: Seconds(40.0),
            provision_p95: Seconds(random.pick(&[60.0, 300.0])),
            consolidate_after: Seconds(random.pick(&[30.0, 600.0])),
            drain: Seconds(30.0),
        },
        reserves: Reserves { share: 0.1, vcpus: 0.0, ram: GiB(0.0), gpu_memory_share: 0.9 },
        adders: Adders { usd_per_node_hour: 0.0, percent: 0.0, discount_percent: 0.0 },
        risk: Risk {
            prior_availability: 0.8,
            prior_reclaims_per_hour: 0.05,
            overrides: Vec::new(),
            allow_scarce_release: random.one_in(4),
            allow_estimated: true,
        },
        uncertainty: gpuplan::domain::Uncertainty::default(),
        freeze: BTreeSet::new(),
        max_changes: None,
        network: None,
        target: None,
        sha256: String::new(),
        inputs: Vec::new(),
    };
    for rank in 0..1 + random.below(size.workloads) {
        let workload = if random.one_in(4) { job(random, &mut scenario, rank) } else { service(random, &mut scenario, (rank, size)) };
        scenario.workloads.push(workload);
    }
    limits(random, &mut scenario, &types);
    scenario
}

/// Commitments, quotas, today's places and limits on changes.
fn limits(random: &mut Random, scenario: &mut Scenario, types: &[InstanceTypeId]) {
    if random.one_in(3) {
        scenario.fleet.commitments.push(Commitment {
            id: CommitmentId::new("held"),
            instance_type: random.pick(&types.iter().collect::<Vec<_>>()).clone(),
            region: RegionId::new(REGION),
            nodes: 1 + random.below(3) as u32,
            price: UsdPerHour::from_f64(0.4),
            expires: "2027-01-01".to_owned(),
        });
    }
    for (name, capacity_type) in [("on-demand", CapacityType::OnDemand), ("spot", CapacityType::Spot)] {
        if random.below(5) < 2 {
            let keep = random.below(types.len()) + 1;
            scenario.quotas.push(Quota {
                id: QuotaId::new(name),
                region: RegionId::new(REGION),
                capacity_type,
                instance_types: types[..keep].to_vec(),
                unit: random.pick(&[QuotaUnit::Vcpus, QuotaUnit::Gpus, QuotaUnit::Nodes]),
                limit: 0.0,
            });
            let quota = scenario.quotas.last_mut().unwrap();
            let nodes = (2 + random.below(9)) as f64;
            quota.limit = nodes * if quota.unit == QuotaUnit::Vcpus { 8.0 } else { 1.0 };
        }
    }
    if random.one_in(4) {
        let on_demand: Vec<InstanceTypeId> = types.to_vec();
        for index in 0..scenario.workloads.len() {
            let instance_type = on_demand[random.below(on_demand.len())].clone();
            let gpus = scenario.instance_types[&instance_type].gpus;
            let group = NodeGroupId::new(format!("group-{index}"));
            let nodes = 1 + random.below(4) as u32;
            scenario.fleet.node_groups.push(NodeGroup {
                id: group.clone(),
                instance_type,
                region: RegionId::new(REGION),
                capacity_type: CapacityType::OnDemand,
                nodes: f64::from(nodes),
                max_nodes: nodes,
                reason: "generated".to_owned(),
            });
            scenario.workloads[index].placement =
                Some(Placement { node_group: group, replicas: nodes * gpus, gpus_per_replica: 1, precision: PRECISION.to_owned() });
        }
        if random.one_in(2) {
            scenario.max_changes = Some(random.below(scenario.workloads.len() + 1) as u32);
        }
        if random.one_in(2) {
            scenario.freeze.insert(scenario.workloads[random.below(scenario.workloads.len())].id.clone());
        }
    }
}

fn accelerator(name: &str, scarce: bool) -> Accelerator {
    Accelerator {
        id: AcceleratorId::new(name),
        name: name.to_owned(),
        visible_memory: GiB(24.0),
        scarce,
        slices: Vec::new(),
        layouts: Vec::new(),
    }
}

fn instance(id: &InstanceTypeId, accelerator: &str, gpus: u32) -> InstanceType {
    InstanceType {
        id: id.clone(),
        cloud: Cloud::Aws,
        accelerator: AcceleratorId::new(accelerator),
        gpus,
        gpu_memory: GiB(24.0),
        vcpus: 8.0 * f64::from(gpus),
        ram: GiB(64.0 * f64::from(gpus)),
        nvlink: true,
    }
}

/// An offering with its price already planned.
pub fn offering(id: &InstanceTypeId, (usd, capacity_type, assurance): (f64, CapacityType, Assurance), risk: Option<SpotRisk>) -> Offering {
    Offering {
        instance_type: id.clone(),
        region: RegionId::new(REGION),
        zones: Vec::new(),
        capacity_type,
        list_price: UsdPerHour::from_f64(usd),
        price: UsdPerHour::from_f64(usd),
        assurance,
        risk,
        source: "generated".to_owned(),
        as_of: "2026-01-01".to_owned(),
    }
}

fn workload(random: &mut Random, rank: usize, (profile, kind): (&Profile, WorkloadKind)) -> Workload {
    Workload {
        id: WorkloadId::new(format!("work-{rank}")),
        profile: profile.id.clone(),
        kind,
        team: String::new(),
        cost_center: String::new(),
        namespace: "default".to_owned(),
        scale_target: None,
        image: "image".to_owned(),
        time_zone: "UTC".to_owned(),
        utc_offset_hours: random.pick(&[0, 0, -8, 5, 11]),
        precisions: vec![PRECISION.to_owned()],
        accelerators: Vec::new(),
        regions: Vec::new(),
        spot: SpotPolicy { max_share: random.pick(&[0.0, 0.5, 0.7, 1.0]), contingency: random.pick(&[0.0, 0.5, 1.0]) },
        share: SharePolicy::NEVER,
        placement: None,
    }
}

fn point(accelerator: &AcceleratorId, (gpus, vcpus): (u32, f64), performance: Performance) -> OperatingPoint {
    OperatingPoint {
        accelerator: accelerator.clone(),
        gpus_per_replica: gpus,
        precision: PRECISION.to_owned(),
        engine: "engine".to_owned(),
        evidence: Evidence::Measured,
        requires_nvlink: false,
        slice: None,
        weights: None,
        gpu_memory: GiB(10.0),
        vcpus,
        ram: GiB(16.0),
        performance,
        source: "generated".to_owned(),
        as_of: "2026-01-01".to_owned(),
    }
}

fn profile(random: &mut Random, rank: usize, (kind, points): (ProfileKind, Vec<OperatingPoint>)) -> Profile {
    let stage = |s: f64| Spread { p50: Seconds(s / 2.0), p95: Seconds(s) };
    Profile {
        id: ProfileId::new(format!("profile-{rank}")),
        kind,
        title: String::new(),
        work_unit: None,
        points,
        cold_start: ColdStart { image_pull: stage(30.0), weights_load: stage(random.pick(&[10.0, 240.0])), engine_start: stage(20.0) },
        checkpoint: None,
        divisible: false,
        sha256: String::new(),
    }
}

/// A service of either kind on every accelerator; the profile goes into the scenario.
fn service(random: &mut Random, scenario: &mut Scenario, (rank, size): (usize, Size)) -> Workload {
    let llm = random.one_in(2);
    let (gpus, vcpus) = (random.pick(&[1, 1, 1, 2]), random.pick(&[2.0, 6.0]));
    let accelerators: Vec<AcceleratorId> = scenario.accelerators.keys().cloned().collect();
    let points = accelerators.iter().enumerate().map(|(i, accelerator)| {
        let speed = 1.0 + 0.8 * i as f64;
        let performance = if llm { llm_performance(speed) } else { request_performance(speed) };
        point(accelerator, (gpus, vcpus), performance)
    });
    let points: Vec<OperatingPoint> = points.collect();
    let kind = if llm { ProfileKind::Llm } else { ProfileKind::Request };
    let profile = profile(random, rank, (kind, points));
    let mut service = Service {
        demand: Demand {
            mean_rps: vec![0.0; HOURS_PER_WEEK],
            peak_rps: vec![0.0; HOURS_PER_WEEK],
            load_factor: 1.0,
            miss_factor: 1.0,
            insured: 1.0,
            lag_growth: random.pick(&[1.0, 1.2, 2.0]),
            burst: random.pick(&[BurstClass::Poisson, BurstClass::Poisson, BurstClass::Bursty, BurstClass::Untrackable]),
            tokens: llm.then_some(TokenShape { input_mean: 500.0, input_p95: 900.0, output_mean: 100.0 }),
            traffic: Traffic { step_s: 3600, rate_rps: vec![0.0; HOURS_PER_WEEK], cv2: vec![1.0; HOURS_PER_WEEK], lengths: Vec::new() },
            source: "generated".to_owned(),
        },
        slo: Slo { attainment: random.pick(&[0.9, 0.99, 0.999]), ttft: None, tpot: None, latency: Some(Millis(20_000.0)) },
        scaling: scaling(random, size.max_windows),
        tables: Vec::new(),
    };
    demand(random, &mut service, (&profile.points[0], size.replicas));
    let work = workload(random, rank, (&profile, WorkloadKind::Service(service)));
    scenario.profiles.insert(profile.id.clone(), profile);
    work
}

fn scaling(random: &mut Random, most_windows: u32) -> Scaling {
    let all = [Mode::Static, Mode::Scheduled, Mode::Reactive];
    Scaling {
        modes: if random.one_in(4) { all[..2].to_vec() } else { all.to_vec() },
        max_windows: random.below(most_windows as usize + 1) as u32,
        min_replicas: random.pick(&[0, 1, 1, 2]),
        max_replicas: None,
        scale_to_zero: random.one_in(3),
        cooldown: Seconds(300.0),
        polling: Seconds(15.0),
        stabilization: Seconds(300.0),
        metrics: (!random.one_in(4)).then(|| Metrics {
            server: "http://p".to_owned(),
            query: "q".to_owned(),
            survives_pods: true,
            activity_query: None,
        }),
        routing: random.pick(&[Routing::Random, Routing::LeastLoaded]),
        cold_requests: ColdRequests::Reject,
        request_timeout: Seconds(60.0),
    }
}

fn llm_performance(speed: f64) -> Performance {
    Performance::Llm(LlmModel {
        decode: DecodeStep::Affine { alpha_ms: 20.0 / speed, beta_ms: 0.2 / speed, eps_ms_per_ktok: 0.05 / speed },
        prefill_gamma_ms: 10.0,
        prefill_delta_ms_per_ktok: 60.0 / speed,
        prefill_zeta_ms_per_ktok2: 0.0,
        max_batch: 32,
        max_kv_tokens: 40_000.0,
    })
}

fn request_performance(speed: f64) -> Performance {
    let knot = |concurrency: f64, rate: f64, ms: f64| Knot {
        concurrency,
        rate: PerSecond(rate * speed),
        p50: Millis(ms / speed),
        p95: Millis(2.0 * ms / speed),
        p99: Millis(3.0 * ms / speed),
    };
    Performance::Request { knots: vec![knot(1.0, 5.0, 200.0), knot(8.0, 20.0, 400.0)] }
}

/// Load of two or three levels, by local hour: busy on working days or every day, perhaps all but silent at night.
fn demand(random: &mut Random, service: &mut Service, (point, most): (&OperatingPoint, u32)) {
    let mut table = Vec::new();
    let mut load = 1.0;
    while table.len() < most as usize + 1 {
        table = capacity::of(service, point, load).unwrap().rps;
        load *= 2.0;
    }
    let carried = |n: u32| if n == 0 { 0.0 } else { 0.97 * table[n as usize - 1] };
    let busy = 1 + random.below(most as usize) as u32;
    let calm = random.below(busy as usize + 1) as u32;
    let silent = random.one_in(3);
    let start = random.below(24);
    let (length, lunch) = (2 + random.below(12), random.one_in(3));
    let free_weekend = random.one_in(2);
    for hour in 0..HOURS_PER_WEEK {
        let (day, of_day) = (hour / 24, (hour + 24 - start) % 24);
        let up = of_day < length && !(free_weekend && day >= 5);
        let n = if !up {
            calm
        } else if lunch && of_day == length / 2 {
            u32::midpoint(calm, busy)
        } else {
            busy
        };
        let peak = if !up && silent { 0.0002 } else { carried(n).max(0.001) };
        service.demand.peak_rps[hour] = peak;
        service.demand.mean_rps[hour] = peak * if silent && !up { 1.0 } else { 0.7 };
    }
}

/// A job with one or more runs of some hours, and slack or none.
fn job(random: &mut Random, scenario: &mut Scenario, rank: usize) -> Workload {
    let accelerators: Vec<AcceleratorId> = scenario.accelerators.keys().cloned().collect();
    let gpus = random.pick(&[1, 1, 2]);
    let widths: &[u32] = random.pick(&[&[1_u32][..], &[1, 2], &[2]]);
    let points = accelerators.iter().enumerate().map(|(i, accelerator)| {
        let speed = 1.0 + 0.8 * i as f64;
        let throughput = widths.iter().map(|&w| GangPoint { workers: w, units_per_s: speed * f64::from(w).powf(0.9) }).collect();
        point(accelerator, (gpus, 2.0), Performance::Job { throughput })
    });
    let points: Vec<OperatingPoint> = points.collect();
    let mut profile = profile(random, rank, (ProfileKind::Job, points));
    profile.divisible = random.one_in(2);
    profile.checkpoint = random.one_in(2).then_some(Checkpoint { save: Seconds(60.0), restart: Seconds(120.0) });
    let hours = random.between(0.3, 9.0);
    let first = random.below(HOURS_PER_WEEK) as u32;
    let slack = random.pick(&[1, 6, 30]);
    let span = hours.ceil() as u32 + slack;
    let runs = match random.below(3) {
        0 => vec![JobRun { release_hour: first, deadline_hour: first + span }],
        1 => (0..7).map(|day| JobRun { release_hour: 24 * day + first % 24, deadline_hour: 24 * day + first % 24 + span }).collect(),
        _ => vec![
            JobRun { release_hour: first % 80, deadline_hour: first % 80 + span },
            JobRun { release_hour: 80 + first % 88, deadline_hour: 80 + first % 88 + span },
        ],
    };
    let job = Job {
        training: !profile.divisible,
        work_per_run: hours * 3600.0,
        runs,
        max_workers: 2,
        baseline_workers: 1,
        queue: None,
        slack_hours: 0,
        insured: 1.0,
    };
    let work = workload(random, rank, (&profile, WorkloadKind::Job(job)));
    scenario.profiles.insert(profile.id.clone(), profile);
    work
}
