//! Commitments that are bought: sold by the scenario, charged in full, credited to use that is there and to none of it twice, and
//! in amounts of which no step more or less would be cheaper.

use super::finding::{Dollars, Family, Finding};
use super::purchased::{Bought, Room};
use super::tolerance::{same, same_price, same_usd};
use super::view::View;
use crate::domain::{Payment, Product, PurchaseUnit};
use crate::plan::{Purchase, PurchaseCover};
use crate::units::{HOURS_PER_MONTH, HOURS_PER_WEEK, MONTHS_PER_WEEK_FACTOR};
use std::collections::BTreeMap;

/// Gain of a step, dollars a week, that is no fault: the same sums in another order.
const STEP_USD: f64 = 1e-6;

/// Checks every purchase, the credits of pools and the amounts.
pub(super) fn check(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut known: Vec<Bought<'_>> = Vec::new();
    for (position, stated) in view.plan.purchases.iter().enumerate() {
        let Some(product) = view.scenario.buying.products.iter().find(|p| p.id.as_str() == stated.product) else {
            findings.push(finding(&stated.product, "the scenario offers no such product"));
            continue;
        };
        if view.plan.purchases[..position].iter().any(|other| other.product == stated.product) {
            findings.push(finding(&stated.product, "bought twice"));
            continue;
        }
        findings.extend(terms(view, (stated, product)));
        findings.extend(covers(view, (stated, product)));
        known.push(Bought { product, amount: stated.amount });
    }
    if !findings.is_empty() {
        return findings;
    }
    let room = Room::of(view);
    let (by_product, credits) = room.credited(&known);
    for ((stated, bought), used) in view.plan.purchases.iter().zip(&known).zip(&by_product) {
        findings.extend(use_of(view, (stated, bought.product), used));
    }
    for pool in &view.pools {
        let wanted = credits.get(pool.pool.name.as_str()).copied().unwrap_or(0.0) * MONTHS_PER_WEEK_FACTOR;
        let found = pool.pool.purchases_credit_usd_per_month.as_f64();
        findings.extend(money(&pool.pool.name, "another credit of purchases a month", (wanted, found)));
    }
    findings.extend(steps(view, (&room, &known)));
    findings.extend(order(view));
    findings
}

fn finding(subject: &str, message: impl Into<String>) -> Finding {
    Finding::new(Family::Purchase, subject, message)
}

fn money(subject: &str, message: &str, (wanted, found): (f64, f64)) -> Option<Finding> {
    (!same_usd(wanted, found)).then(|| finding(subject, message).differs(Dollars(wanted), Dollars(found)))
}

fn number(subject: &str, message: &str, (wanted, found): (f64, f64)) -> Option<Finding> {
    (!same(wanted, found)).then(|| finding(subject, message).differs(wanted, found))
}

/// What a unit costs an hour, dollars, to the nano-dollar.
pub(super) fn unit_price(view: &View<'_>, product: &Product) -> f64 {
    let hours = f64::from(product.term_months) * HOURS_PER_MONTH;
    let usd = (product.upfront.as_f64() / hours + product.hourly.as_f64()) * (1.0 + view.scenario.adders.percent / 100.0);
    (usd * 1e9).round_ties_even() / 1e9
}

/// Kind, term, payment, price and cash.
fn terms(view: &View<'_>, (stated, product): (&Purchase, &Product)) -> Vec<Finding> {
    let name = stated.product.as_str();
    let mut findings = Vec::new();
    let words = [
        ("kind", product.kind.as_str(), stated.kind.as_str()),
        ("unit", product.unit.as_str(), stated.unit.as_str()),
        ("payment", product.payment.as_str(), stated.payment.as_str()),
        ("source", product.source.as_str(), stated.source.as_str()),
        ("day of the price", product.as_of.as_str(), stated.as_of.as_str()),
    ];
    for (what, wanted, found) in words.into_iter().filter(|(_, wanted, found)| wanted != found) {
        findings.push(finding(name, format!("another {what} than the product's")).differs(wanted, found));
    }
    if product.term_months != stated.term_months {
        findings.push(finding(name, "another term than the product's, months").differs(product.term_months, stated.term_months));
    }
    let steps = stated.amount * if product.unit == PurchaseUnit::UsdPerHour { 1000.0 } else { 1.0 };
    if !(stated.amount > 0.0 && stated.amount < 1e7 && (steps - steps.round()).abs() < 1e-6) {
        findings.push(finding(name, "an amount that is not sold").differs("whole units, or tenths of a cent", stated.amount));
    }
    let unit = unit_price(view, product);
    if !same_price(unit, stated.usd_per_unit_hour.as_f64()) {
        findings.push(finding(name, "another price of a unit and hour").differs(unit, stated.usd_per_unit_hour.as_f64()));
    }
    let on_top = 1.0 + view.scenario.adders.percent / 100.0;
    let monthly = if product.payment == Payment::AllUpfront { 0.0 } else { product.hourly.as_f64() * HOURS_PER_MONTH };
    let (at_once, monthly) = (stated.amount * product.upfront.as_f64() * on_top, stated.amount * monthly * on_top);
    let rows = [
        ("another price of the amount and hour", unit * stated.amount, stated.usd_per_hour.as_f64()),
        ("first month is not what is paid at once and for a month", at_once + monthly, stated.first_month_usd.as_f64()),
        ("later months are not what is paid for a month", monthly, stated.later_months_usd.as_f64()),
        ("not charged in full, a month", unit * stated.amount * HOURS_PER_MONTH, stated.usd_per_month.as_f64()),
    ];
    findings.extend(rows.into_iter().filter_map(|(message, wanted, found)| money(name, message, (wanted, found))));
    findings
}

