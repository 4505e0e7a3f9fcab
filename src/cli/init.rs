//! `gpuplan init`: a commented scenario to start from. Never writes over a file that is there.

use super::{Exit, Terminal};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to write `scenario.yaml` into; made if it is not there.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Write over a `scenario.yaml` that is there.
    #[arg(long)]
    pub force: bool,
}

/// The scenario that is written.
pub const SCENARIO: &str = include_str!("init.yaml");

/// Runs the command.
pub fn run(args: &Args, terminal: &mut Terminal) -> Exit {
    let path = args.dir.join("scenario.yaml");
    let (told, exit) = match write(args, &path) {
        Ok(()) => {
            let next = if args.dir == Path::new(".") { String::new() } else { format!(" {}", args.dir.display()) };
            let told = format!("wrote {}\nnext: edit it, then `gpuplan validate{next}`, then `gpuplan optimize{next}`", path.display());
            return if writeln!(terminal.out, "{told}").is_ok() { Exit::Done } else { Exit::Failure };
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            (format!("`{}` is there already; `--force` writes over it", path.display()), Exit::BadInput)
        }
        Err(error) => (format!("cannot write `{}`: {error}", path.display()), Exit::BadInput),
    };
    // Nothing is left to do if even the fault cannot be told.
    let _ = writeln!(terminal.err, "error: {told}");
    exit
}

fn write(args: &Args, path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(&args.dir)?;
    let mut options = OpenOptions::new();
    options.write(true);
    // `create_new` and not a look before: a file that appears in between is not written over either.
    let options = if args.force { options.create(true).truncate(true) } else { options.create_new(true) };
    options.open(path)?.write_all(SCENARIO.as_bytes())
}
