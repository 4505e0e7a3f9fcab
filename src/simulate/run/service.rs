//! A service in a run: its station, its requests, its Deployments and their autoscalers.

use super::controller::{self, Controller};
use super::hours::{Kind, Stratum};
use super::metrics::Exposed;
use super::{LEAD_S, MOMENT_S, Options, ServiceWeek, traffic};
use crate::domain::{DecodeStep, LlmModel};
use crate::emit::parse::types::TriggerKind;
use crate::plan::replay::ServiceInputs;
use crate::simulate::autoscaler::promql::Query;
use crate::simulate::autoscaler::{Reading, Scaler};
use crate::simulate::cluster::{Cluster, Happening};
use crate::simulate::fleet::{Count, Fleet, HostedModel, LatencyModel, Member, ServiceSetup, Way};
use crate::simulate::of_files::cold_requests;
use crate::simulate::outcome::Moment;
use crate::simulate::replica::{Engine, Host, Hosted, Law, Model};
use crate::simulate::station::{Class, Load, NewReplica, Notice, Sampling, Setup, Station};
use crate::simulate::tally::{Limits, Tally};
use crate::simulate::traffic::{Merged, Series, Source, Trace};
use std::sync::Arc;

/// A Deployment with its autoscaler.
#[derive(Clone, Debug)]
struct Part {
    controller: Controller,
    scaler: Option<Scaler>,
    /// Query of each trigger; none where it has none, or one that cannot be evaluated.
    queries: Vec<Option<Query>>,
}

/// A service.
#[derive(Clone, Debug)]
pub struct ServiceRun {
    station: Station,
    source: Source,
    nobody: Source,
    tally: Tally,
    strata: Vec<Stratum>,
    stratum: usize,
    clock_s: f64,
    exposed: Exposed,
    parts: Vec<Part>,
    /// Demand: its own, or of each member.
    rates: Vec<Arc<Series>>,
    ready_s: f64,
    ready_since: i64,
    starts: u32,
    evictions: u32,
    timeline: Vec<Moment>,
    member_timelines: Vec<Vec<Moment>>,
}

impl ServiceRun {
    /// A service before it begins.
    ///
    /// # Errors
    /// A trigger that KEDA would refuse, a zone that is none.
    pub fn new(
        (fleet, setup, index): (&Fleet, &ServiceSetup, usize),
        (seed, strata): (u64, &[Stratum]),
        options: &Options,
    ) -> Result<Self, String> {
        let series = |inputs: &ServiceInputs| traffic::series(inputs, fleet.anchor_unix_s, options).map(Arc::new);
        let rates = setup.demands().map(series).collect::<Result<Vec<_>, _>>()?;
        let mut parts = Vec::with_capacity(setup.parts.len());
        for (position, part) in setup.parts.iter().enumerate() {
            let (scaler, queries, wanted) = match &part.count {
                Count::Fixed(count) => (None, Vec::new(), *count),
                Count::Scaled(object) => {
                    let scaler = Scaler::new(object, -LEAD_S, fleet.anchor_unix_s).map_err(|fault| format!("`{}`: {fault}", part.name))?;
                    let query = |kind: &TriggerKind| match kind {
                        TriggerKind::Prometheus { query, .. } => Query::parse(query).ok(),
                        TriggerKind::Cron { .. } | TriggerKind::Other { .. } => None,
                    };
                    (Some(scaler), object.triggers.iter().map(|t| query(&t.kind)).collect(), object.min_replicas)
                }
            };
            parts.push(Part { controller: Controller::new(setup, (index, position), wanted), scaler, queries });
        }
        let mut tally = tally(setup);
        tally.weigh(f64::NEG_INFINITY, 0.0);
        Ok(Self {
            station: station(setup, (seed, options)),
            source: source(setup, &rates, (seed, options)),
            nobody: Source::Trace(Trace::new(Arc::from([]), 0.0)),
            tally,
            strata: strata.to_vec(),
            stratum: 0,
            clock_s: -(LEAD_S as f64),
            exposed: Exposed::of_service(setup),
            parts,
            rates,
            ready_s: 0.0,
            ready_since: -LEAD_S,
            starts: 0,
            evictions: 0,
            timeline: Vec::new(),
            member_timelines: vec![Vec::new(); setup.members.len()],
        })
    }

