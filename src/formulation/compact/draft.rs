//! The program while it is stated: variables with their meaning, and rows, each stated once.

use crate::formulation::columns::schedule::{self, Level};
use crate::formulation::compact::Goal;
use crate::formulation::compact::uses::Use;
use crate::formulation::family::Family;
use crate::formulation::problem::{PoolIndex, Problem};
use crate::formulation::service::{HourCount, ServiceOption};
use crate::lp::Model;
use std::collections::{BTreeMap, BTreeSet};

/// A linear expression: (column, coefficient).
pub type Terms = Vec<(usize, f64)>;

/// How a row binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sense {
    AtMost,
    AtLeast,
    Equal,
}

/// A binary that, when 1, holds replicas of a service in some hours.
#[derive(Clone, Debug)]
pub struct Presence {
    pub column: usize,
    pub workload: usize,
    pub option: usize,
    /// Hours (UTC) with their counts.
    pub hours: Vec<(usize, HourCount)>,
}

/// Level binaries of a service option that is scheduled with one pattern of days.
#[derive(Clone, Debug)]
pub struct Schedule<'a> {
    pub workload: usize,
    pub option: &'a ServiceOption,
    /// Suffix of names: workload, option, pattern.
    pub name: String,
    /// Binary: this option is scheduled with this pattern.
    pub taken: usize,
    /// Sets of local days.
    pub sets: &'static [&'static [u8]],
    /// Local hour at which a service day begins.
    pub cut: usize,
    /// Levels; asleep is the state after the last of them.
    pub levels: Vec<Level>,
    /// By set, hour of the service day and state.
    pub level: Vec<Vec<Vec<usize>>>,
    /// Base by state.
    pub base: Vec<usize>,
}

impl Schedule<'_> {
    /// States: levels, and asleep where that is possible.
    pub fn states(&self) -> usize {
        self.base.len()
    }

    /// Whether the state is asleep.
    pub fn is_asleep(&self, state: usize) -> bool {
        state == self.levels.len()
    }

    /// Hours (UTC) of an hour of the service day, one a day of the set.
    pub fn hours(&self, set: usize, position: usize) -> Vec<usize> {
        self.sets[set].iter().map(|&day| schedule::utc_hour(self.option, (self.cut, day, position))).collect()
    }

    /// Counts of a state in an hour.
    pub fn count(&self, state: usize, hour: usize) -> HourCount {
        self.levels.get(state).map_or_else(|| schedule::asleep(self.option, hour), |l| HourCount::up(l.floor, l.flex))
    }
}

/// A start of a job.
#[derive(Clone, Debug)]
pub struct JobStart {
    pub column: usize,
    pub workload: usize,
    pub option: usize,
    pub offset: u32,
}

/// The program so far.
pub struct Draft<'a> {
    pub problem: &'a Problem,
    pub model: Model,
    pub presences: Vec<Presence>,
    pub schedules: Vec<Schedule<'a>>,
    pub job_starts: Vec<JobStart>,
    /// Binaries of ways that differ from today.
    pub changes: Terms,
    /// Nodes and slots that binaries take.
    pub uses: Vec<Use>,
    /// Whole nodes of fixed pools.
    pub nodes: BTreeMap<PoolIndex, usize>,
    /// Dollars by column.
    pub cost: Terms,
    /// Exposure by column.
    pub exposure: Terms,
    stated: BTreeSet<Stated>,
}

/// A row by its bits: sense, side and terms.
type Stated = (Sense, u64, Vec<(usize, u64)>);

impl<'a> Draft<'a> {
    /// An empty program.
    pub fn of(problem: &'a Problem) -> Self {
        Self {
            problem,
            model: Model::default(),
            presences: Vec::new(),
            schedules: Vec::new(),
            job_starts: Vec::new(),
            changes: Vec::new(),
            uses: Vec::new(),
            nodes: BTreeMap::new(),
            cost: Vec::new(),
            exposure: Vec::new(),
            stated: BTreeSet::new(),
        }
    }

    /// A variable that is 0 or 1.
    pub fn binary(&mut self, name: String) -> usize {
        let column = self.model.column(name, 0.0, true);
        self.model.columns[column].upper = 1.0;
        column
    }

    /// States a row unless the same has been said before (hours repeat); empty rows that always hold are not said.
    pub fn row(&mut self, (family, suffix): (Family, &str), terms: &[(usize, f64)], (sense, bound): (Sense, f64)) {
        let mut sums: BTreeMap<usize, f64> = BTreeMap::new();
        for (column, coefficient) in terms {
            *sums.entry(*column).or_insert(0.0) += coefficient;
        }
        let terms: Terms = sums.into_iter().filter(|(_, c)| c.abs() > 1e-12).collect();
        let holds = terms.is_empty()
            && (sense == Sense::Equal && bound.abs() < 1e-12
                || sense == Sense::AtMost && bound >= 0.0
                || sense == Sense::AtLeast && bound <= 0.0);
        let key = (sense, bound.to_bits(), terms.iter().map(|(i, c)| (*i, c.to_bits())).collect());
        if holds || !self.stated.insert(key) {
            return;
        }
        let name = format!("{}_{suffix}", family.as_str());
        match sense {
            Sense::AtMost => self.model.at_most(name, bound, terms),
            Sense::AtLeast => self.model.at_least(name, bound, terms),
            Sense::Equal => self.model.equal(name, bound, terms),
        };
    }

    /// The finished program.
    pub fn with_objective(mut self, goal: &Goal) -> Model {
        for (column, dollars) in &self.cost {
            self.model.columns[*column].cost += goal.cost_weight * dollars;
        }
        for (column, exposure) in &self.exposure {
            self.model.columns[*column].cost += goal.exposure_weight * exposure;
        }
        self.model
    }
}
