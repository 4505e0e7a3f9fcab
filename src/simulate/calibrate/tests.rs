//! The search against closed forms, and what must hold of every table.

use super::*;
use crate::parallel;
use crate::simulate::replica::Work;
use crate::simulate::replica::llm::PASS_TOKENS;

fn queue(servers: usize, work: Work, (percentile, latency_s): (f64, f64)) -> Question {
    let law = Law::queue(servers, work, None);
    Question {
        stable_rps: law.capacity_rps(),
        model: Model::Server(Arc::new(law)),
        lengths: Lengths::None,
        cv2: 1.0,
        routing: Routing::LeastLoaded,
        limits: Limits { latency_s, ..Limits::NONE },
        percentile,
        timeout_s: 60.0,
    }
}

fn llm(ttft_ms: f64, tpot_ms: f64, routing: Routing) -> Question {
    let engine = Engine::new(&crate::simulate::station::fixtures::llama_8b(), PASS_TOKENS, Stepping::Fast);
    Question {
        model: Model::Llm(Arc::new(engine)),
        lengths: crate::simulate::station::fixtures::chat(),
        cv2: 1.0,
        routing,
        limits: Limits { ttft_s: ttft_ms / 1000.0, tpot_s: tpot_ms / 1000.0, latency_s: f64::INFINITY },
        percentile: 0.95,
        timeout_s: 60.0,
        stable_rps: 8.0,
    }
}

fn table(question: &Question, max_replicas: u32) -> Answer {
    answer(question, &Reach { load_rps: f64::INFINITY, max_replicas })
}

/// M/M/1: P(T > t) = exp(-(mu - rate) t). The lower bound lies below and near: its search ends within 0.5%, the interval of
/// 400 clumped misses is some percent of the rate.
#[test]
fn mm1_is_the_closed_form() {
    for (percentile, latency_s) in [(0.95, 5.0), (0.99, 10.0), (0.995, 8.0)] {
        let exact = 1.0 + (1.0_f64 - percentile).ln() / latency_s;
        let one = table(&queue(1, Work::Exponential(1.0), (percentile, latency_s)), 1).points[0];
        assert!((one.rps / exact - 1.0).abs() < 0.03, "{percentile}: {} for {exact}", one.rps);
        assert!(one.rps_low <= one.rps && one.rps_low > 0.9 * exact, "{percentile}: {} for {exact}", one.rps_low);
    }
}

/// M/D/1 with a limit of two service times: the wait must not pass one. Erlang's P(W <= x) = (1 - a) sum over k <= x of
/// (a (k - x))^k / k! e^(-a (k - x)) is (1 - a) e^a at x = 1.
#[test]
fn md1_is_the_closed_form() {
    let percentile = 0.9;
    let within = |a: f64| (1.0 - a) * a.exp();
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if within(middle) >= percentile { low = middle } else { high = middle }
    }
    let one = table(&queue(1, Work::Constant(1.0), (percentile, 2.0)), 1).points[0];
    assert!((one.rps / low - 1.0).abs() < 0.03, "{} for {low}", one.rps);
}

/// Two machines of one server that take turns at the fewest are near M/M/2; pooling makes each worth more.
#[test]
fn a_replica_is_worth_more_among_many() {
    for question in
        [queue(1, Work::Exponential(1.0), (0.95, 4.0)), llm(600.0, 30.0, Routing::LeastLoaded), llm(600.0, 30.0, Routing::Random)]
    {
        let points = table(&question, 6).points;
        assert_eq!(points.iter().map(|p| p.replicas).collect::<Vec<_>>(), [1, 2, 3, 4, 6]);
        for of in [|p: &Sustained| p.rps, |p: &Sustained| p.rps_low] {
            assert!(points.windows(2).all(|w| of(&w[1]) / f64::from(w[1].replicas) >= of(&w[0]) / f64::from(w[0].replicas) - 1e-12));
        }
        assert!(points.iter().all(|p| p.rps_low > 0.0 && p.rps_low <= p.rps), "{points:?}");
    }
}

#[test]
fn a_looser_objective_never_lowers_the_rate() {
    let rate = |ttft_ms, tpot_ms, percentile| {
        let question = Question { percentile, ..llm(ttft_ms, tpot_ms, Routing::Random) };
        table(&question, 1).points[0].rps_low
    };
    let base = rate(500.0, 25.0, 0.95);
    for looser in [rate(700.0, 25.0, 0.95), rate(500.0, 30.0, 0.95), rate(500.0, 25.0, 0.9), rate(2000.0, 60.0, 0.9)] {
        assert!(looser >= base * (1.0 - TOLERANCES.1), "{looser} for {base}");
    }
}

#[test]
fn what_a_lone_request_misses_is_zero_and_says_why() {
    let answer = table(&llm(600.0, 11.0, Routing::Random), 2);
    assert_eq!(answer.points, [1, 2].map(|replicas| Sustained { replicas, rps: 0.0, rps_low: 0.0 }));
    assert!(answer.reason.is_some_and(|why| why.contains("a token takes")), "the limit that is missed");
}

/// Bursts of 16 leave one replica next to nothing at a tight limit, many with the shortest queue a lot.
#[test]
fn bursts_need_company() {
    let question = Question { cv2: 16.0, ..queue(1, Work::Exponential(1.0), (0.95, 4.0)) };
    let points = table(&question, 16).points;
    let each = |p: &Sustained| p.rps_low / f64::from(p.replicas);
    let (first, last) = (points.first().map_or(1.0, each), points.last().map_or(0.0, each));
    assert!(last > 5.0 * first && last > 0.3, "{points:?}");
}

/// What is taken for granted of a Poisson stream that is split at random: three replicas that are played carry three times
/// what one carries, to the noise of both.
#[test]
fn a_poisson_stream_splits_evenly() {
    let question = queue(1, Work::Exponential(1.0), (0.95, 6.0));
    let question = Question { routing: Routing::Random, ..question };
    let played = |n: u32| Count::new((&question, n), 1.0).sustained(0.5).rps / f64::from(n);
    assert!((played(3) / played(1) - 1.0).abs() < 0.02, "{} {}", played(3), played(1));
}

#[test]
fn a_table_ends_where_it_carries_the_load() {
    let answer = answer(&queue(1, Work::Exponential(1.0), (0.9, 5.0)), &Reach { load_rps: 2.0, max_replicas: 64 });
    let (last, before) = answer.points.split_last().unwrap_or_else(|| panic!("no points"));
    assert!(last.rps_low >= 2.0 && before.iter().all(|p| p.rps_low < 2.0), "{answer:?}");
}

#[test]
fn the_same_on_any_number_of_threads() {
    let questions: Vec<Question> = [(0.9, 3.0), (0.95, 5.0), (0.9, 9.0)].map(|slo| queue(2, Work::Exponential(1.0), slo)).into();
    let alone: Vec<Answer> = questions.iter().map(|q| table(q, 2)).collect();
    assert_eq!(parallel::map(&questions, |q| table(q, 2)), alone);
}

#[test]
fn the_envelope_takes_the_smaller_down() {
    let at = |replicas: u32, each: f64| Sustained { replicas, rps: each * f64::from(replicas), rps_low: each * f64::from(replicas) };
    let found = envelope(vec![at(1, 1.0), at(2, 1.3), at(3, 1.2), at(4, 1.4)]);
    assert_eq!(found, [at(1, 1.0), at(2, 1.2), at(3, 1.2), at(4, 1.4)]);
}
