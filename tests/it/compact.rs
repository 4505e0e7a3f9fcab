//! The textbook program as text: the rows of each family on a tiny scenario, held against a golden file.

use crate::generated::{self, Size};
use crate::golden;
use gpuplan::formulation::{self, Family, Freedom, compact};

/// Seeds that are looked through for a scenario with few rows of a family.
const SEEDS: std::ops::Range<u64> = 0..60;

/// Rows of a family in the program of a seed.
fn rows(seed: u64, family: Family) -> Vec<String> {
    let problem = formulation::build(&generated::scenario(seed, Size::TINY), &Freedom::FULL);
    let prefix = format!(" {}_", family.as_str());
    compact::lp_text(&problem).lines().filter(|line| line.starts_with(&prefix)).map(str::to_owned).collect()
}

#[test]
fn every_family_has_its_rows() {
    let mut without = Vec::new();
    for family in Family::ALL {
        let fewest = SEEDS.map(|seed| rows(seed, family)).filter(|rows| !rows.is_empty()).min_by_key(Vec::len);
        match fewest {
            Some(rows) => golden::check(&format!("lp/{}.lp", family.as_str()), &format!("{}\n", rows.join("\n"))),
            None => without.push(family.as_str()),
        }
    }
    assert!(without.is_empty(), "families without rows: {without:?}");
}
