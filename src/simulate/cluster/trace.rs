//! Recorded availability of spot: the formats that are published, read into steps of a node count.
//!
//! Files disagree on what a number means. In the traces published with *Can't Be Late* (`skypilot-org/spot-traces`) the README says
//! that a value is the number of nodes available, and the paper's simulator takes 1 for preempted. So whoever reads such a file
//! has to say it ([`OneMeans`]); there is no default.

use super::weather::{Change, UNLIMITED};
use serde::Deserialize;

/// What 1 means in a trace of ticks. Counts above 1 are nodes that are available, or nodes that are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OneMeans {
    /// Can be had.
    Available,
    /// Cannot be had, or was taken back.
    Preempted,
}

/// Furthest that a stamped log may step back; such a line counts as at the time of the one before.
///
/// The published Google Cloud logs write a change as two points a poll apart and sometimes mix up two polls: 15 lines of 1,477 lie 3
/// to 60 s behind the line before.
const LOG_JITTER_S: i64 = 60;

/// Nodes that a fleet could have over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Second from the start and nodes from then on; the first at 0, strictly rising in time, falling or rising in nodes.
    steps: Vec<(i64, u32)>,
    /// Seconds that it covers.
    length_s: i64,
    /// Most nodes at any time.
    most: u32,
}

/// A fault of a trace file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", .line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct TraceFault {
    /// Line, from 1; `None`: the file as a whole.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
}

#[derive(Deserialize)]
struct TickFile {
    metadata: TickMetadata,
    data: Vec<u32>,
}

#[derive(Deserialize)]
struct TickMetadata {
    gap_seconds: f64,
}

impl Trace {
    /// JSON with `metadata.gap_seconds` and `data`, a value a tick (`skypilot-org/spot-traces`).
    ///
    /// # Errors
    /// Not that format, no tick, or a gap that is not above 0.
    pub fn ticks(text: &str, one: OneMeans) -> Result<Self, TraceFault> {
        let file: TickFile = serde_json::from_str(text).map_err(|e| fault(e.line(), format!("not a trace of ticks: {e}")))?;
        let gap = file.metadata.gap_seconds;
        if !(gap.is_finite() && gap > 0.0) {
            return Err(fault_of_all(format!("`gap_seconds` is {gap}")));
        }
        let most = file.data.iter().copied().max().unwrap_or(0).max(1);
        let nodes = |value: u32| match one {
            OneMeans::Available => value,
            OneMeans::Preempted => most - value,
        };
        let points = file.data.iter().enumerate().map(|(tick, value)| ((tick as f64 * gap).round() as i64, nodes(*value)));
        let end_s = (file.data.len() as f64 * gap).round() as i64;
        Self::from_points(points.collect(), end_s)
    }

    /// Lines `time,nodes`, with the time in seconds times `unit_s` (1 for seconds, 3600 for hours) from the start; a change is two lines
    /// at one time, of which the later holds.
    ///
    /// # Errors
    /// A line that is not that, times that go back, or nothing to replay.
    pub fn counts(text: &str, unit_s: f64) -> Result<Self, TraceFault> {
        let mut points = Vec::new();
        for (line, row) in rows(text) {
            let [time, nodes] = fields(line, row)?;
            points.push((seconds(line, time, unit_s)?, whole(line, nodes)?));
            in_order(line, &points, 0)?;
        }
        let end_s = points.last().map_or(0, |(at, _)| *at);
        Self::from_points(points, end_s)
    }

    /// Lines `milliseconds,add|remove,node` (the spot traces of Bamboo).
    ///
    /// # Errors
    /// A line that is not that, times that go back, a node that is removed and was not there, or added twice.
    pub fn node_events(text: &str) -> Result<Self, TraceFault> {
        let mut nodes = std::collections::BTreeSet::new();
        let mut points = vec![(0, 0)];
        for (line, row) in rows(text) {
            let [time, what, node] = fields(line, row)?;
            let at = seconds(line, time, 0.001)?;
            let changed = match what {
                "add" => nodes.insert(node),
                "remove" => nodes.remove(node),
                other => return Err(fault(line, format!("`{other}` is neither `add` nor `remove`"))),
            };
            if !changed {
                let is = if what == "add" { "is there" } else { "is not there" };
                return Err(fault(line, format!("`{what}` of `{node}`, which {is}")));
            }
            points.push((at, nodes.len() as u32));
            in_order(line, &points, 0)?;
        }
        let end_s = points.last().map_or(0, |(at, _)| *at);
        Self::from_points(points, end_s)
    }

