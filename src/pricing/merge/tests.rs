//! What a refresh changes, and what it leaves alone. Prices are those of the embedded catalogue unless a test says otherwise:
//! `aws/us-east-1/g6e.12xlarge` is 10.49264 on demand, 3.1479 as spot, 6.61036 for a reserved year.

use super::*;
use crate::catalog::{Catalog, builtin};
use crate::pricing::gathered::{Band, Bought, Payment, Product, Quote, Shape, SpotPoint, Term, ZoneOffer};
use crate::pricing::snapshot;

const NOW: &str = "2026-11-26T12:00:00Z";
const LATER: &str = "2026-11-27T12:00:00Z";
const ON_DEMAND: &str = "aws/us-east-1/g6e.12xlarge/on-demand";
const SPOT: &str = "aws/us-east-1/g6e.12xlarge/spot";
const RESERVED: &str = "aws/us-east-1/g6e.12xlarge/committed/1y/standard-reserved/no-upfront";

struct World {
    catalog: Catalog,
    embedded: Snapshot,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn key(text: &str) -> OfferingKey {
    text.parse().unwrap()
}

fn world() -> World {
    let catalog = builtin::catalog().unwrap();
    let embedded = snapshot::from_builtin(&catalog, at("2026-11-23T00:00:00Z"));
    World { catalog, embedded }
}

/// A world of two machines in one region, in which every finding can be written out.
fn small_world() -> World {
    let mut world = world();
    let few = ["g6e.12xlarge", "g6e.xlarge"];
    world.embedded.rows.retain(|row| row.row.region == "us-east-1" && few.contains(&row.row.instance_type.as_str()));
    world
}

fn aws(region: &str) -> Vec<Scope> {
    vec![Scope { cloud: Cloud::Aws, region: region.to_owned(), source: "public".to_owned() }]
}

/// A quote for a name: `quote("aws/us-east-1/g6e.12xlarge/spot", 3.0)`.
fn quote(name: &str, per_hour: f64) -> Quote {
    let OfferingKey { cloud, region, instance_type, capacity_type, term, product, payment } = key(name);
    let bought = match capacity_type {
        RowCapacity::OnDemand => Bought::OnDemand,
        RowCapacity::Spot => Bought::Spot,
        RowCapacity::Committed => Bought::Committed(Term {
            product: crate::pricing::key::product(&product).unwrap(),
            years: if term == "3y" { 3 } else { 1 },
            payment: crate::pricing::key::payment(&payment).unwrap(),
        }),
    };
    Quote {
        cloud,
        region,
        zone: None,
        instance_type,
        bought,
        per_hour,
        currency: "USD".to_owned(),
        source: "price list".to_owned(),
        as_of: at("2026-11-25T18:00:00Z"),
        derivation: String::new(),
    }
}

fn quotes(of: &[(&str, f64)]) -> Gathered {
    Gathered { quotes: of.iter().map(|(name, per_hour)| quote(name, *per_hour)).collect(), ..Gathered::default() }
}

impl World {
    fn merged(&self, previous: &Snapshot, gathered: &Gathered, now: &str) -> (Snapshot, Vec<String>) {
        self.in_scope(previous, gathered, (&aws("us-east-1"), now))
    }

