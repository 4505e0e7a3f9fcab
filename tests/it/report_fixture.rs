//! A plan made by hand for the tests of reports and differences. The amounts add up; nothing else is promised about it.
//!
//! Two pools of single-GPU nodes (on demand and spot), one shared pool of eight-GPU nodes that a commitment pays for.
//! `chat` follows windows and uses spot, `rerank` may sleep at zero, `vision` is static, `embed` is a batch job on spot,
//! `tune` trains on the commitment.

use gpuplan::plan::{
    Baseline, BudgetUse, CapacityPoint, ChangeFromToday, ChosenVariant, ColdStartPlan, CommitmentCost, Comparator, CostBreakdown,
    ErrorBudget, FlexPlan, FloorPlan, InputDigest, JobPlan, JobRunPlan, KubernetesTarget, Lever, NodeGroupCost, NodePool, Optimality,
    PLAN_FORMAT, Plan, PriceOrigin, Provenance, QueuePlan, ResourceRequests, ScalingPlan, Sensitivity, ServicePlan, SloPlan, SpotTerms,
    Stage, TargetOutcome, Verification, Window, WorkloadPlan,
};
use gpuplan::units::{Usd, UsdPerHour};
use std::collections::BTreeMap;

fn text(s: &str) -> String {
    s.to_owned()
}

pub fn usd(dollars: f64) -> Usd {
    Usd::from_f64(dollars)
}

/// 168 values: `day` in the local hours of Monday to Friday from `start` to `end`, `rest` elsewhere. UTC is 4 hours ahead.
fn office<T: Copy>(start: usize, end: usize, day: T, rest: T) -> Vec<T> {
    (0..168)
        .map(|utc| (utc + 164) % 168)
        .map(|local| if local < 120 && (start..end).contains(&(local % 24)) { day } else { rest })
        .collect()
}

/// The plan.
pub fn plan() -> Plan {
    Plan {
        format: text(PLAN_FORMAT),
        name: text("acme-inference"),
        demo: false,
        verification: Verification::not_replayed(),
        baseline: baseline(),
        competent_operations: Comparator {
            usd_per_month: usd(38_200.0),
            rules: text("best single accelerator a workload, on demand, tuned HPA, batch nodes stopped when idle"),
            saving: 0.236,
        },
        cost: cost(),
        saving: 0.41,
        target: Some(TargetOutcome {
            requested: text("-40%"),
            usd_per_month: usd(30_000.0),
            margin: 0.02,
            met: true,
            missed_by_usd_per_month: Usd::ZERO,
            provably_impossible: false,
            binding: Vec::new(),
            relaxations: Vec::new(),
        }),
        optimality: optimality(),
        levers: levers(),
        sensitivity: sensitivity(),
        pools: vec![on_demand_pool(), spot_pool(), reserved_pool()],
        workloads: vec![chat(), embed(), rerank(), tune(), vision()],
        robustness: None,
        alternatives: Vec::new(),
        bundles: Vec::new(),
        purchases: Vec::new(),
        windows: windows(),
        notes: vec![
            text("`rerank` sleeps from 22:00 to 06:00: its gateway metric exists without its pods"),
            text("advisor bands are no evidence of availability: spot pools are planned at the prior"),
        ],
        provenance: provenance(),
    }
}

/// The same plan with a target that no plan can reach.
pub fn missed() -> Plan {
    let mut plan = plan();
    plan.target = Some(TargetOutcome {
        requested: text("-60%"),
        usd_per_month: usd(20_000.0),
        margin: 0.02,
        met: false,
        missed_by_usd_per_month: usd(8_900.0),
        provably_impossible: true,
        binding: vec![gpuplan::plan::Binding {
            limit: text("spot_share"),
            subject: text("chat"),
            detail: text("spot is capped at 50% of replicas; 4 of 8 are on spot at the peak"),
        }],
        relaxations: vec![gpuplan::plan::Relaxation {
            kind: text("spot_share"),
            subject: text("chat"),
            change: text("raise the spot share of `chat` from 50% to 80%"),
            set: vec![gpuplan::plan::outcome::ScenarioEdit { path: text("workloads.chat.spot.max_share"), value: text("0.8") }],
            usd_per_month: usd(26_400.0),
            saves_usd_per_month: usd(2_500.0),
        }],
    });
    plan.optimality.usd_per_month = usd(28_900.0);
    plan.optimality.stages.truncate(1);
    plan.cost.on_demand_usd_per_month = usd(8_900.0);
    plan.cost.usd_per_month = usd(28_900.0);
    plan.pools[0].usd_per_month = usd(8_900.0);
    plan.workloads[0].usd_per_month = usd(9_600.0);
    plan.saving = 0.422;
    plan
}

