//! What the checker says: one fault, with what was expected and what was found.

use std::fmt;

/// The rule that a finding breaks; each is told in `docs/checks.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Format, names, references, lengths.
    Structure,
    /// The plan belongs to this scenario and repeats it truly.
    Provenance,
    /// Pools are what the price list sells, at its price.
    Price,
    /// Spot risk, fallback price, expected price.
    Spot,
    /// The operating point exists and fits its nodes.
    Variant,
    /// Evidence class.
    Evidence,
    /// Accepted precisions.
    Precision,
    /// Allowed regions.
    Region,
    /// Residency, distance, traffic, bytes of starts, one cluster a workload.
    Network,
    /// Capacity tables, as recomputed.
    CapacityTable,
    /// Replicas carry the planning load of their hour.
    DemandCover,
    /// Windows, crons and the counts of every hour.
    Windows,
    /// Hours that may be at zero.
    ZeroHours,
    /// Nodes hold their replicas.
    NodeCapacity,
    /// Slices of GPUs, and who shares them.
    Sharing,
    /// Spot share, loss of a pool, fallback.
    PoolLoss,
    /// Quotas in every hour.
    Quota,
    /// Starts and what they cost.
    StartUp,
    /// Jobs are done in time.
    Deadline,
    /// Misses fit into the error budget.
    ErrorBudget,
    /// Commitments are charged in full.
    Commitment,
    /// Commitments that are bought: products, amounts, credits.
    Purchase,
    /// Scarce accelerators are not released.
    Scarce,
    /// Frozen workloads and the most changes.
    Frozen,
    /// Costs, shares, totals, saving.
    Cost,
    /// Today's bill.
    Baseline,
    /// Target, stages, bounds, gaps, exposure.
    Target,
    /// What the plan says that it stands, and its alternatives.
    Robustness,
}

impl Family {
    /// The name used in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Provenance => "provenance",
            Self::Price => "price",
            Self::Spot => "spot",
            Self::Variant => "variant",
            Self::Evidence => "evidence",
            Self::Precision => "precision",
            Self::Region => "region",
            Self::Network => "network",
            Self::CapacityTable => "capacity_table",
            Self::DemandCover => "demand_cover",
            Self::Windows => "windows",
            Self::ZeroHours => "zero_hours",
            Self::NodeCapacity => "node_capacity",
            Self::Sharing => "sharing",
            Self::PoolLoss => "pool_loss",
            Self::Quota => "quota",
            Self::StartUp => "start_up",
            Self::Deadline => "deadline",
            Self::ErrorBudget => "error_budget",
            Self::Commitment => "commitment",
            Self::Purchase => "purchase",
            Self::Scarce => "scarce",
            Self::Frozen => "frozen",
            Self::Cost => "cost",
            Self::Baseline => "baseline",
            Self::Target => "target",
            Self::Robustness => "robustness",
        }
    }

    /// All families, in the order of findings.
    pub const ALL: [Self; 28] = [
        Self::Structure,
        Self::Provenance,
        Self::Price,
        Self::Spot,
        Self::Variant,
        Self::Evidence,
        Self::Precision,
        Self::Region,
        Self::Network,
        Self::CapacityTable,
        Self::DemandCover,
        Self::Windows,
        Self::ZeroHours,
        Self::NodeCapacity,
        Self::Sharing,
        Self::PoolLoss,
        Self::Quota,
        Self::StartUp,
        Self::Deadline,
        Self::ErrorBudget,
        Self::Commitment,
        Self::Purchase,
        Self::Scarce,
        Self::Frozen,
        Self::Cost,
        Self::Baseline,
        Self::Target,
        Self::Robustness,
    ];
}

/// One fault of a plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The rule.
    pub family: Family,
    /// Workload, pool, quota, commitment or stage.
    pub subject: String,
    /// Hour of the week (UTC, 0 is Monday 00:00): the first one, when several hours break the rule.
    pub hour: Option<u32>,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What the checker computes, or the limit.
    pub expected: String,
    /// What the plan says.
    pub found: String,
}

impl Finding {
    /// A finding without an hour; the rest by [`Finding::differs`] and [`Finding::at`].
    pub(super) fn new(family: Family, subject: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { family, subject: subject.to_owned(), hour: None, message, expected: String::new(), found: String::new() }
    }

    /// With what was expected and what was found.
    pub(super) fn differs(mut self, expected: impl Show, found: impl Show) -> Self {
        self.expected = expected.show();
        self.found = found.show();
        self
    }

    /// With its hour of the week.
    pub(super) fn at(mut self, hour: usize) -> Self {
        self.hour = u32::try_from(hour).ok();
        self
    }
}

/// The first hour of one broken rule, with the count of the others: 168 lines of the same help nobody.
pub(super) fn first_hour(hours: impl Iterator<Item = Finding>) -> Option<Finding> {
    let mut hours = hours;
    let mut first = hours.next()?;
    let others = hours.count();
    if others > 0 {
        first.message = format!("{} (and in {others} more hours)", first.message);
    }
    Some(first)
}

impl fmt::Display for Finding {
    /// `family subject [hour 42]: message: expected x, found y`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.family.as_str(), self.subject)?;
        if let Some(hour) = self.hour {
            write!(f, " hour {hour}")?;
        }
        write!(f, ": {}", self.message)?;
        if self.expected.is_empty() && self.found.is_empty() {
            return Ok(());
        }
        write!(f, ": expected {}, found {}", self.expected, self.found)
    }
}

/// How a value is written in a finding.
pub(super) trait Show {
    /// The text.
    fn show(&self) -> String;
}

impl Show for f64 {
    /// Up to nine decimals, without trailing zeros.
    fn show(&self) -> String {
        let text = format!("{self:.9}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        text.to_owned()
    }
}

impl Show for u32 {
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Show for usize {
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Show for bool {
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Show for &str {
    fn show(&self) -> String {
        (*self).to_owned()
    }
}

impl Show for String {
    fn show(&self) -> String {
        self.clone()
    }
}

impl<T: Show> Show for Option<T> {
    fn show(&self) -> String {
        self.as_ref().map_or_else(|| "none".to_owned(), Show::show)
    }
}

/// Dollars, in a finding.
pub(super) struct Dollars(pub f64);

impl Show for Dollars {
    fn show(&self) -> String {
        format!("${:.4}", self.0)
    }
}
