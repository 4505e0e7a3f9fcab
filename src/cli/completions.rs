//! `gpuplan completions`: a completion script for a shell.

use super::{Cli, Exit, Terminal};
use clap::CommandFactory;
use clap_complete::Shell;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Shell to complete for.
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints the script.
pub fn run(args: &Args, terminal: &mut Terminal) -> Exit {
    clap_complete::generate(args.shell, &mut Cli::command(), "gpuplan", &mut terminal.out);
    Exit::Done
}
