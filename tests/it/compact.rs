//! The textbook program as text: the rows of each family on a tiny scenario, held against a golden file.

use crate::generated::{self, Size};
use crate::golden;
use gpuplan::formulation::{self, Family, Freedom, compact};

/// A generated scenario for each family in which it has few rows.
fn seed(family: Family) -> u64 {
    match family {
        Family::DemandCover => 0,
        Family::NodeCapacity => 0,
        Family::Quota => 0,
        Family::Commitment => 0,
        Family::SpotShare => 0,
        Family::PoolLoss => 0,
        Family::StartUp => 0,
        Family::Window => 0,
        Family::Deadline => 0,
        Family::Budget => 0,
        Family::Choice => 0,
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

#[test]
fn find() {
    let mut best: Vec<(usize, u64)> = vec![(usize::MAX, 0); 11];
    for seed in 0..600 {
        let problem = formulation::build(&generated::scenario(seed, Size::TINY), &Freedom::FULL);
        let model = compact::build(&problem, &compact::Goal::LEAST_COST);
        if model.columns.len() > 1200 {
            continue;
        }
        for (i, family) in Family::ALL.iter().enumerate() {
            let prefix = format!("{}_", family.as_str());
            let own: Vec<_> = model.rows.iter().filter(|r| r.name.starts_with(&prefix)).collect();
            let n: usize = own.iter().map(|r| r.terms.len()).sum();
            let rich = match family {
                Family::Commitment => own.iter().any(|r| r.name.contains("both") && r.terms.len() > 1),
                Family::PoolLoss => own.iter().any(|r| r.name.contains("fallback")),
                Family::Budget => own.len() > 1 && own.iter().any(|r| r.name.contains("scheduled") || r.terms.len() > 3),
                Family::Window => own.iter().any(|r| r.name.contains("opens")),
                _ => own.len() > 1,
            };
            if rich && n < best[i].0 {
                best[i] = (n, seed);
            }
        }
    }
    eprintln!("{best:?}");
}
