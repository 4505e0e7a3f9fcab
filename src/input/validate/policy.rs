//! Limits and conventions: target, quotas, node autoscaler, reserves, adders, risk, the scenario's own prices.

use super::Context;
use super::fleet::{instance_type, region};
use super::values::{between, date, dns_label, not_negative, number, one_line, optional, positive, price, quoted, share, unique};
use crate::catalog::{CatalogRow, PriceOverride, builtin, family};
use crate::domain::{
    Adders, CapacityType, Cloud, InstanceType, NodeAutoscaler, NodeAutoscalerKind, Quota, QuotaUnit, Reserves, Risk, SpotEvidence,
    SpotRiskOverride, Target,
};
use crate::ids::{InstanceTypeId, QuotaId, RegionId};
use crate::input::at::{At, Span};
use crate::input::codes;
use crate::input::faults::Faults;
use crate::input::scenario_file::{
    AddersFile, NodeAutoscalerFile, NodeAutoscalerKindFile, PoolEvidenceFile, PriceFile, QuotaFile, QuotaUnitFile, ReservesFile, RiskFile,
    TargetFile,
};
use crate::input::suggest;
use crate::units::{GiB, Seconds, Usd};
use std::collections::{BTreeMap, BTreeSet};

/// The target, if there is one.
pub fn target(file: &At<TargetFile>, faults: &mut Faults) -> Option<Target> {
    let saving = optional(faults, file.saving_percent.as_ref(), between("saving_percent", 0.0, 100.0));
    let budget = optional(faults, file.budget_usd_per_month.as_ref(), positive("budget_usd_per_month"));
    match (saving, budget) {
        (Some(percent), None) => Some(Target::Saving(percent / 100.0)),
        (None, Some(usd)) => Some(Target::Budget(Usd::from_f64(usd.min(1e9)))),
        _ => {
            faults.error(codes::EXACTLY_ONE, file.span, "`target` takes exactly one of `saving_percent` and `budget_usd_per_month`");
            None
        }
    }
}

/// Quotas, sorted.
pub fn quotas(files: &[QuotaFile], context: &Context<'_>, faults: &mut Faults) -> Vec<Quota> {
    unique(faults, "quota", files.iter().map(|quota| &quota.name));
    let mut quotas: Vec<Quota> = files.iter().map(|file| quota(file, context, faults)).collect();
    quotas.sort_by(|a, b| a.id.cmp(&b.id));
    quotas
}

fn quota(file: &QuotaFile, context: &Context<'_>, faults: &mut Faults) -> Quota {
    dns_label(faults, &file.name, "name");
    let region = region(&file.region, context, faults);
    let mut instance_types: BTreeSet<InstanceTypeId> = BTreeSet::new();
    match (&file.families, &file.instance_types) {
        (Some(families), None) => {
            for given in &families.value {
                instance_types.extend(of_family(given, &region, context, faults));
            }
        }
        (None, Some(types)) => {
            instance_types
                .extend(types.value.iter().filter_map(|given| instance_type(given, context, faults)).map(|shape| shape.id.clone()));
        }
        _ => {
            let message = format!("quota `{}` takes exactly one of `families` and `instance_types`", file.name.value);
            faults.error(codes::EXACTLY_ONE, file.name.span, message);
        }
    }
    Quota {
        id: QuotaId::new(&*file.name.value),
        region,
        capacity_type: CapacityType::from(file.capacity_type),
        instance_types: instance_types.into_iter().collect(),
        unit: match file.unit {
            QuotaUnitFile::Vcpus => QuotaUnit::Vcpus,
            QuotaUnitFile::Gpus => QuotaUnit::Gpus,
            QuotaUnitFile::Nodes => QuotaUnit::Nodes,
        },
        limit: number(faults, &file.limit, not_negative("limit")),
    }
}

