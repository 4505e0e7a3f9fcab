//! Servers that several models share: against a plain server, against queueing theory, and by hand.

use super::closed_forms::{RUNS, curves, hold};
use super::fixtures::{no_limits, setup, station, steady, trace};
use super::{Class, NewReplica, Notice, Setup, Station};
use crate::domain::ColdRequests;
use crate::simulate::replica::{Host, Hosted, Law, Model, Work};
use crate::simulate::tally::{Limits, Outcome, Tally};
use crate::simulate::traffic::{GapShape, Generated, Lengths, Merged, Request, Series, Source, Step, Streams, Trace};
use std::sync::Arc;

fn hosted(law: Law, priority: u32, timeout_s: f64) -> Hosted {
    Hosted { law: Arc::new(law), priority, timeout_s }
}

fn shared(models: Vec<Hosted>, (most, interference): (usize, f64)) -> Setup {
    let classes = models.iter().map(|model| Class { cold: ColdRequests::Hold, timeout_s: model.timeout_s }).collect();
    Setup { classes, cold: ColdRequests::Hold, ..setup(Model::Shared(Arc::new(Host { models, most, interference }))) }
}

/// Poisson streams of these rates, each with random numbers of its own.
fn streams(rates: &[f64], seed: u64) -> Source {
    let one = |(class, &rate_rps): (usize, &f64)| {
        let series = Series { start_s: 0.0, step_s: 3600.0, steps: vec![Step { rate_rps, cv2: 1.0 }], cyclic: true };
        let streams = Streams::new(seed, &format!("member-{class}"));
        Source::Generated(Generated::new(Arc::new(series), GapShape::Gamma, Lengths::None, streams))
    };
    Source::Merged(Merged::new(rates.iter().enumerate().map(one).collect()))
}

/// Requests by hand, member by member.
fn arrivals(members: &[&[f64]]) -> Source {
    let one = |at_s: &&[f64]| {
        let requests = at_s.iter().map(|&at_s| Request { at_s, ..Request::default() });
        Source::Trace(Trace::new(requests.collect(), 0.0))
    };
    Source::Merged(Merged::new(members.iter().map(one).collect()))
}

fn close(mut station: Station, mut tally: Tally) -> Tally {
    station.close(&mut tally);
    assert_eq!(tally.conservation(), Ok(()));
    tally
}

fn no_limits_for(members: usize) -> Tally {
    Tally::shared(&vec![Limits::NONE; members])
}

fn served(tally: &Tally) -> Vec<u64> {
    tally.members().iter().map(|member| member.ended(Outcome::Served).requests).collect()
}

/// Replicas come, drain and die over a source that is too much for them.
fn busy(setup: Setup, (mut source, mut tally): (Source, Tally)) -> Tally {
    let mut station = Station::new(setup, 0.0);
    for tick in 0..60_u32 {
        let (now_s, id) = (f64::from(tick) * 15.0, u64::from(tick));
        station.advance(now_s, &mut source, &mut tally);
        match tick % 6 {
            0 | 1 => station.add_replica(NewReplica { id, model: 0, weight: 1.0 }, now_s, &mut tally),
            3 => station.drain_replica(id - 3, Notice { at_s: now_s, deadline_s: now_s + 0.05 }, &mut tally),
            5 => station.kill_replica(id - 4, now_s, &mut tally),
            _ => {}
        }
    }
    close(station, tally)
}

/// The same numbers to the last bit: with queue, timeouts, held requests, drains and kills.
#[test]
fn one_model_alone_is_a_plain_server() {
    for knots in curves() {
        let law = Law::curve(&knots);
        let (most, rate, timeout_s) = (law.servers(), 1.4 * law.capacity_rps(), 0.4);
        let limits = Limits { latency_s: 0.1, ..Limits::NONE };
        let plain = Setup { timeout_s, cold: ColdRequests::Hold, ..setup(Model::Server(Arc::new(law.clone()))) };
        let alone = busy(plain, (steady(rate, 2.0, Lengths::None, 3), Tally::new(limits)));
        let merged = Source::Merged(Merged::new(vec![steady(rate, 2.0, Lengths::None, 3)]));
        let setup = shared(vec![hosted(law, 1, timeout_s)], (most, 1.25));
        let tally = busy(setup, (merged, Tally::shared(&[limits])));
        assert_eq!(tally.members(), [alone]);
        for outcome in [Outcome::Served, Outcome::TimedOut, Outcome::Lost] {
            assert!(tally.ended(outcome).requests > 100, "{outcome:?}: {:?}", tally.ended(outcome));
        }
    }
}

