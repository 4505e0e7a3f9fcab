//! Commitments that the account holds: reserved instances and savings plans that are active.
//!
//! In: a region and its machines. Out: what is held for machines with GPUs, at what rate, and until when. Rates are whole: what was
//! paid up front is spread over the hours of the term.

use super::faults::Action;
use super::session::Session;
use super::{Region, Scope};
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::Cloud;
use crate::pricing::codes;
use crate::pricing::gathered::{Gathered, Owned, Product};
use crate::pricing::pages::Page;
use crate::pricing::summed::Summed;
use aws_sdk_ec2::types::{CurrencyCodeValues, Filter, OfferingClassType, RecurringChargeFrequency, ReservedInstances, Tenancy};
use aws_sdk_savingsplans::types::{CurrencyCode, SavingsPlan, SavingsPlanState, SavingsPlanType};
use jiff::Timestamp;
use std::collections::BTreeSet;

const SECONDS_AN_HOUR: f64 = 3600.0;

/// Reserved instances of the region's machines, Linux and shared tenancy.
///
/// # Errors
/// The list cannot be had.
pub(super) fn reservations(session: &Session<'_>, region: &Region<'_>, machines: &BTreeSet<String>) -> Result<Gathered, Diagnostic> {
    let action = Action { name: "ec2:DescribeReservedInstances", region: region.name, severity: Severity::Warning };
    let client = session.ec2(region.name);
    let active = Filter::builder().name("state").values("active").build();
    let answer = session.one(&action, client.describe_reserved_instances().filters(active).send())?;
    let mut findings = Summed::default();
    let mut owned = Vec::new();
    for held in answer.reserved_instances.unwrap_or_default() {
        let Some(machine) = held.instance_type().map(|machine| machine.as_str().to_owned()).filter(|machine| machines.contains(machine))
        else {
            continue;
        };
        let id = held.reserved_instances_id().unwrap_or("unknown").to_owned();
        let is_linux = held.product_description().is_some_and(|what| what.as_str().starts_with("Linux/UNIX"));
        if !is_linux || held.instance_tenancy().is_some_and(|tenancy| *tenancy != Tenancy::Default) {
            let says = "reserved instances that are not for Linux on shared machines, left out";
            findings.add((codes::BAD_ENTRY, Severity::Note), says, format!("`{id}` (`{machine}`)"));
            continue;
        }
        let Some(count) = held.instance_count().and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0) else {
            let says = "reserved instances that cannot be read, left out";
            findings.add((codes::BAD_ENTRY, Severity::Warning), says, format!("`{id}` (`{machine}`, no count)"));
            continue;
        };
        let is_convertible = held.offering_class() == Some(&OfferingClassType::Convertible);
        owned.push(Owned {
            cloud: Cloud::Aws,
            region: region.name.to_owned(),
            id,
            product: if is_convertible { Product::ConvertibleReserved } else { Product::StandardReserved },
            covers: machine,
            count,
            usd_per_hour: rate(&held).map(|rate| rate * f64::from(count)),
            ends: held.end().and_then(|end| Timestamp::from_second(end.secs()).ok()),
        });
    }
    owned.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Gathered { owned, findings: findings.told(), ..Gathered::default() })
}

/// Dollars that one machine costs an hour; nothing where a part of that is not known.
fn rate(held: &ReservedInstances) -> Option<f64> {
    if held.currency_code().is_some_and(|code| *code != CurrencyCodeValues::Usd) {
        return None;
    }
    let at_once = exact(held.fixed_price().unwrap_or_default())?;
    let of_fee = if at_once > 0.0 { at_once / (held.duration().filter(|seconds| *seconds > 0)? as f64 / SECONDS_AN_HOUR) } else { 0.0 };
    let of_use = exact(held.usage_price().unwrap_or_default())?;
    let hourly = held.recurring_charges().iter().map(|charge| {
        let amount = charge.amount().filter(|amount| amount.is_finite())?;
        (charge.frequency() == Some(&RecurringChargeFrequency::Hourly)).then_some(amount)
    });
    let rate = of_fee + of_use + hourly.sum::<Option<f64>>()?;
    (rate > 0.0).then_some(rate)
}

/// The decimal number that was sent: as a 64-bit number, a 32-bit one would have digits that nobody wrote.
fn exact(number: f32) -> Option<f64> {
    number.to_string().parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

/// Savings plans that cover machines with GPUs: those for everything, and those for a family in a region that is asked for.
///
/// # Errors
/// The list cannot be had.
pub(super) fn savings_plans(session: &Session<'_>, scope: &Scope<'_>, families: &BTreeSet<String>) -> Result<Gathered, Diagnostic> {
    let action = Action { name: "savingsplans:DescribeSavingsPlans", region: "", severity: Severity::Warning };
    let client = session.savings_plans();
    let plans = session.all(
        &action,
        |token| client.describe_savings_plans().states(SavingsPlanState::Active).max_results(100).set_next_token(token).send(),
        |answer| Page { next: answer.next_token, items: answer.savings_plans.unwrap_or_default() },
    )?;
    let mut findings = Summed::default();
    let mut owned: Vec<Owned> = plans.iter().filter_map(|plan| plan_held(plan, scope, families, &mut findings)).collect();
    owned.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Gathered { owned, findings: findings.told(), ..Gathered::default() })
}

fn plan_held(plan: &SavingsPlan, scope: &Scope<'_>, families: &BTreeSet<String>, findings: &mut Summed) -> Option<Owned> {
    let id = plan.savings_plan_id().unwrap_or("unknown").to_owned();
    let (product, region, covers) = match plan.savings_plan_type() {
        Some(SavingsPlanType::Compute) => (Product::ComputeSavingsPlan, String::new(), String::new()),
        Some(SavingsPlanType::Ec2Instance) => {
            let (Some(region), Some(family)) = (plan.region(), plan.ec2_instance_family()) else {
                let says = "savings plans that cannot be read, left out";
                findings.add((codes::BAD_ENTRY, Severity::Warning), says, format!("`{id}` (no region or no family)"));
                return None;
            };
            if !scope.regions.iter().any(|asked| asked == region) || !(families.is_empty() || families.contains(family)) {
                return None;
            }
            (Product::InstanceSavingsPlan, region.to_owned(), family.to_owned())
        }
        // Of other services: they pay for no machine that is planned here.
        _ => return None,
    };
    let is_dollars = plan.currency().is_none_or(|currency| *currency == CurrencyCode::Usd);
    let commitment =
        plan.commitment().and_then(|amount| amount.trim().parse().ok()).filter(|amount: &f64| amount.is_finite() && *amount > 0.0);
    if is_dollars && commitment.is_none() {
        let says = "savings plans whose commitment cannot be read, taken without it";
        findings.add((codes::BAD_ENTRY, Severity::Warning), says, format!("`{id}`"));
    }
    Some(Owned {
        cloud: Cloud::Aws,
        region,
        id,
        product,
        covers,
        count: 0,
        usd_per_hour: commitment.filter(|_| is_dollars),
        ends: plan.end().and_then(|end| end.parse().ok()),
    })
}
