//! GPUs cut into slices that several workloads share: MIG, MPS and time-slicing, and who may share with whom.

use crate::units::GiB;

/// How a GPU is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Technique {
    /// Multi-instance GPU: slices of their own in hardware.
    Mig,
    /// Multi-process service: processes run side by side, each with a limit on threads and memory.
    Mps,
    /// Processes take turns; nothing keeps one from another's time or memory.
    TimeSlicing,
}

impl Technique {
    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mig => "mig",
            Self::Mps => "mps",
            Self::TimeSlicing => "time-slicing",
        }
    }

    /// What keeps its tenants apart.
    #[must_use]
    pub const fn isolation(self) -> Isolation {
        match self {
            Self::Mig => Isolation::Hardware,
            Self::Mps => Isolation::Memory,
            Self::TimeSlicing => Isolation::None,
        }
    }

    /// Speed of a slice as a share of its part of the card's: all times are divided by it, and the limit is then held against them. MIG: a
    /// 1g.10gb slice of an A100 80 GB, times seven, is 0.63 (ResNet50) and 0.78 (BERT) of the whole card in MLPerf Inference 2.1's Server
    /// scenario, within a limit (0.90 and 0.92 offline); the lower is taken. MPS and time-slicing are assumed below MIG: MPS shares caches and
    /// memory bandwidth, time-slicing also loses the switches. Used like this they plan for less than was measured on an H100
    /// (docs/sharing-measured.md), where within tight limits less than these shares of the card was left.
    #[must_use]
    pub const fn delivered(self) -> f64 {
        match self {
            Self::Mig => 0.63,
            Self::Mps => 0.55,
            Self::TimeSlicing => 0.45,
        }
    }
}

/// What an owner wants between a workload and others on the same GPU; the stronger comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isolation {
    /// Own compute, cache and memory paths, and own faults: MIG only.
    Hardware,
    /// Own memory and a limit on threads; caches and faults are shared: MPS as well.
    Memory,
    /// None: time-slicing, and one server process for several models.
    None,
}

impl Isolation {
    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hardware => "hardware",
            Self::Memory => "memory",
            Self::None => "none",
        }
    }
}

/// With whom a workload may share a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShareWith {
    /// With nobody.
    Never,
    /// With workloads of its own team.
    Team,
    /// With anybody who says the same.
    Any,
}

impl ShareWith {
    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Team => "team",
            Self::Any => "any",
        }
    }
}

/// What the owner of a workload allows about sharing a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharePolicy {
    /// With whom.
    pub with: ShareWith,
    /// What has to keep them apart.
    pub isolation: Isolation,
}

impl SharePolicy {
    /// Of a workload whose owner says nothing.
    pub const NEVER: Self = Self { with: ShareWith::Never, isolation: Isolation::Hardware };

    /// Whether the owner allows a technique.
    #[must_use]
    pub fn allows(&self, technique: Technique) -> bool {
        self.with != ShareWith::Never && technique.isolation() <= self.isolation
    }
}

/// A part of a GPU that a replica may have.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// Name: the MIG profile (`1g.10gb`), `mps-4`, `time-slicing-2`.
    pub name: String,
    /// How it is cut.
    pub technique: Technique,
    /// Share of the card's compute.
    pub compute: f64,
    /// Share of the card's memory and of its bandwidth.
    pub memory_share: f64,
    /// Memory that an engine sees.
    pub memory: GiB,
}

impl Slice {
    /// The share of the card that bounds it.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.compute.min(self.memory_share)
    }

    /// Kubernetes resource that a pod asks for.
    #[must_use]
    pub fn resource(&self) -> String {
        match self.technique {
            Technique::Mig => format!("nvidia.com/mig-{}", self.name),
            Technique::Mps | Technique::TimeSlicing => "nvidia.com/gpu.shared".to_owned(),
        }
    }
}

/// How every GPU of a node is cut.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Name: a label value, unique for the card.
    pub name: String,
    /// How it is cut.
    pub technique: Technique,
    /// Slices of one GPU by name, sorted, with their count.
    pub slices: Vec<(String, u32)>,
}

impl Layout {
    /// Slices of one GPU.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.slices.iter().map(|(_, count)| count).sum()
    }
}
