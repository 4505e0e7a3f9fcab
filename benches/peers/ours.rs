//! Speed of the replay's data plane on the small cases on which `queues.py` and `fleet.py` run public simulators.
//!
//! `cargo bench --bench peers`. A figure is the best of five runs on one core, by processor time where the system tells it
//! (Linux), else by the clock on the wall.

use gpuplan::domain::{ColdRequests, DecodeStep, LlmModel, Routing, TokenShape};
use gpuplan::simulate::replica::{Engine, Law, Model, Stepping, Work};
use gpuplan::simulate::station::{NewReplica, Setup, Station};
use gpuplan::simulate::tally::{Limits, Tally};
use gpuplan::simulate::traffic::{GapShape, Generated, Lengths, Series, Source, Step, Streams};
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

const RUNS: u64 = 5;
/// Prompt tokens of one pass.
const PASS_TOKENS: u32 = 2048;

struct Case {
    name: String,
    model: Model,
    rate_rps: f64,
    requests: f64,
    lengths: Lengths,
    /// Mean wait by queueing theory, s.
    theory_s: Option<f64>,
}

/// Plays a case: what was measured, and requests a second.
fn play(case: &Case, seed: u64) -> (Tally, f64) {
    let mut tally = Tally::new(Limits::NONE);
    let setup = Setup {
        name: "peers".to_owned(),
        seed,
        models: vec![case.model.clone()],
        routing: Routing::Random,
        cold: ColdRequests::Reject,
        timeout_s: f64::INFINITY,
        reroute_waiting: false,
        sampling: None,
        classes: Vec::new(),
    };
    let mut station = Station::new(setup, 0.0);
    station.add_replica(NewReplica { id: 0, model: 0, weight: 1.0 }, 0.0, &mut tally);
    let series = Series { start_s: 0.0, step_s: 3600.0, steps: vec![Step { rate_rps: case.rate_rps, cv2: 1.0 }], cyclic: true };
    let streams = Streams::new(seed, "peers");
    let mut source = Source::Generated(Generated::new(Arc::new(series), GapShape::Gamma, case.lengths.clone(), streams));
    let began = (Instant::now(), processor_s());
    station.advance(case.requests / case.rate_rps, &mut source, &mut tally);
    station.close(&mut tally);
    let spent_s = processor_s().zip(began.1).map_or(began.0.elapsed().as_secs_f64(), |(now, then)| now - then);
    let speed = tally.arrived.requests as f64 / spent_s;
    (tally, speed)
}

/// What this thread has had of a processor, s.
fn processor_s() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: u64 = text.split(' ').next()?.parse().ok()?;
    Some(nanoseconds as f64 / 1e9)
}

fn report(case: &Case, out: &mut impl Write) -> std::io::Result<()> {
    let runs: Vec<(Tally, f64)> = (1..=RUNS).map(|seed| play(case, seed)).collect();
    let best = runs.iter().map(|(_, speed)| *speed).fold(0.0, f64::max);
    write!(out, "{:38} {:9} requests x {RUNS}: {best:12.0} requests/s", case.name, case.requests)?;
    if let Some(theory_s) = case.theory_s {
        let mean = runs.iter().filter_map(|(tally, _)| tally.wait.mean_s()).sum::<f64>() / RUNS as f64;
        return writeln!(out, ", mean wait {mean:.4}, closed form {theory_s:.4}, off by {:+.2}%", 100.0 * (mean / theory_s - 1.0));
    }
    let (tally, _) = &runs[0];
    let ms = |seconds: Option<f64>| seconds.map_or(f64::NAN, |s| s * 1000.0);
    let (ttft, tpot) = (&tally.ttft, &tally.tpot);
    let [p50, p99] = [0.5, 0.99].map(|share| ms(ttft.quantile_s(share)));
    writeln!(out, ", TTFT p50 {p50:.0} ms p99 {p99:.0} ms, TPOT p50 {:.1} ms", ms(tpot.quantile_s(0.5)))
}

/// Erlang C over what is free, for services of 1 s.
fn mean_wait(servers: usize, load: f64) -> f64 {
    let offered = load * servers as f64;
    let blocked = (1..=servers).fold(1.0, |blocked, k| offered * blocked / (k as f64 + offered * blocked));
    blocked / (1.0 - load * (1.0 - blocked)) / (servers as f64 * (1.0 - load))
}

fn queue(servers: usize, load: f64) -> Case {
    Case {
        name: format!("M/M/{servers} at {load}"),
        model: Model::Server(Arc::new(Law::queue(servers, Work::Exponential(1.0), None))),
        rate_rps: load * servers as f64,
        requests: 1e6,
        lengths: Lengths::None,
        theory_s: Some(mean_wait(servers, load)),
    }
}

/// One replica of the profiles' 8B model on an A100.
fn replica(rate_rps: f64, stepping: Stepping) -> Case {
    let model = LlmModel {
        decode: DecodeStep::Affine { alpha_ms: 11.511, beta_ms: 0.0311, eps_ms_per_ktok: 0.0844 },
        prefill_gamma_ms: 8.024,
        prefill_delta_ms_per_ktok: 54.876,
        prefill_zeta_ms_per_ktok2: 1.6258,
        max_batch: 256,
        max_kv_tokens: 430_300.0,
    };
    Case {
        name: format!("8B replica at {rate_rps}/s, {}", if stepping == Stepping::Fast { "fast" } else { "pass by pass" }),
        model: Model::Llm(Arc::new(Engine::new(&model, PASS_TOKENS, stepping))),
        rate_rps,
        requests: 2e5,
        lengths: Lengths::fitted(&TokenShape { input_mean: 780.0, input_p95: 2400.0, output_mean: 190.0 }, 1.0),
        theory_s: None,
    }
}

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut cases = vec![queue(1, 0.8), queue(16, 0.9)];
    for rate_rps in [3.0, 8.0] {
        cases.extend([Stepping::Fast, Stepping::Exact].map(|stepping| replica(rate_rps, stepping)));
    }
    cases.iter().try_for_each(|case| report(case, &mut out))
}
