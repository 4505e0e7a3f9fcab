//! Replicas that come and go, requests that find none, seeds and weights: by hand.

use super::fixtures::{chat, llama_8b, llm, no_limits, server, setup, station, steady, trace};
use super::{Load, NewReplica, Notice, Sampling, Setup, Station};
use crate::domain::{ColdRequests, Knot, Routing};
use crate::simulate::replica::{Law, Stepping, Work};
use crate::simulate::tally::{Limits, Outcome, Tally};
use crate::simulate::traffic::{Lengths, Source};
use crate::units::{Millis, PerSecond};

/// One request at a time, 10 s each; gives up after 60 s.
fn slow(cold: ColdRequests) -> Setup {
    let mut setup = setup(server(Law::queue(1, Work::Constant(10.0), None)));
    (setup.cold, setup.timeout_s, setup.routing) = (cold, 60.0, Routing::LeastLoaded);
    setup
}

fn arrivals(at_s: &[f64]) -> Source {
    trace(&at_s.iter().map(|&at_s| (at_s, 0, 0)).collect::<Vec<_>>())
}

fn replica(id: u64) -> NewReplica {
    NewReplica { id, model: 0, weight: 1.0 }
}

fn ends(tally: &Tally, outcomes: &[Outcome]) -> Vec<u64> {
    outcomes.iter().map(|&outcome| tally.ended(outcome).requests).collect()
}

fn close(mut station: Station, mut tally: Tally) -> Tally {
    station.close(&mut tally);
    assert_eq!(tally.conservation(), Ok(()));
    tally
}

/// Without a replica: at 0 s and 5 s. One comes at 50 s and takes what is held, the oldest first.
#[test]
fn cold_requests_are_rejected_sent_away_or_held() {
    for (cold, outcome) in [(ColdRequests::Reject, Outcome::Rejected), (ColdRequests::Fallback, Outcome::FallenBack)] {
        let (mut tally, mut source) = (no_limits(), arrivals(&[0.0, 5.0, 55.0]));
        let mut station = Station::new(slow(cold), 0.0);
        station.advance(50.0, &mut source, &mut tally);
        station.add_replica(replica(0), 50.0, &mut tally);
        station.advance(100.0, &mut source, &mut tally);
        let tally = close(station, tally);
        assert_eq!(ends(&tally, &[outcome, Outcome::Served]), [2, 1]);
        assert!(tally.attainment().is_some_and(|share| (share - 1.0 / 3.0).abs() < 1e-12));
    }
    let (mut tally, mut source) = (no_limits(), arrivals(&[0.0, 5.0, 55.0]));
    let mut station = Station::new(slow(ColdRequests::Hold), 0.0);
    station.advance(50.0, &mut source, &mut tally);
    assert_eq!(station.load(), Load { running: 0, waiting: 0, held: 2 });
    station.add_replica(replica(0), 50.0, &mut tally);
    assert_eq!(station.load(), Load { running: 1, waiting: 1, held: 0 });
    // Served at 60, 70 and 80 s: 60, 65 and 25 s after their arrival, and 65 is more than the timeout.
    station.advance(100.0, &mut source, &mut tally);
    let tally = close(station, tally);
    assert_eq!(ends(&tally, &[Outcome::Served, Outcome::TimedOut]), [2, 1]);
    assert_eq!(tally.held.requests, 2);
}

/// Held at 0 s and 5 s; nobody comes by 60 s and 65 s.
#[test]
fn held_requests_are_gone_at_their_timeout() {
    let (mut tally, mut source) = (no_limits(), arrivals(&[0.0, 5.0]));
    let mut station = Station::new(slow(ColdRequests::Hold), 0.0);
    station.advance(62.0, &mut source, &mut tally);
    assert_eq!(station.load().held, 1);
    station.advance(70.0, &mut source, &mut tally);
    station.add_replica(replica(0), 70.0, &mut tally);
    let tally = close(station, tally);
    assert_eq!(ends(&tally, &[Outcome::TimedOut, Outcome::Served]), [2, 0]);
    assert!((tally.area_s - 120.0).abs() < 1e-9, "{}", tally.area_s);
}

/// One replica, requests at 0, 1 and 2 s, notice at 5 s with a deadline at 25 s: done at 10 and 20 s, the third is lost.
/// A request at 6 s finds no replica.
#[test]
fn what_a_draining_replica_does_not_finish_is_lost() {
    let (mut tally, mut source) = (no_limits(), arrivals(&[0.0, 1.0, 2.0, 6.0]));
    let mut station = station(slow(ColdRequests::Reject), 1, &mut tally);
    station.advance(5.0, &mut source, &mut tally);
    station.drain_replica(0, Notice { at_s: 5.0, deadline_s: 25.0 }, &mut tally);
    assert_eq!((station.ready(), station.in_flight(0)), (0, Some(3)));
    station.advance(24.0, &mut source, &mut tally);
    assert_eq!(station.in_flight(0), Some(1));
    assert!(station.replicas().all(|replica| replica.draining && replica.running == 1));
    station.advance(100.0, &mut source, &mut tally);
    assert_eq!(station.in_flight(0), None);
    let tally = close(station, tally);
    assert_eq!(ends(&tally, &[Outcome::Served, Outcome::Lost, Outcome::Rejected]), [2, 1, 1]);
    // 10 + 19 + (25 - 2) + 0 request-seconds.
    assert!((tally.area_s - 52.0).abs() < 1e-9, "{}", tally.area_s);
}

