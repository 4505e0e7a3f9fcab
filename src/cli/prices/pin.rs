//! `gpuplan prices pin`: plans stay on one snapshot, whatever is refreshed; or a snapshot goes into a file.

use super::{Exit, Terminal, cache, told};
use crate::cli::write::write_file;
use crate::pricing::snapshot_file;
use std::path::{Path, PathBuf};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Snapshot: `current`, `latest`, `builtin` (with --out), or the beginning of a digest.
    #[arg(value_name = "SNAPSHOT", default_value = "latest")]
    pub snapshot: String,
    /// Write it to this file instead, to be kept with a scenario and named by `--prices FILE`.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &Args, terminal: &mut Terminal) -> Exit {
    let found = match cache::find(Some(&args.snapshot), terminal) {
        Ok(found) => found,
        Err(fault) => return told(&fault, terminal),
    };
    if let Some(path) = &args.out {
        return write(path, &found, terminal);
    }
    let Some(digest) = &found.digest else {
        let _ = writeln!(
            terminal.err,
            "error: there is no snapshot to pin: take one with `gpuplan prices refresh`, or plan with `--prices builtin`"
        );
        return Exit::BadInput;
    };
    match cache::store().and_then(|store| store.pin(digest)) {
        Ok(kept) => {
            let _ = writeln!(terminal.out, "pinned {} until `gpuplan prices unpin`: {}", cache::short(&kept.digest), found.name);
            Exit::Done
        }
        Err(fault) => told(&fault, terminal),
    }
}

fn write(path: &Path, found: &cache::Found, terminal: &mut Terminal) -> Exit {
    let bytes = match snapshot_file::encode(&found.snapshot) {
        Ok(bytes) => bytes,
        Err(fault) => return told(&fault, terminal),
    };
    match write_file(path, &bytes) {
        Ok(()) => {
            let shown = path.display();
            let _ = writeln!(terminal.out, "wrote {}: {}\nplan on it with `gpuplan optimize --prices {shown}`", shown, found.name);
            Exit::Done
        }
        Err(fault) => {
            let _ = writeln!(terminal.err, "error: `{}`: {fault}", path.display());
            Exit::Failure
        }
    }
}

/// Removes the pin.
pub fn unpin(terminal: &mut Terminal) -> Exit {
    match cache::store().and_then(|store| store.unpin()) {
        Ok(true) => {
            let _ = writeln!(terminal.out, "plans are made on the newest snapshot again");
            Exit::Done
        }
        Ok(false) => {
            let _ = writeln!(terminal.out, "nothing was pinned");
            Exit::Done
        }
        Err(fault) => told(&fault, terminal),
    }
}
