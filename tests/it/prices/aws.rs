//! AWS on loopback: price lists of two regions, savings plans, spot feed, Spot Advisor. Every price below is one of ours.
//!
//! Beside each listed machine stand its decoys: the same machine as it is sold otherwise, for a cent. A reader that takes one of them
//! comes to a cent.

#![expect(clippy::unwrap_used, reason = "test")]

use serde_json::{Map, Value, json};

/// Regions that have a price list.
pub const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];

const VIRGINIA: &str = "us-east-1";
const IRELAND: &str = "eu-west-1";

/// What a decoy costs.
const CENT: &str = "0.0100000000";

/// Machines: name, vCPUs, memory, GPUs, as the list writes them.
const MACHINES: &[(&str, &str, &str, &str)] = &[
    ("g4dn.xlarge", "4", "16 GiB", "1"),
    ("g4dn.12xlarge", "48", "192 GiB", "4"),
    ("g4dn.metal", "96", "384 GiB", "8"),
    ("g5.xlarge", "4", "16 GiB", "1"),
    ("g5.12xlarge", "48", "192 GiB", "4"),
    ("g5.48xlarge", "192", "768 GiB", "8"),
    ("g6.xlarge", "4", "16 GiB", "1"),
    ("g6.12xlarge", "48", "192 GiB", "4"),
    ("g6.48xlarge", "192", "768 GiB", "8"),
    ("g6e.xlarge", "4", "32 GiB", "1"),
    ("g6e.12xlarge", "48", "384 GiB", "4"),
    // A part of a GPU.
    ("g6f.large", "2", "8 GiB", "0.125"),
    ("g7.2xlarge", "8", "32 GiB", "1"),
    ("g7e.2xlarge", "8", "64 GiB", "1"),
    ("p3.2xlarge", "8", "61 GiB", "1"),
    ("p4d.24xlarge", "96", "1152 GiB", "8"),
    ("p4de.24xlarge", "96", "1,152 GiB", "8"),
    ("p5.4xlarge", "16", "256 GiB", "1"),
    ("p5.48xlarge", "192", "2048 GiB", "8"),
    ("p5en.48xlarge", "192", "2048 GiB", "8"),
    // Not planned with: AMD, no GPU, and one that nobody knows.
    ("g4ad.xlarge", "4", "16 GiB", "1"),
    ("m5.large", "2", "8 GiB", ""),
    ("p9.48xlarge", "192", "4096 GiB", "8"),
];

/// By the hour: region, machine, price. The golden file has them as they stand here, unless said otherwise.
const ON_DEMAND: &[(&str, &str, &str)] = &[
    (VIRGINIA, "g4dn.xlarge", "0.5300000000"),
    (VIRGINIA, "g4dn.12xlarge", "3.9200000000"),
    // Bare metal is sold as dedicated, and is another product family.
    (VIRGINIA, "g4dn.metal", "7.8400000000"),
    (VIRGINIA, "g5.xlarge", "1.0100000000"),
    // Listed twice (`TWICE`): contradicts itself, so that the old price stays.
    (VIRGINIA, "g5.12xlarge", "5.7000000000"),
    (VIRGINIA, "g5.48xlarge", "16.3000000000"),
    (VIRGINIA, "g6.xlarge", "0.8100000000"),
    (VIRGINIA, "g6.12xlarge", "4.6100000000"),
    // Listed for nothing: no price.
    (VIRGINIA, "g6.48xlarge", "0.0000000000"),
    (VIRGINIA, "g6e.xlarge", "1.8700000000"),
    (VIRGINIA, "g6e.12xlarge", "10.5000000000"),
    (VIRGINIA, "g6f.large", "0.2100000000"),
    (VIRGINIA, "g7.2xlarge", "2.6000000000"),
    (VIRGINIA, "g7e.2xlarge", "3.3700000000"),
    (VIRGINIA, "p3.2xlarge", "3.0700000000"),
    (VIRGINIA, "p4d.24xlarge", "21.9600000000"),
    (VIRGINIA, "p4de.24xlarge", "27.4500000000"),
    (VIRGINIA, "p5.4xlarge", "6.8900000000"),
    (VIRGINIA, "p5.48xlarge", "55.1000000000"),
    (VIRGINIA, "p5en.48xlarge", "63.3000000000"),
    (VIRGINIA, "g4ad.xlarge", "0.3785300000"),
    (VIRGINIA, "m5.large", "0.0960000000"),
    (VIRGINIA, "p9.48xlarge", "99.0000000000"),
    (IRELAND, "g4dn.xlarge", "0.5900000000"),
    (IRELAND, "g5.xlarge", "1.1300000000"),
    (IRELAND, "p4d.24xlarge", "23.7200000000"),
];

