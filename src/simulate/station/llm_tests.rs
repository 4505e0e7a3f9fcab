//! LLM replicas by hand, against the closed form for the mean, and fast against exact.

use super::Station;
use super::fixtures::{chat, llama_8b, llm, no_limits, setup, station, steady, trace};
use crate::domain::{DecodeStep, LlmModel, Routing};
use crate::simulate::replica::Stepping;
use crate::simulate::tally::{Limits, Outcome, Tally};
use crate::simulate::traffic::{Lengths, LogNormal, Source};

/// Decode 10 ms + 1 ms a sequence; prefill 5 ms + 100 ms per 1,000 tokens.
fn plain(max_batch: u32, max_kv_tokens: f64) -> LlmModel {
    LlmModel {
        decode: DecodeStep::Affine { alpha_ms: 10.0, beta_ms: 1.0, eps_ms_per_ktok: 0.0 },
        prefill_gamma_ms: 5.0,
        prefill_delta_ms_per_ktok: 100.0,
        prefill_zeta_ms_per_ktok2: 0.0,
        max_batch,
        max_kv_tokens,
    }
}

fn finish(mut station: Station, until_s: f64, source: &mut Source, mut tally: Tally) -> Tally {
    station.advance(until_s, source, &mut tally);
    station.close(&mut tally);
    assert_eq!(tally.conservation(), Ok(()));
    tally
}

fn by_hand(model: &LlmModel, timeout_s: f64, requests: &[(f64, u32, u32)]) -> Tally {
    let mut tally = no_limits();
    let mut setup = setup(llm(model, Stepping::Fast));
    setup.timeout_s = timeout_s;
    let station = station(setup, 1, &mut tally);
    finish(station, 1000.0, &mut trace(requests), tally)
}

/// A mean that must be exact.
fn mean(found: Option<f64>, expected_s: f64) {
    assert!(found.is_some_and(|found| (found - expected_s).abs() < 1e-9), "{found:?}, {expected_s} by hand");
}

/// 1,000 tokens: 5 + 100 = 105 ms to the first token, then 10 passes of 11 ms.
#[test]
fn one_request() {
    let tally = by_hand(&plain(4, 1e5), 60.0, &[(1.0, 1000, 11)]);
    mean(tally.ttft.mean_s(), 0.105);
    mean(tally.tpot.mean_s(), 0.011);
    mean(tally.latency.mean_s(), 0.215);
}

/// 3,000 tokens take two passes (2,048 and 952): 204.8 + 5 and 95.2 + 5 ms. A single token ends the request there.
#[test]
fn a_long_prompt_is_prefilled_in_chunks() {
    let tally = by_hand(&plain(4, 1e5), 60.0, &[(0.0, 3000, 1)]);
    mean(tally.latency.mean_s(), 0.310);
    assert!(tally.tpot.mean_s().is_none() && tally.ended(Outcome::Served).requests == 1);
}

/// The first request prefills 100 tokens until 15 ms and decodes passes of 11 ms. The second comes at 40 ms, in the third
/// pass (37 to 48 ms); the pass from 48 ms on has its 200 tokens: 11 + 20 ms, to 79 ms. Then both decode at 12 ms a pass.
/// The first has its 5 tokens at 15, 26, 37, 48, 79 ms; the second its 3 at 79, and alone again at 90 and 101 ms.
#[test]
fn a_prompt_joins_at_the_next_pass_and_stalls_the_others() {
    let tally = by_hand(&plain(4, 1e5), 60.0, &[(0.0, 100, 5), (0.040, 200, 3)]);
    mean(tally.ttft.mean_s(), (0.015 + 0.039) / 2.0);
    mean(tally.latency.mean_s(), (0.079 + 0.061) / 2.0);
    mean(tally.tpot.mean_s(), (0.016 + 0.011) / 2.0);
}

/// With one place, and likewise with a cache for one, the second waits until the first is done at 15 + 4 x 11 = 59 ms.
#[test]
fn who_does_not_fit_waits_in_order() {
    for model in [plain(1, 1e5), plain(4, 150.0)] {
        let tally = by_hand(&model, 60.0, &[(0.0, 100, 5), (0.001, 100, 5)]);
        mean(tally.wait.mean_s(), 0.058 / 2.0);
        mean(tally.latency.mean_s(), (0.059 + 0.058 + 0.059) / 2.0);
    }
}

#[test]
fn larger_than_the_cache_is_dropped() {
    let tally = by_hand(&plain(4, 150.0), 60.0, &[(0.0, 100, 51), (0.0, 100, 50)]);
    assert_eq!((tally.ended(Outcome::Dropped).requests, tally.ended(Outcome::Served).requests), (1, 1));
}

/// One place. The first holds it until 59 ms; the second is gone at 51 ms, and the third begins at 59 ms. The fourth waits
/// for the third (59 + 15 + 44 = 118 ms), begins at 118 ms and has no first token by 80 + 50 ms: 118 + 15 = 133 ms.
#[test]
fn the_first_token_must_come_within_the_timeout() {
    let tally = by_hand(&plain(1, 1e5), 0.050, &[(0.0, 100, 5), (0.001, 100, 5), (0.040, 100, 5), (0.080, 100, 5)]);
    assert_eq!((tally.ended(Outcome::TimedOut).requests, tally.ended(Outcome::Served).requests), (2, 2));
    mean(tally.latency.mean_s(), (0.059 + 0.078) / 2.0);
}

