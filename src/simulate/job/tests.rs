//! Hand-computed runs, to the second.

use super::*;
use crate::simulate::cluster::{Cluster, Delays, Outage, Place, PodRequest, Pool, Room, Script, Setup, Span, StartUp, Weather, Which};
use crate::simulate::random::Stream;
use crate::units::UsdPerHour;

/// Two workers, 1,000 units at 1 a second; saves of 20 s each 300 s; 50 s to restart.
fn training() -> JobSpec {
    JobSpec {
        workers: 2,
        gang: true,
        units: 1000.0,
        units_per_s: 1.0,
        checkpoint: Some(Checkpoint { interval_s: 300.0, save_s: 20.0 }),
        restart_s: 50.0,
        active_deadline_s: None,
        source: Source::Cron { starting_deadline_s: None },
        first_pod: 1,
    }
}

/// One worker, no saves.
fn single(seconds: f64) -> JobSpec {
    JobSpec { workers: 1, units: seconds, checkpoint: None, ..training() }
}

fn ready(job: &mut Job, pod: u64, at: i64) {
    job.on(&Happening::PodReady { pod, at });
}

fn evict(job: &mut Job, pod: u64, at: i64) {
    job.on(&Happening::PodEvicted { pod, at, deadline: at + 120 });
}

const fn create(pod: u64) -> Order {
    Order::Create { pod }
}

const fn finish(pod: u64) -> Order {
    Order::Finish { pod }
}

/// Useful, lost, overhead, waiting.
fn accounts(job: &Job) -> [i64; 4] {
    let time = job.time();
    assert_eq!(time.balance(), Ok(()));
    [time.useful_s, time.lost_s, time.overhead_s, time.waiting_s].map(|s| s.round() as i64)
}

#[test]
fn a_gang_with_one_eviction() {
    let mut job = Job::new(training(), 0);
    job.release(0, 1500);
    assert_eq!(job.run_to(0), vec![create(1), create(2)]);
    ready(&mut job, 1, 100);
    assert_eq!(job.due_at(), None, "one of two");
    ready(&mut job, 2, 150);
    // 150 + 1,000 + saves after 300, 600 and 900 s of work.
    assert_eq!(job.due_at(), Some(1210));
    // Saved at 470 and 790; the 110 s since then are lost at 900.
    evict(&mut job, 1, 900);
    assert_eq!(job.run_to(900), vec![finish(1), create(3)]);
    assert!((job.units_left() - 400.0).abs() < 1e-9);
    ready(&mut job, 3, 1000);
    // Restart until 1050, 300 s of work, a save, 100 s of work.
    assert_eq!(job.due_at(), Some(1470));
    assert_eq!(job.run_to(1470), vec![finish(2), finish(3)]);
    assert_eq!(job.outcomes(), [RunOutcome { released_at: 0, deadline: 1500, end: RunEnd::Done(1470.0) }]);
    assert!(!job.outcomes()[0].missed(9999));
    // Wall 900 + 1,470 + 570 = 2,940. Useful 2 x 1,000. Lost 2 x 110. Overhead 2 x (3 x 20 + 50). Waiting 2 x 150 + 2 x 100.
    assert_eq!(accounts(&job), [2000, 220, 220, 500]);
    assert!((job.time().wall_s() - 2940.0).abs() < 1e-9);
    assert_eq!(job.due_at(), None);
}

#[test]
fn a_save_that_does_not_end_saves_nothing() {
    let mut job = Job::new(training(), 0);
    job.release(0, 9999);
    ready(&mut job, 1, 0);
    ready(&mut job, 2, 0);
    // 0..300 work, a save until 320: lost at 310. Lost once more while it restarts.
    evict(&mut job, 2, 310);
    ready(&mut job, 3, 310);
    evict(&mut job, 3, 350);
    ready(&mut job, 4, 350);
    // Restart until 400, 1,000 s and three saves: 1,460.
    assert_eq!(job.due_at(), Some(1460));
    job.run_to(1460);
    // Overhead 2 x (10 of a save + 40 + 50 of restarts + 60 of saves).
    assert_eq!(accounts(&job), [2000, 600, 320, 0]);
}

