//! A job in a run: what fires it, its work, its pods.

use super::controller::first_job_pod;
use super::{JobWeek, LEAD_S};
use crate::simulate::autoscaler::cron::{Schedule, Zone};
use crate::simulate::autoscaler::{Reading, ScaledJobScaler};
use crate::simulate::cluster::{Cluster, Happening, PodRequest};
use crate::simulate::fleet::{Fleet, JobSetup, JobStart};
use crate::simulate::job::{Checkpoint, Job, JobSpec, Order, RunEnd, Source};
use crate::units::HOURS_PER_WEEK;

/// Seconds of a week.
const WEEK_S: i64 = HOURS_PER_WEEK as i64 * 3600;
/// Messages of one run in the queue: enough that the last ones do not matter.
const MESSAGES: f64 = 1000.0;

/// One CronJob, or the queue of a ScaledJob: work that is released at its own times.
#[derive(Clone, Debug)]
struct Track {
    job: Job,
    /// Seconds at which work is released, with its deadline; in order.
    releases: Vec<(i64, i64)>,
    released: usize,
}

/// A job.
#[derive(Clone, Debug)]
pub struct JobRun {
    setup: JobSetup,
    index: u32,
    tracks: Vec<Track>,
    scaler: Option<ScaledJobScaler>,
    /// Seconds at which a gate shuts (true) or opens.
    gates: Vec<(i64, bool)>,
    passed: usize,
    /// Worker-seconds, and useful ones, before Monday.
    before: Option<(f64, f64)>,
}

impl JobRun {
    /// A job before its first run.
    ///
    /// # Errors
    /// A schedule, a zone or a trigger that is refused.
    pub fn new(fleet: &Fleet, (setup, index): (&JobSetup, usize), until: i64) -> Result<Self, String> {
        let anchor = fleet.anchor_unix_s;
        let (mut scaler, mut gates, mut tracks) = (None, Vec::new(), Vec::new());
        match &setup.start {
            JobStart::Cron(crons) => {
                for (track, cron) in crons.iter().filter(|cron| !cron.suspend).enumerate() {
                    let fired = firings((&cron.schedule, &cron.time_zone), anchor, (-LEAD_S, until))?;
                    let releases = fired.into_iter().map(|at| (at, deadline(&setup.inputs, at))).collect();
                    let source = Source::Cron { starting_deadline_s: cron.starting_deadline_s };
                    tracks.push(Track::new(setup, (source, cron.active_deadline_s), first_job_pod(index, track), releases));
                }
            }
            JobStart::Queue(object, gate) => {
                scaler = Some(ScaledJobScaler::new(object, -LEAD_S, anchor).map_err(|fault| fault.to_string())?);
                for gate in gate {
                    // A week back, so that it is known how the gate stands at the start.
                    let fired = firings((&gate.schedule, &gate.time_zone), anchor, (-LEAD_S - WEEK_S, until))?;
                    gates.extend(fired.into_iter().map(|at| (at, gate.pauses)));
                }
                let releases = queued(setup, until);
                tracks.push(Track::new(setup, (Source::Queue, object.active_deadline_s), first_job_pod(index, 0), releases));
            }
        }
        gates.sort_unstable();
        let mut run = Self { setup: setup.clone(), index: index as u32, tracks, scaler, gates, passed: 0, before: None };
        run.pass_gates(-LEAD_S);
        Ok(run)
    }

    /// Second at which it has something to do next.
    pub fn next_at(&self) -> i64 {
        let tracks = self.tracks.iter().flat_map(|t| [t.releases.get(t.released).map(|(at, _)| *at), t.job.next_event()]);
        let gate = self.gates.get(self.passed).map(|(at, _)| *at);
        let scaler = self.scaler.as_ref().map(ScaledJobScaler::next_at);
        tracks.chain([gate, scaler]).flatten().min().unwrap_or(i64::MAX)
    }

    /// Does what is due.
    pub fn tick(&mut self, now: i64, cluster: &mut Cluster) {
        if now >= 0 && self.before.is_none() {
            self.before = Some(self.spent());
        }
        self.pass_gates(now);
        for track in 0..self.tracks.len() {
            let mine = &mut self.tracks[track];
            while let Some((at, deadline)) = mine.releases.get(mine.released).copied().filter(|(at, _)| *at <= now) {
                mine.released += 1;
                mine.job.release(at.max(-LEAD_S), deadline);
            }
            let mut orders = mine.job.run_to(now);
            if let Some(scaler) = self.scaler.as_mut().filter(|scaler| scaler.next_at() <= now) {
                let left = mine.job.units_left() / self.setup.inputs.work_per_run;
                let mut read = |_: usize| Reading::Value((left * MESSAGES).ceil());
                let count = scaler.tick(now, mine.job.unfinished(), &mut read);
                mine.job.add_workers(now, count);
                orders.extend(mine.job.run_to(now));
            }
            orders.into_iter().for_each(|order| self.carry_out(order, now, cluster));
        }
    }

    /// Worker-seconds, and useful ones, so far.
    fn spent(&self) -> (f64, f64) {
        self.tracks.iter().map(|t| t.job.time()).fold((0.0, 0.0), |sum, time| (sum.0 + time.wall_s(), sum.1 + time.useful_s))
    }

