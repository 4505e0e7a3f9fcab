//! Operating points on slices of a GPU, for the profiles of workloads that share one: as measured where the profile has them,
//! else derived from the whole card, pessimistically, as `estimated`.
//!
//! A slice with the share `s` of the card delivers `s x d` of its speed, `d` by technique
//! ([`Technique::delivered`](crate::domain::Technique::delivered)): every time is divided by `s d`, every rate multiplied. The KV
//! cache of an LLM is what the slice's memory leaves after the weights. Nothing is derived where it does not fit.

use crate::catalog::Market;
use crate::domain::{
    DecodeStep, Evidence, Knot, LlmModel, OperatingPoint, Performance, Profile, Reserves, ShareWith, Slice, Technique, Workload,
};
use crate::ids::ProfileId;
use crate::units::{GiB, Millis, PerSecond};
use std::collections::{BTreeMap, BTreeSet};

/// Fewest tokens of cache that an LLM engine is worth starting with.
const LEAST_KV_TOKENS: f64 = 4096.0;

/// What points are derived under.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Cards with their slices.
    pub market: &'a Market,
    /// Share of the memory that an engine may use.
    pub reserves: &'a Reserves,
    /// Estimated points of whole cards may be planned on.
    pub allow_estimated: bool,
}

/// Adds the slices that the owners of the workloads allow to the profiles.
pub fn add(profiles: &mut BTreeMap<ProfileId, Profile>, workloads: &[Workload], terms: Terms<'_>) {
    for profile in profiles.values_mut() {
        let sharing = workloads.iter().filter(|w| w.profile == profile.id && w.share.with != ShareWith::Never && w.service().is_some());
        let policies: Vec<_> = sharing.map(|w| w.share).collect();
        let techniques: BTreeSet<Technique> = [Technique::Mig, Technique::Mps, Technique::TimeSlicing]
            .into_iter()
            .filter(|technique| policies.iter().any(|policy| policy.allows(*technique)))
            .collect();
        if !techniques.is_empty() {
            let derived = derived(profile, &techniques, terms);
            profile.points.extend(derived);
            profile.points.sort_by(|a, b| key(a).cmp(&key(b)));
        }
    }
}

/// What tells operating points of a profile apart.
pub fn key(point: &OperatingPoint) -> (&str, u32, &str, Option<&str>) {
    (point.accelerator.as_str(), point.gpus_per_replica, &point.precision, point.slice.as_deref())
}

fn derived(profile: &Profile, techniques: &BTreeSet<Technique>, terms: Terms<'_>) -> Vec<OperatingPoint> {
    let measured: BTreeSet<_> = profile.points.iter().map(key).collect();
    let whole = profile.points.iter().filter(|p| p.slice.is_none() && p.gpus_per_replica == 1);
    let usable = whole.filter(|p| p.evidence != Evidence::Estimated || terms.allow_estimated);
    let of_point = |point: &OperatingPoint| -> Vec<OperatingPoint> {
        let Some(card) = terms.market.accelerators.get(&point.accelerator) else { return Vec::new() };
        let slices = card.slices.iter().filter(|slice| techniques.contains(&slice.technique));
        slices.filter_map(|slice| on(slice, point, terms.reserves)).collect()
    };
    usable.flat_map(of_point).filter(|point| !measured.contains(&key(point))).collect()
}

/// The point on a slice, where it fits.
fn on(slice: &Slice, point: &OperatingPoint, reserves: &Reserves) -> Option<OperatingPoint> {
    let speed = slice.share() * slice.technique.delivered();
    let room = slice.memory.0 * reserves.gpu_memory_share;
    let (performance, gpu_memory) = match &point.performance {
        Performance::Llm(model) => {
            let model = smaller(model, (point, room))?;
            (Performance::Llm(slower(&model, speed)), GiB(room))
        }
        Performance::Request { knots } => {
            let knots = knots.iter().map(|knot| slower_knot(knot, speed)).collect();
            (Performance::Request { knots }, point.gpu_memory)
        }
        Performance::Job { .. } => return None,
    };
    (gpu_memory.0 <= room).then(|| OperatingPoint {
        slice: Some(slice.name.clone()),
        evidence: Evidence::Estimated,
        gpu_memory,
        performance,
        ..point.clone()
    })
}

/// The engine with the cache that is left; `None` where the weights are not known or leave too little.
fn smaller(model: &LlmModel, (point, room): (&OperatingPoint, f64)) -> Option<LlmModel> {
    let weights = point.weights?.0;
    let per_token = (point.gpu_memory.0 - weights) / model.max_kv_tokens;
    let tokens = ((room - weights) / per_token).floor().min(model.max_kv_tokens);
    (per_token > 0.0 && tokens >= LEAST_KV_TOKENS).then(|| LlmModel { max_kv_tokens: tokens, ..model.clone() })
}

fn slower(model: &LlmModel, speed: f64) -> LlmModel {
    let decode = match &model.decode {
        DecodeStep::Affine { alpha_ms, beta_ms, eps_ms_per_ktok } => {
            DecodeStep::Affine { alpha_ms: alpha_ms / speed, beta_ms: beta_ms / speed, eps_ms_per_ktok: eps_ms_per_ktok / speed }
        }
        DecodeStep::Table { batch, context_tokens, step_ms } => DecodeStep::Table {
            batch: batch.clone(),
            context_tokens: context_tokens.clone(),
            step_ms: step_ms.iter().map(|row| row.iter().map(|ms| ms / speed).collect()).collect(),
        },
    };
    LlmModel {
        decode,
        prefill_gamma_ms: model.prefill_gamma_ms / speed,
        prefill_delta_ms_per_ktok: model.prefill_delta_ms_per_ktok / speed,
        prefill_zeta_ms_per_ktok2: model.prefill_zeta_ms_per_ktok2 / speed,
        ..*model
    }
}

fn slower_knot(knot: &Knot, speed: f64) -> Knot {
    let longer = |ms: Millis| Millis(ms.0 / speed);
    Knot {
        concurrency: knot.concurrency,
        rate: PerSecond(knot.rate.0 * speed),
        p50: longer(knot.p50),
        p95: longer(knot.p95),
        p99: longer(knot.p99),
    }
}
