//! A Google Cloud project on loopback: machine types and GPUs by zone, commitments held. Prices are those of `google`.

use super::clouds::{Answer, Request};
use super::google;
use serde_json::{Value, json};

const A100: &str = "nvidia-tesla-a100";
const A100_LARGE: &str = "nvidia-a100-80gb";
const H100: &str = "nvidia-h100-80gb";
const L4: &str = "nvidia-l4";
const RTX: &str = "nvidia-rtx-pro-6000";

/// A machine: name, vCPUs, GiB, GPU and how many, zones. Of G4 machines with a part of a GPU the count is one all the same.
type Machine = (&'static str, u32, u32, &'static str, u32, &'static [&'static str]);

const IOWA: &[&str] = &["us-central1-a", "us-central1-b"];
const HOLLAND: &[&str] = &["europe-west4-a"];

const MACHINES: &[Machine] = &[
    ("a2-highgpu-1g", 12, 85, A100, 1, IOWA),
    ("a2-highgpu-2g", 24, 170, A100, 2, IOWA),
    ("a2-highgpu-4g", 48, 340, A100, 4, IOWA),
    ("a2-highgpu-8g", 96, 680, A100, 8, IOWA),
    ("a2-megagpu-16g", 96, 1360, A100, 16, IOWA),
    ("a2-ultragpu-1g", 12, 170, A100_LARGE, 1, &["us-central1-a"]),
    ("a2-ultragpu-2g", 24, 340, A100_LARGE, 2, &["us-central1-a"]),
    ("a2-ultragpu-4g", 48, 680, A100_LARGE, 4, &["us-central1-a"]),
    ("a2-ultragpu-8g", 96, 1360, A100_LARGE, 8, &["us-central1-a"]),
    ("a3-highgpu-1g", 26, 234, H100, 1, IOWA),
    ("a3-highgpu-2g", 52, 468, H100, 2, IOWA),
    ("a3-highgpu-4g", 104, 936, H100, 4, IOWA),
    ("a3-highgpu-8g", 208, 1872, H100, 8, IOWA),
    ("a3-ultragpu-8g", 224, 2952, "nvidia-h200-141gb", 8, &["us-central1-b"]),
    ("a3-megagpu-8g", 208, 1872, "nvidia-h100-mega-80gb", 8, HOLLAND),
    ("g2-standard-4", 4, 16, L4, 1, HOLLAND),
    ("g2-standard-8", 8, 32, L4, 1, HOLLAND),
    ("g2-standard-12", 12, 48, L4, 1, HOLLAND),
    ("g2-standard-16", 16, 64, L4, 1, HOLLAND),
    ("g2-standard-32", 32, 128, L4, 1, HOLLAND),
    ("g2-standard-24", 24, 96, L4, 2, HOLLAND),
    ("g2-standard-48", 48, 192, L4, 4, HOLLAND),
    ("g2-standard-96", 96, 384, L4, 8, HOLLAND),
    ("g4-standard-6", 6, 22, RTX, 1, HOLLAND),
    ("g4-standard-12", 12, 45, RTX, 1, HOLLAND),
    ("g4-standard-24", 24, 90, RTX, 1, HOLLAND),
    ("g4-standard-48", 48, 180, RTX, 1, HOLLAND),
    ("g4-standard-96", 96, 360, RTX, 2, HOLLAND),
    ("g4-standard-192", 192, 720, RTX, 4, HOLLAND),
    ("g4-standard-384", 384, 1440, RTX, 8, HOLLAND),
    ("a4-highgpu-8g", 224, 3968, "nvidia-b200", 8, &["us-east4-b"]),
    // GPUs are attached to these.
    ("n1-standard-4", 4, 15, "", 0, IOWA),
    ("n1-standard-8", 8, 30, "", 0, IOWA),
    ("n1-standard-16", 16, 60, "", 0, IOWA),
    // None of ours; and a region that nobody asks for.
    ("e2-standard-2", 2, 8, "", 0, IOWA),
    ("ct5lp-hightpu-1t", 24, 48, "ct5lp", 1, IOWA),
    ("a2-highgpu-1g", 12, 85, A100, 1, &["asia-southeast1-c"]),
];

