//! Integration tests, one module an area.

mod diff;
mod golden;
mod report;
mod report_fixture;
