//! Interruption bands of the AWS Spot Advisor: how often spot machines were taken back in the trailing month, in five steps.
//!
//! In: one document for all regions, which changes every few months. Out: bands of the machines and regions asked for. A machine that
//! is not listed has no band: that is unknown, and not rare.

use super::{BAD_ENTRY, NOTHING_FOUND, Scope};
use crate::pricing::gathered::{Band, Gathered};
use crate::pricing::http::ReadFault;
use crate::pricing::summed::Summed;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufReader, Read};

/// The bands, as the advisor and the catalogue call them.
const BANDS: [&str; 5] = ["<5%", "5-10%", "10-15%", "15-20%", ">20%"];

/// Reads the interruption bands.
///
/// # Errors
/// The document broke off, or has no bands or no regions.
pub fn parse_advisor(reader: impl Read, scope: &Scope<'_>) -> Result<Gathered, ReadFault> {
    let document: Value = serde_json::from_reader(BufReader::new(reader))?;
    let missing = |name: &str| ReadFault::Malformed(format!("it has no `{name}`"));
    let ranges = document.get("ranges").and_then(Value::as_array).ok_or_else(|| missing("ranges"))?;
    let regions = document.get("spot_advisor").and_then(Value::as_object).filter(|regions| !regions.is_empty());
    let regions = regions.ok_or_else(|| missing("spot_advisor"))?;
    // A rating is the `index` of a range, wherever in the list that is.
    let labels: BTreeMap<u64, &str> = ranges
        .iter()
        .filter_map(|range| range.get("index").and_then(Value::as_u64).zip(range.get("label").and_then(Value::as_str)))
        .filter(|(_, label)| BANDS.contains(label))
        .collect();
    let mut gathered = Gathered::default();
    let mut summed = Summed::default();
    for region in scope.regions {
        let Some(machines) = regions.get(region).and_then(|systems| systems.get("Linux")).and_then(Value::as_object) else {
            summed.add(NOTHING_FOUND, "regions that are not in the AWS Spot Advisor", format!("`{region}`"));
            continue;
        };
        for (instance_type, rating) in machines.iter().filter(|(name, _)| (scope.is_gpu_type)(name)) {
            let band = rating.get("r").and_then(Value::as_u64).and_then(|index| labels.get(&index));
            let Some(band) = band else {
                let name = format!("`{instance_type}` in `{region}`");
                summed.add(BAD_ENTRY, "interruption bands that cannot be read, left out as unknown", name);
                continue;
            };
            gathered.bands.push(Band { region: region.clone(), instance_type: instance_type.clone(), band: (*band).to_owned() });
        }
    }
    gathered.bands.sort_by(|a, b| (&a.region, &a.instance_type).cmp(&(&b.region, &b.instance_type)));
    gathered.bands.dedup();
    gathered.findings.extend(summed.told());
    Ok(gathered)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    fn read(document: &str, regions: &[&str]) -> Result<Gathered, ReadFault> {
        let regions: Vec<String> = regions.iter().map(|r| (*r).to_owned()).collect();
        let is_gpu_type = |name: &str| name.starts_with('p') || name.starts_with('g');
        parse_advisor(document.as_bytes(), &Scope { regions: &regions, is_gpu_type: &is_gpu_type, now: jiff::Timestamp::UNIX_EPOCH })
    }

    /// The recorded layout; `ranges` in reverse, so that the place in the list says nothing.
    fn advisor(linux: &str) -> String {
        format!(
            r#"{{"instance_types":{{"g5.xlarge":{{"emr":true,"cores":4,"ram_gb":16.0}}}},
            "ranges":[{{"index":4,"label":">20%","dots":4,"max":100}},{{"index":3,"label":"15-20%","dots":3,"max":22}},
                {{"index":2,"label":"10-15%","dots":2,"max":16}},{{"index":1,"label":"5-10%","dots":1,"max":11}},{{"index":0,"label":"<5%","dots":0,"max":5}}],
            "spot_advisor":{{"us-east-1":{{"Windows":{{"g5.xlarge":{{"s":1,"r":1}}}},"Linux":{{{linux}}}}}}},"global_rate":"<10%"}}"#
        )
    }

    fn bands(gathered: &Gathered) -> Vec<(&str, &str)> {
        gathered.bands.iter().map(|b| (b.instance_type.as_str(), b.band.as_str())).collect()
    }

    fn messages(gathered: &Gathered) -> Vec<(&str, &str)> {
        gathered.findings.iter().map(|f| (f.code, f.message.as_str())).collect()
    }

    #[test]
    fn linux_bands_of_the_machines_asked_for() {
        let linux = r#""g5.xlarge":{"s":75,"r":4},"p5en.48xlarge":{"s":20,"r":0},"g6e.xlarge":{"s":68,"r":1},"m5.large":{"s":44,"r":4}"#;
        let gathered = read(&advisor(linux), &["us-east-1"]).unwrap();
        assert_eq!(bands(&gathered), [("g5.xlarge", ">20%"), ("g6e.xlarge", "5-10%"), ("p5en.48xlarge", "<5%")]);
        assert_eq!(messages(&gathered), []);
    }

    #[test]
    fn what_is_not_listed_has_no_band() {
        let gathered = read(&advisor(r#""m5.large":{"s":44,"r":4}"#), &["me-south-1", "us-east-1"]).unwrap();
        assert_eq!(bands(&gathered), []);
        assert_eq!(messages(&gathered), [("E1811", "regions that are not in the AWS Spot Advisor (1): `me-south-1`")]);
    }

    #[test]
    fn ratings_without_a_known_band_are_unknown_and_not_rare() {
        let linux =
            r#""g5.xlarge":{"s":75,"r":5},"g5.2xlarge":{"s":75},"g5.4xlarge":null,"g5.8xlarge":{"r":"0"},"g6.xlarge":{"s":70,"r":2}"#;
        let gathered = read(&advisor(linux), &["us-east-1"]).unwrap();
        assert_eq!(bands(&gathered), [("g6.xlarge", "10-15%")]);
        let expected = "interruption bands that cannot be read, left out as unknown (4): `g5.2xlarge` in `us-east-1`, \
                        `g5.4xlarge` in `us-east-1`, `g5.8xlarge` in `us-east-1` and 1 more";
        assert_eq!(messages(&gathered), [("E1825", expected)]);
        let renamed = advisor(r#""g6.xlarge":{"s":70,"r":2}"#).replace("10-15%", "10-20%");
        assert_eq!(bands(&read(&renamed, &["us-east-1"]).unwrap()), []);
    }

    #[test]
    fn a_document_of_another_form_is_malformed_and_one_that_breaks_off_is_broken() {
        for body in ["{}", r#"{"ranges":[],"spot_advisor":{}}"#, "not json", r#"{"ranges":[]}"#, "[]"] {
            assert!(matches!(read(body, &["us-east-1"]), Err(ReadFault::Malformed(_))), "{body}");
        }
        let whole = advisor(r#""g6.xlarge":{"s":70,"r":2}"#);
        assert!(matches!(read(&whole[..whole.len() - 9], &["us-east-1"]), Err(ReadFault::Broken(_))));
    }
}