/// A second SKU of a machine, at another price.
const TWICE: (&str, &str, &str) = (VIRGINIA, "g5.12xlarge", "5.8000000000");

/// A reservation: region, machine, (length, class, payment), dollars an hour, fee at the beginning.
type Reserved = (&'static str, &'static str, (&'static str, &'static str, &'static str), Option<&'static str>, Option<&'static str>);

/// A year has 8760 hours, three have 26280.
const RESERVED: &[Reserved] = &[
    // 1.20
    (VIRGINIA, "g6e.xlarge", ("1yr", "standard", "No Upfront"), Some("1.2000000000"), None),
    // 0.55 + 4818 / 8760 = 0.55 + 0.55 = 1.10
    (VIRGINIA, "g6e.xlarge", ("1yr", "standard", "Partial Upfront"), Some("0.5500000000"), Some("4818")),
    // 0 + 9460.8 / 8760 = 1.08
    (VIRGINIA, "g6e.xlarge", ("1yr", "standard", "All Upfront"), Some("0.0000000000"), Some("9460.8")),
    // As recorded: no hourly price at all. 23652 / 26280 = 0.90
    (VIRGINIA, "g6e.xlarge", ("3yr", "convertible", "All Upfront"), None, Some("23652")),
    // 1.02
    (VIRGINIA, "g6e.xlarge", ("3yr", "convertible", "No Upfront"), Some("1.0200000000"), None),
    // 2.50 + 65700 / 26280 = 2.50 + 2.50 = 5.00
    (VIRGINIA, "g6e.12xlarge", ("3yr", "standard", "Partial Upfront"), Some("2.5000000000"), Some("65700")),
    // 13.90
    (VIRGINIA, "p4d.24xlarge", ("1yr", "standard", "No Upfront"), Some("13.9000000000"), None),
    // 210240 / 26280 = 8.00
    (VIRGINIA, "p4d.24xlarge", ("3yr", "standard", "All Upfront"), Some("0.0000000000"), Some("210240")),
    // 7.50 + 65700 / 8760 = 7.50 + 7.50 = 15.00
    (IRELAND, "p4d.24xlarge", ("1yr", "standard", "Partial Upfront"), Some("7.5000000000"), Some("65700")),
    // Left out: half a price; above on-demand (0.53); nothing at all; two years.
    (VIRGINIA, "p4d.24xlarge", ("1yr", "standard", "Partial Upfront"), Some("6.0000000000"), None),
    (VIRGINIA, "g4dn.xlarge", ("1yr", "standard", "No Upfront"), Some("0.6000000000"), None),
    (VIRGINIA, "g5.xlarge", ("1yr", "standard", "All Upfront"), Some("0.0000000000"), Some("0")),
    (VIRGINIA, "g5.xlarge", ("2yr", "standard", "No Upfront"), Some("0.5000000000"), None),
];

/// A savings plan: SKU, family, term, payment, and its rates in each region.
type Plan = (&'static str, &'static str, &'static str, &'static str, &'static [(&'static str, &'static str, &'static str)]);

/// Two kinds of plan name the same SKUs at different rates.
const PLANS: &[Plan] = &[
    (
        "PLANC1N",
        "ComputeSavingsPlans",
        "1yr",
        "No Upfront",
        &[
            (VIRGINIA, "g6e.xlarge", "1.40"),
            (VIRGINIA, "p5.48xlarge", "44.0"),
            // Above on-demand (63.30): left out.
            (VIRGINIA, "p5en.48xlarge", "66.0"),
            (IRELAND, "p4d.24xlarge", "16.0"),
        ],
    ),
    ("PLANC3A", "ComputeSavingsPlans", "3yr", "All Upfront", &[(VIRGINIA, "g6e.xlarge", "0.95"), (VIRGINIA, "p5.48xlarge", "31.0")]),
    ("PLANE1N", "EC2InstanceSavingsPlans", "1yr", "No Upfront", &[(VIRGINIA, "g6e.xlarge", "1.25")]),
    (
        "PLANE3P",
        "EC2InstanceSavingsPlans",
        "3yr",
        "Partial Upfront",
        &[(VIRGINIA, "g6e.xlarge", "0.85"), (VIRGINIA, "p4d.24xlarge", "9.0")],
    ),
    // Covers no machines of EC2.
    ("PLANML1", "MachineLearningSavingsPlans", "1yr", "No Upfront", &[(VIRGINIA, "g6e.xlarge", "0.01")]),
];

