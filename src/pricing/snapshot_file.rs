//! A snapshot as a file: JSON, the same bytes for the same snapshot, so that its digest is its name.
//!
//! In: a [`Snapshot`], or bytes. Out: bytes, or a snapshot whose every field has been looked at. No file is touched here
//! ([`super::store`] does), and no price is judged beyond being one.

use super::codes;
use super::gathered::{Owned, PlacementScore};
use super::key::{self, OfferingKey};
use super::sanity;
use super::snapshot::{HeldBack, PriceRow, Refreshed, Snapshot};
use super::statistics::SpotStatistics;
use crate::catalog::CatalogRow;
use crate::diagnostic::{Diagnostic, Severity};
use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};

/// Name and version of the form.
pub const FORMAT: &str = "gpuplan/price-snapshot/v1";
/// Longest text that is read: a hundred times what all regions of three clouds come to. A file that unpacks to more is none of ours.
const MOST_BYTES: u64 = 512 << 20;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The snapshot as JSON, in its one order.
///
/// # Errors
/// A snapshot that could not be read back: a fault of the caller.
pub fn encode(snapshot: &Snapshot) -> Result<Vec<u8>, Diagnostic> {
    let snapshot = snapshot.clone().sorted();
    let fault = |why: String| damaged("the snapshot to be written", &why);
    check(&snapshot).map_err(fault)?;
    let mut bytes = serde_json::to_vec(&record(&snapshot)).map_err(|e| fault(e.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a snapshot, packed or not. `name` is how the user knows it, without backticks.
///
/// # Errors
/// What is wrong, and where: broken off, not JSON, another format, a field that is unknown or missing, a price that is none.
pub fn decode(bytes: &[u8], name: &str) -> Result<Snapshot, Diagnostic> {
    let fault = |why: String| damaged(name, &why);
    let text = unpack(bytes).map_err(|e| fault(format!("it cannot be unpacked ({e})")))?;
    let head: Head = serde_json::from_slice(&text).map_err(|e| fault(format!("it is no snapshot ({e})")))?;
    if head.format != FORMAT {
        return Err(fault(format!("its format is `{}`, and `{FORMAT}` is read", head.format)));
    }
    let record: SnapshotRecord = serde_json::from_slice(&text).map_err(|e| fault(e.to_string()))?;
    let snapshot = snapshot(record).map_err(fault)?.sorted();
    check(&snapshot).map_err(fault)?;
    Ok(snapshot)
}

/// SHA-256 of unpacked bytes, in lower-case hex: the name of a snapshot.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Packs by gzip, without a time: the same bytes for the same bytes.
///
/// # Errors
/// Never in memory; the packer's own type says it could.
pub fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packer = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
    packer.write_all(bytes)?;
    packer.finish()
}

/// Unpacks what begins like gzip; other bytes are given back as they are.
///
/// # Errors
/// Broken off, a checksum that does not fit, or far too long.
pub fn unpack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes.to_vec());
    }
    let mut text = Vec::new();
    GzDecoder::new(bytes).take(MOST_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("far too long for a snapshot"));
    }
    Ok(text)
}

/// The diagnostic for a snapshot that cannot be used.
#[must_use]
pub fn damaged(name: &str, why: &str) -> Diagnostic {
    let mut fault = Diagnostic::new(codes::DAMAGED, Severity::Error, format!("`{name}` is damaged: {why}"));
    fault.help("use another snapshot, or `builtin`; `gpuplan prices refresh` makes a new one");
    fault
}

