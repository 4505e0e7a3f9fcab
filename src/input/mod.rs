//! The way in: files to a validated [`Scenario`](crate::domain::Scenario).
//!
//! `read` alone touches files; `*_file` says how they are written; `validate` is pure and tells every fault at once;
//! `render` prints faults as a compiler does. Codes are in [`codes`] and in `docs/diagnostics.md`.

pub mod at;
pub mod canon;
pub mod capacity_file;
pub mod codes;
pub mod faults;
pub mod load;
pub mod network_file;
pub mod profile_file;
pub mod purchase_file;
pub mod read;
pub mod render;
mod repair;
pub mod request_file;
pub mod scenario_file;
pub mod series_file;
pub mod suggest;
pub mod uncertainty_file;
pub mod validate;
pub mod week;
pub mod workload_file;
pub mod yaml;

pub use load::{
    BUILTIN_PRICES, LoadOptions, Loaded, PriceBook, Rejected, load, load_builtin_demo, load_builtin_demo_with, load_with, requests,
};
