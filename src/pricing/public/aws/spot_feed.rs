//! Posted spot prices, one for a machine and region, from the feed behind the AWS spot pricing page.
//!
//! In: one document for all regions, a few megabytes, not documented and not promised. Out: Linux prices of the machines and regions
//! asked for. What is not on offer is marked `N/A*` and brings no price. A price is no promise of capacity, and no price of a zone.

use super::{BAD_ENTRY, NOTHING_FOUND, Scope, amount, tidy};
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::Cloud;
use crate::pricing::codes;
use crate::pricing::gathered::{Bought, Gathered, Quote};
use crate::pricing::http::ReadFault;
use crate::pricing::summed::Summed;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Read;

const SOURCE: &str = "AWS spot feed";

/// Names that the feed has, or had, for the oldest regions.
const ALIASES: &[(&str, &str)] = &[
    ("us-east", "us-east-1"),
    ("us-west", "us-west-1"),
    ("eu-ireland", "eu-west-1"),
    ("apac-sin", "ap-southeast-1"),
    ("apac-syd", "ap-southeast-2"),
    ("apac-tokyo", "ap-northeast-1"),
];

/// A feed that says it is older than this is dead: spot prices move within days, and its predecessor stood still for years unnoticed.
const FROZEN_AFTER: SignedDuration = SignedDuration::from_hours(45 * 24);

/// Reads the spot feed.
///
/// # Errors
/// The feed broke off, or has no regions.
pub fn parse_spot(mut reader: impl Read, scope: &Scope<'_>) -> Result<Gathered, ReadFault> {
    let mut body = Vec::new();
    reader.read_to_end(&mut body)?;
    let feed: Value = serde_json::from_slice(without_callback(&body))?;
    let regions = feed.pointer("/config/regions").and_then(Value::as_array).filter(|regions| !regions.is_empty());
    let regions = regions.ok_or_else(|| ReadFault::Malformed("it has no `config.regions`".to_owned()))?;
    let dated = date_of(&feed);
    let mut gathered = Gathered::default();
    let mut seen = BTreeSet::new();
    let mut summed = Summed::default();
    let unreadable = "entries of the AWS spot feed that cannot be read, left out";
    for entry in regions {
        let Some(name) = entry.get("region").and_then(Value::as_str) else {
            summed.add(BAD_ENTRY, unreadable, "a region without a name");
            continue;
        };
        let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, region)| region);
        if !scope.regions.iter().any(|region| region == name) {
            continue;
        }
        seen.insert(name);
        for size in sizes(entry) {
            match quote(size, name, scope) {
                Ok(None) => {}
                Ok(Some(quote)) => gathered.quotes.push(Quote { as_of: dated.unwrap_or(scope.now), ..quote }),
                Err(why) => summed.add(BAD_ENTRY, unreadable, why),
            }
        }
    }
    tidy(&mut gathered);
    for region in scope.regions.iter().filter(|region| !seen.contains(region.as_str())) {
        summed.add(NOTHING_FOUND, "regions that are not in the AWS spot feed", format!("`{region}`"));
    }
    gathered.findings.extend(summed.told());
    gathered.findings.extend(dated.and_then(|dated| frozen(dated, scope.now)));
    Ok(gathered)
}

/// The JSON of a feed that comes as a call: `callback({...});`.
fn without_callback(body: &[u8]) -> &[u8] {
    let body = body.trim_ascii();
    let Some(inside) = body.strip_prefix(b"callback(") else { return body };
    let inside = inside.strip_suffix(b";").unwrap_or(inside);
    inside.strip_suffix(b")").unwrap_or(inside)
}

/// Every size of every family of a region.
fn sizes(region: &Value) -> impl Iterator<Item = &Value> {
    list(region, "instanceTypes").iter().flat_map(|family| list(family, "sizes"))
}

fn list<'a>(entry: &'a Value, name: &str) -> &'a [Value] {
    entry.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The Linux price of a machine that is asked for; `None` where there is none.
fn quote(size: &Value, region: &str, scope: &Scope<'_>) -> Result<Option<Quote>, String> {
    let instance_type = size.get("size").and_then(Value::as_str).ok_or_else(|| format!("a machine without a name in `{region}`"))?;
    if !(scope.is_gpu_type)(instance_type) {
        return Ok(None);
    }
    let fault = |why: &str| format!("`{instance_type}` in `{region}` ({why})");
    let columns = size.get("valueColumns").and_then(Value::as_array).ok_or_else(|| fault("no prices"))?;
    let Some(linux) = columns.iter().find(|column| column.get("name").and_then(Value::as_str) == Some("linux")) else {
        return Ok(None);
    };
    let prices = linux.get("prices").and_then(Value::as_object).ok_or_else(|| fault("no prices"))?;
    let dollars = prices.get_key_value("USD");
    let Some((currency, price)) = dollars.or_else(|| prices.iter().min_by_key(|(currency, _)| currency.as_str())) else {
        return Err(fault("no prices"));
    };
    let text = price.as_str().map_or_else(|| price.to_string(), str::to_owned);
    if text.starts_with("N/A") {
        return Ok(None);
    }
    Ok(Some(Quote {
        cloud: Cloud::Aws,
        region: region.to_owned(),
        zone: None,
        instance_type: instance_type.to_owned(),
        bought: Bought::Spot,
        per_hour: amount(&text).ok_or_else(|| fault(&format!("`{text}` is no price")))?,
        currency: currency.clone(),
        source: SOURCE.to_owned(),
        as_of: scope.now,
        derivation: String::new(),
    }))
}

