//! How far two computations of one number may lie apart.

/// Relative tolerance of capacities, loads, shares and hours: both sides compute the same closed formulas in doubles, and a
/// bisection stops well below it.
pub const RELATIVE: f64 = 1e-6;

/// Tolerance of an amount of money, dollars a month: half a cent. Nano-dollar rounding of prices and sums stays far below.
pub const USD: f64 = 0.005;

/// Absolute floor under the relative tolerance, for numbers that are zero on one side.
const FLOOR: f64 = 1e-9;

/// Two dollars an hour agree when they round to the same nano-dollar, give or take one.
const PRICE: f64 = 2.1e-9;

/// The same number; never true for one that is not a number.
pub(super) fn same(expected: f64, found: f64) -> bool {
    (expected - found).abs() <= RELATIVE * expected.abs().max(found.abs()) + FLOOR
}

/// The same amount of money, dollars a month.
pub(super) fn same_usd(expected: f64, found: f64) -> bool {
    (expected - found).abs() <= USD + FLOOR
}

/// The same price, dollars an hour.
pub(super) fn same_price(expected: f64, found: f64) -> bool {
    (expected - found).abs() <= PRICE
}

/// Not above the limit; never true for one that is not a number.
pub(super) fn at_most(value: f64, limit: f64) -> bool {
    value <= limit + RELATIVE * limit.abs() + FLOOR
}

/// The least whole number at or above `x`, forgiving a rounding error just above a whole number.
pub(super) fn ceil(x: f64) -> f64 {
    (x - RELATIVE * x.abs()).ceil().max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_cents_differ_and_half_a_cent_does_not() {
        assert!(same_usd(100.0, 100.005));
        assert!(!same_usd(100.0, 100.02));
        assert!(!same_usd(100.0, f64::NAN));
    }

    #[test]
    fn a_millionth_is_the_limit() {
        assert!(same(1000.0, 1000.0005));
        assert!(!same(1000.0, 1000.01));
        assert!(at_most(1.0000005, 1.0) && !at_most(1.00001, 1.0));
    }

    #[test]
    fn ceil_forgives_rounding() {
        assert!(same(ceil(3.000_000_1), 3.0) && same(ceil(3.001), 4.0) && same(ceil(0.0), 0.0));
    }
}
