//! Cases and the risk level.

use super::values::{between, dns_label, number, optional, unique};
use crate::domain::{Case, RiskLevel, Uncertainty};
use crate::input::at::At;
use crate::input::codes;
use crate::input::faults::Faults;
use crate::input::uncertainty_file::{CaseFile, RiskLevelFile, UncertaintyFile};

/// Largest factor on anything: more is a slip of the pen.
const MOST: f64 = 100.0;

/// How far the probabilities may miss 1: what two digits each leave of a rounding.
const SLACK: f64 = 1e-6;

/// What the scenario says of surprises.
pub fn uncertainty(file: Option<&At<UncertaintyFile>>, level: Option<RiskLevelFile>, faults: &mut Faults) -> Uncertainty {
    let level = level.map(RiskLevel::from);
    let Some(file) = file else { return Uncertainty { level, cases: Vec::new() } };
    unique(faults, "case", file.cases.iter().map(|case| &case.name));
    let mut cases: Vec<Case> = file.cases.iter().map(|given| case(given, faults)).collect();
    let sum: f64 = cases.iter().map(|case| case.probability).sum();
    if (sum - 1.0).abs() > SLACK {
        faults
            .error(codes::PROBABILITIES, file.span, format!("the probabilities of the cases sum to {sum:.6}"))
            .help("they sum to 1: give what is left to the expected case, which has no factor");
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    Uncertainty { level, cases }
}

fn case(file: &CaseFile, faults: &mut Faults) -> Case {
    dns_label(faults, &file.name, "name");
    let mut factor = |given: Option<&At<f64>>, key| optional(faults, given, between(key, 0.01, MOST)).unwrap_or(1.0);
    Case {
        demand: factor(file.demand_factor.as_ref(), "demand_factor"),
        burst: factor(file.burst_factor.as_ref(), "burst_factor"),
        spot_price: factor(file.spot_price_factor.as_ref(), "spot_price_factor"),
        hazard: factor(file.hazard_factor.as_ref(), "hazard_factor"),
        availability: factor(file.availability_factor.as_ref(), "availability_factor"),
        ..Case::expected(&file.name.value, number(faults, &file.probability, between("probability", 1e-6, 1.0)))
    }
}

impl From<RiskLevelFile> for RiskLevel {
    fn from(level: RiskLevelFile) -> Self {
        match level {
            RiskLevelFile::Low => Self::Low,
            RiskLevelFile::Medium => Self::Medium,
            RiskLevelFile::High => Self::High,
        }
    }
}
