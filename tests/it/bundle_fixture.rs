//! A plan made by hand in which three services share a Triton server, and what its replay needs. Numbers are small and round, not
//! solved.

use crate::emit_fixture::{aws, on_load, pool, service, variant, window, workload};
use gpuplan::plan::replay::{
    Engine, Machine, NodeDelays, NodeReserves, REPLAY_FORMAT, ReplayInputs, RequestKnot, ServiceInputs, Spread, StartUp, Traffic,
};
use gpuplan::plan::{Bundle, BundleMember, Plan, SloPlan};
use gpuplan::units::UsdPerHour;

/// Name of the server.
pub const SERVER: &str = "vision-models";
/// Members: workload, model, requests a second, limit in ms, `(concurrency, rate, p50)` of its curve alone.
pub const MEMBERS: [Member; 3] = [
    Member { name: "captions", model: "captions", rps: 4.0, limit_ms: 900.0, knots: [(1.0, 12.0, 83.0), (8.0, 40.0, 200.0)] },
    Member { name: "face-blur", model: "face_blur", rps: 20.0, limit_ms: 150.0, knots: [(1.0, 180.0, 5.5), (16.0, 700.0, 22.0)] },
    Member { name: "photo-check", model: "photo_check", rps: 30.0, limit_ms: 80.0, knots: [(1.0, 250.0, 4.0), (16.0, 1100.0, 14.0)] },
];

/// A service that shares the server.
pub struct Member {
    /// Workload.
    pub name: &'static str,
    /// Model.
    pub model: &'static str,
    /// Demand.
    pub rps: f64,
    /// Limit.
    pub limit_ms: f64,
    knots: [(f64, f64, f64); 2],
}

fn slo(limit_ms: f64) -> SloPlan {
    SloPlan { attainment: 0.99, ttft_ms: None, tpot_ms: None, latency_ms: Some(limit_ms), planning_percentile: 0.995 }
}

fn member((position, member): (usize, &Member)) -> BundleMember {
    BundleMember {
        workload: member.name.into(),
        model: member.model.into(),
        precision: "fp16".into(),
        evidence: "measured".into(),
        source: "by hand, 2026-01-05".into(),
        gpu_memory_gib: 3.0,
        instances: 1 + position as u32,
        max_batch_size: 8,
        max_queue_delay_us: 500 * position as u64,
        // The longer the limit, the less urgent.
        priority: 3 - position as u32,
        slo: slo(member.limit_ms),
        load_factor: 1.0,
        planning_load_rps: vec![member.rps * 1.3; 168],
        mean_load_rps: vec![member.rps; 168],
        alone_rps: member.knots[1].1 * 0.6,
    }
}

/// One L4 a replica; two at least, four on working days, as many as six by what waits.
pub fn bundled() -> Plan {
    let mut plan = aws();
    plan.name = "shared".into();
    plan.pools.retain(|pool| pool.name == "l4-od");
    plan.pools[0] = pool("l4-od", ("g6.xlarge", "l4", 1));
    plan.pools[0].workloads = vec![SERVER.into()];
    let mut own = |member: &Member| {
        let mut own = workload(member.name, "service", variant("l4", 1, "triton"));
        own.mode = "bundled".into();
        own.variant.precision = "fp16".into();
        own
    };
    plan.workloads = MEMBERS.iter().map(&mut own).collect();
    let mut host = workload(SERVER, "bundle", variant("l4", 1, "triton"));
    host.kubernetes.image = "nvcr.io/nvidia/tritonserver:25.08-py3".into();
    host.mode = "reactive".into();
    let mut decided = service(("l4-od", 2, 6), None);
    decided.slo = slo(80.0);
    decided.mean_load_rps = vec![MEMBERS.iter().map(|m| m.rps).sum(); 168];
    on_load(&mut decided, "sum(nv_inference_pending_request_count{namespace=\"serving\"})", 12.0);
    host.service = Some(decided);
    plan.windows = vec![window(SERVER, vec![0, 1, 2, 3, 4], (4, 0), ("52 7 * * 1-5", "0 19 * * 1-5"))];
    plan.bundles = vec![Bundle {
        host,
        members: MEMBERS.iter().enumerate().map(member).collect(),
        interference: 1.25,
        interference_source: "stated by hand".into(),
    }];
    plan
}

fn inputs_of(member: &Member) -> ServiceInputs {
    let spread = |p50: f64| Spread { p50, p95: 1.5 * p50 };
    let knot = |&(concurrency, rate_per_s, p50_ms): &(f64, f64, f64)| RequestKnot {
        concurrency,
        rate_per_s,
        p50_ms,
        p95_ms: 1.3 * p50_ms,
        p99_ms: 1.5 * p50_ms,
    };
    ServiceInputs {
        name: member.name.into(),
        namespace: "serving".into(),
        time_zone: "Europe/Berlin".into(),
        traffic: Traffic { step_s: 3600, rate_rps: vec![member.rps; 168], cv2: vec![1.0], lengths: vec![] },
        tokens: None,
        slo: slo(member.limit_ms),
        routing: "random".into(),
        cold_requests: "reject".into(),
        request_timeout_s: 30.0,
        metric: None,
        min_replicas: 1,
        polling_s: 15.0,
        stabilization_s: 300.0,
        start_up: StartUp { image_pull_s: spread(60.0), weights_load_s: spread(5.0), engine_start_s: spread(10.0) },
        engines: vec![Engine {
            accelerator: "l4".into(),
            gpus_per_replica: 1,
            precision: "fp16".into(),
            slice: None,
            evidence: "measured".into(),
            vcpus: 2.5,
            ram_gib: 16.5,
            llm: None,
            knots: Some(member.knots.iter().map(knot).collect()),
        }],
        network: None,
        today: None,
    }
}

/// What a replay of the plan needs.
pub fn inputs(plan: &Plan) -> ReplayInputs {
    ReplayInputs {
        format: REPLAY_FORMAT.into(),
        verification: plan.verification.mark(),
        scenario_sha256: plan.provenance.scenario_sha256.clone(),
        anchor_monday: plan.provenance.anchor_monday.clone(),
        nodes: NodeDelays { provision_s: Spread { p50: 60.0, p95: 90.0 }, consolidate_after_s: 60.0, drain_s: 30.0 },
        reserves: NodeReserves { share: 0.1, vcpus: 1.0, ram_gib: 2.0 },
        machines: vec![Machine {
            instance_type: "g6.xlarge".into(),
            region: "us-east-1".into(),
            capacity_type: "on-demand".into(),
            accelerator: "l4".into(),
            gpus: 1,
            vcpus: 4.0,
            ram_gib: 32.0,
            zones: vec![],
            usd_per_hour: UsdPerHour::from_f64(0.8),
            availability: None,
            reclaims_per_hour: None,
            notice_s: 0.0,
            scarce: false,
        }],
        commitments: vec![],
        node_groups: vec![],
        services: MEMBERS.iter().map(inputs_of).collect(),
        jobs: vec![],
    }
}
