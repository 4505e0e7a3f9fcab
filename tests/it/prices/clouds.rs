//! Clouds on loopback: one small HTTP server for all of them, and faults that can be put in front of any answer.
//!
//! What the clouds answer when all is well is in `aws`, `azure` and `google`; every body is written by hand, in the recorded form.

use super::{aws, azure, google};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A question.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// First line and headers.
    pub head: String,
    /// Path and query, decoded: what routes are found by.
    pub route: String,
    /// Body.
    pub body: String,
}

impl Request {
    /// Value of a header, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let of = |line: &'_ str| line.split_once(':').is_some_and(|(known, _)| known.eq_ignore_ascii_case(name));
        self.head.lines().find(|line| of(line)).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    }

    /// Value in the query, decoded.
    pub fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.route.split_once('?')?;
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// Writes a body piece by piece.
pub type Pieces = Arc<dyn Fn(&mut dyn Write) -> io::Result<()> + Send + Sync>;

/// An answer.
#[derive(Clone)]
pub enum Answer {
    /// Status, headers and body.
    Whole(u16, Vec<(&'static str, String)>, String),
    /// Status 200 and a body that is packed on its way.
    Packed(String),
    /// Status 200 and the length of the body, but only its first bytes.
    Cut(String, usize),
    /// The connection is reset before a word is said.
    Reset,
    /// The answer begins so much later.
    Late(Duration, Box<Answer>),
    /// A body that is made as it is sent, in chunks.
    Pieces(Pieces),
}

impl Answer {
    /// Status 200.
    pub fn ok(body: impl Into<String>) -> Self {
        Self::status(200, body)
    }

    /// Another status.
    pub fn status(status: u16, body: impl Into<String>) -> Self {
        Self::Whole(status, Vec::new(), body.into())
    }

    /// The text of the body, where it is held.
    pub fn body(&self) -> &str {
        match self {
            Self::Whole(_, _, body) | Self::Packed(body) | Self::Cut(body, _) => body,
            Self::Late(_, answer) => answer.body(),
            Self::Reset | Self::Pieces(_) => "",
        }
    }
}

/// What becomes of an answer.
type Turn = Box<dyn Fn(&Request, Answer) -> Answer + Send + Sync>;

/// A fault of one route.
pub struct Fault {
    route: &'static str,
    /// How many questions it meets; none: all of them.
    times: Option<usize>,
    met: AtomicUsize,
    turn: Turn,
}

impl Fault {
    /// Answers on routes that hold this text go through `turn`.
    pub fn on(route: &'static str, turn: impl Fn(&Request, Answer) -> Answer + Send + Sync + 'static) -> Self {
        Self { route, times: None, met: AtomicUsize::new(0), turn: Box::new(turn) }
    }

    /// This answer in the place of the right one.
    pub fn instead(route: &'static str, answer: Answer) -> Self {
        Self::on(route, move |_, _| answer.clone())
    }

    /// The right body with a text replaced, which must be in it.
    pub fn edit(route: &'static str, from: &'static str, to: &'static str) -> Self {
        Self::on(route, move |request, answer| {
            let body = answer.body();
            assert!(body.contains(from), "{}: no `{from}` in {body}", request.route);
            Answer::ok(body.replace(from, to))
        })
    }

    /// Only the first so many times.
    pub fn first(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    fn applies(&self, request: &Request) -> bool {
        request.route.contains(self.route) && self.times.is_none_or(|times| self.met.fetch_add(1, Ordering::SeqCst) < times)
    }
}

/// A server on loopback; stops when it is dropped.
pub struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts. Every connection has a thread, so that a slow answer holds up no other.
    pub fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static, faults: Vec<Fault>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let address = listener.local_addr().expect("its address");
        let (asked, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (seen, stopped) = (asked.clone(), stop.clone());
        let whole = Arc::new(move |request: &Request| {
            let right = answer(request);
            faults.iter().filter(|fault| fault.applies(request)).fold(right, |answer, fault| (fault.turn)(request, answer))
        });
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), seen, whole) = (stream, seen.clone(), whole.clone()) else { continue };
                thread::spawn(move || serve(stream, &seen, &*whole));
            }
        });
        Self { address, asked, stop, thread: Some(thread) }
    }

    /// Its address, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Questions so far.
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().expect("questions").clone()
    }

    /// Questions on routes that hold a text.
    pub fn asked_for(&self, route: &str) -> usize {
        self.asked().iter().filter(|request| request.route.contains(route)).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// All public price lists behind one server.
pub fn public(faults: Vec<Fault>) -> Server {
    Server::start(
        |request| {
            let (path, _) = request.route.split_once('?').unwrap_or((&request.route, ""));
            let body = match path.split('/').nth(1) {
                Some("aws") => aws::document(path),
                Some("azure") => azure::page(request),
                Some("gcp") => google::page(request),
                _ => None,
            };
            match body {
                // One of the documents comes packed, as the real ones do where it is asked for.
                Some(body) if path.contains("/eu-west-1/") && request.header("accept-encoding").is_some_and(|e| e.contains("gzip")) => {
                    Answer::Packed(body)
                }
                Some(body) => Answer::ok(body),
                None => Answer::status(404, "{\"message\":\"no such document\"}"),
            }
        },
        faults,
    )
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Request>>, answer: &(dyn Fn(&Request) -> Answer + Send + Sync)) {
    let Some(request) = question(&mut stream) else { return };
    seen.lock().expect("questions").push(request.clone());
    let answer = answer(&request);
    // Linux resets a connection that is closed before all that came was read: the last byte of the head is still there.
    if matches!(answer, Answer::Reset) && request.body.is_empty() {
        return;
    }
    // Whoever asked may be gone by now.
    let _ = last_byte(&mut stream, &request).and_then(|()| send(stream, answer));
}

/// Reads a question, of one without a body all but the last byte.
fn question(stream: &mut TcpStream) -> Option<Request> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let mut head = vec![0; 1 << 16];
    let length = loop {
        let there = stream.peek(&mut head).ok().filter(|bytes| *bytes > 0)?;
        if let Some(end) = head[..there].windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        thread::sleep(Duration::from_millis(1));
    };
    stream.read_exact(&mut head[..length - 1]).ok()?;
    let head = format!("{}\n", String::from_utf8_lossy(&head[..length - 1]));
    let target = head.lines().next()?.split(' ').nth(1)?.to_owned();
    // Through a proxy the whole address comes.
    let route = target.strip_prefix("http://").map_or(target.as_str(), |rest| rest.find('/').map_or("/", |at| &rest[at..]));
    let mut request = Request { route: decoded(route), head, body: String::new() };
    let length: usize = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    if length > 0 {
        let mut body = vec![0; length + 1];
        stream.read_exact(&mut body).ok()?;
        request.body = String::from_utf8_lossy(&body[1..]).into_owned();
    }
    Some(request)
}

