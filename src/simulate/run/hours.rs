//! Which hours of traffic a run plays, and what each stands for.
//!
//! Machines and autoscalers run through the whole week in any case: their bill and their counts are exact. Requests of busy services are
//! played in a share of the hours: one of each group of seven, at random, and all hours in which something is known to happen: the peak,
//! and what follows a change of the weather of a pool that the service uses. An hour of the first kind stands for those of its group that
//! are left out; the others stand for themselves. Services that an autoscaler watches by their load, and sparse ones, are played
//! throughout: there a missing hour would change what comes after it.

use super::{LEAD_S, Options};
use crate::emit::parse::types::TriggerKind;
use crate::plan::replay::ServiceInputs;
use crate::simulate::cluster::Window;
use crate::simulate::fleet::{Count, Fleet, ServiceSetup};
use crate::simulate::random::Stream;
use std::collections::BTreeSet;

/// Which hours are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// All.
    Week,
    /// A share, weighted to the week.
    Stratified,
}

impl Sampling {
    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Stratified => "stratified",
        }
    }
}

/// A span of the run in which requests are played in one way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stratum {
    /// First second.
    pub from_s: f64,
    /// First second after it.
    pub to_s: f64,
    /// What is done.
    pub kind: Kind,
}

/// What is done in a span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Nothing is played.
    Off,
    /// Requests come and count for nothing.
    WarmUp,
    /// Requests come and count for so many.
    Counted(f64),
    /// No more come; those that are there end.
    RunOut,
}

/// Hours of a group of which one is played.
const GROUP: usize = 7;
/// Before an hour that is played, s: several times what a request takes.
const WARM_UP_S: f64 = 300.0;
/// After it, s: the longest that a request is waited for.
const RUN_OUT_S: f64 = 180.0;
/// After a change of the weather something may be amiss for so long, s: a start-up and what it leaves behind.
const AFTERMATH_S: i64 = 2700;
/// Requests a week below which everything is played: it costs nothing.
const SPARSE: f64 = 60_000.0;

/// Spans of each service.
#[must_use]
pub fn strata(fleet: &Fleet, (seed, windows): (u64, &[Window]), options: &Options) -> Vec<Vec<Stratum>> {
    let hours = options.hours as usize;
    let mut stream = Stream::new(seed, "hours", "fleet");
    let picks: Vec<f64> = (0..hours.div_ceil(GROUP)).map(|_| stream.uniform()).collect();
    let of = |setup: &ServiceSetup| {
        let whole = options.sampling == Sampling::Week
            || setup.demands().any(|inputs| options.traces.contains_key(&inputs.name))
            || throughout(setup);
        let weights = if whole { vec![1.0; hours] } else { weights(hours, &picks, &always(fleet, setup, (windows, options))) };
        spans(&weights, whole)
    };
    fleet.services.iter().map(of).collect()
}

/// Played in every hour.
fn throughout(setup: &ServiceSetup) -> bool {
    let by_load = setup.parts.iter().any(|part| match &part.count {
        Count::Scaled(scaler) => scaler.triggers.iter().any(|t| !matches!(t.kind, TriggerKind::Cron { .. })),
        Count::Fixed(_) => false,
    });
    let mean = |inputs: &ServiceInputs| inputs.traffic.rate_rps.iter().sum::<f64>() / inputs.traffic.rate_rps.len().max(1) as f64;
    by_load || setup.demands().map(mean).sum::<f64>() * 604_800.0 < SPARSE
}

/// Hours that are always played.
fn always(fleet: &Fleet, setup: &ServiceSetup, (windows, options): (&[Window], &Options)) -> BTreeSet<usize> {
    let hours = options.hours as usize;
    let pools: BTreeSet<&str> = setup.parts.iter().flat_map(|p| &p.pod.pools).map(|&p| fleet.pools[p].name.as_str()).collect();
    let mut changes: Vec<i64> = windows.iter().filter(|w| pools.contains(w.pool.as_str())).flat_map(|w| [w.from, w.to]).collect();
    changes.extend(options.script.slow.iter().flat_map(|slow| [slow.from, slow.to]));
    let hour = |second: i64| usize::try_from(second.div_euclid(3600)).ok().filter(|hour| *hour < hours);
    let mut always: BTreeSet<usize> =
        changes.iter().flat_map(|&at| [at - 60, at, at + AFTERMATH_S / 2, at + AFTERMATH_S]).filter_map(hour).collect();
    always.extend(setup.demands().filter_map(|inputs| peak(inputs, fleet.anchor_unix_s)).filter(|hour| *hour < hours));
    always
}

