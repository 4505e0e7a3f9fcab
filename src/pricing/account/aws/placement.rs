//! Spot placement scores: how likely AWS thinks it that a request for spot capacity succeeds now.
//!
//! In: a region and its machines. Out: a score for each family and zone. AWS scores sets of machines, says itself that sets of fewer
//! than three types always score low, and limits how many different sets may be asked about in a day. So a family of three sizes or
//! more is one question, its score is that of "any size of the family", and smaller families are not asked about: a score that is
//! known to be too low is none.
//!
//! Source: EC2 API reference, GetSpotPlacementScores; EC2 user guide, "Spot placement score", limitations.

use super::faults::Action;
use super::session::Session;
use super::{Region, family, is_of_region};
use crate::diagnostic::{Diagnostic, Severity};
use crate::pricing::codes;
use crate::pricing::gathered::PlacementScore;
use crate::pricing::pages::Page;
use std::collections::{BTreeMap, BTreeSet};

/// Types in a set, at least, for its score to say something.
const LEAST: usize = 3;

/// Machines that are asked for: one. A score for more holds for fewer, but not the other way round.
const MACHINES: i32 = 1;

/// Asks family by family, up to the first fault that is not of the family.
pub(super) fn scores(
    session: &Session<'_>,
    region: &Region<'_>,
    machines: &BTreeSet<String>,
) -> Vec<Result<Vec<PlacementScore>, Diagnostic>> {
    let mut families: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for machine in machines {
        families.entry(family(machine)).or_default().push(machine.clone());
    }
    families.retain(|_, sizes| sizes.len() >= LEAST);
    let mut answers = Vec::new();
    for (family, sizes) in families {
        let answer = score(session, region, family, &sizes);
        // A family that AWS does not score says nothing of the others; every other fault would come again.
        let is_over = answer.as_ref().is_err_and(|fault| fault.code != codes::BAD_QUESTION);
        answers.push(answer);
        if is_over {
            break;
        }
    }
    answers
}

fn score(session: &Session<'_>, region: &Region<'_>, family: &str, sizes: &[String]) -> Result<Vec<PlacementScore>, Diagnostic> {
    let action = Action { name: "ec2:GetSpotPlacementScores", region: region.name, severity: Severity::Warning };
    let client = session.ec2(region.name);
    let scores = session.all(
        &action,
        |token| {
            let ask = client.get_spot_placement_scores().set_instance_types(Some(sizes.to_vec())).target_capacity(MACHINES);
            ask.single_availability_zone(true).region_names(region.name).set_next_token(token).send()
        },
        |answer| Page { next: answer.next_token, items: answer.spot_placement_scores.unwrap_or_default() },
    )?;
    let of_zone = |score: aws_sdk_ec2::types::SpotPlacementScore| {
        let zone = score.availability_zone_id.filter(|zone| is_of_region(zone))?;
        let score = score.score.and_then(|score| u8::try_from(score).ok()).filter(|score| (1..=10).contains(score))?;
        Some(PlacementScore { region: region.name.to_owned(), zone, instance_type: format!("{family}.*"), score })
    };
    let mut scores: Vec<PlacementScore> = scores.into_iter().filter_map(of_zone).collect();
    scores.sort_by(|a, b| a.zone.cmp(&b.zone).then(a.score.cmp(&b.score)));
    Ok(scores)
}
