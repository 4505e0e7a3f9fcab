//! What traffic and bytes of starts came to in a run: requests that arrived, pods that started.

use super::ServiceWeek;
use crate::simulate::cluster::Pull;
use crate::simulate::fleet::{Fleet, Way};
use crate::units::Usd;

/// First key of what jobs pull; services have those below.
pub const FIRST_JOB: u32 = 1 << 20;

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// Traffic and bytes of starts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkBill {
    /// Traffic of the span.
    pub egress: Usd,
    /// Bytes of starts in the span.
    pub bytes: Usd,
    /// Both by day.
    pub days: Vec<Usd>,
}

impl NetworkBill {
    /// Both.
    #[must_use]
    pub fn usd(&self) -> Usd {
        self.egress + self.bytes
    }
}

/// The bill of a span that ends at a second.
#[must_use]
pub fn bill(fleet: &Fleet, (services, pulls): (&[ServiceWeek], &[Pull]), until: i64) -> NetworkBill {
    let count = usize::try_from(until.div_euclid(DAY_S)).unwrap_or(0);
    let (mut egress, mut bytes, mut days) = (0.0, 0.0, vec![0.0; count]);
    for (setup, week) in fleet.services.iter().zip(services) {
        // Of a shared server the requests are its members'.
        let members = setup.members.iter().map(|member| member.way.as_ref()).zip(week.tally.members());
        for (way, tally) in std::iter::once((setup.way.as_ref(), &week.tally)).chain(members) {
            let usd = way.map_or(0.0, |way| way.usd_per_request) * tally.arrived.weighted;
            egress += usd;
            let of_day = |day: usize| tally.hours[day % 7 * 24..day % 7 * 24 + 24].iter().map(|hour| hour.arrived).sum::<f64>();
            let all: f64 = (0..count).map(of_day).sum();
            for (day, sum) in days.iter_mut().enumerate().filter(|_| all > 0.0) {
                *sum += usd * of_day(day) / all;
            }
        }
    }
    for pull in pulls.iter().filter(|pull| (0..until).contains(&pull.at)) {
        let Some(way) = way_of(fleet, pull.of) else { continue };
        let usd = way.usd_per_weights + if pull.image { way.usd_per_image } else { 0.0 };
        bytes += usd;
        if let Some(sum) = days.get_mut(usize::try_from(pull.at / DAY_S).unwrap_or(usize::MAX)) {
            *sum += usd;
        }
    }
    NetworkBill { egress: Usd::from_f64(egress), bytes: Usd::from_f64(bytes), days: days.into_iter().map(Usd::from_f64).collect() }
}

fn way_of(fleet: &Fleet, key: u32) -> Option<&Way> {
    match key.checked_sub(FIRST_JOB) {
        Some(job) => fleet.jobs.get(job as usize)?.way.as_ref(),
        None => fleet.services.get(key as usize)?.way.as_ref(),
    }
}
