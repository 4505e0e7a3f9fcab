//! A cloud on loopback, for tests: answers what it is told, well or badly.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::http::{Client, Policy};

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
pub(crate) struct Loopback {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    /// Starts; `answer` gets the first line and the headers of each request.
    pub(crate) fn start(answer: impl Fn(&str) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let address = listener.local_addr().expect("its address");
        let (heads, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (seen, stopped) = (heads.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(mut stream) = stream else { continue };
                let head = head_of(&mut stream);
                seen.lock().expect("heads").push(head.clone());
                let _ = stream.write_all(&bytes_of(answer(&head)));
            }
        });
        Self { address, heads, stop, thread: Some(thread) }
    }

    /// Its address, without a path.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("heads").clone()
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A client that tries three times and hardly waits.
pub(crate) fn hasty() -> Client {
    let policy = Policy { retries: 2, timeout: Duration::from_secs(5), first_wait: Duration::from_millis(1) };
    Client::new(policy, None, Arc::new(|_, _| ())).expect("a client")
}

fn head_of(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

fn bytes_of(answer: Answer) -> Vec<u8> {
    let framed = |status: u16, more: &str, body: &str| {
        format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{more}\r\n{body}", body.len()).into_bytes()
    };
    match answer {
        Answer::Whole(status, body) => framed(status, "", &body),
        Answer::Cut(body, bytes) => {
            let mut whole = framed(200, "", &body);
            whole.truncate(whole.len() - body.len() + bytes);
            whole
        }
        Answer::Hangup => Vec::new(),
        Answer::Elsewhere(url) => framed(302, &format!("location: {url}\r\n"), ""),
    }
}
