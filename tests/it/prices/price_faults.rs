//! Prices that must not be believed, and what becomes of them: dropped, held back, or the ones from before are kept.

#![expect(clippy::unwrap_used, reason = "test")]

use super::clouds::{Request, public};
use super::desk::{Desk, rows};
use super::faults::{AZURE, Case, Kept, case, good, item, items, of, run};
use serde_json::{Value, json};

/// Nothing usable came: no snapshot is taken of it, and the run does not say that all is well.
#[test]
fn lists_without_one_price_that_is_usable() {
    run(vec![
        case(
            "another currency",
            AZURE,
            vec![items(|_, items| items.iter_mut().for_each(|item| item["currencyCode"] = json!("CNY")))],
            &[
                "warning[E1820]",
                "prices that are not in US dollars, left out",
                "E1811",
                "no usable price came, the ones from before are kept",
            ],
        ),
        case(
            "all of it for nothing",
            AZURE,
            vec![items(|_, items| {
                for item in items {
                    item["retailPrice"] = json!(0.0);
                    item.as_object_mut().unwrap().remove("savingsPlan");
                }
            })],
            &["warning[E1821]", "prices that are none, left out", "E1811"],
        ),
    ]);
}

#[test]
fn prices_that_are_none() {
    run(vec![
        Case {
            name: "one for nothing",
            ask: AZURE,
            faults: vec![items(|_, items| {
                if let Some(item) = item(items, "NC40ads H100 v5") {
                    item["retailPrice"] = json!(0.0);
                }
            })],
            ends: 0,
            says: &["warning[E1821]", "`azure/eastus/Standard_NC40ads_H100_v5/on-demand` (0)"],
            kept: Kept::New(of("azure/eastus/") - 1),
        },
        Case {
            name: "two prices for one thing",
            ask: AZURE,
            faults: vec![items(|_, items| {
                if let Some(item) = item(items, "NC40ads H100 v5").cloned() {
                    items.push(json!({"retailPrice": 7.07, "skuId": "another"}).as_object().unwrap().iter().fold(
                        item,
                        |mut item, (name, value)| {
                            item[name] = value.clone();
                            item
                        },
                    ));
                }
            })],
            ends: 0,
            says: &["warning[E1824]", "`azure/eastus/Standard_NC40ads_H100_v5/on-demand` (7 and 7.07)", "the ones from before are kept"],
            kept: Kept::New(of("azure/eastus/") - 1),
        },
        Case {
            name: "spot above on-demand",
            ask: AZURE,
            faults: vec![items(|_, items| {
                if let Some(item) = item(items, "NC40ads H100 v5 Spot") {
                    item["retailPrice"] = json!(5.99);
                }
                if let Some(item) = item(items, "NC40ads H100 v5") {
                    item["retailPrice"] = json!(5.98);
                }
            })],
            ends: 0,
            says: &["warning[E1822]", "`azure/eastus/Standard_NC40ads_H100_v5/spot` (5.99, on-demand 5.98)"],
            kept: Kept::New(of("azure/eastus/") - 1),
        },
    ]);
}

/// Ten times the price is looked at twice: kept back at first, taken when it comes again, forgotten when it does not.
#[test]
fn a_jump_is_taken_when_it_is_seen_twice() {
    let dear = |request: &Request, items: &mut Vec<Value>| {
        if let Some(item) = item(items, "NC40ads H100 v5").filter(|_| request.route.contains("'eastus'")) {
            item["retailPrice"] = json!(70.0);
        }
    };
    let jumping = public(vec![items(dear)]);
    let well = public(Vec::new());
    let mut desk = Desk::at(&jumping);
    desk.take_cache_of(good());
    let before = desk.snapshots();
    let price = |desk: &Desk| rows(&desk.newest())["azure/eastus/Standard_NC40ads_H100_v5/on-demand"]["usd_per_hour"].as_f64().unwrap();
    let held = |desk: &Desk| desk.newest()["held_back"].as_array().unwrap().len();
    let name = "`azure/eastus/Standard_NC40ads_H100_v5/on-demand`";

    desk.refresh(AZURE).ends(0).says(&["warning[E1823]", &format!("{name} (7 -> 70)"), "1 held back until seen twice"]);
    assert_eq!((price(&desk).round() as i64, held(&desk)), (7, 1));
    desk.run(&["prices", "show", "azure/eastus/Standard_NC40ads_H100_v5/on-demand"]).ends(0).says(&["held back", "$70.0000 since"]);
    // It was a slip: the old price comes again.
    desk.point_to(&well.url());
    desk.refresh(AZURE).ends(0);
    assert_eq!((price(&desk).round() as i64, held(&desk)), (7, 0));
    // It was none.
    desk.point_to(&jumping.url());
    desk.refresh(AZURE).ends(0).says(&["warning[E1823]"]);
    assert_eq!((price(&desk).round() as i64, held(&desk)), (7, 1));
    desk.refresh(AZURE).ends(0).says(&["note[E1823]", "came again, taken", "7.0000 -> 70.0000 (+900.0%)"]);
    assert_eq!((price(&desk).round() as i64, held(&desk)), (70, 0));
    assert!(before.iter().all(|(file, bytes)| desk.snapshots().get(file) == Some(bytes)));
}

/// Where every price of a list has jumped nothing of it is taken at the first look; the second look must still find that there was a first.
#[test]
fn a_whole_list_that_jumps_is_taken_when_it_is_seen_twice() {
    let dear = items(|_, items| {
        items.retain(|item| item["type"] == "Consumption" && !item["skuName"].as_str().unwrap().ends_with(" Spot"));
        for item in items {
            item["retailPrice"] = json!(item["retailPrice"].as_f64().unwrap() * 6.0);
        }
    });
    let server = public(vec![dear]);
    let desk = Desk::at(&server);
    desk.take_cache_of(good());
    let ask = "--cloud azure --region westeurope --retries 0";
    let price = || rows(&desk.newest())["azure/westeurope/Standard_NC4as_T4_v3/on-demand"]["usd_per_hour"].as_f64().unwrap();
    desk.refresh(ask).says(&["warning[E1823]", "held back until a refresh brings them again (4)"]);
    assert!((price() - 0.66).abs() < 1e-9, "{}", price());
    desk.refresh(ask).ends(0).says(&["note[E1823]", "came again, taken (4)"]);
    assert!((price() - 3.96).abs() < 1e-9, "{}", price());
}
