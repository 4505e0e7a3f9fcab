//! Digests: of bytes, and of a scenario in a canonical form that the order and the layout of its files do not change.
//!
//! The form is text, one `key value` a line, lists in the order of the scenario, which sorts them by id. Every struct is
//! taken apart by name, so that a new field cannot be forgotten. Numbers are written so that they read back exactly.

use crate::domain::{
    Accelerator, Adders, Buying, CapacityTable, Case, Client, Commitment, Cover, DecodeStep, Demand, EgressPrice, Fleet, InstanceType, Job,
    LlmModel, METHOD_VERSION, NatPrice, Network, NodeAutoscaler, NodeGroup, Offering, OperatingPoint, Performance, Placement, Product,
    Profile, Quota, Remote, Reserves, Risk, RoundTrip, Scaling, Scenario, Service, SharePolicy, Slo, Target, TokenShape, Traffic,
    Uncertainty, Workload, WorkloadKind,
};
use sha2::{Digest, Sha256};
use std::fmt::{Debug, Display};

/// SHA-256 in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Digest of the canonical form of a scenario. The digest itself and the list of input files are not part of it.
#[must_use]
pub fn sha256(scenario: &Scenario) -> String {
    sha256_hex(text(scenario).as_bytes())
}

/// The canonical form.
#[must_use]
pub fn text(scenario: &Scenario) -> String {
    let Scenario {
        name,
        demo,
        time_zone,
        anchor_monday,
        regions,
        accelerators,
        instance_types,
        offerings,
        elsewhere,
        profiles,
        workloads,
        fleet,
        buying,
        quotas,
        node_autoscaler,
        reserves,
        adders,
        risk,
        uncertainty,
        freeze,
        max_changes,
        network,
        target,
        sha256: _,
        inputs: _,
    } = scenario;
    let mut form = Form::default();
    form.text("name", name).text("demo", demo).text("time_zone", time_zone).text("anchor_monday", anchor_monday);
    form.list("region", regions).list("freeze", freeze).debug("max_changes", max_changes);
    match target {
        None => form.text("target", "none"),
        Some(Target::Saving(share)) => form.debug("target.saving", share),
        Some(Target::Budget(usd)) => form.text("target.budget_nanos", usd.nanos()),
    };
    accelerators.values().for_each(|value| accelerator(value, &mut form));
    instance_types.values().for_each(|value| instance_type(value, &mut form));
    offerings.iter().for_each(|value| offering(value, &mut form));
    form.text("elsewhere", elsewhere.len());
    elsewhere.iter().for_each(|value| offering(value, &mut form));
    profiles.values().for_each(|value| profile(value, &mut form));
    workloads.iter().for_each(|value| workload(value, &mut form));
    fleet_of(fleet, &mut form);
    buying_of(buying, &mut form);
    quotas.iter().for_each(|value| quota(value, &mut form));
    conventions((node_autoscaler, reserves, adders), risk, &mut form);
    if let Some(network) = network {
        network_of(network, &mut form);
    }
    surprises(uncertainty, &mut form);
    form.0
}

/// Text being written.
#[derive(Default)]
struct Form(String);

impl Form {
    /// A line of a key and what the value displays as; line breaks are escaped.
    fn text(&mut self, key: &str, value: impl Display) -> &mut Self {
        let value = value.to_string().replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
        self.0.push_str(&format!("{key} {value}\n"));
        self
    }

    /// A line of a key and a number, an option of one, or a list of them.
    fn debug(&mut self, key: &str, value: impl Debug) -> &mut Self {
        self.text(key, format_args!("{value:?}"))
    }

    /// A line for each item.
    fn list(&mut self, key: &str, items: impl IntoIterator<Item = impl Display>) -> &mut Self {
        items.into_iter().for_each(|item| {
            self.text(key, item);
        });
        self
    }
}

fn accelerator(value: &Accelerator, form: &mut Form) {
    // Slices and layouts follow from the card; those that are used show in the operating points.
    let Accelerator { id, name, visible_memory, scarce, slices: _, layouts: _ } = value;
    form.text("accelerator", id).text(".name", name).debug(".visible_memory_gib", visible_memory.0).text(".scarce", scarce);
}

fn instance_type(value: &InstanceType, form: &mut Form) {
    let InstanceType { id, cloud, accelerator, gpus, gpu_memory, vcpus, ram, nvlink } = value;
    form.text("instance_type", id).text(".cloud", cloud.as_str()).text(".accelerator", accelerator).text(".gpus", gpus);
    form.debug(".gpu_memory_gib", gpu_memory.0).debug(".vcpus", vcpus).debug(".ram_gib", ram.0).text(".nvlink", nvlink);
}