/// The feed's own names of regions, with (machine, currency, Linux price, Windows price) as texts.
type Feed = (&'static str, &'static [(&'static str, &'static str, &'static str, &'static str)]);

const FEED: &[Feed] = &[
    (
        "us-east-1",
        &[
            ("g4dn.xlarge", "USD", "0.3200", "0.5300"),
            // Twice, and the same.
            ("g6.12xlarge", "USD", "2.8500", "5.0"),
            ("g6.12xlarge", "USD", "2.8500", "5.0"),
            ("p5.4xlarge", "USD", "2.63E0", "N/A*"),
            ("g6e.xlarge", "USD", "1.6200", "1.8"),
            // For each GPU cheaper than the smallest machine: 3.15 / 4 = 0.7875.
            ("g6e.12xlarge", "USD", "3.1500", "5.4"),
            ("p4d.24xlarge", "USD", "14.2000", "18.6"),
            ("p5.48xlarge", "USD", "19.5000", "N/A*"),
            ("g5.xlarge", "USD", "0.5100", "0.7"),
            ("g6f.large", "USD", "6.0E-2", "0.1"),
            ("p3.2xlarge", "USD", "0.5600", "0.9"),
            ("g7e.2xlarge", "USD", "1.4800", "1.9"),
            // Twice, and not the same: the old price stays.
            ("p4de.24xlarge", "USD", "21.8000", "26.2"),
            ("p4de.24xlarge", "USD", "22.9000", "26.2"),
            // Not on offer.
            ("g5.48xlarge", "USD", "N/A*", "9.0"),
            // Above on-demand (3.92): left out.
            ("g4dn.12xlarge", "USD", "4.0000", "5.0"),
            // Not in dollars: left out.
            ("p5en.48xlarge", "CNY", "190.0", "N/A*"),
            ("t4g.nano", "USD", "9.0E-4", "N/A*"),
            ("m5.large", "USD", "0.0400", "0.1"),
        ],
    ),
    // An old name. The price of g5.xlarge is that on demand: no discount, and sound.
    (
        "eu-ireland",
        &[("g4dn.xlarge", "USD", "0.3300", "0.5"), ("g5.xlarge", "USD", "1.1300", "1.5"), ("p4d.24xlarge", "USD", "17.0000", "21.4")],
    ),
    ("cn-north-1", &[("g5.xlarge", "CNY", "3.1", "N/A*")]),
];

/// Bands of the advisor: region, machine, index.
const BANDS: &[(&str, &str, u8)] = &[
    (VIRGINIA, "g4dn.xlarge", 3),
    (VIRGINIA, "g6e.xlarge", 1),
    (VIRGINIA, "p5.48xlarge", 4),
    (VIRGINIA, "p4d.24xlarge", 0),
    (IRELAND, "g4dn.xlarge", 2),
];

