//! All replicas of one service behind a router.
//!
//! What goes in: a source of requests, and what the control plane does to replicas (`add_replica`, `drain_replica`,
//! `kill_replica`), each at a moment up to which the station has been advanced. What comes out: a [`Tally`], and the load
//! as the autoscaler's metrics see it. Results do not depend on how a span is cut into calls of `advance`.
//!
//! - Random routing is a Kubernetes Service: each request to a replica drawn in proportion to the weights, whatever is
//!   in it. Least-loaded routing is to the replica with the fewest requests in flight per weight, ties in turn.
//! - A draining replica gets no new requests. What is in it goes on; what is not done at the deadline is lost. Requests
//!   that wait inside an engine stay there, as they do when a pod gets SIGTERM; with `reroute_waiting` a gateway takes
//!   them back and routes them again.
//! - A request that finds no replica is rejected, held, or sent to the fallback. Held ones are routed, the oldest first,
//!   when a replica comes, and are gone at their timeout.
//! - A shared server has classes of requests, one a model: what finds no replica and the timeout are the class's own, and
//!   the tally is one of [`Tally::shared`].

mod router;
mod sampling;

pub use sampling::Sampling;

use crate::domain::{ColdRequests, Routing};
use crate::simulate::random::Stream;
use crate::simulate::replica::meter::Meter;
use crate::simulate::replica::{Model, Replica};
use crate::simulate::tally::{Outcome, Tally};
use crate::simulate::traffic::{Request, Source};
use router::Router;
use std::collections::VecDeque;

/// How a station is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Name of the service: names its random streams.
    pub name: String,
    /// Seed.
    pub seed: u64,
    /// What its replicas run; `NewReplica::model` is an index into this.
    pub models: Vec<Model>,
    /// Routing.
    pub routing: Routing,
    /// What happens to a request that finds no replica.
    pub cold: ColdRequests,
    /// Shortest timeout on a request's way, s: to the first token or, for request servers, to the answer.
    pub timeout_s: f64,
    /// Requests waiting in a replica that begins to drain are routed again.
    pub reroute_waiting: bool,
    /// Leaves out part of the time of busy request servers; `None` simulates every request.
    pub sampling: Option<Sampling>,
    /// Of a shared server: its classes of requests, in their order. Otherwise none.
    pub classes: Vec<Class>,
}

/// Requests of one member of a shared server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Class {
    /// What happens to one that finds no replica.
    pub cold: ColdRequests,
    /// Shortest timeout on its way, s.
    pub timeout_s: f64,
}

impl Setup {
    fn class(&self, request: &Request) -> Class {
        let own = Class { cold: self.cold, timeout_s: self.timeout_s };
        self.classes.get(usize::from(request.class)).copied().unwrap_or(own)
    }

    /// Moment at which a request is gone that has not begun.
    fn gone_s(&self, request: &Request) -> f64 {
        request.at_s + self.class(request).timeout_s
    }
}

/// A replica that becomes ready.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NewReplica {
    /// Name that it is addressed by; names its random stream.
    pub id: u64,
    /// Index into `Setup::models`; the last model if there is no such.
    pub model: usize,
    /// Share of the requests, relative to the other replicas.
    pub weight: f64,
}

/// A replica is told to go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Notice {
    /// From now on it gets no new requests, s.
    pub at_s: f64,
    /// It is gone, s.
    pub deadline_s: f64,
}

/// Requests by where they are, as a metric sees them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Worked on.
    pub running: u32,
    /// Waiting in replicas.
    pub waiting: u32,
    /// Held before the replicas.
    pub held: u32,
}

/// One replica, as a metric sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaLoad {
    /// Its name.
    pub id: u64,
    /// Worked on.
    pub running: u32,
    /// Waiting in it.
    pub waiting: u32,
    /// It gets no new requests.
    pub draining: bool,
}

#[derive(Clone, Debug)]
struct Member {
    id: u64,
    weight: f64,
    /// Deadline, if it drains.
    drains_until_s: Option<f64>,
    replica: Replica,
}

