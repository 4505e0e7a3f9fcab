//! Machines by hand: each expected price is written as the sum that it is.

use super::*;
use crate::diagnostic::Diagnostic;

const NOW: &str = "2026-09-01T00:00:00Z";

fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

fn region(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// A SKU of us-central1 in dollars; the unit follows from the description.
fn sku(description: &str, usage_type: &str, price: f64) -> Sku {
    let unit = match description {
        d if d.to_lowercase().contains("ram ") => "GiBy.h",
        d if d.contains("Local SSD") || d.contains("Local Storage") => "GiBy.mo",
        _ => "h",
    };
    Sku {
        id: description.chars().filter(|c| c.is_ascii_uppercase() || c.is_ascii_digit()).collect(),
        description: description.to_owned(),
        resource_group: String::new(),
        usage_type: usage_type.to_owned(),
        regions: region(&["us-central1", "us-east1", "us-west1"]),
        unit: unit.to_owned(),
        currency: "USD".to_owned(),
        price,
        effective: None,
    }
}

fn machine(instance_type: &str, accelerator: &str, [gpus, vcpus, ram_gib]: [f64; 3]) -> Machine {
    Machine {
        instance_type: instance_type.to_owned(),
        accelerator: accelerator.to_owned(),
        gpus,
        vcpus,
        ram_gib,
        local_ssd_gib: bundled_ssd_gib(instance_type),
        zones: BTreeMap::from([("us-central1".to_owned(), region(&["us-central1-a"]))]),
    }
}

fn a2() -> Machine {
    machine("a2-highgpu-1g", "a100-40-sxm", [1.0, 12.0, 85.0])
}

/// The prices of A2 in Iowa, 2023.
fn a2_skus() -> Vec<Sku> {
    vec![
        sku("A2 Instance Core running in Americas", "OnDemand", 0.031_611),
        sku("A2 Instance Ram running in Americas", "OnDemand", 0.004_237),
        sku("Nvidia Tesla A100 GPU running in Americas", "OnDemand", 2.933_908),
    ]
}

fn made(skus: &[Sku], machines: &[Machine]) -> Gathered {
    let regions = region(&["us-central1"]);
    quotes(skus, machines, &Scope { regions: &regions, source: "test", now: now() })
}

/// The one price that is bought so.
fn only(gathered: &Gathered, bought: &Bought) -> f64 {
    let prices: Vec<f64> = gathered.quotes.iter().filter(|quote| quote.bought == *bought).map(|quote| quote.per_hour).collect();
    assert_eq!(prices.len(), 1, "{bought:?}: {prices:?}");
    prices[0]
}

fn committed(years: u8) -> Bought {
    Bought::Committed(Term { product: Product::ResourceCommitment, years, payment: Payment::NoUpfront })
}

/// Sums are rounded to the billionth in which prices are listed.
fn close(got: f64, expected: f64) {
    assert!((got - expected).abs() < 1e-9, "{got} is not {expected}");
}

fn told(gathered: &Gathered) -> Vec<String> {
    gathered.findings.iter().map(ToString::to_string).collect()
}

#[test]
fn a2_in_iowa_costs_what_google_says() {
    let gathered = made(&a2_skus(), &[a2()]);
    let quote = &gathered.quotes[0];
    assert_eq!(gathered.quotes.len(), 1);
    close(quote.per_hour, 3.673_385); // 12 x 0.031611 + 85 x 0.004237 + 2.933908
    assert_eq!(quote.derivation, "12 x core 0.031611 + 85 x ram 0.004237 + 1 x gpu 2.933908");
    assert_eq!((quote.cloud, quote.region.as_str(), quote.instance_type.as_str()), (Cloud::Gcp, "us-central1", "a2-highgpu-1g"));
    assert_eq!((quote.currency.as_str(), quote.source.as_str(), quote.zone.as_deref(), quote.as_of), ("USD", "test", None, now()));
}

#[test]
fn units_and_billionths_make_a_price() {
    close(price(2, 933_908_000), 2.933_908);
    close(price(0, 4_237_000), 0.004_237);
    close(price(-1, -500_000_000), -1.5);
}

#[test]
fn each_way_of_buying_adds_up_its_own_parts() {
    let mut skus = a2_skus();
    for (words, usage_type, [core, ram, gpu]) in [
        ("Spot", "Preemptible", [0.01, 0.002, 1.5]),
        ("1 Year", "Commit1Yr", [0.02, 0.003, 1.8]),
        ("3 Years", "Commit3Yr", [0.011, 0.001, 1.0]),
    ] {
        let name = |used: &str, committed: &str| match words {
            "Spot" => used.to_owned(),
            term => format!("Commitment v1: {committed} in Americas for {term}"),
        };
        skus.push(sku(&name("Spot Preemptible A2 Instance Core running in Americas", "A2 Cpu"), usage_type, core));
        skus.push(sku(&name("Spot Preemptible A2 Instance Ram running in Americas", "A2 Ram"), usage_type, ram));
        let attached = "Nvidia Tesla A100 GPU attached to Spot Preemptible VMs running in Americas";
        skus.push(sku(&name(attached, "Nvidia Tesla A100 GPU running"), usage_type, gpu));
    }
    let gathered = made(&skus, &[a2()]);
    close(only(&gathered, &Bought::OnDemand), 3.673_385);
    close(only(&gathered, &Bought::Spot), 12.0 * 0.01 + 85.0 * 0.002 + 1.5);
    close(only(&gathered, &committed(1)), 12.0 * 0.02 + 85.0 * 0.003 + 1.8);
    close(only(&gathered, &committed(3)), 12.0 * 0.011 + 85.0 * 0.001 + 1.0);
    assert_eq!(told(&gathered), Vec::<String>::new());
}

#[test]
fn the_two_a100_are_not_mixed_up() {
    let mut skus = a2_skus();
    skus.push(sku("Nvidia Tesla A100 80GB GPU running in Americas", "OnDemand", 3.928_08));
    skus.push(sku("SSD backed Local Storage", "OnDemand", 0.08));
    let gathered = made(&skus, &[a2(), machine("a2-ultragpu-1g", "a100-80-sxm", [1.0, 12.0, 170.0])]);
    close(gathered.quotes[0].per_hour, 3.673_385);
    // Google's list price is 5.068798: with 375 GiB of local SSD at 0.08 a month.
    close(gathered.quotes[1].per_hour, 12.0 * 0.031_611 + 170.0 * 0.004_237 + 3.928_08 + 375.0 * 0.08 / 730.0);
    assert!((gathered.quotes[1].per_hour - 5.068_798).abs() < 5e-7, "to the digits of the list");
    assert_eq!(gathered.quotes[1].derivation, "12 x core 0.031611 + 170 x ram 0.004237 + 1 x gpu 3.92808 + 375 x local ssd 0.08/730");
}

#[test]
fn the_two_h100_are_not_mixed_up() {
    let skus = [
        sku("A3 Instance Core running in Americas", "OnDemand", 0.03),
        sku("A3 Instance Ram running in Americas", "OnDemand", 0.002),
        sku("A3Plus Instance Core running in Americas", "OnDemand", 0.04),
        sku("A3Plus Instance Ram running in Americas", "OnDemand", 0.003),
        sku("Nvidia H100 80GB GPU running in Americas", "OnDemand", 9.8),
        sku("Nvidia H100 80GB Plus GPU running in Americas", "OnDemand", 10.3),
        sku("Reserved Nvidia H100 80GB Mega GPU in Americas in Calendar Mode", "OnDemand", 4.8),
        sku("Nvidia H100 Mega 80GB GPU attached to DWS Defined Duration VMs running in Americas", "OnDemand", 4.4),
        sku("SSD backed Local Storage", "OnDemand", 0.08),
    ];
    let machines =
        [machine("a3-highgpu-8g", "h100-80-sxm", [8.0, 208.0, 1872.0]), machine("a3-megagpu-8g", "h100-80-sxm", [8.0, 208.0, 1872.0])];
    let gathered = made(&skus, &machines);
    let ssd = 6000.0 * 0.08 / 730.0;
    close(gathered.quotes[0].per_hour, 208.0 * 0.03 + 1872.0 * 0.002 + 8.0 * 9.8 + ssd);
    close(gathered.quotes[1].per_hour, 208.0 * 0.04 + 1872.0 * 0.003 + 8.0 * 10.3 + ssd);
}

#[test]
fn a_slice_of_a4_is_the_whole_share() {
    let skus = [
        sku("A4 Nvidia B200 (1 gpu slice) running in Americas", "OnDemand", 16.11),
        sku("Spot Preemptible A4 Nvidia B200 (1 gpu slice) running in Americas", "OnDemand", 4.9542),
        sku("DWS Calendar Mode A4 Nvidia B200 (1 gpu slice) running in Americas", "OnDemand", 11.277),
        sku("A4 Instance Core running in Americas", "OnDemand", 0.0),
        sku("SSD backed Local Storage", "OnDemand", 0.08),
    ];
    let gathered = made(&skus, &[machine("a4-highgpu-8g", "b200-180-sxm", [8.0, 224.0, 3968.0])]);
    assert_eq!(gathered.quotes.len(), 1, "not sold on demand");
    close(only(&gathered, &Bought::Spot), 8.0 * 4.9542);
    assert_eq!(gathered.quotes[0].derivation, "8 x gpu slice 4.9542");
    assert_eq!(told(&gathered), Vec::<String>::new());
}

#[test]
fn what_is_not_sold_on_demand_has_spot_prices_only() {
    for (instance_type, on_demand) in [
        ("a3-highgpu-8g", true),
        ("a3-highgpu-1g", false),
        ("a3-highgpu-4g", false),
        ("a3-megagpu-8g", true),
        ("a3-ultragpu-8g", false),
        ("a4-highgpu-8g", false),
        ("a4x-highgpu-4g", false),
        ("a2-ultragpu-1g", true),
        ("g4-standard-48", true),
        ("n1-standard-4+1xT4", true),
    ] {
        assert_eq!(sold(instance_type, &Bought::OnDemand), on_demand, "{instance_type}");
        assert_eq!(sold(instance_type, &committed(1)), on_demand, "{instance_type}");
        assert!(sold(instance_type, &Bought::Spot), "{instance_type}");
    }
}

#[test]
fn a_share_of_a_gpu_costs_its_share() {
    let skus = [
        sku("G4 Instance Core running in Americas", "OnDemand", 0.035),
        sku("G4 Instance Ram running in Americas", "OnDemand", 0.006),
        sku("RTX 6000 96GB running in Americas", "OnDemand", 1.8),
    ];
    let gathered = made(&skus, &[machine("g4-standard-6", "rtx-pro-6000", [0.125, 6.0, 22.0])]);
    close(gathered.quotes[0].per_hour, 6.0 * 0.035 + 22.0 * 0.006 + 0.125 * 1.8);
    assert_eq!(gathered.quotes[0].derivation, "6 x core 0.035 + 22 x ram 0.006 + 0.125 x gpu 1.8");
}

#[test]
fn gpus_are_attached_to_n1_by_the_catalogue_name() {
    let skus = [
        sku("N1 Predefined Instance Core running in Americas", "OnDemand", 0.031_611),
        sku("N1 Predefined Instance Ram running in Americas", "OnDemand", 0.004_237),
        sku("Custom Instance Core running in Americas", "OnDemand", 0.033),
        sku("Nvidia Tesla T4 GPU running in Americas", "OnDemand", 0.35),
        sku("Nvidia Tesla V100 GPU running in Americas", "OnDemand", 2.48),
        sku("Commitment v1: Cpu in Americas for 1 Year", "Commit1Yr", 0.02),
        sku("Commitment v1: Ram in Americas for 1 Year", "Commit1Yr", 0.003),
        sku("Commitment v1: Nvidia Tesla T4 GPU running in Americas for 1 Year", "Commit1Yr", 0.22),
    ];
    let machines = [machine("n1-standard-8+2xT4", "t4", [2.0, 8.0, 30.0]), machine("n1-standard-8+1xV100", "v100-16", [1.0, 8.0, 30.0])];
    let gathered = made(&skus, &machines);
    let n1 = 8.0 * 0.031_611 + 30.0 * 0.004_237;
    close(gathered.quotes[0].per_hour, n1 + 2.0 * 0.35);
    close(only(&gathered, &committed(1)), 8.0 * 0.02 + 30.0 * 0.003 + 2.0 * 0.22);
    close(gathered.quotes[2].per_hour, n1 + 2.48);
}

#[test]
fn a_missing_part_is_told_and_never_zero() {
    let mut skus = a2_skus();
    skus.push(sku("Commitment v1: A2 Cpu in Americas for 1 Year", "Commit1Yr", 0.02));
    skus.push(sku("Nvidia Tesla A100 80GB GPU running in Americas", "OnDemand", 0.0));
    let machines: Vec<Machine> =
        ["1", "2", "4", "8"].iter().map(|n| machine(&format!("a2-ultragpu-{n}g"), "a100-80-sxm", [1.0, 12.0, 170.0])).collect();
    let gathered = made(&skus, &machines);
    assert_eq!(gathered.quotes, []);
    let told = told(&gathered);
    assert_eq!(told.len(), 4, "{told:#?}");
    assert_eq!(
        told[0],
        "[E1821] SKUs whose price is none, left out (1): `NTA10080GBGPUA` (Nvidia Tesla A100 80GB GPU running in Americas)"
    );
    assert_eq!(
        told[1],
        "[E1827] machines left out on demand, a part of them has no price (4): `a2-ultragpu-1g` in `us-central1` (gpu, local ssd), \
         `a2-ultragpu-2g` in `us-central1` (gpu, local ssd), `a2-ultragpu-4g` in `us-central1` (gpu, local ssd) and 1 more"
    );
    assert!(told[2].contains("on spot") && told[2].contains("(core, ram, gpu, local ssd)"), "{}", told[2]);
    assert!(told[3].contains("under a commitment of 1 y") && told[3].contains("(ram, gpu, local ssd)"), "{}", told[3]);
    let severities: Vec<Severity> = gathered.findings.iter().map(|d: &Diagnostic| d.severity).collect();
    assert_eq!(severities, [Severity::Warning, Severity::Warning, Severity::Warning, Severity::Note]);
}

#[test]
fn no_zone_no_quote_though_the_parts_are_priced() {
    let nowhere = Machine { zones: BTreeMap::new(), ..a2() };
    let emptied = Machine { zones: BTreeMap::from([("us-central1".to_owned(), vec![])]), ..a2() };
    let gathered = made(&a2_skus(), &[nowhere, emptied]);
    assert!(gathered.quotes.is_empty() && gathered.findings.is_empty());
}

#[test]
fn only_the_regions_that_were_asked_for() {
    let mut everywhere = a2();
    everywhere.zones.insert("us-east1".to_owned(), region(&["us-east1-b"]));
    assert_eq!(made(&a2_skus(), &[everywhere.clone()]).quotes.len(), 1);
    let regions = region(&["us-central1", "us-east1", "europe-west4"]);
    let gathered = quotes(&a2_skus(), &[everywhere], &Scope { regions: &regions, source: "test", now: now() });
    let found: Vec<&str> = gathered.quotes.iter().map(|quote| quote.region.as_str()).collect();
    assert_eq!(found, ["us-central1", "us-east1"]);
}

#[test]
fn a_group_of_regions_stands_behind_the_region_itself() {
    let mut skus: Vec<Sku> = a2_skus().into_iter().map(|sku| Sku { regions: region(&["americas"]), ..sku }).collect();
    close(made(&skus, &[a2()]).quotes[0].per_hour, 3.673_385);
    skus.push(sku("Nvidia Tesla A100 GPU running in Iowa", "OnDemand", 3.0));
    close(made(&skus, &[a2()]).quotes[0].per_hour, 12.0 * 0.031_611 + 85.0 * 0.004_237 + 3.0);
    let europe: Vec<Sku> = a2_skus().into_iter().map(|sku| Sku { regions: region(&["emea", "europe-west4"]), ..sku }).collect();
    assert_eq!(made(&europe, &[a2()]).quotes, []);
}

#[test]
fn duplicates_that_agree_are_one_and_others_are_two_quotes() {
    let mut skus = a2_skus();
    skus.extend(a2_skus());
    assert_eq!(made(&skus, &[a2()]).quotes.len(), 1);
    skus.push(sku("A2 Instance Core running in Iowa", "OnDemand", 0.041_611));
    let prices: Vec<f64> = made(&skus, &[a2()]).quotes.iter().map(|quote| quote.per_hour).collect();
    assert_eq!(prices.len(), 2);
    close(prices[0], 3.673_385);
    close(prices[1], 3.673_385 + 12.0 * 0.01);
}

#[test]
fn the_order_of_the_skus_changes_nothing() {
    let mut skus = a2_skus();
    skus.push(sku("A2 Instance Core running in Iowa", "OnDemand", 0.041_611));
    skus.push(sku("Reserved A2 Core in Americas", "OnDemand", 0.001));
    let first = made(&skus, &[a2()]).quotes;
    for _ in 0..skus.len() {
        skus.rotate_left(1);
        assert_eq!(made(&skus, &[a2()]).quotes, first);
    }
}

#[test]
fn currencies_are_kept_and_never_added_up() {
    let rupiah: Vec<Sku> =
        a2_skus().into_iter().map(|sku| Sku { currency: "IDR".to_owned(), price: sku.price * 15_000.0, ..sku }).collect();
    let quotes = made(&rupiah, &[a2()]).quotes;
    assert_eq!((quotes.len(), quotes[0].currency.as_str()), (1, "IDR"));
    let mut mixed = a2_skus();
    mixed[2] = rupiah[2].clone();
    let gathered = made(&mixed, &[a2()]);
    assert_eq!(gathered.quotes, []);
    assert!(told(&gathered)[0].contains("`a2-highgpu-1g` in `us-central1` (gpu)"));
}

#[test]
fn a_family_s_own_local_ssd_goes_before_the_general_one() {
    let mut skus = a2_skus();
    skus.push(sku("Nvidia Tesla A100 80GB GPU running in Americas", "OnDemand", 4.0));
    skus.push(sku("SSD backed Local Storage in Iowa", "OnDemand", 0.08));
    skus.push(sku("A3 Instance Local SSD running in Iowa", "OnDemand", 0.2));
    let ultra = machine("a2-ultragpu-1g", "a100-80-sxm", [1.0, 12.0, 170.0]);
    let rest = 12.0 * 0.031_611 + 170.0 * 0.004_237 + 4.0;
    close(made(&skus, std::slice::from_ref(&ultra)).quotes[0].per_hour, rest + 375.0 * 0.08 / 730.0);
    skus.push(Sku { unit: "GiBy.h".to_owned(), ..sku("A2 Instance Local SSD running in Iowa", "OnDemand", 0.0002) });
    close(made(&skus, &[ultra]).quotes[0].per_hour, rest + 375.0 * 0.0002);
}

#[test]
fn another_unit_is_no_price() {
    let mut skus = a2_skus();
    skus[0].unit = "mo".to_owned();
    let gathered = made(&skus, &[a2()]);
    assert_eq!(gathered.quotes, []);
    assert!(told(&gathered)[0].contains("[E1825] SKUs in an unexpected unit `mo`, left out (1): `A2ICA`"), "{:?}", told(&gathered));
}

#[test]
fn a_sum_holds_since_its_newest_part() {
    let mut skus = a2_skus();
    for (sku, day) in skus.iter_mut().zip(["2026-01-01", "2026-05-02", "2026-03-01"]) {
        sku.effective = Some(format!("{day}T00:00:00Z").parse().expect("a time"));
    }
    assert_eq!(made(&skus, &[a2()]).quotes[0].as_of, "2026-05-02T00:00:00Z".parse().expect("a time"));
}

#[test]
fn an_unknown_machine_is_told() {
    let gathered =
        made(&a2_skus(), &[machine("a9-highgpu-1g", "x", [1.0, 1.0, 1.0]), machine("n1-standard-4+1xK80", "k80", [1.0, 4.0, 15.0])]);
    assert_eq!(told(&gathered), ["[E1827] machines whose parts are not known, left out (2): `a9-highgpu-1g`, `n1-standard-4+1xK80`"]);
}

#[test]
fn local_ssd_comes_with_some_machines() {
    for (instance_type, gib) in [
        ("a2-highgpu-8g", 0.0),
        ("a2-ultragpu-2g", 750.0),
        ("a3-highgpu-1g", 750.0),
        ("a3-highgpu-8g", 6000.0),
        ("a3-megagpu-8g", 6000.0),
        ("a3-ultragpu-8g", 12_000.0),
        ("a4-highgpu-8g", 12_000.0),
        ("g2-standard-4", 0.0),
        ("g4-standard-48", 0.0),
        ("n1-standard-4+1xT4", 0.0),
    ] {
        close(bundled_ssd_gib(instance_type), gib);
    }
}