/// What must hold of every snapshot.
fn check(snapshot: &Snapshot) -> Result<(), String> {
    let mut last: Option<OfferingKey> = None;
    for price in &snapshot.rows {
        let key = price.key();
        let row_fault = |what: &str| Err(format!("`{key}` {what}"));
        if key.to_string().parse::<OfferingKey>().as_ref() != Ok(&key) {
            return row_fault("is no name of a price");
        }
        if last.as_ref() == Some(&key) {
            return row_fault("stands twice");
        }
        if !sanity::is_price(price.row.usd_per_hour) || !price.zone_prices.values().all(|p| sanity::is_price(*p)) {
            return row_fault("has a price that is none");
        }
        if price.currency != "USD" {
            return row_fault("is not in US dollars");
        }
        if !(price.row.gpus.is_finite() && price.row.gpus > 0.0) {
            return row_fault("has no GPUs");
        }
        if price.row.as_of.parse::<Date>().is_err() {
            return row_fault("has no day");
        }
        last = Some(key);
    }
    let held = |held: &&HeldBack| !(sanity::is_price(held.usd_per_hour) && sanity::is_price(held.kept_usd_per_hour));
    match (snapshot.held_back.iter().find(held), snapshot.placement.iter().find(|p| !(1..=10).contains(&p.score))) {
        (Some(held), _) => Err(format!("`{}` is held back with a price that is none", held.key)),
        (None, Some(score)) => Err(format!("the placement score of `{}` in {} is {}", score.instance_type, score.zone, score.score)),
        (None, None) => Ok(()),
    }
}

