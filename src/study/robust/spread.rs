//! Numbers over cases: mean, worst, and the mean of the worst twentieth.
//!
//! The conditional value at risk of Rockafellar and Uryasev (2000): `min over z of z + 1/(1 - a) sum p max(0, x - z)`. For a few
//! cases that is the mean of the worst `1 - a` of the probability, the case at its edge counted in part.

use crate::domain::uncertainty::TAIL;
use crate::plan::Spread;

/// Spread of costs: more is worse.
#[must_use]
pub fn of_costs(cases: &[(f64, f64)]) -> Spread {
    Spread {
        expected: cases.iter().map(|(p, x)| p * x).sum(),
        worst: cases.iter().map(|(_, x)| *x).fold(f64::NEG_INFINITY, f64::max),
        cvar_95: tail_mean(cases, |x| x),
    }
}

/// Spread of shares: less is worse.
#[must_use]
pub fn of_shares(cases: &[(f64, f64)]) -> Spread {
    Spread {
        expected: cases.iter().map(|(p, x)| p * x).sum(),
        worst: cases.iter().map(|(_, x)| *x).fold(f64::INFINITY, f64::min),
        cvar_95: tail_mean(cases, |x| -x),
    }
}

/// Mean of the worst `1 - TAIL` of the probability; `badness` orders the values.
fn tail_mean(cases: &[(f64, f64)], badness: impl Fn(f64) -> f64) -> f64 {
    let mut sorted = cases.to_vec();
    sorted.sort_by(|a, b| badness(b.1).total_cmp(&badness(a.1)));
    let mut left = 1.0 - TAIL;
    let mut sum = 0.0;
    for (probability, value) in sorted {
        let part = probability.min(left);
        sum += part * value;
        left -= part;
    }
    sum / (1.0 - TAIL - left.max(0.0)).max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn cvar_by_hand() {
        // The worst twentieth: 0.02 at 300 and 0.03 of the 0.2 at 200: (6 + 6) / 0.05 = 240.
        let costs = of_costs(&[(0.78, 100.0), (0.2, 200.0), (0.02, 300.0)]);
        assert!(close(costs.expected, 124.0) && close(costs.worst, 300.0) && close(costs.cvar_95, 240.0), "{costs:?}");
        // 0.05 at 0.9 exactly.
        let shares = of_shares(&[(0.95, 0.99), (0.05, 0.9)]);
        assert!(close(shares.worst, 0.9) && close(shares.cvar_95, 0.9) && close(shares.expected, 0.9855), "{shares:?}");
        let one = of_costs(&[(1.0, 7.0)]);
        assert!(close(one.cvar_95, 7.0));
    }

    #[test]
    fn it_is_the_minimum_of_rockafellar_and_uryasev() {
        let cases = [(0.5, 10.0), (0.3, 12.0), (0.16, 20.0), (0.04, 50.0)];
        let at = |z: f64| z + cases.iter().map(|(p, x)| p * (x - z).max(0.0)).sum::<f64>() / (1.0 - TAIL);
        let least = cases.iter().map(|(_, x)| at(*x)).fold(f64::INFINITY, f64::min);
        assert!(close(of_costs(&cases).cvar_95, least), "{least}");
    }
}
