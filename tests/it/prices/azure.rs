//! Azure on loopback: retail prices of two regions, in pages of ten. Every price below is one of ours.

#![expect(clippy::unwrap_used, reason = "test")]

use super::clouds::Request;
use serde_json::{Value, json};

/// Items a page; the real one has a thousand.
const PAGE: usize = 10;

/// Hours: a year has 8760, three have 26280.
fn items(region: &str) -> Vec<Value> {
    match region {
        "eastus" => [hourly(), spot(), reserved(), traps()].concat(),
        "westeurope" => [
            item("Standard_NC24ads_A100_v4", 4.80, json!({})),
            item("Standard_NC4as_T4_v3", 0.66, json!({})),
            item("Standard_ND96isr_H100_v5", 128.0, json!({})),
            item("Standard_NC40ads_H100_v5", 9.10, json!({})),
            item("Standard_NC40ads_H100_v5", 1.90, of_spot("NC40ads H100 v5")),
            // 52560 / 8760 = 6.00
            item("Standard_NC40ads_H100_v5", 52560.0, of_term("1 Year")),
        ]
        .map(|item| elsewhere(item, "westeurope"))
        .to_vec(),
        _ => Vec::new(),
    }
}

fn hourly() -> Vec<Value> {
    let plans = json!({"savingsPlan": [
        {"unitPrice": 1.85, "retailPrice": 1.85, "term": "3 Years"},
        {"unitPrice": 2.78, "retailPrice": 2.78, "term": "1 Year"},
    ]});
    vec![
        item("Standard_NC24ads_A100_v4", 3.70, plans),
        item("Standard_NC40ads_H100_v5", 7.00, json!({})),
        item("Standard_ND96isr_H100_v5", 98.0, json!({})),
        item("Standard_NC4as_T4_v3", 0.53, json!({})),
        item("Standard_NC64as_T4_v3", 4.40, json!({})),
        item("Standard_NV36ads_A10_v5", 3.25, json!({})),
        // A sixth of a GPU.
        item("Standard_NV6ads_A10_v5", 0.46, json!({})),
        item("Standard_NV18ads_A10_v5", 1.62, json!({})),
        item("Standard_NV72ads_A10_v5", 6.60, json!({})),
        // Retired, and still listed.
        item("Standard_NC12s_v3", 6.12, json!({})),
    ]
}

fn spot() -> Vec<Value> {
    vec![
        item("Standard_NC24ads_A100_v4", 0.70, of_spot("NC24ads A100 v4")),
        item("Standard_NC40ads_H100_v5", 1.30, of_spot("NC40ads H100 v5")),
        item("Standard_ND96isr_H100_v5", 20.0, of_spot("ND96isr H100 v5")),
        item("Standard_NC4as_T4_v3", 0.15, of_spot("NC4as T4 v3")),
        item("Standard_NV6ads_A10_v5", 0.09, of_spot("NV6ads A10 v5")),
        // Above on-demand (6.60): left out.
        item("Standard_NV72ads_A10_v5", 7.00, of_spot("NV72ads A10 v5")),
    ]
}

fn reserved() -> Vec<Value> {
    vec![
        // The price is that of the whole term, whatever its unit says. 21900 / 8760 = 2.50
        item("Standard_NC24ads_A100_v4", 21900.0, of_term("1 Year")),
        // 39420 / 26280 = 1.50
        item("Standard_NC24ads_A100_v4", 39420.0, of_term("3 Years")),
        // 613200 / 8760 = 70.00
        item("Standard_ND96isr_H100_v5", 613_200.0, of_term("1 Year")),
        // 1051200 / 26280 = 40.00
        item("Standard_ND96isr_H100_v5", 1_051_200.0, of_term("3 Years")),
        // Nobody plans for five years.
        item("Standard_ND96isr_H100_v5", 1_000_000.0, of_term("5 Years")),
    ]
}

