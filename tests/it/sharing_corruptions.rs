//! Corruptions of what is said about shared GPUs: cut ones and servers with several models.

use crate::corruptions::Corruption;
use gpuplan::check::Family;
use gpuplan::plan::{Bundle, NodePool, Plan, PoolPartition, WorkloadPlan};

const fn of(name: &'static str, apply: fn(&mut Plan) -> bool) -> Corruption {
    Corruption { name, family: Family::Sharing, apply }
}

/// All of them; those that a plan has nothing for say so.
pub const SHARING: &[Corruption] = &[
    of("a slice more on every GPU", |p| cut(p).is_some_and(|cut| more(&mut cut.slices[0].per_gpu))),
    of("a slice with more memory", |p| cut(p).is_some_and(|cut| scale(&mut cut.slices[0].memory_gib, 1.1))),
    of("a slice under another resource", |p| cut(p).is_some_and(|cut| set(&mut cut.slices[0].resource, "nvidia.com/gpu"))),
    of("another technique", |p| {
        cut(p).is_some_and(|cut| {
            let other = if cut.technique == "mps" { "time-slicing" } else { "mps" };
            set(&mut cut.technique, other)
        })
    }),
    of("GPUs whole again", |p| pool(p).is_some_and(|pool| pool.partition.take().is_some())),
    of("cut GPUs for another team", |p| cut(p).is_some_and(|cut| cut.team.replace("strangers".to_owned()) != Some("strangers".to_owned()))),
    of("a node less than the slices need", |p| {
        pool(p).is_some_and(|pool| pool.nodes_by_hour.iter_mut().all(|n| *n >= 1.0 && scale(n, 0.0)))
    }),
    of("a tenant without a slice", |p| tenant(p).is_some_and(|w| w.variant.slice.take().is_some())),
    of("a larger share of the card", |p| {
        tenant(p).and_then(|w| w.variant.slice.as_mut()).is_some_and(|slice| scale(&mut slice.share, 1.5))
    }),
    of("more of the slice delivered", |p| {
        tenant(p).and_then(|w| w.variant.slice.as_mut()).is_some_and(|slice| scale(&mut slice.delivered, 1.1))
    }),
    of("a policy that is not the owner's", |p| {
        tenant(p).and_then(|w| w.variant.slice.as_mut()).is_some_and(|slice| set(&mut slice.isolation, "nothing"))
    }),
    Corruption {
        name: "a slice where a whole GPU is today, said to be no change",
        family: Family::Frozen,
        apply: |p| tenant(p).is_some_and(|w| !std::mem::replace(&mut w.change.unchanged, true)),
    },
    of("a model in two servers", |p| {
        server(p).is_some_and(|b| {
            let twice = b.members[0].clone();
            b.members.push(twice);
            true
        })
    }),
    of("a model in no server", |p| server(p).is_some_and(|b| b.members.pop().is_some())),
    of("a model faster alone", |p| server(p).is_some_and(|b| scale(&mut b.members[0].alone_rps, 1.2))),
    of("a model asked for less", |p| server(p).is_some_and(|b| b.members[0].planning_load_rps.iter_mut().all(|r| scale(r, 0.5)))),
    of("a model that takes less memory", |p| server(p).is_some_and(|b| scale(&mut b.members[0].gpu_memory_gib, 0.5))),
    of("models that do not hinder each other", |p| server(p).is_some_and(|b| scale(&mut b.interference, 0.8))),
    of("a limit of a model loosened", |p| server(p).and_then(|b| b.members[0].slo.latency_ms.as_mut()).is_some_and(|ms| scale(ms, 2.0))),
    of("a member in another precision than its model", |p| member(p).is_some_and(|w| set(&mut w.variant.precision, "int1"))),
    of("a member said to be measured", |p| member(p).is_some_and(|w| set(&mut w.variant.evidence, "measured"))),
    of("a member on another card", |p| member(p).is_some_and(|w| set(&mut w.variant.accelerator, "abacus"))),
    of("a member held back less", |p| member(p).is_some_and(|w| scale(&mut w.variant.derate, 0.5))),
    of("a model in another precision", |p| server(p).is_some_and(|b| set(&mut b.members[0].precision, "int1"))),
];

fn pool(plan: &mut Plan) -> Option<&mut NodePool> {
    plan.pools.iter_mut().find(|pool| pool.partition.is_some())
}

fn cut(plan: &mut Plan) -> Option<&mut PoolPartition> {
    pool(plan)?.partition.as_mut()
}

fn tenant(plan: &mut Plan) -> Option<&mut WorkloadPlan> {
    plan.workloads.iter_mut().find(|w| w.variant.slice.is_some())
}

fn member(plan: &mut Plan) -> Option<&mut WorkloadPlan> {
    plan.workloads.iter_mut().find(|w| w.mode == "bundled")
}

fn server(plan: &mut Plan) -> Option<&mut Bundle> {
    plan.bundles.first_mut()
}

fn set(text: &mut String, to: &str) -> bool {
    let differs = text != to;
    to.clone_into(text);
    differs
}

fn scale(number: &mut f64, factor: f64) -> bool {
    *number *= factor;
    true
}

fn more(count: &mut u32) -> bool {
    *count += 1;
    true
}
