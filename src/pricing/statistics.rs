//! Spot prices over time in a few numbers: their level, how they move, and how often there is no discount.
//!
//! In: the moments from which a price held, by zone, and the window to look at. Out: [`SpotStatistics`]. Everything is weighted by
//! time, not by points: a price that held for a month counts for more than one that held for an hour. Pure functions.

use jiff::Timestamp;

/// A price from a moment on, until the next one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PricePoint {
    /// From when on.
    pub at: Timestamp,
    /// Dollars an hour.
    pub usd_per_hour: f64,
}

/// Span of time that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Start.
    pub from: Timestamp,
    /// End: the last price of a zone holds until here.
    pub to: Timestamp,
}

/// What prices did in a window. Prices in dollars an hour.
///
/// Of several zones: `low` and `high` are the extremes, the percentiles are of all zones with the same weight each, and all else is
/// the mean of the zones, since a node sits in one of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpotStatistics {
    /// Days of the window for which a price is known.
    pub days: f64,
    /// Time-weighted mean.
    pub level: f64,
    /// Last price.
    pub latest: f64,
    /// Lowest.
    pub low: f64,
    /// Highest.
    pub high: f64,
    /// Price that is not exceeded half of the time.
    pub p50: f64,
    /// Price that is not exceeded 90% of the time.
    pub p90: f64,
    /// Price that is not exceeded 95% of the time.
    pub p95: f64,
    /// Standard deviation of the daily mean prices, a share of the level. Days are those of UTC, weighted by the time they cover.
    pub volatility: f64,
    /// Changes of the price a day.
    pub changes_per_day: f64,
    /// Share of time at no discount: 99% of the on-demand price or more. None where there is no on-demand price.
    pub share_at_on_demand: Option<f64>,
}

/// Shorter histories have no statistics: there are no days to compare, and a volatility of 0 would be a lie.
const LEAST_DAYS: f64 = 1.0;
/// From this share of the on-demand price on there is no discount worth the name.
const NO_DISCOUNT: f64 = 0.99;
/// Two prices that are nearer to each other, relatively, are the same.
const SAME: f64 = 1e-9;
const SECONDS_PER_DAY: f64 = 86_400.0;

/// Time-weighted mean of one zone's prices, dollars an hour; the latest price where none has held for any time; none without points.
#[must_use]
pub fn level(points: &[PricePoint], window: Window) -> Option<f64> {
    let zone = Zone::of(points, window)?;
    Some(zone.level())
}

/// The statistics of one zone; none for less than a day of prices.
#[must_use]
pub fn of_zone(points: &[PricePoint], window: Window, on_demand_usd_per_hour: Option<f64>) -> Option<SpotStatistics> {
    pooled(&[points], window, on_demand_usd_per_hour)
}

/// The statistics of several zones together; none for less than a day of prices. Zones without a price are left out.
#[must_use]
pub fn pooled(zones: &[&[PricePoint]], window: Window, on_demand_usd_per_hour: Option<f64>) -> Option<SpotStatistics> {
    let zones: Vec<Zone> = zones.iter().filter_map(|points| Zone::of(points, window)).filter(|zone| zone.seconds > 0.0).collect();
    let mean = |of: &dyn Fn(&Zone) -> f64| zones.iter().map(of).sum::<f64>() / zones.len() as f64;
    let days = mean(&Zone::days);
    if zones.is_empty() || days < LEAST_DAYS {
        return None;
    }
    let weighted = by_price(&zones);
    // A sum of nothing is -0.
    let no_discount =
        |on_demand: f64| weighted.iter().filter(|(price, _)| *price >= NO_DISCOUNT * on_demand).map(|(_, w)| w).sum::<f64>() + 0.0;
    Some(SpotStatistics {
        days,
        level: mean(&Zone::level),
        latest: mean(&|zone| zone.latest),
        low: weighted.first()?.0,
        high: weighted.last()?.0,
        p50: percentile(&weighted, 0.50)?,
        p90: percentile(&weighted, 0.90)?,
        p95: percentile(&weighted, 0.95)?,
        volatility: mean(&Zone::volatility),
        changes_per_day: mean(&Zone::changes_per_day),
        share_at_on_demand: on_demand_usd_per_hour.map(no_discount),
    })
}

/// A price for a while.
struct Segment {
    /// Start, seconds of the UTC epoch.
    start_s: f64,
    seconds: f64,
    usd_per_hour: f64,
}

