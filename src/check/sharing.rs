//! Shared GPUs: the layout is one that the card can have, the owners allow the company and what keeps it apart, every replica has a slice
//! that holds it, and what a slice does is no more than its part of what the whole card does.

use super::finding::{Family, Finding};
use super::tolerance::{at_most, same};
use super::view::{Common, PoolView, ServiceView, View};
use crate::domain::{Accelerator, Evidence, Isolation, OperatingPoint, Performance, ShareWith};
use crate::plan::{PoolPartition, PoolSlice};

/// Memory that another process on the card takes, GiB.
const CONTEXT_GIB: f64 = 0.5;
/// Share of its part of the memory that a MIG slice shows.
const MIG_MEMORY: f64 = 0.975;
/// Cards with four slices of compute and memory; the others that have MIG have seven and eight.
const FOUR_SLICES: [&str; 2] = ["a30", "rtx-pro-6000"];

/// Checks pools whose GPUs are cut, and workloads that have a slice.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pool in &view.pools {
        if let Some(cut) = &pool.pool.partition {
            findings.extend(layout(view, pool, cut));
            findings.extend(counted(view, pool, cut));
        }
    }
    for service in view.promised() {
        findings.extend(tenant(view, service));
    }
    findings
}

fn finding(subject: &str, message: impl Into<String>) -> Finding {
    Finding::new(Family::Sharing, subject, message)
}

/// Compute slices and gigabytes of a MIG profile: `2g.20gb`.
fn mig_size(name: &str) -> Option<(u32, f64)> {
    let (compute, memory) = name.split_once("g.")?;
    Some((compute.parse().ok()?, memory.strip_suffix("gb")?.parse().ok()?))
}

/// Share of compute and of memory that a slice's name stands for.
pub(super) fn shares(card: &Accelerator, name: &str) -> Option<(f64, f64)> {
    if let Some((compute, gigabytes)) = mig_size(name) {
        let (all, rows) = grid(card);
        return Some((f64::from(compute) / f64::from(all), memory_rows(card, gigabytes) / f64::from(rows)));
    }
    let parts: f64 = name.rsplit_once('-')?.1.parse().ok()?;
    (parts >= 1.0).then_some((1.0 / parts, 1.0 / parts))
}

fn grid(card: &Accelerator) -> (u32, u32) {
    if FOUR_SLICES.contains(&card.id.as_str()) { (4, 4) } else { (7, 8) }
}

/// Memory slices of a profile: its gigabytes as a part of the card's, in whole slices.
fn memory_rows(card: &Accelerator, gigabytes: f64) -> f64 {
    (gigabytes / card.visible_memory.0 * f64::from(grid(card).1)).round().max(1.0)
}

fn layout(view: &View<'_>, pool: &PoolView<'_>, cut: &PoolPartition) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(card) = view.scenario.accelerators.get(&pool.machine.accelerator) else { return findings };
    if pool.spot || !pool.shared {
        findings.push(finding(&pool.pool.name, "GPUs are cut on on-demand nodes that stay all week only"));
    }
    for slice in &cut.slices {
        findings.extend(slice_of(card, (&pool.pool.name, cut), slice));
    }
    let possible = match cut.technique.as_str() {
        "mig" => mig_fits(card, cut),
        "mps" | "time-slicing" => match cut.slices.as_slice() {
            [only] => only.name == format!("{}-{}", cut.technique, only.per_gpu) && cut.layout == only.name,
            _ => false,
        },
        _ => false,
    };
    if !possible {
        let slices: Vec<String> = cut.slices.iter().map(|s| format!("{} x {}", s.per_gpu, s.name)).collect();
        findings.push(finding(&pool.pool.name, format!("no {} can be cut like this: {}", card.name, slices.join(" + "))));
    }
    findings
}

/// A slice's resource and its memory.
fn slice_of(card: &Accelerator, (pool, cut): (&str, &PoolPartition), slice: &PoolSlice) -> Vec<Finding> {
    let mut findings = Vec::new();
    let resource = if cut.technique == "mig" { format!("nvidia.com/mig-{}", slice.name) } else { "nvidia.com/gpu.shared".to_owned() };
    if slice.resource != resource {
        findings.push(finding(pool, "another resource").differs(resource, slice.resource.as_str()));
    }
    let Some((_, part)) = shares(card, &slice.name) else {
        findings.push(finding(pool, format!("there is no slice `{}`", slice.name)));
        return findings;
    };
    let whole = card.visible_memory.0 * part;
    let shown = if cut.technique == "mig" { whole * MIG_MEMORY } else { (whole - CONTEXT_GIB).max(0.0) };
    if !same(shown, slice.memory_gib) {
        findings.push(finding(pool, format!("another memory of `{}`, GiB", slice.name)).differs(shown, slice.memory_gib));
    }
    findings
}

