//! Hand-computed timelines. Delays are fixed unless a test is about their law.

mod expected_price;
mod giving_back;
mod money;
mod scheduling;
mod spot;
mod traces;
mod weather;

use super::*;
use crate::units::UsdPerHour;

/// Seconds of an hour.
const HOUR: i64 = 3600;
/// A horizon of a week.
const WEEK: i64 = 168 * HOUR;

/// A pool of single-GPU nodes with 4 CPUs and 16 GiB: at most 3, given back after 60 s, $1 an hour, 120 s notice.
fn pool(name: &str, zones: &[&str]) -> Pool {
    Pool {
        name: name.to_owned(),
        instance_type: "g6.xlarge".to_owned(),
        region: "us-east-1".to_owned(),
        zones: zones.iter().map(|zone| (*zone).to_owned()).collect(),
        spot: false,
        allocatable: Room { gpus: 1, cpu_milli: 4000, memory_mib: 16384, ..Room::default() },
        max_nodes: 3,
        min_nodes: 0,
        consolidate_after_s: Some(60),
        replaces_underutilized: false,
        usd_per_hour: UsdPerHour::from_f64(1.0),
        notice_s: 120,
        node_reclaims_per_hour: 0.0,
    }
}

/// The same on spot for $0.30.
fn spot(name: &str, zones: &[&str]) -> Pool {
    Pool { spot: true, usd_per_hour: UsdPerHour::from_f64(0.3), ..pool(name, zones) }
}

/// A pod for one GPU, 2 CPUs and 4 GiB: image 40 s, weights 30 s, engine 20 s, grace 30 s.
fn pod(pod: u64, pools: &[usize]) -> PodRequest {
    PodRequest {
        pod,
        group: 1,
        pools: pools.to_vec(),
        ask: Room { gpus: 1, cpu_milli: 2000, memory_mib: 4096, ..Room::default() },
        grace_s: 30,
        zones_spread: None,
        image: 1,
        start_up: StartUp { image: Span::fixed(40.0), weights: Span::fixed(30.0), engine: Span::fixed(20.0) },
        do_not_disrupt: false,
        budget: None,
    }
}

fn places(pools: &[Pool]) -> Vec<Place> {
    let place = |pool: &Pool| Place {
        pool: pool.name.clone(),
        market: format!("{}/{}", pool.instance_type, pool.region),
        zones: pool.zone_names(),
        spot: pool.spot,
        risk: None,
    };
    pools.iter().map(place).collect()
}

fn outage(pool: &str, from: i64, to: i64, loses_nodes: bool) -> Outage {
    Outage { which: Which::Pools(vec![pool.to_owned()]), from, to, loses_nodes }
}

/// A cluster whose nodes take 100 s to come up, under a script.
fn cluster(pools: Vec<Pool>, outages: Vec<Outage>) -> Cluster {
    let script = Script { outages, slow: Vec::new() };
    let weather = Weather::calm(0, WEEK).scripted(&places(&pools), &script).expect("a script that fits the pools");
    under(pools, weather)
}

fn under(pools: Vec<Pool>, weather: Weather) -> Cluster {
    Cluster::new(Setup { pools, weather, delays: Delays { provision: Span::fixed(100.0) }, seed: 1, from: 0 })
}

const fn ready(pod: u64, at: i64) -> Happening {
    Happening::PodReady { pod, at }
}

const fn gone(pod: u64, at: i64) -> Happening {
    Happening::PodGone { pod, at }
}

const fn evicted(pod: u64, at: i64, deadline: i64) -> Happening {
    Happening::PodEvicted { pod, at, deadline }
}

const fn pending(pod: u64, at: i64) -> Happening {
    Happening::PodPending { pod, at }
}

fn pool_of(cluster: &Cluster, pod: u64) -> Option<usize> {
    cluster.whereabouts(pod).map(|place| place.pool)
}

/// (pool, from, to) of every node.
fn lives(cluster: &Cluster) -> Vec<(usize, i64, i64)> {
    cluster.lives().iter().map(|life| (life.pool, life.from, life.to)).collect()
}