/// One zone's prices in the window, without gaps.
struct Zone {
    segments: Vec<Segment>,
    seconds: f64,
    latest: f64,
}

impl Zone {
    fn of(points: &[PricePoint], window: Window) -> Option<Self> {
        let mut points = points.to_vec();
        points.sort_by_key(|point| point.at);
        let second = |at: Timestamp| at.clamp(window.from, window.to.max(window.from)).as_millisecond() as f64 / 1e3;
        let ends = points.iter().skip(1).map(|next| next.at).chain([window.to]);
        let segments: Vec<Segment> = points
            .iter()
            .zip(ends)
            .map(|(point, end)| {
                let start_s = second(point.at);
                Segment { start_s, seconds: second(end) - start_s, usd_per_hour: point.usd_per_hour }
            })
            .filter(|segment| segment.seconds > 0.0)
            .collect();
        let seconds = segments.iter().map(|segment| segment.seconds).sum();
        Some(Self { segments, seconds, latest: points.last()?.usd_per_hour })
    }

    fn days(&self) -> f64 {
        self.seconds / SECONDS_PER_DAY
    }

    fn level(&self) -> f64 {
        if self.seconds > 0.0 { self.segments.iter().map(|s| s.usd_per_hour * s.seconds).sum::<f64>() / self.seconds } else { self.latest }
    }

    /// The daily means, weighted by the time of their days, have the level for their mean.
    fn volatility(&self) -> f64 {
        let level = self.level();
        let days = self.by_day();
        let variance = days.iter().map(|(cost, seconds)| seconds * (cost / seconds - level).powi(2)).sum::<f64>() / self.seconds;
        variance.sqrt() / level
    }

    /// Price x seconds and seconds of each day that has any.
    fn by_day(&self) -> Vec<(f64, f64)> {
        let mut days: std::collections::BTreeMap<i64, (f64, f64)> = std::collections::BTreeMap::new();
        for segment in &self.segments {
            let (mut at, end) = (segment.start_s, segment.start_s + segment.seconds);
            while at < end {
                let day = (at / SECONDS_PER_DAY).floor();
                let until = end.min((day + 1.0) * SECONDS_PER_DAY);
                let sums = days.entry(day as i64).or_default();
                sums.0 += segment.usd_per_hour * (until - at);
                sums.1 += until - at;
                at = until;
            }
        }
        days.into_values().collect()
    }

    fn changes_per_day(&self) -> f64 {
        let differ = |pair: &&[Segment]| (pair[0].usd_per_hour - pair[1].usd_per_hour).abs() > SAME * pair[0].usd_per_hour.abs();
        self.segments.windows(2).filter(differ).count() as f64 / self.days()
    }
}

/// Prices, lowest first, with their share of the time; every zone has the same weight.
fn by_price(zones: &[Zone]) -> Vec<(f64, f64)> {
    let share = |zone: &Zone, segment: &Segment| segment.seconds / zone.seconds / zones.len() as f64;
    let mut weighted: Vec<(f64, f64)> =
        zones.iter().flat_map(|zone| zone.segments.iter().map(move |s| (s.usd_per_hour, share(zone, s)))).collect();
    weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
    weighted
}

