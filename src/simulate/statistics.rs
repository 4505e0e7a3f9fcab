//! Confidence from few independent weeks.

use super::random::Stream;

/// Student's t at 97.5% for 1, 2, ... degrees of freedom; beyond, the normal's 1.96 is near enough.
const T975: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093,
    2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// A mean with its 95% confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Mean.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Mean of independent values with Student's interval; of one value no interval: it is its own.
#[must_use]
pub fn interval(values: &[f64]) -> Interval {
    let n = values.len() as f64;
    if values.is_empty() {
        return Interval { mean: 0.0, low: 0.0, high: 0.0 };
    }
    let mean = values.iter().sum::<f64>() / n;
    let half = half_width(values, mean);
    Interval { mean, low: mean - half, high: mean + half }
}

/// A ratio of sums, such as requests met over requests known, with an interval from its values seed by seed: the ratio estimator's
/// linearized variance (Cochran, Sampling Techniques, 6.4).
#[must_use]
pub fn ratio(pairs: &[(f64, f64)]) -> Interval {
    let (above, below) = pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    if below <= 0.0 {
        return Interval { mean: 1.0, low: 1.0, high: 1.0 };
    }
    let mean = above / below;
    let per_seed = below / pairs.len() as f64;
    let residuals: Vec<f64> = pairs.iter().map(|(a, b)| (a - mean * b) / per_seed).collect();
    let half = half_width(&residuals, 0.0);
    Interval { mean, low: (mean - half).max(0.0), high: (mean + half).min(1.0) }
}

fn half_width(values: &[f64], mean: f64) -> f64 {
    let n = values.len();
    if n < 2 {
        return 0.0;
    }
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
    let t = T975.get(n - 2).copied().unwrap_or(1.96);
    t * (variance / n as f64).sqrt()
}

/// Wilson's interval of a share with a normal quantile of 1.96: for counts of runs, of which there are few.
#[must_use]
pub fn wilson(successes: f64, trials: f64) -> Interval {
    if trials <= 0.0 {
        return Interval { mean: 1.0, low: 1.0, high: 1.0 };
    }
    let (z, p) = (1.96_f64, successes / trials);
    let middle = (p + z * z / (2.0 * trials)) / (1.0 + z * z / trials);
    let half = z / (1.0 + z * z / trials) * (p * (1.0 - p) / trials + z * z / (4.0 * trials * trials)).sqrt();
    Interval { mean: p, low: (middle - half).max(0.0), high: (middle + half).min(1.0) }
}

/// Quantile of sorted values, nearest rank.
#[must_use]
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).or(sorted.last()).copied()
}

/// Months drawn day by day: each weekday comes from a seed at random. Calls `month` with the seed of each of `days` days.
pub fn months(count: usize, (days, seeds): (usize, usize), mut month: impl FnMut(&[usize])) {
    let mut stream = Stream::new(0, "bootstrap", "months");
    let mut drawn = vec![0; days];
    for _ in 0..count {
        drawn.iter_mut().for_each(|seed| *seed = stream.below(seeds));
        month(&drawn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_students() {
        // 1, 2, 3: mean 2, s = 1, t(2) = 4.303: 2 +- 4.303/sqrt 3.
        let found = interval(&[1.0, 2.0, 3.0]);
        assert!((found.mean - 2.0).abs() < 1e-12 && (found.high - 2.0 - 4.303 / 3.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(interval(&[5.0]), Interval { mean: 5.0, low: 5.0, high: 5.0 });
    }

    #[test]
    fn a_ratio_of_equal_weights_is_a_mean() {
        let pairs = [(90.0, 100.0), (95.0, 100.0), (100.0, 100.0)];
        let (a, b) = (ratio(&pairs), interval(&[0.90, 0.95, 1.0]));
        assert!((a.mean - b.mean).abs() < 1e-12 && (a.low - b.low).abs() < 1e-12);
    }

    #[test]
    fn wilson_of_all() {
        // 20 of 20: lower end 1/(1 + z^2/n) = 0.8389.
        assert!((wilson(20.0, 20.0).low - 0.8389).abs() < 1e-4);
    }
}