/// The document at a path, if there is one.
pub fn document(path: &str) -> Option<String> {
    let path = path.strip_prefix("/aws")?;
    let part = |at: usize| path.split('/').nth(at).filter(|region| REGIONS.contains(region));
    let document = match path {
        "/spot.json" => spot_feed(),
        "/spot-advisor-data.json" => advisor(),
        "/offers/v1.0/aws/index.json" => json!({
            "formatVersion": "v1.0", "disclaimer": "words", "publicationDate": "2026-08-01T00:00:00Z",
            "offers": {
                "AWSLambda": {"offerCode": "AWSLambda", "currentVersionUrl": "/offers/v1.0/aws/AWSLambda/current/index.json"},
                "AmazonEC2": {
                    "offerCode": "AmazonEC2",
                    "currentVersionUrl": "/offers/v1.0/aws/AmazonEC2/current/index.json",
                    "currentRegionIndexUrl": "/offers/v1.0/aws/AmazonEC2/current/region_index.json",
                    "savingsPlanVersionIndexUrl": "/savingsPlan/v1.0/aws/AWSComputeSavingsPlan/current/index.json",
                    "currentSavingsPlanIndexUrl": "/savingsPlan/v1.0/aws/AWSComputeSavingsPlan/current/region_index.json",
                },
            },
        }),
        "/savingsPlan/v1.0/aws/AWSComputeSavingsPlan/current/region_index.json" => json!({
            "disclaimer": "words", "publicationDate": "2026-06-23T21:58:42Z",
            "regions": REGIONS.map(|region| json!({
                "regionCode": region,
                "versionUrl": format!("/savingsPlan/v1.0/aws/AWSComputeSavingsPlan/20260623215842/{region}/index.json"),
            })),
        }),
        _ if path.starts_with("/offers/v1.0/aws/AmazonEC2/current/") => price_list(part(6)?),
        _ if path.starts_with("/savingsPlan/v1.0/aws/AWSComputeSavingsPlan/20260623215842/") => savings_plans(part(6)?),
        _ => return None,
    };
    Some(document.to_string())
}

/// SKU of a machine as it is sold: `L` Linux, and letters for the decoys.
pub fn sku(region: &str, machine: &str, sold: &str) -> String {
    let letters = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
    format!("{}{}{sold}", letters(region), letters(machine))
}

fn product(region: &str, machine: &str, sku: &str) -> Value {
    let (_, vcpus, memory, gpus) = MACHINES.iter().find(|(name, ..)| *name == machine).unwrap();
    let metal = machine.ends_with(".metal");
    let mut product = json!({
        "sku": sku,
        "productFamily": if metal { "Compute Instance (bare metal)" } else { "Compute Instance" },
        "attributes": {
            "servicecode": "AmazonEC2", "location": "somewhere", "locationType": "AWS Region", "instanceType": machine,
            "currentGeneration": "Yes", "instanceFamily": "GPU instance", "vcpu": vcpus, "physicalProcessor": "some processor",
            "clockSpeed": "3 GHz", "memory": memory, "storage": "EBS only", "networkPerformance": "400 Gigabit",
            "processorArchitecture": "64-bit", "tenancy": if metal { "Dedicated" } else { "Shared" }, "operatingSystem": "Linux",
            "licenseModel": "No License required", "usagetype": format!("BoxUsage:{machine}"), "operation": "RunInstances",
            "availabilityzone": "NA", "capacitystatus": "Used", "classicnetworkingsupport": "false", "ecu": "345",
            "gpuMemory": "NA", "marketoption": "OnDemand", "normalizationSizeFactor": "192", "preInstalledSw": "NA",
            "regionCode": region, "servicename": "Amazon Elastic Compute Cloud", "vpcnetworkingsupport": "true",
        },
    });
    if !gpus.is_empty() {
        product["attributes"]["gpu"] = json!(gpus);
    }
    product
}

/// How a decoy differs: letters of its SKU, and attributes.
const DECOYS: &[(&str, &[(&str, &str)])] = &[
    ("W", &[("operatingSystem", "Windows"), ("operation", "RunInstances:0002"), ("licenseModel", "No License required")]),
    ("R", &[("operatingSystem", "RHEL"), ("operation", "RunInstances:0010")]),
    ("S", &[("preInstalledSw", "SQL Std"), ("operation", "RunInstances:0004")]),
    ("D", &[("tenancy", "Host"), ("usagetype", "HostBoxUsage")]),
    ("U", &[("capacitystatus", "UnusedCapacityReservation"), ("usagetype", "UnusedBox")]),
    ("A", &[("capacitystatus", "AllocatedCapacityReservation"), ("usagetype", "Reservation")]),
    ("Z", &[("locationType", "AWS Local Zone"), ("regionCode", "us-east-1-bos-1"), ("location", "US East (Boston)")]),
    ("C", &[("marketoption", "CapacityBlock"), ("operation", "RunInstances:CB")]),
];