#[test]
fn no_save_at_the_very_end() {
    let mut job = Job::new(JobSpec { units: 600.0, ..training() }, 0);
    job.release(0, 9999);
    ready(&mut job, 1, 0);
    ready(&mut job, 2, 0);
    assert_eq!(job.due_at(), Some(620));
    job.run_to(620);
    assert_eq!(job.outcomes()[0].end, RunEnd::Done(620.0));
}

#[test]
fn without_saves_all_is_lost() {
    let mut job = Job::new(single(1000.0), 0);
    job.release(0, 1999);
    ready(&mut job, 1, 0);
    evict(&mut job, 1, 999);
    ready(&mut job, 2, 1000);
    assert_eq!(job.due_at(), Some(2050));
    job.run_to(2050);
    assert!(job.outcomes()[0].missed(2050), "50 s late");
    assert_eq!(accounts(&job), [1000, 999, 50, 1]);
}

#[test]
fn the_rest_of_the_last_second_is_overhead() {
    let mut job = Job::new(JobSpec { units: 10.0, units_per_s: 3.0, ..single(0.0) }, 0);
    job.release(0, 9);
    ready(&mut job, 1, 0);
    assert_eq!(job.due_at(), Some(4));
    job.run_to(4);
    let time = job.time();
    assert!((time.useful_s - 10.0 / 3.0).abs() < 1e-9 && (time.overhead_s - 2.0 / 3.0).abs() < 1e-9);
    assert!(matches!(job.outcomes()[0].end, RunEnd::Done(at) if (at - 10.0 / 3.0).abs() < 1e-9));
    // Nothing to do takes no time.
    let mut none = Job::new(single(0.0), 0);
    none.release(0, 9);
    ready(&mut none, 1, 5);
    assert_eq!(none.run_to(5), vec![create(1), finish(1)]);
}

#[test]
fn independent_workers_go_on_with_any() {
    let spec = JobSpec { gang: false, units_per_s: 2.0, ..training() };
    let mut job = Job::new(spec, 0);
    job.release(0, 9999);
    ready(&mut job, 1, 100);
    ready(&mut job, 2, 200);
    // 100 units by 200; 900 left at 2 a second.
    assert_eq!(job.due_at(), Some(650));
    evict(&mut job, 1, 400);
    // 500 done; 2 alone until 500: 600; both: 700.
    ready(&mut job, 3, 500);
    assert_eq!(job.due_at(), Some(700));
    assert_eq!(job.run_to(700), vec![create(1), create(2), finish(1), create(3), finish(2), finish(3)]);
    // 1: 0..400, 2: 0..700, 3: 400..700. Waiting 100 + 200 + 100.
    assert_eq!(accounts(&job), [1000, 0, 0, 400]);
}

#[test]
fn a_worker_that_comes_too_late_still_comes() {
    let mut job = Job::new(JobSpec { gang: false, ..training() }, 0);
    job.release(0, 3000);
    ready(&mut job, 1, 0);
    // One alone takes 2,000 s at half the rate; the other is still starting.
    assert_eq!(job.run_to(2000), vec![create(1), create(2), finish(1)]);
    assert_eq!((job.unfinished(), job.outcomes()[0].end), (1, RunEnd::Done(2000.0)));
    ready(&mut job, 2, 2500);
    assert_eq!(job.run_to(2500), vec![finish(2)]);
    assert_eq!(job.unfinished(), 0);
    assert_eq!(accounts(&job), [2000, 0, 0, 2500]);
}

