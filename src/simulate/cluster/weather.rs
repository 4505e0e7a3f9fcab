//! What the clouds will do: how many nodes each pool can have in each zone, from when to when, and what they take back.
//!
//! Made ahead as a pure function of seed, market (instance type and region) and zone: what a fleet does changes nothing, the same
//! market has the same weather under the plan and under the baseline, and [`Weather::windows`] lists every disturbed span before
//! anything runs. A value is built up from [`Weather::generate`] or [`Weather::calm`], then [`Weather::set_trace`] for zones with a
//! recorded trace, then [`Weather::scripted`] for what a fault run adds.

use super::script::{Script, Slow};
use super::trace::Trace;
use std::collections::BTreeMap;

/// As many nodes as anyone asks for.
pub const UNLIMITED: u32 = u32::MAX;

/// A pool as the weather knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Name of the pool.
    pub pool: String,
    /// What is bought: instance type and region. Pools of one market and capacity type share their weather.
    pub market: String,
    /// Zones, as in the pool; never empty.
    pub zones: Vec<String>,
    /// On spot.
    pub spot: bool,
    /// Risk of spot; `None`: never away, unless a trace or a script says so.
    pub risk: Option<super::climate::Risk>,
}

/// From `at` on, a pool can have `capacity` nodes in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Second.
    pub at: i64,
    /// Most nodes; orders beyond it fail.
    pub capacity: u32,
    /// Of the nodes that run, so many stay and the rest are reclaimed; `None`: all stay.
    pub keep: Option<u32>,
}

/// A span in which a zone of a pool does not supply without limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Pool.
    pub pool: String,
    /// Zone.
    pub zone: String,
    /// First second.
    pub from: i64,
    /// First second after it; may be `from`, for a reclaim after which the pool supplies at once.
    pub to: i64,
    /// Running nodes are reclaimed in it, most likely at its start.
    pub reclaims: bool,
}

/// A fault of what the weather is made from.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WeatherFault {
    /// Not a risk.
    #[error("pool `{pool}`: an availability of {availability} and {reclaims_per_hour} reclaims an hour do not go together")]
    Risk {
        /// Pool.
        pool: String,
        /// Share of time.
        availability: f64,
        /// Collapses an hour.
        reclaims_per_hour: f64,
    },
    /// Not a factor or share.
    #[error("{what} is {value}")]
    Number {
        /// What.
        what: &'static str,
        /// Value.
        value: f64,
    },
    /// A span that ends before it starts.
    #[error("a span from second {from} to second {to}")]
    Span {
        /// First second.
        from: i64,
        /// First second after it.
        to: i64,
    },
    /// A script names a pool that does not exist.
    #[error("no pool `{0}`")]
    NoPool(String),
}

/// The weather of all pools over a horizon.
#[derive(Clone, Debug, PartialEq)]
pub struct Weather {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) zones: BTreeMap<(String, String), Vec<Change>>,
    pub(super) slow: Vec<Slow>,
}

impl Weather {
    /// Nothing ever happens.
    #[must_use]
    pub const fn calm(from: i64, to: i64) -> Self {
        Self { from, to, zones: BTreeMap::new(), slow: Vec::new() }
    }

    /// Puts a recorded trace in the place of a zone's weather. The trace starts `offset_s` into itself and repeats; the seam counts
    /// as a change like any other. At its largest count a trace is censored (its fleet had all it asked for): no limit there.
    pub fn set_trace(&mut self, pool: &str, zone: &str, (trace, offset_s): (&Trace, i64)) {
        let changes = trace.changes((self.from, self.to), offset_s);
        self.zones.insert((pool.to_owned(), zone.to_owned()), changes);
    }

    /// With a script of faults on top.
    ///
    /// # Errors
    /// When it names a pool that is not among `places`, or holds a span or factor that is none.
    pub fn scripted(mut self, places: &[Place], script: &Script) -> Result<Self, WeatherFault> {
        script.check(places)?;
        for outage in &script.outages {
            for place in places.iter().filter(|place| outage.hits(place)) {
                for zone in &place.zones {
                    let key = (place.pool.clone(), zone.clone());
                    let base = self.zones.remove(&key).unwrap_or_else(|| self.open());
                    self.zones.insert(key, merged(&base, &outage.changes(self.from)));
                }
            }
        }
        self.slow.extend(script.slow.iter().copied());
        Ok(self)
    }

    /// Most nodes that a pool can have in a zone at a second.
    #[must_use]
    pub fn capacity(&self, pool: &str, zone: &str, at: i64) -> u32 {
        let Some(changes) = self.changes(pool, zone) else { return UNLIMITED };
        let next = changes.partition_point(|change| change.at <= at);
        next.checked_sub(1).map_or(UNLIMITED, |last| changes[last].capacity)
    }

    /// Factor on provisioning delays of orders at a second.
    #[must_use]
    pub fn slowness(&self, at: i64) -> f64 {
        self.slow.iter().filter(|slow| slow.from <= at && at < slow.to).map(|slow| slow.factor).product()
    }

    /// Every disturbed span, by pool, zone and time.
    #[must_use]
    pub fn windows(&self) -> Vec<Window> {
        let mut windows = Vec::new();
        for ((pool, zone), changes) in &self.zones {
            let mut open: Option<Window> = None;
            for change in changes {
                let fresh = || Window { pool: pool.clone(), zone: zone.clone(), from: change.at, to: self.to, reclaims: false };
                if change.keep.is_some() || change.capacity != UNLIMITED {
                    open.get_or_insert_with(fresh).reclaims |= change.keep.is_some();
                }
                if change.capacity == UNLIMITED
                    && let Some(window) = open.take()
                {
                    windows.push(Window { to: change.at, ..window });
                }
            }
            windows.extend(open);
        }
        windows
    }

    /// Changes of a zone in the order of time; `None`: it supplies without limit throughout.
    #[must_use]
    pub fn changes(&self, pool: &str, zone: &str) -> Option<&[Change]> {
        self.zones.get(&(pool.to_owned(), zone.to_owned())).map(Vec::as_slice)
    }

    /// First second and first second after the last.
    #[must_use]
    pub const fn horizon(&self) -> (i64, i64) {
        (self.from, self.to)
    }

    fn open(&self) -> Vec<Change> {
        vec![Change { at: self.from, capacity: UNLIMITED, keep: None }]
    }
}

/// Both together: the smaller capacity, and every reclaim of either.
fn merged(a: &[Change], b: &[Change]) -> Vec<Change> {
    let mut out: Vec<Change> = Vec::with_capacity(a.len() + b.len());
    let (mut i, mut j) = (0, 0);
    let mut now = [UNLIMITED; 2];
    while i < a.len() || j < b.len() {
        let first = j >= b.len() || (i < a.len() && a[i].at <= b[j].at);
        let change = if first { a[i] } else { b[j] };
        now[usize::from(!first)] = change.capacity;
        if first {
            i += 1;
        } else {
            j += 1;
        }
        let capacity = now[0].min(now[1]);
        if change.keep.is_some() || out.last().is_none_or(|last| last.capacity != capacity) {
            out.push(Change { at: change.at, capacity, keep: change.keep });
        }
    }
    out
}
