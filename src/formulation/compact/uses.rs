//! What a binary takes of pools when it is 1, by hour.

use crate::domain::CapacityType;
use crate::formulation::compact::draft::Draft;
use crate::formulation::problem::{Place, PoolIndex, Sharing, SlotKind};
use crate::formulation::service::HourCount;
use crate::risk;

/// Nodes or slots of one pool in one hour.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    pub column: usize,
    pub pool: PoolIndex,
    pub hour: usize,
    /// Kind of the slots.
    pub kind: SlotKind,
    /// Slots of a fixed pool.
    pub slots: f64,
    /// Nodes of an exclusive pool when awake.
    pub held: f64,
    /// Nodes of an exclusive pool that are expected to be paid.
    pub expected: f64,
    /// Spot nodes of an exclusive pool that go with one zone.
    pub lost: f64,
}

/// Adds what `column` takes for replicas of a service in an hour, with cost and exposure; scheduled starts not.
pub fn service(draft: &mut Draft<'_>, (column, workload, option): (usize, usize, usize), (hour, count): (usize, &HourCount)) {
    let problem = draft.problem;
    let option = &problem.workloads[workload].services[option];
    let mut dollars = count.wakes * f64::from(count.flex) * option.flex().start;
    for (place, n, awake) in [(&option.floor, count.floor, 1.0), (option.flex(), count.flex, count.awake)] {
        let expected = f64::from(n) * awake;
        dollars += (place.price + place.restart) * expected;
        nodes(draft, column, (place, hour), (f64::from(n), expected));
        if let Some(taken) = draft.uses.last_mut().filter(|_| n > 0 && problem.pools[place.pool].capacity_type == CapacityType::Spot) {
            taken.lost = if place.sharing == Sharing::Exclusive {
                f64::from(risk::lost_with_one_zone(n, problem.pools[place.pool].zones))
            } else {
                0.0
            };
        }
    }
    draft.cost.push((column, dollars));
}

/// Adds nodes at a place, and their exposure; spot nodes all count as lost together.
pub fn nodes(draft: &mut Draft<'_>, column: usize, (place, hour): (&Place, usize), (held, expected): (f64, f64)) {
    if held <= 0.0 {
        return;
    }
    let pool = &draft.problem.pools[place.pool];
    let taken = match place.sharing {
        Sharing::Fixed => Use {
            column,
            pool: place.pool,
            hour,
            kind: place.kind,
            slots: held * f64::from(place.slots),
            held: 0.0,
            expected: 0.0,
            lost: 0.0,
        },
        Sharing::Exclusive => {
            let lost = if pool.capacity_type == CapacityType::Spot { held } else { 0.0 };
            draft.exposure.push((column, expected * f64::from(pool.gpus) * pool.hazard));
            Use { column, pool: place.pool, hour, kind: 0, slots: 0.0, held, expected, lost }
        }
    };
    draft.uses.push(taken);
}
