//! The one HTTP client of the public price sources: timeouts, retries with backoff and jitter, honest errors.
//!
//! In: an address and a function that reads the body. Out: what that function made of it, or a fault that says what to do. A body
//! is read as a stream and never held; where it breaks off, the whole question is asked again. Proxies come from the usual
//! variables (`HTTPS_PROXY`, `NO_PROXY`), further roots of trust from `SSL_CERT_FILE`.

use super::codes;
use crate::diagnostic::{Diagnostic, Severity};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Read};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How patient the client is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// Times that a question is asked again.
    pub retries: u32,
    /// Time to connect, and to the first byte; the whole body has twenty times as long.
    pub timeout: Duration,
    /// Wait before the first retry; doubles each time, up to [`Policy::LONGEST_WAIT`].
    pub first_wait: Duration,
}

impl Policy {
    /// Longest wait between two tries, also where the server asks for more; Azure asks for a minute.
    pub const LONGEST_WAIT: Duration = Duration::from_secs(60);
    /// Longest wait where the server asks for none.
    const LONGEST_OWN_WAIT: Duration = Duration::from_secs(20);

    /// Wait before retry number `retry` (from 0): exponential, with full jitter in its upper half; `asked` is the server's `Retry-After`.
    #[must_use]
    pub fn wait(&self, retry: u32, asked: Option<Duration>, random: u64) -> Duration {
        let whole = self.first_wait.saturating_mul(1 << retry.min(16)).min(Self::LONGEST_OWN_WAIT);
        let share = 0.5 + 0.5 * (random >> 11) as f64 / (1u64 << 53) as f64;
        whole.mul_f64(share).max(asked.unwrap_or_default().min(Self::LONGEST_WAIT))
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { retries: 4, timeout: Duration::from_secs(30), first_wait: Duration::from_millis(500) }
    }
}

/// Why a body could not be read.
#[derive(Debug)]
pub enum ReadFault {
    /// The connection broke, or the text ended too early: asked again.
    Broken(String),
    /// The text is not what it should be.
    Malformed(String),
}

impl From<io::Error> for ReadFault {
    fn from(fault: io::Error) -> Self {
        Self::Broken(fault.to_string())
    }
}

impl From<serde_json::Error> for ReadFault {
    fn from(fault: serde_json::Error) -> Self {
        if fault.is_io() || fault.is_eof() { Self::Broken(fault.to_string()) } else { Self::Malformed(fault.to_string()) }
    }
}

/// Told as a download goes on: what, and how many bytes so far.
pub type OnBytes = Arc<dyn Fn(&str, u64) + Send + Sync>;

/// The client.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    policy: Policy,
    on_bytes: OnBytes,
}

/// A question.
#[derive(Clone, Debug, Default)]
pub struct Get<'a> {
    /// Address, with its query. The values of `key`, `token` and `sig` are never shown.
    pub url: &'a str,
    /// What it brings, in words for people: `price list of us-east-1`.
    pub what: &'a str,
    /// Headers beyond the usual ones; their values are never shown.
    pub headers: &'a [(&'a str, &'a str)],
}

/// What went wrong in one try.
enum Try {
    /// Again, after a while.
    Again(Fault),
    /// Never.
    Final(Fault),
}

struct Fault {
    code: &'static str,
    message: String,
    help: &'static str,
    retry_after: Option<Duration>,
}

const RETRY_LATER: &str = "the last good prices are untouched; try again later";
const NETWORK: &str = "check the network, and HTTPS_PROXY and NO_PROXY if there is a proxy; the last good prices are untouched";
const SLOW: &str = "raise --timeout, or try again later; the last good prices are untouched";

