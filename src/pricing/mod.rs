//! Live prices: what the clouds ask now, as snapshots that can be kept, compared and planned on.
//!
//! In: public price lists, or the user's own accounts. Out: a [`snapshot::Snapshot`], which is a catalogue with a digest. A straight line:
//! sources gather, `sanity` judges, `snapshot` keeps; nothing of it is known to the planner, which sees a catalogue.

pub mod account;
pub mod assemble;
pub mod codes;
pub mod diff;
#[cfg(test)]
pub(crate) mod double;
pub mod gathered;
pub mod history;
pub mod http;
pub mod key;
#[cfg(test)]
pub(crate) mod loopback;
pub mod merge;
pub mod pages;
pub mod public;
pub mod sanity;
pub mod snapshot;
pub mod snapshot_file;
pub mod statistics;
pub mod store;
pub mod summed;