    /// Puts its first pods down.
    pub fn begin(&mut self, now: i64, cluster: &mut Cluster) {
        for part in 0..self.parts.len() {
            for pod in self.parts[part].controller.begin(now, cluster) {
                self.station.add_replica(NewReplica { id: pod, model: 0, weight: 1.0 }, now as f64, &mut self.tally);
            }
        }
        self.enter();
    }

    /// Second at which an autoscaler has something to do next.
    pub fn next_at(&self) -> i64 {
        self.parts.iter().filter_map(|part| part.scaler.as_ref()).map(Scaler::next_at).min().unwrap_or(i64::MAX)
    }

    /// Lets autoscalers do what is due, and their Deployments follow.
    pub fn tick(&mut self, now: i64, options: &Options, cluster: &mut Cluster) {
        for part in 0..self.parts.len() {
            let due = self.parts[part].scaler.as_ref().is_some_and(|scaler| scaler.next_at() <= now);
            if !due {
                continue;
            }
            let down = options.metrics_down.is_some_and(|(from, to)| from <= now && now < to);
            if self.parts[part].queries.iter().any(Option::is_some) {
                self.advance(now as f64);
                self.exposed.scrape(now, self.tally.arrived.requests);
            }
            let (station, exposed) = (&self.station, &self.exposed);
            let Part { controller, scaler, queries } = &mut self.parts[part];
            let Some(scaler) = scaler else { continue };
            let mut series = None;
            let mut read = |index: usize| match queries.get(index).and_then(Option::as_ref) {
                Some(query) if !down => query.read(series.get_or_insert_with(|| exposed.series(station))),
                Some(_) | None => Reading::Error,
            };
            if let Some(count) = scaler.tick(now, controller.counts(), &mut read) {
                controller.wanted = count;
                self.follow(part, now, cluster);
            }
        }
    }

    /// Something happened to one of its pods.
    pub fn on(&mut self, happening: &Happening, cluster: &mut Cluster) {
        match *happening {
            Happening::PodReady { pod, at } => {
                let part = controller::part_of(pod);
                self.count_ready(at);
                if self.parts.get_mut(part).is_some_and(|p| p.controller.became_ready(pod)) {
                    self.advance(at as f64);
                    self.station.add_replica(NewReplica { id: pod, model: 0, weight: 1.0 }, at as f64, &mut self.tally);
                    self.starts += u32::from(at >= 0);
                }
            }
            Happening::PodEvicted { pod, at, deadline } => {
                self.count_ready(at);
                self.advance(at as f64);
                self.station.drain_replica(pod, Notice { at_s: at as f64, deadline_s: deadline as f64 }, &mut self.tally);
                self.replace(pod, at, cluster);
            }
            Happening::PodGone { pod, at } => {
                self.count_ready(at);
                self.advance(at as f64);
                self.station.kill_replica(pod, at as f64, &mut self.tally);
                self.replace(pod, at, cluster);
            }
            Happening::PodPending { .. } => {}
        }
    }

    /// Keeps a moment of the timeline.
    pub fn remember(&mut self, at: i64) {
        let played = self.strata.get(self.stratum).is_some_and(|s| s.kind != Kind::Off);
        if played {
            self.advance(at as f64);
        }
        let index = |series: &Series| ((at + LEAD_S) as f64 / series.step_s) as usize;
        let demand = |series: &Arc<Series>| series.steps.get(index(series)).map_or(0.0, |s| s.rate_rps);
        let moment = |demand_rps: f64, load: Load| Moment {
            t_s: at,
            demand_rps,
            ready: self.parts.iter().map(|p| p.controller.ready()).sum(),
            wanted: self.parts.iter().map(|p| p.controller.wanted).sum(),
            in_flight: played.then_some(load.running + load.waiting + load.held),
        };
        self.timeline.push(moment(self.rates.iter().map(demand).sum(), self.station.load()));
        for (class, (timeline, series)) in self.member_timelines.iter_mut().zip(&self.rates).enumerate() {
            timeline.push(moment(demand(series), self.station.load_of(class)));
        }
        debug_assert!(at % MOMENT_S == 0);
    }

