//! One replica that serves several models on one GPU, as a Triton server does.
//!
//! With `b` requests in service over all models, one of model `i` is worked on at `r_i(b)/b`, `r_i` its own [`Law`] at the total
//! concurrency; beyond the law's last knot `r_i` stays what it is there. While requests of two models or more are in service all
//! are slower by the interference factor. One model alone is a [`Server`](super::Server) with its law, to the last bit.
//!
//! As there, the work done per request since the last idle moment is one number, here one for each model, and a request leaves
//! when its model's has grown by the request's own work; the next event is the least over the models.
//!
//! The server takes a bounded number into service, whatever models they are for. What finds no place waits: the most urgent
//! priority first, of one priority the first come. Timeouts are each model's own, and mean what they mean in a [`Server`](super::Server).

use super::law::Law;
use super::meter::Meter;
use super::server::InService;
use crate::simulate::random::Stream;
use crate::simulate::tally::{Outcome, Served, Tally};
use crate::simulate::traffic::Request;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;

/// A model of a shared server.
#[derive(Clone, Debug)]
pub struct Hosted {
    /// How it works alone.
    pub law: Arc<Law>,
    /// Urgency of its requests, 1 the most urgent.
    pub priority: u32,
    /// Shortest timeout on its requests' way, s.
    pub timeout_s: f64,
}

/// What every replica of a shared server runs.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its models, by the class of their requests.
    pub models: Vec<Hosted>,
    /// Most requests in service.
    pub most: usize,
    /// Factor on every service time while two models or more are at work.
    pub interference: f64,
}

impl Host {
    /// Speed of a request of a model with so many in service, of so many models.
    fn speed(&self, model: &Hosted, (in_service, busy): (usize, usize)) -> f64 {
        let known = model.law.servers();
        let alone =
            if in_service <= known { model.law.speed(in_service) } else { model.law.speed(known) * known as f64 / in_service as f64 };
        if busy > 1 { alone / self.interference } else { alone }
    }
}

/// What is in service of one model.
#[derive(Clone, Debug, Default)]
struct Part {
    /// Work done per request at the last change, since the model's last idle moment.
    worked: f64,
    service: BinaryHeap<InService>,
    meter: Meter,
}

/// State of a replica.
#[derive(Clone, Debug)]
pub struct Shared {
    host: Arc<Host>,
    stream: Stream,
    /// Moment of the last change in service.
    clock_s: f64,
    next_s: f64,
    /// Model whose request leaves next.
    next_part: usize,
    parts: Vec<Part>,
    in_service: usize,
    /// By priority, the most urgent first.
    queues: BTreeMap<u32, VecDeque<Request>>,
}

impl Shared {
    /// An empty replica.
    #[must_use]
    pub fn new(host: Arc<Host>, stream: Stream) -> Self {
        let parts = vec![Part::default(); host.models.len()];
        Self { host, stream, clock_s: 0.0, next_s: f64::INFINITY, next_part: 0, parts, in_service: 0, queues: BTreeMap::new() }
    }

    pub(super) fn next_s(&self) -> f64 {
        self.next_s
    }

    pub(super) fn running(&self) -> u32 {
        self.in_service as u32
    }

    pub(super) fn waiting(&self, at_s: f64) -> u32 {
        self.queues.values().flatten().filter(|request| self.gone_s(request) >= at_s).count() as u32
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.parts.iter().map(|part| part.meter.inside()).sum()
    }

    /// Requests of one model: in service, and waiting at `at_s`.
    pub(super) fn of_class(&self, class: usize, at_s: f64) -> (u32, u32) {
        let running = self.parts.get(class).map_or(0, |part| part.service.len());
        let mine = |request: &&Request| usize::from(request.class) == class && self.gone_s(request) >= at_s;
        (running as u32, self.queues.values().flatten().filter(mine).count() as u32)
    }

    pub(super) fn offer(&mut self, request: Request, at_s: f64, tally: &mut Tally) {
        let class = usize::from(request.class);
        let Some(model) = self.host.models.get(class) else {
            tally.end(&request, Outcome::Dropped, at_s);
            return;
        };
        let priority = model.priority;
        self.parts[class].meter.enter(at_s);
        if self.in_service < self.host.most {
            self.work_until(at_s);
            self.begin(request, at_s);
            self.look_ahead();
        } else {
            self.queues.entry(priority).or_default().push_back(request);
        }
    }

    pub(super) fn advance(&mut self, to_s: f64, tally: &mut Tally) {
        while self.next_s <= to_s {
            let now_s = self.next_s;
            self.work_until(now_s);
            let part = &mut self.parts[self.next_part];
            let Some(done) = part.service.pop() else { break };
            // Not what rounding makes of it.
            part.worked = done.leaves_at;
            self.in_service -= 1;
            self.finish(&done, now_s, tally);
            if let Some(request) = self.next_waiting(now_s, tally) {
                self.begin(request, now_s);
            }
            self.look_ahead();
        }
    }

