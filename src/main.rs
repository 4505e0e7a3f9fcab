//! The `gpuplan` binary: parse, dispatch, exit code.

use clap::Parser;
use gpuplan::cli::{Cli, Terminal, run};
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut terminal = Terminal::standard();
    let exit = run(cli, &mut terminal);
    // A reader that has gone away (`gpuplan ... | head`) is no failure of ours.
    let _ = terminal.out.flush();
    let _ = terminal.err.flush();
    ExitCode::from(exit.code())
}
