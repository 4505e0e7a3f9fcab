//! What a service is asked for, from any of its three sources, in UTC hours.

use super::Context;
use super::values::{between, not_negative, number, optional, positive};
use crate::domain::{BurstClass, Demand, ProfileKind, TokenShape, Traffic};
use crate::input::at::At;
use crate::input::codes;
use crate::input::faults::Faults;
use crate::input::load::{DataFiles, series_key};
use crate::input::week::{self, Burstiness, Week};
use crate::input::workload_file::{DemandFile, SeriesRefFile, ShapeFile, TokensFile, TraceRefFile};

/// Growth above which no autoscaler keeps up.
const MOST_GROWTH: f64 = 3.0;

/// A week from its source, with what the reader of the plan should know of it.
struct Sourced {
    week: Week,
    tokens: Option<TokenShape>,
    /// The source says how requests clump.
    knows_burst: bool,
    text: String,
}

/// The demand; `None` when its source is not sound, with the faults told.
pub fn demand(
    file: &At<DemandFile>,
    (kind, offset): (Option<ProfileKind>, i32),
    context: &Context<'_>,
    faults: &mut Faults,
) -> Option<Demand> {
    let scale = optional(faults, file.scale.as_ref(), positive("scale")).unwrap_or(1.0);
    let headroom = optional(faults, file.headroom_percent.as_ref(), between("headroom_percent", 0.0, 1000.0)).unwrap_or(0.0);
    let burst_cv2 = optional(faults, file.burst_cv2.as_ref(), not_negative("burst_cv2"));
    let lag_growth = optional(faults, file.lag_growth.as_ref(), between("lag_growth", 1.0, 100.0));
    let stated = file.tokens.as_ref().map(|tokens| token_shape(tokens, faults));
    let like = file.like.as_ref().and_then(|like| burstiness(like, context.data, faults));
    let given_cv2 = burst_cv2.or(like.map(|l| l.cv2));
    let sourced = match (&file.series, &file.trace, &file.shape) {
        (Some(series), None, None) => from_series(series, (scale, given_cv2), context, faults),
        (None, Some(trace), None) => from_trace(trace, scale, context, faults),
        (None, None, Some(shape)) => from_shape(shape, (scale, given_cv2), faults),
        _ => {
            faults
                .error(codes::EXACTLY_ONE, file.span, "`demand` takes exactly one of `series`, `trace` and `shape`")
                .help("a trace of less than a day goes under `like`, beside a `series` or a `shape`");
            None
        }
    };
    let tokens = tokens(file, (stated, like, sourced.as_ref()), kind, faults);
    let Sourced { week, text, knows_burst, .. } = sourced?;
    if week.mean_rps.iter().all(|rate| *rate <= 0.0) {
        faults.error(codes::NO_DEMAND, file.span, "the demand is zero all week").help("leave the workload out, or give its rate");
        return None;
    }
    let cv2 = given_cv2.unwrap_or(week.cv2);
    if given_cv2.is_none() && !knows_burst {
        let message = "nothing says how requests clump: a Poisson stream is planned for";
        faults.note(codes::ASSUMED_POISSON, file.span, message).help("give `burst_cv2`, or a request trace under `like`");
    }
    let growth = lag_growth.or(like.map(|l| l.lag_growth)).unwrap_or(week.lag_growth);
    let mut burst = BurstClass::of(cv2);
    if growth > MOST_GROWTH {
        burst = BurstClass::Untrackable;
        let message = format!("the load grows {growth:.1}-fold within ten minutes: no autoscaler follows, so it is never planned reactive");
        faults.note(codes::UNTRACKABLE, file.span, message);
    }
    let margin = 1.0 + headroom / 100.0;
    let peak_rps: Vec<f64> = week.peak_rps.iter().zip(&week.mean_rps).map(|(peak, mean)| (peak * margin).max(*mean)).collect();
    Some(Demand {
        mean_rps: week::to_utc(&week.mean_rps, offset),
        peak_rps: week::to_utc(&peak_rps, offset),
        load_factor: 1.0,
        miss_factor: 1.0,
        insured: 1.0,
        lag_growth: growth.clamp(1.0, MOST_GROWTH),
        burst,
        tokens,
        traffic: Traffic {
            lengths: lengths(file, kind, context),
            ..traffic(week.traffic, burst_cv2.or(given_cv2.filter(|_| !knows_burst)))
        },
        source: text,
    })
}