/// What a covered node-hour saves, dollars.
pub(super) fn worth(view: &View<'_>, product: &Product, (machine, region, units): (&str, &str, f64)) -> Option<f64> {
    let adders = &view.scenario.adders;
    let on_demand = |o: &&crate::domain::Offering| {
        o.instance_type.as_str() == machine && o.region.as_str() == region && o.capacity_type == crate::domain::CapacityType::OnDemand
    };
    let list = view.scenario.offerings.iter().find(on_demand)?.list_price.as_f64();
    let part = product.on_demand.map_or(list, |price| price.as_f64() * units);
    Some(part * (1.0 - adders.discount_percent / 100.0) * (1.0 + adders.percent / 100.0))
}

/// Machines that the product covers, each once, at its units and worth; none of the plan's left out.
fn covers(view: &View<'_>, (stated, product): (&Purchase, &Product)) -> Vec<Finding> {
    let name = stated.product.as_str();
    let mut findings = Vec::new();
    let same_machine = |a: &PurchaseCover, machine: &str, region: &str| a.instance_type == machine && a.region == region;
    for (position, cover) in stated.covers.iter().enumerate() {
        let (machine, region) = (cover.instance_type.as_str(), cover.region.as_str());
        let sold = product.covers.iter().find(|c| c.instance_type.as_str() == machine && c.region.as_str() == region);
        let Some(sold) = sold else {
            findings.push(finding(name, format!("does not cover {machine} in {region}")));
            continue;
        };
        if stated.covers[..position].iter().any(|other| same_machine(other, machine, region)) {
            findings.push(finding(name, format!("covers {machine} in {region} twice")));
        }
        findings.extend(number(name, "other units of a node-hour", (sold.units, cover.units_per_node_hour)));
        let wanted = worth(view, product, (machine, region, sold.units)).unwrap_or(0.0);
        if (wanted - cover.worth_usd_per_node_hour.as_f64()).abs() > 4e-9 {
            findings.push(finding(name, "another worth of a covered node-hour").differs(wanted, cover.worth_usd_per_node_hour.as_f64()));
        }
    }
    for sold in &product.covers {
        let (machine, region) = (sold.instance_type.as_str(), sold.region.as_str());
        let in_use = view.pools.iter().any(|p| !p.spot && p.pool.instance_type == machine && p.pool.region == region);
        if in_use && !stated.covers.iter().any(|c| same_machine(c, machine, region)) {
            findings.push(finding(name, format!("covers {machine} in {region} and does not say so")));
        }
    }
    findings
}

/// Use of one product, recomputed: covered and asked for by hour, in units; node-hours by machine; dollars a week.
pub(super) struct Used {
    pub covered: Vec<f64>,
    pub asked: Vec<f64>,
    pub node_hours: BTreeMap<(String, String), f64>,
    pub usd: f64,
}

fn part_of(part: f64, whole: f64) -> f64 {
    if whole > 1e-12 { (part / whole).min(1.0) } else { 0.0 }
}

