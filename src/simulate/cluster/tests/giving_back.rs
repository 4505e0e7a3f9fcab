//! Nodes that stand in for spot are given back one at a time.

use super::*;

/// Spot in zone a until it is lost at 1000, back at 4000; on-demand stands in and gives back.
fn pair() -> Vec<Pool> {
    vec![spot("spot", &["a"]), Pool { replaces_underutilized: true, ..pool("od", &["a"]) }]
}

fn lost_until_4000() -> Vec<Outage> {
    vec![outage("spot", 0, 4000, false)]
}

#[test]
fn the_new_node_is_ordered_first_and_the_pod_starts_afresh() {
    let mut c = cluster(pair(), lost_until_4000());
    c.request_pod(0, pod(1, &[0, 1]));
    assert_eq!(c.run_to(3999), vec![ready(1, 190)]);
    // Spot is back at 4000; the look of the full minute is at 4020: order, up at 4120, drain until 4150.
    assert_eq!(c.run_to(4119), vec![]);
    assert_eq!(c.counts(0).booting, 1);
    assert_eq!(c.run_to(4120), vec![evicted(1, 4120, 4150)]);
    c.request_pod(4120, pod(2, &[0, 1]));
    // The new node has no image: 4120 + 90. The service is one short for 90 s.
    assert_eq!(c.run_to(4500), vec![gone(1, 4150), ready(2, 4210)]);
    assert_eq!(lives(&c), vec![(1, 0, 4150), (0, 4020, 4500)]);
    assert_eq!(c.balance(), Ok(()));
}

#[test]
fn one_at_a_time() {
    let mut c = cluster(pair(), lost_until_4000());
    c.request_pod(0, pod(1, &[0, 1]));
    c.request_pod(0, pod(2, &[0, 1]));
    c.run_to(4120);
    c.request_pod(4120, pod(3, &[0, 1]));
    c.run_to(4150);
    // The first swap is over at 4150; the next look at 4200 orders for pod 2, which is evicted at 4300, while 3 is ready since 4210.
    assert_eq!(c.run_to(4300), vec![ready(3, 4210), evicted(2, 4300, 4330)]);
    c.request_pod(4300, pod(4, &[0, 1]));
    assert_eq!(c.run_to(4500), vec![gone(2, 4330), ready(4, 4390)]);
    assert_eq!(lives(&c), vec![(1, 0, 4150), (1, 0, 4330), (0, 4020, 4500), (0, 4200, 4500)]);
}

#[test]
fn a_budget_holds_the_second_up_until_the_first_serves() {
    let slow = StartUp { image: Span::fixed(1000.0), ..StartUp::default() };
    let careful = |id| PodRequest { start_up: slow, budget: Some(Budget { key: 7, max_unavailable: 1 }), ..pod(id, &[0, 1]) };
    let careless = |id| PodRequest { budget: None, ..careful(id) };
    let second_eviction = |request: &dyn Fn(u64) -> PodRequest| {
        let mut c = cluster(pair(), lost_until_4000());
        c.request_pod(0, request(1));
        c.request_pod(0, request(2));
        c.run_to(4120);
        c.request_pod(4120, request(3));
        let happened = c.run_to(9000);
        happened.iter().find_map(|h| match h {
            Happening::PodEvicted { pod: 2, at, .. } => Some(*at),
            _ => None,
        })
    };
    // Without a budget both are away at once: 3 starts from 4120 to 5120, and 2 is evicted at 4300.
    assert_eq!(second_eviction(&careless), Some(4300));
    // With one, the look at 5160 is the first at which 3 serves: order, up at 5260.
    assert_eq!(second_eviction(&careful), Some(5260));
}

#[test]
fn jobs_that_must_not_be_moved_stay() {
    let mut c = cluster(pair(), lost_until_4000());
    c.request_pod(0, PodRequest { do_not_disrupt: true, ..pod(1, &[0, 1]) });
    assert_eq!(c.run_to(20_000), vec![ready(1, 190)]);
    assert_eq!(pool_of(&c, 1), Some(1));
}

#[test]
fn a_pool_that_does_not_replace_keeps_its_pods() {
    let mut pools = pair();
    pools[1].replaces_underutilized = false;
    let mut c = cluster(pools, lost_until_4000());
    c.request_pod(0, pod(1, &[0, 1]));
    assert_eq!(c.run_to(20_000), vec![ready(1, 190)]);
}

#[test]
fn a_free_node_of_the_cheaper_pool_is_used_without_an_order() {
    let mut pools = pair();
    pools[0].max_nodes = 1;
    let mut c = cluster(pools, vec![outage("spot", 0, 100, false)]);
    c.request_pod(0, pod(1, &[0, 1]));
    c.request_pod(110, pod(2, &[0]));
    // 2 has the only spot node, so there is none to order for 1.
    assert_eq!(c.run_to(499), vec![ready(1, 190), ready(2, 300)]);
    c.finish_pod(500, 2);
    // Free until 560; the look at 540 finds it.
    assert_eq!(c.run_to(540), vec![gone(2, 500), evicted(1, 540, 570)]);
    c.request_pod(540, pod(3, &[0, 1]));
    assert_eq!(c.run_to(600), vec![gone(1, 570), ready(3, 590)]);
    assert_eq!(lives(&c), vec![(1, 0, 570), (0, 110, 600)]);
}

#[test]
fn a_new_node_that_nobody_takes_goes_again() {
    let mut c = cluster(pair(), vec![outage("spot", 0, 100, false)]);
    c.request_pod(0, pod(1, &[0, 1]));
    // Up at 100, untouched for a minute at the look of 180: order, up at 280, evicted; its controller does not want it any more.
    assert_eq!(c.run_to(1000), vec![ready(1, 190), evicted(1, 280, 310), gone(1, 310)]);
    assert_eq!(lives(&c), vec![(1, 0, 310), (0, 180, 340)]);
}

#[test]
fn a_new_node_that_is_lost_while_it_boots_changes_nothing() {
    let outages = vec![outage("spot", 0, 4000, false), outage("spot", 4050, 5000, true)];
    let mut c = cluster(pair(), outages);
    c.request_pod(0, pod(1, &[0, 1]));
    c.run_to(3999);
    assert_eq!(c.run_to(5000), vec![], "ordered at 4020, lost at 4050");
    assert_eq!(lives(&c), vec![(1, 0, 5000), (0, 4020, 4050)]);
    // Back at 5000: the look at 5040.
    assert_eq!(c.run_to(5200), vec![evicted(1, 5140, 5170), gone(1, 5170)]);
}

#[test]
fn a_minimum_that_was_lost_is_filled_again() {
    let pools = vec![Pool { min_nodes: 1, ..spot("spot", &["a"]) }];
    let mut c = cluster(pools, vec![outage("spot", 1000, 1500, true)]);
    // Empty, so gone at 1000; looks at 1020, .., 1500: up at 1600.
    c.run_to(2000);
    assert_eq!(lives(&c), vec![(0, 0, 1000), (0, 1500, 2000)]);
}