/// Two classes of an M/M/1 queue under processor sharing: each stays `E[S]/(1 - rho)` on average, rho of both together (Baskett,
/// Chandy, Muntz and Palacios 1975; Kleinrock 1976, 4.4).
#[test]
fn two_classes_share_one_processor() {
    let means_s = [1.0, 0.25];
    for (load, requests, widest) in [(0.3, 1e5, 0.02), (0.6, 1.5e5, 0.03), (0.85, 4e5, 0.06)] {
        // A third of the load is the first's.
        let rates = [load / 3.0 / means_s[0], load * 2.0 / 3.0 / means_s[1]];
        let tallies: Vec<Tally> = (1..=RUNS)
            .map(|seed| {
                let models = means_s.iter().map(|&mean_s| hosted(Law::queue(1, Work::Exponential(mean_s), None), 1, f64::INFINITY));
                let mut setup = shared(models.collect(), (usize::MAX, 1.0));
                setup.seed = seed;
                let (mut tally, span_s) = (no_limits_for(2), requests / (rates[0] + rates[1]));
                let mut station = station(setup, 1, &mut tally);
                tally.weigh(0.0, 0.0);
                tally.weigh(0.1 * span_s, 1.0);
                station.advance(1.1 * span_s, &mut streams(&rates, seed), &mut tally);
                close(station, tally)
            })
            .collect();
        for (class, mean_s) in means_s.iter().enumerate() {
            let found: Vec<f64> = tallies.iter().filter_map(|tally| tally.members()[class].latency.mean_s()).collect();
            hold(&format!("class {class} at {load}"), &found, mean_s / (1.0 - load), widest);
        }
    }
}

/// Two models of one law make the queue of one, if they do not disturb each other: M/M/2 with half the requests each.
#[test]
fn two_models_of_one_law_are_one_queue() {
    let law = || Law::queue(2, Work::Exponential(1.0), None);
    let load: f64 = 0.7;
    // Erlang C for two servers, then the time in the system.
    let waits = 2.0 * load * load / (1.0 + load);
    let expected_s = 1.0 + waits / (2.0 * (1.0 - load));
    let found: Vec<Vec<f64>> = (1..=RUNS)
        .map(|seed| {
            let mut setup = shared(vec![hosted(law(), 1, f64::INFINITY), hosted(law(), 1, f64::INFINITY)], (2, 1.0));
            setup.seed = seed;
            let mut tally = no_limits_for(2);
            let mut station = station(setup, 1, &mut tally);
            tally.weigh(0.0, 0.0);
            tally.weigh(1e4, 1.0);
            station.advance(1.1e5, &mut streams(&[load, load], seed), &mut tally);
            let tally = close(station, tally);
            tally.members().iter().filter_map(|member| member.latency.mean_s()).collect()
        })
        .collect();
    for class in 0..2 {
        hold("M/M/2", &found.iter().map(|means| means[class]).collect::<Vec<_>>(), expected_s, 0.03);
    }
}

/// Two models of 10 s a request, a request of each at 0 s: 25 s for both, for 1.25 holds while the other is there. A third at 25 s is
/// alone, and a fourth at 30 s finds it half done: both slow down, the first ends after 5 x 2 x 1.25 = 12.5 s more, and the other,
/// which then has 5 of 10 s left, alone after 5 more.
#[test]
fn interference_is_between_models_and_while_both_work() {
    let model = || hosted(Law::queue(1, Work::Constant(10.0), None), 1, f64::INFINITY);
    let mut tally = no_limits_for(2);
    let mut station = station(shared(vec![model(), model()], (4, 1.25)), 1, &mut tally);
    station.advance(1000.0, &mut arrivals(&[&[0.0, 25.0], &[0.0, 30.0]]), &mut tally);
    let tally = close(station, tally);
    let all_s: f64 = tally.area_s;
    assert!((all_s - (25.0 + 25.0 + 17.5 + 17.5)).abs() < 1e-9, "{all_s}");
    assert!(tally.members().iter().all(|member| (member.area_s - 42.5).abs() < 1e-9));
}