/// Coverage, utilization, savings, break-even, payback and newsvendor.
fn use_of(view: &View<'_>, (stated, product): (&Purchase, &Product), used: &Used) -> Vec<Finding> {
    let name = stated.product.as_str();
    let mut findings = Vec::new();
    for (what, wanted, found) in [
        ("coverage", share_by_hour(&used.covered, &used.asked), &stated.coverage_by_hour),
        ("utilization", used.covered.iter().map(|c| part_of(*c, stated.amount)).collect(), &stated.utilization_by_hour),
    ] {
        let wrong = (0..HOURS_PER_WEEK).find(|&t| found.get(t).is_none_or(|f| !same(wanted[t], *f)));
        if found.len() != HOURS_PER_WEEK || wrong.is_some() {
            let hour = wrong.unwrap_or(0);
            let stated = found.get(hour).copied().unwrap_or(f64::NAN);
            findings.push(finding(name, format!("another {what} in the hour")).at(hour).differs(wanted[hour], stated));
        }
    }
    for cover in &stated.covers {
        let wanted = used.node_hours.get(&(cover.instance_type.clone(), cover.region.clone())).copied().unwrap_or(0.0);
        let message = format!("other node-hours of {} covered a week", cover.instance_type);
        findings.extend(number(name, &message, (wanted, cover.node_hours_per_week)));
    }
    let (all, asked) = (used.covered.iter().sum::<f64>(), used.asked.iter().sum::<f64>());
    findings.extend(number(name, "another coverage", (part_of(all, asked), stated.coverage)));
    findings.extend(number(name, "another utilization", (part_of(all, stated.amount * HOURS_PER_WEEK as f64), stated.utilization)));
    let credited = used.usd * MONTHS_PER_WEEK_FACTOR;
    let paid = unit_price(view, product) * stated.amount * HOURS_PER_MONTH;
    findings.extend(money(name, "another credit a month", (credited, stated.credited_usd_per_month.as_f64())));
    findings.extend(money(name, "another saving a month", (credited - paid, stated.saves_usd_per_month.as_f64())));
    findings.extend(when_it_pays(view, (stated, product), (credited, &used.asked)));
    findings
}

fn share_by_hour(covered: &[f64], asked: &[f64]) -> Vec<f64> {
    covered.iter().zip(asked).map(|(c, a)| part_of(*c, *a)).collect()
}

fn when_it_pays(view: &View<'_>, (stated, product): (&Purchase, &Product), (credited, asked): (f64, &[f64])) -> Vec<Finding> {
    let name = stated.product.as_str();
    let worth_of = |c: &PurchaseCover| {
        worth(view, product, (&c.instance_type, &c.region, c.units_per_node_hour)).unwrap_or(0.0) / c.units_per_node_hour
    };
    let best = stated.covers.iter().map(worth_of).fold(0.0, f64::max);
    let ratio = unit_price(view, product) / best;
    let term = f64::from(product.term_months);
    let paid = unit_price(view, product) * stated.amount * HOURS_PER_MONTH;
    let monthly = stated.later_months_usd.as_f64();
    let months = Some(term * paid / credited).filter(|m| credited > 0.0 && *m <= term * (1.0 + 1e-9));
    let payback = Some((stated.first_month_usd.as_f64() - monthly) / (credited - monthly)).filter(|m| credited > monthly && *m <= term);
    let mut findings: Vec<Finding> = [
        number(name, "another share of hours at which it pays", (ratio, stated.break_even_share)),
        number(name, "another quantile", (1.0 - ratio, stated.newsvendor.quantile)),
        number(name, "another amount at the quantile", (quantile(asked, 1.0 - ratio), stated.newsvendor.amount)),
    ]
    .into_iter()
    .flatten()
    .collect();
    for (message, wanted, found) in
        [("other months until it has paid", months, stated.break_even_months), ("other months of payback", payback, stated.payback_months)]
    {
        // Cash and credit are stated to the nano-dollar.
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-5 * term;
        let agree = match (wanted, found) {
            (Some(a), Some(b)) => near(a, b),
            (None, None) => true,
            (Some(only), None) | (None, Some(only)) => near(only, term),
        };
        if !agree {
            findings.push(finding(name, message).differs(wanted.unwrap_or(f64::NAN), found.unwrap_or(f64::NAN)));
        }
    }
    for regret in stated.regret.iter().filter(|r| r.usd_per_month.as_f64() < 0.0 || r.best_amount < 0.0 || !(-1.0..0.0).contains(&r.demand))
    {
        findings.push(finding(name, "a regret that is none").differs("0 or more, for less demand", regret.usd_per_month.as_f64()));
    }
    findings.extend(endings(view, (stated, product)));
    findings
}