fn baseline() -> Baseline {
    let group = |name: &str, instance: &str, nodes: f64, usd_per_month: f64, workloads: &[&str]| NodeGroupCost {
        name: text(name),
        instance_type: text(instance),
        region: text("us-east-1"),
        capacity_type: text("on-demand"),
        nodes,
        committed_nodes: 0,
        usd_per_month: usd(usd_per_month),
        workloads: workloads.iter().map(|w| text(w)).collect(),
        reason: String::new(),
    };
    Baseline {
        usd_per_month: usd(50_000.0),
        kind: text("inventory"),
        node_groups: vec![
            group("batch", "g5.xlarge", 8.0, 6_000.0, &["embed"]),
            group("gpu-large", "g6e.xlarge", 14.0, 25_000.0, &["chat", "vision"]),
            group("gpu-small", "g5.xlarge", 5.0, 6_500.0, &["rerank"]),
            NodeGroupCost { reason: text("held for experiments"), ..group("lab", "g6e.xlarge", 1.0, 1_500.0, &[]) },
            NodeGroupCost { committed_nodes: 1, ..group("train", "p4d.24xlarge", 1.0, 0.0, &["tune"]) },
        ],
        commitments: vec![commitment(0.0)],
        egress_usd_per_month: None,
        start_up_bytes_usd_per_month: None,
    }
}

fn commitment(stranded: f64) -> CommitmentCost {
    CommitmentCost {
        name: text("p4d-3y"),
        instance_type: text("p4d.24xlarge"),
        region: text("us-east-1"),
        nodes: 1,
        usd_per_hour: UsdPerHour::from_f64(15.068493151),
        usd_per_month: usd(11_000.0),
        stranded_node_hours_per_week: stranded,
        expires: text("2027-06-30"),
    }
}

fn cost() -> CostBreakdown {
    CostBreakdown {
        usd_per_month: usd(29_500.0),
        on_demand_usd_per_month: usd(9_500.0),
        spot_usd_per_month: usd(9_000.0),
        commitments_usd_per_month: usd(11_000.0),
        purchases_usd_per_month: Usd::ZERO,
        start_up_usd_per_month: usd(640.0),
        egress_usd_per_month: None,
        start_up_bytes_usd_per_month: None,
        commitments: vec![commitment(96.0)],
        by_evidence_usd_per_month: BTreeMap::from([(text("fitted"), usd(12_500.0)), (text("measured"), usd(6_000.0))]),
    }
}

fn optimality() -> Optimality {
    let stage = |name: &str, unit: &str, value: f64, bound: f64, gap: f64, cost: f64| Stage {
        name: text(name),
        unit: text(unit),
        value,
        bound,
        gap,
        usd_per_month: usd(cost),
    };
    Optimality {
        usd_per_month: usd(28_900.0),
        bound_usd_per_month: usd(28_840.0),
        gap: 0.0021,
        outcome: text("within-gap"),
        stages: vec![
            stage("least_cost", "usd_per_month", 28_900.0, 28_840.0, 0.0021, 28_900.0),
            stage("least_exposure", "spot_gpu_hours_x_hazard_per_week", 18.4, 18.1, 0.0163, 29_000.0),
            stage("fewest_changes", "changed_nodes", 21.0, 21.0, 0.0, 29_500.0),
        ],
    }
}