fn offering(value: &Offering, form: &mut Form) {
    let Offering { instance_type, region, zones, capacity_type, list_price, price, assurance, risk, source, as_of } = value;
    form.text("offering", format_args!("{region}/{instance_type}/{}", capacity_type.as_str())).list(".zone", zones);
    form.text(".list_nanos", list_price.nanos()).text(".nanos", price.nanos()).text(".assurance", assurance.as_str());
    if let Some(risk) = risk {
        form.debug(".risk", (risk.availability, risk.reclaims_per_hour)).text(".risk_evidence", risk.evidence.as_str());
    }
    form.text(".source", source).text(".as_of", as_of);
}

fn profile(value: &Profile, form: &mut Form) {
    let Profile { id, kind, title, work_unit, points, cold_start, checkpoint, divisible, sha256: _ } = value;
    form.text("profile", id).debug(".kind", kind).text(".title", title).debug(".work_unit", work_unit);
    form.debug(".cold_start", cold_start).debug(".checkpoint", checkpoint).text(".divisible", divisible);
    points.iter().for_each(|value| point(value, form));
}

/// All that the calibrated capacity of a service on an operating point depends on, and nothing else.
#[must_use]
pub fn capacity_question(service: &Service, point: &OperatingPoint) -> String {
    let Service { demand, slo, scaling, tables: _ } = service;
    let Slo { attainment: _, ttft, tpot, latency } = slo;
    let mut form = Form::default();
    form.text("method", METHOD_VERSION).debug("burst_cv2", demand.burst.planned_cv2());
    if let Some(TokenShape { input_mean, input_p95, output_mean }) = demand.tokens {
        form.debug("tokens", (input_mean, input_p95, output_mean));
    }
    // The card says how many tokens a pass takes.
    form.text("accelerator", &point.accelerator).debug("lengths", &demand.traffic.lengths);
    form.text("routing", scaling.routing.as_str()).debug("request_timeout_s", scaling.request_timeout.0);
    form.debug("limits_ms", (ttft.map(|ms| ms.0), tpot.map(|ms| ms.0), latency.map(|ms| ms.0)));
    form.debug("percentile", slo.planning_percentile());
    performance(&point.performance, &mut form);
    form.0
}

fn point(value: &OperatingPoint, form: &mut Form) {
    let OperatingPoint {
        accelerator,
        gpus_per_replica,
        precision,
        engine,
        evidence,
        requires_nvlink,
        slice,
        gpu_memory,
        weights,
        vcpus,
        ram,
        performance,
        source,
        as_of,
    } = value;
    form.text(".point", format_args!("{accelerator} x{gpus_per_replica} {precision}")).text("..engine", engine);
    form.text("..evidence", evidence.as_str()).text("..requires_nvlink", requires_nvlink);
    form.debug("..size", (gpu_memory.0, vcpus, ram.0)).text("..source", source).text("..as_of", as_of);
    if let Some(slice) = slice {
        form.text("..slice", slice);
    }
    if let Some(weights) = weights {
        form.debug("..weights", weights.0);
    }
    self::performance(performance, form);
}

fn performance(value: &Performance, form: &mut Form) {
    match value {
        Performance::Llm(model) => llm(model, form),
        Performance::Request { knots } => knots.iter().for_each(|knot| {
            form.debug("..knot", (knot.concurrency, knot.rate.0, knot.p50.0, knot.p95.0, knot.p99.0));
        }),
        Performance::Job { throughput } => throughput.iter().for_each(|gang| {
            form.debug("..gang", (gang.workers, gang.units_per_s));
        }),
    }
}

fn llm(value: &LlmModel, form: &mut Form) {
    let LlmModel { decode, prefill_gamma_ms, prefill_delta_ms_per_ktok, prefill_zeta_ms_per_ktok2, max_batch, max_kv_tokens } = value;
    match decode {
        DecodeStep::Affine { alpha_ms, beta_ms, eps_ms_per_ktok } => form.debug("..decode", (alpha_ms, beta_ms, eps_ms_per_ktok)),
        DecodeStep::Table { batch, context_tokens, step_ms } => form.debug("..decode_table", (batch, context_tokens, step_ms)),
    };
    form.debug("..prefill", (prefill_gamma_ms, prefill_delta_ms_per_ktok, prefill_zeta_ms_per_ktok2));
    form.debug("..limits", (max_batch, max_kv_tokens));
}

