//! One week under one seed: services with their autoscalers, jobs, machines and the weather, in one line of time.
//!
//! The control plane decides in whole seconds; before it reads or changes anything of a service, the service's requests are played up
//! to that second. A run starts a day before the week, with nothing counted, so that Monday begins as a Monday does.

mod controller;
mod hours;
mod jobs;
mod metrics;
mod network;
mod service;
mod traffic;
mod weather;

pub use hours::{Sampling, Stratum};
pub use network::NetworkBill;
pub use weather::places;

use super::cluster::billing::{Committed, Invoice};
use super::cluster::{Cluster, Happening, Script, Setup};
use super::fleet::Fleet;
use super::outcome::Moment;
use super::replica::Stepping;
use super::tally::Tally;
use super::traffic::{GapShape, Recording};
use crate::units::HOURS_PER_WEEK;
use jobs::JobRun;
use service::ServiceRun;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Seconds before Monday at which a run starts: a day, so that jobs of Sunday reach into the week.
pub const LEAD_S: i64 = 86_400;

/// Seconds of a moment of the timeline.
const MOMENT_S: i64 = 600;

/// How a week is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Hours from Monday 00:00 UTC on; a week unless a trace says otherwise.
    pub hours: u32,
    /// Which hours of traffic are played.
    pub sampling: Sampling,
    /// Reclaim hazards times this.
    pub hazard_factor: f64,
    /// Demand times this.
    pub demand_factor: f64,
    /// Inter-arrival variation times this: a scenario burstier than planned.
    pub burst_factor: f64,
    /// Law of the gaps between requests that are not read from a trace.
    pub gaps: GapShape,
    /// Pass times of LLM engines times this, on top of the correction that their evidence asks for.
    pub engine_factor: f64,
    /// Closed forms or pass by pass.
    pub stepping: Stepping,
    /// What the clouds do beside the usual.
    pub script: Script,
    /// Prometheus does not answer in this span.
    pub metrics_down: Option<(i64, i64)>,
    /// Request traces by workload, which go before its series.
    pub traces: BTreeMap<String, Arc<dyn Recording>>,
    /// Recorded availability by pool, in the place of the risk's weather.
    pub spot_traces: Vec<(String, super::cluster::Trace)>,
    /// Keep a timeline.
    pub timeline: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hours: HOURS_PER_WEEK as u32,
            sampling: Sampling::Stratified,
            hazard_factor: 1.0,
            demand_factor: 1.0,
            burst_factor: 1.0,
            gaps: GapShape::Gamma,
            engine_factor: 1.0,
            stepping: Stepping::Fast,
            script: Script::default(),
            metrics_down: None,
            traces: BTreeMap::new(),
            spot_traces: Vec::new(),
            timeline: false,
        }
    }
}

impl Options {
    /// The week that the plan was made for, as it was: nothing broken, slowed, scaled or replaced.
    #[must_use]
    pub fn as_planned(&self) -> bool {
        let factors = [self.hazard_factor, self.demand_factor, self.burst_factor, self.engine_factor];
        factors.iter().all(|factor| (factor - 1.0).abs() < 1e-12)
            && self.hours as usize == HOURS_PER_WEEK
            && self.script == Script::default()
            && self.metrics_down.is_none()
            && self.traces.is_empty()
            && self.spot_traces.is_empty()
    }
}

/// What one seed came to.
#[derive(Clone, Debug)]
pub struct Week {
    /// Services in the order of the fleet.
    pub services: Vec<ServiceWeek>,
    /// Jobs in the order of the fleet.
    pub jobs: Vec<JobWeek>,
    /// Bill of each day.
    pub days: Vec<Invoice>,
    /// Bill of the whole span.
    pub invoice: Invoice,
    /// Traffic and bytes of starts.
    pub network: NetworkBill,
}

/// A service in one week.
#[derive(Clone, Debug)]
pub struct ServiceWeek {
    /// What its requests met with.
    pub tally: Tally,
    /// Replica-seconds ready.
    pub ready_s: f64,
    /// Replicas that became ready.
    pub starts: u32,
    /// Replicas that had to go with their node: reclaims, and moves to cheaper nodes.
    pub evictions: u32,
    /// Ten-minute moments, if asked for.
    pub timeline: Vec<Moment>,
    /// The same of each member of a shared server.
    pub member_timelines: Vec<Vec<Moment>>,
}

/// A job in one week.
#[derive(Clone, Copy, Debug, Default)]
pub struct JobWeek {
    /// Runs that were due.
    pub due: u32,
    /// Of them, done too late or never.
    pub missed: u32,
    /// Worker-seconds, and of them those whose work counted.
    pub wall_s: f64,
    /// Useful ones.
    pub useful_s: f64,
}