/// A service.
#[derive(Clone, Debug)]
pub struct Station {
    setup: Setup,
    now_s: f64,
    members: Vec<Member>,
    /// `Replica::next_s` of each member, side by side.
    next_s: Vec<f64>,
    router: Router,
    held: VecDeque<Request>,
    /// Held requests, by class.
    doors: Vec<Meter>,
    /// Last moment at which a replica came or went.
    changed_s: f64,
}

impl Station {
    /// A service without replicas at a moment.
    #[must_use]
    pub fn new(setup: Setup, at_s: f64) -> Self {
        let router = Router::new(Stream::new(setup.seed, "routing", &setup.name));
        let doors = vec![Meter::default(); setup.classes.len().max(1)];
        Self { setup, now_s: at_s, members: Vec::new(), next_s: Vec::new(), router, held: VecDeque::new(), doors, changed_s: at_s }
    }

    /// Moment up to which it has been advanced, s.
    #[must_use]
    pub fn now_s(&self) -> f64 {
        self.now_s
    }

    /// Takes every request that arrives before `to_s`, and works until then.
    pub fn advance(&mut self, to_s: f64, source: &mut Source, tally: &mut Tally) {
        match self.setup.sampling {
            Some(_) => self.sample(to_s, source, tally),
            None => self.simulate(to_s, source, tally),
        }
    }

    /// A replica becomes ready; held requests go to it and the others.
    pub fn add_replica(&mut self, new: NewReplica, at_s: f64, tally: &mut Tally) {
        let at_s = self.moment(at_s);
        let Some(model) = self.setup.models.get(new.model).or(self.setup.models.last()) else { return };
        let stream = Stream::new(self.setup.seed, "service", &format!("{}/{}", self.setup.name, new.id));
        let replica = Replica::new(model, self.setup.timeout_s, stream);
        self.members.push(Member { id: new.id, weight: new.weight, drains_until_s: None, replica });
        self.next_s.push(f64::INFINITY);
        self.change(at_s);
        while let Some(request) = self.held.pop_front() {
            if self.setup.gone_s(&request) < at_s {
                self.give_up(&request, at_s, tally);
            } else {
                self.door(&request).leave(at_s);
                self.route(request, at_s, tally);
            }
        }
    }

    /// A replica gets no new requests; what is in it at the deadline is lost. It is gone when it is empty.
    pub fn drain_replica(&mut self, id: u64, notice: Notice, tally: &mut Tally) {
        let at_s = self.moment(notice.at_s);
        let Some(index) = self.index_of(id) else { return };
        let deadline_s = notice.deadline_s.max(at_s);
        let member = &mut self.members[index];
        member.drains_until_s = Some(member.drains_until_s.map_or(deadline_s, |earlier| earlier.min(deadline_s)));
        self.change(at_s);
        if self.setup.reroute_waiting && !self.router.is_empty() {
            while let Some(request) = self.members[index].replica.take_waiting(at_s, tally) {
                self.route(request, at_s, tally);
            }
        }
        self.remove_empty(tally);
    }

    /// A replica is gone with everything in it.
    pub fn kill_replica(&mut self, id: u64, at_s: f64, tally: &mut Tally) {
        let at_s = self.moment(at_s);
        if let Some(index) = self.index_of(id) {
            self.members[index].replica.abandon(at_s, Outcome::Lost, tally);
            self.members.remove(index);
            self.next_s.remove(index);
            self.change(at_s);
        }
    }

    /// Switches off what is between now and `at_s`: what is in flight ends as such, and the replicas that are there (none
    /// that drains) go on empty. The source is the caller's to skip.
    pub fn reset(&mut self, at_s: f64, tally: &mut Tally) {
        self.end_all(tally);
        self.members.retain(|member| member.drains_until_s.is_none());
        self.next_s = vec![f64::INFINITY; self.members.len()];
        self.now_s = self.moment(at_s);
        self.change(self.now_s);
    }

