//! What a refresh would put in: one price for each name, made of what was gathered.
//!
//! In: quotes and spot histories. Out: [`Candidate`]s that have passed the rules for a price by itself, the first three of
//! [`crate::pricing::sanity`]; those against other prices are asked where there are others, in [`super::merge()`].

use super::Refresh;
use crate::catalog::RowCapacity;
use crate::diagnostic::Severity;
use crate::domain::Cloud;
use crate::pricing::codes;
use crate::pricing::gathered::{Quote, SpotPoint};
use crate::pricing::key::OfferingKey;
use crate::pricing::sanity::{self, Agreed};
use crate::pricing::statistics::{self, PricePoint, Window};
use crate::pricing::summed::{Kind, Summed};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A price that may become a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// What it is for.
    pub key: OfferingKey,
    /// Dollars an hour.
    pub usd_per_hour: f64,
    /// Where it was read.
    pub source: String,
    /// Day of the price, `YYYY-MM-DD`.
    pub as_of: String,
    /// How it was put together.
    pub derivation: String,
    /// Latest price by zone id, dollars an hour.
    pub zone_prices: BTreeMap<String, f64>,
    /// Spot prices over time, by zone id.
    pub history: BTreeMap<String, Vec<PricePoint>>,
    /// Window of the history.
    pub window: Option<Window>,
}

/// All that a refresh would put in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidates {
    /// By name.
    pub prices: BTreeMap<OfferingKey, Candidate>,
    /// Names with quotes that contradict each other.
    pub contradicted: BTreeSet<OfferingKey>,
    /// Names that are listed, and of which no quote can be used.
    pub unusable: BTreeSet<OfferingKey>,
}

/// Days of spot history that are looked at: AWS keeps no more.
const HISTORY_DAYS: i64 = 90;
const HISTORY_SOURCE: &str = "AWS spot price history (DescribeSpotPriceHistory)";
const BAD_ENTRY: Kind = (codes::BAD_ENTRY, Severity::Warning);
const NO_PRICE: Kind = (codes::NO_PRICE, Severity::Warning);
const CONTRADICTION: Kind = (codes::CONTRADICTION, Severity::Warning);

impl Candidates {
    /// Takes what was gathered in the scope. A spot price with a history is the history's; what else was posted for it is not asked.
    #[must_use]
    pub fn of(refresh: &Refresh<'_>, summed: &mut Summed) -> Self {
        let mut prices = from_history(refresh, summed);
        let mut quotes = Vec::new();
        for quote in refresh.gathered.quotes.iter().filter(|quote| refresh.covers(quote.cloud, &quote.region)) {
            match OfferingKey::of_quote(quote) {
                Some(key) if prices.contains_key(&key) => {}
                Some(key) => quotes.push((key, quote)),
                None => summed.add(BAD_ENTRY, "commitments for neither one year nor three, left out", format!("`{}`", quote.instance_type)),
            }
        }
        let listed: BTreeSet<OfferingKey> = quotes.iter().map(|(key, _)| key.clone()).collect();
        let usable = sanity::usable(quotes, summed);
        let Agreed { quotes, contradicted } = sanity::agreed(usable, summed);
        let mut by_name: BTreeMap<OfferingKey, Vec<(Option<&str>, &Quote)>> = BTreeMap::new();
        for ((key, zone), quote) in quotes {
            by_name.entry(key).or_default().push((zone, quote));
        }
        prices.extend(by_name.into_iter().filter_map(|(key, quotes)| Some((key.clone(), from_quotes(key, &quotes)?))));
        let unusable = listed.into_iter().filter(|key| !prices.contains_key(key)).collect();
        Self { prices, contradicted, unusable }
    }
}

/// The price of a name: the mean of its zones where it is quoted by zone, else as it is quoted.
fn from_quotes(key: OfferingKey, quotes: &[(Option<&str>, &Quote)]) -> Option<Candidate> {
    let zone_prices: BTreeMap<String, f64> =
        quotes.iter().filter_map(|(zone, quote)| zone.map(|zone| (zone.to_owned(), quote.per_hour))).collect();
    // The whole region's quote comes first, if there is one; it gives way to zones.
    let (_, quote) = quotes.last()?;
    let as_of = quotes.iter().map(|(_, quote)| quote.as_of).max()?;
    let (usd_per_hour, derivation) = match zone_prices.len() {
        0 | 1 => (quote.per_hour, quote.derivation.clone()),
        zones => (zone_prices.values().sum::<f64>() / zones as f64, format!("mean of {zones} zones")),
    };
    Some(Candidate {
        key,
        usd_per_hour,
        source: quote.source.clone(),
        as_of: day(as_of),
        derivation,
        zone_prices,
        history: BTreeMap::new(),
        window: None,
    })
}

