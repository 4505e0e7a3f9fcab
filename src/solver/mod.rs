//! Solves a [`Problem`](crate::formulation::Problem): columns and a priced master for the bound and the candidates, an
//! integer master for the plan. Ends by gap or by a work limit, never by the clock, so the same input gives the same
//! bytes.

pub mod branch;
pub mod generate;
pub mod highs;
pub mod master;
pub mod purchase;
pub mod quota;
pub mod reference;
pub mod solution;
pub mod stage;
pub mod variety;

pub use generate::{Pool as ColumnPool, solve};
pub use solution::Solution;
pub use stage::Stage;

/// What can go wrong in a solve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SolveError {
    /// Some workloads cannot be run within the quotas and limits together.
    #[error("no plan keeps every limit: {} cannot be placed", .0.join(", "))]
    Infeasible(Vec<String>),
    /// The solver gave up.
    #[error("the solver stopped without an answer: {0}")]
    Solver(String),
}
