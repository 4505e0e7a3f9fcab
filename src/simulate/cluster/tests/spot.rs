//! Reclaims: notice, fallback, order of losses.

use super::*;

/// Spot in zone a, on-demand stands in.
fn pair() -> Vec<Pool> {
    vec![spot("spot", &["a"]), pool("od", &["a"])]
}

#[test]
fn a_reclaim_gives_notice_and_the_next_pool_takes_over() {
    let mut c = cluster(pair(), vec![outage("spot", 1000, 5000, true)]);
    c.request_pod(0, PodRequest { grace_s: 90, ..pod(1, &[0, 1]) });
    assert_eq!(c.run_to(999), vec![ready(1, 190)]);
    // Notice at 1000 until 1120; the pod's grace of 90 s is shorter.
    assert_eq!(c.run_to(1000), vec![evicted(1, 1000, 1090)]);
    c.request_pod(1000, pod(2, &[0, 1]));
    assert_eq!(c.run_to(1300), vec![gone(1, 1090), ready(2, 1190)]);
    assert_eq!(pool_of(&c, 2), Some(1));
    // The spot node goes with its last pod, before the notice is over.
    assert_eq!(lives(&c), vec![(0, 0, 1090), (1, 1000, 1300)]);
    assert_eq!(c.balance(), Ok(()));
}

#[test]
fn a_notice_shorter_than_the_grace_ends_the_pod() {
    let pools = vec![Pool { notice_s: 30, ..spot("spot", &["a"]) }];
    let mut c = cluster(pools, vec![outage("spot", 1000, 5000, true)]);
    c.request_pod(0, PodRequest { grace_s: 300, ..pod(1, &[0]) });
    c.run_to(200);
    c.request_pod(900, PodRequest { grace_s: 300, ..pod(2, &[0]) });
    // 2's node is still booting at 1000: lost at once, and 2 waits again.
    assert_eq!(c.run_to(1100), vec![evicted(1, 1000, 1030), pending(2, 1000), gone(1, 1030)]);
    assert_eq!(lives(&c), vec![(0, 0, 1030), (0, 900, 1000)]);
}

#[test]
fn a_pod_that_starts_on_a_lost_node_is_gone_at_once() {
    let mut c = cluster(pair(), vec![outage("spot", 150, 5000, true)]);
    c.request_pod(0, pod(1, &[0, 1]));
    assert_eq!(c.run_to(400), vec![evicted(1, 150, 150), gone(1, 150)]);
    assert_eq!(lives(&c), vec![(0, 0, 150)]);
}

#[test]
fn a_deletion_that_runs_is_cut_short_by_a_reclaim() {
    let mut c = cluster(pair(), vec![outage("spot", 1000, 5000, true)]);
    c.request_pod(0, PodRequest { grace_s: 600, ..pod(1, &[0]) });
    c.run_to(900);
    c.delete_pod(900, 1);
    assert_eq!(c.run_to(2000), vec![gone(1, 1120)]);
    assert_eq!(lives(&c), vec![(0, 0, 1120)]);
}

#[test]
fn nodes_that_leave_make_room_for_successors_but_not_beyond_the_limit() {
    // One spot node at most, two zones. Zone a collapses: the leaving node does not count, so b may have one.
    let pools = vec![Pool { max_nodes: 1, ..spot("spot", &["a", "b"]) }, pool("od", &["a", "b"])];
    let lost = vec![
        Change { at: 0, capacity: UNLIMITED, keep: None },
        Change { at: 1000, capacity: 0, keep: Some(0) },
        Change { at: 9000, capacity: UNLIMITED, keep: None },
    ];
    let mut weather = Weather::calm(0, WEEK);
    weather.zones.insert(("spot".into(), "a".into()), lost);
    let mut c = under(pools, weather);
    c.request_pod(0, PodRequest { grace_s: 120, ..pod(1, &[0, 1]) });
    c.run_to(1000);
    c.request_pod(1000, pod(2, &[0, 1]));
    // While both are there, a third is refused: active 1 of 1, all 2 of 1.
    c.request_pod(1000, pod(3, &[0, 1]));
    c.run_to(1100);
    assert_eq!((pool_of(&c, 2), pool_of(&c, 3)), (Some(0), Some(1)));
}

#[test]
fn a_pool_that_shrinks_keeps_what_it_can() {
    // A trace falls from 3 to 1 at 1000: two nodes go, one stays.
    let trace = Trace::counts("0,3\n1000,3\n1000,1\n2000,1\n2000,3\n3000,3", 1.0).expect("a trace");
    let mut weather = Weather::calm(0, 2900);
    weather.set_trace("spot", "a", (&trace, 0));
    let mut c = under(vec![spot("spot", &["a"])], weather);
    (1..=3).for_each(|id| c.request_pod(0, pod(id, &[0])));
    c.run_to(500);
    let happened = c.run_to(1000);
    assert_eq!(happened.len(), 2, "{happened:?}");
    assert_eq!(c.counts(0), NodeCounts { up: 1, leaving: 2, booting: 0 });
    // One more is refused at 1500 and at 1560, .., and comes at 2040.
    c.request_pod(1500, pod(4, &[0]));
    c.run_to(1999);
    assert_eq!(pool_of(&c, 4), None);
    c.run_to(2040);
    assert_eq!(pool_of(&c, 4), Some(0));
    assert_eq!(c.balance(), Ok(()));
}

#[test]
fn all_spot_at_once_and_all_on_demand() {
    let all = |which, loses_nodes| Outage { which, from: 1000, to: 2000, loses_nodes };
    let mut c = cluster(pair(), vec![all(Which::AllSpot, true), all(Which::AllOnDemand, false)]);
    c.request_pod(0, pod(1, &[0]));
    c.request_pod(0, pod(2, &[1]));
    c.run_to(999);
    assert_eq!(c.run_to(1000), vec![evicted(1, 1000, 1030)]);
    c.request_pod(1000, pod(3, &[0, 1]));
    // Neither supplies until 2000; what runs on demand stays. Tries at 1000, .., 1960, 2020.
    assert_eq!(c.run_to(2300), vec![pending(3, 1000), gone(1, 1030), ready(3, 2210)]);
    assert_eq!(pool_of(&c, 2), Some(1));
}

/// Lives of 3,000 nodes that only single reclaims end, at 2 an hour: mean 1,800 s, standard error 1,800/sqrt(3,000) = 33 s; three of them.
#[test]
fn single_reclaims_have_their_rate() {
    let pools = vec![Pool { node_reclaims_per_hour: 2.0, max_nodes: 3000, notice_s: 0, ..spot("spot", &["a"]) }];
    let mut c = cluster(pools, vec![]);
    (0..3000).for_each(|id| {
        c.place_running(0, pod(id, &[0]));
    });
    c.run_to(WEEK);
    let lives = c.lives();
    let mean = lives.iter().map(|life| (life.to - life.from) as f64).sum::<f64>() / 3000.0;
    assert!((mean - 1800.0).abs() < 99.0, "{mean}");
    assert_eq!(lives.len(), 3000);
}