fn traps() -> Vec<Value> {
    let since = |day: &str| json!({"effectiveStartDate": format!("{day}T00:00:00Z")});
    vec![
        // The same machines as other products, for a cent.
        item("Standard_NC24ads_A100_v4", 0.01, json!({"productName": "Virtual Machines NCads A100 v4 Series Windows"})),
        item("Standard_NC24ads_A100_v4", 0.01, json!({"productName": "NCads A100 v4 Series Cloud Services"})),
        item("Standard_NC24ads_A100_v4", 0.01, json!({"productName": "NCads A100 v4 Series CloudServices"})),
        item("Standard_NC24ads_A100_v4", 0.01, json!({"type": "DevTestConsumption"})),
        item("Standard_NC4as_T4_v3", 0.01, json!({"skuName": "NC4as T4 v3 Low Priority", "meterName": "NC4as T4 v3 Low Priority"})),
        // 27.20 holds; 30.00 will, 25.00 did.
        item("Standard_ND96asr_v4", 27.20, since("2024-01-01")),
        item("Standard_ND96asr_v4", 30.0, since("2199-01-01")),
        item(
            "Standard_ND96asr_v4",
            25.0,
            json!({"effectiveStartDate": "2024-06-01T00:00:00Z", "effectiveEndDate": "2025-06-01T00:00:00Z"}),
        ),
        // An older price that was left in the list: 33.00 counts.
        item("Standard_ND96amsr_A100_v4", 32.77, since("2022-01-01")),
        item(
            "Standard_ND96amsr_A100_v4",
            33.0,
            json!({"effectiveStartDate": "2025-06-01T00:00:00Z", "effectiveEndDate": "9999-12-31T00:00:00Z"}),
        ),
        // The region's own meter goes before one that is billed for it from elsewhere; many sizes have the latter only.
        item("Standard_NC80adis_H100_v5", 14.0, json!({})),
        item("Standard_NC80adis_H100_v5", 12.0, json!({"isPrimaryMeterRegion": false})),
        item("Standard_ND40rs_v2", 22.0, json!({"isPrimaryMeterRegion": false})),
        // Left out: another currency, nothing, two prices of one day, half an entry, another unit, an unknown size.
        item("Standard_NC8as_T4_v3", 0.70, json!({"currencyCode": "EUR"})),
        item("Standard_NC16as_T4_v3", 0.0, json!({})),
        item("Standard_NC48ads_A100_v4", 7.30, json!({})),
        item("Standard_NC48ads_A100_v4", 7.50, json!({})),
        item("Standard_NC96ads_A100_v4", 14.7, json!({"retailPrice": null})),
        item("Standard_NV12ads_A10_v5", 0.90, json!({"unitOfMeasure": "1 GB"})),
        item("Standard_NC128ads_H900_v9", 50.0, json!({})),
        // No NVIDIA GPUs; no GPUs.
        item("Standard_ND96isr_MI300X_v5", 48.0, json!({})),
        item("Standard_NV8as_v4", 0.50, json!({})),
        item("Standard_NP10s", 1.65, json!({})),
        item("Standard_D4s_v5", 0.19, json!({})),
    ]
}

fn of_spot(sku: &str) -> Value {
    json!({"skuName": format!("{sku} Spot"), "meterName": format!("{sku} Spot")})
}

fn of_term(term: &str) -> Value {
    json!({"type": "Reservation", "reservationTerm": term})
}

fn elsewhere(mut item: Value, region: &str) -> Value {
    item["armRegionName"] = json!(region);
    item
}

/// A size by the hour in eastus, with some fields otherwise; `null` takes a field out.
fn item(size: &str, price: f64, otherwise: Value) -> Value {
    let sku = size.trim_start_matches("Standard_").replace('_', " ");
    let mut item = json!({
        "currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": price, "unitPrice": price, "armRegionName": "eastus",
        "location": "somewhere", "effectiveStartDate": "2025-09-01T00:00:00Z", "meterId": "000a794b-bdb0-58be-a0cd-0c3a0f222923",
        "meterName": sku, "productId": "DZH318Z08NRP", "skuId": "DZH318Z08NRP/00KT", "productName": "Virtual Machines GPU Series", "skuName": sku,
        "serviceName": "Virtual Machines", "serviceId": "DZH313Z7MMC8", "serviceFamily": "Compute", "unitOfMeasure": "1 Hour",
        "type": "Consumption", "isPrimaryMeterRegion": true, "armSkuName": size,
    });
    for (name, value) in otherwise.as_object().unwrap() {
        if value.is_null() {
            item.as_object_mut().unwrap().remove(name);
        } else {
            item[name] = value.clone();
        }
    }
    item
}

/// The page that is asked for: those of the region in the filter, from `$skip` on.
pub fn page(request: &Request) -> Option<String> {
    assert_eq!(request.query("api-version"), Some("2023-01-01-preview"), "{}", request.route);
    let filter = request.query("$filter")?;
    let region = filter.split("armRegionName eq '").nth(1)?.split('\'').next()?;
    let skip: usize = request.query("$skip").map_or(Some(0), |skip| skip.parse().ok())?;
    let items = items(region);
    let host = request.header("host")?;
    let next = (skip + PAGE < items.len()).then(|| {
        let filter = filter.replace(' ', "%20");
        format!("http://{host}/azure/api/retail/prices?api-version=2023-01-01-preview&$filter={filter}&$skip={}", skip + PAGE)
    });
    let items: Vec<&Value> = items.iter().skip(skip).take(PAGE).collect();
    let page = json!({
        "BillingCurrency": "USD", "CustomerEntityId": "Default", "CustomerEntityType": "Retail", "Items": items, "NextPageLink": next,
        "Count": items.len(),
    });
    Some(page.to_string())
}