    /// Something happened to a pod.
    pub fn on(&mut self, happening: &Happening) {
        self.tracks.iter_mut().for_each(|track| track.job.on(happening));
    }

    /// Ends the run: runs whose deadline lies in the span are counted.
    ///
    /// # Errors
    /// The time of its workers does not balance.
    pub fn close(mut self, until: i64) -> Result<JobWeek, String> {
        let mut week = JobWeek::default();
        for track in &mut self.tracks {
            track.job.run_to(until);
            let time = track.job.time();
            time.balance().map_err(|fault| fault.to_string())?;
            let due = || track.job.outcomes().iter().filter(|run| run.deadline > 0 && run.deadline <= until);
            week.due += due().count() as u32;
            week.missed += due().filter(|run| run.missed(until) || run.end == RunEnd::Open).count() as u32;
        }
        let (wall_s, useful_s) = self.spent();
        let (wall_before_s, useful_before_s) = self.before.unwrap_or_default();
        Ok(JobWeek { wall_s: wall_s - wall_before_s, useful_s: useful_s - useful_before_s, ..week })
    }

    fn pass_gates(&mut self, now: i64) {
        while let Some((at, pauses)) = self.gates.get(self.passed).copied().filter(|(at, _)| *at <= now) {
            self.passed += 1;
            if let Some(scaler) = &mut self.scaler {
                scaler.set_paused(at.max(-LEAD_S), pauses);
            }
        }
    }

    fn carry_out(&self, order: Order, now: i64, cluster: &mut Cluster) {
        match order {
            Order::Create { pod } => cluster.request_pod(now, self.request(pod)),
            Order::Finish { pod } => cluster.finish_pod(now, pod),
            Order::Delete { pod } => cluster.delete_pod(now, pod),
        }
    }

    fn request(&self, pod: u64) -> PodRequest {
        let template = &self.setup.pod;
        // Groups and images of jobs come after those of services.
        let number = super::network::FIRST_JOB + self.index;
        PodRequest {
            pod,
            group: number,
            pools: template.pools.clone(),
            ask: template.ask,
            grace_s: template.grace_s,
            zones_spread: template.zones_spread,
            image: number,
            start_up: self.setup.start_up,
            do_not_disrupt: template.do_not_disrupt,
            budget: None,
        }
    }
}

impl Track {
    fn new(setup: &JobSetup, (source, active_deadline_s): (Source, Option<u32>), first_pod: u64, mut releases: Vec<(i64, i64)>) -> Self {
        releases.sort_unstable();
        let inputs = &setup.inputs;
        let checkpoint = setup.checkpoint_interval_s.zip(inputs.checkpoint);
        let spec = JobSpec {
            workers: setup.workers,
            gang: inputs.gang,
            units: inputs.work_per_run,
            units_per_s: setup.units_per_s,
            checkpoint: checkpoint.map(|(interval_s, cost)| Checkpoint { interval_s, save_s: cost.save_s }),
            restart_s: inputs.checkpoint.map_or(0.0, |cost| cost.restart_s),
            active_deadline_s,
            source,
            first_pod,
        };
        Self { job: Job::new(spec, -LEAD_S), releases, released: 0 }
    }
}

/// Releases of a queue with their deadlines: every run of every week that the span touches.
fn queued(setup: &JobSetup, until: i64) -> Vec<(i64, i64)> {
    let runs = &setup.inputs.runs;
    let of = |week: i64| {
        let from = week * WEEK_S;
        runs.iter().map(move |r| (from + i64::from(r.release_hour) * 3600, from + i64::from(r.deadline_hour) * 3600))
    };
    (-1..=until.div_euclid(WEEK_S)).flat_map(of).filter(|(at, _)| (-LEAD_S..until).contains(at)).collect()
}

/// Seconds since the anchor at which a schedule fires in a span.
fn firings((schedule, zone): (&str, &str), anchor: i64, (from, until): (i64, i64)) -> Result<Vec<i64>, String> {
    let schedule = Schedule::parse(schedule).map_err(|fault| fault.to_string())?;
    let zone = Zone::named(zone).map_err(|fault| fault.to_string())?;
    let mut fired = Vec::new();
    let mut at = anchor + from - 1;
    while let Some(next) = schedule.next_after(&zone, at).filter(|next| *next < anchor + until) {
        fired.push(next - anchor);
        at = next;
    }
    Ok(fired)
}

/// Deadline of a run that is started at a second: that of the run whose release and deadline lie around it, else of the next.
fn deadline(inputs: &crate::plan::replay::JobInputs, at: i64) -> i64 {
    let deadlines = inputs.runs.iter().flat_map(|r| {
        let (release, deadline) = (i64::from(r.release_hour) * 3600, i64::from(r.deadline_hour) * 3600);
        let week = (at - release).div_euclid(WEEK_S) * WEEK_S;
        [week - WEEK_S + deadline, week + deadline, week + WEEK_S + deadline]
    });
    deadlines.filter(|deadline| *deadline > at).min().unwrap_or(at)
}