fn levers() -> Vec<Lever> {
    let lever = |name: &str, share: f64, first: f64, last: f64, counted: bool| Lever {
        name: text(name),
        usd_per_month: usd(share),
        first_in_usd_per_month: usd(first),
        last_in_usd_per_month: usd(last),
        counted,
    };
    vec![
        lever("right_sizing", 8_100.0, 9_000.0, 7_400.0, true),
        lever("autoscaling", 6_000.0, 7_100.0, 4_900.0, true),
        lever("spot", 5_600.0, 8_000.0, 3_900.0, true),
        lever("placement", 1_400.0, 600.0, 1_900.0, true),
        lever("precision", 2_200.0, 2_500.0, 2_200.0, false),
    ]
}

fn sensitivity() -> Vec<Sensitivity> {
    let case = |name: &str, cost: Option<f64>, met: Option<bool>| Sensitivity {
        name: text(name),
        usd_per_month: cost.map(usd),
        saving: cost.map(|c| 1.0 - c / 50_000.0),
        target_met: met,
    };
    vec![
        case("capacity -10%", Some(30_900.0), Some(false)),
        case("demand +20%", Some(32_700.0), Some(false)),
        case("spot price +50%", Some(29_800.0), Some(true)),
        case("reclaim hazard x10", None, None),
    ]
}

fn on_demand_pool() -> NodePool {
    NodePool {
        name: text("g6e-od"),
        cloud: text("aws"),
        region: text("us-east-1"),
        zones: Vec::new(),
        instance_type: text("g6e.xlarge"),
        accelerator: text("l40s"),
        gpus_per_node: 1,
        vcpus_per_node: 4.0,
        ram_gib_per_node: 32.0,
        capacity_type: text("on-demand"),
        assurance: text("reliable"),
        shared: false,
        usd_per_hour: UsdPerHour::from_f64(1.861),
        planned_usd_per_hour: UsdPerHour::from_f64(1.861),
        spot: None,
        committed_nodes: 0,
        min_nodes: 4,
        max_nodes: 16,
        nodes_by_hour: office(8, 20, 8.0, 4.25),
        paid_node_hours_per_week: 939.0,
        start_up_node_hours_per_week: 0.0,
        purchases_credit_usd_per_month: Usd::ZERO,
        usd_per_month: usd(9_500.0),
        consolidate_after_s: 60,
        labels: BTreeMap::from([(text("gpuplan.dev/pool"), text("g6e-od"))]),
        taints: vec![text("nvidia.com/gpu=present:NoSchedule")],
        workloads: vec![text("chat"), text("embed"), text("rerank"), text("vision")],
        partition: None,
        when_lost: None,
    }
}

fn spot_pool() -> NodePool {
    NodePool {
        name: text("g6e-spot"),
        capacity_type: text("spot"),
        zones: vec![text("us-east-1a"), text("us-east-1b")],
        usd_per_hour: UsdPerHour::from_f64(0.9),
        planned_usd_per_hour: UsdPerHour::from_f64(1.109),
        spot: Some(SpotTerms {
            availability: 0.8,
            reclaims_per_hour: 0.05,
            evidence: text("prior"),
            zones_spread: 2,
            notice_s: 120.0,
            fallback_pool: Some(text("g6e-od")),
            fallback_usd_per_hour: UsdPerHour::from_f64(1.861),
            switch_hours: 0.12,
        }),
        min_nodes: 0,
        max_nodes: 8,
        nodes_by_hour: office(8, 20, 4.0, 1.5),
        paid_node_hours_per_week: 402.0,
        usd_per_month: usd(9_000.0),
        labels: BTreeMap::from([(text("gpuplan.dev/pool"), text("g6e-spot"))]),
        workloads: vec![text("chat"), text("embed")],
        when_lost: Some(text("Pods of the lost zone start in g6e-od, whose limit has room for one zone of every spot pool.")),
        ..on_demand_pool()
    }
}

