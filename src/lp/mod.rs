//! A linear program with named rows and columns. Knows nothing of GPUs and nothing of a solver.

pub mod model;
pub mod text;

pub use model::{Column, Model, Row};
