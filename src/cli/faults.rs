//! What a fault run breaks: each of these happens to real fleets.

use crate::plan::Plan;
use crate::simulate::cluster::{Outage, Script, Slow, Which};
use crate::simulate::run::{LEAD_S, Options};
use clap::ValueEnum;

/// Six hours, half an hour: seconds.
const LONG_S: i64 = 6 * 3600;
const SHORT_S: i64 = 30 * 60;

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fault {
    /// The largest spot pool is lost at the weekly peak and is away for six hours
    SpotPoolLost,
    /// No spot for six hours around the weekly peak; what runs on it is lost
    NoSpot,
    /// No on-demand capacity can be had for six hours around the weekly peak; what runs stays
    NoOnDemand,
    /// Nodes take twice as long to come, all week
    SlowNodes,
    /// Prometheus does not answer for half an hour at the weekly peak
    PrometheusDown,
}

impl Fault {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::SpotPoolLost => "largest spot pool lost at the weekly peak, away for six hours",
            Self::NoSpot => "no spot for six hours around the weekly peak",
            Self::NoOnDemand => "no on-demand capacity for six hours around the weekly peak",
            Self::SlowNodes => "nodes take twice as long to come",
            Self::PrometheusDown => "Prometheus down for 30 minutes at the weekly peak",
        }
    }

    /// Puts the fault into the options of a run.
    ///
    /// # Errors
    /// The plan has no spot that could be lost.
    pub fn apply(self, plan: &Plan, options: &mut Options) -> Result<(), String> {
        if matches!(self, Self::SpotPoolLost | Self::NoSpot) && largest_spot(plan).is_none() {
            return Err("the plan has no spot pool that could be lost".to_owned());
        }
        let peak = peak_s(plan);
        let around = (peak - LONG_S / 2).max(0);
        let outage = |which: Which, from: i64, loses_nodes: bool| Outage { which, from, to: from + LONG_S, loses_nodes };
        let script = &mut options.script;
        match self {
            Self::SpotPoolLost => script.outages.extend(largest_spot(plan).map(|pool| outage(Which::Pools(vec![pool]), peak, true))),
            Self::NoSpot => script.outages.push(outage(Which::AllSpot, around, true)),
            Self::NoOnDemand => script.outages.push(outage(Which::AllOnDemand, around, false)),
            Self::SlowNodes => {
                *script =
                    Script { slow: vec![Slow { from: -LEAD_S, to: i64::from(options.hours) * 3600, factor: 2.0 }], ..Script::default() };
            }
            Self::PrometheusDown => options.metrics_down = Some((peak, peak + SHORT_S)),
        }
        Ok(())
    }
}

/// Start of the hour in which the fleet has the most requests a second, s. Services count by their share of their own peak.
fn peak_s(plan: &Plan) -> i64 {
    let services: Vec<&Vec<f64>> = plan.workloads.iter().filter_map(|w| w.service.as_ref()).map(|s| &s.mean_load_rps).collect();
    let load = |hour: usize| -> f64 {
        let share = |rates: &&Vec<f64>| {
            let most = rates.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
            rates.get(hour).copied().unwrap_or(0.0) / most
        };
        services.iter().map(share).sum()
    };
    let busiest = (0..crate::units::HOURS_PER_WEEK).max_by(|&a, &b| load(a).total_cmp(&load(b)).then(b.cmp(&a)));
    busiest.unwrap_or(0) as i64 * 3600
}

/// The spot pool with the most nodes at any hour.
fn largest_spot(plan: &Plan) -> Option<String> {
    let spot = plan.pools.iter().filter(|p| p.capacity_type == "spot");
    spot.max_by(|a, b| a.max_nodes.cmp(&b.max_nodes).then(b.name.cmp(&a.name))).map(|p| p.name.clone())
}