/// The price list of a region.
pub fn price_list(region: &str) -> Value {
    let (mut products, mut on_demand, mut reserved) = (Map::new(), Map::new(), Map::new());
    let mut put = |machine: &str, sold: &str, attributes: &[(&str, &str)], price: &str| {
        let sku = sku(region, machine, sold);
        let mut product = product(region, machine, &sku);
        for (name, value) in attributes {
            product["attributes"][name] = json!(value);
        }
        on_demand.insert(sku.clone(), json!({ format!("{sku}.JRTCKXETXF"): by_the_hour(&sku, price) }));
        products.insert(sku, product);
    };
    for (_, machine, price) in ON_DEMAND.iter().filter(|(of, ..)| *of == region) {
        put(machine, "L", &[], price);
        for (sold, attributes) in DECOYS {
            // A capacity block is listed for nothing: what it costs is settled when it is booked.
            put(machine, sold, attributes, if *sold == "C" { "0.0000000000" } else { CENT });
        }
        let tenancy = if machine.ends_with(".metal") { "Shared" } else { "Dedicated" };
        put(machine, "T", &[("tenancy", tenancy), ("usagetype", "DedicatedUsage")], CENT);
    }
    if region == TWICE.0 {
        put(TWICE.1, "L2", &[], TWICE.2);
    }
    for (_, machine, term, hourly, fee) in RESERVED.iter().filter(|(of, ..)| *of == region) {
        // Of Windows there are reservations too.
        for (sold, hourly, fee) in [("L", *hourly, *fee), ("W", Some(CENT), Some("1"))] {
            let sku = sku(region, machine, sold);
            let code = offer_term(*term);
            let terms = reserved.entry(sku.clone()).or_insert_with(|| json!({}));
            terms[format!("{sku}.{code}")] = reservation(&sku, code, *term, (hourly, fee));
        }
    }
    if region == VIRGINIA {
        // An entry that is none, and products that are no machines.
        products.insert("MALFORMED1".to_owned(), json!(["g6e.xlarge", 1.87]));
        products.insert(
            "STORAGE1".to_owned(),
            json!({"sku": "STORAGE1", "productFamily": "Storage", "attributes": {"volumeType": "General Purpose"}}),
        );
        on_demand.insert("STORAGE1".to_owned(), json!({"STORAGE1.JRTCKXETXF": by_the_hour("STORAGE1", CENT)}));
    }
    json!({
        "formatVersion": "v1.0", "disclaimer": "words", "offerCode": "AmazonEC2", "version": "20260801000000",
        "publicationDate": "2026-08-01T00:00:00Z", "products": products,
        "terms": {"OnDemand": on_demand, "Reserved": reserved, "FlatRate": {}}, "attributesList": {},
    })
}

fn by_the_hour(sku: &str, price: &str) -> Value {
    let rate = format!("{sku}.JRTCKXETXF.6YS6EN2CT7");
    json!({
        "offerTermCode": "JRTCKXETXF", "sku": sku, "effectiveDate": "2026-08-01T00:00:00Z",
        "priceDimensions": {(rate.clone()): {
            "rateCode": rate, "description": "a machine an hour", "beginRange": "0", "endRange": "Inf", "unit": "Hrs",
            "pricePerUnit": {"USD": price}, "appliesTo": [],
        }},
        "termAttributes": {},
    })
}

/// Code of a kind of reservation; the lists use the same twelve everywhere.
fn offer_term((length, class, payment): (&str, &str, &str)) -> &'static str {
    match (length, class, payment) {
        ("1yr", "standard", "No Upfront") => "4NA7Y494T4",
        ("1yr", "standard", "Partial Upfront") => "HU7G6KETJZ",
        ("1yr", "standard", "All Upfront") => "6QCMYABX3D",
        ("3yr", "standard", "Partial Upfront") => "38NPMPTW36",
        ("3yr", "standard", "All Upfront") => "NQ3QZPMQV9",
        ("3yr", "convertible", "No Upfront") => "Z2E3P23VKM",
        ("3yr", "convertible", "All Upfront") => "MZU6U2429S",
        _ => "2E000TERM0",
    }
}

