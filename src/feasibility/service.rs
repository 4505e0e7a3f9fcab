//! Services that nothing in reach can serve within their SLO.

use super::{fault, in_words, quota, ruled_out};
use crate::demand::{self, HPA_TOLERANCE};
use crate::diagnostic::Diagnostic;
use crate::domain::{OperatingPoint, Scenario, Service, Workload};
use crate::sizing::capacity::{self, Unfit};
use crate::sizing::distance;
use std::collections::BTreeMap;

/// The fault of a service, if it has one.
#[must_use]
pub fn check(scenario: &Scenario, workload: &Workload, service: &Service) -> Option<Diagnostic> {
    let profile = &scenario.profiles[&workload.profile];
    let peak = demand::highest_peak(service);
    let mut reasons: BTreeMap<String, u32> = BTreeMap::new();
    let mut needs = Vec::new();
    for point in &profile.points {
        if let Some(reason) = ruled_out(scenario, workload, point) {
            *reasons.entry(reason.to_owned()).or_insert(0) += 1;
            continue;
        }
        let added = nearest_ms(scenario, workload, point);
        let near = added.and_then(|ms| distance::nearer(service, &profile.points, ms));
        let Some(near) = near else {
            let reason = format!("the way to the nearest region takes {:.0} ms, all of a limit", added.unwrap_or(f64::INFINITY));
            *reasons.entry(reason).or_insert(0) += 1;
            continue;
        };
        match capacity::of(&near, point, peak * (1.0 + HPA_TOLERANCE)) {
            Ok(table) => match table.need(peak).map(|n| n.max(service.scaling.min_replicas)) {
                Some(n) if service.scaling.max_replicas.is_none_or(|most| n <= most) => needs.push((point, n)),
                need => {
                    let most = service.scaling.max_replicas.unwrap_or(capacity::MAX_REPLICAS);
                    let reason = format!("the peak takes {} replicas, {most} are allowed", need.unwrap_or(capacity::MAX_REPLICAS));
                    *reasons.entry(reason).or_insert(0) += 1;
                }
            },
            Err(unfit) => {
                let way =
                    added.filter(|ms| *ms > 0.0).map(|ms| format!(", and {ms:.0} ms of the limit go for the way to the nearest region"));
                *reasons.entry(why(&unfit) + &way.unwrap_or_default()).or_insert(0) += 1;
            }
        }
    }
    if needs.is_empty() {
        return Some(fault(
            "E1601",
            format!("workload `{}` has no variant that meets its SLO: {}", workload.id, in_words(&reasons)),
            "relax the limit that is named, accept another precision or accelerator, or add a profile with faster operating points"
                .to_owned(),
        ));
    }
    quota::check(scenario, workload, &needs)
}

/// The shortest way of its clients to a region that holds the point, ms; `None` where none is known.
fn nearest_ms(scenario: &Scenario, workload: &Workload, point: &OperatingPoint) -> Option<f64> {
    let Some(network) = &scenario.network else { return Some(0.0) };
    let regions = super::regions_of(scenario, workload, point);
    regions.filter_map(|region| network.added(&workload.id, region)).map(|ms| ms.0).min_by(f64::total_cmp)
}

fn why(unfit: &Unfit) -> String {
    match unfit {
        Unfit::Ttft(ms) => format!("first token after {ms:.0} ms at best"),
        Unfit::Tpot(ms) => format!("{ms:.1} ms a token at best"),
        Unfit::Latency(ms) => format!("{ms:.0} ms a request at the planning percentile at best"),
        Unfit::Memory => "the KV cache does not hold one request".to_owned(),
        Unfit::NoTokens => "token lengths are missing (`demand.tokens`)".to_owned(),
        Unfit::TooMany => format!("more than {} replicas would be needed", capacity::MAX_REPLICAS),
        Unfit::Unattained => "calibration found no count of replicas that attains the objective".to_owned(),
        Unfit::WrongKind => "they describe a job".to_owned(),
    }
}