/// One price for each region and machine with a history: the mean over zones of the time-weighted mean of each.
///
/// A posted price is the one of this minute. A plan is for weeks, and the spot price it can count on is the level, not the minute.
fn from_history(refresh: &Refresh<'_>, summed: &mut Summed) -> BTreeMap<OfferingKey, Candidate> {
    let from = refresh.now.checked_sub(SignedDuration::from_hours(24 * HISTORY_DAYS)).unwrap_or(Timestamp::MIN);
    let window = Window { from, to: refresh.now };
    let mut candidates = BTreeMap::new();
    for ((region, instance_type), zones) in by_zone(refresh, summed) {
        let key = OfferingKey::hourly(Cloud::Aws, region, instance_type, RowCapacity::Spot);
        let levels: Vec<f64> = zones.values().filter_map(|points| statistics::level(points, window)).collect();
        let latest = |points: &Vec<PricePoint>| points.last().map(|point| point.usd_per_hour);
        let zone_prices: BTreeMap<String, f64> = zones.iter().filter_map(|(zone, points)| Some((zone.clone(), latest(points)?))).collect();
        if levels.is_empty() {
            continue;
        }
        let usd_per_hour = levels.iter().sum::<f64>() / levels.len() as f64;
        let first = zones.values().filter_map(|points| points.first()).map(|point| point.at).min().unwrap_or(from).clamp(from, window.to);
        let days = window.to.duration_since(first).as_secs_f64() / 86_400.0;
        let names = zones.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let derivation = format!("time-weighted mean over {days:.1} days, mean of zones {names}");
        let (source, as_of) = (HISTORY_SOURCE.to_owned(), day(refresh.now));
        let candidate =
            Candidate { key: key.clone(), usd_per_hour, source, as_of, derivation, zone_prices, history: zones, window: Some(window) };
        candidates.insert(key, candidate);
    }
    candidates
}

type Place<'a> = (&'a str, &'a str);

/// Points by (region, machine) and zone, in order of time, each moment once.
fn by_zone<'a>(refresh: &Refresh<'a>, summed: &mut Summed) -> BTreeMap<Place<'a>, BTreeMap<String, Vec<PricePoint>>> {
    let mut sorted: BTreeMap<Place<'a>, BTreeMap<String, Vec<PricePoint>>> = BTreeMap::new();
    for point in refresh.gathered.spot_history.iter().filter(|point| refresh.covers(Cloud::Aws, &point.region)) {
        let SpotPoint { region, zone, instance_type, at, usd_per_hour } = point;
        if sanity::is_price(*usd_per_hour) {
            let zones = sorted.entry((region, instance_type)).or_default();
            zones.entry(zone.clone()).or_default().push(PricePoint { at: *at, usd_per_hour: *usd_per_hour });
        } else {
            let name = format!("`{instance_type}` in {zone} ({usd_per_hour})");
            summed.add(NO_PRICE, "moments of a spot history without a price, left out", name);
        }
    }
    for ((_, instance_type), zones) in &mut sorted {
        for (zone, points) in zones.iter_mut() {
            if drop_contradictions(points) {
                let name = format!("`{instance_type}` in {zone}");
                summed.add(CONTRADICTION, "moments of a spot history with two prices, left out", name);
            }
        }
        zones.retain(|_, points| !points.is_empty());
    }
    sorted.retain(|_, zones| !zones.is_empty());
    sorted
}

/// Sorts; a moment with one price stands once, one with several not at all. Says whether there was one of those.
fn drop_contradictions(points: &mut Vec<PricePoint>) -> bool {
    points.sort_by(|a, b| a.at.cmp(&b.at).then(a.usd_per_hour.total_cmp(&b.usd_per_hour)));
    points.dedup_by(|b, a| a.at == b.at && a.usd_per_hour.total_cmp(&b.usd_per_hour).is_eq());
    let twice: BTreeSet<Timestamp> = points.windows(2).filter(|pair| pair[0].at == pair[1].at).map(|pair| pair[0].at).collect();
    points.retain(|point| !twice.contains(&point.at));
    !twice.is_empty()
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
