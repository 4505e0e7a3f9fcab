//! Hand-made plans for the emitters: every kind of workload once. Numbers are small and round, not solved.

use gpuplan::plan::*;
use gpuplan::units::{Usd, UsdPerHour};
use std::collections::BTreeMap;

/// Free text that breaks careless writers: quotes, line breaks, templates, HTML, YAML and HCL syntax.
pub const HOSTILE: &str = "\"O'Brien\" <b>&amp;\n# - x: ${file(\"/etc/passwd\")} %{ if true } {{ .Values }} `id` \u{2028}\u{85}\t\\ */ */";

pub fn pool(name: &str, (instance_type, accelerator, gpus): (&str, &str, u32)) -> NodePool {
    let price = UsdPerHour::from_f64(1.861);
    NodePool {
        name: name.into(),
        cloud: "aws".into(),
        region: "us-east-1".into(),
        zones: vec!["us-east-1a".into(), "us-east-1b".into(), "us-east-1c".into()],
        instance_type: instance_type.into(),
        accelerator: accelerator.into(),
        gpus_per_node: gpus,
        vcpus_per_node: 4.0,
        ram_gib_per_node: 32.0,
        capacity_type: "on-demand".into(),
        assurance: "reliable".into(),
        shared: gpus > 1,
        usd_per_hour: price,
        planned_usd_per_hour: price,
        spot: None,
        committed_nodes: 0,
        min_nodes: 1,
        max_nodes: 8,
        nodes_by_hour: vec![2.0; 168],
        paid_node_hours_per_week: 336.0,
        start_up_node_hours_per_week: 0.0,
        purchases_credit_usd_per_month: Usd::ZERO,
        usd_per_month: Usd::from_f64(2716.99),
        consolidate_after_s: 60,
        labels: BTreeMap::from([("gpuplan.dev/accelerator".into(), accelerator.into())]),
        taints: vec!["nvidia.com/gpu=present:NoSchedule".into(), "gpuplan.dev/dedicated=gpu:NoSchedule".into()],
        workloads: vec![],
        partition: None,
        when_lost: None,
    }
}

fn spot(mut pool: NodePool, fallback: &str) -> NodePool {
    pool.capacity_type = "spot".into();
    pool.min_nodes = 0;
    pool.usd_per_hour = UsdPerHour::from_f64(0.842);
    pool.planned_usd_per_hour = UsdPerHour::from_f64(1.102);
    pool.when_lost = Some(HOSTILE.into());
    pool.spot = Some(SpotTerms {
        availability: 0.8,
        reclaims_per_hour: 0.05,
        evidence: "prior".into(),
        zones_spread: 3,
        notice_s: 120.0,
        fallback_pool: Some(fallback.into()),
        fallback_usd_per_hour: UsdPerHour::from_f64(1.861),
        switch_hours: 0.1,
    });
    pool
}

pub fn variant(accelerator: &str, gpus: u32, engine: &str) -> ChosenVariant {
    ChosenVariant {
        accelerator: accelerator.into(),
        gpus_per_replica: gpus,
        precision: "fp8".into(),
        engine: engine.into(),
        evidence: "measured".into(),
        source: HOSTILE.into(),
        derate: 0.05,
        slice: None,
        requests: ResourceRequests { vcpus: 2.5, ram_gib: 16.5, gpus, gpu_memory_gib: 30.0 },
    }
}

pub fn workload(name: &str, kind: &str, variant: ChosenVariant) -> WorkloadPlan {
    WorkloadPlan {
        name: name.into(),
        kind: kind.into(),
        profile: "llama-3.1-8b".into(),
        team: HOSTILE.into(),
        cost_center: "012".into(),
        kubernetes: KubernetesTarget {
            namespace: "serving".into(),
            scale_target: None,
            image: "example.com/serve:1.0".into(),
            time_zone: "Europe/Berlin".into(),
        },
        variant,
        mode: "static".into(),
        service: None,
        job: None,
        usd_per_month: Usd::from_f64(1234.5),
        network: None,
        baseline_usd_per_month: Usd::from_f64(2345.6),
        change: ChangeFromToday { unchanged: false, changed_nodes: 2, summary: HOSTILE.into() },
        why: vec![HOSTILE.into()],
    }
}