fn reserved_pool() -> NodePool {
    NodePool {
        name: text("p4d-reserved"),
        instance_type: text("p4d.24xlarge"),
        accelerator: text("a100-40gb"),
        gpus_per_node: 8,
        vcpus_per_node: 96.0,
        ram_gib_per_node: 1152.0,
        assurance: text("reserved"),
        shared: true,
        usd_per_hour: UsdPerHour::from_f64(32.77),
        planned_usd_per_hour: UsdPerHour::from_f64(32.77),
        committed_nodes: 1,
        min_nodes: 0,
        max_nodes: 1,
        nodes_by_hour: office(8, 20, 1.0, 0.0),
        paid_node_hours_per_week: 0.0,
        usd_per_month: Usd::ZERO,
        labels: BTreeMap::from([(text("gpuplan.dev/pool"), text("p4d-reserved"))]),
        workloads: vec![text("tune")],
        ..on_demand_pool()
    }
}

fn variant(accelerator: &str, gpus: u32, evidence: &str) -> ChosenVariant {
    ChosenVariant {
        accelerator: text(accelerator),
        gpus_per_replica: gpus,
        precision: text("fp8"),
        engine: text("vllm"),
        evidence: text(evidence),
        source: text("profile of 2026-08-14"),
        derate: if evidence == "measured" { 0.05 } else { 0.1 },
        slice: None,
        requests: ResourceRequests { vcpus: 3.0, ram_gib: 24.0, gpus, gpu_memory_gib: 38.0 },
    }
}

/// A service without flex; the others are made from it.
fn vision() -> WorkloadPlan {
    WorkloadPlan {
        name: text("vision"),
        kind: text("service"),
        profile: text("yolo"),
        team: text("vision"),
        cost_center: text("cc-200"),
        kubernetes: KubernetesTarget {
            namespace: text("vision"),
            scale_target: Some(text("vision-server")),
            image: text("registry.example/vision:1"),
            time_zone: text("America/New_York"),
        },
        variant: variant("l40s", 1, "measured"),
        mode: text("static"),
        service: Some(ServicePlan {
            slo: SloPlan { attainment: 0.99, ttft_ms: None, tpot_ms: None, latency_ms: Some(80.0), planning_percentile: 0.995 },
            floor: FloorPlan { pool: text("g6e-od"), base_replicas: 2, max_replicas: 2 },
            flex: None,
            load_factor: 1.0,
            planning_load_rps: office(8, 20, 90.0, 20.0),
            mean_load_rps: office(8, 20, 60.0, 10.0),
            floor_by_hour: vec![2; 168],
            flex_by_hour: vec![0; 168],
            awake_share_by_hour: vec![1.0; 168],
            starts_per_week: 0.0,
            capacity: vec![CapacityPoint { replicas: 1, rps: 52.0 }, CapacityPoint { replicas: 2, rps: 110.0 }],
            capacity_source: text("closed-form"),
            stable_rps_per_replica: 75.0,
            burst: text("poisson"),
            routing: text("random"),
            scaling: ScalingPlan {
                polling_interval_s: 15,
                cooldown_s: 600,
                stabilization_s: 300,
                min_replicas: 2,
                max_replicas: 2,
                prometheus_server: None,
                query: None,
                activity_query: None,
                threshold: None,
                threshold_headroom: 1.0,
                scale_to_zero: false,
                cold_requests: text("reject"),
                lead_minutes: 10,
            },
            error_budget: ErrorBudget {
                requests_per_week: 16_848_000.0,
                steady_state_share: 0.005,
                spare_share: 0.005,
                miss_factor: 1.0,
                uses: vec![BudgetUse { name: text("cold_starts"), misses_per_week: 0.0 }],
            },
            cold_start: ColdStartPlan { provision_p95_s: 180.0, replica_p95_s: 240.0, paid_hours_per_start: 0.15 },
        }),
        job: None,
        usd_per_month: usd(2_700.0),
        network: None,
        baseline_usd_per_month: usd(7_000.0),
        change: ChangeFromToday { unchanged: false, changed_nodes: 3, summary: text("from 5 to 2 x g6e.xlarge on demand") },
        why: vec![text("two replicas carry the peak of every hour within 80 ms")],
    }
}

