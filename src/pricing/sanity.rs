//! What a price may be. The one place that judges what sources bring; the rules are in the order in which they are asked.
//!
//! In: quotes, and the price that each would replace. Out: the ones that may be used, and a finding for each that may not: nothing is
//! dropped in silence. It must not look for better prices, nor mend one.

use super::codes;
use super::gathered::Quote;
use super::key::OfferingKey;
use super::snapshot::HeldBack;
use super::summed::{Kind, Summed};
use crate::catalog::RowCapacity;
use crate::diagnostic::Severity;
use std::collections::{BTreeMap, BTreeSet};

/// No machine costs that much: the dearest listed one is near 200 dollars an hour, and a price by the month or the year that is taken
/// for one by the hour still stays below. Dollars an hour.
pub const DEAREST_USD_PER_HOUR: f64 = 1e5;
/// A step that needs a second look. The largest real ones were a cut of on-demand by 44% and spot half as dear again within a quarter;
/// a missing part of a machine, or a price in another unit, is further off.
pub const LARGEST_JUMP: f64 = 5.0;
/// Two prices of one thing that are nearer to each other, relatively, are one: sources round differently.
const AGREE: f64 = 1e-6;
/// Room above on-demand, relatively, for the rounding of sums. Equal is fine: some spot pools have no discount.
const ABOVE: f64 = 1e-9;
/// A held-back price that comes again this near, relatively, was no slip.
const AGAIN: f64 = 0.01;
/// The same for spot, which moves by itself between two looks: at 1% it might never be taken, and the old price would stay for ever.
const AGAIN_SPOT: f64 = 0.10;

/// A quote with its name.
pub type Named<'a> = (OfferingKey, &'a Quote);

const DROPPED: Severity = Severity::Warning;
const OTHER_CURRENCY: Kind = (codes::OTHER_CURRENCY, DROPPED);
const NO_PRICE: Kind = (codes::NO_PRICE, DROPPED);
const CONTRADICTION: Kind = (codes::CONTRADICTION, DROPPED);

/// First and second rule: US dollars, and a price at all.
///
/// Nothing is converted: an exchange rate is a price too, and this program knows none. Zero is how some lists write "not sold this
/// way" (AWS capacity blocks), so that a machine for nothing is never believed.
#[must_use]
pub fn usable<'a>(quotes: Vec<Named<'a>>, summed: &mut Summed) -> Vec<Named<'a>> {
    let mut good = Vec::new();
    for (key, quote) in quotes {
        if quote.currency != "USD" {
            summed.add(OTHER_CURRENCY, "prices that are not in US dollars, left out", format!("`{key}` ({})", quote.currency));
        } else if is_price(quote.per_hour) {
            good.push((key, quote));
        } else {
            summed.add(NO_PRICE, "prices that are none, left out", format!("`{key}` ({})", quote.per_hour));
        }
    }
    good
}

/// More than nothing, finite, and no more than [`DEAREST_USD_PER_HOUR`].
#[must_use]
pub fn is_price(usd_per_hour: f64) -> bool {
    usd_per_hour > 0.0 && usd_per_hour <= DEAREST_USD_PER_HOUR
}

/// Quotes of which there is one for each thing and zone.
#[derive(Clone, Debug, Default)]
pub struct Agreed<'a> {
    /// By name and zone.
    pub quotes: BTreeMap<(OfferingKey, Option<&'a str>), &'a Quote>,
    /// Names of which at least one zone has prices that differ.
    pub contradicted: BTreeSet<OfferingKey>,
}

/// Third rule: prices of one thing that agree are one; where they differ, none is taken.
///
/// Which of the two is right cannot be known, and the last one read is not more right than the first: two savings plans that were
/// taken for one have passed that way. The caller keeps the price from before, with its old day.
#[must_use]
pub fn agreed<'a>(quotes: Vec<Named<'a>>, summed: &mut Summed) -> Agreed<'a> {
    let mut groups: BTreeMap<(OfferingKey, Option<&'a str>), Vec<&'a Quote>> = BTreeMap::new();
    for (key, quote) in quotes {
        groups.entry((key, quote.zone.as_deref())).or_default().push(quote);
    }
    let mut agreed = Agreed::default();
    for ((key, zone), mut group) in groups {
        group.sort_by(|a, b| {
            a.per_hour
                .total_cmp(&b.per_hour)
                .then(b.as_of.cmp(&a.as_of))
                .then_with(|| (&a.source, &a.derivation).cmp(&(&b.source, &b.derivation)))
        });
        let (Some(lowest), Some(highest)) = (group.first(), group.last()) else { continue };
        if highest.per_hour <= lowest.per_hour * (1.0 + AGREE) {
            agreed.quotes.insert((key, zone), lowest);
        } else {
            let place = zone.map(|zone| format!(" in {zone}")).unwrap_or_default();
            let name = format!("`{key}`{place} ({} and {})", lowest.per_hour, highest.per_hour);
            summed.add(CONTRADICTION, "prices that contradict each other, the ones from before are kept", name);
            agreed.contradicted.insert(key);
        }
    }
    agreed
}

/// Fourth rule: nobody takes less for more. A spot or committed price above on-demand is one of another machine, or the on-demand
/// price is: a list that takes reservations for on-demand shows itself that way.
#[must_use]
pub fn is_above(usd_per_hour: f64, on_demand_usd_per_hour: f64) -> bool {
    usd_per_hour > on_demand_usd_per_hour * (1.0 + ABOVE)
}

/// What becomes of a price that is far from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Near enough, or the first.
    Fine,
    /// Held back until it is seen again.
    Held,
    /// Held back before, and seen again: taken.
    SeenAgain,
}