/// Where T4 can be attached, and how many.
const ATTACHED: &[(&str, &str, u32)] = &[("us-central1-a", "nvidia-tesla-t4", 4), ("us-central1-b", "nvidia-tesla-t4-vws", 4)];

/// Answers of the project.
pub fn answer(request: &Request) -> Answer {
    let (path, _) = request.route.split_once('?').unwrap_or((&request.route, ""));
    let page = match path {
        "/compute/v1/projects/my-project/aggregated/machineTypes" => machine_types(request),
        "/compute/v1/projects/my-project/aggregated/acceleratorTypes" => {
            let zones = ATTACHED.iter().map(|(zone, gpu, most)| {
                (
                    *zone,
                    json!({"kind": "compute#acceleratorType", "id": "10012", "name": gpu, "zone": zone, "maximumCardsPerInstance": most}),
                )
            });
            by_zone("acceleratorTypes", zones, "")
        }
        "/compute/v1/projects/my-project/aggregated/commitments" => json!({
            "kind": "compute#commitmentAggregatedList", "id": "projects/my-project/aggregated/commitments",
            "items": {"regions/us-central1": {"commitments": [{
                "kind": "compute#commitment", "id": "77", "name": "a100-for-a-year", "status": "ACTIVE", "plan": "TWELVE_MONTH",
                "type": "ACCELERATOR_OPTIMIZED", "region": "https://www.googleapis.com/compute/v1/projects/p/regions/us-central1",
                "startTimestamp": "2026-03-01T00:00:00.000-08:00", "endTimestamp": "2199-03-01T00:00:00.000-08:00",
                "resources": [{"type": "VCPU", "amount": "12"}, {"type": "MEMORY", "amount": "87040"},
                    {"type": "ACCELERATOR", "amount": "1", "acceleratorType": "https://x/zones/us-central1-a/acceleratorTypes/nvidia-tesla-a100"}],
            }]}},
        }),
        _ => return google::account_page(request).map_or_else(|| Answer::status(404, "{}"), Answer::ok),
    };
    Answer::ok(page.to_string())
}

/// In two pages, of which the first has the zones of one region only.
fn machine_types(request: &Request) -> Value {
    let is_second = request.query("pageToken") == Some("second/page");
    let machines = MACHINES.iter().flat_map(|(name, cpus, gib, gpu, gpus, zones)| {
        zones.iter().map(move |zone| {
            let mut machine = json!({
                "kind": "compute#machineType", "id": "3001", "creationTimestamp": "1969-12-31T16:00:00.000-08:00", "name": name,
                "description": "words", "guestCpus": cpus, "memoryMb": gib * 1024, "imageSpaceGb": 0, "maximumPersistentDisks": 128,
                "maximumPersistentDisksSizeGb": "263168", "zone": zone, "isSharedCpu": false,
                "selfLink": format!("https://www.googleapis.com/compute/v1/projects/my-project/zones/{zone}/machineTypes/{name}"),
            });
            if *gpus > 0 {
                machine["accelerators"] = json!([{"guestAcceleratorType": gpu, "guestAcceleratorCount": gpus}]);
            }
            (*zone, machine)
        })
    });
    let of_page = machines.filter(|(zone, _)| zone.starts_with("us-central1") != is_second);
    by_zone("machineTypes", of_page, if is_second { "" } else { "second/page" })
}

/// A page of a list by zone; a zone without an entry comes with a warning.
fn by_zone(field: &str, entries: impl Iterator<Item = (&'static str, Value)>, next: &str) -> Value {
    let mut items =
        json!({"zones/europe-west9-a": {"warning": {"code": "NO_RESULTS_ON_PAGE", "message": "There are no results for scope."}}});
    for (zone, entry) in entries {
        let list = &mut items[format!("zones/{zone}")][field];
        match list.as_array_mut() {
            Some(list) => list.push(entry),
            None => *list = json!([entry]),
        }
    }
    let mut page = json!({"kind": "compute#machineTypeAggregatedList", "id": "projects/my-project/aggregated", "items": items});
    if !next.is_empty() {
        page["nextPageToken"] = json!(next);
    }
    page
}