/// Instance types of a family that are offered in the region.
fn of_family(given: &At<String>, region: &RegionId, context: &Context<'_>, faults: &mut Faults) -> Vec<InstanceTypeId> {
    let offered = |shape: &&InstanceType| context.market.offerings.iter().any(|o| o.instance_type == shape.id && &o.region == region);
    let shapes: Vec<&InstanceType> = context.market.instance_types.values().filter(offered).collect();
    let members: Vec<InstanceTypeId> = shapes.iter().filter(|shape| family::counts(given, shape)).map(|shape| shape.id.clone()).collect();
    if members.is_empty() {
        let known: BTreeSet<String> = shapes.iter().map(|shape| family::family(shape.cloud, shape.id.as_str())).collect();
        let message = format!("no GPU instance type of family {} is offered in `{region}`", quoted(given));
        // Today's prices may leave out a family that there is; its quota then counts nothing.
        if is_embedded(given, region) {
            faults
                .warning(codes::UNKNOWN_FAMILY, given.span, message)
                .help("the prices that are planned on leave it out: `gpuplan prices list`");
        } else {
            faults.error(codes::UNKNOWN_FAMILY, given.span, message).help = suggest::help(given, known.iter().map(String::as_str));
        }
    }
    members
}

/// Whether the prices that are compiled in know the family in the region.
fn is_embedded(given: &str, region: &RegionId) -> bool {
    let is_of =
        |row: &CatalogRow| row.region == region.as_str() && family::family(row.cloud, &row.instance_type).eq_ignore_ascii_case(given);
    builtin::catalog().is_ok_and(|catalog| catalog.rows.iter().any(is_of))
}

/// The node autoscaler: as given, else the usual one of the regions' cloud.
pub fn node_autoscaler(file: Option<&At<NodeAutoscalerFile>>, clouds: &BTreeSet<Cloud>, faults: &mut Faults) -> NodeAutoscaler {
    let usual = match clouds.first() {
        Some(Cloud::Gcp) => NodeAutoscalerKind::Gke,
        Some(Cloud::Azure) => NodeAutoscalerKind::Aks,
        Some(Cloud::Aws) | None => NodeAutoscalerKind::Karpenter,
    };
    let mut seconds = |given: Option<&At<f64>>, key, default: f64| Seconds(optional(faults, given, not_negative(key)).unwrap_or(default));
    let Some(file) = file else {
        return NodeAutoscaler {
            kind: usual,
            provision_p50: Seconds(120.0),
            provision_p95: Seconds(300.0),
            consolidate_after: Seconds(60.0),
            drain: Seconds(30.0),
        };
    };
    let kind = match file.kind {
        NodeAutoscalerKindFile::Karpenter => NodeAutoscalerKind::Karpenter,
        NodeAutoscalerKindFile::Gke => NodeAutoscalerKind::Gke,
        NodeAutoscalerKindFile::Aks => NodeAutoscalerKind::Aks,
    };
    let autoscaler = NodeAutoscaler {
        kind,
        provision_p50: seconds(file.provision_p50_s.as_ref(), "provision_p50_s", 120.0),
        provision_p95: seconds(file.provision_p95_s.as_ref(), "provision_p95_s", 300.0),
        consolidate_after: seconds(file.consolidate_after_s.as_ref(), "consolidate_after_s", 60.0),
        drain: seconds(file.drain_s.as_ref(), "drain_s", 30.0),
    };
    if autoscaler.provision_p50.0 > autoscaler.provision_p95.0 {
        let at = file.provision_p95_s.as_ref().or(file.provision_p50_s.as_ref()).map_or(file.span, |given| given.span);
        faults.error(codes::OUT_OF_RANGE, at, "`provision_p95_s` is below `provision_p50_s`");
    }
    if !clouds.is_empty() && kind != usual {
        let names: Vec<&str> = clouds.iter().map(|cloud| cloud.as_str()).collect();
        faults
            .error(codes::WRONG_AUTOSCALER, file.span, format!("`{}` does not run on {}", kind.as_str(), names.join(", ")))
            .help(format!("use `kind: {}`", usual.as_str()));
    }
    autoscaler
}

/// Node reserves with their defaults.
pub fn reserves(file: &ReservesFile, faults: &mut Faults) -> Reserves {
    Reserves {
        share: optional(faults, file.share.as_ref(), between("share", 0.0, 0.95)).unwrap_or(0.10),
        vcpus: optional(faults, file.vcpus.as_ref(), not_negative("vcpus")).unwrap_or(1.0),
        ram: GiB(optional(faults, file.ram_gib.as_ref(), not_negative("ram_gib")).unwrap_or(2.0)),
        gpu_memory_share: optional(faults, file.gpu_memory_share.as_ref(), between("gpu_memory_share", 0.1, 1.0)).unwrap_or(0.9),
    }
}

