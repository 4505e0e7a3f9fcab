//! What the emitted files say, as plain values: the only thing a replay knows of a plan's autoscalers and machines.

use std::collections::BTreeMap;

/// Everything that was read back from an output folder, each list sorted by namespace and name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Files {
    /// KEDA ScaledObjects.
    pub scaled_objects: Vec<ScaledObject>,
    /// KEDA ScaledJobs.
    pub scaled_jobs: Vec<ScaledJob>,
    /// Deployments: whole ones, and patches of the user's own.
    pub deployments: Vec<Deployment>,
    /// CronJobs that run work.
    pub cron_jobs: Vec<CronJob>,
    /// CronJobs that hold a ScaledJob back or let it go.
    pub gates: Vec<Gate>,
    /// Node pools, from Karpenter's objects or from the Terraform values.
    pub node_pools: Vec<PoolSpec>,
    /// Where each object stands, for messages.
    pub origins: BTreeMap<ObjectId, Origin>,
    /// What a reader should know and what is no fault, sorted.
    pub notes: Vec<Note>,
}

/// What names an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectId {
    /// Kind.
    pub kind: ObjectKind,
    /// Namespace; empty for a node pool.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// Kinds of the lists of [`Files`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// [`ScaledObject`].
    ScaledObject,
    /// [`ScaledJob`].
    ScaledJob,
    /// [`Deployment`].
    Deployment,
    /// [`CronJob`].
    CronJob,
    /// [`Gate`].
    Gate,
    /// [`PoolSpec`].
    NodePool,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Path relative to the output folder.
    pub path: String,
    /// Line and column, each from 1; `None` where the reader gives none.
    pub place: Option<(u32, u32)>,
}

/// Something worth knowing that does not stop a replay.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// Where.
    pub at: Origin,
    /// In words, ids in backticks.
    pub text: String,
}

/// A KEDA ScaledObject with KEDA's defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaledObject {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Value of `app.kubernetes.io/name`: the workload.
    pub workload: String,
    /// Deployment that it scales.
    pub target: String,
    /// `pollingInterval`, default 30.
    pub polling_interval_s: u32,
    /// `cooldownPeriod`, default 300: only for the step to zero.
    pub cooldown_s: u32,
    /// `initialCooldownPeriod`, default 0.
    pub initial_cooldown_s: u32,
    /// `minReplicaCount`, default 0.
    pub min_replicas: u32,
    /// `maxReplicaCount`, default 100.
    pub max_replicas: u32,
    /// `idleReplicaCount`.
    pub idle_replicas: Option<u32>,
    /// `fallback`.
    pub fallback: Option<Fallback>,
    /// HPA behaviour, Kubernetes' defaults filled in.
    pub behavior: Behavior,
    /// Triggers in the order of the file.
    pub triggers: Vec<Trigger>,
    /// Annotated `autoscaling.keda.sh/paused: "true"`.
    pub paused: bool,
}

/// Count that a failing metric leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// Failures in a row after which it holds.
    pub failure_threshold: u32,
    /// Count.
    pub replicas: u32,
}

/// One trigger.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// Name, may be empty.
    pub name: String,
    /// `AverageValue` (default) or `Value`.
    pub metric_type: MetricType,
    /// `useCachedMetrics`, default false.
    pub use_cached_metrics: bool,
    /// What it reads.
    pub kind: TriggerKind,
}

/// How the HPA reads a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricType {
    /// Sum over the target a replica.
    AverageValue,
    /// Sum against the target.
    Value,
}

/// What a trigger reads.
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerKind {
    /// A window.
    Cron {
        /// IANA zone.
        timezone: String,
        /// Five fields.
        start: String,
        /// Five fields.
        end: String,
        /// Count inside the window.
        desired_replicas: u32,
    },
    /// A PromQL query.
    Prometheus {
        /// Address.
        server: String,
        /// PromQL.
        query: String,
        /// Target a replica.
        threshold: f64,
        /// Active strictly above it, default 0.
        activation_threshold: f64,
        /// An empty result is 0 (default) rather than an error.
        ignore_null_values: bool,
    },
    /// A queue, or a scaler that a replay cannot evaluate.
    Other {
        /// KEDA's type.
        scaler: String,
        /// Its metadata.
        metadata: BTreeMap<String, String>,
    },
}

/// HPA behaviour.
#[derive(Clone, Debug, PartialEq)]
pub struct Behavior {
    /// Up: default no stabilization, +4 pods or +100% every 15 s, the larger.
    pub up: ScalingRules,
    /// Down: default 300 s, 100% every 15 s.
    pub down: ScalingRules,
}

/// Rules of one direction.
#[derive(Clone, Debug, PartialEq)]
pub struct ScalingRules {
    /// Stabilization window.
    pub stabilization_s: u32,
    /// Which policy counts.
    pub select: SelectPolicy,
    /// Policies.
    pub policies: Vec<ScalingPolicy>,
    /// Tolerance, default 0.1.
    pub tolerance: f64,
}

/// Which of several policies counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectPolicy {
    /// The one that changes most (default).
    Max,
    /// The one that changes least.
    Min,
    /// No change in this direction.
    Disabled,
}

/// At most so much change in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScalingPolicy {
    /// Pods or percent.
    pub unit: PolicyUnit,
    /// How many.
    pub value: u32,
    /// Period.
    pub period_s: u32,
}