    pub(super) fn take_waiting(&mut self, at_s: f64, tally: &mut Tally) -> Option<Request> {
        self.give_up_waiting(at_s, tally);
        let fronts = self.queues.iter().filter_map(|(priority, queue)| queue.front().map(|request| (request.at_s, *priority)));
        let (_, priority) = fronts.min_by(|a, b| a.0.total_cmp(&b.0))?;
        let request = self.queues.get_mut(&priority)?.pop_front()?;
        self.parts[usize::from(request.class)].meter.leave(at_s);
        Some(request)
    }

    pub(super) fn abandon(&mut self, at_s: f64, outcome: Outcome, tally: &mut Tally) {
        self.give_up_waiting(at_s, tally);
        let begun: Vec<Request> = self.parts.iter_mut().flat_map(|part| part.service.drain()).map(|entry| entry.request).collect();
        let waiting = std::mem::take(&mut self.queues).into_values().flatten();
        for request in begun.into_iter().chain(waiting) {
            tally.end(&request, outcome, at_s);
            self.parts[usize::from(request.class)].meter.leave(at_s);
        }
        for (class, part) in self.parts.iter_mut().enumerate() {
            tally.add_area(class, part.meter.take_area(at_s));
            part.worked = 0.0;
        }
        self.in_service = 0;
        self.next_s = f64::INFINITY;
    }

    /// Moment at which a request that still waits is gone.
    fn gone_s(&self, request: &Request) -> f64 {
        let timeout_s = self.host.models.get(usize::from(request.class)).map_or(f64::INFINITY, |model| model.timeout_s);
        request.at_s + timeout_s
    }

    /// Models with requests in service.
    fn busy(&self) -> usize {
        self.parts.iter().filter(|part| !part.service.is_empty()).count()
    }

    /// Work goes on at the speeds of those in service.
    fn work_until(&mut self, at_s: f64) {
        let load = (self.in_service, self.busy());
        for (part, model) in self.parts.iter_mut().zip(&self.host.models) {
            if part.service.is_empty() {
                part.worked = 0.0;
            } else {
                part.worked += (at_s - self.clock_s) * self.host.speed(model, load);
            }
        }
        self.clock_s = at_s;
    }

    fn begin(&mut self, request: Request, at_s: f64) {
        let class = usize::from(request.class);
        self.in_service += 1;
        let work = self.host.models[class].law.draw_work(self.in_service, &mut self.stream);
        let part = &mut self.parts[class];
        part.service.push(InService { leaves_at: part.worked + work, begun_s: at_s, request });
    }

    /// Time at which the next request leaves, and its model.
    fn look_ahead(&mut self) {
        let load = (self.in_service, self.busy());
        self.next_s = f64::INFINITY;
        for (index, (part, model)) in self.parts.iter().zip(&self.host.models).enumerate() {
            let Some(first) = part.service.peek() else { continue };
            let left = (first.leaves_at - part.worked).max(0.0);
            let leaves_s = self.clock_s + left / self.host.speed(model, load);
            if leaves_s < self.next_s {
                (self.next_s, self.next_part) = (leaves_s, index);
            }
        }
    }

    /// The next in the queue that is still there.
    fn next_waiting(&mut self, now_s: f64, tally: &mut Tally) -> Option<Request> {
        loop {
            let request = self.queues.values_mut().find_map(VecDeque::pop_front)?;
            if self.gone_s(&request) >= now_s {
                return Some(request);
            }
            self.give_up(&request, now_s, tally);
        }
    }

    fn finish(&mut self, done: &InService, now_s: f64, tally: &mut Tally) {
        let InService { leaves_at: _, begun_s, request } = *done;
        self.parts[usize::from(request.class)].meter.leave(now_s);
        if self.gone_s(&request) < now_s {
            tally.end(&request, Outcome::TimedOut, now_s);
        } else {
            tally.serve_request(&Served { request, begun_s, first_s: now_s, done_s: now_s });
        }
    }

    /// Clears the queue of those who have gone.
    fn give_up_waiting(&mut self, at_s: f64, tally: &mut Tally) {
        let mut queues = std::mem::take(&mut self.queues);
        for queue in queues.values_mut() {
            queue.retain(|request| {
                let stays = self.gone_s(request) >= at_s;
                if !stays {
                    self.give_up(request, at_s, tally);
                }
                stays
            });
        }
        self.queues = queues;
    }

    /// A request that left when its timeout was over, as is seen at `at_s`.
    fn give_up(&mut self, request: &Request, at_s: f64, tally: &mut Tally) {
        let gone_s = self.gone_s(request);
        self.parts[usize::from(request.class)].meter.leave_since(gone_s, at_s);
        tally.end(request, Outcome::TimedOut, gone_s);
    }
}
