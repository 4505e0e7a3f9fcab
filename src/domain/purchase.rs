//! Commitments that are offered and not held yet: for one or three years, paid whether used or not.

use crate::ids::{InstanceTypeId, ProductId, RegionId, WorkloadId};
use crate::units::{HOURS_PER_MONTH, Usd, UsdPerHour};
use std::collections::BTreeSet;

/// What a commitment is to. In the order in which clouds credit them: what is bound most goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PurchaseKind {
    /// So many nodes of one machine in one region: AWS reserved instances, Azure reservations.
    Instance,
    /// Parts of machines in one region: Google's committed use of CPUs, memory and GPUs.
    Resource,
    /// So many dollars an hour, at a rate for each machine: savings plans.
    SavingsPlan,
}

impl PurchaseKind {
    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Resource => "resource",
            Self::SavingsPlan => "savings-plan",
        }
    }
}

/// When a commitment is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payment {
    /// By the hour.
    NoUpfront,
    /// A part at once, the rest by the hour.
    PartialUpfront,
    /// At once.
    AllUpfront,
}

impl Payment {
    /// Every way, in order.
    pub const ALL: [Self; 3] = [Self::NoUpfront, Self::PartialUpfront, Self::AllUpfront];

    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoUpfront => "no-upfront",
            Self::PartialUpfront => "partial-upfront",
            Self::AllUpfront => "all-upfront",
        }
    }
}

/// What an amount counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PurchaseUnit {
    /// Whole machines.
    Nodes,
    /// Virtual CPUs.
    Vcpus,
    /// GiB of memory.
    RamGib,
    /// GPUs.
    Gpus,
    /// Dollars an hour.
    UsdPerHour,
}

impl PurchaseUnit {
    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Vcpus => "vcpus",
            Self::RamGib => "ram-gib",
            Self::Gpus => "gpus",
            Self::UsdPerHour => "usd-per-hour",
        }
    }

    /// The least amount that more or less can be bought: savings plans are sold by the tenth of a cent, all else whole.
    #[must_use]
    pub const fn step(self) -> f64 {
        match self {
            Self::UsdPerHour => 0.001,
            Self::Nodes | Self::Vcpus | Self::RamGib | Self::Gpus => 1.0,
        }
    }

    /// The part of a machine that it pays for; whole machines and savings plans pay for all of it.
    #[must_use]
    pub const fn part(self) -> Part {
        match self {
            Self::Nodes | Self::UsdPerHour => Part::Machine,
            Self::Vcpus => Part::Vcpus,
            Self::RamGib => Part::Ram,
            Self::Gpus => Part::Gpus,
        }
    }
}

/// What of a machine a commitment pays for. No machine is covered both whole and by its parts: clouds sell one or the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// All of it.
    Machine,
    /// Its CPUs.
    Vcpus,
    /// Its memory.
    Ram,
    /// Its GPUs.
    Gpus,
}

/// A machine that a product covers.
#[derive(Clone, Debug, PartialEq)]
pub struct Cover {
    /// Machine shape.
    pub instance_type: InstanceTypeId,
    /// Region.
    pub region: RegionId,
    /// Units of the commitment that a covered node-hour takes: 1 node, its CPUs, or dollars at the plan's rate.
    pub units: f64,
}

/// A commitment that is offered.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// Name.
    pub id: ProductId,
    /// What it is to.
    pub kind: PurchaseKind,
    /// What its amount counts.
    pub unit: PurchaseUnit,
    /// Months that it binds: 12 or 36.
    pub term_months: u32,
    /// When it is paid.
    pub payment: Payment,
    /// Paid at once for one unit.
    pub upfront: Usd,
    /// Paid for one unit and hour, used or not.
    pub hourly: UsdPerHour,
    /// On-demand price of one unit, where the unit is a part of a machine.
    pub on_demand: Option<UsdPerHour>,
    /// Machines, sorted.
    pub covers: Vec<Cover>,
    /// Where the price was read.
    pub source: String,
    /// Day of the price, `YYYY-MM-DD`.
    pub as_of: String,
}

impl Product {
    /// What a unit costs an hour with the upfront payment spread over the term, before adders, dollars.
    #[must_use]
    pub fn spread_usd_per_hour(&self) -> f64 {
        self.hourly.as_f64() + self.upfront.as_f64() / (f64::from(self.term_months) * HOURS_PER_MONTH)
    }
}

/// What may be bought, and what is known of how long its use will last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buying {
    /// Products that may be bought, in the order in which they are credited: by kind, then by how few machines they cover,
    /// then by name.
    pub products: Vec<Product>,
    /// Workloads whose owners expect them to shrink within the term.
    pub shrinking: BTreeSet<WorkloadId>,
}

impl Buying {
    /// The products in the order in which they are credited.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        for product in &mut self.products {
            product.covers.sort_by(|a, b| (&a.instance_type, &a.region).cmp(&(&b.instance_type, &b.region)));
        }
        self.products.sort_by(|a, b| (a.kind, a.covers.len(), &a.id).cmp(&(b.kind, b.covers.len(), &b.id)));
        self
    }
}
