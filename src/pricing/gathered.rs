//! What a source of prices brings, before any of it is trusted.
//!
//! Sources fill these lists and judge nothing but the form: what a price may be is decided in one place, [`super::sanity`].

use crate::diagnostic::Diagnostic;
use crate::domain::Cloud;
use jiff::Timestamp;

/// How a machine is bought.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bought {
    /// By the hour.
    OnDemand,
    /// By the hour, and taken back when the cloud wants it.
    Spot,
    /// For a term.
    Committed(Term),
}

/// A commitment: which product, for how long, paid how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// Product.
    pub product: Product,
    /// Years: 1 or 3.
    pub years: u8,
    /// Payment.
    pub payment: Payment,
}

/// A product that commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Product {
    /// AWS standard reserved instance.
    StandardReserved,
    /// AWS convertible reserved instance.
    ConvertibleReserved,
    /// AWS EC2 Instance Savings Plan: a family in a region.
    InstanceSavingsPlan,
    /// AWS Compute Savings Plan: anything.
    ComputeSavingsPlan,
    /// Google Cloud resource-based commitment.
    ResourceCommitment,
    /// Azure reservation.
    Reservation,
    /// Azure savings plan for compute.
    AzureSavingsPlan,
}

impl Product {
    /// The name used in every file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StandardReserved => "standard-reserved",
            Self::ConvertibleReserved => "convertible-reserved",
            Self::InstanceSavingsPlan => "instance-savings-plan",
            Self::ComputeSavingsPlan => "compute-savings-plan",
            Self::ResourceCommitment => "resource-commitment",
            Self::Reservation => "reservation",
            Self::AzureSavingsPlan => "azure-savings-plan",
        }
    }
}

/// When a commitment is paid. Rates are always whole: what is paid up front is spread over the hours of the term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payment {
    /// By the month.
    NoUpfront,
    /// Half at once.
    PartialUpfront,
    /// All at once.
    AllUpfront,
}

impl Payment {
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

/// One price of one machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// Cloud.
    pub cloud: Cloud,
    /// Region, by the cloud's own name.
    pub region: String,
    /// Zone, where the price is zonal: an id that means the same to every account (`use1-az1`).
    pub zone: Option<String>,
    /// Machine, by the cloud's own name.
    pub instance_type: String,
    /// How it is bought.
    pub bought: Bought,
    /// Price of the whole machine, Linux, in `currency` an hour. May be anything here: zero, negative, absurd.
    pub per_hour: f64,
    /// Currency, ISO 4217.
    pub currency: String,
    /// Where it was read, in words for people: `AWS Price List`.
    pub source: String,
    /// Day or moment from which the source says that it holds; the moment of reading where it says nothing.
    pub as_of: Timestamp,
    /// How it was put together; empty where it is as listed: `12 x core 0.0316 + 85 x ram 0.0042 + 1 x gpu 2.9339`.
    pub derivation: String,
}

/// What a source says of a machine itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Cloud.
    pub cloud: Cloud,
    /// Machine.
    pub instance_type: String,
    /// GPU type as the source calls it, with its maker's name where there is one: `NVIDIA L40S`.
    pub gpu_name: String,
    /// GPUs; a fraction for a part of one.
    pub gpus: f64,
    /// Memory that one device shows, GiB.
    pub gpu_memory_gib: Option<f64>,
    /// Virtual CPUs.
    pub vcpus: f64,
    /// Main memory, GiB.
    pub ram_gib: f64,
    /// Source, in words for people.
    pub source: String,
}

/// A machine can be had in these zones of a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneOffer {
    /// Cloud.
    pub cloud: Cloud,
    /// Region.
    pub region: String,
    /// Machine.
    pub instance_type: String,
    /// Zones: ids where the cloud has ids, sorted.
    pub zones: Vec<String>,
}

/// Interruption band of a spot pool: evidence of the hazard, and a weak one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// Region.
    pub region: String,
    /// Machine.
    pub instance_type: String,
    /// `<5%`, `5-10%`, `10-15%`, `15-20%`, `>20%`: instances interrupted in the trailing month.
    pub band: String,
}

/// A spot price from a moment on.
#[derive(Clone, Debug, PartialEq)]
pub struct SpotPoint {
    /// Region.
    pub region: String,
    /// Zone id.
    pub zone: String,
    /// Machine.
    pub instance_type: String,
    /// From when on.
    pub at: Timestamp,
    /// Dollars an hour.
    pub usd_per_hour: f64,
}

/// How likely a request for spot capacity succeeds, 1 to 10, by AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementScore {
    /// Region.
    pub region: String,
    /// Zone id.
    pub zone: String,
    /// Machine; `g6e.*` where the score is that of any size of a family, for AWS scores sets of machines.
    pub instance_type: String,
    /// 1 to 10.
    pub score: u8,
}

impl PlacementScore {
    /// Whether it is the score of a machine, or of its family.
    #[must_use]
    pub fn is_of(&self, instance_type: &str) -> bool {
        match self.instance_type.strip_suffix(".*") {
            Some(family) => instance_type.split_once('.').is_some_and(|(of, _)| of == family),
            None => self.instance_type == instance_type,
        }
    }
}

/// A commitment that the account holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Owned {
    /// Cloud.
    pub cloud: Cloud,
    /// Region; empty where the commitment holds in all.
    pub region: String,
    /// Its name in the account.
    pub id: String,
    /// Product.
    pub product: Product,
    /// What it covers: an instance type, a family, resources; empty: anything.
    pub covers: String,
    /// Machines; 0 where it is not counted in machines.
    pub count: u32,
    /// Dollars an hour committed, or the amortized rate of the machines together.
    pub usd_per_hour: Option<f64>,
    /// End, when known.
    pub ends: Option<Timestamp>,
}

/// All that one source brought.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// Prices.
    pub quotes: Vec<Quote>,
    /// Machines.
    pub shapes: Vec<Shape>,
    /// Zones.
    pub zones: Vec<ZoneOffer>,
    /// Interruption bands.
    pub bands: Vec<Band>,
    /// Spot prices over time.
    pub spot_history: Vec<SpotPoint>,
    /// Placement scores.
    pub placement: Vec<PlacementScore>,
    /// Commitments held.
    pub owned: Vec<Owned>,
    /// What was left out, or is strange: warnings and notes, each naming what it is about.
    pub findings: Vec<Diagnostic>,
}

impl Gathered {
    /// Adds what another source brought.
    pub fn add(&mut self, other: Self) {
        self.quotes.extend(other.quotes);
        self.shapes.extend(other.shapes);
        self.zones.extend(other.zones);
        self.bands.extend(other.bands);
        self.spot_history.extend(other.spot_history);
        self.placement.extend(other.placement);
        self.owned.extend(other.owned);
        self.findings.extend(other.findings);
    }
}
