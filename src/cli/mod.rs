//! The command line: one file a subcommand, each with its arguments and its `run`.
//!
//! Here and in `input::read` alone the program touches files, clock, environment and standard streams.

pub mod calibrate;
pub mod check;
pub mod completions;
pub mod diff;
pub mod emitted;
pub mod exit;
pub mod faults;
pub mod init;
pub mod optimize;
pub mod prices;
pub mod progress;
pub mod schema;
pub mod simulate;
pub mod terminal;
pub mod trace;
pub mod validate;
pub mod write;

pub use exit::Exit;
pub use terminal::Terminal;

use clap::{Parser, Subcommand};

/// Plan GPU fleets: the cheapest nodes, replicas and schedules that keep your SLOs.
///
/// Outside a project `gpuplan optimize --target -40%` runs the embedded example. Start your own with `gpuplan init`.
#[derive(Debug, Parser)]
#[command(name = "gpuplan", version, propagate_version = true, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a plan and write the Terraform, KEDA and Kubernetes files that carry it out.
    Optimize(optimize::Args),
    /// Hold a plan against its scenario with an independent checker.
    Check(check::Args),
    /// Replay traffic against the emitted files: attainment, latencies and the bill, with reclaims and lag.
    Simulate(simulate::Args),
    /// Measure by simulation what replicas sustain within their objectives, for plans to be made on.
    Calibrate(calibrate::Args),
    /// Tell two plans apart.
    Diff(diff::Args),
    /// Write a commented scenario to start from.
    Init(init::Args),
    /// Check a scenario and its profiles; report every fault.
    Validate(validate::Args),
    /// Print the JSON Schema of a file format.
    Schema(schema::Args),
    /// Look at the prices that plans are made with.
    Prices(prices::Args),
    /// Print a completion script for a shell.
    Completions(completions::Args),
}

/// Runs one command line.
pub fn run(cli: Cli, terminal: &mut Terminal) -> Exit {
    match cli.command {
        Command::Optimize(args) => optimize::run(&args, terminal),
        Command::Check(args) => check::run(&args, terminal),
        Command::Simulate(args) => simulate::run(&args, terminal),
        Command::Calibrate(args) => calibrate::run(&args, terminal),
        Command::Diff(args) => diff::run(&args, terminal),
        Command::Init(args) => init::run(&args, terminal),
        Command::Validate(args) => validate::run(&args, terminal),
        Command::Schema(args) => schema::run(&args, terminal),
        Command::Prices(args) => prices::run(&args, terminal),
        Command::Completions(args) => completions::run(&args, terminal),
    }
}