/// Of a file, first of all: what it says it is.
#[derive(Deserialize)]
struct Head {
    format: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SnapshotRecord {
    format: String,
    taken_at: String,
    refreshed: Vec<RefreshedRecord>,
    rows: Vec<RowRecord>,
    held_back: Vec<HeldBackRecord>,
    placement: Vec<PlacementRecord>,
    owned: Vec<OwnedRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RefreshedRecord {
    cloud: String,
    region: String,
    source: String,
    taken_at: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowRecord {
    cloud: String,
    region: String,
    instance_type: String,
    capacity_type: String,
    term: String,
    product: String,
    payment: String,
    usd_per_hour: f64,
    currency: String,
    accelerator: String,
    gpus: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gpu_memory_gib: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vcpus: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ram_gib: Option<f64>,
    nvlink: bool,
    zones: Vec<String>,
    zone_usd_per_hour: BTreeMap<String, f64>,
    interruption_band: String,
    purchasable: bool,
    source: String,
    as_of: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read_at: Option<String>,
    derivation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    statistics: Option<StatisticsRecord>,
    note: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatisticsRecord {
    days: f64,
    level_usd_per_hour: f64,
    latest_usd_per_hour: f64,
    low_usd_per_hour: f64,
    high_usd_per_hour: f64,
    p50_usd_per_hour: f64,
    p90_usd_per_hour: f64,
    p95_usd_per_hour: f64,
    volatility: f64,
    changes_per_day: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    share_at_on_demand: Option<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeldBackRecord {
    offering: String,
    usd_per_hour: f64,
    kept_usd_per_hour: f64,
    source: String,
    as_of: String,
    first_seen: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlacementRecord {
    region: String,
    zone: String,
    instance_type: String,
    score: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnedRecord {
    cloud: String,
    region: String,
    id: String,
    product: String,
    covers: String,
    count: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    usd_per_hour: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends: Option<String>,
}

fn record(snapshot: &Snapshot) -> SnapshotRecord {
    let Snapshot { taken_at, refreshed, rows, held_back, placement, owned } = snapshot;
    SnapshotRecord {
        format: FORMAT.to_owned(),
        taken_at: taken_at.to_string(),
        refreshed: refreshed.iter().map(refreshed_record).collect(),
        rows: rows.iter().map(row_record).collect(),
        held_back: held_back.iter().map(held_record).collect(),
        placement: placement.iter().map(placement_record).collect(),
        owned: owned.iter().map(owned_record).collect(),
    }
}

fn refreshed_record(refreshed: &Refreshed) -> RefreshedRecord {
    let Refreshed { cloud, region, source, taken_at } = refreshed;
    RefreshedRecord { cloud: cloud.as_str().to_owned(), region: region.clone(), source: source.clone(), taken_at: taken_at.to_string() }
}

fn row_record(price: &PriceRow) -> RowRecord {
    let PriceRow { row, product, payment, currency, derivation, zone_prices, statistics, read_at } = price.clone();
    let CatalogRow { cloud, region, instance_type, accelerator, gpus, gpu_memory_gib, vcpus, ram_gib, nvlink, zones, .. } = row;
    let CatalogRow { capacity_type, term, usd_per_hour, interruption_band, purchasable, source, as_of, note, .. } = row;
    RowRecord {
        cloud: cloud.as_str().to_owned(),
        region,
        instance_type,
        capacity_type: capacity_type.as_str().to_owned(),
        term,
        product,
        payment,
        usd_per_hour,
        currency,
        accelerator,
        gpus,
        gpu_memory_gib,
        vcpus,
        ram_gib,
        nvlink,
        zones,
        zone_usd_per_hour: zone_prices,
        interruption_band,
        purchasable,
        source,
        as_of,
        read_at: read_at.map(|at| at.to_string()),
        derivation,
        statistics: statistics.map(statistics_record),
        note,
    }
}

fn statistics_record(statistics: SpotStatistics) -> StatisticsRecord {
    let SpotStatistics { days, level, latest, low, high, p50, p90, p95, volatility, changes_per_day, share_at_on_demand } = statistics;
    StatisticsRecord {
        days,
        level_usd_per_hour: level,
        latest_usd_per_hour: latest,
        low_usd_per_hour: low,
        high_usd_per_hour: high,
        p50_usd_per_hour: p50,
        p90_usd_per_hour: p90,
        p95_usd_per_hour: p95,
        volatility,
        changes_per_day,
        share_at_on_demand,
    }
}

fn held_record(held: &HeldBack) -> HeldBackRecord {
    let HeldBack { key, usd_per_hour, kept_usd_per_hour, source, as_of, first_seen } = held;
    HeldBackRecord {
        offering: key.to_string(),
        usd_per_hour: *usd_per_hour,
        kept_usd_per_hour: *kept_usd_per_hour,
        source: source.clone(),
        as_of: as_of.clone(),
        first_seen: first_seen.to_string(),
    }
}

fn placement_record(score: &PlacementScore) -> PlacementRecord {
    let PlacementScore { region, zone, instance_type, score } = score.clone();
    PlacementRecord { region, zone, instance_type, score }
}

fn owned_record(owned: &Owned) -> OwnedRecord {
    let Owned { cloud, region, id, product, covers, count, usd_per_hour, ends } = owned.clone();
    let (cloud, product) = (cloud.as_str().to_owned(), product.as_str().to_owned());
    OwnedRecord { cloud, region, id, product, covers, count, usd_per_hour, ends: ends.map(|at| at.to_string()) }
}

fn snapshot(record: SnapshotRecord) -> Result<Snapshot, String> {
    let SnapshotRecord { format: _, taken_at, refreshed, rows, held_back, placement, owned } = record;
    Ok(Snapshot {
        taken_at: moment(&taken_at)?,
        refreshed: refreshed.into_iter().map(refreshed_of).collect::<Result<_, _>>()?,
        rows: rows.into_iter().map(row_of).collect::<Result<_, _>>()?,
        held_back: held_back.into_iter().map(held_of).collect::<Result<_, _>>()?,
        placement: placement.into_iter().map(placement_of).collect(),
        owned: owned.into_iter().map(owned_of).collect::<Result<_, _>>()?,
    })
}

fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| format!("`{text}` is no moment"))
}

fn cloud(name: &str) -> Result<crate::domain::Cloud, String> {
    key::cloud(name).ok_or_else(|| format!("unknown cloud `{name}`"))
}

fn refreshed_of(record: RefreshedRecord) -> Result<Refreshed, String> {
    let RefreshedRecord { cloud: name, region, source, taken_at } = record;
    Ok(Refreshed { cloud: cloud(&name)?, region, source, taken_at: moment(&taken_at)? })
}

fn row_of(record: RowRecord) -> Result<PriceRow, String> {
    Ok(PriceRow {
        row: CatalogRow {
            cloud: cloud(&record.cloud)?,
            region: record.region,
            instance_type: record.instance_type,
            accelerator: record.accelerator,
            gpus: record.gpus,
            gpu_memory_gib: record.gpu_memory_gib,
            vcpus: record.vcpus,
            ram_gib: record.ram_gib,
            nvlink: record.nvlink,
            zones: record.zones,
            capacity_type: key::capacity(&record.capacity_type)
                .ok_or_else(|| format!("unknown capacity type `{}`", record.capacity_type))?,
            term: record.term,
            usd_per_hour: record.usd_per_hour,
            interruption_band: record.interruption_band,
            purchasable: record.purchasable,
            source: record.source,
            as_of: record.as_of,
            note: record.note,
        },
        product: record.product,
        payment: record.payment,
        currency: record.currency,
        derivation: record.derivation,
        zone_prices: record.zone_usd_per_hour,
        statistics: record.statistics.map(statistics_of),
        read_at: record.read_at.as_deref().map(moment).transpose()?,
    })
}

fn statistics_of(record: StatisticsRecord) -> SpotStatistics {
    SpotStatistics {
        days: record.days,
        level: record.level_usd_per_hour,
        latest: record.latest_usd_per_hour,
        low: record.low_usd_per_hour,
        high: record.high_usd_per_hour,
        p50: record.p50_usd_per_hour,
        p90: record.p90_usd_per_hour,
        p95: record.p95_usd_per_hour,
        volatility: record.volatility,
        changes_per_day: record.changes_per_day,
        share_at_on_demand: record.share_at_on_demand,
    }
}

fn held_of(record: HeldBackRecord) -> Result<HeldBack, String> {
    let HeldBackRecord { offering, usd_per_hour, kept_usd_per_hour, source, as_of, first_seen } = record;
    let key = offering.parse().map_err(|fault: key::KeyFault| fault.to_string())?;
    Ok(HeldBack { key, usd_per_hour, kept_usd_per_hour, source, as_of, first_seen: moment(&first_seen)? })
}

fn placement_of(record: PlacementRecord) -> PlacementScore {
    let PlacementRecord { region, zone, instance_type, score } = record;
    PlacementScore { region, zone, instance_type, score }
}

fn owned_of(record: OwnedRecord) -> Result<Owned, String> {
    let OwnedRecord { cloud: name, region, id, product, covers, count, usd_per_hour, ends } = record;
    let product = key::product(&product).ok_or_else(|| format!("unknown product `{product}`"))?;
    let ends = ends.as_deref().map(moment).transpose()?;
    Ok(Owned { cloud: cloud(&name)?, region, id, product, covers, count, usd_per_hour, ends })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;
    use crate::catalog::builtin;
    use crate::domain::Cloud;
    use crate::pricing::gathered::Product;
    use crate::pricing::snapshot;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn whole() -> Snapshot {
        snapshot::from_builtin(&builtin::catalog().unwrap(), at("2026-11-26T01:02:03.123456789Z"))
    }

    /// One row, and one of everything else.
    fn small() -> Snapshot {
        let mut snapshot = whole();
        snapshot.rows.truncate(1);
        let row = &mut snapshot.rows[0];
        row.zone_prices = BTreeMap::from([("use1-az1".to_owned(), 0.1 + 0.2), ("use1-az2".to_owned(), 1e-5)]);
        row.read_at = Some(at("2026-11-26T00:00:00Z"));
        row.statistics = Some(SpotStatistics {
            days: 90.0,
            level: 1.0 / 3.0,
            latest: 0.3,
            low: 0.2,
            high: 0.4,
            p50: 0.3,
            p90: 0.35,
            p95: 0.4,
            volatility: 0.1,
            changes_per_day: 2.5,
            share_at_on_demand: None,
        });
        let key = row.key();
        let taken_at = snapshot.taken_at;
        snapshot.refreshed = vec![Refreshed { cloud: Cloud::Gcp, region: "us-central1".to_owned(), source: "api".to_owned(), taken_at }];
        let (source, as_of) = ("price list".to_owned(), "2026-11-25".to_owned());
        snapshot.held_back = vec![HeldBack { key, usd_per_hour: 9.0, kept_usd_per_hour: 1.0, source, as_of, first_seen: taken_at }];
        let (region, zone, instance_type) = ("us-east-1".to_owned(), "use1-az1".to_owned(), "g5.xlarge".to_owned());
        snapshot.placement = vec![PlacementScore { region, zone, instance_type, score: 10 }];
        snapshot.owned = vec![Owned {
            cloud: Cloud::Aws,
            region: String::new(),
            id: "sp-1".to_owned(),
            product: Product::ComputeSavingsPlan,
            covers: String::new(),
            count: 0,
            usd_per_hour: Some(12.5),
            ends: None,
        }];
        snapshot
    }

    #[test]
    fn everything_comes_back_to_the_last_bit() {
        for snapshot in [whole(), small()] {
            let bytes = encode(&snapshot).unwrap();
            assert_eq!(decode(&bytes, "x").unwrap(), snapshot);
            assert_eq!(decode(&pack(&bytes).unwrap(), "x").unwrap(), snapshot);
            assert_eq!(encode(&decode(&bytes, "x").unwrap()).unwrap(), bytes);
        }
    }

    #[test]
    fn the_same_snapshot_is_the_same_bytes() {
        let mut shuffled = whole();
        shuffled.rows.reverse();
        let bytes = encode(&whole()).unwrap();
        assert_eq!(digest(&encode(&shuffled).unwrap()), digest(&bytes));
        assert_eq!(pack(&bytes).unwrap(), pack(&bytes).unwrap());
        assert_eq!(digest(b"").len(), 64);
        assert!(digest(b"").starts_with("e3b0c44298fc1c14"), "the digest of nothing, by the standard");
    }

    /// Each fault of a text, and the words that say it.
    #[test]
    fn damage_is_told() {
        let text = String::from_utf8(encode(&small()).unwrap()).unwrap();
        let replaced = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        };
        let row = text.split("\"rows\":[").nth(1).and_then(|rest| rest.split("],\"held_back\"").next()).unwrap();
        for (damaged, words) in [
            (String::new(), "it is no snapshot"),
            ("<html>".to_owned(), "it is no snapshot"),
            (text[..text.len() / 2].to_owned(), "EOF"),
            (replaced("snapshot/v1", "snapshot/v9"), "its format is `gpuplan/price-snapshot/v9`"),
            (replaced("\"placement\":", "\"placements\":"), "unknown field `placements`"),
            (replaced("\"nvlink\":false,", ""), "missing field `nvlink`"),
            (replaced("\"usd_per_hour\":", "\"usd_per_hour\":-"), "has a price that is none"),
            (replaced("\"use1-az2\":0.00001", "\"use1-az2\":0.0"), "has a price that is none"),
            (replaced("\"currency\":\"USD\"", "\"currency\":\"IDR\""), "is not in US dollars"),
            (replaced("\"cloud\":\"gcp\"", "\"cloud\":\"oci\""), "unknown cloud `oci`"),
            (replaced("\"term\":\"1y\"", "\"term\":\"2y\""), "is no name of a price"),
            (replaced("\"as_of\":\"2026", "\"as_of\":\"26"), "has no day"),
            (replaced("\"taken_at\":\"2026", "\"taken_at\":\"now"), "is no moment"),
            (replaced("\"score\":10", "\"score\":11"), "is 11"),
            (replaced("compute-savings-plan", "plan"), "unknown product `plan`"),
            (replaced("\"rows\":[", &format!("\"rows\":[{row},")), "stands twice"),
        ] {
            let fault = decode(damaged.as_bytes(), "prices.json").unwrap_err();
            assert_eq!((fault.code, fault.severity), (codes::DAMAGED, Severity::Error));
            assert!(fault.message.starts_with("`prices.json` is damaged: ") && fault.message.contains(words), "{words}: {fault}");
            assert!(fault.help.is_some());
        }
        let packed = pack(text.as_bytes()).unwrap();
        assert!(decode(&packed[..packed.len() - 4], "x").unwrap_err().message.contains("cannot be unpacked"));
    }

    #[test]
    fn what_could_not_be_read_back_is_not_written() {
        let mut snapshot = small();
        snapshot.rows[0].row.usd_per_hour = f64::NAN;
        assert_eq!(encode(&snapshot).unwrap_err().code, codes::DAMAGED);
    }
}
