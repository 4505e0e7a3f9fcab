//! GPU types: what the planner must know of a card beyond its price.

use crate::domain::partition::{Layout, Slice};
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
    /// Parts that a replica may have of it, sorted by technique.
    pub slices: Vec<Slice>,
    /// Ways to cut it.
    pub layouts: Vec<Layout>,
}

impl Accelerator {
    /// The slice of that name.
    #[must_use]
    pub fn slice(&self, name: &str) -> Option<&Slice> {
        self.slices.iter().find(|slice| slice.name == name)
    }

    /// The layout of that name.
    #[must_use]
    pub fn layout(&self, name: &str) -> Option<&Layout> {
        self.layouts.iter().find(|layout| layout.name == name)
    }
}
