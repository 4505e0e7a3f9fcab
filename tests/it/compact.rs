//! The textbook program as text: the rows of each family on a tiny scenario, held against a golden file.

use crate::generated::{self, Size};
use crate::golden;
use gpuplan::formulation::{self, Family, Freedom, compact};

/// A generated scenario for each family in which it has few rows.
fn seed(family: Family) -> u64 {
    match family {
        Family::DemandCover | Family::StartUp | Family::Window => 8,
        Family::NodeCapacity => 539,
        Family::Quota => 47,
        Family::Commitment => 152,
        Family::SpotShare => 49,
        Family::PoolLoss => 144,
        Family::Deadline => 153,
        Family::Budget => 542,
        Family::Choice => 348,
    }
}

#[test]
fn every_family_has_its_rows() {
    for family in Family::ALL {
        let problem = formulation::build(&generated::scenario(seed(family), Size::TINY), &Freedom::FULL);
        let text = compact::lp_text(&problem);
        let prefix = format!(" {}_", family.as_str());
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with(&prefix)).collect();
        assert!(!rows.is_empty(), "no rows of {}", family.as_str());
        golden::check(&format!("lp/{}.lp", family.as_str()), &format!("{}\n", rows.join("\n")));
    }
}