pub fn service(floor: (&str, u32, u32), flex: Option<FlexPlan>) -> ServicePlan {
    let (min, max) = flex.as_ref().map_or((floor.1, floor.2), |flex| (flex.base_replicas, flex.max_replicas));
    ServicePlan {
        slo: SloPlan { attainment: 0.99, ttft_ms: Some(500.0), tpot_ms: Some(40.0), latency_ms: None, planning_percentile: 0.995 },
        floor: FloorPlan { pool: floor.0.into(), base_replicas: floor.1, max_replicas: floor.2 },
        flex,
        load_factor: 1.0,
        planning_load_rps: vec![2.0; 168],
        mean_load_rps: vec![1.0; 168],
        floor_by_hour: vec![floor.1; 168],
        flex_by_hour: vec![min; 168],
        awake_share_by_hour: vec![1.0; 168],
        starts_per_week: 5.0,
        capacity: vec![CapacityPoint { replicas: 1, rps: 2.0 }],
        capacity_source: "closed-form".into(),
        stable_rps_per_replica: 3.0,
        burst: "poisson".into(),
        routing: "random".into(),
        scaling: ScalingPlan {
            polling_interval_s: 15,
            cooldown_s: 420,
            stabilization_s: 300,
            min_replicas: min,
            max_replicas: max,
            prometheus_server: None,
            query: None,
            activity_query: None,
            threshold: None,
            threshold_headroom: 1.1,
            scale_to_zero: false,
            cold_requests: "reject".into(),
            lead_minutes: 8,
        },
        error_budget: ErrorBudget { requests_per_week: 1e6, steady_state_share: 0.005, spare_share: 0.005, miss_factor: 1.0, uses: vec![] },
        cold_start: ColdStartPlan { provision_p95_s: 120.0, replica_p95_s: 240.0, paid_hours_per_start: 0.133_333_333 },
    }
}

fn flex(pool: &str, (base, max): (u32, u32)) -> FlexPlan {
    FlexPlan { pool: pool.into(), fallback_pool: None, base_replicas: base, max_replicas: max, zones_spread: 1 }
}

pub fn on_load(service: &mut ServicePlan, query: &str, threshold: f64) {
    service.scaling.prometheus_server = Some("http://prometheus.monitoring:9090".into());
    service.scaling.query = Some(query.into());
    service.scaling.threshold = Some(threshold);
}

pub fn window(workload: &str, days: Vec<u8>, counts: (u32, u32), cron: (&str, &str)) -> Window {
    Window {
        workload: workload.into(),
        time_zone: "Europe/Berlin".into(),
        days,
        start_hour: 8,
        end_hour: 19,
        floor: counts.0,
        flex: counts.1,
        cron_start: cron.0.into(),
        cron_end: cron.1.into(),
    }
}

fn job(pool: &str, runs: Vec<JobRunPlan>) -> JobPlan {
    JobPlan {
        pool: pool.into(),
        fallback_pool: None,
        workers: 4,
        work_per_run: 120_000.0,
        work_unit: "pages".into(),
        units_per_s: 13.5,
        efficiency: 1.0,
        checkpoint_interval_s: None,
        hours_per_run: 2.57,
        tail_hours: 0.05,
        runs,
        queue: None,
        workers_by_hour: vec![0.0; 168],
    }
}

/// A run that is released at `release`, starts at `start` and has six hours from there.
fn run(release: u32, start: u32, cron: &str) -> JobRunPlan {
    JobRunPlan { release_hour: release, start_hour: start, end_hour: f64::from(start) + 2.57, deadline_hour: start + 6, cron: cron.into() }
}

/// Reactive on spot with a fallback, a floor and windows.
fn chat() -> WorkloadPlan {
    let mut chat = workload("chat", "service", variant("l40s", 1, "vllm"));
    let on_spot = FlexPlan { fallback_pool: Some("l40s-od".into()), zones_spread: 3, ..flex("l40s-spot", (1, 6)) };
    let mut plan = service(("l40s-od", 2, 3), Some(on_spot));
    let query = "clamp_min(sum(vllm:num_requests_running{model=\"chat\"} + vllm:num_requests_waiting) - 24, 0)";
    on_load(&mut plan, query, 11.4567);
    chat.mode = "reactive".into();
    chat.service = Some(plan);
    chat
}

