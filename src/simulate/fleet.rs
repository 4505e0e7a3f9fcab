//! What is replayed: machines, services with their autoscalers, jobs. One value for every configuration, whether it comes from
//! emitted files, from today's inventory or from a comparator.

use super::cluster::{Delays, Pool, Purchased, Risk, Room, StartUp};
use crate::domain::{ColdRequests, Knot, LlmModel, Routing};
use crate::emit::parse::types::{CronJob, Gate, ScaledJob, ScaledObject};
use crate::plan::replay::{JobInputs, NetworkInputs, ServiceInputs};
use crate::units::Usd;

/// A configuration with everything that a replay of it needs.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// Monday 00:00 UTC of the week, seconds of Unix time.
    pub anchor_unix_s: i64,
    /// Pools, sorted by name.
    pub pools: Vec<Pool>,
    /// Resources of slices of GPUs, in the order of [`Room::slices`].
    pub slices: Vec<String>,
    /// Spot terms of each pool; none for on-demand.
    pub risks: Vec<Option<Risk>>,
    /// Machines that commitments pay for.
    pub covered: Vec<Covered>,
    /// Commitments that were bought, in the order in which they are credited.
    pub purchased: Vec<Purchased>,
    /// Commitments a month, held and bought, in full.
    pub commitments_usd_per_month: Usd,
    /// Delays of the node autoscaler.
    pub delays: Delays,
    /// Services, sorted by name.
    pub services: Vec<ServiceSetup>,
    /// Jobs, sorted by name.
    pub jobs: Vec<JobSetup>,
    /// How the configuration was read, one line each.
    pub notes: Vec<String>,
}

/// Machines that a commitment pays for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    /// Machine shape.
    pub instance_type: String,
    /// Region.
    pub region: String,
    /// Machines.
    pub nodes: u32,
}

/// How fast a replica answers.
#[derive(Clone, Debug, PartialEq)]
pub enum LatencyModel {
    /// Continuous batching, and the token budget of a pass.
    Llm(LlmModel, u32),
    /// Concurrency curve.
    Request(Vec<Knot>),
    /// Several models on one GPU.
    Shared(SharedModel),
}

/// How fast a server answers that several models share.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedModel {
    /// Its models, in the order of the members.
    pub models: Vec<HostedModel>,
    /// Most requests in service.
    pub most: u32,
    /// Factor on every service time while two models or more are at work.
    pub interference: f64,
}

/// A model of a shared server.
#[derive(Clone, Debug, PartialEq)]
pub struct HostedModel {
    /// Concurrency curve of the model alone.
    pub knots: Vec<Knot>,
    /// Urgency, 1 the most urgent.
    pub priority: u32,
}

/// A service.
#[derive(Clone, Debug)]
pub struct ServiceSetup {
    /// Demand, objective, timeouts.
    pub inputs: ServiceInputs,
    /// Latency model of its replicas.
    pub model: LatencyModel,
    /// Routing.
    pub routing: Routing,
    /// What becomes of requests that find no replica.
    pub cold: ColdRequests,
    /// Start of a replica.
    pub start_up: StartUp,
    /// Its Deployments.
    pub parts: Vec<Part>,
    /// What distance adds and costs where it runs.
    pub way: Option<Way>,
    /// Services that share it, sorted by name; none where it serves only itself.
    pub members: Vec<Member>,
}

impl ServiceSetup {
    /// Whose requests it answers: its members, or itself.
    pub fn demands(&self) -> impl Iterator<Item = &ServiceInputs> {
        let own = self.members.is_empty().then_some(&self.inputs);
        own.into_iter().chain(self.members.iter().map(|member| &member.inputs))
    }
}

/// A service that runs in a shared server.
#[derive(Clone, Debug)]
pub struct Member {
    /// Demand, objective, timeouts.
    pub inputs: ServiceInputs,
    /// What the server calls its model: the label `model` of the server's metrics.
    pub model: String,
    /// What distance adds and costs where the server runs.
    pub way: Option<Way>,
}

/// A Deployment.
#[derive(Clone, Debug)]
pub struct Part {
    /// Name.
    pub name: String,
    /// How many replicas.
    pub count: Count,
    /// Its pods.
    pub pod: PodTemplate,
}

/// Who sets a count.
#[derive(Clone, Debug)]
pub enum Count {
    /// Nobody: it is fixed.
    Fixed(u32),
    /// An autoscaler.
    Scaled(ScaledObject),
}

/// What a pod asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct PodTemplate {
    /// Positions of its pools, the preferred one first.
    pub pools: Vec<usize>,
    /// Resources.
    pub ask: Room,
    /// Seconds that it may take to end.
    pub grace_s: u32,
    /// Hard spread over zones.
    pub zones_spread: Option<u32>,
    /// Not moved to cheaper nodes.
    pub do_not_disrupt: bool,
    /// `maxUnavailable` of its disruption budget, if it has one.
    pub max_unavailable: Option<u32>,
}

/// A job.
#[derive(Clone, Debug)]
pub struct JobSetup {
    /// Work, releases, deadlines, checkpoints.
    pub inputs: JobInputs,
    /// Units a second of a whole gang of `workers`.
    pub units_per_s: f64,
    /// Workers of a gang.
    pub workers: u32,
    /// Seconds between checkpoints; none where it does not checkpoint.
    pub checkpoint_interval_s: Option<f64>,
    /// What starts it.
    pub start: JobStart,
    /// Start of a worker.
    pub start_up: StartUp,
    /// Its pods.
    pub pod: PodTemplate,
    /// What bytes of its starts cost where it runs.
    pub way: Option<Way>,
}

/// What distance adds and costs in one region.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// Shares of the requests with their round trips, s; empty: nothing is added.
    pub clients: Vec<(f64, f64)>,
    /// Dollars a mean request.
    pub usd_per_request: f64,
    /// Dollars of pulling the image, once a node.
    pub usd_per_image: f64,
    /// Dollars of loading the weights, each start.
    pub usd_per_weights: f64,
}

impl Way {
    /// The way of a region; `None` without `network`.
    #[must_use]
    pub fn of(inputs: Option<&NetworkInputs>, region: &str) -> Option<Self> {
        let inputs = inputs?;
        let terms = inputs.regions.iter().find(|terms| terms.region == region)?;
        Some(Self {
            clients: terms.clients.iter().map(|client| (client.share, client.round_trip_ms / 1000.0)).collect(),
            usd_per_request: terms.usd_per_request,
            usd_per_image: inputs.image_gib * terms.usd_per_start_gib,
            usd_per_weights: inputs.weights_gib * terms.usd_per_start_gib,
        })
    }
}

/// What starts a job's pods.
#[derive(Clone, Debug)]
pub enum JobStart {
    /// CronJobs.
    Cron(Vec<CronJob>),
    /// A queue behind a ScaledJob, and what holds it back.
    Queue(Box<ScaledJob>, Vec<Gate>),
}
