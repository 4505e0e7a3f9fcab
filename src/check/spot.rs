//! Spot: risk by the order of evidence, and the expected price of a node-hour.
//!
//! `e = u p_spot + (1 - u) p_fb + h x switch x (p_spot + p_fb)`, `p_fb` the on-demand price of the GPUs of one spot node on
//! the fallback machine, `switch = (provisioning + longest cold start of the scenario's workloads)/3600` hours, p95.

use super::finding::{Family, Finding};
use super::price;
use super::tolerance::{same, same_price};
use super::view::{PoolView, View};
use crate::domain::{Cloud, SpotEvidence, SpotRisk};
use crate::ids::{InstanceTypeId, RegionId};

/// Terms of a spot pool, recomputed; dollars an hour.
pub(super) struct Expected {
    pub fallback: f64,
    pub switch_hours: f64,
    pub planned: f64,
}

/// Availability and hazard of a pool: own log or trace; else the prior, made worse by an advisor band that is worse.
pub(super) fn risk(view: &View<'_>, pool: &PoolView<'_>) -> SpotRisk {
    risk_of(view, &pool.machine.id, &pool.region)
}

/// The same by machine and region.
pub(super) fn risk_of(view: &View<'_>, machine: &InstanceTypeId, region: &RegionId) -> SpotRisk {
    let known = &view.scenario.risk;
    if let Some(own) = known.overrides.iter().find(|o| &o.instance_type == machine && &o.region == region) {
        return SpotRisk { availability: own.availability, reclaims_per_hour: own.reclaims_per_hour, evidence: own.evidence };
    }
    let prior = SpotRisk {
        availability: known.prior_availability,
        reclaims_per_hour: known.prior_reclaims_per_hour,
        evidence: SpotEvidence::Prior,
    };
    let listed = view.offering(machine, region, true).and_then(|o| o.risk);
    match listed.filter(|r| r.evidence == SpotEvidence::AdvisorBand && r.reclaims_per_hour > prior.reclaims_per_hour) {
        Some(band) => SpotRisk { reclaims_per_hour: band.reclaims_per_hour, evidence: SpotEvidence::AdvisorBand, ..prior },
        None => prior,
    }
}

/// Seconds of warning before a node of the pool is taken back.
pub(super) fn notice_s(pool: &PoolView<'_>) -> f64 {
    match pool.machine.cloud {
        Cloud::Aws => 120.0,
        Cloud::Gcp | Cloud::Azure => 30.0,
    }
}

/// The expected price of a spot pool; none without an offering or without a fallback that is sold.
pub(super) fn expected(view: &View<'_>, pool: &PoolView<'_>) -> Option<Expected> {
    let posted = price::posted(view, pool.offering?);
    let fallback = view.pool(pool.pool.spot.as_ref()?.fallback_pool.as_deref()?)?;
    let fallback = price::posted(view, fallback.offering?) * f64::from(pool.machine.gpus) / f64::from(fallback.machine.gpus);
    let switch_hours = view.slowest_chain_s() / 3600.0;
    let planned = blend(&risk(view, pool), (posted, fallback), switch_hours);
    Some(Expected { fallback, switch_hours, planned })
}

/// `u p_spot + (1 - u) p_fb + h x switch x (p_spot + p_fb)`, to the nano-dollar.
pub(super) fn blend(risk: &SpotRisk, prices: (f64, f64), switch_hours: f64) -> f64 {
    let (spot, fallback) = prices;
    let (u, h) = (risk.availability, risk.reclaims_per_hour);
    let usd = u * spot + (1.0 - u) * fallback + h * switch_hours * (spot + fallback);
    (usd * 1e9).round_ties_even() / 1e9
}

/// Checks the terms of every spot pool.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    view.pools.iter().flat_map(|pool| of_pool(view, pool)).collect()
}

fn of_pool(view: &View<'_>, pool: &PoolView<'_>) -> Vec<Finding> {
    let finding = |message: &str| Finding::new(Family::Spot, &pool.pool.name, message);
    let (stated, terms) = match (&pool.pool.spot, pool.spot) {
        (None, false) => return Vec::new(),
        (Some(terms), true) => (pool.pool, terms),
        (terms, spot) => return vec![finding("spot terms are there if the pool is spot").differs(spot, terms.is_some())],
    };
    let mut findings = Vec::new();
    let risk = risk(view, pool);
    if terms.evidence != risk.evidence.as_str() {
        findings.push(finding("another evidence of the risk").differs(risk.evidence.as_str(), terms.evidence.as_str()));
    }
    let mut rows = vec![
        ("another availability", risk.availability, terms.availability),
        ("other reclaims an hour", risk.reclaims_per_hour, terms.reclaims_per_hour),
        ("another number of zones", f64::from(pool.zones), f64::from(terms.zones_spread)),
        ("another notice, s", notice_s(pool), terms.notice_s),
    ];
    let expected = expected(view, pool);
    if let Some(expected) = &expected {
        rows.push(("other hours wasted by a reclaim", expected.switch_hours, terms.switch_hours));
        for (message, wanted, found) in [
            ("another price of the fallback, dollars an hour", expected.fallback, terms.fallback_usd_per_hour.as_f64()),
            ("another expected price, dollars an hour", expected.planned, stated.planned_usd_per_hour.as_f64()),
        ] {
            if !same_price(wanted, found) {
                findings.push(finding(message).differs(wanted, found));
            }
        }
    } else {
        findings.push(finding("no expected price: no offering, or no fallback pool that is sold"));
    }
    let wrong = rows.into_iter().filter(|(_, wanted, found)| !same(*wanted, *found));
    findings.extend(wrong.map(|(message, wanted, found)| finding(message).differs(wanted, found)));
    findings
}
