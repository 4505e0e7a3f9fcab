//! GPU types: what the planner must know of a card beyond its price.

use crate::ids::AcceleratorId;
use crate::units::GiB;

/// A GPU type of the catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct Accelerator {
    /// Catalogue id.
    pub id: AcceleratorId,
    /// Name for people.
    pub name: String,
    /// Memory that the device shows, not what the data sheet sells.
    pub visible_memory: GiB,
    /// Hard to get on demand: never released in windows and never counted as fallback, unless the scenario allows it.
    pub scarce: bool,
}
