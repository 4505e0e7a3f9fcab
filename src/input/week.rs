//! From series, traces and shapes to a week of demand: mean and peak by local hour, burstiness, growth within the lag.
//!
//! Pure arithmetic. Local hour 0 is Monday 00:00 in the workload's zone.

use super::series_file::{Bucket, Request, Series, Trace};
use crate::domain::{TokenShape, Traffic};
use crate::units::HOURS_PER_WEEK;

/// Seconds in which new replicas come: what the load may grow by meanwhile is `lag_growth`.
const LAG_S: f64 = 600.0;

/// 99th percentile of a normal deviate: the peak is the p99 of the five-minute rate.
const Z99: f64 = 2.33;

/// The window of the peak, seconds.
const PEAK_WINDOW_S: f64 = 300.0;

const DAY_S: f64 = 86_400.0;

/// A week of demand in local hours, before margin, class and zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Week {
    /// Mean rate of each hour, requests a second.
    pub mean_rps: Vec<f64>,
    /// Peak inside each hour.
    pub peak_rps: Vec<f64>,
    /// Squared coefficient of variation of inter-arrival times, or the request-weighted index of dispersion.
    pub cv2: f64,
    /// What the load grows by within the lag, at least 1, p95.
    pub lag_growth: f64,
    /// The steps of the source, for a replay.
    pub traffic: Traffic,
}

/// Burstiness and lengths of a trace, of any length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burstiness {
    /// Squared coefficient of variation of inter-arrival times inside hours, weighted by requests.
    pub cv2: f64,
    /// As in [`Week`].
    pub lag_growth: f64,
    /// Token lengths, if the trace has them.
    pub tokens: Option<TokenShape>,
}

/// Dispersion of a stream that is thinned to the share `scale`: `1 + (idc - 1) x scale`; scaling up changes nothing.
#[must_use]
pub fn thinned(idc: f64, scale: f64) -> f64 {
    1.0 + (idc - 1.0) * scale.min(1.0)
}

/// Peak of a bucket: p99 of the five-minute rate, `r (1 + 2.33 sqrt(idc / (300 r)))`.
#[must_use]
pub fn peak_of(rate: f64, idc: f64) -> f64 {
    if rate <= 0.0 { 0.0 } else { rate * (1.0 + Z99 * (idc.max(0.0) / (PEAK_WINDOW_S * rate)).sqrt()) }
}

/// A week from a series. Longer than a week: means of means, maxima of peaks. Shorter: its days are repeated.
#[must_use]
pub fn of_series(series: &Series, scale: f64) -> Week {
    let scaled: Vec<Bucket> = series.buckets.iter().map(|b| Bucket { rate: b.rate * scale, idc: thinned(b.idc, scale) }).collect();
    let per_hour = 3600 / series.step_s as usize;
    let hours: Vec<(f64, f64)> = scaled
        .chunks(per_hour)
        .map(|chunk| {
            let mean = chunk.iter().map(|b| b.rate).sum::<f64>() / chunk.len() as f64;
            (mean, chunk.iter().map(|b| peak_of(b.rate, b.idc)).fold(mean, f64::max))
        })
        .collect();
    let requests: f64 = scaled.iter().map(|b| b.rate).sum();
    let weighted: f64 = scaled.iter().map(|b| b.rate * b.idc).sum();
    let cv2 = if requests > 0.0 { weighted / requests } else { 1.0 };
    let rates: Vec<f64> = scaled.iter().map(|b| b.rate).collect();
    let (mean_rps, peak_rps) = fold(&hours, series.first_day);
    let idc: Vec<f64> = scaled.iter().map(|b| b.idc).collect();
    let traffic = traffic(series.step_s, series.first_day, (&rates, &idc));
    Week { mean_rps, peak_rps, cv2, lag_growth: lag_growth(&rates, f64::from(series.step_s)), traffic }
}

/// Whole weeks from a Monday on, from whole days that begin with `first_day`; days that are missing are repeated.
fn traffic(step_s: u32, first_day: usize, (rates, cv2): (&[f64], &[f64])) -> Traffic {
    let per_day = 86_400 / step_s as usize;
    let days = rates.len() / per_day;
    let weeks = (first_day + days).div_ceil(7).max(1);
    // The source's first day lies `first_day` days after the first Monday.
    let from = |slot: usize| (slot / per_day + days * 7 - first_day) % days * per_day + slot % per_day;
    let steps = 0..weeks * 7 * per_day;
    Traffic {
        step_s,
        rate_rps: steps.clone().map(|i| rates[from(i)]).collect(),
        cv2: steps.map(|i| cv2[from(i)].max(0.0)).collect(),
        lengths: Vec::new(),
    }
}

