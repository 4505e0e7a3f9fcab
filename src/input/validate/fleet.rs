//! Today's fleet: node groups and commitments.

use super::Context;
use super::values::{count, date, dns_label, not_negative, number, one_line, price, quoted, unique};
use crate::domain::{CapacityType, Commitment, Fleet, InstanceType, NodeGroup};
use crate::ids::{CommitmentId, InstanceTypeId, NodeGroupId, RegionId};
use crate::input::at::At;
use crate::input::codes;
use crate::input::faults::Faults;
use crate::input::scenario_file::{BaselineFile, CapacityTypeFile, CommitmentFile, NodeGroupFile};
use crate::input::suggest;
use crate::units::UsdPerHour;

/// Most that a fleet may cost a month: above, a number is surely in the wrong unit.
const MOST_USD_PER_MONTH: f64 = 1e9;

impl From<CapacityTypeFile> for CapacityType {
    fn from(given: CapacityTypeFile) -> Self {
        match given {
            CapacityTypeFile::OnDemand => Self::OnDemand,
            CapacityTypeFile::Spot => Self::Spot,
        }
    }
}

/// Node groups and commitments, sorted.
pub fn fleet(baseline: &BaselineFile, context: &Context<'_>, faults: &mut Faults) -> Fleet {
    unique(faults, "node group", baseline.node_groups.iter().map(|group| &group.name));
    unique(faults, "commitment", baseline.commitments.iter().map(|commitment| &commitment.name));
    let mut node_groups: Vec<NodeGroup> = baseline.node_groups.iter().map(|group| node_group(group, context, faults)).collect();
    let mut commitments: Vec<Commitment> = baseline.commitments.iter().map(|c| commitment(c, context, faults)).collect();
    node_groups.sort_by(|a, b| a.id.cmp(&b.id));
    commitments.sort_by(|a, b| a.id.cmp(&b.id));
    let fleet = Fleet { node_groups, commitments };
    let bill = usd_per_month(&fleet, context);
    if bill > MOST_USD_PER_MONTH {
        let at = baseline.node_groups.first().map(|g| g.nodes.span).or(baseline.commitments.first().map(|c| c.nodes.span));
        faults
            .error(codes::BILL_TOO_LARGE, at.unwrap_or_default(), format!("today's fleet would cost {bill:.2e} dollars a month"))
            .help("check the units of `nodes` and `usd_per_hour`");
    }
    fleet
}

fn usd_per_month(fleet: &Fleet, context: &Context<'_>) -> f64 {
    let price_of = |g: &NodeGroup| context.offering(&g.instance_type, &g.region, g.capacity_type).map_or(0.0, |o| o.price.as_f64());
    let groups: f64 = fleet.node_groups.iter().map(|g| g.nodes * price_of(g)).sum();
    let commitments: f64 = fleet.commitments.iter().map(|c| f64::from(c.nodes) * c.price.as_f64()).sum();
    (groups + commitments) * crate::units::HOURS_PER_MONTH
}

fn node_group(file: &NodeGroupFile, context: &Context<'_>, faults: &mut Faults) -> NodeGroup {
    dns_label(faults, &file.name, "name");
    one_line(faults, &file.reason, ("reason", file.name.span));
    let before = faults.len();
    let region = region(&file.region, context, faults);
    let shape = instance_type(&file.instance_type, context, faults).map(|shape| shape.id.clone());
    let instance_type = InstanceTypeId::new(&*file.instance_type.value);
    let capacity_type = CapacityType::from(file.capacity_type);
    if faults.len() == before && shape.is_some() && context.offering(&instance_type, &region, capacity_type).is_none() {
        faults
            .error(
                codes::NO_PRICE,
                file.instance_type.span,
                format!("no {} price of `{instance_type}` in `{region}` is known", capacity_type.as_str()),
            )
            .help("give one under `prices`, or see `gpuplan prices list` for what is known");
    }
    let nodes = number(faults, &file.nodes, not_negative("nodes"));
    let least = nodes.ceil().min(100_000.0) as u32;
    let max_nodes = file.max_nodes.as_ref().map_or(least, |most| count(faults, most, ("max_nodes", 0)));
    if max_nodes < least {
        let at = file.max_nodes.as_ref().map(|most| most.span).unwrap_or_default();
        faults.error(codes::OUT_OF_RANGE, at, format!("`max_nodes` is {max_nodes}, below the mean of {nodes} `nodes`"));
    }
    if nodes > 100_000.0 {
        faults.error(codes::OUT_OF_RANGE, file.nodes.span, format!("`nodes` is {nodes}")).label("must be at most 100000");
    }
    NodeGroup {
        id: NodeGroupId::new(&*file.name.value),
        instance_type,
        region,
        capacity_type,
        nodes,
        max_nodes,
        reason: file.reason.clone(),
    }
}

