//! Binding, nominating, limits, spread, start-up.

use super::*;

#[test]
fn a_pod_starts_after_node_image_weights_and_engine() {
    let mut c = cluster(vec![pool("od", &["a"])], vec![]);
    c.request_pod(10, pod(1, &[0]));
    assert_eq!(c.next_event(), Some(110), "ordered at 10, up 100 s later");
    // 110 + 40 + 30 + 20.
    assert_eq!(c.run_to(199), vec![]);
    assert_eq!(c.next_event(), Some(200));
    assert_eq!(c.run_to(200), vec![ready(1, 200)]);
    assert_eq!(c.next_event(), None);
    assert_eq!(c.balance(), Ok(()));
}

#[test]
fn an_empty_node_goes_after_its_delay_and_not_a_second_earlier() {
    let mut c = cluster(vec![pool("od", &["a"])], vec![]);
    c.request_pod(0, pod(1, &[0]));
    c.run_to(190);
    c.delete_pod(1000, 1);
    // Grace 30 s, then 60 s empty.
    assert_eq!(c.run_to(1089), vec![gone(1, 1030)]);
    assert_eq!(c.counts(0), NodeCounts { up: 1, ..NodeCounts::default() });
    // A pod that comes a second before takes the node, with its image on it: 30 + 20 s.
    let mut taken = c.clone();
    taken.request_pod(1089, pod(2, &[0]));
    assert_eq!(taken.run_to(2000), vec![ready(2, 1139)]);
    assert_eq!(taken.lives().len(), 1);
    // One that comes at that second finds it gone, and orders another: 1090 + 100 + 90.
    c.run_to(1090);
    c.request_pod(1090, pod(2, &[0]));
    assert_eq!(c.run_to(2000), vec![ready(2, 1280)]);
    assert_eq!(lives(&c), vec![(0, 0, 1090), (0, 1090, 2000)]);
    assert_eq!((c.balance(), taken.balance()), (Ok(()), Ok(())));
}

#[test]
fn a_pod_that_left_early_frees_its_node_early() {
    let mut c = cluster(vec![pool("od", &["a"])], vec![]);
    c.request_pod(0, pod(1, &[0]));
    c.run_to(190);
    c.delete_pod(1000, 1);
    c.finish_pod(1012, 1);
    assert_eq!(c.run_to(5000), vec![gone(1, 1012)]);
    assert_eq!(lives(&c), vec![(0, 0, 1072)]);
}

#[test]
fn at_the_limit_a_pod_waits_and_is_tried_each_minute() {
    let mut c = cluster(vec![Pool { max_nodes: 1, ..pool("od", &["a"]) }], vec![]);
    c.request_pod(0, pod(1, &[0]));
    c.request_pod(5, pod(2, &[0]));
    // The node boots for pod 1 and counts; pod 2 is tried at 5, 65, 125, .. and hears of it once.
    assert_eq!(c.run_to(400), vec![pending(2, 5), ready(1, 190)]);
    c.delete_pod(400, 1);
    // Pod 1 is gone at 430; pod 2 binds in that second: 430 + 50, the image is there.
    assert_eq!(c.run_to(1000), vec![gone(1, 430), ready(2, 480)]);
    assert_eq!(lives(&c), vec![(0, 0, 1000)]);
}

#[test]
fn what_cannot_be_supplied_goes_to_the_next_pool_at_once_or_waits() {
    let pools = vec![spot("spot", &["a"]), pool("od", &["a"])];
    let both = vec![outage("spot", 0, 1000, false), outage("od", 100, 500, false)];
    let mut c = cluster(pools, both);
    c.request_pod(0, pod(1, &[0, 1]));
    c.request_pod(130, pod(2, &[0, 1]));
    // 2 finds nothing at 130, 190, .., 490; od supplies from 500 on, the next try is at 550.
    assert_eq!(c.run_to(800), vec![pending(2, 130), ready(1, 190), ready(2, 740)]);
    assert_eq!((pool_of(&c, 1), pool_of(&c, 2)), (Some(1), Some(1)));
    c.request_pod(1000, pod(3, &[0, 1]));
    c.run_to(1200);
    assert_eq!(pool_of(&c, 3), Some(0), "spot is back");
}

#[test]
fn two_replicas_on_one_node_share_a_pull() {
    let big = Pool { allocatable: Room { gpus: 4, cpu_milli: 16000, memory_mib: 65536, ..Room::default() }, ..pool("od", &["a"]) };
    let mut c = cluster(vec![big], vec![]);
    c.request_pod(0, pod(1, &[0]));
    c.request_pod(0, pod(2, &[0]));
    c.request_pod(0, PodRequest { image: 2, ..pod(3, &[0]) });
    assert_eq!(c.lives().len(), 1, "one node boots for all");
    // All start at 100. 4 comes while the image is being pulled (until 140), 5 after it.
    assert_eq!(c.run_to(120), vec![]);
    c.request_pod(120, pod(4, &[0]));
    assert_eq!(c.run_to(300), vec![ready(1, 190), ready(2, 190), ready(3, 190), ready(4, 190)]);
    c.finish_pod(300, 1);
    c.request_pod(300, pod(5, &[0]));
    assert_eq!(c.run_to(400), vec![gone(1, 300), ready(5, 350)]);
}

