//! What the numbers leave out. A reader who forwards the report must be able to forward this too.

use crate::plan::{Plan, Verification};
use crate::report::markdown::table::bullets;

/// Each with the direction in which it pushes the truth, where that is known.
const NOT_MODELLED: [(&str, &str); 12] = [
    (
        "Time inside an hour",
        "capacity is planned for each hour's peak; polling, jitter of the autoscaler and queues that build up between two decisions appear only as lead time and headroom.",
    ),
    ("Weeks that differ", "a month is 730 hours of one typical week: no growth, holidays, season or launch days."),
    (
        "Clock changes",
        "the week has 168 hours; the two weeks a year in which clocks change have one more or less. Zones off by half an hour are rounded to a whole one.",
    ),
    ("Change of request mix", "token counts and request sizes have one shape all week."),
    ("Prefix caching and other reuse", "not counted: where many requests share a prefix, less capacity is needed than planned."),
    (
        "Interference",
        "replicas that share a node are taken not to slow each other down, beyond the margin of their evidence class. What a slice of a GPU does, and models beside each other in one server, is a stated pessimistic factor unless it was measured.",
    ),
    (
        "Spot markets",
        "a zone of a pool goes as a whole, at a constant rate, one at a time; two pools lost in the same minutes are not covered. The posted price holds for the whole month.",
    ),
    ("Failed launches", "on-demand nodes of reliable types come when asked, within the provisioning time."),
    (
        "Network and storage",
        "egress, traffic between zones and regions, load balancers, disks, registries and logs cost nothing here beyond the adders of the scenario. Latency between regions is not modelled.",
    ),
    ("The move", "old and new nodes run side by side while workloads move, and people do the moving; neither is in the saving."),
    ("New commitments", "reservations and savings plans that exist are honored; none is bought, changed or recommended."),
    ("Hardware failures", "GPUs and nodes that break are in no error budget."),
];

/// What stands in the place of "Network and storage" where the plan prices traffic.
const NETWORK_PRICED: (&str, &str) = (
    "Network and storage",
    "traffic that leaves regions and bytes of starts are priced at list, without tiers of volume or free allowances; a request counts its mean size, its clients keep their connections open. Traffic between zones, a job's data, load balancers, disks and logs cost nothing here beyond the adders of the scenario.",
);

/// Before a replay.
const NO_REPLAY: (&str, &str) =
    ("Replay", "no recorded week has been run through the emitted files; costs and service levels are calculated.");
/// After one.
const REPLAYED: (&str, &str) = (
    "Replay",
    "the files were replayed in a simulator, not in a cluster: latencies are those of the profiles, spot that of the stated risk, and a month is drawn from one recorded week.",
);

/// Where the plan buys commitments.
const BOUGHT: (&str, &str) = (
    "New commitments",
    "they are bought for the planned week, repeated for the whole term; growth, falling prices, resale and exchange are not in the numbers.",
);

/// The chapter.
pub fn not_modelled(plan: &Plan, verification: &Verification) -> String {
    let replay = if verification.replay.is_some() { REPLAYED } else { NO_REPLAY };
    let priced = plan.cost.egress_usd_per_month.is_some();
    let of_network = |row: &'static (&'static str, &'static str)| if priced && row.0 == NETWORK_PRICED.0 { &NETWORK_PRICED } else { row };
    let of_purchases = |row: &&(&str, &str)| plan.purchases.is_empty() || row.0 != BOUGHT.0;
    let bought = (!plan.purchases.is_empty()).then_some(&BOUGHT);
    let all = std::iter::once(&replay).chain(NOT_MODELLED.iter().map(of_network).filter(of_purchases)).chain(bought);
    format!("## What is not modelled\n\n{}", bullets(all.map(|(what, how)| format!("**{what}**: {how}"))))
}