/// Lengths of single requests, of an LLM service whose owner does not state them.
fn lengths(file: &At<DemandFile>, kind: Option<ProfileKind>, context: &Context<'_>) -> Vec<(u32, u32)> {
    if kind != Some(ProfileKind::Llm) || file.tokens.is_some() {
        return Vec::new();
    }
    let named = file.like.as_ref().or(file.trace.as_ref());
    named.and_then(|t| context.data.traces.get(&t.file.value)?.as_ref()).map(week::lengths).unwrap_or_default()
}

/// What the owner states of burstiness goes before what the source tells of it.
fn traffic(mut traffic: Traffic, stated_cv2: Option<f64>) -> Traffic {
    if let Some(cv2) = stated_cv2 {
        traffic.cv2 = vec![cv2; traffic.rate_rps.len()];
    }
    traffic
}

fn from_series(file: &At<SeriesRefFile>, (scale, cv2): (f64, Option<f64>), context: &Context<'_>, faults: &mut Faults) -> Option<Sourced> {
    let mut series = context.data.series.get(&series_key(file))?.clone()?;
    // A stream's dispersion over long windows is its inter-arrival variation: the stated one where the file has none.
    if let Some(cv2) = cv2.filter(|_| !series.has_idc) {
        let own = if scale < 1.0 { 1.0 + (cv2 - 1.0) / scale } else { cv2 };
        series.buckets.iter_mut().for_each(|bucket| bucket.idc = own);
    }
    let days = series.buckets.len() * series.step_s as usize / 86_400;
    if days < 7 {
        let message = format!("`{}` covers {days} of 7 days: they are repeated", file.file.value);
        faults.note(codes::REPEATED_DAYS, file.file.span, message);
    }
    if scale < 1.0 && series.has_idc {
        let message = format!("scaled by {scale}: a thinned stream is smoother, so dispersion is planned as 1 + (idc - 1) x {scale}");
        faults.note(codes::THINNED, file.file.span, message);
    }
    let text = format!("series `{}`, {days} days of {} s, x {scale}", file.file.value, series.step_s);
    Some(Sourced { week: week::of_series(&series, scale), tokens: None, knows_burst: series.has_idc, text })
}

fn from_trace(file: &At<TraceRefFile>, scale: f64, context: &Context<'_>, faults: &mut Faults) -> Option<Sourced> {
    let trace = context.data.traces.get(&file.file.value)?.as_ref()?;
    let Some(week) = week::of_trace(trace, scale) else {
        faults
            .error(codes::SHORT_TRACE, file.file.span, format!("the trace `{}` covers less than a day", file.file.value))
            .help("name it under `like`, beside a `shape` or a `series` that says when requests come");
        return None;
    };
    if scale < 1.0 {
        let message = format!("scaled by {scale}: a thinned stream is smoother, so burstiness is planned as 1 + (cv2 - 1) x {scale}");
        faults.note(codes::THINNED, file.file.span, message);
    }
    let text = format!("trace `{}`, {} requests, x {scale}", file.file.value, trace.requests.len());
    let tokens = week::burstiness(trace).tokens;
    Some(Sourced { week, tokens, knows_burst: true, text })
}

