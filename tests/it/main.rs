//! The one integration crate. Each area has a file; goldens are plain files under `tests/golden/`.

mod brute_force;
mod cli;
mod diff;
mod docs;
mod emit;
mod emit_fixture;
mod emit_tools;
mod generated;
mod golden;
mod layering;
mod markdown;
mod report;
mod report_fixture;
mod repository;
mod rust_source;