/// Whether the card's columns of memory can hold the profiles, each at a place where it may begin, the largest first.
fn mig_fits(card: &Accelerator, cut: &PoolPartition) -> bool {
    let (compute, rows) = grid(card);
    let mut wanted: Vec<(u32, usize)> = Vec::new();
    for slice in &cut.slices {
        let Some((size, gigabytes)) = mig_size(&slice.name) else { return false };
        let Ok(count) = usize::try_from(slice.per_gpu) else { return false };
        if slice.per_gpu == 0 || slice.per_gpu > compute {
            return false;
        }
        wanted.extend(std::iter::repeat_n((size, memory_rows(card, gigabytes) as usize), count));
    }
    wanted.sort_by(|a, b| b.1.cmp(&a.1).then(b.0.cmp(&a.0)));
    let enough = wanted.iter().map(|(size, _)| size).sum::<u32>() <= compute;
    !wanted.is_empty() && enough && placed(&wanted, &mut vec![false; rows as usize], compute)
}

fn placed(wanted: &[(u32, usize)], taken: &mut Vec<bool>, compute: u32) -> bool {
    let Some(((size, rows), rest)) = wanted.split_first() else { return true };
    let last = taken.len().saturating_sub(*rows);
    for start in 0..=last {
        // Blocks begin at multiples of their rows; of seven compute columns the eighth row has none, and 4g is the first half.
        let aligned = start % rows == 0 && !(compute == 7 && ((*size == 4 && start > 0) || (*size == 1 && *rows == 1 && start == 7)));
        let three_pairs = !(compute == 7 && *size == 2 && start > 4);
        if aligned && three_pairs && taken[start..start + rows].iter().all(|t| !t) {
            taken[start..start + rows].fill(true);
            if placed(rest, taken, compute) {
                return true;
            }
            taken[start..start + rows].fill(false);
        }
    }
    false
}

/// Slices taken in the busiest hour, by kind, are there; and each has its part of the node's CPUs and memory.
fn counted(view: &View<'_>, pool: &PoolView<'_>, cut: &PoolPartition) -> Vec<Finding> {
    let mut findings = Vec::new();
    let per_node: u32 = cut.slices.iter().map(|s| s.per_gpu).sum::<u32>() * pool.machine.gpus;
    let (vcpus, ram) = super::claims::allocatable(view, pool);
    for claim in view.claims.iter().filter(|c| c.pool == pool.pool.name && c.used()) {
        let each = f64::from(per_node.max(1));
        if !(at_most(claim.ask.vcpus, vcpus / each) && at_most(claim.ask.ram_gib, ram / each)) {
            let wanted = format!("at most {:.2} CPUs, {:.2} GiB", vcpus / each, ram / each);
            let found = format!("{} CPUs, {} GiB", claim.ask.vcpus, claim.ask.ram_gib);
            findings.push(finding(claim.workload, "a slice's part of the node does not hold it").differs(wanted, found));
        }
    }
    for slice in &cut.slices {
        let of_kind: Vec<_> = view.claims.iter().filter(|c| c.pool == pool.pool.name && c.slice == Some(slice.name.as_str())).collect();
        for hour in 0..crate::units::HOURS_PER_WEEK {
            let taken: u32 = of_kind.iter().map(|c| c.peak[hour]).sum();
            let there = f64::from(slice.per_gpu * pool.machine.gpus) * pool.pool.nodes_by_hour[hour];
            if f64::from(taken) > there + 1e-6 {
                let message = format!("more replicas than slices `{}`", slice.name);
                findings.push(finding(&pool.pool.name, message).at(hour).differs(there, f64::from(taken)));
                break;
            }
        }
    }
    findings
}

/// A service and its slice: where, with whom, and how much of the card.
fn tenant(view: &View<'_>, service: &ServiceView<'_>) -> Vec<Finding> {
    let common = &service.common;
    let mut findings = Vec::new();
    let decided = service.decided;
    let floor = decided.floor_by_hour.iter().any(|n| *n > 0).then_some(decided.floor.pool.as_str());
    let flex = decided.flex.as_ref().map(|f| f.pool.as_str());
    for pool in [floor, flex].into_iter().flatten().filter_map(|name| view.pool(name)) {
        match (&pool.pool.partition, &common.plan.variant.slice) {
            (None, None) => {}
            (Some(cut), Some(slice)) => {
                if !cut.slices.iter().any(|s| s.name == slice.name && s.resource == slice.resource) || cut.technique != slice.technique {
                    findings.push(finding(common.name(), format!("pool `{}` has no slice `{}`", pool.pool.name, slice.name)));
                }
                findings.extend(company(common, (&pool.pool.name, cut)));
            }
            (Some(_), None) => findings.push(finding(common.name(), format!("a whole GPU of `{}`, whose GPUs are cut", pool.pool.name))),
            (None, Some(slice)) => {
                findings.push(finding(common.name(), format!("slice `{}` of `{}`, whose GPUs are whole", slice.name, pool.pool.name)));
            }
        }
    }
    findings.extend(delivered(view, common));
    findings
}