fn workload(value: &Workload, form: &mut Form) {
    let Workload {
        id,
        profile,
        kind,
        team,
        cost_center,
        namespace,
        scale_target,
        image,
        time_zone,
        utc_offset_hours,
        precisions,
        accelerators,
        regions,
        spot,
        share,
        placement,
    } = value;
    form.text("workload", id).text(".profile", profile).text(".team", team).text(".cost_center", cost_center);
    form.text(".namespace", namespace).debug(".scale_target", scale_target).text(".image", image);
    form.text(".time_zone", time_zone).text(".utc_offset_hours", utc_offset_hours).list(".precision", precisions);
    form.list(".accelerator", accelerators).list(".region", regions).debug(".spot", (spot.max_share, spot.contingency));
    if *share != SharePolicy::NEVER {
        form.text(".share", format_args!("{} {}", share.with.as_str(), share.isolation.as_str()));
    }
    if let Some(Placement { node_group, replicas, gpus_per_replica, precision }) = placement {
        form.text(".placement", format_args!("{node_group} {replicas} x{gpus_per_replica} {precision}"));
    }
    match kind {
        WorkloadKind::Service(value) => service(value, form),
        WorkloadKind::Job(value) => job(value, form),
    }
}

fn service(value: &Service, form: &mut Form) {
    let Service { demand, slo, scaling, tables } = value;
    let Demand { mean_rps, peak_rps, load_factor: _, miss_factor: _, insured: _, lag_growth, burst, tokens, traffic, source } = demand;
    form.debug(".mean_rps", mean_rps).debug(".peak_rps", peak_rps).debug(".lag_growth", lag_growth).text(".burst", burst.as_str());
    if let Some(TokenShape { input_mean, input_p95, output_mean }) = tokens {
        form.debug(".tokens", (input_mean, input_p95, output_mean));
    }
    let Traffic { step_s, rate_rps, cv2, lengths } = traffic;
    form.text(".traffic", format_args!("{step_s} {} {}", digest_of(rate_rps), digest_of(cv2)));
    if !lengths.is_empty() {
        form.debug(".lengths", lengths);
    }
    form.text(".demand_source", source);
    let Slo { attainment, ttft, tpot, latency } = slo;
    form.debug(".slo", (attainment, ttft.map(|ms| ms.0), tpot.map(|ms| ms.0), latency.map(|ms| ms.0)));
    scaling_of(scaling, form);
    for CapacityTable { accelerator, gpus_per_replica, precision, slice, points } in tables {
        let part = slice.as_ref().map_or_else(String::new, |slice| format!(" {slice}"));
        form.text(".table", format_args!("{accelerator} x{gpus_per_replica} {precision}{part}")).debug("..points", points);
    }
}

/// Digest of the bits of a series: steps of minutes would make the form long, and writing them out slow.
fn digest_of(series: &[f64]) -> String {
    let bytes: Vec<u8> = series.iter().flat_map(|value| value.to_bits().to_le_bytes()).collect();
    sha256_hex(&bytes)
}

fn scaling_of(value: &Scaling, form: &mut Form) {
    let Scaling {
        modes,
        max_windows,
        min_replicas,
        max_replicas,
        scale_to_zero,
        cooldown,
        polling,
        stabilization,
        metrics,
        routing,
        cold_requests,
        request_timeout,
    } = value;
    form.list(".mode", modes.iter().map(|mode| mode.as_str())).text(".max_windows", max_windows);
    form.text(".min_replicas", min_replicas).debug(".max_replicas", max_replicas).text(".scale_to_zero", scale_to_zero);
    form.debug(".times_s", (cooldown.0, polling.0, stabilization.0, request_timeout.0)).text(".routing", routing.as_str());
    form.text(".cold_requests", cold_requests.as_str());
    if let Some(metrics) = metrics {
        form.text(".server", &metrics.server).text(".query", &metrics.query).text(".survives_pods", metrics.survives_pods);
        form.debug(".activity_query", &metrics.activity_query);
    }
}

fn job(value: &Job, form: &mut Form) {
    let Job { training, work_per_run, runs, max_workers, baseline_workers, queue, slack_hours: _, insured: _ } = value;
    form.text(".training", training).debug(".work_per_run", work_per_run).text(".max_workers", max_workers);
    form.text(".baseline_workers", baseline_workers);
    form.list(".run", runs.iter().map(|run| format!("{} {}", run.release_hour, run.deadline_hour)));
    if let Some(queue) = queue {
        form.text(".queue", &queue.scaler).list(".queue_metadata", queue.metadata.iter().map(|(key, value)| format!("{key} {value}")));
    }
}

fn fleet_of(value: &Fleet, form: &mut Form) {
    let Fleet { node_groups, commitments } = value;
    for NodeGroup { id, instance_type, region, capacity_type, nodes, max_nodes, reason } in node_groups {
        form.text("node_group", id).text(".what", format_args!("{region}/{instance_type}/{}", capacity_type.as_str()));
        form.debug(".nodes", (nodes, max_nodes)).text(".reason", reason);
    }
    for Commitment { id, instance_type, region, nodes, price, expires } in commitments {
        form.text("commitment", id).text(".what", format_args!("{region}/{instance_type}")).text(".nodes", nodes);
        form.text(".nanos", price.nanos()).text(".expires", expires);
    }
}