#[test]
fn a_firing_waits_for_the_last_run_and_the_latest_counts() {
    let ends = |starting_deadline_s| {
        let mut job = Job::new(JobSpec { source: Source::Cron { starting_deadline_s }, ..single(2500.0) }, 0);
        job.release(0, 3000);
        ready(&mut job, 1, 0);
        job.release(1000, 4000);
        job.release(2000, 5000);
        let orders = job.run_to(2500);
        ready(&mut job, 2, 2500);
        job.run_to(9000);
        assert_eq!(job.time().balance(), Ok(()));
        (orders, job.outcomes().iter().map(|run| run.end).collect::<Vec<_>>())
    };
    // The firing of 2000 starts at 2500, if it may be 500 s late.
    let started = (vec![create(1), finish(1), create(2)], vec![RunEnd::Done(2500.0), RunEnd::Skipped, RunEnd::Done(5000.0)]);
    assert_eq!(ends(None), started);
    assert_eq!(ends(Some(500)), started);
    let skipped = (vec![create(1), finish(1)], vec![RunEnd::Done(2500.0), RunEnd::Skipped, RunEnd::Skipped]);
    assert_eq!(ends(Some(499)), skipped);
}

#[test]
fn a_run_that_takes_too_long_fails() {
    let mut job = Job::new(JobSpec { active_deadline_s: Some(500), ..training() }, 0);
    job.release(0, 500);
    ready(&mut job, 1, 0);
    ready(&mut job, 2, 0);
    job.release(400, 900);
    // 300 s of work and a save were done: undone with the run. The firing that waited starts in that second.
    let orders = job.run_to(500);
    assert_eq!(orders[2..], [Order::Delete { pod: 1 }, Order::Delete { pod: 2 }, create(3), create(4)]);
    assert_eq!(job.outcomes()[0].end, RunEnd::Failed(500));
    assert!(job.outcomes()[0].missed(500) && !job.outcomes()[1].missed(900) && job.outcomes()[1].missed(901));
    assert_eq!(accounts(&job), [0, 960, 40, 0]);
    // Work that ends at that very second is done.
    let mut exact = Job::new(JobSpec { active_deadline_s: Some(500), ..single(500.0) }, 0);
    exact.release(0, 500);
    ready(&mut exact, 1, 0);
    exact.run_to(500);
    assert_eq!(exact.outcomes()[0].end, RunEnd::Done(500.0));
    assert!(!exact.outcomes()[0].missed(500));
}

/// 100 units at 1 a second and worker.
fn queue() -> JobSpec {
    JobSpec { gang: false, units: 100.0, units_per_s: 2.0, source: Source::Queue, ..training() }
}

#[test]
fn workers_take_from_the_queue_until_it_is_empty() {
    let mut job = Job::new(queue(), 0);
    job.release(0, 500);
    assert_eq!((job.run_to(30), job.next_event()), (vec![], None));
    job.add_workers(30, 1);
    assert_eq!((job.run_to(30), job.unfinished()), (vec![create(1)], 1));
    ready(&mut job, 1, 60);
    job.release(100, 200);
    // 40 done; 60 and 100 left: the first is done at 160, all at 260.
    assert!((job.units_left() - 160.0).abs() < 1e-9);
    assert_eq!(job.due_at(), Some(260));
    job.add_workers(120, 1);
    // 2 is ready at 200, when the second batch has 60 left: done at 230.
    ready(&mut job, 2, 200);
    assert_eq!(job.run_to(230), vec![create(2), finish(1), finish(2)]);
    let ends: Vec<_> = job.outcomes().iter().map(|run| (run.end, run.missed(999))).collect();
    assert_eq!(ends, vec![(RunEnd::Done(160.0), false), (RunEnd::Done(230.0), true)]);
    // 1: 30..230, 2: 120..230. Waiting 30 + 80.
    assert_eq!(accounts(&job), [200, 0, 0, 110]);
}

