//! Which pools a pod may run on, the preferred one first: its choice by label, the taints that it tolerates, and nodes that have its GPUs.
//!
//! Order: sum of the weights of the preferences that hold, then the weight of the pool (what Karpenter tries first), then the order in
//! which the pod names them, then the name.

use super::fault::Faults;
use super::pod::{Draft, Expression, Toleration};
use super::terraform::{Pool, Taint};
use super::types::Origin;
use std::cmp::Reverse;

/// The pools of a pod. A pod that can run nowhere is a fault; a name among several that no pool has is a note.
pub(super) fn pools(draft: &Draft, declared: &[Pool], (at, owner): (&Origin, &str), faults: &mut Faults) -> Vec<String> {
    let choice = &draft.choice;
    let named = named(draft);
    let gpus = draft.spec.gpus;
    if named.is_empty() && choice.required.is_none() && gpus == Some(0) && draft.spec.slice.is_none() {
        return Vec::new();
    }
    let chosen = |name: &str| {
        let terms = choice.required.as_ref();
        choice.selector.as_deref().is_none_or(|selector| selector == name)
            && terms.is_none_or(|terms| terms.iter().any(|term| term.iter().all(|expression| expression.holds(name))))
    };
    let chosen: Vec<&Pool> = declared.iter().filter(|pool| chosen(&pool.spec.name)).collect();
    // Where GPUs are cut there is no whole one, and the other way round.
    let holds = |pool: &Pool| match &draft.spec.slice {
        Some(slice) => pool.spec.slices.contains_key(slice),
        None => gpus.is_none_or(|gpus| gpus <= if pool.spec.slices.is_empty() { pool.gpus_per_node } else { 0 }),
    };
    let fits = |pool: &&Pool| untolerated(pool, &draft.tolerations).is_none() && holds(pool);
    let mut fitting: Vec<&Pool> = chosen.iter().copied().filter(fits).collect();
    let unknown: Vec<&str> = named.iter().copied().filter(|name| !declared.iter().any(|pool| pool.spec.name == *name)).collect();
    if fitting.is_empty() {
        if !faults.lost_pools() {
            let (what, help) = nowhere(draft, (&chosen, &unknown));
            faults.push(at.clone(), format!("pods of {owner} can run nowhere: {what}"), help);
        }
        return Vec::new();
    }
    for name in unknown {
        faults.note(at.clone(), format!("{owner} also names the pool `{name}`, which no node pool declares"));
    }
    let preference = |pool: &Pool| -> u64 {
        let holding = choice.preferred.iter().filter(|(_, term)| term.iter().all(|expression| expression.holds(&pool.spec.name)));
        holding.map(|(weight, _)| u64::from(*weight)).sum()
    };
    let position = |pool: &Pool| named.iter().position(|name| *name == pool.spec.name).unwrap_or(named.len());
    fitting.sort_by_key(|pool| (Reverse(preference(pool)), Reverse(pool.spec.weight), position(pool), pool.spec.name.as_str()));
    fitting.into_iter().map(|pool| pool.spec.name.clone()).collect()
}

/// Pools that the pod requires by name, in its order.
fn named(draft: &Draft) -> Vec<&str> {
    let selector = draft.choice.selector.as_deref();
    let expressions = draft.choice.required.iter().flatten().flatten();
    let listed = expressions.filter_map(|expression| match expression {
        Expression::In(names) => Some(names.iter().map(String::as_str)),
        Expression::NotIn(_) | Expression::Exists | Expression::DoesNotExist => None,
    });
    let mut names: Vec<&str> = Vec::new();
    for name in selector.into_iter().chain(listed.flatten()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Why, and the way out.
fn nowhere(draft: &Draft, (chosen, unknown): (&[&Pool], &[&str])) -> (String, String) {
    let Some(pool) = chosen.first() else {
        let Some(name) = unknown.first() else {
            return ("no node pool fits their selector and affinity".to_owned(), "name a declared pool".to_owned());
        };
        return (format!("no node pool `{name}` is declared"), format!("declare `{name}`, or name a declared pool"));
    };
    let name = &pool.spec.name;
    if let Some(Taint { key, value, effect }) = untolerated(pool, &draft.tolerations) {
        return (format!("pool `{name}` has the taint `{key}={value}:{effect}`"), "add the toleration".to_owned());
    }
    if let Some(slice) = &draft.spec.slice {
        return (
            format!("they ask for `{slice}`, which nodes of pool `{name}` do not have"),
            "name a pool whose GPUs are cut so".to_owned(),
        );
    }
    let gpus = draft.spec.gpus.unwrap_or(0);
    (format!("they ask for {gpus} GPUs, a node of pool `{name}` has {}", pool.gpus_per_node), "name a pool with larger nodes".to_owned())
}

/// The first taint that the pod does not tolerate.
fn untolerated<'a>(pool: &'a Pool, tolerations: &[Toleration]) -> Option<&'a Taint> {
    let tolerates = |toleration: &Toleration, taint: &Taint| {
        (toleration.key.is_empty() || toleration.key == taint.key)
            && toleration.value.as_ref().is_none_or(|value| *value == taint.value)
            && (toleration.effect.is_empty() || toleration.effect == taint.effect)
    };
    pool.taints.iter().find(|taint| !tolerations.iter().any(|toleration| tolerates(toleration, taint)))
}
