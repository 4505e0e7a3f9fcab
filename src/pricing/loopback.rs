//! A cloud's public lists on loopback, for tests: a [`Double`] that is asked by address alone and answers in JSON.

use super::double::{Double, Reply};
use super::http::{Client, Policy};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One answer.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Status and body.
    Whole(u16, String),
    /// Status 200, and only the first bytes of the body that was announced.
    Cut(String, usize),
    /// The connection closes without a word.
    Hangup,
    /// Another address.
    Elsewhere(String),
}

/// The server; stops when it is dropped.
pub(crate) struct Loopback(Double);

const JSON: &str = "application/json";

impl Loopback {
    /// Starts; `answer` gets the first line and the headers of each request.
    pub(crate) fn start(answer: impl Fn(&str) -> Answer + Send + 'static) -> Self {
        // One question at a time, so that tests may count them.
        let answer = Mutex::new(answer);
        Self(Double::start(move |question, _| match answer.lock().expect("the answer")(&question.head) {
            Answer::Whole(status, body) => Reply::Whole(status, JSON, body),
            Answer::Cut(body, kept) => Reply::Cut(JSON, body, kept),
            Answer::Hangup => Reply::Hangup,
            Answer::Elsewhere(url) => Reply::Elsewhere(url),
        }))
    }

    /// Its address, without a path.
    pub(crate) fn url(&self) -> String {
        self.0.url()
    }

    /// Requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.0.asked().into_iter().map(|question| question.head).collect()
    }
}

/// A client that tries three times and hardly waits.
pub(crate) fn hasty() -> Client {
    let policy = Policy { retries: 2, timeout: Duration::from_secs(5), first_wait: Duration::from_millis(1) };
    Client::new(policy, None, Arc::new(|_, _| ())).expect("a client")
}