#[test]
fn the_job_of_a_worker_has_a_deadline_of_its_own() {
    let mut job = Job::new(JobSpec { active_deadline_s: Some(80), ..queue() }, 0);
    job.release(0, 500);
    job.add_workers(0, 1);
    ready(&mut job, 1, 20);
    // An eviction does not start it anew.
    evict(&mut job, 1, 50);
    ready(&mut job, 2, 70);
    assert_eq!(job.run_to(80), vec![create(1), finish(1), create(2), Order::Delete { pod: 2 }]);
    assert_eq!((job.unfinished(), job.outcomes()[0].end), (0, RunEnd::Open));
    assert!((job.units_left() - 60.0).abs() < 1e-9);
    // Gone for good: that it also leaves the cluster changes nothing.
    job.on(&Happening::PodGone { pod: 2, at: 110 });
    assert_eq!(job.run_to(600), vec![]);
    assert!(job.outcomes()[0].missed(600));
    assert_eq!(accounts(&job), [40, 0, 0, 40]);
}

/// Progress of a gang against Daly's exact form, as the plan counts it: M = 10 h between losses, C = 5 min, R = 10 min, Young's
/// interval sqrt(2 C M) = 4,648 s; efficiency 0.862. 6,000 h of work are about 700 losses, each costing half an interval give or
/// take: the share of lost time (8%) is known to 1/sqrt(700) x 0.8 = 3%, so efficiency to 0.25%; four of it.
#[test]
fn progress_follows_daly() {
    let (mean_s, save_s, restart_s) = (36_000.0_f64, 300.0_f64, 600.0_f64);
    let interval_s = (2.0 * save_s * mean_s).sqrt();
    let work_s = 6000.0 * 3600.0;
    let checkpoint = Some(Checkpoint { interval_s, save_s });
    let mut job = Job::new(JobSpec { restart_s, checkpoint, ..single(work_s) }, 0);
    let mut stream = Stream::new(5, "daly", "test");
    job.release(0, i64::MAX);
    let (mut pod, mut at) = (1, 0.0);
    ready(&mut job, pod, 0);
    loop {
        at += mean_s * stream.exponential();
        let loss = at as i64;
        if job.due_at().is_some_and(|done| done <= loss) {
            break;
        }
        evict(&mut job, pod, loss);
        pod += 1;
        ready(&mut job, pod, loss);
        job.run_to(loss);
    }
    job.run_to(i64::MAX / 2);
    let RunEnd::Done(end) = job.outcomes()[0].end else { panic!("{:?}", job.outcomes()) };
    let daly = interval_s / (mean_s * (restart_s / mean_s).exp() * (((interval_s + save_s) / mean_s).exp() - 1.0));
    assert!((work_s / end / daly - 1.0).abs() < 0.01, "{} against {daly}", work_s / end);
    assert_eq!(job.time().balance(), Ok(()));
    assert!((job.time().useful_s - work_s).abs() < 1e-3, "{}", job.time().useful_s);
}

/// Whatever happens, the accounts add up and no work is invented.
#[test]
fn accounts_add_up_under_any_events() {
    for seed in 0..300 {
        let mut stream = Stream::new(seed, "events", "test");
        let queued = seed % 3 == 0;
        let spec = JobSpec {
            workers: 3,
            gang: seed % 2 == 0,
            units: 400.0 / 7.0,
            units_per_s: 0.3,
            active_deadline_s: (seed % 5 == 0).then_some(700),
            source: if queued { Source::Queue } else { Source::Cron { starting_deadline_s: Some(200) } },
            ..training()
        };
        let mut job = Job::new(spec, 0);
        let (mut now, mut alive) = (0, Vec::new());
        for _ in 0..200 {
            now += stream.below(40) as i64;
            match stream.below(8) {
                0 => job.release(now, now + 900),
                1 => job.add_workers(now, 1),
                2..=4 if !alive.is_empty() => ready(&mut job, alive[stream.below(alive.len())], now),
                5 if !alive.is_empty() => evict(&mut job, alive[stream.below(alive.len())], now),
                _ => {}
            }
            for order in job.run_to(now) {
                match order {
                    Order::Create { pod } => alive.push(pod),
                    Order::Finish { pod } | Order::Delete { pod } => alive.retain(|other| *other != pod),
                }
            }
            assert_eq!(job.time().balance(), Ok(()), "seed {seed}");
        }
        let done = job.outcomes().iter().filter(|run| matches!(run.end, RunEnd::Done(_))).count() as f64 * 400.0 / 7.0;
        let (useful, open) = (job.time().useful_s * 0.1, job.outcomes().len() as f64 * 400.0 / 7.0);
        assert!(useful > done - 1e-3 && useful < open + 1e-3, "seed {seed}: {useful} units for {done} done of {open}");
    }
}