#[test]
fn the_scheduler_spreads_small_pods_over_nodes_and_so_breaks_up_room() {
    // Two nodes of 4 GPUs: two pods of 1 GPU go to different nodes, and 4 GPUs are free on neither.
    let big = |name| Pool {
        allocatable: Room { gpus: 4, cpu_milli: 16000, memory_mib: 65536, ..Room::default() },
        min_nodes: 2,
        max_nodes: 2,
        ..pool(name, &["a"])
    };
    let mut c = cluster(vec![big("od")], vec![]);
    c.request_pod(0, pod(1, &[0]));
    c.request_pod(0, pod(2, &[0]));
    c.request_pod(0, PodRequest { ask: Room { gpus: 4, cpu_milli: 8000, memory_mib: 16384, ..Room::default() }, ..pod(3, &[0]) });
    assert_eq!(c.run_to(50), vec![pending(3, 0)]);
    let nodes: Vec<_> = [1, 2].map(|id| c.whereabouts(id).map(|w| w.node)).into();
    assert_eq!(nodes, vec![Some(0), Some(1)]);
}

#[test]
fn a_pod_takes_room_that_appears_before_its_own_node_is_up() {
    let mut c = cluster(vec![pool("od", &["a"])], vec![]);
    c.request_pod(0, pod(1, &[0]));
    c.run_to(190);
    c.request_pod(200, pod(2, &[0]));
    c.delete_pod(210, 1);
    // Pod 1 is gone at 240, before the node for pod 2 is up at 300: 240 + 50. The new node comes up empty and goes at 360.
    assert_eq!(c.run_to(1000), vec![gone(1, 240), ready(2, 290)]);
    assert_eq!(lives(&c), vec![(0, 0, 1000), (0, 200, 360)]);
}

#[test]
fn a_hard_spread_keeps_zones_within_one_of_each_other() {
    let pools = vec![Pool { max_nodes: 9, ..pool("od", &["a", "b"]) }];
    let hard = |id| PodRequest { zones_spread: Some(2), ..pod(id, &[0]) };
    // Zone b cannot supply until 1000: the first pod goes to a, the second may not (a would have 2, b has 0).
    let mut weather = Weather::calm(0, WEEK);
    weather.zones.insert(
        ("od".into(), "b".into()),
        vec![Change { at: 0, capacity: 0, keep: None }, Change { at: 1000, capacity: UNLIMITED, keep: None }],
    );
    let mut c = under(pools, weather);
    c.request_pod(0, hard(1));
    c.request_pod(0, hard(2));
    // Tried at 0, 60, .., 1020: up at 1120, ready at 1210.
    assert_eq!(c.run_to(1500), vec![pending(2, 0), ready(1, 190), ready(2, 1210)]);
    // Two more: one each.
    c.request_pod(1500, hard(3));
    c.request_pod(1500, hard(4));
    c.run_to(2000);
    let zones: Vec<usize> = c.nodes.values().map(|node| node.zone).collect();
    assert_eq!(zones, vec![0, 1, 0, 1]);
}

#[test]
fn a_soft_spread_takes_what_there_is() {
    let mut c = cluster(vec![Pool { min_nodes: 2, max_nodes: 2, ..pool("od", &["a"]) }], vec![]);
    (1..=2).for_each(|id| c.request_pod(0, pod(id, &[0])));
    assert_eq!(c.run_to(90), vec![ready(1, 90), ready(2, 90)]);
    // Where it costs nothing, zones are even.
    let mut even = cluster(vec![pool("od", &["a", "b"])], vec![]);
    (1..=2).for_each(|id| even.request_pod(0, pod(id, &[0])));
    assert_eq!(even.nodes.values().map(|node| node.zone).collect::<Vec<_>>(), vec![0, 1]);
}

#[test]
fn fewer_zones_than_min_domains_hold_one_each() {
    let hard = |id| PodRequest { zones_spread: Some(3), ..pod(id, &[0]) };
    let mut c = cluster(vec![Pool { max_nodes: 9, ..pool("od", &["a", "b"]) }], vec![]);
    (1..=3).for_each(|id| c.request_pod(0, hard(id)));
    assert_eq!(c.run_to(500), vec![pending(3, 0), ready(1, 190), ready(2, 190)]);
}

