//! How a card can be cut: every maximal MIG layout, and equal parts by MPS and time-slicing.
//!
//! MIG: a card has seven compute and eight memory slices (A30 and RTX PRO 6000: four and four), and a profile may begin only
//! at certain memory slices. Source: NVIDIA MIG user guide, supported profiles and placements, read 2026-11-26.

use crate::domain::{Layout, Slice, Technique};
use crate::units::GiB;
use std::collections::{BTreeMap, BTreeSet};

/// Parts that MPS and time-slicing are planned with.
const PARTS: [u32; 3] = [2, 4, 8];

/// Memory that the context of each process takes beside its engine, GiB: an assumption, above what drivers show for an empty one.
const CONTEXT_GIB: f64 = 0.5;

/// Of its part of the card's memory a MIG slice shows this share: an H100 80 GB shows 79.64 GiB whole and 9.75 GiB as 1g.10gb.
const MIG_MEMORY: f64 = 0.975;

/// Cards before Volta have no MPS with limits.
const WITHOUT_MPS: [&str; 2] = ["p4", "p100"];

/// What is known of a card.
#[derive(Clone, Copy, Debug)]
pub struct Card<'a> {
    /// Id.
    pub id: &'a str,
    /// Memory that it shows.
    pub memory: GiB,
    /// MIG profiles as the catalogue lists them: `1g.10gb x7|2g.20gb x3`; `none` or empty where there are none.
    pub mig_profiles: &'a str,
}

/// Slices and layouts of a card.
#[must_use]
pub fn of(card: &Card<'_>) -> (Vec<Slice>, Vec<Layout>) {
    let (mut slices, mut layouts) = mig(card);
    for technique in [Technique::Mps, Technique::TimeSlicing] {
        if technique == Technique::Mps && WITHOUT_MPS.contains(&card.id) {
            continue;
        }
        for parts in PARTS {
            let share = 1.0 / f64::from(parts);
            let name = format!("{}-{parts}", technique.as_str());
            let memory = GiB((card.memory.0 * share - CONTEXT_GIB).max(0.0));
            slices.push(Slice { name: name.clone(), technique, compute: share, memory_share: share, memory });
            layouts.push(Layout { name: name.clone(), technique, slices: vec![(name, parts)] });
        }
    }
    (slices, layouts)
}

/// Whether a name is one that slices have: a MIG profile, or a part by MPS or time.
#[must_use]
pub fn is_slice_name(name: &str) -> bool {
    let parts = |technique: Technique| PARTS.iter().any(|parts| name == format!("{}-{parts}", technique.as_str()));
    profile_size(name).is_some() || parts(Technique::Mps) || parts(Technique::TimeSlicing)
}

/// A profile: its slices of compute and memory, and the memory slices at which it may begin.
#[derive(Clone, Debug)]
struct Profile {
    name: String,
    compute: u32,
    memory: u32,
    starts: Vec<u32>,
}

/// Slices of compute and of memory of a card.
#[derive(Clone, Copy)]
struct Grid {
    compute: u32,
    memory: u32,
}

fn mig(card: &Card<'_>) -> (Vec<Slice>, Vec<Layout>) {
    let names: Vec<&str> = card.mig_profiles.split('|').filter_map(|entry| entry.split_whitespace().next()).collect();
    let sized: Vec<(&str, u32, u32)> = names.into_iter().filter_map(|name| profile_size(name).map(|(g, gib)| (name, g, gib))).collect();
    let Some(whole) = sized.iter().map(|(_, g, _)| *g).max() else { return (Vec::new(), Vec::new()) };
    let grid = if whole == 7 { Grid { compute: 7, memory: 8 } } else { Grid { compute: 4, memory: 4 } };
    let least = sized.iter().filter(|(_, g, _)| *g == 1).map(|(_, _, gib)| *gib).min().unwrap_or(1);
    let profiles: Vec<Profile> = sized.iter().map(|(name, g, gib)| profile(name, (*g, *gib > least), grid)).collect();
    let share = |part: u32, of: u32| f64::from(part) / f64::from(of);
    let slices = profiles
        .iter()
        .filter(|p| p.compute < whole)
        .map(|p| {
            let memory_share = share(p.memory, grid.memory);
            let memory = GiB(card.memory.0 * memory_share * MIG_MEMORY);
            Slice { name: p.name.clone(), technique: Technique::Mig, compute: share(p.compute, grid.compute), memory_share, memory }
        })
        .collect();
    (slices, layouts(&profiles, grid))
}

/// `1g.10gb` is one compute slice with 10 GB.
fn profile_size(name: &str) -> Option<(u32, u32)> {
    let (compute, memory) = name.split_once("g.")?;
    Some((compute.parse().ok()?, memory.strip_suffix("gb")?.parse().ok()?))
}

/// Geometry of a profile: `double` is a 1g with two memory slices.
fn profile(name: &str, (compute, double): (u32, bool), grid: Grid) -> Profile {
    let (memory, starts): (u32, Vec<u32>) = match (grid.compute, compute) {
        (7, 1) if double => (2, vec![0, 2, 4, 6]),
        (7, 1) => (1, (0..7).collect()),
        (7, 2) => (2, vec![0, 2, 4]),
        (7, 3) => (4, vec![0, 4]),
        (7, 4) => (4, vec![0]),
        (4, 1) => (1, (0..4).collect()),
        (4, 2) => (2, vec![0, 2]),
        (_, all) => (grid.memory.max(all), vec![0]),
    };
    Profile { name: name.to_owned(), compute, memory, starts }
}

