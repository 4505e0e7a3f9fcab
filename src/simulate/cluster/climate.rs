//! Weather made up from availability and hazard: an alternating renewal process a zone, tied together by shocks of the region.
//!
//! A zone of a spot pool is up for `1/h` hours on average and then away for `(1-u)/(u h)`, both exponential, started in its
//! stationary state. So a node in a zone that is up meets collapses at rate `h`, and the zone supplies for a share `u` of the time:
//! the plan's own meaning of `u` and `h` (docs/mathematics.md, Spot price and Error budget: each zone goes at rate `h`).
//!
//! **Correlation.** Collapses come from two Poisson streams (Marshall and Olkin's common shock): the zone's own at rate
//! `(1-beta) h`, and the market's at rate `beta h`, which takes every zone of the market that is up, for one common exponential time.
//! A share `beta` of a zone's collapses is then common, and the marginal law of each zone is what it would be alone.
//!
//! A hazard that is scaled leaves availability as it is: pools come and go faster, both ways.

use super::weather::{Change, Place, UNLIMITED, Weather, WeatherFault};
use crate::simulate::random::Stream;
use std::collections::BTreeMap;

/// Share of a zone's collapses that hit all zones of its market, where nothing better is known.
///
/// The low end of 0.35 to 0.59, the correlation of availability between zones of one region on public V100 traces of 2023.
pub const REGIONAL_SHARE: f64 = 0.35;

/// Reclaims of single nodes for each collapse of their zone, where nothing better is known: more than nine in ten interruptions of a
/// type and zone come together in the published studies, so that at most one in twenty is put on top.
pub const INDEPENDENT_SHARE: f64 = 0.05;

/// Relaxation times before the first second, so that zones are also jointly in their stationary state.
const BURN_IN: f64 = 20.0;

/// Risk of a spot pool in one zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Risk {
    /// Share of time in which it supplies, above 0 and at most 1.
    pub availability: f64,
    /// Collapses an hour while it supplies.
    pub reclaims_per_hour: f64,
}

/// What all places have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Climate {
    /// Seed.
    pub seed: u64,
    /// First second.
    pub from: i64,
    /// First second after the last.
    pub to: i64,
    /// Factor on every hazard.
    pub hazard_scale: f64,
    /// Share of collapses that are common to a market's zones.
    pub regional_share: f64,
}

/// A collapse of all zones of a market: seconds, and how long it lasts.
struct Shock {
    at: f64,
    lasts: f64,
}

/// Seconds: rates of one zone.
struct Rates {
    mean_up: f64,
    mean_down: f64,
    start: f64,
}

impl Weather {
    /// Draws the weather of every place with a risk.
    ///
    /// # Errors
    /// A risk that is none: an availability outside (0, 1], a hazard below 0, or no hazard and yet not always available.
    pub fn generate(places: &[Place], climate: &Climate) -> Result<Self, WeatherFault> {
        if climate.from > climate.to {
            return Err(WeatherFault::Span { from: climate.from, to: climate.to });
        }
        if !(climate.hazard_scale.is_finite() && climate.hazard_scale > 0.0) {
            return Err(WeatherFault::Number { what: "the factor on hazards", value: climate.hazard_scale });
        }
        if !(0.0..=1.0).contains(&climate.regional_share) {
            return Err(WeatherFault::Number { what: "the common share of collapses", value: climate.regional_share });
        }
        let mut weather = Self::calm(climate.from, climate.to);
        let mut shocks: BTreeMap<&str, Vec<Shock>> = BTreeMap::new();
        for place in places {
            let Some(risk) = place.risk else { continue };
            let Some(rates) = rates(place, risk, climate)? else { continue };
            let common = shocks.entry(&place.market).or_insert_with(|| common_shocks(&place.market, &rates, climate));
            for zone in &place.zones {
                let stream = Stream::new(climate.seed, "spot-zone", &format!("{}/{zone}", place.market));
                let changes = zone_changes(stream, (&rates, risk.availability), (common, climate));
                weather.zones.insert((place.pool.clone(), zone.clone()), changes);
            }
        }
        Ok(weather)
    }
}

/// `None`: the pool is never away.
fn rates(place: &Place, risk: Risk, climate: &Climate) -> Result<Option<Rates>, WeatherFault> {
    let Risk { availability: u, reclaims_per_hour: h } = risk;
    let fault = || WeatherFault::Risk { pool: place.pool.clone(), availability: u, reclaims_per_hour: h };
    if !(u > 0.0 && u <= 1.0 && h.is_finite() && h >= 0.0) || (h == 0.0 && u < 1.0) {
        return Err(fault());
    }
    if h == 0.0 {
        return Ok(None);
    }
    let mean_up = 3600.0 / (h * climate.hazard_scale);
    let mean_down = mean_up * (1.0 - u) / u;
    // The two-state chain forgets its start at rate 1/up + 1/down, that is in (1-u) x mean_up.
    let start = climate.from as f64 - BURN_IN * (1.0 - u) * mean_up;
    Ok(Some(Rates { mean_up, mean_down, start }))
}

fn common_shocks(market: &str, rates: &Rates, climate: &Climate) -> Vec<Shock> {
    let mut stream = Stream::new(climate.seed, "spot-market", market);
    let mut shocks = Vec::new();
    if climate.regional_share <= 0.0 {
        return shocks;
    }
    let gap = rates.mean_up / climate.regional_share;
    let mut at = rates.start + gap * stream.exponential();
    while at < climate.to as f64 {
        shocks.push(Shock { at, lasts: rates.mean_down * stream.exponential() });
        at += gap * stream.exponential();
    }
    shocks
}

fn zone_changes(mut stream: Stream, (rates, u): (&Rates, f64), (shocks, climate): (&[Shock], &Climate)) -> Vec<Change> {
    let (from, to) = (climate.from as f64, climate.to as f64);
    let own = 1.0 - climate.regional_share;
    let mut changes = vec![Change { at: climate.from, capacity: UNLIMITED, keep: None }];
    let mut at = rates.start;
    if stream.uniform() >= u {
        at += rates.mean_down * stream.exponential();
        away(&mut changes, (rates.start, at), climate);
    }
    while at < to {
        let alone = if own > 0.0 { at + rates.mean_up / own * stream.exponential() } else { f64::INFINITY };
        let shock = shocks.get(shocks.partition_point(|shock| shock.at <= at));
        let (collapse, lasts) = match shock {
            Some(shock) if shock.at <= alone => (shock.at, shock.lasts),
            Some(_) | None => (alone, rates.mean_down * stream.exponential()),
        };
        if collapse >= to {
            break;
        }
        at = collapse + lasts;
        if at >= from {
            away(&mut changes, (collapse, at), climate);
        }
    }
    changes
}

/// The zone is away for a span, of which only what lies inside the horizon counts.
fn away(changes: &mut Vec<Change>, (from, to): (f64, f64), climate: &Climate) {
    let (first, last) = (climate.from, climate.to);
    if to < first as f64 {
        return;
    }
    let at = from.floor() as i64;
    let back = to.floor() as i64;
    if at < first {
        changes.clear();
        changes.push(Change { at: first, capacity: 0, keep: None });
    } else {
        changes.push(Change { at, capacity: 0, keep: Some(0) });
    }
    if back < last {
        changes.push(Change { at: back.max(first), capacity: UNLIMITED, keep: None });
    }
}
