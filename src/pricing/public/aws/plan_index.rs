//! Where the savings plan files are, and their fetching.
//!
//! In: the offer index, which names the index of savings plans, which names a file for each region. Out: the rates of the machines
//! that the price lists brought. Only paths on the same host are followed.

use super::savings_plans::parse_plans;
use super::{Machines, NOTHING_FOUND, Region, not_asked};
use crate::diagnostic::Diagnostic;
use crate::pricing::gathered::Gathered;
use crate::pricing::http::{Client, Get, ReadFault};
use crate::pricing::summed::Summed;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{BufReader, Read};

/// Fetches the rates of the machines of each region.
pub(super) fn fetch(client: &Client, prices: &str, machines: &[(Region<'_>, Machines)]) -> (Gathered, Vec<Diagnostic>) {
    let mut gathered = Gathered::default();
    if machines.is_empty() {
        return (gathered, Vec::new());
    }
    let files = match fetch_index(client, prices) {
        Ok(files) => files,
        Err(fault) => return (gathered, vec![fault]),
    };
    let mut faults = Vec::new();
    let mut summed = Summed::default();
    for (at, (region, of_region)) in machines.iter().enumerate() {
        let Some(path) = files.get(region.name) else {
            summed.add(NOTHING_FOUND, "regions for which no AWS savings plans are listed", format!("`{}`", region.name));
            continue;
        };
        let (url, what) = (format!("{prices}{path}"), format!("AWS savings plans of {}", region.name));
        match client.get(&Get { url: &url, what: &what, headers: &[] }, |body| parse_plans(body, region, of_region)) {
            Ok(found) => gathered.add(found),
            Err(fault) => {
                let rest: Vec<&str> = machines[at + 1..].iter().map(|(region, _)| region.name).collect();
                let not_asked = not_asked("AWS savings plans", &fault, &rest);
                let is_hopeless = not_asked.is_some();
                faults.extend([Some(fault), not_asked].into_iter().flatten());
                if is_hopeless {
                    break;
                }
            }
        }
    }
    gathered.findings.extend(summed.told());
    (gathered, faults)
}

/// Paths of the files, by region.
fn fetch_index(client: &Client, prices: &str) -> Result<BTreeMap<String, String>, Diagnostic> {
    let url = format!("{prices}/offers/v1.0/aws/index.json");
    let path = client.get(&Get { url: &url, what: "AWS offer index", headers: &[] }, |body| parse_offer_index(body))?;
    let url = format!("{prices}{path}");
    client.get(&Get { url: &url, what: "AWS index of savings plans", headers: &[] }, |body| parse_regions(body))
}

#[derive(Deserialize)]
struct OfferIndex {
    offers: OfferNames,
}

#[derive(Deserialize)]
struct OfferNames {
    #[serde(rename = "AmazonEC2")]
    ec2: Offer,
}

#[derive(Deserialize)]
struct Offer {
    #[serde(rename = "currentSavingsPlanIndexUrl")]
    savings_plans: String,
}

/// Reads where the index of savings plans is: a path.
///
/// # Errors
/// The index broke off, or does not name it.
pub fn parse_offer_index(reader: impl Read) -> Result<String, ReadFault> {
    let index: OfferIndex = serde_json::from_reader(BufReader::new(reader))?;
    let path = index.offers.ec2.savings_plans;
    if path.starts_with('/') { Ok(path) } else { Err(ReadFault::Malformed(format!("`{path}` is no path of the same host"))) }
}

#[derive(Deserialize)]
struct RegionIndex {
    regions: Vec<serde_json::Value>,
}

/// Reads the paths of the savings plan files, by region. Entries without a path are passed over: their regions have no plans.
///
/// # Errors
/// The index broke off, or lists no region.
pub fn parse_regions(reader: impl Read) -> Result<BTreeMap<String, String>, ReadFault> {
    let index: RegionIndex = serde_json::from_reader(BufReader::new(reader))?;
    let text = |entry: &serde_json::Value, name: &str| entry.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let file = |entry: &serde_json::Value| text(entry, "regionCode").zip(text(entry, "versionUrl").filter(|path| path.starts_with('/')));
    let files: BTreeMap<String, String> = index.regions.iter().filter_map(file).collect();
    if files.is_empty() { Err(ReadFault::Malformed("it lists no regions".to_owned())) } else { Ok(files) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    #[test]
    fn the_offer_index_names_the_index_of_savings_plans() {
        let index = r#"{"formatVersion":"v1.0","offers":{
            "AWSLambda":{"currentSavingsPlanIndexUrl":"/not/this"},
            "AmazonEC2":{"offerCode":"AmazonEC2","currentSavingsPlanIndexUrl":"/savingsPlan/v1.0/aws/AWSComputeSavingsPlan/current/region_index.json"}}}"#;
        assert_eq!(parse_offer_index(index.as_bytes()).unwrap(), "/savingsPlan/v1.0/aws/AWSComputeSavingsPlan/current/region_index.json");
    }

    #[test]
    fn other_hosts_are_not_followed() {
        let index = r#"{"offers":{"AmazonEC2":{"currentSavingsPlanIndexUrl":"http://elsewhere/index.json"}}}"#;
        assert!(matches!(parse_offer_index(index.as_bytes()), Err(ReadFault::Malformed(_))));
        let regions = r#"{"regions":[{"regionCode":"us-east-1","versionUrl":"@elsewhere/index.json"}]}"#;
        assert!(matches!(parse_regions(regions.as_bytes()), Err(ReadFault::Malformed(_))));
    }

    #[test]
    fn an_index_of_another_form_is_malformed_and_one_that_breaks_off_is_broken() {
        assert!(matches!(parse_offer_index(&b"{}"[..]), Err(ReadFault::Malformed(_))));
        assert!(matches!(parse_offer_index(&br#"{"offers":{"Ama"#[..]), Err(ReadFault::Broken(_))));
        assert!(matches!(parse_regions(&br#"{"regions":[]}"#[..]), Err(ReadFault::Malformed(_))));
        assert!(matches!(parse_regions(&br#"{"regions":[{"#[..]), Err(ReadFault::Broken(_))));
    }

    #[test]
    fn regions_without_a_file_are_passed_over() {
        let regions = r#"{"regions":[{"regionCode":"us-east-1","versionUrl":"/a"},{"regionCode":"us-west-2"},7,{"versionUrl":"/b"}]}"#;
        let expected = BTreeMap::from([("us-east-1".to_owned(), "/a".to_owned())]);
        assert_eq!(parse_regions(regions.as_bytes()).unwrap(), expected);
    }
}