impl Client {
    /// A client with the roots of trust that are compiled in, and those in `extra_roots` (PEM).
    ///
    /// # Errors
    /// `extra_roots` holds no certificate.
    pub fn new(policy: Policy, extra_roots: Option<&[u8]>, on_bytes: OnBytes) -> Result<Self, Diagnostic> {
        let mut tls = ureq::tls::TlsConfig::builder();
        if let Some(pem) = extra_roots {
            let certificates: Vec<_> = ureq::tls::parse_pem(pem)
                .filter_map(|item| match item {
                    Ok(ureq::tls::PemItem::Certificate(certificate)) => Some(certificate),
                    _ => None,
                })
                .collect();
            if certificates.is_empty() {
                let mut fault = Diagnostic::new(codes::UNREACHABLE, Severity::Error, "the file in SSL_CERT_FILE holds no certificate");
                fault.help("name a file of PEM certificates, or unset SSL_CERT_FILE");
                return Err(fault);
            }
            tls = tls.root_certs(ureq::tls::RootCerts::Specific(Arc::new(certificates)));
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // Headers with keys would go along to wherever the answer points, and so would prices come from there.
            .max_redirects(0)
            .tls_config(tls.build())
            .timeout_resolve(Some(policy.timeout))
            .timeout_connect(Some(policy.timeout))
            .timeout_recv_response(Some(policy.timeout))
            .timeout_recv_body(Some(policy.timeout * 20))
            .user_agent(concat!("gpuplan/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { agent: config.new_agent(), policy, on_bytes })
    }

    /// Asks, and reads the answer with `read`, again from the start where the connection breaks.
    ///
    /// # Errors
    /// A diagnostic with what was asked, what came of it, how often it was tried, and what to do.
    pub fn get<T>(&self, get: &Get<'_>, mut read: impl FnMut(&mut dyn Read) -> Result<T, ReadFault>) -> Result<T, Diagnostic> {
        let mut retry = 0;
        loop {
            let fault = match self.once(get, &mut read) {
                Ok(answer) => return Ok(answer),
                Err(Try::Final(fault)) => return Err(told(get, &fault, retry)),
                Err(Try::Again(fault)) => fault,
            };
            if retry >= self.policy.retries {
                return Err(told(get, &fault, retry));
            }
            thread::sleep(self.policy.wait(retry, fault.retry_after, random()));
            retry += 1;
        }
    }

    fn once<T>(&self, get: &Get<'_>, read: &mut impl FnMut(&mut dyn Read) -> Result<T, ReadFault>) -> Result<T, Try> {
        let mut request = self.agent.get(get.url).header("accept", "application/json");
        for (name, value) in get.headers {
            request = request.header(*name, *value);
        }
        let mut response = request.call().map_err(|fault| transport(&fault))?;
        let status = response.status().as_u16();
        if status != 200 {
            // Azure's retail prices have a header of their own.
            let named = ["retry-after", "x-ms-ratelimit-retailprices-retry-after"];
            let after = named.iter().find_map(|name| response.headers().get(*name)?.to_str().ok()?.trim().parse().ok());
            let mut text = Vec::new();
            let _ = response.body_mut().as_reader().take(4096).read_to_end(&mut text);
            return Err(refused(status, after.map(Duration::from_secs), &String::from_utf8_lossy(&text)));
        }
        let mut body = Counted { inner: response.body_mut().as_reader(), bytes: 0, told: 0, what: get.what, on_bytes: &self.on_bytes };
        read(&mut body).map_err(|fault| {
            let bytes = body.bytes;
            match fault {
                ReadFault::Broken(why) => Try::Again(Fault {
                    code: codes::MALFORMED,
                    message: format!("the answer broke off after {bytes} bytes: {why}"),
                    help: RETRY_LATER,
                    retry_after: None,
                }),
                ReadFault::Malformed(why) => Try::Final(Fault {
                    code: codes::MALFORMED,
                    message: format!("the answer is not of the form that it should have: {why}"),
                    help: "the source may have changed, or something on the way answers in its place; the last good prices are untouched",
                    retry_after: None,
                }),
            }
        })
    }
}

/// A body that says how much of it has come.
struct Counted<'a, R> {
    inner: R,
    bytes: u64,
    told: u64,
    what: &'a str,
    on_bytes: &'a OnBytes,
}

/// Bytes between two tellings.
const TELL_EVERY: u64 = 16 << 20;

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bytes += read as u64;
        if self.bytes - self.told >= TELL_EVERY {
            self.told = self.bytes;
            (self.on_bytes)(self.what, self.bytes);
        }
        Ok(read)
    }
}