/// Adders and discount with their defaults.
pub fn adders(file: &AddersFile, discount: Option<&At<f64>>, faults: &mut Faults) -> Adders {
    Adders {
        usd_per_node_hour: optional(faults, file.usd_per_node_hour.as_ref(), between("usd_per_node_hour", 0.0, 1000.0)).unwrap_or(0.0),
        percent: optional(faults, file.percent.as_ref(), between("percent", 0.0, 1000.0)).unwrap_or(0.0),
        discount_percent: optional(faults, discount, between("discount_percent", 0.0, 99.0)).unwrap_or(0.0),
    }
}

/// Risk conventions with their defaults; pools are checked against the market by [`pools`].
pub fn risk(file: &RiskFile, faults: &mut Faults) -> Risk {
    let overrides = file.pools.iter().map(|pool| SpotRiskOverride {
        instance_type: InstanceTypeId::new(&*pool.instance_type.value),
        region: RegionId::new(&*pool.region.value),
        availability: number(faults, &pool.availability, share("availability")),
        reclaims_per_hour: number(faults, &pool.reclaims_per_hour, between("reclaims_per_hour", 0.0, 60.0)),
        evidence: match pool.evidence {
            PoolEvidenceFile::OwnLog => SpotEvidence::OwnLog,
            PoolEvidenceFile::Trace => SpotEvidence::Trace,
        },
    });
    let mut overrides: Vec<SpotRiskOverride> = overrides.collect();
    overrides.sort_by(|a, b| (&a.instance_type, &a.region).cmp(&(&b.instance_type, &b.region)));
    Risk {
        prior_availability: optional(faults, file.prior_availability.as_ref(), share("prior_availability"))
            .unwrap_or(Risk::PRIOR_AVAILABILITY),
        prior_reclaims_per_hour: optional(faults, file.prior_reclaims_per_hour.as_ref(), between("prior_reclaims_per_hour", 0.0, 60.0))
            .unwrap_or(Risk::PRIOR_RECLAIMS_PER_HOUR),
        overrides,
        allow_scarce_release: file.allow_scarce_release,
        allow_estimated: file.allow_estimated,
    }
}

/// Names in the pools and prices, which need the market, and their uniqueness.
pub fn pools(risk: &RiskFile, prices: &[PriceFile], context: &Context<'_>, faults: &mut Faults) {
    let mut seen: BTreeMap<(&str, &str), Span> = BTreeMap::new();
    for pool in &risk.pools {
        instance_type(&pool.instance_type, context, faults);
        region(&pool.region, context, faults);
        if seen.insert((&pool.instance_type, &pool.region), pool.instance_type.span).is_some() {
            let message = format!("spot pool `{}` in `{}` is there twice", pool.instance_type.value, pool.region.value);
            faults.error(codes::DUPLICATE_NAME, pool.instance_type.span, message);
        }
    }
    let mut seen = BTreeSet::new();
    for price in prices {
        instance_type(&price.instance_type, context, faults);
        region(&price.region, context, faults);
        if !seen.insert((price.instance_type.as_str(), price.region.as_str(), CapacityType::from(price.capacity_type))) {
            let message = format!("the price of `{}` in `{}` is given twice", price.instance_type.value, price.region.value);
            faults.error(codes::DUPLICATE_NAME, price.instance_type.span, message);
        }
    }
}

/// The scenario's own prices.
pub fn prices(files: &[PriceFile], faults: &mut Faults) -> Vec<PriceOverride> {
    let own = files.iter().map(|file| {
        date(faults, &file.as_of, "as_of");
        one_line(faults, &file.source, ("source", file.as_of.span));
        PriceOverride {
            instance_type: InstanceTypeId::new(&*file.instance_type.value),
            region: RegionId::new(&*file.region.value),
            capacity_type: CapacityType::from(file.capacity_type),
            usd_per_hour: number(faults, &file.usd_per_hour, price("usd_per_hour")),
            source: file.source.clone(),
            as_of: file.as_of.value.clone(),
        }
    });
    own.collect()
}
