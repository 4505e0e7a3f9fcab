//! `gpuplan schema`: the JSON Schema of a file format, for editors and for checks elsewhere.

use super::{Exit, Terminal};
use crate::input::capacity_file::CapacityFile;
use crate::input::profile_file::ProfileFile;
use crate::input::scenario_file::ScenarioFile;
use crate::plan::Plan;
use std::io::Write;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which format.
    #[arg(value_enum, default_value_t = Which::Scenario)]
    pub which: Which,
}

/// File formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Which {
    /// `scenario.yaml`, gpuplan/scenario/v1.
    Scenario,
    /// `profiles/<name>.yaml`, gpuplan/profile/v1.
    Profile,
    /// `plan.json`, gpuplan/plan/v1.
    Plan,
    /// `capacity.json`, gpuplan/capacity/v1.
    Capacity,
}

/// Runs the command.
pub fn run(args: &Args, terminal: &mut Terminal) -> Exit {
    let schema = match args.which {
        Which::Scenario => schemars::schema_for!(ScenarioFile),
        Which::Profile => schemars::schema_for!(ProfileFile),
        Which::Plan => schemars::schema_for!(Plan),
        Which::Capacity => schemars::schema_for!(CapacityFile),
    };
    let written = serde_json::to_string_pretty(&schema).map_err(std::io::Error::other).and_then(|json| writeln!(terminal.out, "{json}"));
    if written.is_ok() { Exit::Done } else { Exit::Failure }
}
