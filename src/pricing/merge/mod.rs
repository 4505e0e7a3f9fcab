//! From one snapshot to the next: what a refresh brought takes the place of what it replaces, and of nothing else.
//!
//! In: the newest snapshot, what sources gathered, and the regions that were asked for. Out: the next snapshot, and findings. What was
//! not asked for, or did not come, keeps its old price with its old day. It must not judge prices ([`super::sanity`] does), nor
//! forget one without saying so.

pub mod candidates;
pub mod gpu_names;
pub mod machines;

use self::candidates::{Candidate, Candidates};
use self::machines::{Machine, Machines};
use super::codes;
use super::gathered::{Gathered, Owned, PlacementScore};
use super::key::OfferingKey;
use super::sanity::{self, Step};
use super::snapshot::{HeldBack, PriceRow, Refreshed, Snapshot};
use super::statistics;
use super::summed::{Kind, Summed};
use crate::catalog::{AcceleratorRow, CatalogRow, RowCapacity};
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::Cloud;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A region that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Cloud.
    pub cloud: Cloud,
    /// Region.
    pub region: String,
    /// `public` or `api`.
    pub source: String,
}

/// What a refresh brings.
#[derive(Clone, Copy, Debug)]
pub struct Refresh<'a> {
    /// What the sources gathered. Its findings are the caller's to show.
    pub gathered: &'a Gathered,
    /// What was asked for; whatever else was gathered is left aside.
    pub scope: &'a [Scope],
    /// GPU types of the catalogue.
    pub accelerators: &'a [AcceleratorRow],
    /// The moment.
    pub now: Timestamp,
}

impl Refresh<'_> {
    /// Whether a region was asked for.
    #[must_use]
    pub fn covers(&self, cloud: Cloud, region: &str) -> bool {
        self.scope.iter().any(|scope| scope.cloud == cloud && scope.region == region)
    }
}

/// Prices of a region that come from one list, all or none: bought alike, by the same product.
type PriceKind = (Cloud, String, RowCapacity, String);

const UNKNOWN: Kind = (codes::UNKNOWN_MACHINE, Severity::Note);
const ABOVE: Kind = (codes::ABOVE_ON_DEMAND, Severity::Warning);
const JUMP: Kind = (codes::JUMP, Severity::Warning);
const JUMP_TAKEN: Kind = (codes::JUMP, Severity::Note);
const GONE: Kind = (codes::NO_LONGER_LISTED, Severity::Note);

/// The next snapshot, and what there is to say about it.
///
/// Within the scope a kind of price (capacity type and product, in a region) of which at least one usable price came replaces all
/// rows of that kind; kinds of which none came keep theirs. Outside the scope nothing changes. Findings are summed up.
#[must_use]
pub fn merge(previous: &Snapshot, refresh: &Refresh<'_>) -> (Snapshot, Vec<Diagnostic>) {
    let mut summed = Summed::default();
    let machines = Machines::of(refresh.gathered, previous, refresh.accelerators);
    let Candidates { mut prices, contradicted, unusable } = Candidates::of(refresh, &mut summed);
    let mut with_machine: BTreeMap<OfferingKey, Machine> = BTreeMap::new();
    prices.retain(|key, _| match machines.machine(key.cloud, &key.instance_type) {
        Some(machine) => with_machine.insert(key.clone(), machine).is_none(),
        None => {
            summed.add(
                UNKNOWN,
                "machines that the catalogue does not know, left out",
                format!("`{}/{}`", key.cloud.as_str(), key.instance_type),
            );
            false
        }
    });
    let kinds: BTreeSet<PriceKind> = prices.keys().map(kind).collect();
    let before: BTreeMap<OfferingKey, &PriceRow> = previous.rows.iter().map(|row| (row.key(), row)).collect();
    let held_before: BTreeMap<&OfferingKey, &HeldBack> = previous.held_back.iter().map(|held| (&held.key, held)).collect();
    // Listed, and not to be believed: no reason to take it for gone.
    let keeps = |key: &OfferingKey| !kinds.contains(&kind(key)) || unusable.contains(key);
    let rows = before.iter().filter(|(key, _)| keeps(key)).map(|(key, row)| (key.clone(), (*row).clone())).collect();

    let mut next = Next { machines, before, now: refresh.now, rows, held_back: Vec::new(), refused: BTreeSet::new(), summed };
    // On-demand first: the others are held against what it comes to, held-back prices included.
    let (on_demand, others): (Vec<_>, Vec<_>) = prices.values().partition(|c| c.key.capacity_type == RowCapacity::OnDemand);
    for candidate in on_demand.into_iter().chain(others) {
        if let Some(machine) = with_machine.remove(&candidate.key) {
            next.place(candidate, machine, held_before.get(&candidate.key).copied());
        }
    }
    next.tell_kept_above(&prices);
    next.tell_gone(&kinds);
    let still_held = previous.held_back.iter().filter(|held| !prices.contains_key(&held.key) && next.rows.contains_key(&held.key));
    next.held_back.extend(still_held.cloned());

    let came: BTreeSet<(Cloud, String)> = prices.keys().chain(&contradicted).map(|key| (key.cloud, key.region.clone())).collect();
    let Next { rows, held_back, summed, .. } = next;
    let mut findings = summed.told();
    findings.extend(nothing_came(refresh.scope, &came));
    let snapshot = Snapshot {
        taken_at: refresh.now,
        refreshed: refreshed(&previous.refreshed, refresh, &came),
        rows: rows.into_values().collect(),
        held_back,
        placement: placement(previous, refresh),
        owned: owned(previous, refresh),
    };
    (snapshot.sorted(), findings)
}

