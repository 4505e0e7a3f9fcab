//! The one integration crate. Each area has a file; goldens are plain files under `tests/golden/`.

mod acceptance;
mod bad_input;
mod by_hand;
mod check;
mod cli;
mod corruptions;
mod diff;
mod docs;
mod emit;
mod emit_fixture;
mod emit_tools;
mod fixture;
mod freeze;
mod golden;
mod input;
mod layering;
mod markdown;
mod planned;
mod report;
mod report_fixture;
mod repository;
mod rust_source;
mod scenarios;
mod setup;