/// Floors in windows, nothing elastic.
fn embed() -> WorkloadPlan {
    let mut embed = workload("embed", "service", variant("l4", 1, "triton"));
    embed.mode = "scheduled".into();
    embed.service = Some(service(("l4-od", 1, 4), None));
    embed
}

/// Sleeps when nobody asks; no floor at all.
fn studio() -> WorkloadPlan {
    let mut studio = workload("studio", "service", variant("l40s", 1, "custom"));
    let mut plan = service(("l40s-od", 0, 0), Some(flex("l40s-od", (0, 2))));
    on_load(&mut plan, "sum(gateway_inflight{svc=\"studio\"})", 4.0);
    plan.scaling.scale_to_zero = true;
    studio.mode = "reactive".into();
    studio.kubernetes.namespace = "studio".into();
    studio.service = Some(plan);
    studio
}

/// The user's own Deployment as floor, with a flex part beside it.
fn search() -> WorkloadPlan {
    let mut search = workload("search", "service", variant("l40s", 1, "vllm"));
    let on_spot = FlexPlan { fallback_pool: Some("l40s-od".into()), zones_spread: 3, ..flex("l40s-spot", (1, 5)) };
    search.mode = "scheduled".into();
    search.kubernetes.namespace = "search".into();
    search.kubernetes.scale_target = Some("search-api".into());
    search.service = Some(service(("l40s-od", 2, 2), Some(on_spot)));
    search
}

/// On a shared pool with several GPUs a node.
fn big() -> WorkloadPlan {
    let mut big = workload("chat-70b", "service", variant("h100-80-sxm", 4, "vllm"));
    big.service = Some(service(("h100", 2, 2), None));
    big
}

/// Work in a queue; starts three hours after its release, on weekdays.
fn ocr() -> WorkloadPlan {
    let mut ocr = workload("ocr", "batch", variant("l4", 1, "pytorch"));
    let runs = (0..5).map(|day| run(24 * day + 18, 24 * day + 21, &format!("0 23 * * {}", day + 1))).collect();
    let mut plan = job("l4-spot", runs);
    plan.fallback_pool = Some("l4-od".into());
    plan.queue = Some(QueuePlan {
        scaler: "aws-sqs-queue".into(),
        metadata: BTreeMap::from([
            ("awsRegion".into(), "us-east-1".into()),
            ("queueLength".into(), "500".into()),
            ("queueURL".into(), "https://sqs.us-east-1.amazonaws.com/012345678901/ocr".into()),
        ]),
    });
    ocr.mode = "placed".into();
    ocr.job = Some(plan);
    ocr
}

/// A gang with checkpoints on Saturday, and a second run at another time of day.
fn tune() -> WorkloadPlan {
    let mut tune = workload("tune", "training", variant("l40s", 1, "pytorch"));
    let mut plan = job("l40s-spot", vec![run(120, 120, "0 2 * * 6"), run(48, 50, "30 4 * * 3")]);
    plan.fallback_pool = Some("l40s-od".into());
    plan.checkpoint_interval_s = Some(1897.36);
    plan.efficiency = 0.93;
    tune.mode = "placed".into();
    tune.job = Some(plan);
    tune
}

fn windows() -> Vec<Window> {
    let weekdays = || vec![0, 1, 2, 3, 4];
    vec![
        window("chat", weekdays(), (3, 4), ("52 7 * * 1-5", "0 19 * * 1-5")),
        window("chat", vec![5, 6], (2, 2), ("52 9 * * 0,6", "0 18 * * 0,6")),
        window("embed", weekdays(), (4, 0), ("52 7 * * 1-5", "0 19 * * 1-5")),
        window("search", weekdays(), (2, 5), ("52 7 * * 1-5", "0 19 * * 1-5")),
    ]
}

fn pools() -> Vec<NodePool> {
    let mut h100 = pool("h100", ("p5.48xlarge", "h100-80-sxm", 8));
    h100.assurance = "scarce".into();
    (h100.min_nodes, h100.max_nodes, h100.committed_nodes) = (1, 1, 1);
    vec![
        h100,
        pool("l4-od", ("g6.xlarge", "l4", 1)),
        spot(pool("l4-spot", ("g6.xlarge", "l4", 1)), "l4-od"),
        pool("l40s-od", ("g6e.xlarge", "l40s", 1)),
        spot(pool("l40s-spot", ("g6e.xlarge", "l40s", 1)), "l40s-od"),
    ]
}

