//! The embedded catalogue: GPU types and dated prices of the clouds, and what a scenario can buy of them.
//!
//! In: the CSV files under `data/`. Out: [`CatalogRow`]s for people, and a [`Market`] of domain values for the planner.
//! Rows without a whole number of GPUs, or that cannot be bought, are listed and never planned on.

pub mod builtin;
pub mod family;
pub mod market;
pub mod network;
pub mod partition;
pub mod rows;

pub use market::{Market, PriceOverride, Terms, market};
pub use rows::{AcceleratorRow, Catalog, CatalogError, CatalogRow, RowCapacity};