/// What the owner allows.
fn company(common: &Common<'_>, (pool, cut): (&str, &PoolPartition)) -> Vec<Finding> {
    let mut findings = Vec::new();
    let policy = common.workload.share;
    let allowed = match (policy.with, &cut.team) {
        (ShareWith::Never, _) | (ShareWith::Team, None) => false,
        (ShareWith::Team | ShareWith::Any, Some(team)) => *team == common.workload.team,
        (ShareWith::Any, None) => true,
    };
    if !allowed {
        let found = cut.team.as_ref().map_or_else(|| "anybody".to_owned(), |team| format!("team {team}"));
        findings.push(
            finding(common.name(), format!("shares `{pool}` with others than its owner allows")).differs(policy.with.as_str(), found),
        );
    }
    let kept_apart = match cut.technique.as_str() {
        "mig" => Isolation::Hardware,
        "mps" => Isolation::Memory,
        _ => Isolation::None,
    };
    if kept_apart > policy.isolation {
        let message = format!("less isolation in `{pool}` than its owner wants");
        findings.push(finding(common.name(), message).differs(policy.isolation.as_str(), kept_apart.as_str()));
    }
    findings
}

/// The statement about the slice, and the point's numbers against those of the whole card.
fn delivered(view: &View<'_>, common: &Common<'_>) -> Vec<Finding> {
    let Some(slice) = &common.plan.variant.slice else { return Vec::new() };
    let Some((point, card)) = common.point.and_then(|p| view.scenario.accelerators.get(&p.accelerator).map(|card| (p, card))) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let Some((compute, memory)) = shares(card, &slice.name) else { return Vec::new() };
    let share = compute.min(memory);
    if !same(share, slice.share) {
        findings.push(finding(common.name(), "another share of the card").differs(share, slice.share));
    }
    let policy = common.workload.share;
    if slice.share_with != policy.with.as_str() || slice.isolation != policy.isolation.as_str() {
        let wanted = format!("{}, {}", policy.with.as_str(), policy.isolation.as_str());
        findings.push(
            finding(common.name(), "another policy than its owner's").differs(wanted, format!("{}, {}", slice.share_with, slice.isolation)),
        );
    }
    let whole =
        common.profile.and_then(|p| p.points.iter().find(|w| w.slice.is_none() && w.gpus_per_replica == 1 && same_variant(w, point)));
    let derived = point.evidence == Evidence::Estimated && whole.is_some();
    let part = match (derived, slice.technique.as_str()) {
        (false, _) => 1.0,
        (true, "mig") => 0.63,
        (true, "mps") => 0.55,
        (true, _) => 0.45,
    };
    if !same(part, slice.delivered) {
        findings.push(finding(common.name(), "another part of the slice is delivered").differs(part, slice.delivered));
    }
    if let Some(whole) = whole.filter(|_| derived)
        && let Some((fastest, allowed)) = fastest(point).zip(fastest(whole).map(|rate| rate * share * part))
        && !at_most(fastest, allowed)
    {
        findings.push(finding(common.name(), "a slice faster than its part of the card, requests/s").differs(allowed, fastest));
    }
    let shown = card.visible_memory.0 * memory;
    let room = if slice.technique == "mig" { shown * MIG_MEMORY } else { shown - CONTEXT_GIB };
    if !at_most(point.gpu_memory.0, room * view.scenario.reserves.gpu_memory_share) {
        let wanted = room * view.scenario.reserves.gpu_memory_share;
        findings.push(finding(common.name(), "more memory than its slice has, GiB").differs(wanted, point.gpu_memory.0));
    }
    findings
}

fn same_variant(a: &OperatingPoint, b: &OperatingPoint) -> bool {
    a.accelerator == b.accelerator && a.precision == b.precision
}

/// The most that a request server does, or the inverse of an LLM's shortest step.
fn fastest(point: &OperatingPoint) -> Option<f64> {
    match &point.performance {
        Performance::Request { knots } => {
            knots.iter().map(|k| k.rate.0).fold(None, |most, rate| Some(most.map_or(rate, |m: f64| m.max(rate))))
        }
        Performance::Llm(model) => match &model.decode {
            crate::domain::DecodeStep::Affine { alpha_ms, .. } => Some(1000.0 / alpha_ms),
            crate::domain::DecodeStep::Table { step_ms, .. } => step_ms.first().and_then(|row| row.first()).map(|ms| 1000.0 / ms),
        },
        Performance::Job { .. } => None,
    }
}
