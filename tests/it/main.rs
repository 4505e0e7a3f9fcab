//! Integration tests, one module an area.

//! Integration tests, one module an area.

mod emit;
mod emit_fixture;
mod emit_tools;
mod golden;
