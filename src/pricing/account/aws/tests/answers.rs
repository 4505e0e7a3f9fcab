//! What a small AWS would answer, in the forms of EC2 (XML), of the Price List Service and of Savings Plans (JSON).

use crate::pricing::double::{Question, Reply};
use serde_json::{Value, json};

/// The action that a question is for, as a policy names it.
pub(super) fn action(question: &Question) -> &'static str {
    for name in [
        "DescribeInstanceTypeOfferings",
        "DescribeInstanceTypes",
        "DescribeSpotPriceHistory",
        "DescribeAvailabilityZones",
        "GetSpotPlacementScores",
        "DescribeReservedInstances",
    ] {
        if question.body.starts_with(&format!("Action={name}&")) {
            return name;
        }
    }
    if question.has("x-amz-target: AWSPriceListService.GetProducts") {
        return "GetProducts";
    }
    if question.head.starts_with("POST /DescribeSavingsPlans ") { "DescribeSavingsPlans" } else { "unknown" }
}

/// The region that a question is signed for.
pub(super) fn region(question: &Question) -> String {
    let scope = question.head.lines().find_map(|line| line.split_once("Credential=").map(|(_, scope)| scope));
    scope.and_then(|scope| scope.split('/').nth(2)).unwrap_or_default().to_owned()
}

/// An answer of EC2.
pub(super) fn xml(action: &str, body: &str) -> Reply {
    let namespace = "http://ec2.amazonaws.com/doc/2016-11-15";
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{action}Response xmlns=\"{namespace}\"><requestId>r-1</requestId>{body}</{action}Response>"
    );
    Reply::Whole(200, "text/xml;charset=UTF-8", text)
}

/// An answer of the other two.
pub(super) fn as_json(value: &Value) -> Reply {
    Reply::Whole(200, "application/x-amz-json-1.1", value.to_string())
}

/// A refusal, in the form of the action's service.
pub(super) fn refusal(action: &str, status: u16, code: &str, message: &str) -> Reply {
    if matches!(action, "GetProducts" | "DescribeSavingsPlans") {
        return Reply::Whole(status, "application/x-amz-json-1.1", json!({ "__type": code, "message": message }).to_string());
    }
    let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    let text =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors>{error}</Errors><RequestID>r-1</RequestID></Response>");
    Reply::Whole(status, "text/xml;charset=UTF-8", text)
}

fn next(token: &str) -> String {
    if token.is_empty() { String::new() } else { format!("<nextToken>{token}</nextToken>") }
}

/// A machine: name, CPUs, GiB, and its GPU as maker, name, count, MiB.
pub(super) fn machine(name: &str, vcpus: u32, gib: u32, gpu: Option<(&str, &str, u32, u32)>) -> String {
    let gpu = gpu.map_or_else(String::new, |(maker, name, count, mib)| {
        let size = format!("<memoryInfo><sizeInMiB>{mib}</sizeInMiB></memoryInfo>");
        // A part of a GPU is told by a count of 0.
        let parts = if count == 0 { "<logicalGpuCount>1</logicalGpuCount><gpuPartitionSize>0.125</gpuPartitionSize>" } else { "" };
        format!(
            "<gpuInfo><gpus><item><name>{name}</name><manufacturer>{maker}</manufacturer><count>{count}</count>{parts}{size}</item></gpus>\
             <totalGpuMemoryInMiB>{}</totalGpuMemoryInMiB></gpuInfo>",
            mib * count.max(1)
        )
    });
    let memory = format!("<memoryInfo><sizeInMiB>{}</sizeInMiB></memoryInfo>", gib * 1024);
    let cpus = format!("<vCpuInfo><defaultVCpus>{vcpus}</defaultVCpus></vCpuInfo>");
    format!("<item><instanceType>{name}</instanceType><currentGeneration>true</currentGeneration>{cpus}{memory}{gpu}</item>")
}

pub(super) fn machines(items: &[String], token: &str) -> Reply {
    xml("DescribeInstanceTypes", &format!("<instanceTypeSet>{}</instanceTypeSet>{}", items.concat(), next(token)))
}

pub(super) fn offers(items: &[(&str, &str)], token: &str) -> Reply {
    let item = |(machine, zone): &(&str, &str)| {
        format!(
            "<item><instanceType>{machine}</instanceType><locationType>availability-zone-id</locationType><location>{zone}</location></item>"
        )
    };
    let items: String = items.iter().map(item).collect();
    xml("DescribeInstanceTypeOfferings", &format!("<instanceTypeOfferingSet>{items}</instanceTypeOfferingSet>{}", next(token)))
}

