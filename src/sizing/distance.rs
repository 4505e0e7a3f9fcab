//! What the way to its clients leaves of a service's limits.

use crate::domain::{OperatingPoint, Service, Slo};
use crate::sizing::capacity;
use crate::units::Millis;

/// Limits without the time that the way takes: the first token and the whole request travel, a token after the first does not wait
/// for the one before it to arrive. `None` where nothing is left.
fn limits(slo: Slo, added_ms: f64) -> Option<Slo> {
    let mut left = slo;
    for limit in [&mut left.ttft, &mut left.latency].into_iter().flatten() {
        *limit = Millis(limit.0 - added_ms);
        if limit.0 <= 0.0 {
            return None;
        }
    }
    Some(left)
}

/// The service with what the way leaves of its limits; `None` where nothing is left.
#[must_use]
pub fn nearer(service: &Service, points: &[OperatingPoint], added_ms: f64) -> Option<Service> {
    let mut left = Service { slo: limits(service.slo, added_ms)?, ..service.clone() };
    left.tables = service.tables.iter().filter_map(|table| capacity::carried_over(table, points, (service, &left))).collect();
    Some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_takes_from_the_first_token_and_the_whole_and_not_from_tokens() {
        let slo = Slo { attainment: 0.99, ttft: Some(Millis(500.0)), tpot: Some(Millis(40.0)), latency: Some(Millis(2000.0)) };
        let left = limits(slo, 80.0);
        assert_eq!(left.map(|l| (l.ttft, l.tpot, l.latency)), Some((Some(Millis(420.0)), Some(Millis(40.0)), Some(Millis(1920.0)))));
        assert_eq!(limits(slo, 500.0), None);
    }
}
