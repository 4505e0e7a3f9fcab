//! What a solve minimises and what it must keep.

/// Objective weights and caps, all a week.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// Weight of a dollar.
    pub cost_weight: f64,
    /// Weight of a spot GPU-hour x hazard.
    pub exposure_weight: f64,
    /// Weight of a changed node.
    pub change_weight: f64,
    /// Cost may not pass this.
    pub cost_cap: Option<f64>,
    /// Exposure may not pass this.
    pub exposure_cap: Option<f64>,
    /// Changed nodes may not pass this.
    pub change_cap: Option<f64>,
    /// Close the gap by splitting; without it the value is as good and the bound is that of the relaxation.
    pub prove: bool,
}

impl Stage {
    /// Least cost.
    #[must_use]
    pub const fn least_cost() -> Self {
        Self {
            cost_weight: 1.0,
            exposure_weight: 0.0,
            change_weight: 0.0,
            cost_cap: None,
            exposure_cap: None,
            change_cap: None,
            prove: true,
        }
    }

    /// Least cost, for comparisons that quote no bound.
    #[must_use]
    pub const fn quick_least_cost() -> Self {
        Self { prove: false, ..Self::least_cost() }
    }

    /// Least exposure within a cost.
    #[must_use]
    pub const fn least_exposure(cost_cap: f64) -> Self {
        Self { cost_weight: 0.0, exposure_weight: 1.0, cost_cap: Some(cost_cap), ..Self::least_cost() }
    }

    /// Fewest changed nodes within a cost and an exposure.
    #[must_use]
    pub const fn fewest_changes(cost_cap: f64, exposure_cap: f64) -> Self {
        Self { cost_weight: 0.0, change_weight: 1.0, cost_cap: Some(cost_cap), exposure_cap: Some(exposure_cap), ..Self::least_cost() }
    }

    /// Least cost among the plans that the safety stages leave, so that no dollar is given back for nothing.
    #[must_use]
    pub const fn cheapest_within(exposure_cap: f64, change_cap: f64) -> Self {
        Self { exposure_cap: Some(exposure_cap), change_cap: Some(change_cap), ..Self::least_cost() }
    }

    /// Whole nodes are counted, and nothing else.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.cost_weight.abs() + self.exposure_weight.abs() + (self.change_weight - 1.0).abs() < 1e-12
    }

    /// A bound of the stage, sharpened: no value is between two counts.
    #[must_use]
    pub fn sharp(&self, bound: f64) -> f64 {
        if self.counts() && bound.is_finite() { (bound - 1e-4).ceil() } else { bound }
    }

    /// The stage's value of amounts.
    #[must_use]
    pub fn value(&self, cost: f64, exposure: f64, changed_nodes: u32) -> f64 {
        self.cost_weight * cost + self.exposure_weight * exposure + self.change_weight * f64::from(changed_nodes)
    }
}
