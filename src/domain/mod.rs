//! The nouns of the problem: immutable, validated, without serde.

pub mod accelerator;
pub mod capacity_table;
pub mod demand;
pub mod fleet;
pub mod network;
pub mod offering;
pub mod partition;
pub mod policy;
pub mod profile;
pub mod purchase;
pub mod scenario;
pub mod slo;
pub mod uncertainty;
pub mod workload;

pub use accelerator::Accelerator;
pub use capacity_table::{CapacityTable, METHOD_VERSION};
pub use demand::{BurstClass, Demand, TokenShape, Traffic};
pub use fleet::{Commitment, Fleet, NodeGroup};
pub use network::{Client, EgressPrice, NatPrice, Network, Remote, RoundTrip};
pub use offering::{Assurance, CapacityType, Cloud, InstanceType, Offering, SpotEvidence, SpotRisk};
pub use partition::{Isolation, Layout, SharePolicy, ShareWith, Slice, Technique};
pub use policy::{Adders, NodeAutoscaler, NodeAutoscalerKind, Quota, QuotaUnit, Reserves, Risk, SpotRiskOverride, Target};
pub use profile::{
    Checkpoint, ColdStart, DecodeStep, Evidence, GangPoint, Knot, LlmModel, OperatingPoint, Performance, Profile, ProfileKind, Spread,
};
pub use purchase::{Buying, Cover, Part, Payment, Product, PurchaseKind, PurchaseUnit};
pub use scenario::{InputFile, Scenario};
pub use slo::Slo;
pub use uncertainty::{Case, RiskLevel, Uncertainty};
pub use workload::{
    ColdRequests, Job, JobRun, Metrics, Mode, Placement, Queue, Routing, Scaling, Service, SpotPolicy, Workload, WorkloadKind,
};
