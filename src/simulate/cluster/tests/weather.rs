//! The law of made-up weather, and that fleets do not change it.

use super::*;

const YEAR: i64 = 8760 * HOUR;

fn place(pool: &str, market: &str, zones: &[&str], risk: (f64, f64)) -> Place {
    let risk = Risk { availability: risk.0, reclaims_per_hour: risk.1 };
    let zones = zones.iter().map(|zone| (*zone).to_owned()).collect();
    Place { pool: pool.into(), market: market.into(), zones, spot: true, risk: Some(risk) }
}

fn climate(to: i64) -> Climate {
    Climate { seed: 3, from: 0, to, hazard_scale: 1.0, regional_share: REGIONAL_SHARE }
}

fn generate(places: &[Place], climate: &Climate) -> Weather {
    Weather::generate(places, climate).expect("a climate")
}

/// Up seconds, collapses, and seconds in which both zones are up.
fn measure(weather: &Weather, zones: [&str; 2]) -> ([f64; 2], [f64; 2], f64) {
    let (_, to) = weather.horizon();
    let spans = |zone: &str| {
        let changes = weather.changes("p", zone).expect("a zone");
        let ends = changes.iter().skip(1).map(|c| c.at).chain([to]);
        changes.iter().zip(ends).filter(|(c, _)| c.capacity > 0).map(|(c, end)| (c.at, end)).collect::<Vec<_>>()
    };
    let ups = zones.map(spans);
    let up = [&ups[0], &ups[1]].map(|spans| spans.iter().map(|(a, b)| (b - a) as f64).sum());
    let (mut i, mut j, mut both) = (0, 0, 0.0);
    while let (Some((a, b)), Some((c, d))) = (ups[0].get(i), ups[1].get(j)) {
        both += (*b.min(d) - *a.max(c)).max(0) as f64;
        if b < d {
            i += 1;
        } else {
            j += 1;
        }
    }
    let collapses = zones.map(|zone| weather.changes("p", zone).into_iter().flatten().filter(|c| c.keep.is_some()).count() as f64);
    (up, collapses, both)
}

/// Each zone alone has the plan's availability and hazard, at every hazard scale and whatever is common.
///
/// Cycles of 1/h + (1-u)/(u h) = 25 h at u = 0.8, h = 0.05; over 40 years 14,016 of them. Standard error of u: u(1-u) sqrt(2/n) =
/// 0.0019 (exponential up and down times); of the hazard: h/sqrt(n) = 0.8%. Three and a half of each. Faster weather is tighter still.
#[test]
fn availability_and_hazard_are_the_plan_s() {
    for (scale, share) in [(1.0, 0.35), (1.0, 0.0), (1.0, 1.0), (10.0, 0.35)] {
        let climate = Climate { hazard_scale: scale, regional_share: share, ..climate(40 * YEAR) };
        let weather = generate(&[place("p", "m", &["a", "b"], (0.8, 0.05))], &climate);
        let (up, collapses, _) = measure(&weather, ["a", "b"]);
        for zone in 0..2 {
            let availability = up[zone] / (40 * YEAR) as f64;
            let hazard = collapses[zone] * 3600.0 / up[zone];
            assert!((availability - 0.8).abs() < 0.0067, "x{scale}, {share}: availability {availability}");
            assert!((hazard / (0.05 * scale) - 1.0).abs() < 0.03, "x{scale}, {share}: hazard {hazard}");
        }
    }
}

/// A share beta of the collapses of a zone is common: within a second of one of the other. Binomial, n about 14,000: 0.4%; four of
/// it, and pairs that meet by chance are 2 s x h = 3e-5.
#[test]
fn the_common_share_of_collapses_is_as_asked() {
    let weather = generate(&[place("p", "m", &["a", "b"], (1.0, 0.05))], &climate(40 * YEAR));
    let times = |zone| weather.changes("p", zone).into_iter().flatten().filter(|c| c.keep.is_some()).map(|c| c.at).collect::<Vec<_>>();
    let (a, b) = (times("a"), times("b"));
    let common = a.iter().filter(|at| b.binary_search(at).is_ok()).count() as f64 / a.len() as f64;
    assert!((common - REGIONAL_SHARE).abs() < 0.016, "{common}");
}

/// The correlation of availability that the common share leads to, at the prior: below the 0.35 to 0.59 that public traces show.
#[test]
fn zones_of_a_market_are_correlated() {
    let weather = generate(&[place("p", "m", &["a", "b"], (0.8, 0.05))], &climate(40 * YEAR));
    let (up, _, both) = measure(&weather, ["a", "b"]);
    let (ua, ub, uab) = (up[0] / (40 * YEAR) as f64, up[1] / (40 * YEAR) as f64, both / (40 * YEAR) as f64);
    let correlation = (uab - ua * ub) / (ua * (1.0 - ua) * ub * (1.0 - ub)).sqrt();
    assert!((0.24..0.34).contains(&correlation), "{correlation}");
}

