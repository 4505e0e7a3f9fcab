//! Integration tests, one file an area.

mod check;
mod corruptions;
mod fixture;
