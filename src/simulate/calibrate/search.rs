//! The largest rate that keeps a promise, from few looks at it.
//!
//! A look is a whole simulation, so the search does not bisect blindly: a look says by how much the promise is kept or
//! broken, as a logarithm, which is about linear in the logarithm of the rate. Regula falsi on that line, with the Illinois
//! rule against an end that stays, finds the edge; a bracket of both sides is what ends it.

/// Where the search starts, between which rates it stays, and when it ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// First rate that is looked at.
    pub guess: f64,
    /// A promise broken here is not looked for below.
    pub floor: f64,
    /// A promise kept here is not looked for above.
    pub ceiling: f64,
    /// Relative width of the bracket at which the search ends.
    pub tolerance: f64,
}

/// How much the logarithm of the excess grows with that of the rate, before anything is known: a queue's tail at the loads in
/// question grows by its fourth to twentieth power.
const SLOPE: f64 = 6.0;
/// Smallest and largest step of the search for a bracket, as logarithms.
const STEPS: (f64, f64) = (0.01, 1.5);
/// Looks after which the best rate known is taken: a bracket that does not close is noise, and its lower end is safe.
const MOST_LOOKS: u32 = 40;

/// Largest rate at which `excess` is at most zero, to the tolerance and from below; `None` when it is positive at the floor.
/// `excess` is the logarithm of what is missed over what may be missed, and grows with the rate.
pub fn edge(range: &Range, mut excess: impl FnMut(f64) -> f64) -> Option<f64> {
    let Range { guess, floor, ceiling, tolerance } = *range;
    let guess = guess.clamp(floor, ceiling);
    let first = (guess, excess(guess));
    let (mut low, mut high) = (first, first);
    // A little further than the line says, so that the edge is passed.
    let step = |excess: f64| (1.3 * excess.abs() / SLOPE).clamp(STEPS.0, STEPS.1).exp();
    while high.1 <= 0.0 {
        if high.0 >= ceiling {
            return Some(ceiling);
        }
        low = high;
        let next = (high.0 * step(high.1)).min(ceiling);
        high = (next, excess(next));
    }
    while low.1 > 0.0 {
        if low.0 <= floor {
            return None;
        }
        high = low;
        let next = (low.0 / step(low.1)).max(floor);
        low = (next, excess(next));
    }
    Some(close((low, high), tolerance, excess))
}

/// Closes a bracket of a kept and a broken rate; the kept one of its ends.
pub fn close((mut low, mut high): ((f64, f64), (f64, f64)), tolerance: f64, mut excess: impl FnMut(f64) -> f64) -> f64 {
    let mut looks = 0;
    let mut last_moved_low = None;
    while high.0 > low.0 * (1.0 + tolerance) && looks < MOST_LOOKS {
        looks += 1;
        let width = (high.0 / low.0).ln();
        let share = (-low.1 / (high.1 - low.1)).clamp(0.0, 1.0);
        // Not so near an end that the look could not close the bracket from there.
        let margin = (0.8 * tolerance / width).min(0.5);
        let share = if share.is_nan() { 0.5 } else { share.clamp(margin, 1.0 - margin) };
        let at = low.0 * (share * width).exp();
        let found = excess(at);
        let moves_low = found <= 0.0;
        let stayed = last_moved_low == Some(moves_low);
        if moves_low {
            low = (at, found);
            high.1 *= if stayed { 0.5 } else { 1.0 };
        } else {
            high = (at, found);
            low.1 *= if stayed { 0.5 } else { 1.0 };
        }
        last_moved_low = Some(moves_low);
    }
    low.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: Range = Range { guess: 0.5, floor: 0.01, ceiling: 2.0, tolerance: 0.002 };

    /// M/M/1 with a mean service of 1: P(T > t) = exp(-(1 - rate) t), so 1% at t = 10 is kept up to 1 - ln(100)/10.
    #[test]
    fn finds_the_edge_of_mm1_from_below() {
        let exact = 1.0 - 100.0_f64.ln() / 10.0;
        let mut looks = 0;
        let found = edge(&RANGE, |rate| {
            looks += 1;
            100.0_f64.ln() - (1.0 - rate) * 10.0
        });
        let found = found.unwrap_or(0.0);
        assert!(found <= exact && found > exact * 0.998, "{found} {exact}");
        assert!(looks <= 8, "{looks} looks");
    }

    /// M/D/c has no such formula; a step is the worst that a look can say, and a search must still end on its safe side.
    #[test]
    fn finds_a_step() {
        for at in [0.011, 0.3, 0.7, 1.9] {
            let found = edge(&RANGE, |rate| if rate <= at { -30.0 } else { 5.0 }).unwrap_or(0.0);
            assert!(found <= at && found > at * 0.99, "{found} {at}");
        }
    }

    #[test]
    fn floor_and_ceiling_hold() {
        assert_eq!(edge(&RANGE, |_| 1.0), None);
        assert_eq!(edge(&RANGE, |_| -1.0), Some(2.0));
        assert_eq!(edge(&RANGE, |_| f64::NEG_INFINITY), Some(2.0));
    }
}