/// Fifth rule: a jump is looked at twice. A slip of a list is gone at the next look; a new price is still there.
#[must_use]
pub fn step(usd_per_hour: f64, before: Option<f64>, held: Option<&HeldBack>) -> Step {
    let is_jump = |before: f64| usd_per_hour > before * LARGEST_JUMP || usd_per_hour < before / LARGEST_JUMP;
    let is_again = |held: &HeldBack| {
        let near = if held.key.capacity_type == RowCapacity::Spot { AGAIN_SPOT } else { AGAIN };
        (usd_per_hour - held.usd_per_hour).abs() <= held.usd_per_hour * near
    };
    match (before.is_some_and(is_jump), held.is_some_and(is_again)) {
        (false, _) => Step::Fine,
        (true, false) => Step::Held,
        (true, true) => Step::SeenAgain,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;
    use crate::domain::Cloud;
    use crate::pricing::gathered::Bought;

    fn quote(per_hour: f64, currency: &str) -> Quote {
        Quote {
            cloud: Cloud::Aws,
            region: "us-east-1".to_owned(),
            zone: None,
            instance_type: "g6e.xlarge".to_owned(),
            bought: Bought::OnDemand,
            per_hour,
            currency: currency.to_owned(),
            source: "list".to_owned(),
            as_of: "2026-11-26T00:00:00Z".parse().unwrap(),
            derivation: String::new(),
        }
    }

    fn named(quotes: &[Quote]) -> Vec<Named<'_>> {
        quotes.iter().map(|quote| (OfferingKey::of_quote(quote).unwrap(), quote)).collect()
    }

    #[test]
    fn other_currencies_and_prices_that_are_none_are_dropped_and_told() {
        let quotes = [
            quote(29_000.0, "IDR"),
            quote(0.0, "USD"),
            quote(-1.0, "USD"),
            quote(f64::NAN, "USD"),
            quote(f64::INFINITY, "USD"),
            quote(100_001.0, "USD"),
            quote(0.0, "EUR"),
            quote(1.861, "USD"),
        ];
        let mut summed = Summed::default();
        let good = usable(named(&quotes), &mut summed);
        assert_eq!(good.len(), 1);
        let told: Vec<String> = summed.told().iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 2);
        assert!(
            told[0].starts_with("[E1820] prices that are not in US dollars, left out (2): `aws/us-east-1/g6e.xlarge/on-demand` (EUR)"),
            "{}",
            told[0]
        );
        assert!(told[1].starts_with("[E1821] prices that are none, left out (5): "), "{}", told[1]);
    }

    #[test]
    fn duplicates_that_agree_are_one_and_others_contradict() {
        let mut summed = Summed::default();
        let same = [quote(1.861, "USD"), quote(1.861 * (1.0 + 5e-7), "USD"), quote(1.861, "USD")];
        let one = agreed(named(&same), &mut summed);
        assert_eq!((one.quotes.len(), one.contradicted.len()), (1, 0));
        assert_eq!(summed.clone().told(), []);

        let differ = [quote(1.861, "USD"), quote(1.862, "USD")];
        let none = agreed(named(&differ), &mut summed);
        assert_eq!((none.quotes.len(), none.contradicted.len()), (0, 1));
        let told = summed.told()[0].to_string();
        assert!(told.contains("[E1824]") && told.contains("(1.861 and 1.862)"), "{told}");
    }

    /// Two zones may differ; a zone may not differ from itself.
    #[test]
    fn zones_are_apart() {
        let in_zone = |zone: &str, per_hour| Quote { zone: Some(zone.to_owned()), bought: Bought::Spot, ..quote(per_hour, "USD") };
        let quotes = [in_zone("use1-az1", 1.0), in_zone("use1-az2", 2.0), in_zone("use1-az3", 3.0), in_zone("use1-az3", 4.0)];
        let mut summed = Summed::default();
        let found = agreed(named(&quotes), &mut summed);
        let zones: Vec<Option<&str>> = found.quotes.keys().map(|(_, zone)| *zone).collect();
        assert_eq!(zones, [Some("use1-az1"), Some("use1-az2")]);
        assert!(summed.told()[0].message.contains(" in use1-az3 (3 and 4)"));
    }

    #[test]
    fn equal_to_on_demand_is_fine_and_above_is_not() {
        assert!(!is_above(4.194, 4.194));
        assert!(!is_above(4.194 * (1.0 + 5e-10), 4.194));
        assert!(is_above(4.194 * (1.0 + 2e-9), 4.194));
    }

    #[test]
    fn a_jump_is_taken_when_it_is_seen_again() {
        let held = |text: &str, usd_per_hour| HeldBack {
            key: text.parse().unwrap(),
            usd_per_hour,
            kept_usd_per_hour: 1.0,
            source: String::new(),
            as_of: String::new(),
            first_seen: "2026-11-26T00:00:00Z".parse().unwrap(),
        };
        assert_eq!(step(9.0, None, None), Step::Fine);
        assert_eq!(step(5.0, Some(1.0), None), Step::Fine);
        assert_eq!(step(0.2, Some(1.0), None), Step::Fine);
        assert_eq!(step(5.01, Some(1.0), None), Step::Held);
        assert_eq!(step(0.199, Some(1.0), None), Step::Held);
        let listed = held("aws/r/t/on-demand", 9.0);
        assert_eq!(step(9.08, Some(1.0), Some(&listed)), Step::SeenAgain);
        assert_eq!(step(9.2, Some(1.0), Some(&listed)), Step::Held);
        let spot = held("aws/r/t/spot", 9.0);
        assert_eq!(step(9.8, Some(1.0), Some(&spot)), Step::SeenAgain);
        assert_eq!(step(10.0, Some(1.0), Some(&spot)), Step::Held);
    }
}
