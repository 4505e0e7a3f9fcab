//! The requests of a service: its series in its own zone's clock, laid onto UTC, or a trace.

use super::{LEAD_S, Options};
use crate::domain::TokenShape;
use crate::plan::replay::ServiceInputs;
use crate::simulate::autoscaler::cron::Zone;
use crate::simulate::traffic::lengths::OUTPUT_CV;
use crate::simulate::traffic::{Generated, Lengths, Recorded, Series, Source, Step, Streams};
use std::sync::Arc;

/// The source of a service's requests; `rates` is what [`series`] gave.
#[must_use]
pub fn source(inputs: &ServiceInputs, rates: &Arc<Series>, (seed, options): (u64, &Options)) -> Source {
    if let Some(recording) = options.traces.get(&inputs.name) {
        return Source::Recorded(Recorded::new(Arc::clone(recording)));
    }
    let lengths = match inputs.tokens {
        None => Lengths::None,
        Some(_) if !inputs.traffic.lengths.is_empty() => Lengths::Pairs(Arc::from(inputs.traffic.lengths.as_slice())),
        Some(t) => {
            let shape = TokenShape { input_mean: t.input_mean, input_p95: t.input_p95, output_mean: t.output_mean };
            Lengths::fitted(&shape, OUTPUT_CV)
        }
    };
    Source::Generated(Generated::new(Arc::clone(rates), options.gaps, lengths, Streams::new(seed, &inputs.name)))
}

/// Rates by UTC steps from the lead on: at every step what the local clock of the zone says then, clock changes included.
///
/// # Errors
/// A zone that is none.
pub fn series(inputs: &ServiceInputs, anchor_unix_s: i64, options: &Options) -> Result<Series, String> {
    let traffic = &inputs.traffic;
    let zone = Zone::named(&inputs.time_zone).map_err(|fault| fault.to_string())?;
    let step_s = i64::from(traffic.step_s).clamp(1, 3600);
    let count = traffic.rate_rps.len() as i64;
    let until = i64::from(options.hours) * 3600;
    let mut steps = Vec::with_capacity(((until + LEAD_S) / step_s) as usize);
    let mut at = -LEAD_S;
    while at < until {
        // The middle of the step: offsets of half an hour do not fall on its edge.
        let middle = at + step_s / 2;
        let local = middle + zone.offset_s(anchor_unix_s + middle);
        let index = if count > 0 { (local.div_euclid(step_s)).rem_euclid(count) as usize } else { 0 };
        let rate = traffic.rate_rps.get(index).copied().unwrap_or(0.0);
        let cv2 = traffic.cv2.get(index).or(traffic.cv2.last()).copied().unwrap_or(1.0);
        steps.push(Step { rate_rps: rate * options.demand_factor, cv2: (cv2 * options.burst_factor).max(1e-3) });
        at += step_s;
    }
    Ok(Series { start_s: -LEAD_S as f64, step_s: step_s as f64, steps, cyclic: false })
}
