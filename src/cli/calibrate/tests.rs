//! What is kept, what is made again, and that the file does not depend on who made it.
#![expect(clippy::unwrap_used, reason = "test")]

use super::tables::{make, needed};
use crate::input::load_builtin_demo;
use crate::simulate::calibrate::{Answer, Sustained};

fn answer(each: f64) -> Answer {
    let at = |replicas: u32| Sustained { replicas, rps: each * f64::from(replicas), rps_low: 0.9 * each * f64::from(replicas) };
    Answer { points: vec![at(1), at(2), at(64)], reason: None }
}

#[test]
fn what_is_there_is_not_made_again() {
    let scenario = load_builtin_demo().unwrap().scenario;
    let needed = needed(&scenario);
    assert!(needed.len() > 9, "each service has a variant or more");
    let first = make(&needed, &[], 64, |tasks| tasks.iter().map(|_| answer(3.0)).collect());
    assert_eq!((first.cached, first.dropped), (0, 0));
    assert_eq!(first.computed, needed.len());
    let again = make(&needed, &first.file.entries, 64, |tasks| {
        assert!(tasks.is_empty(), "{}", tasks[0].name);
        Vec::new()
    });
    assert_eq!((again.computed, again.cached, &again.file), (0, needed.len(), &first.file));
}

#[test]
fn what_is_stale_or_too_short_is_made_again_and_what_is_not_needed_goes() {
    let scenario = load_builtin_demo().unwrap().scenario;
    let needed = needed(&scenario);
    let mut entries = make(&needed, &[], 64, |tasks| tasks.iter().map(|_| answer(3.0)).collect()).file.entries;
    entries[0].key = "of other numbers".to_owned();
    entries[1].points.truncate(1);
    entries[1].points[0].rps_low = 1e-3;
    let again = make(&needed, &entries, 64, |tasks| tasks.iter().map(|_| answer(5.0)).collect());
    assert_eq!((again.computed, again.cached, again.dropped), (2, needed.len() - 2, 1));
}
