//! Weather by script, for fault runs: pools that cannot supply, with or without the loss of what runs, and slow provisioning.

use super::weather::{Change, Place, UNLIMITED, WeatherFault};

/// Which pools an outage hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Pools by name, in all of their zones.
    Pools(Vec<String>),
    /// All spot pools.
    AllSpot,
    /// All on-demand pools.
    AllOnDemand,
}

/// Pools cannot supply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Which.
    pub which: Which,
    /// First second.
    pub from: i64,
    /// First second after it.
    pub to: i64,
    /// Running nodes get their notice at the start.
    pub loses_nodes: bool,
}

/// Provisioning of nodes ordered in a span takes longer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slow {
    /// First second.
    pub from: i64,
    /// First second after it.
    pub to: i64,
    /// Factor on the delay.
    pub factor: f64,
}

/// Everything that a fault run adds to the weather.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// Outages; they may overlap.
    pub outages: Vec<Outage>,
    /// Slow spans; factors of overlapping ones multiply.
    pub slow: Vec<Slow>,
}

impl Script {
    pub(super) fn check(&self, places: &[Place]) -> Result<(), WeatherFault> {
        let spans = self.outages.iter().map(|o| (o.from, o.to)).chain(self.slow.iter().map(|s| (s.from, s.to)));
        if let Some((from, to)) = spans.into_iter().find(|(from, to)| from > to) {
            return Err(WeatherFault::Span { from, to });
        }
        if let Some(slow) = self.slow.iter().find(|s| !(s.factor.is_finite() && s.factor >= 0.0)) {
            return Err(WeatherFault::Number { what: "the factor on provisioning", value: slow.factor });
        }
        let named = self.outages.iter().filter_map(|outage| match &outage.which {
            Which::Pools(names) => Some(names),
            Which::AllSpot | Which::AllOnDemand => None,
        });
        let unknown = named.flatten().find(|name| places.iter().all(|place| place.pool != **name));
        unknown.map_or(Ok(()), |name| Err(WeatherFault::NoPool(name.clone())))
    }
}

impl Outage {
    pub(super) fn hits(&self, place: &Place) -> bool {
        match &self.which {
            Which::Pools(names) => names.contains(&place.pool),
            Which::AllSpot => place.spot,
            Which::AllOnDemand => !place.spot,
        }
    }

    pub(super) fn changes(&self, horizon_from: i64) -> Vec<Change> {
        let open = |at| Change { at, capacity: UNLIMITED, keep: None };
        let away = Change { at: self.from, capacity: 0, keep: self.loses_nodes.then_some(0) };
        vec![open(horizon_from.min(self.from)), away, open(self.to)]
    }
}