/// A spot price: machine, zone's name, zone's id, description, price, moment.
pub(super) fn spot(entry: [&str; 6]) -> String {
    let [machine, name, id, description, price, at] = entry;
    let id = if id.is_empty() { String::new() } else { format!("<availabilityZoneId>{id}</availabilityZoneId>") };
    format!(
        "<item><instanceType>{machine}</instanceType><productDescription>{description}</productDescription><spotPrice>{price}</spotPrice>\
         <timestamp>{at}</timestamp><availabilityZone>{name}</availabilityZone>{id}</item>"
    )
}

pub(super) fn spots(items: &[String], token: &str) -> Reply {
    xml("DescribeSpotPriceHistory", &format!("<spotPriceHistorySet>{}</spotPriceHistorySet>{}", items.concat(), next(token)))
}

pub(super) fn zones(items: &[(&str, &str)]) -> Reply {
    let item = |(name, id): &(&str, &str)| {
        let kind = "<zoneType>availability-zone</zoneType>";
        format!("<item><zoneName>{name}</zoneName><zoneId>{id}</zoneId><zoneState>available</zoneState>{kind}</item>")
    };
    xml(
        "DescribeAvailabilityZones",
        &format!("<availabilityZoneInfo>{}</availabilityZoneInfo>", items.iter().map(item).collect::<String>()),
    )
}

pub(super) fn scores(items: &[(&str, &str, u32)]) -> Reply {
    let item = |(region, zone, score): &(&str, &str, u32)| {
        format!("<item><region>{region}</region><availabilityZoneId>{zone}</availabilityZoneId><score>{score}</score></item>")
    };
    xml("GetSpotPlacementScores", &format!("<spotPlacementScoreSet>{}</spotPlacementScoreSet>", items.iter().map(item).collect::<String>()))
}

/// A reserved instance: id, machine, count, description, class, fee at once, price an hour.
pub(super) fn reservation(entry: [&str; 7]) -> String {
    let [id, machine, count, description, class, fee, hourly] = entry;
    format!(
        "<item><reservedInstancesId>{id}</reservedInstancesId><instanceType>{machine}</instanceType><start>2026-03-01T00:00:00.000Z</start>\
         <end>2027-03-01T00:00:00.000Z</end><duration>31536000</duration><fixedPrice>{fee}</fixedPrice><usagePrice>0.0</usagePrice>\
         <instanceCount>{count}</instanceCount><productDescription>{description}</productDescription><state>active</state>\
         <instanceTenancy>default</instanceTenancy><currencyCode>USD</currencyCode><offeringClass>{class}</offeringClass>\
         <offeringType>Partial Upfront</offeringType><scope>Region</scope><recurringCharges><item><frequency>Hourly</frequency>\
         <amount>{hourly}</amount></item></recurringCharges></item>"
    )
}

pub(super) fn reservations(items: &[String]) -> Reply {
    xml("DescribeReservedInstances", &format!("<reservedInstancesSet>{}</reservedInstancesSet>", items.concat()))
}

/// A product as GetProducts writes it: SKU, machine, market option, and prices by class, each with its attributes.
pub(super) fn product(sku: &str, machine: &str, market: &str, terms: &[(&str, &str, Value, Value)]) -> String {
    let mut by_class = json!({});
    for (class, code, attributes, dimensions) in terms {
        by_class[class][format!("{sku}.{code}")] = json!({
            "offerTermCode": code, "sku": sku, "effectiveDate": "2026-11-01T00:00:00Z", "priceDimensions": dimensions, "termAttributes": attributes,
        });
    }
    let operation = if market == "OnDemand" { "RunInstances" } else { "RunInstances:CB" };
    json!({
        "product": {
            "productFamily": "Compute Instance",
            "attributes": {
                "servicecode": "AmazonEC2", "location": "US East (N. Virginia)", "locationType": "AWS Region", "instanceType": machine,
                "instanceFamily": "GPU instance", "vcpu": "4", "memory": "32 GiB", "tenancy": "Shared", "operatingSystem": "Linux",
                "licenseModel": "No License required", "operation": operation, "capacitystatus": "Used", "gpu": "1", "gpuMemory": "NA",
                "marketoption": market, "preInstalledSw": "NA", "regionCode": "us-east-1"
            },
            "sku": sku
        },
        "serviceCode": "AmazonEC2", "terms": by_class, "version": "20261101000000", "publicationDate": "2026-11-01T00:00:00Z"
    })
    .to_string()
}

/// A price by the hour.
pub(super) fn hourly(dollars: &str) -> Value {
    json!({ "X.1": { "unit": "Hrs", "pricePerUnit": { "USD": dollars }, "beginRange": "0", "endRange": "Inf", "appliesTo": [] } })
}

pub(super) fn products(texts: &[String], token: &str) -> Reply {
    let mut answer = json!({ "FormatVersion": "aws_v1", "PriceList": texts });
    if !token.is_empty() {
        answer["NextToken"] = json!(token);
    }
    as_json(&answer)
}
