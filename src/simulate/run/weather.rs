//! The weather of a fleet under a seed, and what it took.

use super::{LEAD_S, Options};
use crate::simulate::cluster::{Climate, Place, REGIONAL_SHARE, Risk, Weather};
use crate::simulate::fleet::Fleet;

/// The fleet's pools as the weather knows them.
#[must_use]
pub fn places(fleet: &Fleet) -> Vec<Place> {
    let of = |(pool, risk): (&crate::simulate::cluster::Pool, &Option<Risk>)| Place {
        pool: pool.name.clone(),
        market: format!("{}/{}", pool.region, pool.instance_type),
        zones: pool.zone_names(),
        spot: pool.spot,
        risk: *risk,
    };
    fleet.pools.iter().zip(&fleet.risks).map(of).collect()
}

/// The weather from the lead to the end.
pub fn of(fleet: &Fleet, (seed, until): (u64, i64), options: &Options) -> Result<Weather, String> {
    let places = places(fleet);
    let climate = Climate { seed, from: -LEAD_S, to: until, hazard_scale: options.hazard_factor, regional_share: REGIONAL_SHARE };
    let mut weather = Weather::generate(&places, &climate).map_err(|fault| fault.to_string())?;
    for (pool, trace) in &options.spot_traces {
        let place = places.iter().find(|p| &p.pool == pool).ok_or_else(|| format!("no pool `{pool}`"))?;
        for zone in &place.zones {
            // Each seed and zone begins elsewhere in the recording: one recording is of one zone.
            let mut stream = crate::simulate::random::Stream::new(seed, "spot-trace", &format!("{pool}/{zone}"));
            let offset_s = (stream.uniform() * 1e9) as i64;
            weather.set_trace(pool, zone, (trace, offset_s));
        }
    }
    weather.scripted(&places, &options.script).map_err(|fault| fault.to_string())
}