/// A week from a trace of at least a day; `None` when it is shorter.
#[must_use]
pub fn of_trace(trace: &Trace, scale: f64) -> Option<Week> {
    let (first, last) = (trace.requests.first()?.t_s, trace.requests.last()?.t_s);
    let start_day = (first / DAY_S).floor();
    // The last request of a whole day comes shortly before midnight: a day is whole from its 24th hour on.
    let days = ((last - start_day * DAY_S + 3600.0) / DAY_S).floor();
    if days < 1.0 {
        return None;
    }
    let minutes = counts(&trace.requests, start_day * DAY_S, Grid { step_s: 60.0, steps: days as usize * 1440 });
    let hours: Vec<(f64, f64)> = minutes
        .chunks(60)
        .map(|chunk| {
            let mean = chunk.iter().sum::<f64>() / 3600.0 * scale;
            // Of sixty minutes the 99th percentile is the largest. A thinned stream is smoother around its mean.
            let top = chunk.iter().copied().fold(0.0, f64::max) / 60.0;
            let observed = if scale < 1.0 { mean + (top - mean / scale).max(0.0) * scale.sqrt() } else { top * scale };
            (mean, observed.max(mean))
        })
        .collect();
    let burst = burstiness(trace);
    let cv2 = thinned(burst.cv2, scale);
    let first_day = start_day as usize % 7;
    let (mean_rps, peak_rps) = fold(&hours, first_day);
    let rates: Vec<f64> = minutes.chunks(10).map(|chunk| chunk.iter().sum::<f64>() / LAG_S * scale).collect();
    let traffic = traffic(LAG_S as u32, first_day, (&rates, &vec![cv2; rates.len()]));
    Some(Week { mean_rps, peak_rps, cv2, lag_growth: burst.lag_growth, traffic })
}

/// A week from hourly factors, brought to a mean of `mean_rps`; `idc` sets the peaks.
///
/// Between hourly factors the load moves evenly, so the growth within the lag is the hourly ratio to the power 600/3600.
#[must_use]
pub fn of_shape(mean_rps: f64, factors: &[f64], idc: f64) -> Week {
    let average = factors.iter().sum::<f64>() / factors.len() as f64;
    let rates: Vec<f64> = factors.iter().map(|f| mean_rps * f / average).collect();
    let peak_rps = rates.iter().map(|r| peak_of(*r, idc)).collect();
    let hourly = lag_growth(&rates, 3600.0);
    let traffic = Traffic { step_s: 3600, cv2: vec![idc; rates.len()], rate_rps: rates.clone(), lengths: Vec::new() };
    Week { mean_rps: rates, peak_rps, cv2: idc, lag_growth: hourly.powf(LAG_S / 3600.0), traffic }
}

/// Burstiness of a trace of any length.
#[must_use]
pub fn burstiness(trace: &Trace) -> Burstiness {
    let requests = &trace.requests;
    let start = requests.first().map_or(0.0, |r| r.t_s);
    let steps = (requests.last().map_or(0.0, |r| r.t_s - start) / LAG_S).floor() as usize;
    let rates = counts(requests, start, Grid { step_s: LAG_S, steps });
    Burstiness { cv2: cv2(requests), lag_growth: lag_growth(&rates, LAG_S), tokens: trace.has_tokens.then(|| tokens(requests)) }
}

/// Lengths of at most so many requests, evenly over the trace.
const LENGTHS: usize = 2500;

/// Prompt and answer lengths of single requests; none of a trace without tokens.
#[must_use]
pub fn lengths(trace: &Trace) -> Vec<(u32, u32)> {
    if !trace.has_tokens {
        return Vec::new();
    }
    let every = trace.requests.len().div_ceil(LENGTHS).max(1);
    let whole = |tokens: f64| tokens.round().clamp(1.0, 1e9) as u32;
    trace.requests.iter().step_by(every).map(|r| (whole(r.input_tokens), whole(r.output_tokens))).collect()
}

/// Inter-arrival variation inside each hour, weighted by its requests: the daily rhythm is no burstiness.
fn cv2(requests: &[Request]) -> f64 {
    let (mut weighted, mut count) = (0.0, 0.0);
    for hour in requests.chunk_by(|a, b| (a.t_s / 3600.0).floor() as i64 == (b.t_s / 3600.0).floor() as i64) {
        let gaps: Vec<f64> = hour.windows(2).map(|pair| pair[1].t_s - pair[0].t_s).collect();
        let n = gaps.len() as f64;
        let mean = gaps.iter().sum::<f64>() / n;
        if gaps.len() < 2 || mean <= 0.0 {
            continue;
        }
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / n;
        weighted += variance / (mean * mean) * n;
        count += n;
    }
    if count > 0.0 { weighted / count } else { 1.0 }
}

