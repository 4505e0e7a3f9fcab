//! Units of measure. Money is an integer count of nano-dollars; physical quantities are thin newtypes over `f64`.
//!
//! Legal products: `UsdPerHour x Hours = Usd`. Everything else is spelled out where it is needed.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Neg, Sub};

/// Hours in the planning week (a week without a clock change).
pub const HOURS_PER_WEEK: usize = 168;

/// Weeks to a billing month: 730 hours a month over 168 hours a week.
pub const HOURS_PER_MONTH: f64 = 730.0;

/// Factor that turns a weekly amount into a monthly one.
pub const MONTHS_PER_WEEK_FACTOR: f64 = HOURS_PER_MONTH / HOURS_PER_WEEK as f64;

const NANOS: f64 = 1e9;

/// An amount of money in nano-dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(i64);

/// A price in nano-dollars per hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsdPerHour(i64);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From a count of nano-dollars.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From dollars, rounded half to even at the nano-dollar.
    #[must_use]
    pub fn from_f64(usd: f64) -> Self {
        Self((usd * NANOS).round_ties_even() as i64)
    }

    /// Nano-dollars.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Dollars.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / NANOS
    }

    /// A weekly amount as a monthly one (x 730/168), rounded half to even.
    #[must_use]
    pub fn week_to_month(self) -> Self {
        Self((self.0 as f64 * MONTHS_PER_WEEK_FACTOR).round_ties_even() as i64)
    }

    /// This amount times a plain factor, rounded half to even.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor).round_ties_even() as i64)
    }

    /// Difference without sign.
    #[must_use]
    pub fn abs_diff(self, other: Self) -> Self {
        Self((self.0 - other.0).abs())
    }
}

impl UsdPerHour {
    /// Free at the margin.
    pub const ZERO: Self = Self(0);

    /// From dollars an hour, rounded half to even at the nano-dollar.
    #[must_use]
    pub fn from_f64(usd_per_hour: f64) -> Self {
        Self((usd_per_hour * NANOS).round_ties_even() as i64)
    }

    /// Dollars an hour.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / NANOS
    }

    /// Nano-dollars an hour.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// This price times a plain factor, rounded half to even.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor).round_ties_even() as i64)
    }

    /// What `hours` at this price cost, rounded half to even.
    #[must_use]
    pub fn for_hours(self, hours: f64) -> Usd {
        Usd((self.0 as f64 * hours).round_ties_even() as i64)
    }
}

impl Add for Usd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}
impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}
impl Sub for Usd {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}
impl Neg for Usd {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}
impl Mul<i64> for Usd {
    type Output = Self;
    fn mul(self, count: i64) -> Self {
        Self(self.0 * count)
    }
}
impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}
impl Add for UsdPerHour {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}
impl Mul<i64> for UsdPerHour {
    type Output = Self;
    fn mul(self, count: i64) -> Self {
        Self(self.0 * count)
    }
}

impl fmt::Display for Usd {
    /// Whole dollars with thousands separators: `$50,123`; below ten dollars with cents.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = (self.0 as f64 / 1e7).round() as i64;
        let sign = if cents < 0 { "-" } else { "" };
        let (whole, rest) = (cents.abs() / 100, cents.abs() % 100);
        if cents.abs() < 1000 {
            return write!(f, "{sign}${whole}.{rest:02}");
        }
        let rounded = ((cents.abs() as f64) / 100.0).round() as i64;
        let digits = rounded.to_string();
        let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
        for (i, c) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(c);
        }
        write!(f, "{sign}${grouped}")
    }
}

impl fmt::Display for UsdPerHour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${:.4}/h", self.as_f64())
    }
}

/// Defines a newtype over `f64` with ordering helpers and no arithmetic beyond what is asked for.
macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
        pub struct $name(pub f64);

        impl $name {
            /// The bare number in this unit.
            #[must_use]
            pub const fn get(self) -> f64 {
                self.0
            }
        }
    };
}

quantity!(
    /// Seconds.
    Seconds
);
quantity!(
    /// Milliseconds.
    Millis
);
quantity!(
    /// Gibibytes.
    GiB
);
quantity!(
    /// Events a second: requests, or units of work.
    PerSecond
);
quantity!(
    /// A share between 0 and 1.
    Fraction
);

impl Seconds {
    /// The same span in hours.
    #[must_use]
    pub fn hours(self) -> f64 {
        self.0 / 3600.0
    }
}