fn kind(key: &OfferingKey) -> PriceKind {
    (key.cloud, key.region.clone(), key.capacity_type, key.product.clone())
}

/// A snapshot in the making.
struct Next<'a> {
    machines: Machines<'a>,
    before: BTreeMap<OfferingKey, &'a PriceRow>,
    now: Timestamp,
    rows: BTreeMap<OfferingKey, PriceRow>,
    held_back: Vec<HeldBack>,
    refused: BTreeSet<OfferingKey>,
    summed: Summed,
}

impl Next<'_> {
    /// Takes a price, or holds it back, or drops it.
    fn place(&mut self, candidate: &Candidate, machine: Machine, held: Option<&HeldBack>) {
        let Candidate { key, usd_per_hour, .. } = candidate;
        let on_demand = self.rows.get(&key.on_demand()).map(|row| row.row.usd_per_hour).filter(|_| *key != key.on_demand());
        if let Some(on_demand) = on_demand.filter(|on_demand| sanity::is_above(*usd_per_hour, *on_demand)) {
            self.summed.add(ABOVE, "prices above on-demand, left out", format!("`{key}` ({usd_per_hour}, on-demand {on_demand})"));
            self.refused.insert(key.clone());
            return;
        }
        let previous = self.before.get(key).copied();
        match sanity::step(*usd_per_hour, previous.map(|row| row.row.usd_per_hour), held) {
            Step::Fine => {}
            Step::SeenAgain => {
                self.summed.add(JUMP_TAKEN, "prices that had jumped and came again, taken", format!("`{key}` ({usd_per_hour})"));
            }
            Step::Held => {
                if let Some(row) = previous {
                    return self.hold(candidate, row);
                }
            }
        }
        let row = self.row(candidate, machine, on_demand);
        self.rows.insert(key.clone(), row);
    }

    /// Keeps the price from before. What was held back until now was another price: the same one would have been taken.
    fn hold(&mut self, candidate: &Candidate, kept: &PriceRow) {
        let Candidate { key, usd_per_hour, source, as_of, .. } = candidate;
        let kept_usd_per_hour = kept.row.usd_per_hour;
        self.summed.add(
            JUMP,
            "prices far from the ones before, held back until a refresh brings them again",
            format!("`{key}` ({kept_usd_per_hour} -> {usd_per_hour})"),
        );
        self.held_back.push(HeldBack {
            key: key.clone(),
            usd_per_hour: *usd_per_hour,
            kept_usd_per_hour,
            source: source.clone(),
            as_of: as_of.clone(),
            first_seen: self.now,
        });
        self.rows.insert(key.clone(), kept.clone());
    }

    fn row(&self, candidate: &Candidate, machine: Machine, on_demand: Option<f64>) -> PriceRow {
        let Candidate { key, usd_per_hour, source, as_of, derivation, zone_prices, history, window } = candidate;
        let previous = self.before.get(key).map(|row| &row.row);
        let Machine { accelerator, gpus, gpu_memory_gib, vcpus, ram_gib, nvlink } = machine;
        let (interruption_band, is_fresh) = self.machines.band(key, previous);
        let (purchasable, note) = self.machines.sold(key, previous, !is_fresh && !interruption_band.is_empty());
        let zones: Vec<&[statistics::PricePoint]> = history.values().map(Vec::as_slice).collect();
        PriceRow {
            row: CatalogRow {
                cloud: key.cloud,
                region: key.region.clone(),
                instance_type: key.instance_type.clone(),
                accelerator,
                gpus,
                gpu_memory_gib,
                vcpus,
                ram_gib,
                nvlink,
                zones: self.machines.zones(key, previous),
                capacity_type: key.capacity_type,
                term: key.term.clone(),
                usd_per_hour: *usd_per_hour,
                interruption_band,
                purchasable,
                source: source.clone(),
                as_of: as_of.clone(),
                note,
            },
            product: key.product.clone(),
            payment: key.payment.clone(),
            currency: "USD".to_owned(),
            derivation: derivation.clone(),
            zone_prices: zone_prices.clone(),
            statistics: window.and_then(|window| statistics::pooled(&zones, window, on_demand)),
            read_at: Some(self.now),
        }
    }

    /// Rows that kept their old price, which a new on-demand price now undercuts: kept, since nothing newer is known, and told.
    fn tell_kept_above(&mut self, prices: &BTreeMap<OfferingKey, Candidate>) {
        for (key, row) in &self.rows {
            let on_demand_key = key.on_demand();
            let is_kept = *key != on_demand_key && !prices.contains_key(key) && prices.contains_key(&on_demand_key);
            let Some(on_demand) = self.rows.get(&on_demand_key).filter(|_| is_kept).map(|row| row.row.usd_per_hour) else { continue };
            if sanity::is_above(row.row.usd_per_hour, on_demand) {
                let name = format!("`{key}` ({} of {}, on-demand {on_demand})", row.row.usd_per_hour, row.row.as_of);
                self.summed.add(ABOVE, "old prices above the new on-demand price, kept", name);
            }
        }
    }

    fn tell_gone(&mut self, kinds: &BTreeSet<PriceKind>) {
        let is_gone = |key: &OfferingKey| kinds.contains(&kind(key)) && !self.rows.contains_key(key) && !self.refused.contains(key);
        for key in self.before.keys().filter(|key| is_gone(key)) {
            self.summed.add(GONE, "prices that are not listed any more, dropped", format!("`{key}`"));
        }
    }
}