fn last_byte(stream: &mut TcpStream, request: &Request) -> io::Result<()> {
    if request.body.is_empty() { stream.read_exact(&mut [0]) } else { Ok(()) }
}

/// `%20` and `+` of a query.
pub fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match (byte, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(code)) => {
                out.push(code);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(*byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn send(mut stream: TcpStream, answer: Answer) -> io::Result<()> {
    let head =
        |status: u16, more: &str| format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n{more}\r\n");
    let of_length = |length: usize| head(200, &format!("content-length: {length}\r\n"));
    match answer {
        Answer::Whole(status, headers, body) => {
            let mut more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            more.push_str(&format!("content-length: {}\r\n", body.len()));
            stream.write_all(head(status, &more).as_bytes())?;
            stream.write_all(body.as_bytes())
        }
        Answer::Packed(body) => {
            let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
            packer.write_all(body.as_bytes())?;
            let packed = packer.finish()?;
            let more = format!("content-encoding: gzip\r\ncontent-length: {}\r\n", packed.len());
            stream.write_all(head(200, &more).as_bytes())?;
            stream.write_all(&packed)
        }
        Answer::Cut(body, bytes) => {
            stream.write_all(of_length(body.len()).as_bytes())?;
            stream.write_all(&body.as_bytes()[..bytes])
        }
        Answer::Reset => Ok(()),
        Answer::Late(wait, answer) => {
            thread::sleep(wait);
            send(stream, *answer)
        }
        Answer::Pieces(pieces) => {
            stream.write_all(head(200, "transfer-encoding: chunked\r\n").as_bytes())?;
            let mut chunks = Chunks(io::BufWriter::with_capacity(1 << 16, Chunk(&mut stream)));
            pieces(&mut chunks)?;
            chunks.0.flush()?;
            drop(chunks);
            stream.write_all(b"0\r\n\r\n")
        }
    }
}

/// Pieces gathered into chunks of some size.
struct Chunks<W: Write>(io::BufWriter<W>);

impl<W: Write> Write for Chunks<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Each write is a chunk.
struct Chunk<'a>(&'a mut TcpStream);

impl Write for Chunk<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            write!(self.0, "{:x}\r\n", bytes.len())?;
            self.0.write_all(bytes)?;
            self.0.write_all(b"\r\n")?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
