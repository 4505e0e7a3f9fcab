//! A served model or a job, with its demand, its SLO and what its owner allows.

use crate::domain::capacity_table::CapacityTable;
use crate::domain::demand::Demand;
use crate::domain::partition::SharePolicy;
use crate::domain::slo::Slo;
use crate::ids::{AcceleratorId, NodeGroupId, ProfileId, RegionId, WorkloadId};
use crate::units::Seconds;

/// How the replicas of a service follow its demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// One count all week.
    Static,
    /// Floors in at most N windows that a cron can express.
    Scheduled,
    /// As the HPA responds to requests in flight.
    Reactive,
}

impl Mode {
    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Scheduled => "scheduled",
            Self::Reactive => "reactive",
        }
    }
}

/// How requests find a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Routing {
    /// A plain Kubernetes Service.
    Random,
    /// To the replica with the fewest requests in flight.
    LeastLoaded,
}

impl Routing {
    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::LeastLoaded => "least-loaded",
        }
    }
}

/// What happens to a request that finds no replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColdRequests {
    /// Answered with an error at once: a miss.
    Reject,
    /// Held until a replica serves: refused when the p95 cold start exceeds the shortest timeout on the way.
    Hold,
    /// Sent to another endpoint: a miss of this service's SLO all the same.
    Fallback,
}

impl ColdRequests {
    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Hold => "hold",
            Self::Fallback => "fallback",
        }
    }
}

/// Where the autoscaler reads the load.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// Prometheus address as KEDA sees it.
    pub server: String,
    /// PromQL of requests in flight plus queued, one element.
    pub query: String,
    /// The series exist without the service's pods (gateway, interceptor, broker): only then may it wake from zero.
    pub survives_pods: bool,
    /// PromQL that stays above zero for a while after any request, one that was turned away too: what wakes a service at zero whose cold
    /// requests are not held. A gauge of requests in flight does not see those.
    pub activity_query: Option<String>,
}

/// What the owner allows about scaling, and how the autoscaler is set.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// Modes the planner may choose from, sorted.
    pub modes: Vec<Mode>,
    /// Most cron windows in scheduled mode.
    pub max_windows: u32,
    /// Fewest replicas while not at zero.
    pub min_replicas: u32,
    /// Most replicas, if capped.
    pub max_replicas: Option<u32>,
    /// Zero replicas are allowed when nobody asks.
    pub scale_to_zero: bool,
    /// Idle time after the last request before the last replica goes.
    pub cooldown: Seconds,
    /// KEDA's polling interval.
    pub polling: Seconds,
    /// HPA scale-down stabilization window.
    pub stabilization: Seconds,
    /// Load metric; without one the service cannot be reactive.
    pub metrics: Option<Metrics>,
    /// Routing.
    pub routing: Routing,
    /// Cold requests.
    pub cold_requests: ColdRequests,
    /// Shortest timeout on a request's way.
    pub request_timeout: Seconds,
}

/// What the owner allows about spot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpotPolicy {
    /// Largest share of replicas on spot at any time; 0 is off.
    pub max_share: f64,
    /// Share of the hour's mean demand that must stay stable (not within SLO) when any one pool is lost.
    pub contingency: f64,
}

/// A service: requests come when they come.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Demand.
    pub demand: Demand,
    /// Objective.
    pub slo: Slo,
    /// Scaling.
    pub scaling: Scaling,
    /// Calibrated capacity of its operating points; of one that is not among them the closed form holds.
    pub tables: Vec<CapacityTable>,
}

/// One run of a job in the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobRun {
    /// Earliest start, hour of the week (UTC).
    pub release_hour: u32,
    /// Must be done by this hour after Monday 00:00 UTC; may exceed 168 when it ends in the next week.
    pub deadline_hour: u32,
}

/// The queue that starts a batch job's pods (KEDA ScaledJob trigger).
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// KEDA scaler type: `aws-sqs-queue`, `rabbitmq`, `redis`, `kafka`.
    pub scaler: String,
    /// Scaler metadata as KEDA spells it, sorted.
    pub metadata: Vec<(String, String)>,
}

/// A batch or training job with work to do between releases and deadlines.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Training (gang, checkpoint) or batch.
    pub training: bool,
    /// Work units of one run.
    pub work_per_run: f64,
    /// Runs of the week, sorted.
    pub runs: Vec<JobRun>,
    /// Widest gang allowed.
    pub max_workers: u32,
    /// Width it runs at today.
    pub baseline_workers: u32,
    /// Queue that holds its work.
    pub queue: Option<Queue>,
    /// Hours before its deadline that a run is planned to end by. 0 as read; more once a replay saw it late.
    pub slack_hours: u32,
    /// Factor on its work with which it must still be done in time; 1 as read.
    pub insured: f64,
}

/// Service or job.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkloadKind {
    /// Requests.
    Service(Service),
    /// Work with a deadline.
    Job(Job),
}

/// Where a workload runs today.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// Node group.
    pub node_group: NodeGroupId,
    /// Replicas (services) or workers (jobs) there.
    pub replicas: u32,
    /// GPUs of one replica.
    pub gpus_per_replica: u32,
    /// Precision it runs with.
    pub precision: String,
}

/// A workload of the scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Name.
    pub id: WorkloadId,
    /// Performance profile.
    pub profile: ProfileId,
    /// Service or job.
    pub kind: WorkloadKind,
    /// Owner, for the report.
    pub team: String,
    /// Cost centre, for the report.
    pub cost_center: String,
    /// Kubernetes namespace.
    pub namespace: String,
    /// Deployment that the user already has; `None`: a whole one is emitted.
    pub scale_target: Option<String>,
    /// Container image of the emitted Deployment or job.
    pub image: String,
    /// IANA zone of its schedule.
    pub time_zone: String,
    /// Hours that the zone is ahead of UTC in the anchor week, rounded to a whole hour.
    pub utc_offset_hours: i32,
    /// Accepted precisions; the first is today's.
    pub precisions: Vec<String>,
    /// Accelerators allowed; empty: all.
    pub accelerators: Vec<AcceleratorId>,
    /// Regions allowed; empty: all of the scenario's.
    pub regions: Vec<RegionId>,
    /// Spot.
    pub spot: SpotPolicy,
    /// With whom it may share a GPU.
    pub share: SharePolicy,
    /// Where it runs today; `None`: new.
    pub placement: Option<Placement>,
}

impl Workload {
    /// The service, if it is one.
    #[must_use]
    pub fn service(&self) -> Option<&Service> {
        match &self.kind {
            WorkloadKind::Service(service) => Some(service),
            WorkloadKind::Job(_) => None,
        }
    }

    /// The job, if it is one.
    #[must_use]
    pub fn job(&self) -> Option<&Job> {
        match &self.kind {
            WorkloadKind::Job(job) => Some(job),
            WorkloadKind::Service(_) => None,
        }
    }

    /// `service`, `batch` or `training`.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match &self.kind {
            WorkloadKind::Service(_) => "service",
            WorkloadKind::Job(job) if job.training => "training",
            WorkloadKind::Job(_) => "batch",
        }
    }
}