    /// Ends the measurement: what is in flight is counted as such. Nothing is left in the station.
    pub fn close(&mut self, tally: &mut Tally) {
        self.reset(self.now_s, tally);
    }

    /// Requests in all replicas, draining ones as well, and before them.
    #[must_use]
    pub fn load(&self) -> Load {
        let mut load = Load { held: self.held.len() as u32, ..Load::default() };
        for member in &self.members {
            load.running += member.replica.running();
            load.waiting += member.replica.waiting(self.now_s);
        }
        load
    }

    /// Requests of one class of a shared server.
    #[must_use]
    pub fn load_of(&self, class: usize) -> Load {
        let held = self.held.iter().filter(|request| usize::from(request.class) == class).count();
        let mut load = Load { held: held as u32, ..Load::default() };
        for member in &self.members {
            let (running, waiting) = member.replica.of_class(class, self.now_s);
            load.running += running;
            load.waiting += waiting;
        }
        load
    }

    /// The replicas with what is in them of one class, in the order in which they came.
    pub fn replicas_of(&self, class: usize) -> impl Iterator<Item = ReplicaLoad> + '_ {
        self.members.iter().map(move |member| {
            let (running, waiting) = member.replica.of_class(class, self.now_s);
            ReplicaLoad { id: member.id, running, waiting, draining: member.drains_until_s.is_some() }
        })
    }

    /// The replicas, in the order in which they came.
    pub fn replicas(&self) -> impl Iterator<Item = ReplicaLoad> + '_ {
        self.members.iter().map(|member| ReplicaLoad {
            id: member.id,
            running: member.replica.running(),
            waiting: member.replica.waiting(self.now_s),
            draining: member.drains_until_s.is_some(),
        })
    }

    /// Requests in a replica; `None` when it is not there, or no longer.
    #[must_use]
    pub fn in_flight(&self, id: u64) -> Option<u32> {
        self.index_of(id).map(|index| self.members[index].replica.in_flight())
    }

    /// Replicas that get requests.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.router.len()
    }

    fn simulate(&mut self, to_s: f64, source: &mut Source, tally: &mut Tally) {
        loop {
            let deadline_s = self.members.iter().filter_map(|member| member.drains_until_s).fold(f64::INFINITY, f64::min);
            let stop_s = to_s.min(deadline_s);
            while let Some(request) = source.next_before(stop_s) {
                tally.arrive(&request);
                self.route(request, request.at_s, tally);
            }
            self.settle(stop_s, tally);
            if deadline_s > to_s {
                return;
            }
            self.expire(stop_s, tally);
        }
    }

    /// Brings everything to `at_s`.
    fn settle(&mut self, at_s: f64, tally: &mut Tally) {
        let at_s = self.moment(at_s);
        for (member, next_s) in self.members.iter_mut().zip(&mut self.next_s).filter(|(_, next_s)| **next_s <= at_s) {
            member.replica.advance(at_s, tally);
            *next_s = member.replica.next_s();
        }
        self.let_go(at_s, tally);
        self.now_s = at_s;
        self.remove_empty(tally);
    }

    fn route(&mut self, request: Request, at_s: f64, tally: &mut Tally) {
        let Some(index) = self.choose(at_s, tally) else {
            self.refuse(request, at_s, tally);
            return;
        };
        let member = &mut self.members[index];
        if self.next_s[index] <= at_s {
            member.replica.advance(at_s, tally);
        }
        member.replica.offer(request, at_s, tally);
        self.next_s[index] = member.replica.next_s();
    }

    /// Index of the replica that the next request goes to.
    fn choose(&mut self, at_s: f64, tally: &mut Tally) -> Option<usize> {
        match self.setup.routing {
            Routing::Random => self.router.draw(),
            Routing::LeastLoaded => {
                let (members, next_s) = (&mut self.members, &mut self.next_s);
                self.router.least(|index| {
                    let replica = &mut members[index].replica;
                    if next_s[index] <= at_s {
                        replica.advance(at_s, tally);
                        next_s[index] = replica.next_s();
                    }
                    replica.in_flight()
                })
            }
        }
    }

    fn refuse(&mut self, request: Request, at_s: f64, tally: &mut Tally) {
        match self.setup.class(&request).cold {
            ColdRequests::Reject => tally.end(&request, Outcome::Rejected, at_s),
            ColdRequests::Fallback => tally.end(&request, Outcome::FallenBack, at_s),
            ColdRequests::Hold => {
                tally.hold(&request);
                self.door(&request).enter(at_s);
                self.held.push_back(request);
            }
        }
    }

    /// Held requests whose timeout is over are gone: with one timeout for all the oldest are, with several it may be any.
    fn let_go(&mut self, at_s: f64, tally: &mut Tally) {
        while let Some(request) = self.held.front().copied().filter(|request| self.setup.gone_s(request) < at_s) {
            self.held.pop_front();
            self.give_up(&request, at_s, tally);
        }
        if self.setup.classes.len() > 1 && !self.held.is_empty() {
            let (gone, stay): (VecDeque<Request>, VecDeque<Request>) =
                std::mem::take(&mut self.held).into_iter().partition(|request| self.setup.gone_s(request) < at_s);
            self.held = stay;
            gone.iter().for_each(|request| self.give_up(request, at_s, tally));
        }
    }

    /// A held request that left when its timeout was over, as is seen at `at_s`.
    fn give_up(&mut self, request: &Request, at_s: f64, tally: &mut Tally) {
        let gone_s = self.setup.gone_s(request);
        self.door(request).leave_since(gone_s, at_s);
        tally.end(request, Outcome::TimedOut, gone_s);
    }

    /// Meter of the held requests of a request's class.
    fn door(&mut self, request: &Request) -> &mut Meter {
        let class = usize::from(request.class).min(self.doors.len() - 1);
        &mut self.doors[class]
    }

    /// Takes the draining replicas away whose deadline has come.
    fn expire(&mut self, at_s: f64, tally: &mut Tally) {
        for member in self.members.iter_mut().filter(|member| member.drains_until_s.is_some_and(|deadline_s| deadline_s <= at_s)) {
            member.replica.abandon(at_s, Outcome::Lost, tally);
        }
        self.remove_empty(tally);
    }

    /// Removes draining replicas that have nothing left to do.
    fn remove_empty(&mut self, tally: &mut Tally) {
        let gone = |member: &Member| member.drains_until_s.is_some() && member.replica.in_flight() == 0;
        if !self.members.iter().any(gone) {
            return;
        }
        for member in self.members.iter_mut().filter(|member| gone(member)) {
            member.replica.abandon(self.now_s, Outcome::Lost, tally);
        }
        self.members.retain(|member| !gone(member));
        self.next_s = self.members.iter().map(|member| member.replica.next_s()).collect();
        self.change(self.now_s);
    }

    fn end_all(&mut self, tally: &mut Tally) {
        for member in &mut self.members {
            member.replica.abandon(self.now_s, Outcome::InFlight, tally);
        }
        while let Some(request) = self.held.pop_front() {
            let now_s = self.now_s;
            tally.end(&request, Outcome::InFlight, now_s);
            self.door(&request).leave(now_s);
        }
        for (class, door) in self.doors.iter_mut().enumerate() {
            tally.add_area(class, door.take_area(self.now_s));
        }
    }

    /// The replicas that get requests have changed.
    fn change(&mut self, at_s: f64) {
        self.changed_s = at_s;
        let ready = self.members.iter().enumerate().filter(|(_, member)| member.drains_until_s.is_none());
        self.router.set(ready.map(|(index, member)| (index, member.weight)));
    }

    fn index_of(&self, id: u64) -> Option<usize> {
        self.members.iter().position(|member| member.id == id)
    }

    /// Time does not run backwards.
    fn moment(&self, at_s: f64) -> f64 {
        at_s.max(self.now_s)
    }
}

#[cfg(test)]
mod closed_forms;
#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod llm_tests;
#[cfg(test)]
mod shared_tests;
#[cfg(test)]
mod tests;
