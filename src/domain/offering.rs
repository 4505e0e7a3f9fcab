//! What can be bought: instance types, and the offerings (type x region x capacity type) that carry a price.

use crate::ids::{AcceleratorId, InstanceTypeId, RegionId};
use crate::units::{GiB, UsdPerHour};

/// A public cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cloud {
    /// Amazon Web Services.
    Aws,
    /// Google Cloud.
    Gcp,
    /// Microsoft Azure.
    Azure,
}

impl Cloud {
    /// The lower-case name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::Azure => "azure",
        }
    }

    /// Seconds of warning before a spot node is taken back (AWS 120 s; Google Cloud and Azure 30 s).
    #[must_use]
    pub const fn reclaim_notice_s(self) -> f64 {
        match self {
            Self::Aws => 120.0,
            Self::Gcp | Self::Azure => 30.0,
        }
    }
}

/// How a node is bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CapacityType {
    /// Paid by the hour, not taken back.
    OnDemand,
    /// Cheaper, and the cloud may take it back.
    Spot,
}

impl CapacityType {
    /// The name used in every file, which is also Karpenter's label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Spot => "spot",
        }
    }
}

/// How sure it is that the on-demand price buys a node when one is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assurance {
    /// Held by a commitment or a reservation.
    Reserved,
    /// Can be released and had back.
    Reliable,
    /// Hard to get: kept all week once held.
    Scarce,
}

impl Assurance {
    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Reliable => "reliable",
            Self::Scarce => "scarce",
        }
    }
}

/// A machine shape of a cloud, the same in every region.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceType {
    /// The cloud's own name.
    pub id: InstanceTypeId,
    /// Whose it is.
    pub cloud: Cloud,
    /// Its GPU type.
    pub accelerator: AcceleratorId,
    /// Whole GPUs on the machine; fractional ones are listed in the catalogue and never planned on.
    pub gpus: u32,
    /// Memory one GPU shows.
    pub gpu_memory: GiB,
    /// Virtual CPUs.
    pub vcpus: f64,
    /// Main memory.
    pub ram: GiB,
    /// GPUs are linked by NVLink.
    pub nvlink: bool,
}

/// Where a reclaim hazard or an availability comes from, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpotEvidence {
    /// The user's own interruption log, given in the scenario.
    OwnLog,
    /// A collected availability trace.
    Trace,
    /// The cloud's advisor band: evidence of the hazard only, and a weak one.
    AdvisorBand,
    /// Nothing known: the stated pessimistic prior.
    Prior,
}

impl SpotEvidence {
    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OwnLog => "own-log",
            Self::Trace => "trace",
            Self::AdvisorBand => "advisor-band",
            Self::Prior => "prior",
        }
    }
}

/// Risk of a spot pool (instance type x zone).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpotRisk {
    /// Share of time in which the pool can supply, `u`.
    pub availability: f64,
    /// Collapses of the pool an hour while it supplies, `h`.
    pub reclaims_per_hour: f64,
    /// Where both come from.
    pub evidence: SpotEvidence,
}

/// A price with its place and its origin: an instance type in a region, bought one way.
#[derive(Clone, Debug, PartialEq)]
pub struct Offering {
    /// Machine shape.
    pub instance_type: InstanceTypeId,
    /// Region.
    pub region: RegionId,
    /// Zones that are known to offer it; empty when unknown.
    pub zones: Vec<String>,
    /// On-demand or spot.
    pub capacity_type: CapacityType,
    /// List price, before the scenario's discount and adders.
    pub list_price: UsdPerHour,
    /// What the planner pays: list price, less `discount_percent` (on-demand only), plus adders and percentage.
    pub price: UsdPerHour,
    /// Whether on-demand can be relied on.
    pub assurance: Assurance,
    /// Risk, for spot.
    pub risk: Option<SpotRisk>,
    /// Where the price was read.
    pub source: String,
    /// Day of the price, `YYYY-MM-DD`.
    pub as_of: String,
}
