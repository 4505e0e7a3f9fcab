//! `gpuplan prices`: what the clouds ask, refreshed, kept and compared. One file a subcommand.

pub mod cache;
pub mod diff;
pub mod history;
pub mod list;
pub mod owned;
pub mod pin;
pub mod refresh;
pub mod scope;
pub mod show;
pub mod snapshots;
pub mod sources;

use super::{Exit, Terminal};
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::Cloud;
use crate::pricing::codes;
use clap::ValueEnum;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// What to do; `list` if left out.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Which prices.
    #[command(flatten)]
    pub list: list::Args,
}

/// What to do with prices.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List prices, cheapest GPU-hour first within a GPU type.
    List(list::Args),
    /// Read today's prices from the clouds into a new snapshot.
    Refresh(refresh::Args),
    /// Show all that is known of one price.
    Show(show::Args),
    /// Show how a price moved from snapshot to snapshot.
    History(history::Args),
    /// Tell two snapshots apart, and which lines of a plan that moves.
    Diff(diff::Args),
    /// List the snapshots in the cache.
    Snapshots(snapshots::Args),
    /// Plan on one snapshot until `unpin`, or write it to a file to keep beside a scenario.
    Pin(pin::Args),
    /// Plan on the newest snapshot again.
    Unpin,
    /// Print the commitments that the account holds, ready for a scenario.
    Owned(owned::Args),
}

/// Clouds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum CloudArg {
    /// Amazon Web Services.
    Aws,
    /// Google Cloud.
    Gcp,
    /// Microsoft Azure.
    Azure,
}

impl CloudArg {
    /// As the rest of the program knows it.
    #[must_use]
    pub const fn cloud(self) -> Cloud {
        match self {
            Self::Aws => Cloud::Aws,
            Self::Gcp => Cloud::Gcp,
            Self::Azure => Cloud::Azure,
        }
    }
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document.
    Json,
}

/// Runs the command.
pub fn run(args: &Args, terminal: &mut Terminal) -> Exit {
    match &args.command {
        None => list::run(&args.list, terminal),
        Some(Command::List(list)) => list::run(list, terminal),
        Some(Command::Refresh(refresh)) => refresh::run(refresh, terminal),
        Some(Command::Show(show)) => show::run(show, terminal),
        Some(Command::History(history)) => history::run(history, terminal),
        Some(Command::Diff(diff)) => diff::run(diff, terminal),
        Some(Command::Snapshots(snapshots)) => snapshots::run(snapshots, terminal),
        Some(Command::Pin(pin)) => pin::run(pin, terminal),
        Some(Command::Unpin) => pin::unpin(terminal),
        Some(Command::Owned(owned)) => owned::run(owned, terminal),
    }
}

/// Prints a fault and its way out.
pub fn tell(diagnostic: &Diagnostic, terminal: &mut Terminal) {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    // Nothing is left to do if even the fault cannot be told.
    let _ = writeln!(terminal.err, "{severity}[{}]: {}", diagnostic.code, diagnostic.message);
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(terminal.err, "  = help: {help}");
    }
}

/// Prints a fault that ends the command: 3 where the cache is at fault, else 2.
pub fn told(diagnostic: &Diagnostic, terminal: &mut Terminal) -> Exit {
    tell(diagnostic, terminal);
    if diagnostic.code == codes::CACHE_UNWRITABLE { Exit::Failure } else { Exit::BadInput }
}