    /// Lines `YYYY-MM-DD, HH:MM:SS, nodes` (the Google Cloud logs of Bamboo), without a zone. A line may lie up to a minute before the
    /// one above it and then counts as at the same time.
    ///
    /// # Errors
    /// A line that is not that, times that go back further, or nothing to replay.
    pub fn stamped(text: &str) -> Result<Self, TraceFault> {
        let mut points: Vec<(i64, u32)> = Vec::new();
        let mut first = None;
        for (line, row) in rows(text) {
            let [date, time, nodes] = fields(line, row)?;
            let stamp: jiff::civil::DateTime =
                format!("{date}T{time}").parse().map_err(|_| fault(line, format!("`{date}, {time}` is no date and time")))?;
            let zero = *first.get_or_insert(stamp);
            let since = stamp.duration_since(zero).as_secs();
            points.push((since, whole(line, nodes)?));
            in_order(line, &points, LOG_JITTER_S)?;
            if let [.., (before, _), (at, _)] = points.as_mut_slice() {
                *at = (*at).max(*before);
            }
        }
        let end_s = points.last().map_or(0, |(at, _)| *at);
        Self::from_points(points, end_s)
    }

    /// Points in the order of time, of several at one time the last.
    fn from_points(points: Vec<(i64, u32)>, end_s: i64) -> Result<Self, TraceFault> {
        let first = points.first().map_or(0, |(at, _)| *at);
        let length_s = end_s - first;
        if length_s <= 0 {
            return Err(fault_of_all("it covers no time".to_owned()));
        }
        let most = points.iter().map(|(_, nodes)| *nodes).max().unwrap_or(0);
        if most == 0 {
            return Err(fault_of_all("no node was ever available".to_owned()));
        }
        let mut steps: Vec<(i64, u32)> = Vec::new();
        for (at, nodes) in points {
            let at = at - first;
            if steps.last().is_some_and(|(last, _)| *last == at) {
                steps.pop();
            }
            if steps.last().is_none_or(|(_, last)| *last != nodes) {
                steps.push((at, nodes));
            }
        }
        Ok(Self { steps, length_s, most })
    }

    /// Seconds that it covers.
    #[must_use]
    pub const fn length_s(&self) -> i64 {
        self.length_s
    }

    /// Most nodes at any time.
    #[must_use]
    pub const fn most(&self) -> u32 {
        self.most
    }

    /// Nodes at a second of it.
    #[must_use]
    pub fn nodes(&self, at: i64) -> u32 {
        let next = self.steps.partition_point(|(step, _)| *step <= at);
        next.checked_sub(1).map_or(0, |last| self.steps[last].1)
    }

    /// Share of time with any node available, and losses an hour in which any was: availability and hazard as the plan means them.
    #[must_use]
    pub fn availability_and_hazard(&self) -> (f64, f64) {
        let (mut up_s, mut losses) = (0_i64, 0_u32);
        for (i, (at, nodes)) in self.steps.iter().enumerate() {
            let next = self.steps.get(i + 1).copied();
            if *nodes > 0 {
                up_s += next.map_or(self.length_s, |(at, _)| at) - at;
                losses += u32::from(next.is_some_and(|(_, after)| after == 0));
            }
        }
        (up_s as f64 / self.length_s as f64, f64::from(losses) * 3600.0 / up_s.max(1) as f64)
    }

    /// As changes over `from..to`, starting `offset_s` into the trace and repeating it.
    pub(super) fn changes(&self, (from, to): (i64, i64), offset_s: i64) -> Vec<Change> {
        let limit = |nodes: u32| if nodes >= self.most { UNLIMITED } else { nodes };
        let start = offset_s.rem_euclid(self.length_s);
        let mut before = self.nodes(start);
        let mut changes = vec![Change { at: from, capacity: limit(before), keep: None }];
        let mut round = from - start;
        while round < to {
            for (step, nodes) in &self.steps {
                let at = round + step;
                if at > from && at < to && *nodes != before {
                    let keep = (*nodes < before).then_some(*nodes);
                    changes.push(Change { at, capacity: limit(*nodes), keep });
                    before = *nodes;
                }
            }
            round += self.length_s;
        }
        changes
    }
}

const fn fault(line: usize, what: String) -> TraceFault {
    TraceFault { line: Some(line), what }
}

const fn fault_of_all(what: String) -> TraceFault {
    TraceFault { line: None, what }
}

/// Lines that are not empty, with their numbers.
fn rows(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, row)| (i + 1, row.trim())).filter(|(_, row)| !row.is_empty())
}

fn fields<const N: usize>(line: usize, row: &str) -> Result<[&str; N], TraceFault> {
    let found: Vec<&str> = row.split(',').map(str::trim).collect();
    let count = found.len();
    found.try_into().map_err(|_| fault(line, format!("{count} columns in place of {N}")))
}

fn seconds(line: usize, text: &str, unit_s: f64) -> Result<i64, TraceFault> {
    let value: f64 = text.parse().map_err(|_| fault(line, format!("`{text}` is no time")))?;
    if !value.is_finite() || value < 0.0 {
        return Err(fault(line, format!("`{text}` is no time")));
    }
    Ok((value * unit_s).round() as i64)
}

fn whole(line: usize, text: &str) -> Result<u32, TraceFault> {
    text.parse().map_err(|_| fault(line, format!("`{text}` is no count of nodes")))
}

fn in_order(line: usize, points: &[(i64, u32)], slack_s: i64) -> Result<(), TraceFault> {
    match points {
        [.., (before, _), (at, _)] if at + slack_s < *before => Err(fault(line, format!("{} s before the line above it", before - at))),
        _ => Ok(()),
    }
}
