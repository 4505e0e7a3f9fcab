//! The objective of a service: limits and the share of requests that must meet them.

use super::values::{number, positive};
use crate::domain::{ProfileKind, Slo};
use crate::input::at::At;
use crate::input::codes;
use crate::input::faults::Faults;
use crate::input::workload_file::SloFile;
use crate::units::Millis;

/// Attainment where neither a key's name nor `attainment` says one.
const DEFAULT_ATTAINMENT: f64 = 0.99;

/// The objective. `kind` of the profile decides which limits make sense.
pub fn slo(file: &At<SloFile>, kind: Option<ProfileKind>, faults: &mut Faults) -> Slo {
    let mut implied: Vec<(f64, &'static str, &At<f64>)> = Vec::new();
    let ttft =
        limit([("ttft_ms", &file.ttft_ms), ("ttft_p95_ms", &file.ttft_p95_ms), ("ttft_p99_ms", &file.ttft_p99_ms)], &mut implied, faults);
    let tpot =
        limit([("tpot_ms", &file.tpot_ms), ("tpot_p95_ms", &file.tpot_p95_ms), ("tpot_p99_ms", &file.tpot_p99_ms)], &mut implied, faults);
    let latency = limit(
        [("latency_ms", &file.latency_ms), ("latency_p95_ms", &file.latency_p95_ms), ("latency_p99_ms", &file.latency_p99_ms)],
        &mut implied,
        faults,
    );
    if ttft.is_none() && tpot.is_none() && latency.is_none() {
        faults.error(codes::NO_LIMIT, file.span, "the objective has no latency limit").help("give `ttft_ms`, `tpot_ms` or `latency_ms`");
    }
    if kind == Some(ProfileKind::Request) && (ttft.is_some() || tpot.is_some()) {
        let at = [&file.ttft_ms, &file.ttft_p95_ms, &file.ttft_p99_ms, &file.tpot_ms, &file.tpot_p95_ms, &file.tpot_p99_ms];
        let at = at.into_iter().flatten().next().map_or(file.span, |given| given.span);
        faults.error(codes::LIMIT_OF_ANOTHER_KIND, at, "a profile of kind `request` has no tokens to time").help("use `latency_ms`");
    }
    Slo { attainment: attainment(file, &implied, faults), ttft, tpot, latency }
}

/// The one limit that is given of three spellings.
fn limit<'a>(
    spellings: [(&'static str, &'a Option<At<f64>>); 3],
    implied: &mut Vec<(f64, &'static str, &'a At<f64>)>,
    faults: &mut Faults,
) -> Option<Millis> {
    let mut found = None;
    for (key, given) in spellings {
        let Some(given) = given else { continue };
        if found.is_some() {
            faults
                .error(codes::LIMIT_TWICE, given.span, format!("`{key}` limits what another key limits already"))
                .help("keep one of them");
        }
        if key.contains("p95") {
            implied.push((0.95, key, given));
        } else if key.contains("p99") {
            implied.push((0.99, key, given));
        }
        found = Some(Millis(number(faults, given, positive(key))));
    }
    found
}

/// The attainment: as given, as the limits' names imply, or the default with a note.
fn attainment(file: &At<SloFile>, implied: &[(f64, &'static str, &At<f64>)], faults: &mut Faults) -> f64 {
    let stated = file.attainment.as_ref().map(|given| (given.value, "attainment", given));
    let mut agreed = None;
    for (value, key, given) in stated.into_iter().chain(implied.iter().copied()) {
        if key == "attainment" && !(value > 0.0 && value < 1.0) {
            faults
                .error(codes::BAD_ATTAINMENT, given.span, format!("`attainment` is {value}"))
                .label("must lie between 0 and 1, both excluded")
                .help("it is a share: 0.99 means that 99 of 100 requests meet every limit");
            return DEFAULT_ATTAINMENT;
        }
        match agreed {
            None => agreed = Some((value, key)),
            Some((other, by)) if f64::abs(other - value) > 1e-9 => {
                faults
                    .error(codes::ATTAINMENT_TWICE, given.span, format!("`{key}` means an attainment of {value}, `{by}` one of {other}"))
                    .help("one attainment holds for all limits of a workload: use the keys without percentile, and `attainment`");
            }
            Some(_) => {}
        }
    }
    let Some((value, _)) = agreed else {
        faults.note(codes::DEFAULT_ATTAINMENT, file.span, format!("no `attainment` is given: {DEFAULT_ATTAINMENT} is planned for"));
        return DEFAULT_ATTAINMENT;
    };
    value
}