fn from_shape(file: &At<ShapeFile>, (scale, cv2): (f64, Option<f64>), faults: &mut Faults) -> Option<Sourced> {
    let before = faults.len();
    let mean = number(faults, &file.mean_rps, positive("mean_rps"));
    let mut day = |given: Option<&At<Vec<At<f64>>>>, key: &'static str| -> Option<Vec<f64>> {
        let given = given?;
        if given.len() != 24 {
            faults
                .error(codes::NOT_24, given.span, format!("`{key}` has {} factors", given.len()))
                .help("give 24, one for each hour from midnight");
        }
        Some(given.iter().map(|factor| number(faults, factor, not_negative(key))).collect())
    };
    let weekday = day(file.weekday.as_ref(), "weekday");
    let weekend = day(file.weekend.as_ref(), "weekend");
    if faults.len() > before {
        return None;
    }
    let weekday = weekday.unwrap_or_else(|| vec![1.0; 24]);
    let weekend = weekend.unwrap_or_else(|| weekday.clone());
    let factors: Vec<f64> = (0..7).flat_map(|day| if day < 5 { weekday.clone() } else { weekend.clone() }).collect();
    if factors.iter().sum::<f64>() <= 0.0 {
        faults.error(codes::NO_DEMAND, file.span, "all factors of the shape are 0");
        return None;
    }
    let week = week::of_shape(mean * scale, &factors, cv2.unwrap_or(1.0));
    let rate = mean * scale;
    Some(Sourced { week, tokens: None, knows_burst: false, text: format!("shape, {rate} requests a second on average") })
}

fn burstiness(file: &At<TraceRefFile>, data: &DataFiles, faults: &mut Faults) -> Option<Burstiness> {
    let trace = data.traces.get(&file.file.value)?.as_ref()?;
    if trace.requests.len() < 100 {
        let message = format!("`{}` has {} requests: too few to tell burstiness from chance", file.file.value, trace.requests.len());
        faults.warning(codes::FEW_REQUESTS, file.file.span, message).help("100 requests are the least that says anything");
    }
    Some(week::burstiness(trace))
}

/// Token lengths: stated, else of the trace. LLM profiles need them, others have none.
fn tokens(
    file: &At<DemandFile>,
    (stated, like, sourced): (Option<TokenShape>, Option<Burstiness>, Option<&Sourced>),
    kind: Option<ProfileKind>,
    faults: &mut Faults,
) -> Option<TokenShape> {
    let found = stated.or(like.and_then(|l| l.tokens)).or(sourced.and_then(|s| s.tokens));
    match kind {
        Some(ProfileKind::Llm) if found.is_none() => {
            faults
                .error(codes::NO_TOKENS, file.span, "an LLM service needs the lengths of its prompts and answers")
                .help("add `tokens: {input_mean: 900, input_p95: 3000, output_mean: 250}`, or a trace with token columns");
            None
        }
        Some(ProfileKind::Llm) | None => found,
        Some(ProfileKind::Request | ProfileKind::Job) => {
            if let Some(given) = &file.tokens {
                faults.error(codes::TOKENS_OF_ANOTHER_KIND, given.input_mean.span, "`tokens` belongs to LLM profiles");
            }
            None
        }
    }
}

fn token_shape(file: &TokensFile, faults: &mut Faults) -> TokenShape {
    let shape = TokenShape {
        input_mean: number(faults, &file.input_mean, between("input_mean", 1.0, 10_000_000.0)),
        input_p95: number(faults, &file.input_p95, between("input_p95", 1.0, 10_000_000.0)),
        output_mean: number(faults, &file.output_mean, between("output_mean", 1.0, 1_000_000.0)),
    };
    if shape.input_p95 < shape.input_mean {
        let message = format!("`input_p95` {} is below `input_mean` {}", shape.input_p95, shape.input_mean);
        faults
            .warning(codes::ODD_TOKENS, file.input_p95.span, message)
            .help("the 95th percentile of prompt lengths is usually 2 to 4 times the mean");
    }
    shape
}