/// A fault of the simulation or of what it is given, in words.
pub type Fault = String;

/// Everything of one run.
struct Run<'a> {
    fleet: &'a Fleet,
    options: &'a Options,
    cluster: Cluster,
    services: Vec<ServiceRun>,
    jobs: Vec<JobRun>,
    until: i64,
}

/// Plays one week.
///
/// # Errors
/// A trigger or schedule that no autoscaler would take; books that do not balance, which is a fault of ours.
pub fn week(fleet: &Fleet, seed: u64, options: &Options) -> Result<Week, Fault> {
    let until = i64::from(options.hours) * 3600;
    let weather = weather::of(fleet, (seed, until), options)?;
    let windows = weather.windows();
    let strata = hours::strata(fleet, (seed, &windows), options);
    let mut services = Vec::with_capacity(fleet.services.len());
    for (index, setup) in fleet.services.iter().enumerate() {
        services.push(ServiceRun::new((fleet, setup, index), (seed, &strata[index]), options)?);
    }
    let mut jobs = Vec::with_capacity(fleet.jobs.len());
    for (index, setup) in fleet.jobs.iter().enumerate() {
        jobs.push(JobRun::new(fleet, (setup, index), until)?);
    }
    let setup = Setup { pools: fleet.pools.clone(), weather, delays: fleet.delays, seed, from: -LEAD_S };
    let mut run = Run { fleet, options, cluster: Cluster::new(setup), services, jobs, until };
    run.begin();
    run.play();
    run.close()
}

impl Run<'_> {
    /// Puts the pods down that are there when the run starts.
    fn begin(&mut self) {
        for service in &mut self.services {
            service.begin(-LEAD_S, &mut self.cluster);
        }
    }

    fn play(&mut self) {
        let mut moment = 0;
        loop {
            let own = self.services.iter().map(ServiceRun::next_at).chain(self.jobs.iter().map(JobRun::next_at));
            let mut now = own.min().unwrap_or(i64::MAX).min(self.cluster.next_event().unwrap_or(i64::MAX));
            if self.options.timeline {
                now = now.min(moment);
            }
            if now >= self.until {
                return;
            }
            for happening in self.cluster.run_to(now) {
                self.tell(&happening);
            }
            for job in &mut self.jobs {
                job.tick(now, &mut self.cluster);
            }
            for service in &mut self.services {
                service.tick(now, self.options, &mut self.cluster);
            }
            if self.options.timeline && now >= moment {
                self.services.iter_mut().for_each(|service| service.remember(moment));
                moment += MOMENT_S;
            }
        }
    }

    /// Passes on what happened to a pod to its owner.
    fn tell(&mut self, happening: &Happening) {
        let pod = match *happening {
            Happening::PodReady { pod, .. }
            | Happening::PodEvicted { pod, .. }
            | Happening::PodGone { pod, .. }
            | Happening::PodPending { pod, .. } => pod,
        };
        match controller::owner(pod) {
            controller::Owner::Service(index) => {
                if let Some(service) = self.services.get_mut(index) {
                    service.on(happening, &mut self.cluster);
                }
            }
            controller::Owner::Job(index) => {
                if let Some(job) = self.jobs.get_mut(index) {
                    job.on(happening);
                }
            }
        }
    }

    fn close(mut self) -> Result<Week, Fault> {
        self.cluster.run_to(self.until);
        let mut services = Vec::with_capacity(self.services.len());
        for (run, setup) in self.services.into_iter().zip(&self.fleet.services) {
            services.push(run.close(self.until).map_err(|fault| format!("`{}`: {fault}", setup.inputs.name))?);
        }
        let mut jobs = Vec::with_capacity(self.jobs.len());
        for (run, setup) in self.jobs.into_iter().zip(&self.fleet.jobs) {
            jobs.push(run.close(self.until).map_err(|fault| format!("`{}`: {fault}", setup.inputs.name))?);
        }
        self.cluster.balance().map_err(|fault| fault.to_string())?;
        let committed: Vec<Committed> = self
            .fleet
            .covered
            .iter()
            .map(|c| Committed { instance_type: c.instance_type.clone(), region: c.region.clone(), nodes: c.nodes })
            .collect();
        let paid = (committed.as_slice(), self.fleet.purchased.as_slice());
        let days = (0..self.until.div_euclid(86_400)).map(|day| self.cluster.invoice((day * 86_400, (day + 1) * 86_400), paid));
        let network = network::bill(self.fleet, (&services, self.cluster.pulls()), self.until);
        Ok(Week { network, services, jobs, days: days.collect(), invoice: self.cluster.invoice((0, self.until), paid) })
    }
}
