//! The command line itself: help, version, usage faults, completions.

use crate::repository::gpuplan;
use std::process::Output;
use std::time::{Duration, Instant};

/// Generous: a bare process start, with no files read, takes a few milliseconds.
const HELP_TIME_MAX: Duration = Duration::from_millis(500);

fn run(arguments: &[&str]) -> Output {
    gpuplan(arguments).output().unwrap_or_else(|e| panic!("gpuplan {arguments:?} did not start: {e}"))
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn help_is_there_at_once() {
    // The best of three: a machine that runs all tests at once may hold up any one process.
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        let output = run(&["--help"]);
        best = best.min(start.elapsed());
        assert_eq!(output.status.code(), Some(0));
        assert!(out(&output).contains("Usage: gpuplan"), "{}", out(&output));
    }
    assert!(best < HELP_TIME_MAX, "--help took {best:?}");
}

#[test]
fn version_is_the_packages() {
    let output = run(&["--version"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(out(&output).trim_end(), format!("gpuplan {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_exits_with_2_and_says_so_on_standard_error() {
    for arguments in [&["--no-such-flag"][..], &["optimize", "--no-such-flag"], &["no-such-command"], &[]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "gpuplan {arguments:?}");
        assert_eq!(out(&output), "", "gpuplan {arguments:?} writes to standard output");
        assert!(!output.stderr.is_empty(), "gpuplan {arguments:?} says nothing");
    }
}

#[test]
fn completions_know_the_subcommands() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        assert!(out(&output).contains("optimize"), "{shell}: {}", out(&output));
    }
}
