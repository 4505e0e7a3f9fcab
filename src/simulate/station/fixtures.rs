//! What the tests of the station share.

use super::{NewReplica, Setup, Station};
use crate::domain::{ColdRequests, DecodeStep, LlmModel, Routing, TokenShape};
use crate::simulate::random::Stream;
use crate::simulate::replica::llm::PASS_TOKENS;
use crate::simulate::replica::{Engine, Law, Model, Stepping};
use crate::simulate::tally::{Limits, Tally};
use crate::simulate::traffic::lengths::OUTPUT_CV;
use crate::simulate::traffic::{GapShape, Generated, Lengths, Request, Series, Source, Step, Streams, Trace};
use std::sync::Arc;

/// Random routing, no timeout, no sampling.
pub fn setup(model: Model) -> Setup {
    Setup {
        name: "test".to_owned(),
        seed: 1,
        models: vec![model],
        routing: Routing::Random,
        cold: ColdRequests::Reject,
        timeout_s: f64::INFINITY,
        reroute_waiting: false,
        sampling: None,
        classes: Vec::new(),
    }
}

pub fn server(law: Law) -> Model {
    Model::Server(Arc::new(law))
}

/// A station with replicas 0, 1, ... of equal weight.
pub fn station(setup: Setup, replicas: u64, tally: &mut Tally) -> Station {
    let mut station = Station::new(setup, 0.0);
    for id in 0..replicas {
        station.add_replica(NewReplica { id, model: 0, weight: 1.0 }, 0.0, tally);
    }
    station
}

/// A constant rate for ever.
pub fn steady(rate_rps: f64, cv2: f64, lengths: Lengths, seed: u64) -> Source {
    let series = Series { start_s: 0.0, step_s: 3600.0, steps: vec![Step { rate_rps, cv2 }], cyclic: true };
    Source::Generated(Generated::new(Arc::new(series), GapShape::Gamma, lengths, Streams::new(seed, "test")))
}

/// Requests by hand: (arrival, prompt, answer).
pub fn trace(requests: &[(f64, u32, u32)]) -> Source {
    let request = |&(at_s, input_tokens, output_tokens): &(f64, u32, u32)| Request { at_s, input_tokens, output_tokens, class: 0 };
    Source::Trace(Trace::new(requests.iter().map(request).collect(), 0.0))
}

pub fn no_limits() -> Tally {
    Tally::new(Limits::NONE)
}

/// A 8B model on an A100: the profile's numbers.
pub fn llama_8b() -> LlmModel {
    LlmModel {
        decode: DecodeStep::Affine { alpha_ms: 11.511, beta_ms: 0.0311, eps_ms_per_ktok: 0.0844 },
        prefill_gamma_ms: 8.024,
        prefill_delta_ms_per_ktok: 54.876,
        prefill_zeta_ms_per_ktok2: 1.6258,
        max_batch: 256,
        max_kv_tokens: 430_300.0,
    }
}

pub fn llm(model: &LlmModel, stepping: Stepping) -> Model {
    Model::Llm(Arc::new(Engine::new(model, PASS_TOKENS, stepping)))
}

/// Lengths of a chat service.
pub fn chat() -> Lengths {
    Lengths::fitted(&TokenShape { input_mean: 780.0, input_p95: 2400.0, output_mean: 190.0 }, OUTPUT_CV)
}

/// A replica's stream, for tests without a station.
pub fn stream() -> Stream {
    Stream::new(1, "service", "test")
}