fn commitment(file: &CommitmentFile, context: &Context<'_>, faults: &mut Faults) -> Commitment {
    dns_label(faults, &file.name, "name");
    let region = region(&file.region, context, faults);
    instance_type(&file.instance_type, context, faults);
    if let Some(last_day) = date(faults, &file.expires, "expires")
        && last_day < context.monday
    {
        faults
            .error(codes::EXPIRED_COMMITMENT, file.expires.span, format!("commitment `{}` ended on {last_day}", file.name.value))
            .label(format!("before the anchor week of {}", context.monday))
            .help("remove it: it is no longer paid; or set `anchor_monday` to the week that is planned");
    }
    Commitment {
        id: CommitmentId::new(&*file.name.value),
        instance_type: InstanceTypeId::new(&*file.instance_type.value),
        region,
        nodes: count(faults, &file.nodes, ("nodes", 1)),
        price: UsdPerHour::from_f64(number(faults, &file.usd_per_hour, price("usd_per_hour"))),
        expires: file.expires.value.clone(),
    }
}

/// A region of the scenario.
pub fn region(given: &At<String>, context: &Context<'_>, faults: &mut Faults) -> RegionId {
    let id = RegionId::new(&*given.value);
    if !context.regions.contains(&id) {
        let diagnostic =
            faults.error(codes::UNKNOWN_REGION, given.span, format!("region {} is not among the scenario's `regions`", quoted(given)));
        diagnostic.help = suggest::help(given, context.regions.iter().map(RegionId::as_str));
    }
    id
}

/// An instance type that can be planned on in the scenario's regions.
pub fn instance_type<'a>(given: &At<String>, context: &Context<'a>, faults: &mut Faults) -> Option<&'a InstanceType> {
    let id = InstanceTypeId::new(&*given.value);
    if let Some(shape) = context.market.instance_types.get(&id) {
        return Some(shape);
    }
    let rows = || context.catalog.rows.iter().filter(|row| row.instance_type == given.value);
    if rows().any(|row| row.whole_gpus().is_none()) {
        faults
            .error(codes::PART_OF_A_GPU, given.span, format!("`{id}` has a part of a GPU, which is listed and not planned on"))
            .help("use an instance type with whole GPUs");
    } else if let Some(row) = rows().next() {
        let mut elsewhere: Vec<&str> = rows().map(|row| row.region.as_str()).collect();
        elsewhere.dedup();
        faults
            .error(
                codes::UNKNOWN_INSTANCE_TYPE,
                given.span,
                format!("`{id}` of {} is not offered in the scenario's regions", row.cloud.as_str()),
            )
            .help(format!("it is known in {}", elsewhere.join(", ")));
    } else {
        let known = context.market.instance_types.keys().map(InstanceTypeId::as_str);
        let diagnostic = faults.error(codes::UNKNOWN_INSTANCE_TYPE, given.span, format!("unknown instance type {}", quoted(given)));
        diagnostic.help = suggest::help(given, known);
    }
    None
}