/// Far more requests than it can serve: the rate of the mix over 1.25, and that of the mix alone without interference.
#[test]
fn a_server_under_interference_carries_so_much_less() {
    let [t4, bert] = curves();
    for interference in [1.0, 1.25] {
        let laws = [Law::curve(&t4), Law::curve(&bert)];
        let models = laws.iter().map(|law| hosted(law.clone(), 1, f64::INFINITY)).collect();
        let mut tally = no_limits_for(2);
        let mut station = station(shared(models, (64, interference)), 1, &mut tally);
        // Of one priority and first come, first served: what is served is the mix that came, half and half.
        station.advance(300.0, &mut streams(&[2000.0, 2000.0], 5), &mut tally);
        let tally = close(station, tally);
        let rates = served(&tally).iter().map(|&requests| requests as f64 / 300.0).collect::<Vec<_>>();
        // With b in service, of which x for the first: x r1(b)/b of it end, and (b - x) r2(b)/b of the other. Both are the same rate
        // where x r1 = (b - x) r2, so that each is r1 r2/(r1 + r2). At 64 the first's curve is between its knots, the other's beyond.
        let (r1, r2) = (2133.1 + (2145.3 - 2133.1) * 16.0 / 48.0, 144.9);
        let expected = r1 * r2 / (r1 + r2) / interference;
        for rate in rates {
            assert!((rate / expected - 1.0).abs() < 0.02, "{interference}: {rate}, {expected} expected");
        }
    }
}

/// One place: what is in it goes on, then the urgent ones in order of arrival, then the others.
#[test]
fn the_urgent_wait_in_front() {
    let model = |priority| hosted(Law::queue(1, Work::Constant(10.0), None), priority, f64::INFINITY);
    let mut tally = Tally::shared(&[Limits { latency_s: 22.0, ..Limits::NONE }, Limits { latency_s: 22.0, ..Limits::NONE }]);
    let mut station = station(shared(vec![model(2), model(1)], (1, 1.25)), 1, &mut tally);
    // Served from 0 (the first), 10 (the urgent of 4 s), 20 (of 5 s), then 30 (of 1 s) and 40 (of 2 s).
    station.advance(5.5, &mut arrivals(&[&[0.0, 1.0, 2.0], &[4.0, 5.0]]), &mut tally);
    assert_eq!((station.load().running, station.load().waiting), (1, 4));
    assert_eq!((station.load_of(0).waiting, station.load_of(1).waiting), (2, 2));
    station.advance(100.0, &mut arrivals(&[&[], &[]]), &mut tally);
    let tally = close(station, tally);
    let spent: Vec<f64> = tally.members().iter().map(|member| member.area_s).collect();
    assert!((spent[0] - (10.0 + 39.0 + 48.0)).abs() < 1e-9 && (spent[1] - (16.0 + 25.0)).abs() < 1e-9, "{spent:?}");
    assert_eq!(tally.members().iter().map(|member| member.met.requests).collect::<Vec<_>>(), [1, 1]);
}

/// Timeouts are the member's own, in the queue and before the replicas.
#[test]
fn members_have_timeouts_of_their_own() {
    let model = |timeout_s| hosted(Law::queue(1, Work::Constant(10.0), None), 1, timeout_s);
    let mut tally = no_limits_for(2);
    let mut station = Station::new(shared(vec![model(60.0), model(5.0)], (1, 1.0)), 0.0);
    // Held: the second's are gone at 6 and 8 s although the first's of 0 s stands before them.
    let mut source = arrivals(&[&[0.0], &[1.0, 3.0, 21.0]]);
    station.advance(7.0, &mut source, &mut tally);
    assert_eq!((station.load().held, station.load_of(1).held), (2, 1));
    station.advance(20.0, &mut source, &mut tally);
    station.add_replica(NewReplica { id: 0, model: 0, weight: 1.0 }, 20.0, &mut tally);
    // Queued at 21 s behind the first's, which ends at 30 s: gone at 26 s.
    station.advance(100.0, &mut source, &mut tally);
    let tally = close(station, tally);
    let of = |class: usize, outcome: Outcome| tally.members()[class].ended(outcome).requests;
    assert_eq!((of(0, Outcome::Served), of(1, Outcome::TimedOut)), (1, 3));
    assert!((tally.members()[1].area_s - 15.0).abs() < 1e-9 && (tally.area_s - 45.0).abs() < 1e-9, "{}", tally.area_s);
}

/// And counted as such.
#[test]
fn a_request_of_no_member_is_dropped() {
    let mut tally = no_limits();
    let models = vec![hosted(Law::queue(1, Work::Constant(1.0), None), 1, f64::INFINITY)];
    let mut station = station(shared(models, (1, 1.0)), 1, &mut tally);
    station.advance(1.0, &mut arrivals(&[&[0.0], &[0.5]]), &mut tally);
    station.advance(9.0, &mut trace(&[]), &mut tally);
    let tally = close(station, tally);
    assert_eq!((tally.ended(Outcome::Served).requests, tally.ended(Outcome::Dropped).requests), (1, 1));
}
