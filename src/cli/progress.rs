//! Progress on standard error, for anything over a second.

use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Steps are named once the run has taken this long.
const QUIET: Duration = Duration::from_secs(1);

/// A line that says what is being done; on a terminal it is rewritten in place, elsewhere one line a step.
pub struct Progress {
    started: Instant,
    in_place: bool,
    shown: Mutex<bool>,
}

impl Progress {
    /// Starts the clock.
    #[must_use]
    pub fn start(in_place: bool) -> Self {
        Self { started: Instant::now(), in_place, shown: Mutex::new(false) }
    }

    /// Names the step that begins.
    pub fn step(&self, name: &str) {
        let elapsed = self.started.elapsed();
        if elapsed < QUIET {
            return;
        }
        let mut shown = self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut err = std::io::stderr();
        // Progress that cannot be shown is no reason to stop.
        let _ = if self.in_place {
            *shown = true;
            write!(err, "\r\x1b[K{:>4.0} s  {name} ...", elapsed.as_secs_f64())
        } else {
            writeln!(err, "{:>4.0} s  {name} ...", elapsed.as_secs_f64())
        };
        let _ = err.flush();
    }

    /// Clears the line.
    pub fn finish(&self) {
        let shown = self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