/// The same on machines: a gang of two on spot that is lost and goes on on demand.
#[test]
fn a_gang_on_spot_that_goes_on_on_demand() {
    let pool = |name: &str, spot| Pool {
        name: name.to_owned(),
        instance_type: "g6.xlarge".to_owned(),
        region: "r".to_owned(),
        zones: vec!["a".to_owned()],
        spot,
        allocatable: Room { gpus: 1, cpu_milli: 4000, memory_mib: 8000, ..Room::default() },
        max_nodes: 2,
        min_nodes: 0,
        consolidate_after_s: Some(60),
        replaces_underutilized: false,
        usd_per_hour: UsdPerHour::from_f64(1.0),
        notice_s: 120,
        node_reclaims_per_hour: 0.0,
    };
    let pools = vec![pool("spot", true), pool("od", false)];
    let place = Place { pool: "spot".into(), market: "m".into(), zones: vec!["a".into()], spot: true, risk: None };
    let outage = Outage { which: Which::AllSpot, from: 1000, to: 9000, loses_nodes: true };
    let script = Script { outages: vec![outage], slow: vec![] };
    let weather = Weather::calm(0, 9000).scripted(&[place], &script).expect("a script");
    let delays = Delays { provision: Span::fixed(100.0) };
    let mut cluster = Cluster::new(Setup { pools, weather, delays, seed: 1, from: 0 });
    let mut job = Job::new(training(), 0);
    job.release(0, 9000);
    let (mut now, start_up) = (0, StartUp { image: Span::fixed(40.0), weights: Span::fixed(0.0), engine: Span::fixed(10.0) });
    loop {
        for happening in cluster.run_to(now) {
            job.on(&happening);
        }
        for order in job.run_to(now) {
            match order {
                Order::Create { pod } => cluster.request_pod(
                    now,
                    PodRequest {
                        pod,
                        group: 0,
                        pools: vec![0, 1],
                        ask: Room { gpus: 1, cpu_milli: 1000, memory_mib: 1000, ..Room::default() },
                        grace_s: 30,
                        zones_spread: None,
                        image: 0,
                        start_up,
                        do_not_disrupt: true,
                        budget: None,
                    },
                ),
                Order::Finish { pod } => cluster.finish_pod(now, pod),
                Order::Delete { pod } => cluster.delete_pod(now, pod),
            }
        }
        match job.next_event().into_iter().chain(cluster.next_event()).min() {
            Some(at) => now = at,
            None => break,
        }
    }
    // Nodes up at 100, ready at 150. 300 s, a save until 470, 300 s, a save until 790, 210 s lost at 1000. On demand: up at 1100, ready at
    // 1150, restart until 1200, 300 s, a save until 1520, 100 s: 1620.
    assert_eq!(job.outcomes()[0].end, RunEnd::Done(1620.0));
    // Waiting 2 x 150 twice; lost 2 x 210; overhead 2 x (3 x 20 + 50).
    assert_eq!(accounts(&job), [2000, 420, 220, 600]);
    // The spot nodes go with their workers at 1000, the others 60 s after the end.
    let lives: Vec<_> = cluster.lives().iter().map(|life| (life.pool, life.from, life.to)).collect();
    assert_eq!(lives, vec![(0, 0, 1000), (0, 0, 1000), (1, 1000, 1680), (1, 1000, 1680)]);
    assert_eq!(cluster.balance(), Ok(()));
}