/// Unit of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyUnit {
    /// Pods.
    Pods,
    /// Percent of the count at the start of the period.
    Percent,
}

/// A Deployment, or the patch of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Workload: label `app.kubernetes.io/name`, for a patch the folder that it lies in.
    pub workload: String,
    /// Count; `None` where KEDA sets it.
    pub replicas: Option<u32>,
    /// Its pods.
    pub pod: PodSpec,
    /// The server that its pods run, where several models share it.
    pub server: Option<ModelServer>,
}

/// A Triton server that several models share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelServer {
    /// Models that it loads and has a configuration of, sorted by name.
    pub models: Vec<ServedModel>,
    /// Executions at a time, all models together; `None`: without a limit.
    pub executions: Option<u32>,
}

impl ModelServer {
    /// Most requests in service: as many batches as may run at a time, the largest ones.
    #[must_use]
    pub fn most_in_service(&self) -> u32 {
        let batches = self.models.iter().flat_map(|m| std::iter::repeat_n(m.max_batch_size.max(1), m.instances as usize));
        let mut batches: Vec<u32> = batches.collect();
        batches.sort_unstable_by(|a, b| b.cmp(a));
        batches.into_iter().take(self.executions.map_or(usize::MAX, |n| n as usize)).sum()
    }
}

/// A model of a shared server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedModel {
    /// Name.
    pub name: String,
    /// Instances, all groups together.
    pub instances: u32,
    /// `max_batch_size`, default 0: one request at a time.
    pub max_batch_size: u32,
    /// `max_queue_delay_microseconds`, default 0. A replay leaves it to the model's curve.
    pub max_queue_delay_us: u32,
    /// Priority of the rate limiter, 1 the most urgent.
    pub priority: u32,
}

/// Where pods run and what they ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct PodSpec {
    /// Declared pools that it may run on, the preferred one first: those that its selector and affinity name (all, where it names
    /// none), whose taints it tolerates and whose nodes have GPUs enough. Empty: it asks for no GPU and runs elsewhere.
    pub pools: Vec<String>,
    /// GPUs of all containers; `None` where the file does not say (a patch by strategic merge).
    pub gpus: Option<u32>,
    /// The one slice of a GPU that it asks for, by resource.
    pub slice: Option<String>,
    /// CPUs requested, thousandths.
    pub cpu_milli: Option<u64>,
    /// Memory requested, MiB.
    pub memory_mib: Option<u64>,
    /// `terminationGracePeriodSeconds`, default 30.
    pub grace_s: u32,
    /// A hard spread over zones (`DoNotSchedule` on the zone key): its `minDomains`, 1 where it names none.
    pub zones_spread: Option<u32>,
}

/// A CronJob that runs work.
#[derive(Clone, Debug, PartialEq)]
pub struct CronJob {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Workload.
    pub workload: String,
    /// IANA zone, `UTC` by default.
    pub time_zone: String,
    /// Five fields.
    pub schedule: String,
    /// `startingDeadlineSeconds`.
    pub starting_deadline_s: Option<u32>,
    /// `parallelism`, default 1.
    pub parallelism: u32,
    /// `completions`, default `parallelism`.
    pub completions: u32,
    /// `activeDeadlineSeconds`.
    pub active_deadline_s: Option<u32>,
    /// `spec.suspend`.
    pub suspend: bool,
    /// Its pods.
    pub pod: PodSpec,
}

/// A CronJob that sets or removes the annotation that pauses a ScaledJob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// ScaledJob.
    pub scaled_job: String,
    /// IANA zone.
    pub time_zone: String,
    /// Five fields.
    pub schedule: String,
    /// Pauses (true) or releases (false).
    pub pauses: bool,
}

/// A KEDA ScaledJob.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaledJob {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Workload.
    pub workload: String,
    /// `pollingInterval`, default 30.
    pub polling_interval_s: u32,
    /// `maxReplicaCount`, default 100.
    pub max_replicas: u32,
    /// `minReplicaCount`, default 0.
    pub min_replicas: u32,
    /// `activeDeadlineSeconds` of its Jobs.
    pub active_deadline_s: Option<u32>,
    /// Triggers.
    pub triggers: Vec<Trigger>,
    /// Annotated `autoscaling.keda.sh/paused: "true"` in the file.
    pub paused: bool,
    /// Its pods.
    pub pod: PodSpec,
}

/// A pool of equal machines as the node autoscaler will run it.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolSpec {
    /// Name: the value of the pool label.
    pub name: String,
    /// Region.
    pub region: String,
    /// Machine shape.
    pub instance_type: String,
    /// On spot.
    pub spot: bool,
    /// Zones; empty: any.
    pub zones: Vec<String>,
    /// Most nodes: for Karpenter its limit of GPUs over the GPUs of a node.
    pub max_nodes: u32,
    /// Fewest nodes (0 for Karpenter, which has no floor).
    pub min_nodes: u32,
    /// Seconds that an empty node stays; `None`: never taken away.
    pub consolidate_after_s: Option<u32>,
    /// Nodes that are not empty may be given up for cheaper ones (`WhenEmptyOrUnderutilized`).
    pub replaces_underutilized: bool,
    /// Weight: pools with more are tried first.
    pub weight: u32,
    /// Slices of a node by resource; empty: its GPUs are whole.
    pub slices: BTreeMap<String, u32>,
}
