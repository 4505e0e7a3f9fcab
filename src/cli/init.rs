//! `gpuplan init`.

use super::{Exit, Terminal};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args, _terminal: &mut Terminal) -> Exit {
    Exit::Failure
}