fn chat() -> WorkloadPlan {
    let mut w = vision();
    w.name = text("chat");
    w.profile = text("llama-8b");
    w.team = text("assistants");
    w.cost_center = text("cc-100");
    w.kubernetes.namespace = text("chat");
    w.kubernetes.scale_target = None;
    w.variant = variant("l40s", 1, "fitted");
    w.mode = text("scheduled");
    w.usd_per_month = usd(10_200.0);
    w.baseline_usd_per_month = usd(18_000.0);
    w.change =
        ChangeFromToday { unchanged: false, changed_nodes: 9, summary: text("from 9 to 2-4 x g6e.xlarge on demand and 1-4 on spot") };
    w.why = vec![text("half of the replicas may be on spot; the loss of one zone leaves enough to stay stable")];
    if let Some(s) = &mut w.service {
        s.slo = SloPlan { attainment: 0.99, ttft_ms: Some(500.0), tpot_ms: Some(60.0), latency_ms: None, planning_percentile: 0.995 };
        s.floor = FloorPlan { pool: text("g6e-od"), base_replicas: 2, max_replicas: 4 };
        s.flex = Some(FlexPlan {
            pool: text("g6e-spot"),
            fallback_pool: Some(text("g6e-od")),
            base_replicas: 1,
            max_replicas: 4,
            zones_spread: 2,
        });
        s.floor_by_hour = office(8, 20, 4, 2);
        s.flex_by_hour = office(8, 20, 4, 1);
        s.mean_load_rps = office(8, 20, 20.0, 5.0);
        s.planning_load_rps = office(8, 20, 26.0, 8.0);
        s.stable_rps_per_replica = 4.5;
        s.starts_per_week = 25.0;
        s.scaling.min_replicas = 1;
        s.scaling.max_replicas = 4;
        s.error_budget.requests_per_week = 6_264_000.0;
        s.error_budget.uses = vec![
            BudgetUse { name: text("cold_starts"), misses_per_week: 0.0 },
            BudgetUse { name: text("reclaims"), misses_per_week: 9_400.0 },
        ];
    }
    w
}

fn rerank() -> WorkloadPlan {
    let mut w = vision();
    w.name = text("rerank");
    w.profile = text("reranker");
    w.team = text("search");
    w.cost_center = text("cc-100");
    w.kubernetes.namespace = text("search");
    w.kubernetes.time_zone = text("Europe/Berlin");
    w.mode = text("reactive");
    w.usd_per_month = usd(3_300.0);
    w.baseline_usd_per_month = usd(6_500.0);
    w.change.summary = text("from 5 x g5.xlarge to 0-2 x g6e.xlarge on demand");
    w.why = vec![text("no requests at night"), text("the gateway's metric may wake it")];
    if let Some(s) = &mut w.service {
        s.floor = FloorPlan { pool: text("g6e-od"), base_replicas: 0, max_replicas: 0 };
        s.flex = Some(FlexPlan { pool: text("g6e-od"), fallback_pool: None, base_replicas: 0, max_replicas: 2, zones_spread: 1 });
        s.floor_by_hour = vec![0; 168];
        // Berlin is six hours ahead of New York: awake 06:00-22:00 local is 00:00-16:00 there.
        s.flex_by_hour = office(0, 16, 2, 1);
        s.awake_share_by_hour = office(0, 16, 1.0, 0.25);
        s.starts_per_week = 22.0;
        s.scaling.min_replicas = 0;
        s.scaling.threshold = Some(12.0);
        s.scaling.query = Some(text("sum(gateway_inflight{service=\"rerank\"})"));
        s.scaling.prometheus_server = Some(text("http://prometheus.monitoring:9090"));
        s.scaling.scale_to_zero = true;
        s.error_budget.requests_per_week = 900_000.0;
        s.error_budget.uses = vec![BudgetUse { name: text("cold_starts"), misses_per_week: 1_350.0 }];
    }
    w
}