fn tokens(requests: &[Request]) -> TokenShape {
    let n = requests.len() as f64;
    let mut inputs: Vec<f64> = requests.iter().map(|r| r.input_tokens).collect();
    inputs.sort_by(f64::total_cmp);
    TokenShape {
        input_mean: inputs.iter().sum::<f64>() / n,
        input_p95: percentile(&inputs, 0.95),
        output_mean: requests.iter().map(|r| r.output_tokens).sum::<f64>() / n,
    }
}

/// Equal steps.
struct Grid {
    step_s: f64,
    steps: usize,
}

/// Requests in each step from `start` on.
fn counts(requests: &[Request], start: f64, grid: Grid) -> Vec<f64> {
    let mut counts = vec![0.0; grid.steps];
    for request in requests {
        let index = ((request.t_s - start) / grid.step_s).floor();
        if index >= 0.0
            && let Some(count) = counts.get_mut(index as usize)
        {
            *count += 1.0;
        }
    }
    counts
}

/// p95 over the steps with load of `max(1, largest rate within the lag / rate)`.
fn lag_growth(rates: &[f64], step_s: f64) -> f64 {
    let ahead = (LAG_S / step_s).ceil() as usize;
    let mut growth: Vec<f64> = Vec::with_capacity(rates.len());
    for (i, rate) in rates.iter().enumerate() {
        if *rate > 0.0 {
            let next = rates[i + 1..].iter().take(ahead).copied().fold(0.0, f64::max);
            growth.push((next / rate).max(1.0));
        }
    }
    growth.sort_by(f64::total_cmp);
    percentile(&growth, 0.95)
}

/// Nearest-rank percentile of sorted values; 1 of none.
fn percentile(sorted: &[f64], q: f64) -> f64 {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(1.0)
}

/// Hours from midnight of `first_day` on, folded onto the week.
fn fold(hours: &[(f64, f64)], first_day: usize) -> (Vec<f64>, Vec<f64>) {
    let mut sums = vec![(0.0, 0.0_f64, 0.0); HOURS_PER_WEEK];
    let covered = hours.len().max(HOURS_PER_WEEK);
    for i in 0..covered {
        let (mean, peak) = hours[i % hours.len()];
        let slot = &mut sums[(first_day * 24 + i) % HOURS_PER_WEEK];
        *slot = (slot.0 + mean, slot.1.max(peak), slot.2 + 1.0);
    }
    sums.into_iter().map(|(mean, peak, n)| (mean / n, peak)).unzip()
}

/// Local hours shifted to UTC hours: `utc[h - offset] = local[h]`.
#[must_use]
pub fn to_utc(local: &[f64], offset_hours: i32) -> Vec<f64> {
    let n = local.len() as i32;
    (0..n).map(|utc| local[(utc + offset_hours).rem_euclid(n) as usize]).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    fn flat(days: usize, rate: f64) -> Series {
        Series { step_s: 3600, first_day: 0, buckets: vec![Bucket { rate, idc: 1.0 }; days * 24], has_idc: false }
    }

    #[test]
    fn a_short_series_is_repeated_and_a_long_one_folded() {
        let mut series = flat(8, 2.0);
        series.buckets[0].rate = 4.0;
        let week = of_series(&series, 1.0);
        // Monday 00:00 is there twice: mean of 4 and 2, peak of the 4.
        assert!((week.mean_rps[0] - 3.0).abs() < 1e-12);
        assert!((week.peak_rps[0] - peak_of(4.0, 1.0)).abs() < 1e-12);
        assert_eq!(of_series(&flat(1, 2.0), 1.0).mean_rps, vec![2.0; HOURS_PER_WEEK]);
    }

    #[test]
    fn the_peak_is_the_p99_of_five_minutes() {
        // 3 requests a second are 900 in five minutes; sqrt(900) = 30; 900 + 2.33 x 30 = 969.9 in 300 s.
        assert!((peak_of(3.0, 1.0) - 969.9 / 300.0).abs() < 1e-12);
        assert!((thinned(11.0, 0.1) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn local_hours_move_to_utc() {
        let local: Vec<f64> = (0..168).map(f64::from).collect();
        // New York is 5 h behind: local 0 is 05:00 UTC.
        assert_eq!(to_utc(&local, -5)[5].total_cmp(&0.0), std::cmp::Ordering::Equal);
        assert_eq!(to_utc(&local, 9)[0].total_cmp(&9.0), std::cmp::Ordering::Equal);
    }

    #[test]
    fn regular_arrivals_have_no_variation() {
        let requests = (0..1000).map(|i| Request { t_s: f64::from(i) * 2.0, input_tokens: 10.0, output_tokens: 5.0 }).collect();
        let burst = burstiness(&Trace { requests, has_tokens: true });
        assert!(burst.cv2 < 1e-9 && (burst.lag_growth - 1.0).abs() < 1e-9);
        assert!((burst.tokens.unwrap().input_p95 - 10.0).abs() < 1e-12);
    }
}
