//! The one integration crate. Each area has a file; goldens are plain files under `tests/golden/`.

mod brute_force;
mod check;
mod cli;
mod corruptions;
mod diff;
mod docs;
mod emit;
mod emit_fixture;
mod emit_tools;
mod fixture;
mod generated;
mod golden;
mod input;
mod input_cli;
mod input_data;
mod input_faults;
mod layering;
mod markdown;
mod report;
mod report_fixture;
mod repository;
mod rust_source;
mod setup;