    /// Ends the run.
    ///
    /// # Errors
    /// Requests, tokens or Little's law do not balance.
    pub fn close(mut self, until: i64) -> Result<ServiceWeek, String> {
        self.count_ready(until);
        self.advance(until as f64);
        self.station.close(&mut self.tally);
        self.tally.conservation()?;
        Ok(ServiceWeek {
            tally: self.tally,
            ready_s: self.ready_s,
            starts: self.starts,
            evictions: self.evictions,
            timeline: self.timeline,
            member_timelines: self.member_timelines,
        })
    }

    /// A pod that ended is made again.
    fn replace(&mut self, pod: u64, now: i64, cluster: &mut Cluster) {
        let part = controller::part_of(pod);
        if self.parts.get_mut(part).is_some_and(|p| p.controller.lost(pod)) {
            self.evictions += u32::from(now >= 0);
            self.follow(part, now, cluster);
        }
    }

    /// The pods of a Deployment follow its count.
    fn follow(&mut self, part: usize, now: i64, cluster: &mut Cluster) {
        self.count_ready(now);
        let controller = &mut self.parts[part].controller;
        let deadline = now as f64 + f64::from(controller.grace_s());
        let gone = controller.reconcile(now, cluster);
        if !gone.is_empty() {
            self.advance(now as f64);
        }
        for pod in gone {
            self.station.drain_replica(pod, Notice { at_s: now as f64, deadline_s: deadline }, &mut self.tally);
        }
    }

    /// Adds the replica-seconds up to now; before every change of what is ready.
    fn count_ready(&mut self, now: i64) {
        let ready: u32 = self.parts.iter().map(|p| p.controller.ready()).sum();
        let span = now.max(0) - self.ready_since.max(0);
        self.ready_s += f64::from(ready) * span as f64;
        self.ready_since = now;
    }

    /// Plays requests up to a second, span by span.
    fn advance(&mut self, to_s: f64) {
        while self.clock_s < to_s {
            let Some(span) = self.strata.get(self.stratum).copied() else { return };
            let until_s = span.to_s.min(to_s);
            match span.kind {
                Kind::Off => {}
                Kind::WarmUp | Kind::Counted(_) => self.station.advance(until_s, &mut self.source, &mut self.tally),
                Kind::RunOut => self.station.advance(until_s, &mut self.nobody, &mut self.tally),
            }
            self.clock_s = until_s;
            if until_s >= span.to_s {
                self.stratum += 1;
                self.enter();
            }
        }
    }

    /// A span begins.
    fn enter(&mut self) {
        let Some(span) = self.strata.get(self.stratum) else { return };
        match span.kind {
            Kind::Off => self.station.reset(span.from_s, &mut self.tally),
            Kind::WarmUp => {
                self.station.reset(span.from_s, &mut self.tally);
                self.source.skip_to(span.from_s);
                self.tally.weigh(span.from_s, 0.0);
            }
            Kind::Counted(weight) => self.tally.weigh(span.from_s, weight),
            Kind::RunOut => {}
        }
    }
}