    fn in_scope(&self, previous: &Snapshot, gathered: &Gathered, (scope, now): (&[Scope], &str)) -> (Snapshot, Vec<String>) {
        let refresh = Refresh { gathered, scope, accelerators: &self.catalog.accelerators, now: at(now) };
        let (next, findings) = merge(previous, &refresh);
        (next, findings.iter().map(ToString::to_string).collect())
    }
}

fn price(snapshot: &Snapshot, name: &str) -> Option<f64> {
    snapshot.row(&key(name)).map(|row| row.row.usd_per_hour)
}

fn near(actual: Option<f64>, expected: f64) {
    assert!(actual.is_some_and(|actual| (actual - expected).abs() < 1e-9), "{actual:?} is not {expected}");
}

#[test]
fn nothing_gathered_changes_nothing() {
    let world = world();
    let (next, told) = world.merged(&world.embedded, &Gathered::default(), NOW);
    assert_eq!(next.rows, world.embedded.rows);
    assert_eq!((next.taken_at, next.refreshed.len()), (at(NOW), 0));
    assert_eq!(told, ["[E1811] no usable price came, the ones from before are kept (1): `aws/us-east-1` (public)"]);
    let (next, told) = world.in_scope(&world.embedded, &quotes(&[(ON_DEMAND, 9.0)]), (&[], NOW));
    assert_eq!((next.rows, told), (world.embedded.rows.clone(), Vec::new()));
}

/// All embedded prices as quotes: the same prices and machines come out, whatever the order, and again the second time.
#[test]
fn the_same_prices_twice_are_no_change() {
    let world = world();
    let all: Vec<Quote> = world.embedded.rows.iter().map(|row| quote(&row.key().to_string(), row.row.usd_per_hour)).collect();
    let regions: BTreeSet<(Cloud, String)> = all.iter().map(|quote| (quote.cloud, quote.region.clone())).collect();
    let scope: Vec<Scope> = regions.into_iter().map(|(cloud, region)| Scope { cloud, region, source: "public".to_owned() }).collect();
    let mut gathered = Gathered { quotes: all, ..Gathered::default() };
    let (once, told) = world.in_scope(&world.embedded, &gathered, (&scope, NOW));
    assert_eq!(told, Vec::<String>::new());
    for (new, old) in once.rows.iter().zip(&world.embedded.rows) {
        let expected =
            CatalogRow { source: "price list".to_owned(), as_of: "2026-11-25".to_owned(), note: new.row.note.clone(), ..old.row.clone() };
        assert_eq!(new.row, expected);
        assert_eq!((new.key(), new.read_at), (old.key(), Some(at(NOW))));
    }
    assert_eq!(once.rows.len(), world.embedded.rows.len());

    gathered.quotes.reverse();
    gathered.quotes.extend(gathered.quotes.clone());
    let (shuffled, _) = world.in_scope(&world.embedded, &gathered, (&scope, NOW));
    assert_eq!(shuffled, once);
    let (twice, told) = world.in_scope(&once, &gathered, (&scope, NOW));
    assert_eq!((twice, told), (once, Vec::new()));
}

#[test]
fn a_kind_that_came_replaces_its_rows_and_no_others() {
    let world = world();
    let (next, told) = world.merged(&world.embedded, &quotes(&[(ON_DEMAND, 10.0), ("aws/us-west-2/g6e.12xlarge/on-demand", 9.0)]), NOW);
    near(price(&next, ON_DEMAND), 10.0);
    near(price(&next, SPOT), 3.1479);
    assert_eq!(price(&next, "aws/us-east-1/g6e.xlarge/on-demand"), None, "not listed any more");
    assert!(told[0].starts_with("[E1829] prices that are not listed any more, dropped (") && told[0].contains(" more"), "{told:?}");
    let elsewhere = |snapshot: &Snapshot| snapshot.rows.iter().filter(|row| row.row.region != "us-east-1").cloned().collect::<Vec<_>>();
    assert_eq!(elsewhere(&next), elsewhere(&world.embedded), "us-west-2 was not asked for");
    let spot = |snapshot: &Snapshot| snapshot.row(&key(SPOT)).cloned();
    assert_eq!(spot(&next), spot(&world.embedded), "with its old source and day");
    let row = next.row(&key(ON_DEMAND)).unwrap();
    assert_eq!((row.row.source.as_str(), row.row.as_of.as_str(), row.read_at), ("price list", "2026-11-25", Some(at(NOW))));
    assert_eq!(row.row.zones.len(), 4, "zones of the row from before");
    let refreshed = [Refreshed { cloud: Cloud::Aws, region: "us-east-1".to_owned(), source: "public".to_owned(), taken_at: at(NOW) }];
    assert_eq!(next.refreshed, refreshed);
    assert_eq!(world.merged(&next, &quotes(&[(ON_DEMAND, 10.0)]), LATER).0.refreshed[0].taken_at, at(LATER));
}

/// The region's reserved prices stay when savings plans come, and several products stand beside each other.
#[test]
fn products_replace_only_themselves() {
    let world = world();
    let plan = "aws/us-east-1/g6e.12xlarge/committed/3y/compute-savings-plan/no-upfront";
    let paid = "aws/us-east-1/g6e.12xlarge/committed/3y/compute-savings-plan/all-upfront";
    let (next, told) = world.merged(&world.embedded, &quotes(&[(plan, 5.0), (paid, 4.8)]), NOW);
    near(price(&next, plan), 5.0);
    near(price(&next, paid), 4.8);
    near(price(&next, RESERVED), 6.61036);
    assert_eq!(told, Vec::<String>::new());
    let (after, told) = world.merged(&next, &quotes(&[(plan, 5.1)]), LATER);
    assert_eq!((price(&after, paid), price(&after, RESERVED)), (None, price(&next, RESERVED)));
    assert_eq!(told.len(), 1);
}

#[test]
fn a_machine_is_known_by_its_shape_or_from_before() {
    let world = world();
    let mut gathered = quotes(&[("aws/us-east-1/p9.48xlarge/spot", 20.0), ("aws/us-east-1/g4ad.xlarge/spot", 0.2), (SPOT, 3.0)]);
    gathered.shapes.push(Shape {
        cloud: Cloud::Aws,
        instance_type: "p9.48xlarge".to_owned(),
        gpu_name: "NVIDIA H200".to_owned(),
        gpus: 8.0,
        gpu_memory_gib: Some(141.0),
        vcpus: 192.0,
        ram_gib: 2048.0,
        source: "DescribeInstanceTypes".to_owned(),
    });
    gathered.zones.push(ZoneOffer {
        cloud: Cloud::Aws,
        region: "us-east-1".to_owned(),
        instance_type: "p9.48xlarge".to_owned(),
        zones: vec!["use1-az6".to_owned(), "use1-az1".to_owned()],
    });
    gathered.bands.push(Band { region: "us-east-1".to_owned(), instance_type: "p9.48xlarge".to_owned(), band: "5-10%".to_owned() });
    let (next, told) = world.merged(&world.embedded, &gathered, NOW);
    let row = &next.row(&key("aws/us-east-1/p9.48xlarge/spot")).unwrap().row;
    assert_eq!((row.accelerator.as_str(), row.whole_gpus(), row.vcpus, row.nvlink), ("h200-141-sxm", Some(8), Some(192.0), true));
    assert_eq!((row.zones.join(" ").as_str(), row.interruption_band.as_str()), ("use1-az1 use1-az6", "5-10%"));
    let known = &next.row(&key(SPOT)).unwrap().row;
    assert_eq!((known.interruption_band.as_str(), known.note.as_str()), (">20%", "band of 2025-06-28"), "an old band keeps its day");
    assert_eq!(price(&next, "aws/us-east-1/g4ad.xlarge/spot"), None);
    assert!(told.contains(&"[E1826] machines that the catalogue does not know, left out (1): `aws/g4ad.xlarge`".to_owned()), "{told:?}");
}

#[test]
fn contradictions_keep_the_price_from_before_with_its_day() {
    let world = small_world();
    let gathered = quotes(&[(ON_DEMAND, 10.0), (ON_DEMAND, 11.0), ("aws/us-east-1/g6e.xlarge/on-demand", 1.8)]);
    let (next, told) = world.merged(&world.embedded, &gathered, NOW);
    assert_eq!(next.row(&key(ON_DEMAND)), world.embedded.row(&key(ON_DEMAND)));
    near(price(&next, "aws/us-east-1/g6e.xlarge/on-demand"), 1.8);
    let expected = format!("[E1824] prices that contradict each other, the ones from before are kept (1): `{ON_DEMAND}` (10 and 11)");
    assert_eq!(told, [expected], "and no word of its being gone");
}

/// A list that cannot be used at all is no list: the kind did not come, and its rows stay.
#[test]
fn unusable_quotes_replace_nothing() {
    let world = world();
    let mut gathered = quotes(&[(ON_DEMAND, 0.0), ("aws/us-east-1/g6e.xlarge/on-demand", 29_000.0)]);
    gathered.quotes[1].currency = "IDR".to_owned();
    let (next, told) = world.merged(&world.embedded, &gathered, NOW);
    assert_eq!((&next.rows, next.refreshed.len()), (&world.embedded.rows, 0));
    let codes: Vec<&str> = told.iter().map(|t| &t[1..6]).collect();
    assert_eq!(codes, ["E1820", "E1821", "E1811"]);
}

#[test]
fn spot_and_commitments_are_not_above_on_demand() {
    let world = small_world();
    let plan = "aws/us-east-1/g6e.12xlarge/committed/1y/compute-savings-plan/no-upfront";
    let (next, told) = world.merged(&world.embedded, &quotes(&[(ON_DEMAND, 8.4), (SPOT, 8.5), (plan, 8.4)]), NOW);
    near(price(&next, plan), 8.4);
    assert_eq!(price(&next, SPOT), None, "not the old one either: what it is now is not known");
    let above = format!("[E1822] prices above on-demand, left out (1): `{SPOT}` (8.5, on-demand 8.4)");
    let gone = "`aws/us-east-1/g6e.xlarge/on-demand`, `aws/us-east-1/g6e.xlarge/spot`";
    assert_eq!(told, [above, format!("[E1829] prices that are not listed any more, dropped (2): {gone}")]);
    let (next, told) = world.merged(&world.embedded, &quotes(&[(SPOT, 10.5)]), NOW);
    assert_eq!(price(&next, SPOT), None, "also above an on-demand price from before");
    assert!(told.iter().any(|t| t.starts_with("[E1822]")));
}

#[test]
fn old_prices_above_a_new_on_demand_price_are_kept_and_told() {
    let world = world();
    let (next, told) = world.merged(&world.embedded, &quotes(&[(ON_DEMAND, 6.0)]), NOW);
    near(price(&next, RESERVED), 6.61036);
    let expected = format!("[E1822] old prices above the new on-demand price, kept (1): `{RESERVED}` (6.61036 of 2026-01-21, on-demand 6)");
    assert!(told.contains(&expected), "{told:?}");
}

#[test]
fn a_jump_is_held_back_and_taken_when_it_comes_again() {
    let world = world();
    let (held, told) = world.merged(&world.embedded, &quotes(&[(ON_DEMAND, 60.0), (SPOT, 12.0)]), NOW);
    assert_eq!(held.row(&key(ON_DEMAND)), world.embedded.row(&key(ON_DEMAND)));
    assert_eq!(price(&held, SPOT), None, "held against the on-demand price that stays, 10.49");
    assert!(told.iter().any(|t| t.starts_with("[E1823]") && t.contains("(10.49264 -> 60)")), "{told:?}");
    let expected = HeldBack {
        key: key(ON_DEMAND),
        usd_per_hour: 60.0,
        kept_usd_per_hour: 10.49264,
        source: "price list".to_owned(),
        as_of: "2026-11-25".to_owned(),
        first_seen: at(NOW),
    };
    assert_eq!(held.held_back, [expected]);

    let (other, _) = world.merged(&held, &quotes(&[(ON_DEMAND, 70.0)]), LATER);
    near(price(&other, ON_DEMAND), 10.49264);
    assert_eq!((other.held_back.len(), other.held_back[0].first_seen), (1, at(LATER)), "another price is another one");
    let (not_asked, _) = world.merged(&held, &quotes(&[(SPOT, 3.0)]), LATER);
    assert_eq!(not_asked.held_back, held.held_back);
    let (normal, _) = world.merged(&held, &quotes(&[(ON_DEMAND, 10.5)]), LATER);
    assert_eq!((price(&normal, ON_DEMAND), normal.held_back.len()), (Some(10.5), 0));

    let (taken, told) = world.merged(&held, &quotes(&[(ON_DEMAND, 60.3)]), LATER);
    assert_eq!((price(&taken, ON_DEMAND), taken.held_back.len()), (Some(60.3), 0));
    assert!(told.iter().any(|t| t.starts_with("[E1823] prices that had jumped and came again, taken")), "{told:?}");
}

fn point(zone: &str, moment: &str, usd_per_hour: f64) -> SpotPoint {
    let (region, instance_type) = ("us-east-1".to_owned(), "g6e.12xlarge".to_owned());
    SpotPoint { region, zone: zone.to_owned(), instance_type, at: at(moment), usd_per_hour }
}

/// Zone 1: 3.00 for 80 of the 90 days, 4.50 for 10: 285 / 90 = 3.1666... Zone 2: 2.50 for its 4 days. Mean 2.8333...
#[test]
fn the_planned_spot_price_is_the_level_of_its_history() {
    let world = world();
    let mut gathered = quotes(&[(SPOT, 9.9)]);
    gathered.spot_history = vec![
        point("use1-az1", "2026-11-16T12:00:00Z", 4.5),
        point("use1-az1", "2026-06-01T00:00:00Z", 3.0),
        point("use1-az2", "2026-11-22T12:00:00Z", 2.5),
        point("use1-az2", "2026-11-22T12:00:00Z", 2.5),
        point("use1-az2", "2026-11-24T00:00:00Z", 0.0),
        point("use1-az3", "2026-11-24T00:00:00Z", 1.0),
        point("use1-az3", "2026-11-24T00:00:00Z", 2.0),
        SpotPoint { region: "eu-west-1".to_owned(), ..point("euw1-az1", "2026-11-01T00:00:00Z", 1.0) },
    ];
    let (next, told) = world.merged(&world.embedded, &gathered, NOW);
    let row = next.row(&key(SPOT)).unwrap();
    near(Some(row.row.usd_per_hour), (285.0 / 90.0 + 2.5) / 2.0);
    assert_eq!(row.derivation, "time-weighted mean over 90.0 days, mean of zones use1-az1, use1-az2");
    assert_eq!(row.row.source, "AWS spot price history (DescribeSpotPriceHistory)");
    assert_eq!(row.zone_prices, BTreeMap::from([("use1-az1".to_owned(), 4.5), ("use1-az2".to_owned(), 2.5)]));
    let statistics = row.statistics.unwrap();
    near(Some(statistics.days), 47.0);
    near(Some(statistics.level), row.row.usd_per_hour);
    assert_eq!(statistics.share_at_on_demand, Some(0.0), "on demand it is 10.49264");
    let about = |code: &str| told.iter().find(|t| t.starts_with(code)).unwrap();
    assert!(about("[E1821]").contains("use1-az2 (0)"), "{told:?}");
    assert!(about("[E1824]").contains("`g6e.12xlarge` in use1-az3"), "{told:?}");
    let (again, _) = world.merged(&next, &gathered, NOW);
    assert_eq!(again.rows, next.rows);
}

#[test]
fn a_spot_level_at_on_demand_says_that_there_is_no_discount() {
    let world = world();
    let mut gathered = Gathered { spot_history: vec![point("use1-az1", "2026-11-01T00:00:00Z", 10.49264)], ..Gathered::default() };
    let (next, _) = world.merged(&world.embedded, &gathered, NOW);
    near(next.row(&key(SPOT)).unwrap().statistics.unwrap().share_at_on_demand, 1.0);
    gathered.spot_history[0].usd_per_hour = 10.6;
    assert_eq!(price(&world.merged(&world.embedded, &gathered, NOW).0, SPOT), None, "above on-demand");
}

#[test]
fn quotes_by_zone_become_their_mean() {
    let world = world();
    let in_zone = |zone: &str, per_hour: f64| Quote { zone: Some(zone.to_owned()), ..quote(SPOT, per_hour) };
    let gathered = Gathered { quotes: vec![in_zone("use1-az2", 4.0), quote(SPOT, 9.0), in_zone("use1-az1", 3.0)], ..Gathered::default() };
    let row = world.merged(&world.embedded, &gathered, NOW).0.row(&key(SPOT)).unwrap().clone();
    near(Some(row.row.usd_per_hour), 3.5);
    assert_eq!((row.derivation.as_str(), row.zone_prices.len(), row.statistics), ("mean of 2 zones", 2, None));
}

#[test]
fn a_term_of_two_years_is_left_out() {
    let world = world();
    let mut gathered = quotes(&[(RESERVED, 6.0)]);
    gathered.quotes[0].bought = Bought::Committed(Term { product: Product::StandardReserved, years: 2, payment: Payment::NoUpfront });
    let (next, told) = world.merged(&world.embedded, &gathered, NOW);
    assert_eq!(next.rows, world.embedded.rows);
    assert!(told[0].starts_with("[E1825] commitments for neither one year nor three, left out (1): `g6e.12xlarge`"), "{told:?}");
}

#[test]
fn scores_and_commitments_held_replace_those_of_their_regions() {
    let world = world();
    let score = |region: &str, score| PlacementScore {
        region: region.to_owned(),
        zone: format!("{region}-1"),
        instance_type: "g6e.12xlarge".to_owned(),
        score,
    };
    let owned = |region: &str, id: &str, ends: Option<&str>| Owned {
        cloud: Cloud::Aws,
        region: region.to_owned(),
        id: id.to_owned(),
        product: Product::StandardReserved,
        covers: "g6e.12xlarge".to_owned(),
        count: 2,
        usd_per_hour: Some(f64::NAN),
        ends: ends.map(at),
    };
    let gathered = Gathered {
        placement: vec![score("us-east-1", 7), score("us-east-1", 3), score("us-west-2", 9)],
        owned: vec![owned("us-east-1", "ri-1", Some("2026-11-27T00:00:00Z")), owned("us-west-2", "ri-2", None)],
        ..Gathered::default()
    };
    let (first, _) = world.in_scope(&world.embedded, &gathered, (&[aws("us-east-1"), aws("us-west-2")].concat(), NOW));
    assert_eq!(first.placement, [score("us-east-1", 3), score("us-west-2", 9)], "of two scores the lower");
    assert_eq!(first.owned.iter().map(|o| (o.id.as_str(), o.usd_per_hour)).collect::<Vec<_>>(), [("ri-1", None), ("ri-2", None)]);

    let gathered =
        Gathered { placement: vec![score("us-east-1", 5)], owned: vec![owned("us-east-1", "ri-3", None)], ..Gathered::default() };
    let (next, _) = world.merged(&first, &gathered, NOW);
    assert_eq!(next.placement, [score("us-east-1", 5), score("us-west-2", 9)]);
    assert_eq!(next.owned.iter().map(|o| o.id.as_str()).collect::<Vec<_>>(), ["ri-3", "ri-2"]);
    let (ended, _) = world.merged(&first, &Gathered::default(), LATER);
    assert_eq!(ended.owned.iter().map(|o| o.id.as_str()).collect::<Vec<_>>(), ["ri-2"], "ri-1 has ended");
}