fn network_of(value: &Network, form: &mut Form) {
    let Network { round_trips, egress, nat, jurisdictions, clouds, workloads } = value;
    form.text("network", round_trips.len());
    for RoundTrip { from, to, time, source, as_of } in round_trips {
        form.text(".round_trip", format_args!("{from} {to}")).debug("..ms", time.0).text("..source", source).text("..as_of", as_of);
    }
    for EgressPrice { from, to, list_usd_per_gib, usd_per_gib, source, as_of } in egress {
        form.text(".egress", format_args!("{from} {to}")).debug("..usd", (list_usd_per_gib, usd_per_gib));
        form.text("..source", source).text("..as_of", as_of);
    }
    for NatPrice { region, list_usd_per_gib, usd_per_gib, source, as_of } in nat {
        form.text(".nat", region).debug("..usd", (list_usd_per_gib, usd_per_gib)).text("..source", source).text("..as_of", as_of);
    }
    for (name, regions) in jurisdictions {
        form.text(".jurisdiction", name).list("..region", regions);
    }
    form.list(".cloud", clouds.iter().map(|(region, cloud)| format!("{region} {}", cloud.as_str())));
    for (name, remote) in workloads {
        let Remote { clients, request_gib, response_gib, image_gib, weights_gib, through_nat, residency } = remote;
        form.text(".workload", name).debug("..gib", (request_gib, response_gib, image_gib, weights_gib));
        form.text("..through_nat", through_nat).list("..residency", residency);
        for Client { place, share } in clients {
            form.text("..client", place).debug("...share", share);
        }
    }
}

/// Nothing where nothing may be bought.
fn buying_of(value: &Buying, form: &mut Form) {
    let Buying { products, shrinking } = value;
    for product in products {
        let Product { id, kind, unit, term_months, payment, upfront, hourly, on_demand, covers, source, as_of } = product;
        form.text("product", id).text(".kind", format_args!("{} {}", kind.as_str(), unit.as_str())).text(".term_months", term_months);
        form.text(".payment", payment.as_str()).text(".nanos", format_args!("{} {}", upfront.nanos(), hourly.nanos()));
        form.debug(".on_demand_nanos", on_demand.map(|price| price.nanos())).text(".source", source).text(".as_of", as_of);
        for Cover { instance_type, region, units } in covers {
            form.debug(&format!("..covers {region}/{instance_type}"), units);
        }
    }
    form.list("shrinking", shrinking);
}

fn quota(value: &Quota, form: &mut Form) {
    let Quota { id, region, capacity_type, instance_types, unit, limit } = value;
    form.text("quota", id).text(".region", region).text(".capacity_type", capacity_type.as_str());
    form.list(".instance_type", instance_types).text(".unit", unit.as_str()).debug(".limit", limit);
}

/// Nothing where nothing is asked: a scenario without surprises keeps its digest.
fn surprises(value: &Uncertainty, form: &mut Form) {
    let Uncertainty { level, cases } = value;
    if let Some(level) = level {
        form.text("risk_level", level.as_str());
    }
    for Case { name, probability, demand, burst, spot_price, hazard, availability } in cases {
        form.text("case", name).debug(".factors", (probability, demand, burst, spot_price, hazard, availability));
    }
}

fn conventions((nodes, reserves, adders): (&NodeAutoscaler, &Reserves, &Adders), risk: &Risk, form: &mut Form) {
    let NodeAutoscaler { kind, provision_p50, provision_p95, consolidate_after, drain } = nodes;
    form.text("node_autoscaler", kind.as_str());
    form.debug(".times_s", (provision_p50.0, provision_p95.0, consolidate_after.0, drain.0));
    let Reserves { share, vcpus, ram, gpu_memory_share } = reserves;
    form.debug("reserves", (share, vcpus, ram.0, gpu_memory_share));
    let Adders { usd_per_node_hour, percent, discount_percent } = adders;
    form.debug("adders", (usd_per_node_hour, percent, discount_percent));
    let Risk { prior_availability, prior_reclaims_per_hour, overrides, allow_scarce_release, allow_estimated } = risk;
    form.debug("risk", (prior_availability, prior_reclaims_per_hour));
    form.text(".allow_scarce_release", allow_scarce_release).text(".allow_estimated", allow_estimated);
    for pool in overrides {
        form.text(".pool", format_args!("{}/{}", pool.region, pool.instance_type));
        form.debug("..known", (pool.availability, pool.reclaims_per_hour)).text("..evidence", pool.evidence.as_str());
    }
}
