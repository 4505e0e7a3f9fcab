//! Exit codes, which are part of the interface.

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: it ran, and the answer is no (target missed, checker found a fault, plans differ).
    No,
    /// 2: bad input or usage; nothing was written.
    BadInput,
    /// 3: a failure of ours or of a service.
    Failure,
}

impl Exit {
    /// The process's exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::BadInput => 2,
            Self::Failure => 3,
        }
    }
}