/// Counts of profiles by name.
type Counts = BTreeMap<String, u32>;

/// Every layout that no other one contains, but the whole card.
fn layouts(profiles: &[Profile], grid: Grid) -> Vec<Layout> {
    let mut found: BTreeSet<Counts> = BTreeSet::new();
    place(profiles, grid, (0, 0, &Counts::new()), &mut found);
    let within = |small: &Counts, large: &Counts| small.iter().all(|(name, n)| large.get(name).copied().unwrap_or(0) >= *n);
    let maximal = found.iter().filter(|counts| !found.iter().any(|other| other != *counts && within(counts, other)));
    let whole = |counts: &Counts| counts.keys().all(|name| profiles.iter().any(|p| &p.name == name && p.compute == grid.compute));
    maximal.filter(|counts| !whole(counts)).map(layout).collect()
}

/// Puts profiles onto the memory slices that are left, in every way.
fn place(profiles: &[Profile], grid: Grid, (taken, compute, counts): (u32, u32, &Counts), found: &mut BTreeSet<Counts>) {
    if !counts.is_empty() {
        found.insert(counts.clone());
    }
    for profile in profiles.iter().filter(|p| compute + p.compute <= grid.compute) {
        for start in &profile.starts {
            let mask = ((1_u32 << profile.memory) - 1) << start;
            // In order of place, so that each set of places comes once.
            if taken & mask == 0 && mask > taken {
                let mut more = counts.clone();
                *more.entry(profile.name.clone()).or_insert(0) += 1;
                place(profiles, grid, (taken | mask, compute + profile.compute, &more), found);
            }
        }
    }
}

fn layout(counts: &Counts) -> Layout {
    let slices: Vec<(String, u32)> = counts.iter().map(|(name, n)| (name.clone(), *n)).collect();
    // The GPU operator's own name where all slices are equal.
    let name = match slices.as_slice() {
        [(only, _)] => format!("all-{only}"),
        several => several.iter().map(|(name, n)| format!("{n}x{name}")).collect::<Vec<_>>().join("-"),
    };
    Layout { name, technique: Technique::Mig, slices }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(mig_profiles: &str) -> Vec<String> {
        let card = Card { id: "x", memory: GiB(80.0), mig_profiles };
        of(&card).1.into_iter().filter(|l| l.technique == Technique::Mig).map(|l| l.name).collect()
    }

    #[test]
    fn a_card_with_four_slices() {
        let names = names("1g.24gb x4|2g.48gb x2|4g.96gb");
        assert_eq!(names, ["2x1g.24gb-1x2g.48gb", "all-1g.24gb", "all-2g.48gb"]);
    }

    #[test]
    fn an_a100_has_the_layouts_of_the_guide() {
        let card = Card { id: "a100", memory: GiB(79.34), mig_profiles: "1g.10gb x7|2g.20gb x3|3g.40gb x2|4g.40gb|7g.80gb" };
        let layouts = of(&card).1;
        let has = |wanted: &[(&str, u32)]| {
            let wanted: Vec<(String, u32)> = wanted.iter().map(|(n, c)| ((*n).to_owned(), *c)).collect();
            layouts.iter().any(|l| l.slices == wanted)
        };
        assert!(has(&[("1g.10gb", 7)]));
        assert!(has(&[("1g.10gb", 1), ("2g.20gb", 3)]));
        assert!(has(&[("3g.40gb", 1), ("4g.40gb", 1)]));
        assert!(has(&[("1g.10gb", 3), ("4g.40gb", 1)]));
        assert!(has(&[("3g.40gb", 2)]));
        // Three 3g do not fit, and 4g + 3g leave nothing over.
        assert!(layouts.iter().all(|l| l.slices.iter().all(|(n, c)| n != "3g.40gb" || *c <= 2)));
    }

    #[test]
    fn the_first_memory_slices_are_taken_in_order() {
        // Three 2g begin at 0, 2 and 4; the seventh compute slice is a 1g at 6.
        assert!(names("1g.10gb x7|2g.20gb x3|7g.80gb").contains(&"1x1g.10gb-3x2g.20gb".to_owned()));
    }

    #[test]
    fn cards_without_mig_are_cut_by_mps_only() {
        assert!(names("none").is_empty());
        let (slices, layouts) = of(&Card { id: "t4", memory: GiB(14.75), mig_profiles: "none" });
        assert_eq!(layouts.len(), 6);
        let quarter = slices.iter().find(|s| s.name == "mps-4").map(|s| s.memory.0).unwrap_or(0.0);
        assert!((quarter - (14.75 / 4.0 - 0.5)).abs() < 1e-12);
        assert!(of(&Card { id: "p4", memory: GiB(7.43), mig_profiles: "none" }).1.iter().all(|l| l.technique != Technique::Mps));
    }
}
