//! One replica of a service: it takes requests, works on them, and says when it is done with each.
//!
//! A replica does nothing between its own events: `next_s` is the next of them, and results do not depend on how often
//! it is advanced.

pub mod law;
pub mod llm;
pub mod meter;
pub mod passes;
pub mod server;
pub mod shared;

pub use law::{Law, Work};
pub use llm::{Engine, Llm, Stepping};
pub use server::Server;
pub use shared::{Host, Hosted, Shared};

use crate::simulate::random::Stream;
use crate::simulate::tally::{Outcome, Tally};
use crate::simulate::traffic::Request;
use std::sync::Arc;

/// What a replica runs.
#[derive(Clone, Debug)]
pub enum Model {
    /// Token generation.
    Llm(Arc<Engine>),
    /// Bounded requests.
    Server(Arc<Law>),
    /// Bounded requests for several models on one GPU.
    Shared(Arc<Host>),
}

/// A running replica.
#[derive(Clone, Debug)]
pub enum Replica {
    /// Token generation.
    Llm(Llm),
    /// Bounded requests.
    Server(Server),
    /// Bounded requests for several models on one GPU.
    Shared(Shared),
}

impl Replica {
    /// An empty replica. Requests that have not begun by `timeout_s` after their arrival are given up; those of a shared server by
    /// the timeout of their model.
    #[must_use]
    pub fn new(model: &Model, timeout_s: f64, stream: Stream) -> Self {
        match model {
            Model::Llm(engine) => Self::Llm(Llm::new(Arc::clone(engine), timeout_s)),
            Model::Server(law) => Self::Server(Server::new(Arc::clone(law), timeout_s, stream)),
            Model::Shared(host) => Self::Shared(Shared::new(Arc::clone(host), stream)),
        }
    }

    /// Time of its next event, s; infinite when it has nothing to do.
    #[must_use]
    pub fn next_s(&self) -> f64 {
        match self {
            Self::Llm(llm) => llm.next_s(),
            Self::Server(server) => server.next_s(),
            Self::Shared(shared) => shared.next_s(),
        }
    }

    /// Works through every event up to and including `to_s`.
    pub fn advance(&mut self, to_s: f64, tally: &mut Tally) {
        match self {
            Self::Llm(llm) => llm.advance(to_s, tally),
            Self::Server(server) => server.advance(to_s, tally),
            Self::Shared(shared) => shared.advance(to_s, tally),
        }
    }

    /// Takes a request at `at_s`, to which it has been advanced.
    pub fn offer(&mut self, request: Request, at_s: f64, tally: &mut Tally) {
        match self {
            Self::Llm(llm) => llm.offer(request, at_s, tally),
            Self::Server(server) => server.offer(request, at_s, tally),
            Self::Shared(shared) => shared.offer(request, at_s, tally),
        }
    }

    /// Requests that are being worked on.
    #[must_use]
    pub fn running(&self) -> u32 {
        match self {
            Self::Llm(llm) => llm.running(),
            Self::Server(server) => server.running(),
            Self::Shared(shared) => shared.running(),
        }
    }

    /// Requests that wait in it and have not been given up at `at_s`.
    #[must_use]
    pub fn waiting(&self, at_s: f64) -> u32 {
        match self {
            Self::Llm(llm) => llm.waiting(at_s),
            Self::Server(server) => server.waiting(at_s),
            Self::Shared(shared) => shared.waiting(at_s),
        }
    }

    /// Requests in it as a router counts them: running and waiting.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        match self {
            Self::Llm(llm) => llm.in_flight(),
            Self::Server(server) => server.in_flight(),
            Self::Shared(shared) => shared.in_flight(),
        }
    }

    /// Requests of one member: worked on, and waiting at `at_s`.
    #[must_use]
    pub fn of_class(&self, class: usize, at_s: f64) -> (u32, u32) {
        match self {
            Self::Llm(llm) => (llm.running(), llm.waiting(at_s)),
            Self::Server(server) => (server.running(), server.waiting(at_s)),
            Self::Shared(shared) => shared.of_class(class, at_s),
        }
    }

    /// Takes back the longest-waiting request on which work has not begun.
    pub fn take_waiting(&mut self, at_s: f64, tally: &mut Tally) -> Option<Request> {
        match self {
            Self::Llm(llm) => llm.take_waiting(at_s, tally),
            Self::Server(server) => server.take_waiting(at_s, tally),
            Self::Shared(shared) => shared.take_waiting(at_s, tally),
        }
    }

    /// Ends everything in it at `at_s` in the same way, and leaves it empty.
    pub fn abandon(&mut self, at_s: f64, outcome: Outcome, tally: &mut Tally) {
        match self {
            Self::Llm(llm) => llm.abandon(at_s, outcome, tally),
            Self::Server(server) => server.abandon(at_s, outcome, tally),
            Self::Shared(shared) => shared.abandon(at_s, outcome, tally),
        }
    }
}
