//! One replica that answers bounded requests by its [`Law`]: first come first served into service, and there all at the
//! same speed, which depends on how many there are.
//!
//! Work done per request since the last idle moment is one number for all that are in service; a request leaves when it
//! has grown by the request's own work. So an event costs a heap operation, however many are in service.
//!
//! A request that still waits at its timeout is gone, and takes no service. One in service is worked on to the end, as
//! a server does that does not see its client leave; if that is after the timeout, it timed out all the same.

use super::law::Law;
use super::meter::Meter;
use crate::simulate::random::Stream;
use crate::simulate::tally::{Outcome, Served, Tally};
use crate::simulate::traffic::Request;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

/// A request in service.
#[derive(Clone, Copy, Debug)]
pub(super) struct InService {
    /// Work per request at which it leaves.
    pub leaves_at: f64,
    /// Work on it began, s.
    pub begun_s: f64,
    /// The request.
    pub request: Request,
}

impl PartialEq for InService {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for InService {}
impl PartialOrd for InService {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for InService {
    /// The first to leave is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        other.leaves_at.total_cmp(&self.leaves_at).then(other.request.at_s.total_cmp(&self.request.at_s))
    }
}

/// State of a replica.
#[derive(Clone, Debug)]
pub struct Server {
    law: Arc<Law>,
    timeout_s: f64,
    stream: Stream,
    /// Moment of the last change in service.
    clock_s: f64,
    /// Work done per request at that moment, since the last idle one.
    worked: f64,
    next_s: f64,
    service: BinaryHeap<InService>,
    queue: VecDeque<Request>,
    meter: Meter,
}

impl Server {
    /// An empty replica.
    #[must_use]
    pub fn new(law: Arc<Law>, timeout_s: f64, stream: Stream) -> Self {
        let service = BinaryHeap::with_capacity(law.servers().min(1024));
        Self {
            law,
            timeout_s,
            stream,
            clock_s: 0.0,
            worked: 0.0,
            next_s: f64::INFINITY,
            service,
            queue: VecDeque::new(),
            meter: Meter::default(),
        }
    }

    pub(super) fn next_s(&self) -> f64 {
        self.next_s
    }

    pub(super) fn running(&self) -> u32 {
        self.service.len() as u32
    }

    pub(super) fn waiting(&self, at_s: f64) -> u32 {
        let gone = self.queue.iter().take_while(|request| request.at_s + self.timeout_s < at_s).count();
        (self.queue.len() - gone) as u32
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.meter.inside()
    }

    pub(super) fn offer(&mut self, request: Request, at_s: f64, tally: &mut Tally) {
        if self.service.len() < self.law.servers() {
            self.meter.enter(at_s);
            self.work_until(at_s);
            self.begin(request, at_s);
            self.look_ahead();
            return;
        }
        if self.queue.len() >= self.law.room() {
            self.give_up_waiting(at_s, tally);
        }
        if self.queue.len() < self.law.room() {
            self.meter.enter(at_s);
            self.queue.push_back(request);
        } else {
            tally.end(&request, Outcome::Dropped, at_s);
        }
    }

    pub(super) fn advance(&mut self, to_s: f64, tally: &mut Tally) {
        while self.next_s <= to_s {
            let now_s = self.next_s;
            let Some(done) = self.service.pop() else { break };
            self.clock_s = now_s;
            self.worked = done.leaves_at;
            self.finish(&done, now_s, tally);
            while let Some(request) = self.queue.pop_front() {
                if request.at_s + self.timeout_s >= now_s {
                    self.begin(request, now_s);
                    break;
                }
                self.give_up(&request, now_s, tally);
            }
            self.look_ahead();
        }
    }

    pub(super) fn take_waiting(&mut self, at_s: f64, tally: &mut Tally) -> Option<Request> {
        self.give_up_waiting(at_s, tally);
        let request = self.queue.pop_front()?;
        self.meter.leave(at_s);
        Some(request)
    }

    pub(super) fn abandon(&mut self, at_s: f64, outcome: Outcome, tally: &mut Tally) {
        self.give_up_waiting(at_s, tally);
        let begun: Vec<Request> = self.service.drain().map(|entry| entry.request).collect();
        for request in begun.into_iter().chain(self.queue.drain(..)) {
            tally.end(&request, outcome, at_s);
            self.meter.leave(at_s);
        }
        tally.area_s += self.meter.take_area(at_s);
        self.next_s = f64::INFINITY;
        self.worked = 0.0;
    }

    /// Takes a span out of time: everything in it is as it was, later.
    pub(crate) fn shift(&mut self, by_s: f64) {
        let mut entries = std::mem::take(&mut self.service).into_vec();
        for entry in &mut entries {
            entry.begun_s += by_s;
            entry.request.at_s += by_s;
        }
        self.service = entries.into();
        for request in &mut self.queue {
            request.at_s += by_s;
        }
        self.clock_s += by_s;
        self.next_s += by_s;
        self.meter.shift(by_s);
    }

    /// Most requests that it completes a second.
    pub(crate) fn capacity_rps(&self) -> f64 {
        self.law.capacity_rps()
    }

    /// Work goes on at the speed of those in service.
    fn work_until(&mut self, at_s: f64) {
        if self.service.is_empty() {
            self.worked = 0.0;
        } else {
            self.worked += (at_s - self.clock_s) * self.law.speed(self.service.len());
        }
        self.clock_s = at_s;
    }

    fn begin(&mut self, request: Request, at_s: f64) {
        let work = self.law.draw_work(self.service.len() + 1, &mut self.stream);
        self.service.push(InService { leaves_at: self.worked + work, begun_s: at_s, request });
    }

    /// Time at which the next request leaves.
    fn look_ahead(&mut self) {
        self.next_s = self.service.peek().map_or(f64::INFINITY, |first| {
            let left = (first.leaves_at - self.worked).max(0.0);
            self.clock_s + left / self.law.speed(self.service.len())
        });
    }

    fn finish(&mut self, done: &InService, now_s: f64, tally: &mut Tally) {
        let InService { leaves_at: _, begun_s, request } = *done;
        self.meter.leave(now_s);
        if request.at_s + self.timeout_s < now_s {
            tally.end(&request, Outcome::TimedOut, now_s);
        } else {
            tally.serve_request(&Served { request, begun_s, first_s: now_s, done_s: now_s });
        }
    }

    /// Clears the head of the queue of those who have gone.
    fn give_up_waiting(&mut self, at_s: f64, tally: &mut Tally) {
        while let Some(request) = self.queue.front().copied().filter(|request| request.at_s + self.timeout_s < at_s) {
            self.queue.pop_front();
            self.give_up(&request, at_s, tally);
        }
    }

    /// A request that left when its timeout was over, as is seen at `at_s`.
    fn give_up(&mut self, request: &Request, at_s: f64, tally: &mut Tally) {
        let gone_s = request.at_s + self.timeout_s;
        self.meter.leave_since(gone_s, at_s);
        tally.end(request, Outcome::TimedOut, gone_s);
    }
}