/// UTC hour of the week in which most requests come.
fn peak(inputs: &ServiceInputs, anchor_unix_s: i64) -> Option<usize> {
    // The peak, by the local clock's own week: its hour in UTC is found by whoever lays the series onto UTC; an hour either side covers
    // every offset that is not whole.
    let traffic = &inputs.traffic;
    let per_hour = (3600 / traffic.step_s.max(1) as usize).max(1);
    let rates: Vec<f64> = traffic.rate_rps.chunks(per_hour).map(|c| c.iter().sum()).collect();
    let peak = (0..rates.len()).max_by(|&a, &b| rates[a].total_cmp(&rates[b]))?;
    let zone = crate::simulate::autoscaler::cron::Zone::named(&inputs.time_zone).ok()?;
    let offset = zone.offset_s(anchor_unix_s).div_euclid(3600);
    Some((peak as i64 - offset).rem_euclid(rates.len().max(1) as i64) as usize)
}

/// Weight of each hour: of each group one hour stands for those that are not always played.
fn weights(hours: usize, picks: &[f64], always: &BTreeSet<usize>) -> Vec<f64> {
    let mut weights = vec![0.0; hours];
    for (group, pick) in picks.iter().enumerate() {
        let mine = group * GROUP..((group + 1) * GROUP).min(hours);
        let open: Vec<usize> = mine.clone().filter(|hour| !always.contains(hour)).collect();
        mine.filter(|hour| always.contains(hour)).for_each(|hour| weights[hour] = 1.0);
        let chosen = ((pick * open.len() as f64) as usize).min(open.len().saturating_sub(1));
        if let Some(&hour) = open.get(chosen) {
            weights[hour] = open.len() as f64;
        }
    }
    weights
}

/// Spans from weights of hours, with warm-up before and run-out after what is played.
fn spans(weights: &[f64], whole: bool) -> Vec<Stratum> {
    let start = -(LEAD_S as f64);
    let mut spans: Vec<Stratum> = Vec::new();
    let mut clock = start;
    let push = |spans: &mut Vec<Stratum>, clock: &mut f64, to_s: f64, kind: Kind| {
        if to_s > *clock {
            spans.push(Stratum { from_s: *clock, to_s, kind });
            *clock = to_s;
        }
    };
    if whole {
        push(&mut spans, &mut clock, 0.0, Kind::WarmUp);
    }
    for (hour, &weight) in weights.iter().enumerate() {
        let (from_s, to_s) = (hour as f64 * 3600.0, (hour + 1) as f64 * 3600.0);
        if weight <= 0.0 {
            continue;
        }
        if clock < from_s {
            let run_out = (from_s - WARM_UP_S).min(clock + RUN_OUT_S);
            if !spans.is_empty() {
                push(&mut spans, &mut clock, run_out, Kind::RunOut);
            }
            push(&mut spans, &mut clock, from_s - WARM_UP_S, Kind::Off);
            push(&mut spans, &mut clock, from_s, Kind::WarmUp);
        }
        push(&mut spans, &mut clock, to_s, Kind::Counted(weight));
    }
    let end_s = weights.len() as f64 * 3600.0;
    if clock < end_s {
        let run_out = end_s.min(clock + RUN_OUT_S);
        push(&mut spans, &mut clock, run_out, Kind::RunOut);
        push(&mut spans, &mut clock, end_s, Kind::Off);
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_the_week() {
        let always = BTreeSet::from([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 60, 167]);
        let picks: Vec<f64> = (0..24).map(|i| f64::from(i) / 24.0).collect();
        let weights = weights(168, &picks, &always);
        assert!((weights.iter().sum::<f64>() - 168.0).abs() < 1e-12);
        assert!(always.iter().all(|&hour| (weights[hour] - 1.0).abs() < 1e-12));
    }

    #[test]
    fn spans_cover_the_run_in_order() {
        let mut weights = vec![0.0; 168];
        for (hour, weight) in [(0, 2.0), (1, 3.0), (5, 7.0), (167, 1.0)] {
            weights[hour] = weight;
        }
        let spans = spans(&weights, false);
        assert!((spans[0].from_s + 86_400.0).abs() < 1e-9 && (spans.last().map_or(0.0, |s| s.to_s) - 604_800.0).abs() < 1e-9);
        assert!(spans.windows(2).all(|pair| (pair[0].to_s - pair[1].from_s).abs() < 1e-9));
        let counted: f64 = spans.iter().map(|s| if let Kind::Counted(w) = s.kind { w * (s.to_s - s.from_s) / 3600.0 } else { 0.0 }).sum();
        assert!((counted - 13.0).abs() < 1e-9);
    }
}