/// Regions that were asked for and of which no price came.
fn nothing_came(scope: &[Scope], came: &BTreeSet<(Cloud, String)>) -> Option<Diagnostic> {
    let mut summed = Summed::default();
    for Scope { cloud, region, source } in scope.iter().filter(|s| !came.contains(&(s.cloud, s.region.clone()))) {
        let says = "no usable price came, the ones from before are kept";
        summed.add((codes::NOTHING_FOUND, Severity::Warning), says, format!("`{}/{region}` ({source})", cloud.as_str()));
    }
    summed.told().pop()
}

fn refreshed(before: &[Refreshed], refresh: &Refresh<'_>, came: &BTreeSet<(Cloud, String)>) -> Vec<Refreshed> {
    let mut now: Vec<Refreshed> = Vec::new();
    for Scope { cloud, region, source } in refresh.scope.iter().filter(|s| came.contains(&(s.cloud, s.region.clone()))) {
        let entry = Refreshed { cloud: *cloud, region: region.clone(), source: source.clone(), taken_at: refresh.now };
        if !now.contains(&entry) {
            now.push(entry);
        }
    }
    let same = |a: &Refreshed, b: &Refreshed| a.cloud == b.cloud && a.region == b.region && a.source == b.source;
    let kept: Vec<Refreshed> = before.iter().filter(|old| !now.iter().any(|new| same(old, new))).cloned().collect();
    [kept, now].concat()
}

/// Scores of a region of which some came replace those from before. They are AWS's.
fn placement(previous: &Snapshot, refresh: &Refresh<'_>) -> Vec<PlacementScore> {
    let new: Vec<_> = refresh.gathered.placement.iter().filter(|score| refresh.covers(Cloud::Aws, &score.region)).cloned().collect();
    let kept = previous.placement.iter().filter(|old| !new.iter().any(|new| new.region == old.region));
    let mut scores: Vec<_> = kept.chain(&new).cloned().collect();
    scores.sort_by(|a, b| (&a.region, &a.zone, &a.instance_type, a.score).cmp(&(&b.region, &b.zone, &b.instance_type, b.score)));
    // A score that is given twice counts by its lower value.
    scores.dedup_by(|b, a| (&a.region, &a.zone, &a.instance_type) == (&b.region, &b.zone, &b.instance_type));
    scores
}

/// Commitments of a cloud of which some came replace those from before, in the regions asked for and those that hold everywhere. An
/// empty list may mean that there are none, or that nobody asked: then those that have not ended stay.
fn owned(previous: &Snapshot, refresh: &Refresh<'_>) -> Vec<Owned> {
    let asked = |owned: &Owned| match owned.region.as_str() {
        "" => refresh.scope.iter().any(|scope| scope.cloud == owned.cloud),
        region => refresh.covers(owned.cloud, region),
    };
    let new: Vec<_> = refresh.gathered.owned.iter().filter(|owned| asked(owned)).cloned().collect();
    let has_ended = |old: &Owned| old.ends.is_some_and(|ends| ends <= refresh.now);
    let is_replaced = |old: &Owned| asked(old) && (has_ended(old) || new.iter().any(|new| new.cloud == old.cloud));
    let mut all: Vec<Owned> = previous.owned.iter().filter(|old| !is_replaced(old)).cloned().collect();
    for owned in new {
        let owned = Owned { usd_per_hour: owned.usd_per_hour.filter(|usd| usd.is_finite()), ..owned };
        if !all.contains(&owned) {
            all.push(owned);
        }
    }
    all
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests;