/// An empty tally with the limits of a service, or of all members of a shared server.
fn tally(setup: &ServiceSetup) -> Tally {
    let limits = |inputs: &ServiceInputs| {
        let seconds = |limit: Option<f64>| limit.map_or(f64::INFINITY, |ms| ms / 1000.0);
        let slo = &inputs.slo;
        Limits { ttft_s: seconds(slo.ttft_ms), tpot_s: seconds(slo.tpot_ms), latency_s: seconds(slo.latency_ms) }
    };
    fn clients(way: Option<&Way>) -> &[(f64, f64)] {
        way.map_or(&[], |way| &way.clients)
    }
    if setup.members.is_empty() {
        let mut tally = Tally::new(limits(&setup.inputs));
        tally.spread_over(clients(setup.way.as_ref()));
        return tally;
    }
    let mut tally = Tally::shared(&setup.members.iter().map(|member| limits(&member.inputs)).collect::<Vec<_>>());
    for (class, member) in setup.members.iter().enumerate() {
        tally.spread_member_over(class, clients(member.way.as_ref()));
    }
    tally
}

/// The service's requests, or those of all members of a shared server.
fn source(setup: &ServiceSetup, rates: &[Arc<Series>], (seed, options): (u64, &Options)) -> Source {
    let mut sources = setup.demands().zip(rates).map(|(inputs, rates)| traffic::source(inputs, rates, (seed, options)));
    if setup.members.is_empty()
        && let Some(own) = sources.next()
    {
        return own;
    }
    Source::Merged(Merged::new(sources.collect()))
}

fn station(setup: &ServiceSetup, (seed, options): (u64, &Options)) -> Station {
    let traced = options.traces.contains_key(&setup.inputs.name);
    // A shared server is simulated throughout in the hours that are played: its members are in different states.
    let sampled = options.sampling == super::Sampling::Stratified && !traced && setup.members.is_empty();
    let class = |inputs: &ServiceInputs| Class { cold: cold_requests(inputs), timeout_s: inputs.request_timeout_s };
    let setup = Setup {
        name: setup.inputs.name.clone(),
        seed,
        models: vec![model(setup, options)],
        routing: setup.routing,
        cold: setup.cold,
        timeout_s: setup.inputs.request_timeout_s,
        reroute_waiting: false,
        sampling: sampled.then(Sampling::default),
        classes: setup.members.iter().map(|member| class(&member.inputs)).collect(),
    };
    Station::new(setup, -(LEAD_S as f64))
}

/// A latency model with all of its times longer by a factor.
fn slowed(model: &LlmModel, factor: f64) -> LlmModel {
    let decode = match &model.decode {
        DecodeStep::Affine { alpha_ms, beta_ms, eps_ms_per_ktok } => {
            DecodeStep::Affine { alpha_ms: alpha_ms * factor, beta_ms: beta_ms * factor, eps_ms_per_ktok: eps_ms_per_ktok * factor }
        }
        DecodeStep::Table { batch, context_tokens, step_ms } => DecodeStep::Table {
            batch: batch.clone(),
            context_tokens: context_tokens.clone(),
            step_ms: step_ms.iter().map(|row| row.iter().map(|ms| ms * factor).collect()).collect(),
        },
    };
    LlmModel {
        decode,
        prefill_gamma_ms: model.prefill_gamma_ms * factor,
        prefill_delta_ms_per_ktok: model.prefill_delta_ms_per_ktok * factor,
        prefill_zeta_ms_per_ktok2: model.prefill_zeta_ms_per_ktok2 * factor,
        ..*model
    }
}

/// What a replica runs.
fn model(setup: &ServiceSetup, options: &Options) -> Model {
    match &setup.model {
        LatencyModel::Llm(llm, pass_tokens) => {
            Model::Llm(Arc::new(Engine::new(&slowed(llm, options.engine_factor), *pass_tokens, options.stepping)))
        }
        LatencyModel::Request(knots) => Model::Server(Arc::new(Law::curve(knots))),
        LatencyModel::Shared(shared) => {
            let hosted = |(model, member): (&HostedModel, &Member)| Hosted {
                law: Arc::new(Law::curve(&model.knots)),
                priority: model.priority,
                timeout_s: member.inputs.request_timeout_s,
            };
            let models = shared.models.iter().zip(&setup.members).map(hosted).collect();
            Model::Shared(Arc::new(Host { models, most: shared.most as usize, interference: shared.interference }))
        }
    }
}