fn reservation(sku: &str, code: &str, (length, class, payment): (&str, &str, &str), (hourly, fee): (Option<&str>, Option<&str>)) -> Value {
    let mut dimensions = Map::new();
    let mut put = |letters: &str, unit: &str, description: &str, price: &str| {
        let rate = format!("{sku}.{code}.{letters}");
        let dimension =
            json!({"rateCode": rate, "description": description, "unit": unit, "pricePerUnit": {"USD": price}, "appliesTo": []});
        dimensions.insert(rate, dimension);
    };
    if let Some(fee) = fee {
        put("2TG2D8R56U", "Quantity", "Upfront Fee", fee);
    }
    if let Some(hourly) = hourly {
        put("6YS6EN2CT7", "Hrs", "a reserved machine an hour", hourly);
    }
    json!({
        "offerTermCode": code, "sku": sku, "effectiveDate": "2026-03-31T23:59:59Z", "priceDimensions": dimensions,
        "termAttributes": {"LeaseContractLength": length, "OfferingClass": class, "PurchaseOption": payment},
    })
}

fn savings_plans(region: &str) -> Value {
    let product = |(plan, family, term, option, _): &Plan| {
        json!({
            "sku": plan, "productFamily": family, "serviceCode": "ComputeSavingsPlans", "usageType": format!("SP:{term}{option}"), "operation": "",
            "attributes": {"purchaseOption": option, "granularity": "hourly", "instanceType": "g6e", "purchaseTerm": term,
                "locationType": "AWS Region", "location": "somewhere"},
        })
    };
    let rate = |plan: &str, sku: String, machine: &str, price: &str| {
        json!({
            "discountedSku": sku, "discountedUsageType": format!("BoxUsage:{machine}"), "discountedOperation": "RunInstances",
            "discountedServiceCode": "AmazonEC2", "rateCode": format!("{plan}.{sku}"), "unit": "Hrs",
            "discountedRate": {"price": price, "currency": "USD"}, "discountedRegionCode": region, "discountedInstanceType": machine,
        })
    };
    let terms = PLANS.iter().map(|(plan, _, term, _, rates)| {
        let rates = rates.iter().filter(|(of, ..)| *of == region);
        // Windows first: a rate is that of a SKU, and not of a machine.
        let rates = rates.flat_map(|(_, machine, price)| {
            [rate(plan, sku(region, machine, "W"), machine, "0.01"), rate(plan, sku(region, machine, "L"), machine, price)]
        });
        json!({
            "sku": plan, "description": "a savings plan", "effectiveDate": "2026-06-23T21:58:42Z",
            "leaseContractLength": {"duration": if *term == "1yr" { 1 } else { 3 }, "unit": "year"}, "rates": rates.collect::<Vec<_>>(),
        })
    });
    json!({
        "version": "20260623215842", "publicationDate": "2026-06-23T21:58:42Z", "regionCode": region,
        "products": PLANS.iter().map(product).collect::<Vec<_>>(), "terms": {"savingsPlan": terms.collect::<Vec<_>>()},
    })
}

fn spot_feed() -> Value {
    let size = |(machine, currency, linux, windows): &(&str, &str, &str, &str)| {
        let column = |name: &str, price: &str| json!({"name": name, "prices": {*currency: price}});
        json!({"size": machine, "valueColumns": [column("mswin", windows), column("linux", linux)]})
    };
    let regions = FEED.iter().map(|(region, sizes)| {
        json!({
            "region": region, "footnotes": {"*": "notAvailableForCCorCGPU"},
            "instanceTypes": [
                {"type": "generalPreviousGen", "sizes": []},
                {"type": "gpuCurrentGen", "sizes": sizes.iter().map(size).collect::<Vec<_>>()},
            ],
        })
    });
    json!({"vers": 0.01, "config": {
        "rate": "perhr", "valueColumns": ["linux", "mswin"], "currencies": ["USD"], "regions": regions.collect::<Vec<_>>(),
    }})
}

fn advisor() -> Value {
    let mut regions = json!({});
    for (region, machine, index) in BANDS {
        regions[region]["Linux"][machine] = json!({"s": 60, "r": index});
        regions[region]["Windows"][machine] = json!({"s": 60, "r": 4 - index});
    }
    let range = |(index, label, max): (u8, &str, u8)| json!({"index": index, "label": label, "dots": index, "max": max});
    let ranges = [(0, "<5%", 5), (1, "5-10%", 11), (2, "10-15%", 16), (3, "15-20%", 22), (4, ">20%", 100)].map(range);
    json!({
        "global_rate": "<10%",
        "instance_types": {"g6e.xlarge": {"emr": false, "cores": 4, "ram_gb": 32.0}},
        "ranges": ranges,
        "spot_advisor": regions,
    })
}