/// The lowest price that is not exceeded for `share` of the time. The tolerance is the rounding of a sum of shares.
fn percentile(weighted: &[(f64, f64)], share: f64) -> Option<f64> {
    let mut sum = 0.0;
    let reached = weighted.iter().find(|(_, weight)| {
        sum += weight;
        sum >= share - 1e-9
    });
    reached.or(weighted.last()).map(|(price, _)| *price)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn point(text: &str, usd_per_hour: f64) -> PricePoint {
        PricePoint { at: at(text), usd_per_hour }
    }

    fn near(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 1e-9, "{actual} is not {expected}");
    }

    /// Ten days: 1.00 for six days, 2.00 for three and 4.00 for one.
    fn ten_days() -> (Vec<PricePoint>, Window) {
        let points = vec![point("2026-08-01T00:00:00Z", 1.0), point("2026-08-07T00:00:00Z", 2.0), point("2026-08-10T00:00:00Z", 4.0)];
        (points, Window { from: at("2026-08-01T00:00:00Z"), to: at("2026-08-11T00:00:00Z") })
    }

    /// Level (6 x 1 + 3 x 2 + 4) / 10 = 1.6; variance (6 x 0.36 + 3 x 0.16 + 5.76) / 10 = 0.84; two changes in ten days.
    #[test]
    fn one_zone_by_hand() {
        let (points, window) = ten_days();
        let found = of_zone(&points, window, Some(4.0)).unwrap();
        near(found.days, 10.0);
        near(found.level, 1.6);
        near(level(&points, window).unwrap(), 1.6);
        near(found.latest, 4.0);
        near(found.low, 1.0);
        near(found.high, 4.0);
        near(found.p50, 1.0);
        near(found.p90, 2.0);
        near(found.p95, 4.0);
        near(found.volatility, 0.84_f64.sqrt() / 1.6);
        near(found.changes_per_day, 0.2);
        near(found.share_at_on_demand.unwrap(), 0.1);
        assert_eq!(of_zone(&points, window, None).unwrap().share_at_on_demand, None, "unknown is not 0");
    }

    #[test]
    fn the_order_of_points_does_not_matter_and_repeated_prices_are_no_change() {
        let (mut points, window) = ten_days();
        let before = of_zone(&points, window, Some(4.0));
        points.reverse();
        assert_eq!(of_zone(&points, window, Some(4.0)), before);
        points.push(point("2026-08-03T00:00:00Z", 1.0));
        let after = of_zone(&points, window, Some(4.0)).unwrap();
        near(after.changes_per_day, 0.2);
        near(after.level, 1.6);
    }

    /// A price from before the window holds from its start; days without a price are not covered.
    #[test]
    fn the_window_cuts() {
        let (points, _) = ten_days();
        let window = Window { from: at("2026-08-09T00:00:00Z"), to: at("2026-08-11T00:00:00Z") };
        let cut = of_zone(&points, window, None).unwrap();
        near(cut.days, 2.0);
        near(cut.level, 3.0);
        near(cut.low, 2.0);
        let early = Window { from: at("2026-07-01T00:00:00Z"), to: at("2026-08-11T00:00:00Z") };
        near(of_zone(&points, early, None).unwrap().days, 10.0);
    }

    /// 12 h at 1 and 36 h at 3: level 2.5; day one has the mean 2, day two 3; variance (0.25 + 0.25) / 2.
    #[test]
    fn daily_means_split_at_midnight_utc() {
        let points = [point("2026-08-01T00:00:00Z", 1.0), point("2026-08-01T12:00:00Z", 3.0)];
        let window = Window { from: at("2026-08-01T00:00:00Z"), to: at("2026-08-03T00:00:00Z") };
        let found = of_zone(&points, window, None).unwrap();
        near(found.level, 2.5);
        near(found.volatility, 0.5 / 2.5);
    }

    /// Zone b: 3.00 for the last two days. Levels 1.6 and 3.0; shares of time 0.3 at 1, 0.15 at 2, 0.5 at 3, 0.05 at 4.
    #[test]
    fn zones_count_the_same_however_long_they_are_known() {
        let (a, window) = ten_days();
        let b = [point("2026-08-09T00:00:00Z", 3.0)];
        let found = pooled(&[&a, &b, &[]], window, Some(3.0)).unwrap();
        near(found.days, 6.0);
        near(found.level, 2.3);
        near(found.latest, 3.5);
        near(found.low, 1.0);
        near(found.high, 4.0);
        near(found.p50, 3.0);
        near(found.p90, 3.0);
        near(found.p95, 3.0);
        near(found.changes_per_day, 0.1);
        near(found.volatility, 0.84_f64.sqrt() / 1.6 / 2.0);
        near(found.share_at_on_demand.unwrap(), 0.55);
    }

    #[test]
    fn too_little_is_nothing() {
        let window = Window { from: at("2026-08-01T00:00:00Z"), to: at("2026-08-11T00:00:00Z") };
        assert_eq!(pooled(&[], window, None), None);
        assert_eq!(of_zone(&[], window, None), None);
        assert_eq!(level(&[], window), None);
        let hours = [point("2026-08-10T12:00:00Z", 1.0)];
        assert_eq!(of_zone(&hours, window, None), None, "half a day");
        near(level(&hours, window).unwrap(), 1.0);
        let future = [point("2026-08-11T00:02:00Z", 2.0)];
        near(level(&future, window).unwrap(), 2.0);
        near(level(&[hours[0], future[0]], window).unwrap(), 1.0);
    }
}