/// The least amount that no more than `1 - share` of the hours exceed.
fn quantile(asked: &[f64], share: f64) -> f64 {
    let exceeded = |amount: f64| asked.iter().filter(|a| **a > amount).count() as f64;
    let allowed = (1.0 - share) * asked.len() as f64 + 1e-9;
    let candidates = asked.iter().copied().chain([0.0]).filter(|&amount| exceeded(amount) <= allowed);
    candidates.fold(f64::INFINITY, f64::min)
}

/// Held commitments for the same machines that end within the term are listed, with what they pay for until then.
fn endings(view: &View<'_>, (stated, product): (&Purchase, &Product)) -> Vec<Finding> {
    let monday = view.scenario.anchor_monday.as_str();
    let year: u32 = monday.get(..4).and_then(|y| y.parse().ok()).unwrap_or(0);
    let over = format!("{:04}{}", year + product.term_months / 12, monday.get(4..).unwrap_or_default());
    let covers = |c: &crate::domain::Commitment| {
        stated.covers.iter().any(|p| p.instance_type == c.instance_type.as_str() && p.region == c.region.as_str())
    };
    let held = view.scenario.fleet.commitments.iter().filter(|c| covers(c) && c.expires < over);
    let wanted: BTreeMap<&str, (&str, u32)> = held.map(|c| (c.id.as_str(), (c.expires.as_str(), c.nodes))).collect();
    let found: BTreeMap<&str, (&str, u32)> = stated.ending.iter().map(|e| (e.commitment.as_str(), (e.expires.as_str(), e.nodes))).collect();
    let mut findings = Vec::new();
    if wanted != found || found.len() != stated.ending.len() {
        findings.push(
            finding(&stated.product, "other commitments that end within its term").differs(format!("{wanted:?}"), format!("{found:?}")),
        );
    }
    for cover in &stated.covers {
        let room = Room::held_hours(view, (&cover.instance_type, &cover.region));
        let of = view.scenario.fleet.commitments.iter();
        let mut left = room;
        for c in of.filter(|c| c.instance_type.as_str() == cover.instance_type && c.region.as_str() == cover.region) {
            let hours = left.min(f64::from(c.nodes) * HOURS_PER_WEEK as f64);
            left -= hours;
            for ending in stated.ending.iter().filter(|e| e.commitment == c.id.as_str()) {
                findings.extend(number(&ending.commitment, "frees other node-hours a week", (hours, ending.frees_node_hours_per_week)));
            }
        }
    }
    findings
}

/// A step more or less of anything that is offered costs no less.
fn steps(view: &View<'_>, (room, known): (&Room<'_>, &[Bought<'_>])) -> Vec<Finding> {
    let cost = room.net(view, known);
    let mut findings = Vec::new();
    for product in &view.scenario.buying.products {
        let step = if product.unit == PurchaseUnit::UsdPerHour { 0.001 } else { 1.0 };
        let now = known.iter().find(|b| b.product.id == product.id).map_or(0.0, |b| b.amount);
        for (what, amount) in [("less", now - step), ("more", now + step)].into_iter().filter(|(_, amount)| *amount >= -1e-9) {
            let mut tried: Vec<Bought<'_>> = known.iter().filter(|b| b.product.id != product.id).copied().collect();
            tried.push(Bought { product, amount: amount.max(0.0) });
            let saves = cost - room.net(view, &tried);
            if saves > STEP_USD {
                let message = format!("a step {what} saves {saves:.6} dollars a week: the amount is not the newsvendor's");
                findings.push(finding(product.id.as_str(), message).differs(amount, now));
            }
        }
    }
    findings
}

/// Purchases stand in the order in which they are credited, their machines too.
fn order(view: &View<'_>) -> Vec<Finding> {
    let rank = |name: &str| view.scenario.buying.products.iter().find(|p| p.id.as_str() == name).map(Room::rank);
    let stated: Vec<_> = view.plan.purchases.iter().map(|p| rank(&p.product)).collect();
    let mut findings = Vec::new();
    if !stated.is_sorted() {
        findings.push(finding("purchases", "not in the order in which they are credited"));
    }
    for purchase in &view.plan.purchases {
        let discounts: Vec<f64> = purchase.covers.iter().map(|c| c.worth_usd_per_node_hour.as_f64() / c.units_per_node_hour).collect();
        if !discounts.windows(2).all(|pair| pair[0] >= pair[1] - 1e-9) {
            findings.push(finding(&purchase.product, "machines are not in the order of their discounts"));
        }
    }
    findings
}
