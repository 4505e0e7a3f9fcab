//! Surprises: the cases that a plan is held against, and how many of them it has to stand.

/// How much of a surprise the plan must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RiskLevel {
    /// The expected case, as always.
    Low,
    /// Every case up to the 90th percentile of the cases' demand.
    Medium,
    /// The same, and [`BURST`] times the demand in every service.
    High,
}

impl RiskLevel {
    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// Dollars of expected cost that a dollar of the worst twentieth is worth: a policy. Who asks for `high` would pay half a
    /// dollar a month to be a dollar better off in the worst months; who asks for `low` looks at the mean alone.
    #[must_use]
    pub const fn tail_weight(self) -> f64 {
        match self {
            Self::Low => 0.0,
            Self::Medium => 0.25,
            Self::High => 0.5,
        }
    }
}

/// Demand of every service that `high` stands.
pub const BURST: f64 = 1.5;

/// Percentile of the cases' demand that `medium` stands.
pub const PERCENTILE: f64 = 0.9;

/// The tail that the conditional value at risk is the mean of: the worst `1 - TAIL`.
pub const TAIL: f64 = 0.95;

/// A case: a world that may come, as factors on the expected one.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Name: a DNS label.
    pub name: String,
    /// Probability; all cases sum to 1.
    pub probability: f64,
    /// Demand of services and work of jobs times this.
    pub demand: f64,
    /// Peaks of services times this as well, the mean left as it is.
    pub burst: f64,
    /// Posted spot prices times this.
    pub spot_price: f64,
    /// Reclaim hazard times this.
    pub hazard: f64,
    /// Availability of spot pools times this, 1 at most.
    pub availability: f64,
}

impl Case {
    /// The expected world.
    #[must_use]
    pub fn expected(name: &str, probability: f64) -> Self {
        Self { name: name.to_owned(), probability, demand: 1.0, burst: 1.0, spot_price: 1.0, hazard: 1.0, availability: 1.0 }
    }

    /// Factor on the peaks of services.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.demand * self.burst
    }
}

/// The cases where the scenario gives none. Their sources are in `docs/mathematics.md#robustness`.
#[must_use]
pub fn default_cases() -> Vec<Case> {
    let case = Case::expected;
    vec![
        case("expected", 0.5),
        Case { demand: 1.15, ..case("demand-p90", 0.2) },
        Case { demand: 1.2, ..case("growth", 0.05) },
        Case { burst: BURST, ..case("burst", 0.05) },
        Case { spot_price: 1.5, ..case("spot-price", 0.1) },
        Case { hazard: 10.0, ..case("reclaims", 0.1) },
    ]
}

/// What the scenario says of surprises.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Uncertainty {
    /// What the plan must stand; the command line goes before it. `None`: nobody asked.
    pub level: Option<RiskLevel>,
    /// The scenario's own cases, sorted by name; empty: [`default_cases`].
    pub cases: Vec<Case>,
}

impl Uncertainty {
    /// The level to plan for; `None` where nothing is asked and the plan says nothing of surprises.
    #[must_use]
    pub fn asked(&self, first: Option<RiskLevel>) -> Option<RiskLevel> {
        first.or(self.level).or((!self.cases.is_empty()).then_some(RiskLevel::Low))
    }

    /// The cases to hold a plan against.
    #[must_use]
    pub fn cases(&self) -> Vec<Case> {
        if self.cases.is_empty() { default_cases() } else { self.cases.clone() }
    }
}

/// The least factor that at least [`PERCENTILE`] of the cases do not pass.
#[must_use]
pub fn percentile(cases: &[Case], factor: impl Fn(&Case) -> f64) -> f64 {
    let mut sorted: Vec<(f64, f64)> = cases.iter().map(|case| (factor(case), case.probability)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut sum = 0.0;
    for (factor, probability) in &sorted {
        sum += probability;
        if sum >= PERCENTILE - 1e-9 {
            return *factor;
        }
    }
    sorted.last().map_or(1.0, |(factor, _)| *factor)
}

/// Factors on the demand that a level stands, never below 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Required {
    /// On the peaks of services.
    pub demand: f64,
    /// On the work of jobs.
    pub work: f64,
}

impl Required {
    /// What a level stands in these cases.
    #[must_use]
    pub fn of(level: RiskLevel, cases: &[Case]) -> Self {
        let (demand, work) = (percentile(cases, Case::peak).max(1.0), percentile(cases, |case| case.demand).max(1.0));
        match level {
            RiskLevel::Low => Self { demand: 1.0, work: 1.0 },
            RiskLevel::Medium => Self { demand, work },
            RiskLevel::High => Self { demand: demand.max(BURST), work },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_set_sums_to_one_and_its_ninth_tenth_is_the_case_of_that_name() {
        let cases = default_cases();
        assert!((cases.iter().map(|c| c.probability).sum::<f64>() - 1.0).abs() < 1e-12);
        let required = Required::of(RiskLevel::Medium, &cases);
        assert!((required.demand - 1.15).abs() < 1e-12 && (required.work - 1.15).abs() < 1e-12);
        let high = Required::of(RiskLevel::High, &cases);
        assert!((high.demand - 1.5).abs() < 1e-12 && (high.work - 1.15).abs() < 1e-12);
    }

    #[test]
    fn the_percentile_is_the_least_factor_that_nine_tenths_do_not_pass() {
        let case = |demand, probability| Case { demand, ..Case::expected("c", probability) };
        assert!((percentile(&[case(2.0, 0.1), case(1.0, 0.9)], Case::peak) - 1.0).abs() < 1e-12);
        assert!((percentile(&[case(1.0, 0.85), case(2.0, 0.15)], Case::peak) - 2.0).abs() < 1e-12);
    }
}