/// Two replicas with two requests each; the first drains. By default both of its requests end there, at 10 and 20 s; with
/// a gateway that routes again, the one that waits goes to the other and ends there at 30 s.
#[test]
fn waiting_requests_of_a_draining_replica_stay_or_are_routed_again() {
    for (reroute, last_s) in [(false, 20.0), (true, 30.0)] {
        let mut setup = slow(ColdRequests::Reject);
        setup.reroute_waiting = reroute;
        let (mut tally, mut source) = (no_limits(), arrivals(&[0.0, 0.0, 0.0, 0.0]));
        let mut station = station(setup, 2, &mut tally);
        station.advance(5.0, &mut source, &mut tally);
        station.drain_replica(0, Notice { at_s: 5.0, deadline_s: 60.0 }, &mut tally);
        assert_eq!(station.in_flight(1), Some(if reroute { 3 } else { 2 }));
        station.advance(100.0, &mut source, &mut tally);
        let tally = close(station, tally);
        assert_eq!(ends(&tally, &[Outcome::Served, Outcome::Lost]), [4, 0]);
        assert!(tally.latency.quantile_s(1.0).is_some_and(|longest_s| (longest_s / last_s - 1.0).abs() < 0.004));
    }
}

#[test]
fn a_killed_replica_takes_everything_with_it() {
    for model in [server(Law::queue(1, Work::Constant(10.0), None)), llm(&llama_8b(), Stepping::Fast)] {
        let mut setup = setup(model);
        setup.routing = Routing::LeastLoaded;
        let mut tally = no_limits();
        let mut source = trace(&[(0.0, 5000, 400), (0.1, 5000, 400), (0.2, 5000, 400), (0.3, 5000, 400), (0.4, 5000, 400)]);
        let mut station = station(setup, 2, &mut tally);
        station.advance(1.0, &mut source, &mut tally);
        station.kill_replica(0, 1.0, &mut tally);
        station.advance(1000.0, &mut source, &mut tally);
        let tally = close(station, tally);
        assert_eq!(ends(&tally, &[Outcome::Lost, Outcome::Served]), [3, 2]);
    }
}

/// Switched off with one in service and one waiting, and on again empty a day later.
#[test]
fn a_reset_ends_what_is_in_flight() {
    let (mut tally, mut source) = (no_limits(), arrivals(&[0.0, 1.0, 50_000.0, 86_400.0]));
    let mut station = station(slow(ColdRequests::Hold), 1, &mut tally);
    station.advance(5.0, &mut source, &mut tally);
    station.reset(86_400.0, &mut tally);
    source.skip_to(86_400.0);
    assert_eq!((station.load(), station.ready()), (Load::default(), 1));
    station.advance(86_420.0, &mut source, &mut tally);
    let tally = close(station, tally);
    assert_eq!(ends(&tally, &[Outcome::InFlight, Outcome::Served]), [2, 1]);
    assert!((tally.area_s - (5.0 + 4.0 + 10.0)).abs() < 1e-9);
    assert!(tally.attainment().is_some_and(|share| (share - 1.0).abs() < 1e-12));
}

/// Weights 1 and 3 share the requests so; least-loaded keeps queues in that proportion.
#[test]
fn weights_share_the_requests() {
    let mut tally = no_limits();
    let mut station = Station::new(setup(server(Law::queue(100_000, Work::Constant(1e9), None))), 0.0);
    for (id, weight) in [(0, 1.0), (1, 3.0)] {
        station.add_replica(NewReplica { id, model: 0, weight }, 0.0, &mut tally);
    }
    station.advance(1000.0, &mut steady(40.0, 1.0, Lengths::None, 1), &mut tally);
    let counts: Vec<f64> = (0..2).map(|id| f64::from(station.in_flight(id).unwrap_or(0))).collect();
    // Standard error of the share at 40,000 requests: 0.2%.
    assert!((counts[1] / (counts[0] + counts[1]) - 0.75).abs() < 0.011, "{counts:?}");
}

/// A run with everything in it: holds, drains, kills, timeouts.
fn busy(seed: u64, name: &str) -> Tally {
    let mut tally = Tally::new(Limits { ttft_s: 0.3, tpot_s: 0.02, latency_s: 30.0 });
    let mut setup = setup(llm(&llama_8b(), Stepping::Fast));
    (setup.seed, setup.cold, setup.timeout_s, setup.name) = (seed, ColdRequests::Hold, 8.0, name.to_owned());
    let mut station = Station::new(setup, 0.0);
    let mut source = steady(9.0, 4.0, chat(), seed);
    for tick in 0..240_u32 {
        let now_s = f64::from(tick) * 15.0;
        station.advance(now_s, &mut source, &mut tally);
        let id = u64::from(tick);
        match tick % 6 {
            0 | 1 => station.add_replica(replica(id), now_s, &mut tally),
            3 => station.drain_replica(id - 3, Notice { at_s: now_s, deadline_s: now_s + 2.0 }, &mut tally),
            5 => station.kill_replica(id - 4, now_s, &mut tally),
            _ => {}
        }
    }
    close(station, tally)
}