/// Mean number of decoding sequences against `n = lambda out alpha / (1 - lambda out beta - lambda in gamma)`, mathematics
/// 2.3. The formula knows no variance, so that it is a little low; prompts that wait or are prefilled are not in it.
#[test]
fn mean_number_decoding_is_the_closed_form() {
    let model = LlmModel {
        decode: DecodeStep::Affine { alpha_ms: 18.0, beta_ms: 0.35, eps_ms_per_ktok: 0.0 },
        prefill_gamma_ms: 0.0,
        prefill_delta_ms_per_ktok: 120.0,
        prefill_zeta_ms_per_ktok2: 0.0,
        max_batch: 64,
        max_kv_tokens: 1e6,
    };
    let most = 1.0 / (700.0 * 0.12e-3 + 220.0 * (18e-3 / 64.0 + 0.35e-3));
    for load in [0.3, 0.5, 0.7, 0.8] {
        let rate = load * most;
        let closed = rate * 220.0 * 18e-3 / (1.0 - rate * 220.0 * 0.35e-3 - rate * 700.0 * 0.12e-3);
        let lengths = Lengths::LogNormal { input: LogNormal::of_mean_cv(700.0, 0.8), output: LogNormal::of_mean_cv(220.0, 0.8) };
        let mut tally = no_limits();
        let station = station(setup(llm(&model, Stepping::Fast)), 1, &mut tally);
        let tally = finish(station, 100_000.0, &mut steady(rate, 1.0, lengths, 1), tally);
        let decoding_s = tally.latency.mean_s().unwrap_or(0.0) - tally.ttft.mean_s().unwrap_or(0.0);
        let found = decoding_s * tally.ended(Outcome::Served).requests as f64 / 100_000.0;
        assert!((found / closed - 1.0).abs() < 0.05, "load {load}: {found} decoding, {closed} in closed form");
    }
}

fn table() -> LlmModel {
    LlmModel {
        decode: DecodeStep::Table {
            batch: vec![1.0, 4.0, 8.0, 16.0, 32.0, 64.0],
            context_tokens: vec![256.0, 1024.0, 4096.0, 8192.0],
            step_ms: vec![
                vec![6.43, 6.50, 6.92, 7.18],
                vec![13.25, 13.59, 14.26, 15.33],
                vec![16.10, 16.51, 18.26, 20.16],
                vec![20.84, 21.77, 24.82, 28.72],
                vec![32.96, 35.05, 40.90, 48.43],
                vec![37.53, 41.18, 55.56, 73.54],
            ],
        },
        ..llama_8b()
    }
}

/// Both modes see the same requests; they differ by the rounding of sums of pass times. Out of 100,000 requests none may
/// fall on another side of a limit, and percentiles agree to the width of a bucket.
#[test]
fn fast_is_exact() {
    let limits = Limits { ttft_s: 0.4, tpot_s: 0.025, latency_s: 10.0 };
    for (model, rate, routing) in [
        (llama_8b(), 5.0, Routing::Random),
        (llama_8b(), 20.0, Routing::LeastLoaded),
        (table(), 6.0, Routing::Random),
        (table(), 11.0, Routing::LeastLoaded),
        (LlmModel { max_kv_tokens: 30_000.0, ..llama_8b() }, 22.0, Routing::Random),
    ] {
        let tallies = [Stepping::Fast, Stepping::Exact].map(|stepping| {
            let mut tally = Tally::new(limits);
            let mut setup = setup(llm(&model, stepping));
            (setup.routing, setup.timeout_s) = (routing, 5.0);
            let station = station(setup, 3, &mut tally);
            finish(station, 100_000.0 / rate, &mut steady(rate, 4.0, chat(), 3), tally)
        });
        let [fast, exact] = &tallies;
        assert_eq!((fast.met.requests, fast.tokens_served), (exact.met.requests, exact.tokens_served));
        let attainment = fast.attainment().unwrap_or(0.0);
        assert!(attainment > 0.02 && attainment < 0.999, "the case must tell something: {attainment}");
        for (a, b) in [(&fast.ttft, &exact.ttft), (&fast.tpot, &exact.tpot), (&fast.latency, &exact.latency)] {
            for share in [0.5, 0.95, 0.99] {
                let (a, b) = (a.quantile_s(share).unwrap_or(0.0), b.quantile_s(share).unwrap_or(1.0));
                assert!((a / b - 1.0).abs() < 1e-6, "{share}: {a} {b}");
            }
            let (a, b) = (a.mean_s().unwrap_or(0.0), b.mean_s().unwrap_or(1.0));
            assert!((a / b - 1.0).abs() < 1e-8, "{a} {b}");
        }
    }
}

/// However a span is cut into calls, the same requests meet the same fate.
#[test]
fn calls_every_fifteen_seconds_change_nothing() {
    let run = |step_s: f64, routing: Routing| {
        let mut tally = Tally::new(Limits { ttft_s: 0.4, tpot_s: 0.02, latency_s: 10.0 });
        let mut setup = setup(llm(&llama_8b(), Stepping::Fast));
        setup.routing = routing;
        let mut station = station(setup, 4, &mut tally);
        let mut source = steady(16.0, 4.0, chat(), 9);
        for k in 1..=(3000.0 / step_s) as u32 {
            station.advance(step_s * f64::from(k), &mut source, &mut tally);
        }
        station.close(&mut tally);
        assert_eq!(tally.conservation(), Ok(()));
        (tally.met.requests, tally.tokens_served, tally.ended(Outcome::InFlight).requests, tally.ttft.quantile_s(0.99))
    };
    for routing in [Routing::Random, Routing::LeastLoaded] {
        let whole = run(3000.0, routing);
        assert_eq!(whole, run(15.0, routing));
        assert_eq!(whole, run(0.5, routing));
        assert!(whole.0 > 10_000, "{whole:?}");
    }
}
