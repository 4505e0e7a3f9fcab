//! Reports: a [`Plan`](crate::plan::Plan) in, text out. Nothing here decides, prices or reads a file.
//!
//! * [`terminal`]: the answer in three lines, then tables, for the screen.
//! * [`markdown`]: `report.md`, the monthly cost report that is forwarded to people who never run the program.
//! * [`diff`]: what differs between two plans, for the screen.
//!
//! The machine-readable form is the plan itself. Names and notes come from users' files: [`text`] makes them harmless
//! for a terminal, for Markdown and for a shell before they are shown.

pub mod diff;
pub mod facts;
pub mod loss;
pub mod markdown;
pub mod quota;
pub mod simulation;
pub mod stands;
pub mod terminal;
pub mod text;
pub mod week;

pub use diff::diff;
pub use markdown::markdown;
pub use simulation::simulation;
pub use terminal::{Style, terminal};