fn transport(fault: &ureq::Error) -> Try {
    let again = |code, message: String, help| Try::Again(Fault { code, message, help, retry_after: None });
    match fault {
        ureq::Error::Timeout(_) => again(codes::TIMED_OUT, format!("no answer in time ({fault})"), SLOW),
        ureq::Error::Io(io) if matches!(io.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => {
            again(codes::TIMED_OUT, format!("no answer in time ({fault})"), SLOW)
        }
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::Tls(_) | ureq::Error::Rustls(_) => Try::Final(Fault {
            code: codes::UNREACHABLE,
            message: fault.to_string(),
            help: "check the address; behind a proxy that opens TLS, name its certificate in SSL_CERT_FILE",
            retry_after: None,
        }),
        _ => again(codes::UNREACHABLE, fault.to_string(), NETWORK),
    }
}

fn refused(status: u16, retry_after: Option<Duration>, text: &str) -> Try {
    let words = first_words(text);
    let message = if words.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {words}") };
    let fault = |code, help| Fault { code, message: message.clone(), help, retry_after };
    match status {
        429 => Try::Again(fault(codes::THROTTLED, "too many requests; wait a few minutes, or ask for fewer regions with --region")),
        500..=599 => Try::Again(fault(codes::SERVER_FAULT, RETRY_LATER)),
        401 | 403 => Try::Final(fault(codes::NOT_ALLOWED, "check the credentials or the key, and what they may do (docs/prices.md)")),
        400 if text.contains("API_KEY_INVALID") || text.contains("API key") => {
            Try::Final(fault(codes::NOT_ALLOWED, "check the API key in GOOGLE_API_KEY (docs/prices.md)"))
        }
        _ => Try::Final(fault(codes::BAD_QUESTION, "check the region's name and the address; the last good prices are untouched")),
    }
}

/// The message of an error's body, in one line.
fn first_words(text: &str) -> String {
    let json: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let message =
        json.as_ref().and_then(|v| v.pointer("/error/message").or_else(|| v.pointer("/Error/Message")).or_else(|| v.get("message")));
    let words = message.and_then(serde_json::Value::as_str).unwrap_or(if text.trim_start().starts_with('<') { "" } else { text });
    words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

fn told(get: &Get<'_>, fault: &Fault, retries: u32) -> Diagnostic {
    let tries = if retries == 0 { String::new() } else { format!(" ({} tries)", retries + 1) };
    let message = format!("{}: {}{tries}, from {}", get.what, masked(&fault.message), masked(get.url));
    let mut diagnostic = Diagnostic::new(fault.code, Severity::Error, message);
    diagnostic.help(fault.help);
    diagnostic
}

/// A text without the values of secrets in the query of an address.
#[must_use]
pub fn masked(text: &str) -> String {
    let mut out = text.to_owned();
    for name in ["key=", "token=", "sig=", "signature="] {
        let mut from = 0;
        while let Some(found) = out[from..].to_ascii_lowercase().find(name) {
            let start = from + found + name.len();
            let is_name = out[..from + found].chars().last().is_none_or(|c| matches!(c, '?' | '&' | ' ' | '-' | '_'));
            let end = out[start..].find(['&', ' ', '"', '\'', ')']).map_or(out.len(), |i| start + i);
            if is_name && end > start {
                out.replace_range(start..end, "***");
                from = start + 3;
            } else {
                from = start;
            }
        }
    }
    out
}

/// Not for anything that has to be repeated: only for jitter.
fn random() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_addresses_are_masked() {
        assert_eq!(masked("https://x.test/skus?key=abc123&page=2"), "https://x.test/skus?key=***&page=2");
        assert_eq!(masked("GET /a?page=2&Token=abc failed"), "GET /a?page=2&Token=*** failed");
        assert_eq!(masked("https://x.test/a?sig=a%2Bb"), "https://x.test/a?sig=***");
        // Words that only end alike are no secrets.
        assert_eq!(masked("https://x.test/a?monkey=1&k=2"), "https://x.test/a?monkey=1&k=2");
        assert_eq!(masked("pr\u{f6}bel?key=\u{e4}\u{f6}"), "pr\u{f6}bel?key=***");
    }

    #[test]
    fn waits_double_with_jitter_and_follow_the_server() {
        let policy = Policy { first_wait: Duration::from_secs(1), ..Policy::default() };
        let shortest = |retry| policy.wait(retry, None, 0);
        let longest = |retry| policy.wait(retry, None, u64::MAX);
        assert_eq!((shortest(0), longest(0).as_secs_f64().round() as u64), (Duration::from_millis(500), 1));
        assert_eq!(shortest(2), Duration::from_secs(2));
        assert_eq!(shortest(30), Policy::LONGEST_OWN_WAIT / 2);
        assert_eq!(policy.wait(0, Some(Duration::from_secs(7)), 0), Duration::from_secs(7));
        assert_eq!(policy.wait(0, Some(Duration::from_secs(3600)), 0), Policy::LONGEST_WAIT);
    }

    #[test]
    fn the_words_of_an_error_are_found_in_its_body() {
        assert_eq!(first_words(r#"{"error": {"code": 400, "message": "API key  not valid."}}"#), "API key not valid.");
        assert_eq!(first_words("<html><body>Forbidden</body></html>"), "");
        assert_eq!(first_words("plain words\nin lines"), "plain words in lines");
    }
}