/// The latest date that the feed itself carries, beside its prices; today's feed carries none.
fn date_of(feed: &Value) -> Option<Timestamp> {
    let heads = [Some(feed), feed.get("config")];
    let texts = heads.into_iter().flatten().filter_map(Value::as_object).flat_map(|head| head.values()).filter_map(Value::as_str);
    texts.filter_map(date).max()
}

fn date(text: &str) -> Option<Timestamp> {
    let day = || TimeZone::UTC.to_timestamp(text.parse::<Date>().ok()?.to_datetime(Time::midnight())).ok();
    text.parse().ok().or_else(day)
}

fn frozen(dated: Timestamp, now: Timestamp) -> Option<Diagnostic> {
    let age = now.duration_since(dated);
    if age <= FROZEN_AFTER {
        return None;
    }
    let days = age.as_hours() / 24;
    let mut finding = Diagnostic::new(codes::FROZEN_FEED, Severity::Warning, format!("the AWS spot feed has not changed for {days} days"));
    finding.help("plan with spot prices of your own account (--source api), or without spot");
    Some(finding)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    const NOW: &str = "2026-08-10T12:00:00Z";

    fn read(feed: &str, regions: &[&str]) -> Result<Gathered, ReadFault> {
        let regions: Vec<String> = regions.iter().map(|r| (*r).to_owned()).collect();
        let is_gpu_type = |name: &str| name.starts_with('p') || name.starts_with('g');
        parse_spot(feed.as_bytes(), &Scope { regions: &regions, is_gpu_type: &is_gpu_type, now: NOW.parse().unwrap() })
    }

    /// A feed of one region; sizes are `(name, linux, windows)`.
    fn feed(region: &str, sizes: &[(&str, &str, &str)]) -> String {
        let size = |(name, linux, windows): &(&str, &str, &str)| {
            format!(
                r#"{{"size":"{name}","valueColumns":[{{"name":"mswin","prices":{{"USD":{windows}}}}},{{"name":"linux","prices":{{"USD":{linux}}}}}]}}"#
            )
        };
        let sizes: Vec<String> = sizes.iter().map(size).collect();
        format!(
            r#"{{"vers":0.01,"config":{{"rate":"perhr","valueColumns":["linux","mswin"],"currencies":["USD"],"regions":[{{"region":"{region}","footnotes":{{"*":"notAvailableForCCorCGPU"}},"instanceTypes":[{{"type":"generalPreviousGen","sizes":[]}},{{"type":"gpuCurrentGen","sizes":[{}]}}]}}]}}}}"#,
            sizes.join(",")
        )
    }

    /// `region machine price` of each quote.
    fn found(gathered: &Gathered) -> Vec<String> {
        gathered.quotes.iter().map(|q| format!("{} {} {} {}", q.region, q.instance_type, q.per_hour, q.currency)).collect()
    }

    fn messages(gathered: &Gathered) -> Vec<(&str, &str)> {
        gathered.findings.iter().map(|f| (f.code, f.message.as_str())).collect()
    }

    #[test]
    fn linux_prices_of_the_machines_and_regions_asked_for() {
        let feed = feed("us-east-1", &[("g6.xlarge", r#""0.4""#, r#""9""#), ("m5.large", r#""0.04""#, r#""0.1""#)]);
        let gathered = read(&feed, &["us-east-1"]).unwrap();
        assert_eq!(found(&gathered), ["us-east-1 g6.xlarge 0.4 USD"]);
        assert_eq!(gathered.quotes[0].bought, Bought::Spot);
        assert_eq!(gathered.quotes[0].as_of.to_string(), NOW);
        assert_eq!(messages(&gathered), []);
        assert_eq!(found(&read(&feed, &["us-west-2"]).unwrap()), [""; 0]);
    }

    #[test]
    fn not_available_is_no_price_and_scientific_notation_is_one() {
        let feed = feed(
            "us-east-1",
            &[("g6.xlarge", r#""N/A*""#, r#""1""#), ("p5.4xlarge", r#""2.63E0""#, r#""N/A*""#), ("g5.xlarge", "0.5", "1")],
        );
        let gathered = read(&feed, &["us-east-1"]).unwrap();
        assert_eq!(found(&gathered), ["us-east-1 g5.xlarge 0.5 USD", "us-east-1 p5.4xlarge 2.63 USD"]);
        assert_eq!(messages(&gathered), []);
    }

    #[test]
    fn the_same_price_twice_is_one_and_two_prices_are_for_others_to_judge() {
        let feed = feed(
            "us-east-1",
            &[
                ("g6.12xlarge", r#""1.9""#, "1"),
                ("p4de.24xlarge", r#""8.5""#, "1"),
                ("g6.12xlarge", r#""1.9""#, "1"),
                ("p4de.24xlarge", r#""9.5""#, "1"),
            ],
        );
        let gathered = read(&feed, &["us-east-1"]).unwrap();
        assert_eq!(
            found(&gathered),
            ["us-east-1 g6.12xlarge 1.9 USD", "us-east-1 p4de.24xlarge 8.5 USD", "us-east-1 p4de.24xlarge 9.5 USD"]
        );
    }

    #[test]
    fn old_names_of_regions_are_known() {
        let gathered = read(&feed("eu-ireland", &[("g5.xlarge", r#""0.5""#, "1")]), &["eu-west-1"]).unwrap();
        assert_eq!(found(&gathered), ["eu-west-1 g5.xlarge 0.5 USD"]);
    }

    #[test]
    fn a_region_that_the_feed_omits_is_told_and_has_no_price() {
        let gathered = read(&feed("us-east-1", &[("g5.xlarge", r#""0.5""#, "1")]), &["me-central-1", "us-east-1"]).unwrap();
        assert_eq!(found(&gathered), ["us-east-1 g5.xlarge 0.5 USD"]);
        assert_eq!(messages(&gathered), [("E1811", "regions that are not in the AWS spot feed (1): `me-central-1`")]);
    }

    #[test]
    fn other_currencies_are_kept_as_they_are() {
        let feed = feed("cn-north-1", &[("g5.xlarge", r#""3.1""#, "1")]).replace("\"USD\":", "\"CNY\":");
        assert_eq!(found(&read(&feed, &["cn-north-1"]).unwrap()), ["cn-north-1 g5.xlarge 3.1 CNY"]);
    }

    #[test]
    fn bad_entries_are_left_out_and_summed_up() {
        let sizes =
            [("g5.xlarge", r#""cheap""#, "1"), ("g5.2xlarge", "null", "1"), ("g5.4xlarge", "[]", "1"), ("g5.8xlarge", r#""NaN""#, "1")];
        let feed = feed("us-east-1", &[&sizes[..], &[("g6.xlarge", r#""0.4""#, "1")]].concat());
        let feed = feed.replace(r#""sizes":[{"#, r#""sizes":[7,{"size":"g4dn.xlarge"},{"#).replace(r#""regions":["#, r#""regions":[{},"#);
        let gathered = read(&feed, &["us-east-1"]).unwrap();
        assert_eq!(found(&gathered), ["us-east-1 g6.xlarge 0.4 USD"]);
        let expected = "entries of the AWS spot feed that cannot be read, left out (7): `g4dn.xlarge` in `us-east-1` (no prices), \
                        `g5.2xlarge` in `us-east-1` (`null` is no price), `g5.4xlarge` in `us-east-1` (`[]` is no price) and 4 more";
        assert_eq!(messages(&gathered), [("E1825", expected)]);
    }

    #[test]
    fn the_old_feed_comes_as_a_call() {
        let feed = format!("callback({});\n", feed("us-east", &[("p3.2xlarge", r#""1.1""#, "2")]));
        assert_eq!(found(&read(&feed, &["us-east-1"]).unwrap()), ["us-east-1 p3.2xlarge 1.1 USD"]);
    }

    #[test]
    fn a_feed_that_says_it_is_old_is_frozen() {
        let dated =
            |text: &str| feed("us-east-1", &[("g5.xlarge", r#""0.5""#, "1")]).replace("\"vers\":0.01", &format!("\"updated\":\"{text}\""));
        let old = read(&dated("2024-05-13"), &["us-east-1"]).unwrap();
        assert_eq!(messages(&old), [("E1828", "the AWS spot feed has not changed for 819 days")]);
        assert_eq!(old.quotes[0].as_of.to_string(), "2024-05-13T00:00:00Z");
        // 45 days before now, to the second, is not too old; a second more is.
        assert_eq!(messages(&read(&dated("2026-06-26T12:00:00Z"), &["us-east-1"]).unwrap()), []);
        assert_eq!(messages(&read(&dated("2026-06-26T11:59:59Z"), &["us-east-1"]).unwrap()).len(), 1);
    }

    #[test]
    fn a_document_of_another_form_is_malformed_and_one_that_breaks_off_is_broken() {
        for body in ["{}", r#"{"config":{"regions":[]}}"#, "<html>403</html>", r#"{"configuration":{}}"#] {
            assert!(matches!(read(body, &["us-east-1"]), Err(ReadFault::Malformed(_))), "{body}");
        }
        let whole = feed("us-east-1", &[("g5.xlarge", r#""0.5""#, "1")]);
        assert!(matches!(read(&whole[..whole.len() - 9], &["us-east-1"]), Err(ReadFault::Broken(_))));
    }
}
