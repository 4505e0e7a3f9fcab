//! A cloud's interfaces on loopback, for tests: gives each question, body and all, to a function, and sends what that answers.

// The public lists need less of it than the accounts do.
#![cfg_attr(not(all(feature = "aws", feature = "gcp")), allow(dead_code))]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A question.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// First line and headers.
    pub(crate) head: String,
    /// Body.
    pub(crate) body: String,
}

impl Question {
    /// Whether the first line, a header or the body holds the text, whatever its case.
    pub(crate) fn has(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        self.head.to_ascii_lowercase().contains(&text) || self.body.to_ascii_lowercase().contains(&text)
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Status, content type and body.
    Whole(u16, &'static str, String),
    /// As [`Reply::Whole`] with status 200, but only the first bytes of the body.
    Cut(&'static str, String, usize),
    /// The connection closes without a word.
    Hangup,
    /// Another address.
    Elsewhere(String),
    /// Nothing comes for so long.
    Late(Duration),
}

/// The server; stops when it is dropped.
pub(crate) struct Double {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Question>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Double {
    /// Starts; `answer` gets each question and its number from 0.
    pub(crate) fn start(answer: impl Fn(&Question, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let address = listener.local_addr().expect("its address");
        let (asked, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (seen, stopped, answer) = (asked.clone(), stop.clone(), Arc::new(answer));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                // Each by itself: a late answer must not keep the next question waiting.
                let (seen, answer) = (seen.clone(), answer.clone());
                std::thread::spawn(move || {
                    let Some((mut stream, question)) = stream.ok().and_then(question) else { return };
                    let number = {
                        let mut seen = seen.lock().expect("questions");
                        seen.push(question.clone());
                        seen.len() - 1
                    };
                    send(&mut stream, answer(&question, number));
                });
            }
        });
        Self { address, asked, stop, thread: Some(thread) }
    }

    /// Its address, without a path.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Questions so far.
    pub(crate) fn asked(&self) -> Vec<Question> {
        self.asked.lock().expect("questions").clone()
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn question(mut stream: TcpStream) -> Option<(TcpStream, Question)> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let mut body = vec![0; length.and_then(|(_, length)| length.trim().parse().ok()).unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some((stream, Question { head, body: String::from_utf8_lossy(&body).into_owned() }))
}

fn send(stream: &mut TcpStream, reply: Reply) {
    let framed = |status: u16, kind: &str, body: &str| {
        let length = body.len();
        format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").into_bytes()
    };
    let bytes = match reply {
        Reply::Whole(status, kind, body) => framed(status, kind, &body),
        Reply::Cut(kind, body, kept) => {
            let mut whole = framed(200, kind, &body);
            whole.truncate(whole.len() - body.len() + kept);
            whole
        }
        Reply::Hangup => Vec::new(),
        Reply::Elsewhere(url) => {
            format!("HTTP/1.1 302 X\r\nlocation: {url}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes()
        }
        Reply::Late(wait) => {
            std::thread::sleep(wait);
            Vec::new()
        }
    };
    let _ = stream.write_all(&bytes);
}