/// The same in the first hour as later: the share of zones that are up at second 0 over 4,000 markets; standard error 0.0063.
#[test]
fn it_starts_in_its_stationary_state() {
    let places: Vec<Place> = (0..4000).map(|i| place(&format!("p{i}"), &format!("m{i}"), &["a"], (0.8, 0.05))).collect();
    let weather = generate(&places, &climate(HOUR));
    let up = places.iter().filter(|place| weather.capacity(&place.pool, "a", 0) > 0).count();
    assert!((up as f64 / 4000.0 - 0.8).abs() < 0.02, "{up}");
}

#[test]
fn a_zone_s_weather_is_its_own_whatever_else_is_bought() {
    let one = generate(&[place("p", "m", &["a"], (0.8, 0.05))], &climate(WEEK));
    let many = generate(&[place("q", "n", &["a"], (0.5, 1.0)), place("p", "m", &["b", "a"], (0.8, 0.05))], &climate(WEEK));
    assert_eq!(one.changes("p", "a"), many.changes("p", "a"));
    // Another pool of the same market has the same weather, another seed another.
    let twin = generate(&[place("baseline", "m", &["a"], (0.8, 0.05))], &climate(WEEK));
    assert_eq!(one.changes("p", "a"), twin.changes("baseline", "a"));
    let other = generate(&[place("p", "m", &["a"], (0.8, 0.05))], &Climate { seed: 4, ..climate(WEEK) });
    assert_ne!(one.changes("p", "a"), other.changes("p", "a"));
}

#[test]
fn a_fleet_meets_the_windows_that_were_listed_before() {
    let pools = vec![spot("spot", &["a", "b"])];
    let risky = place("spot", "m", &["a", "b"], (0.8, 0.5));
    let weather = generate(&[risky], &climate(WEEK));
    let windows = weather.windows();
    assert!(windows.len() > 20, "{}", windows.len());
    let mut c = under(pools, weather);
    let mut next = 1;
    (0..3).for_each(|id| c.request_pod(0, pod(1000 + id, &[0])));
    let mut evictions = 0;
    while let Some(at) = c.next_event().filter(|at| *at < WEEK) {
        for happening in c.run_to(at) {
            if let Happening::PodEvicted { at, .. } = happening {
                evictions += 1;
                assert!(windows.iter().any(|w| w.reclaims && w.from == at), "{at}");
                c.request_pod(at, pod(next, &[0]));
                next += 1;
            }
        }
    }
    assert!(evictions > 20, "{evictions}");
    assert_eq!(c.balance(), Ok(()));
}

#[test]
fn what_is_no_risk_is_refused() {
    let refused = |risk| Weather::generate(&[place("p", "m", &["a"], risk)], &climate(WEEK)).is_err();
    assert!(refused((0.0, 0.05)) && refused((1.1, 0.05)) && refused((0.8, 0.0)) && refused((0.8, -1.0)) && refused((f64::NAN, 0.1)));
    // Always there, never lost.
    let calm = generate(&[place("p", "m", &["a"], (1.0, 0.0))], &climate(WEEK));
    assert_eq!((calm.changes("p", "a"), calm.windows().len()), (None, 0));
    // Always there, but taken back: reclaims without a gap.
    let taken = generate(&[place("p", "m", &["a"], (1.0, 1.0))], &climate(WEEK));
    assert!(taken.windows().iter().all(|w| w.reclaims && w.from == w.to) && taken.windows().len() > 100);
    assert!(Weather::generate(&[], &Climate { hazard_scale: 0.0, ..climate(WEEK) }).is_err());
    assert!(Weather::generate(&[], &Climate { regional_share: 1.5, ..climate(WEEK) }).is_err());
}

#[test]
fn a_script_lies_on_top_of_the_weather() {
    let pools = vec![spot("spot", &["a"])];
    let trace = Trace::counts("0,4\n100,4\n100,2\n500,2\n500,4\n1000,4", 1.0).expect("a trace");
    let mut weather = Weather::calm(0, 1000);
    weather.set_trace("spot", "a", (&trace, 0));
    let script = Script { outages: vec![outage("spot", 300, 600, true), outage("spot", 700, 800, false)], slow: vec![] };
    let weather = weather.scripted(&places(&pools), &script).expect("a script");
    let at = |second| weather.capacity("spot", "a", second);
    assert_eq!([0, 99, 100, 299, 300, 599, 600, 700, 799, 800].map(at), [UNLIMITED, UNLIMITED, 2, 2, 0, 0, UNLIMITED, 0, 0, UNLIMITED]);
    let windows: Vec<_> = weather.windows().into_iter().map(|w| (w.from, w.to, w.reclaims)).collect();
    assert_eq!(windows, vec![(100, 600, true), (700, 800, false)]);
    let unknown = Script { outages: vec![outage("nope", 0, 1, true)], slow: vec![] };
    assert_eq!(Weather::calm(0, 9).scripted(&places(&pools), &unknown), Err(WeatherFault::NoPool("nope".into())));
    let backwards = Script { outages: vec![outage("spot", 2, 1, true)], slow: vec![] };
    assert_eq!(Weather::calm(0, 9).scripted(&places(&pools), &backwards), Err(WeatherFault::Span { from: 2, to: 1 }));
    let slow = Script { outages: vec![], slow: vec![Slow { from: 0, to: 1, factor: -1.0 }] };
    assert!(Weather::calm(0, 9).scripted(&places(&pools), &slow).is_err());
}
