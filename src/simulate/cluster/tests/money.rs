//! The bill to the nano-dollar.

use super::billing::{Committed, invoice};
use super::*;

fn life(node: u64, pool: usize, from: i64, to: i64) -> NodeLife {
    NodeLife { node, pool, from, to }
}

fn priced(usd: f64) -> Pool {
    Pool { usd_per_hour: UsdPerHour::from_f64(usd), ..pool("od", &["a"]) }
}

fn paid(pools: &[Pool], lives: &[NodeLife], span: (i64, i64), committed: &[Committed]) -> Vec<(i64, i64, i64)> {
    let pools: Vec<&Pool> = pools.iter().collect();
    invoice(&pools, lives, (span, committed)).pools.iter().map(|p| (p.paid_s, p.covered_s, p.usd.nanos())).collect()
}

#[test]
fn seconds_times_price_rounded_once_half_to_even() {
    // 1,861 s at $1.861: 1861 x 1,861,000,000 / 3600 = 962,033,611.1..
    assert_eq!(paid(&[priced(1.861)], &[life(0, 0, 0, 1861)], (0, WEEK), &[]), vec![(1861, 0, 962_033_611)]);
    // Two nodes of 900 s at 2 nano-dollars an hour: 1,800 x 2 / 3600 = 1 exactly; rounded one by one it would be 0 twice.
    let nano = |n| Pool { usd_per_hour: UsdPerHour::from_f64(f64::from(n) * 1e-9), ..pool("od", &["a"]) };
    assert_eq!(paid(&[nano(2)], &[life(0, 0, 0, 900), life(1, 0, 0, 900)], (0, WEEK), &[]), vec![(1800, 0, 1)]);
    // Halves go to even: 0.5 to 0, 1.5 to 2.
    assert_eq!(paid(&[nano(1)], &[life(0, 0, 0, 1800)], (0, WEEK), &[]), vec![(1800, 0, 0)]);
    assert_eq!(paid(&[nano(3)], &[life(0, 0, 0, 1800)], (0, WEEK), &[]), vec![(1800, 0, 2)]);
}

#[test]
fn a_minute_at_least() {
    assert_eq!(paid(&[priced(3.6)], &[life(0, 0, 100, 101)], (0, WEEK), &[]), vec![(60, 0, 60_000_000)]);
    // Only what falls into the span counts.
    assert_eq!(paid(&[priced(3.6)], &[life(0, 0, 100, 101)], (0, 130), &[]), vec![(30, 0, 30_000_000)]);
    assert_eq!(paid(&[priced(3.6)], &[life(0, 0, 0, 1000)], (900, 2000), &[]), vec![(100, 0, 100_000_000)]);
}

#[test]
fn commitments_cover_the_dearest_first() {
    let committed = |nodes| Committed { instance_type: "g6.xlarge".into(), region: "us-east-1".into(), nodes };
    let dear = Pool { usd_per_hour: UsdPerHour::from_f64(7.2), name: "dear".into(), ..pool("dear", &["a"]) };
    let pools = [priced(3.6), dear, spot("spot", &["a"])];
    // od: 0..300 and 100..200; dear: 150..250. One covered: od's first 0..150, dear 150..250, od's first again 250..300.
    let lives = [life(0, 0, 0, 300), life(1, 0, 100, 200), life(2, 1, 150, 250), life(3, 2, 0, 300)];
    let expected = vec![(200, 200, 200_000_000), (0, 100, 0), (300, 0, 25_000_000)];
    assert_eq!(paid(&pools, &lives, (0, WEEK), &[committed(1)]), expected);
    // Two: all but od's second while three run (150..200), which pays 50 s.
    assert_eq!(paid(&pools, &lives, (0, WEEK), &[committed(1), committed(1)])[0], (50, 350, 50_000_000));
    // Another region covers nothing, spot is never covered.
    let elsewhere = Committed { region: "eu-west-1".into(), ..committed(9) };
    assert_eq!(paid(&pools, &lives, (0, WEEK), &[elsewhere])[1], (100, 0, 200_000_000));
    assert_eq!(paid(&pools, &lives, (0, WEEK), &[committed(9)])[2].1, 0);
}

#[test]
fn the_bill_of_a_run() {
    let mut c = cluster(vec![spot("spot", &["a"]), pool("od", &["a"])], vec![outage("spot", 1000, 9000, true)]);
    c.request_pod(0, pod(1, &[0, 1]));
    c.run_to(1000);
    c.request_pod(1000, pod(2, &[0, 1]));
    c.run_to(3600);
    // Spot 0..1030 at $0.30, on-demand 1000..3600 at $1: 1030 x 0.3/3600 = 0.0858333.., 2600/3600 = 0.7222...
    let bill = c.invoice((0, 3600), (&[], &[]));
    assert_eq!(bill.usd_of(true).nanos(), 85_833_333);
    assert_eq!(bill.usd_of(false).nanos(), 722_222_222);
    assert_eq!(bill.usd().nanos(), 808_055_555);
    assert_eq!((c.node_seconds(0), c.node_seconds(1)), (1030, 2600));
    assert_eq!(bill.pools.iter().map(|p| (p.nodes, p.lived_s)).collect::<Vec<_>>(), vec![(1, 1030), (1, 2600)]);
    assert_eq!(c.balance(), Ok(()));
}