/// Every kind of workload, on AWS with Karpenter. The free text is hostile throughout.
pub fn aws() -> Plan {
    Plan {
        format: PLAN_FORMAT.into(),
        name: "acme".into(),
        demo: false,
        verification: Verification::not_replayed(),
        baseline: Baseline {
            usd_per_month: Usd::from_f64(20_000.0),
            kind: "inventory".into(),
            node_groups: vec![],
            commitments: vec![],
            egress_usd_per_month: None,
            start_up_bytes_usd_per_month: None,
        },
        competent_operations: Comparator { usd_per_month: Usd::from_f64(15_000.0), rules: HOSTILE.into(), saving: 0.25 },
        cost: CostBreakdown {
            usd_per_month: Usd::from_f64(11_800.0),
            on_demand_usd_per_month: Usd::from_f64(6_000.0),
            spot_usd_per_month: Usd::from_f64(1_800.0),
            commitments_usd_per_month: Usd::from_f64(4_000.0),
            purchases_usd_per_month: Usd::ZERO,
            start_up_usd_per_month: Usd::from_f64(100.0),
            egress_usd_per_month: None,
            start_up_bytes_usd_per_month: None,
            commitments: vec![],
            by_evidence_usd_per_month: BTreeMap::new(),
        },
        saving: 0.41,
        target: None,
        optimality: Optimality {
            usd_per_month: Usd::from_f64(11_800.0),
            bound_usd_per_month: Usd::from_f64(11_750.0),
            gap: 0.0042,
            outcome: "within-gap".into(),
            stages: vec![],
        },
        levers: vec![],
        sensitivity: vec![],
        pools: pools(),
        workloads: vec![chat(), big(), embed(), ocr(), search(), studio(), tune()],
        robustness: None,
        alternatives: Vec::new(),
        bundles: Vec::new(),
        purchases: Vec::new(),
        windows: windows(),
        notes: vec![HOSTILE.into()],
        provenance: Provenance {
            gpuplan_version: "0.1.0".into(),
            scenario_sha256: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef".into(),
            inputs: vec![],
            prices: vec![],
            network: vec![],
            solver: "HiGHS 1.11.0".into(),
            anchor_monday: "2026-01-05".into(),
            time_zone: "Europe/Berlin".into(),
            weeks_to_month: "x 730/168".into(),
            node_autoscaler: "karpenter".into(),
        },
    }
}

/// A small demo plan on GKE: spot with a fallback, and a nightly job.
pub fn gke() -> Plan {
    let mut plan = aws();
    let on_gke = |mut pool: NodePool, instance_type: &str| {
        pool.cloud = "gcp".into();
        pool.region = "us-central1".into();
        pool.zones = vec!["us-central1-a".into(), "us-central1-b".into()];
        pool.instance_type = instance_type.into();
        if let Some(spot) = &mut pool.spot {
            (spot.notice_s, spot.zones_spread) = (30.0, 2);
        }
        pool
    };
    let l4 = |name| on_gke(pool(name, ("", "l4", 1)), "g2-standard-4");
    plan.name = "demo-gke".into();
    plan.demo = true;
    plan.pools = vec![l4("l4-od"), on_gke(spot(l4("l4-spot"), "l4-od"), "g2-standard-4")];
    let mut chat = workload("demo-chat", "service", variant("l4", 1, "vllm"));
    let on_spot = FlexPlan { fallback_pool: Some("l4-od".into()), zones_spread: 2, ..flex("l4-spot", (3, 3)) };
    chat.service = Some(service(("l4-od", 2, 2), Some(on_spot)));
    let mut nightly = workload("demo-nightly", "batch", variant("l4", 1, "pytorch"));
    nightly.job = Some(job("l4-od", (0..7).map(|day| run(24 * day, 24 * day, &format!("0 1 * * {day}"))).collect()));
    plan.workloads = vec![chat, nightly];
    plan.windows = vec![];
    plan.provenance.node_autoscaler = "gke".into();
    plan
}
