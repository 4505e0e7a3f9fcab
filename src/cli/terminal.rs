//! Standard output and standard error as values, so that commands can be run in tests.

use std::io::{self, IsTerminal, Write};

/// Where a command writes: answers to `out`, progress and faults to `err`.
pub struct Terminal {
    /// Standard output.
    pub out: Box<dyn Write>,
    /// Standard error.
    pub err: Box<dyn Write>,
    /// Colour on standard output.
    pub color_out: bool,
    /// Colour and progress on standard error.
    pub color_err: bool,
    /// Columns of the terminal, if it is one.
    pub width: Option<usize>,
}

impl Terminal {
    /// The process's own streams; colour only on a terminal and never with `NO_COLOR`.
    #[must_use]
    pub fn standard() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let color_out = !plain && io::stdout().is_terminal();
        let width = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
        Self {
            out: Box::new(io::BufWriter::new(io::stdout())),
            err: Box::new(io::stderr()),
            color_out,
            color_err: !plain && io::stderr().is_terminal(),
            width,
        }
    }
}