fn embed() -> WorkloadPlan {
    let mut w = vision();
    w.name = text("embed");
    w.kind = text("batch");
    w.profile = text("embedder");
    w.team = text("search");
    w.cost_center = text("cc-100");
    w.kubernetes.namespace = text("search");
    w.mode = text("placed");
    w.service = None;
    w.usd_per_month = usd(2_300.0);
    w.baseline_usd_per_month = usd(6_000.0);
    w.change.summary = text("from 8 x g5.xlarge all week to 4 x g6e.xlarge spot at night");
    w.why = vec![text("divisible work: a reclaim costs minutes")];
    w.job = Some(JobPlan {
        pool: text("g6e-spot"),
        fallback_pool: Some(text("g6e-od")),
        workers: 4,
        work_per_run: 40_000_000.0,
        work_unit: text("documents"),
        units_per_s: 3_900.0,
        efficiency: 0.994,
        checkpoint_interval_s: None,
        hours_per_run: 2.98,
        tail_hours: 0.05,
        runs: vec![
            JobRunPlan { release_hour: 2, start_hour: 4, end_hour: 6.98, deadline_hour: 12, cron: text("0 0 * * 1") },
            JobRunPlan { release_hour: 166, start_hour: 168, end_hour: 170.98, deadline_hour: 176, cron: text("0 20 * * 0") },
        ],
        queue: Some(QueuePlan { scaler: text("rabbitmq"), metadata: BTreeMap::from([(text("queueName"), text("embed"))]) }),
        workers_by_hour: (0..168).map(|h| if (4..7).contains(&h) || h < 3 { 4.0 } else { 0.0 }).collect(),
    });
    w
}

fn tune() -> WorkloadPlan {
    let mut w = embed();
    w.name = text("tune");
    w.kind = text("training");
    w.profile = text("lora");
    w.team = text("research");
    w.cost_center = text("");
    w.kubernetes.namespace = text("research");
    w.variant = variant("a100-40gb", 8, "fitted");
    w.usd_per_month = Usd::ZERO;
    w.baseline_usd_per_month = Usd::ZERO;
    w.change = ChangeFromToday { unchanged: true, changed_nodes: 0, summary: text("unchanged") };
    w.why = vec![text("its node is paid for by the commitment p4d-3y")];
    if let Some(job) = &mut w.job {
        job.pool = text("p4d-reserved");
        job.fallback_pool = None;
        job.workers = 1;
        job.work_unit = text("steps");
        job.efficiency = 1.0;
        job.checkpoint_interval_s = Some(1_800.0);
        job.queue = None;
    }
    w
}

fn windows() -> Vec<Window> {
    vec![Window {
        workload: text("chat"),
        time_zone: text("America/New_York"),
        days: vec![0, 1, 2, 3, 4],
        start_hour: 8,
        end_hour: 20,
        floor: 4,
        flex: 4,
        cron_start: text("50 7 * * 1-5"),
        cron_end: text("0 20 * * 1-5"),
    }]
}

fn provenance() -> Provenance {
    let price = |offering: &str, list: f64, planned: f64, as_of: &str| PriceOrigin {
        offering: text(offering),
        list_usd_per_hour: UsdPerHour::from_f64(list),
        usd_per_hour: UsdPerHour::from_f64(planned),
        source: text("AWS price list"),
        as_of: text(as_of),
    };
    Provenance {
        gpuplan_version: text("0.1.0"),
        scenario_sha256: "ab".repeat(32),
        inputs: vec![InputDigest { path: text("profiles/llama-8b.yaml"), sha256: "cd".repeat(32) }],
        prices: vec![
            price("aws/us-east-1/g6e.xlarge/on-demand", 1.861, 1.861, "2026-09-30"),
            price("aws/us-east-1/g6e.xlarge/spot", 0.9, 0.9, "2026-10-02"),
        ],
        network: vec![],
        solver: text("HiGHS 1.11"),
        anchor_monday: text("2026-10-05"),
        time_zone: text("America/New_York"),
        weeks_to_month: text("x 730/168"),
        node_autoscaler: text("karpenter"),
    }
}