#[test]
fn the_same_seed_gives_the_same_result() {
    let tally = busy(4, "test");
    assert_eq!(tally, busy(4, "test"));
    assert_ne!(tally.met, busy(5, "test").met);
    for outcome in [Outcome::Served, Outcome::TimedOut, Outcome::Lost] {
        assert!(tally.ended(outcome).requests > 100, "{outcome:?}: {:?}", tally.ended(outcome));
    }
    let attainment = tally.attainment().unwrap_or(0.0);
    assert!(tally.held.requests > 100 && attainment > 0.1 && attainment < 0.95, "{attainment} {:?}", tally.held);
}

/// Another replica's service times, another service's traffic: streams of their own.
#[test]
fn another_entity_changes_nothing() {
    let run = |replicas: u64| {
        let mut tally = no_limits();
        let mut station = Station::new(setup(server(Law::queue(1, Work::Exponential(0.05), None))), 0.0);
        for id in 0..replicas {
            station.add_replica(NewReplica { id, model: 0, weight: if id == 0 { 1.0 } else { 0.0 } }, 0.0, &mut tally);
        }
        station.advance(1000.0, &mut steady(10.0, 1.0, Lengths::None, 1), &mut tally);
        let tally = close(station, tally);
        // Draws of the routing differ (one replica needs none), the requests and their service do not.
        (tally.latency, tally.met)
    };
    assert_eq!(run(1), run(2));
}

/// Weights by stratum: a warm-up that does not count, and an hour that stands for three.
#[test]
fn requests_count_with_the_weight_of_their_arrival() {
    let (mut tally, mut source) = (no_limits(), arrivals(&[0.0, 95.0, 105.0, 205.0]));
    let mut station = station(slow(ColdRequests::Hold), 1, &mut tally);
    tally.weigh(0.0, 0.0);
    station.advance(100.0, &mut source, &mut tally);
    tally.weigh(100.0, 3.0);
    station.advance(200.0, &mut source, &mut tally);
    tally.weigh(200.0, 1.0);
    station.advance(300.0, &mut source, &mut tally);
    let tally = close(station, tally);
    assert!((tally.arrived.weighted - 4.0).abs() < 1e-12 && (tally.met.weighted - 4.0).abs() < 1e-12);
    assert_eq!(tally.arrived.requests, 4);
}

/// Part of the time tells the same as all of it. At any rate some 150,000 requests are sampled here; in clumps of four their count has
/// a standard error of 0.5%, so 2% are four of them. Attainment agrees to a point, percentiles to 5%.
#[test]
fn sampled_time_agrees_with_all_of_it() {
    let knot = |concurrency: f64, rate: f64, p: [f64; 3]| Knot {
        concurrency,
        rate: PerSecond(rate),
        p50: Millis(p[0]),
        p95: Millis(p[1]),
        p99: Millis(p[2]),
    };
    let law = Law::curve(&[
        knot(1.0, 69.93, [14.3, 29.36, 39.78]),
        knot(2.0, 106.8, [18.73, 38.47, 52.12]),
        knot(4.0, 144.9, [27.6, 56.68, 76.8]),
    ]);
    for (rate, replicas, cv2, routing) in
        [(70.0, 1, 1.0, Routing::Random), (230.0, 2, 1.0, Routing::LeastLoaded), (300.0, 4, 4.0, Routing::Random)]
    {
        let tallies = [None, Some(Sampling::default())].map(|sampling| {
            let mut tally = Tally::new(Limits { ttft_s: 1.0, tpot_s: 1.0, latency_s: 0.1 });
            let mut setup = setup(server(law.clone()));
            (setup.sampling, setup.routing) = (sampling, routing);
            let mut station = station(setup, replicas, &mut tally);
            let mut source = steady(rate, cv2, Lengths::None, 2);
            for tick in 1..=1000 {
                station.advance(15.0 * f64::from(tick), &mut source, &mut tally);
            }
            close(station, tally)
        });
        let [all, sampled] = &tallies;
        assert!(sampled.arrived.requests * 4 < all.arrived.requests, "{}", sampled.arrived.requests);
        assert!((sampled.arrived.weighted / all.arrived.weighted - 1.0).abs() < 0.02);
        let (a, b) = (all.attainment().unwrap_or(0.0), sampled.attainment().unwrap_or(1.0));
        assert!((a - b).abs() < 0.01, "{rate}: attainment {a}, sampled {b}");
        for share in [0.5, 0.95, 0.99] {
            let (a, b) = (all.latency.quantile_s(share).unwrap_or(0.0), sampled.latency.quantile_s(share).unwrap_or(1.0));
            assert!((b / a - 1.0).abs() < 0.05, "{rate}: {share} {a}, sampled {b}");
        }
    }
}