#[test]
fn a_pod_that_leaves_does_not_count_for_the_spread() {
    let hard = |id| PodRequest { zones_spread: Some(2), grace_s: 300, ..pod(id, &[0]) };
    let mut c = cluster(vec![Pool { max_nodes: 9, ..pool("od", &["a", "b"]) }], vec![]);
    c.request_pod(0, hard(1));
    c.request_pod(0, hard(2));
    c.run_to(200);
    c.delete_pod(200, 1);
    c.request_pod(200, hard(3));
    c.run_to(400);
    // 1 leaves zone a until 500; 3 has to go to a again, on a node of its own.
    assert_eq!(c.run_to(450), vec![]);
    assert_eq!(c.counts(0).up, 3);
}

#[test]
fn the_minimum_is_up_from_the_start_and_stays() {
    let mut c = cluster(vec![Pool { min_nodes: 2, ..pool("od", &["a", "b"]) }], vec![]);
    assert_eq!(c.counts(0).up, 2);
    c.request_pod(0, pod(1, &[0]));
    assert_eq!(c.run_to(WEEK), vec![ready(1, 90)], "no provisioning");
    assert_eq!(lives(&c), vec![(0, 0, WEEK), (0, 0, WEEK)]);
}

#[test]
fn nodes_that_are_never_given_back_stay() {
    let mut c = cluster(vec![Pool { consolidate_after_s: None, ..pool("od", &["a"]) }], vec![]);
    c.request_pod(0, pod(1, &[0]));
    c.run_to(190);
    c.finish_pod(190, 1);
    c.run_to(WEEK);
    assert_eq!(lives(&c), vec![(0, 0, WEEK)]);
}

#[test]
fn a_start_in_the_middle_of_the_week() {
    let mut c = cluster(vec![pool("od", &["a"])], vec![]);
    assert!(c.place_running(0, pod(1, &[0])));
    assert_eq!(c.run_to(1), vec![]);
    assert_eq!(c.counts(0).up, 1);
    c.finish_pod(10, 1);
    c.request_pod(20, pod(2, &[0]));
    assert_eq!(c.run_to(100), vec![gone(1, 10), ready(2, 70)], "the image is there");
    let mut none = cluster(vec![Pool { max_nodes: 0, ..pool("od", &["a"]) }], vec![]);
    assert!(!none.place_running(0, pod(1, &[0])));
    assert_eq!(none.run_to(0), vec![pending(1, 0)]);
}

#[test]
fn deletions_before_a_pod_serves_are_at_once() {
    let mut c = cluster(vec![pool("od", &["a"])], vec![]);
    c.request_pod(0, pod(1, &[0]));
    c.delete_pod(50, 1);
    // The node comes up at 100 all the same, and goes at 160.
    assert_eq!(c.run_to(500), vec![gone(1, 50)]);
    assert_eq!(lives(&c), vec![(0, 0, 160)]);
    c.request_pod(500, pod(2, &[0]));
    c.run_to(650);
    c.delete_pod(650, 2);
    assert_eq!(c.run_to(1000), vec![gone(2, 650)], "starting since 600");
    c.delete_pod(1000, 77);
    assert_eq!(c.run_to(1000), vec![]);
}

/// Delays: the median and the 95th percentile of 4,000 starts. Standard errors: 1.25 sigma/sqrt(n) of the median, sigma = ln(2)/1.645 =
/// 0.42, so 0.8%; of the 95th percentile 2.1 sigma/sqrt(n), 1.4%. Four of each.
#[test]
fn delays_have_their_percentiles() {
    let start = |id: u64| {
        let mut c = cluster(vec![Pool { min_nodes: 1, ..pool("od", &["a"]) }], vec![]);
        let none = Span::fixed(0.0);
        let start_up = StartUp { image: none, weights: Span { p50_s: 10_000.0, p95_s: 20_000.0 }, engine: none };
        c.request_pod(0, PodRequest { start_up, ..pod(id, &[0]) });
        match c.run_to(WEEK).as_slice() {
            [Happening::PodReady { at, .. }] => *at,
            _ => 0,
        }
    };
    let mut starts: Vec<i64> = (0..4000).map(start).collect();
    starts.sort_unstable();
    let at = |share: f64| starts[(share * 4000.0) as usize] as f64;
    assert!((at(0.5) / 10_000.0 - 1.0).abs() < 0.033, "{}", at(0.5));
    assert!((at(0.95) / 20_000.0 - 1.0).abs() < 0.056, "{}", at(0.95));
}

#[test]
fn slow_provisioning_stretches_orders_of_its_span() {
    let pools = vec![pool("od", &["a"])];
    let script = Script { outages: vec![], slow: vec![Slow { from: 1000, to: 2000, factor: 2.0 }] };
    let weather = Weather::calm(0, WEEK).scripted(&places(&pools), &script).expect("a script");
    let mut c = under(pools, weather);
    c.request_pod(1000, pod(1, &[0]));
    c.request_pod(2000, pod(2, &[0]));
    assert_eq!(c.run_to(3000), vec![ready(1, 1290), ready(2, 2190)]);
}
