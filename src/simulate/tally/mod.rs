//! What is measured of a service's requests, in a form that can be merged over runs and hours.
//!
//! Every request is counted where it arrives and once more where it ends; weights (stratified hours stand for more than
//! themselves) are those of the moment of arrival. `conservation` holds the two sides against each other: requests,
//! tokens, and Little's law (the integral of the number in the system, kept by the stations' meters, against the sum of
//! the requests' own times there).

mod histogram;

pub use histogram::SpanHistogram;

use crate::domain::Slo;
use crate::simulate::traffic::Request;
use crate::units::HOURS_PER_WEEK;

/// Latency limits; infinite where there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Time to first token, s.
    pub ttft_s: f64,
    /// Time per output token after the first, s.
    pub tpot_s: f64,
    /// Whole request, s.
    pub latency_s: f64,
}

impl Limits {
    /// No limit at all.
    pub const NONE: Self = Self { ttft_s: f64::INFINITY, tpot_s: f64::INFINITY, latency_s: f64::INFINITY };

    /// Those of an SLO.
    #[must_use]
    pub fn of(slo: &Slo) -> Self {
        let seconds = |limit: Option<crate::units::Millis>| limit.map_or(f64::INFINITY, |limit| limit.0 / 1000.0);
        Self { ttft_s: seconds(slo.ttft), tpot_s: seconds(slo.tpot), latency_s: seconds(slo.latency) }
    }
}

/// How a request ended. Everything but `Served` within the limits is a miss; `InFlight` is neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Answered in full.
    Served,
    /// Turned away by a replica: larger than its cache, or no room to wait.
    Dropped,
    /// Not answered within the request timeout.
    TimedOut,
    /// Found no replica and was refused.
    Rejected,
    /// Found no replica and was sent to another endpoint.
    FallenBack,
    /// Lost with its replica: killed, or not done at the end of its notice.
    Lost,
    /// Still in the system when the measurement ended.
    InFlight,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Served, Self::Dropped, Self::TimedOut, Self::Rejected, Self::FallenBack, Self::Lost, Self::InFlight];
}

/// A count of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Count {
    /// Simulated.
    pub requests: u64,
    /// That they stand for.
    pub weighted: f64,
}

impl Count {
    fn add(&mut self, weight: f64) {
        self.requests += 1;
        self.weighted += weight;
    }

    fn merge(&mut self, other: Self) {
        self.requests += other.requests;
        self.weighted += other.weighted;
    }
}

/// Prompt and answer tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Prompt.
    pub input: u64,
    /// Answer.
    pub output: u64,
}

impl Tokens {
    fn add(&mut self, request: &Request) {
        self.input += u64::from(request.input_tokens);
        self.output += u64::from(request.output_tokens);
    }

    fn plus(self, other: Self) -> Self {
        Self { input: self.input + other.input, output: self.output + other.output }
    }
}

/// Requests that arrived in one hour of the week, weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hour {
    /// Arrived.
    pub arrived: f64,
    /// Within every limit.
    pub met: f64,
    /// Still in flight when the measurement ended: neither met nor missed.
    pub in_flight: f64,
}

/// A request that was answered.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    /// The request.
    pub request: Request,
    /// Work on it began, s.
    pub begun_s: f64,
    /// First token, s; for a request server the same as `done_s`.
    pub first_s: f64,
    /// Last token or answer, s.
    pub done_s: f64,
}

/// Counts, percentiles and balances of one service.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// Limits that a request must meet.
    pub limits: Limits,
    /// Requests that arrived.
    pub arrived: Count,
    /// Of those, within every limit.
    pub met: Count,
    /// Of those, that found no replica and were held: they end as any other.
    pub held: Count,
    /// Served requests on which work did not begin at once.
    pub waited: Count,
    /// Time from arrival to the begin of work, served requests.
    pub wait: SpanHistogram,
    /// Time to first token, LLM requests.
    pub ttft: SpanHistogram,
    /// Time per output token after the first, LLM requests of two tokens and more.
    pub tpot: SpanHistogram,
    /// Whole request.
    pub latency: SpanHistogram,
    /// By hour of the week (Monday 00:00 UTC first) of arrival.
    pub hours: [Hour; HOURS_PER_WEEK],
    /// Tokens of requests that were served, as simulated.
    pub tokens_served: Tokens,
    /// Tokens of all requests that arrived.
    pub tokens_asked: Tokens,
    /// Request-seconds in the system, from the meters: an integral over time.
    pub area_s: f64,
    /// Shares of the requests with the round trip of each, s.
    clients: Vec<(f64, f64)>,
    ends: [Count; 7],
    tokens_unserved: Tokens,
    sojourn_s: f64,
    weights: Vec<(f64, f64)>,
    stratum: f64,
    present: Present,
    /// Of a shared server: the same for each of its members alone, by the class of the request.
    members: Vec<Self>,
}

/// The hour that was last counted in.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Present {
    start_s: f64,
    end_s: f64,
    hour: usize,
}

/// Relative difference allowed between the two sides of Little's law: rounding of a sum over up to 1e9 requests.
const LITTLE_TOLERANCE: f64 = 1e-6;

impl Tally {
    /// An empty tally.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            arrived: Count::default(),
            met: Count::default(),
            held: Count::default(),
            waited: Count::default(),
            wait: SpanHistogram::default(),
            ttft: SpanHistogram::default(),
            tpot: SpanHistogram::default(),
            latency: SpanHistogram::default(),
            hours: [Hour::default(); HOURS_PER_WEEK],
            present: Present { start_s: 0.0, end_s: 0.0, hour: 0 },
            tokens_served: Tokens::default(),
            tokens_asked: Tokens::default(),
            area_s: 0.0,
            clients: vec![(1.0, 0.0)],
            ends: [Count::default(); 7],
            tokens_unserved: Tokens::default(),
            sojourn_s: 0.0,
            weights: vec![(f64::NEG_INFINITY, 1.0)],
            stratum: 1.0,
            members: Vec::new(),
        }
    }

    /// An empty tally of a shared server: one for all of its requests, with one for each member, which have limits of their own.
    #[must_use]
    pub fn shared(limits: &[Limits]) -> Self {
        Self { members: limits.iter().map(|&limits| Self::new(limits)).collect(), ..Self::new(Limits::NONE) }
    }

    /// Tallies of the members; none where the server is not shared.
    #[must_use]
    pub fn members(&self) -> &[Self] {
        &self.members
    }

    fn member(&mut self, request: &Request) -> Option<&mut Self> {
        self.members.get_mut(usize::from(request.class))
    }

    /// Limits that a request must meet.
    fn limits_of(&self, request: &Request) -> Limits {
        self.members.get(usize::from(request.class)).map_or(self.limits, |member| member.limits)
    }

    /// Adds request-seconds of a member.
    pub fn add_area(&mut self, class: usize, area_s: f64) {
        self.area_s += area_s;
        if let Some(member) = self.members.get_mut(class) {
            member.area_s += area_s;
        }
    }

    /// Every request stands for clients in several places: its latencies count with the round trip of each, by their shares.
    pub fn spread_over(&mut self, clients: &[(f64, f64)]) {
        if !clients.is_empty() {
            self.clients = clients.to_vec();
        }
    }

    /// The same for requests of one member of a shared server.
    pub fn spread_member_over(&mut self, class: usize, clients: &[(f64, f64)]) {
        if let Some(member) = self.members.get_mut(class) {
            member.spread_over(clients);
        }
    }

    /// Share and round trip of the clients of a request, one by one.
    fn client(&self, request: &Request, index: usize) -> Option<(f64, f64)> {
        let of = self.members.get(usize::from(request.class)).unwrap_or(self);
        of.clients.get(index).copied()
    }

    /// Requests that arrive at `from_s` and later stand for `weight` requests each; 0 for a warm-up.
    pub fn weigh(&mut self, from_s: f64, weight: f64) {
        self.stratum = weight;
        self.set_weight(from_s, weight);
        self.members.iter_mut().for_each(|member| member.weigh(from_s, weight));
    }

    /// Requests that arrive at `from_s` and later stand for `factor` times what their stratum says.
    pub fn sample(&mut self, from_s: f64, factor: f64) {
        self.set_weight(from_s, self.stratum * factor);
        self.members.iter_mut().for_each(|member| member.sample(from_s, factor));
    }

    fn set_weight(&mut self, from_s: f64, weight: f64) {
        if self.weights.last().is_some_and(|last| last.1.to_bits() == weight.to_bits()) {
            return;
        }
        while self.weights.last().is_some_and(|last| last.0 >= from_s) {
            self.weights.pop();
        }
        self.weights.push((from_s, weight));
        // A request outlives at most a few changes; what is older is not asked for again.
        if self.weights.len() > 64 {
            self.weights.drain(..32);
        }
    }

    /// Requests in flight have been moved on by a span that is left out: their weights move with them.
    pub fn shift(&mut self, by_s: f64) {
        for weight in &mut self.weights {
            weight.0 += by_s;
        }
        self.members.iter_mut().for_each(|member| member.shift(by_s));
    }

    fn weight(&self, arrival_s: f64) -> f64 {
        match self.weights.last() {
            Some(last) if last.0 <= arrival_s => last.1,
            Some(_) | None => self.earlier_weight(arrival_s),
        }
    }

    fn earlier_weight(&self, arrival_s: f64) -> f64 {
        let valid = self.weights.iter().rev().find(|weight| weight.0 <= arrival_s);
        valid.or(self.weights.first()).map_or(1.0, |weight| weight.1)
    }

    /// A request arrives.
    pub fn arrive(&mut self, request: &Request) {
        let weight = self.weight(request.at_s);
        self.arrived.add(weight);
        self.tokens_asked.add(request);
        self.hour(request.at_s).arrived += weight;
        if let Some(member) = self.member(request) {
            member.arrive(request);
        }
    }

    /// A request is held because there is no replica.
    pub fn hold(&mut self, request: &Request) {
        let weight = self.weight(request.at_s);
        self.held.add(weight);
        if let Some(member) = self.member(request) {
            member.hold(request);
        }
    }

    /// A request was answered by an LLM replica. Without a second token there is no time per token to miss.
    pub fn serve_llm(&mut self, served: &Served) {
        let Served { request, begun_s: _, first_s, done_s } = served;
        let weight = self.weight(request.at_s);
        let ttft_s = first_s - request.at_s;
        for index in 0..self.clients.len() {
            let (share, way_s) = self.clients[index];
            self.ttft.add(ttft_s + way_s, weight * share);
        }
        let mut met = true;
        if request.output_tokens > 1 {
            let tpot_s = (done_s - first_s) / f64::from(request.output_tokens - 1);
            self.tpot.add(tpot_s, weight);
            met &= tpot_s <= self.limits.tpot_s;
        }
        self.serve(served, weight, met.then_some(ttft_s));
    }

    /// A request was answered by a request server: only the limit on the whole request applies.
    pub fn serve_request(&mut self, served: &Served) {
        self.serve(served, self.weight(served.request.at_s), Some(f64::NEG_INFINITY));
        if let Some(member) = self.member(&served.request) {
            member.serve_request(served);
        }
    }

    /// `ttft_s`: time to the first token, without the way; `None` where another limit is broken already.
    fn serve(&mut self, served: &Served, weight: f64, ttft_s: Option<f64>) {
        let Served { request, begun_s, first_s: _, done_s } = served;
        let latency_s = done_s - request.at_s;
        let limits = self.limits_of(request);
        let (mut met_share, mut index) = (0.0, 0);
        while let Some((share, way_s)) = self.client(request, index) {
            self.latency.add(latency_s + way_s, weight * share);
            let in_time = ttft_s.is_some_and(|ttft_s| ttft_s + way_s <= limits.ttft_s) && latency_s + way_s <= limits.latency_s;
            met_share += if in_time { share } else { 0.0 };
            index += 1;
        }
        let wait_s = begun_s - request.at_s;
        self.wait.add(wait_s, weight);
        if wait_s > 0.0 {
            self.waited.add(weight);
        }
        if met_share > 0.0 {
            self.met.add(weight * met_share);
            self.hour(request.at_s).met += weight * met_share;
        }
        self.tokens_served.add(request);
        self.sojourn_s += latency_s;
        self.ends[Outcome::Served as usize].add(weight);
    }

    /// A request ends in another way, at `at_s`.
    pub fn end(&mut self, request: &Request, outcome: Outcome, at_s: f64) {
        let weight = self.weight(request.at_s);
        self.ends[outcome as usize].add(weight);
        self.tokens_unserved.add(request);
        self.sojourn_s += at_s - request.at_s;
        if outcome == Outcome::InFlight {
            self.hour(request.at_s).in_flight += weight;
        }
        if let Some(member) = self.member(request) {
            member.end(request, outcome, at_s);
        }
    }

    /// Counters of the hour of an arrival.
    fn hour(&mut self, at_s: f64) -> &mut Hour {
        if !(self.present.start_s <= at_s && at_s < self.present.end_s) {
            let start_s = (at_s / 3600.0).floor() * 3600.0;
            self.present = Present { start_s, end_s: start_s + 3600.0, hour: hour_of_week(at_s) };
        }
        &mut self.hours[self.present.hour]
    }

    /// Requests that ended so.
    #[must_use]
    pub fn ended(&self, outcome: Outcome) -> Count {
        self.ends[outcome as usize]
    }

    /// Share of the requests whose end is known that met every limit; `None` without any.
    #[must_use]
    pub fn attainment(&self) -> Option<f64> {
        let known = self.arrived.weighted - self.ended(Outcome::InFlight).weighted;
        (known > 0.0).then(|| self.met.weighted / known)
    }

    /// Adds all of another tally with the same limits.
    pub fn merge(&mut self, other: &Self) {
        let Self {
            limits: _,
            clients: _,
            arrived,
            met,
            held,
            waited,
            wait,
            ttft,
            tpot,
            latency,
            hours,
            tokens_served,
            tokens_asked,
            area_s,
            ends,
            tokens_unserved,
            sojourn_s,
            weights: _,
            stratum: _,
            present: _,
            members,
        } = other;
        self.arrived.merge(*arrived);
        self.met.merge(*met);
        self.held.merge(*held);
        self.waited.merge(*waited);
        self.wait.merge(wait);
        self.ttft.merge(ttft);
        self.tpot.merge(tpot);
        self.latency.merge(latency);
        for (mine, hour) in self.hours.iter_mut().zip(hours) {
            mine.arrived += hour.arrived;
            mine.met += hour.met;
            mine.in_flight += hour.in_flight;
        }
        self.tokens_served = self.tokens_served.plus(*tokens_served);
        self.tokens_asked = self.tokens_asked.plus(*tokens_asked);
        self.area_s += area_s;
        for (mine, count) in self.ends.iter_mut().zip(ends) {
            mine.merge(*count);
        }
        self.tokens_unserved = self.tokens_unserved.plus(*tokens_unserved);
        self.sojourn_s += sojourn_s;
        for (mine, member) in self.members.iter_mut().zip(members) {
            mine.merge(member);
        }
    }

    /// Holds what came in against what went out; valid after `Station::close`.
    ///
    /// # Errors
    /// Says which balance does not hold.
    pub fn conservation(&self) -> Result<(), String> {
        let ended: u64 = self.ends.iter().map(|count| count.requests).sum();
        if ended != self.arrived.requests {
            return Err(format!("{} requests arrived, {ended} ended or are in flight", self.arrived.requests));
        }
        let weighted: f64 = self.ends.iter().map(|count| count.weighted).sum();
        if (weighted - self.arrived.weighted).abs() > LITTLE_TOLERANCE * self.arrived.weighted.max(1.0) {
            return Err(format!("weight {} arrived, {weighted} ended or is in flight", self.arrived.weighted));
        }
        let tokens = self.tokens_served.plus(self.tokens_unserved);
        if tokens != self.tokens_asked {
            return Err(format!("tokens: {:?} asked for, {tokens:?} accounted for", self.tokens_asked));
        }
        if (self.area_s - self.sojourn_s).abs() > LITTLE_TOLERANCE * self.area_s.abs().max(1.0) {
            return Err(format!("Little's law: {} request-seconds in the system, {} spent by requests", self.area_s, self.sojourn_s));
        }
        self.members
            .iter()
            .enumerate()
            .try_for_each(|(class, member)| member.conservation().map_err(|fault| format!("member {class}: {fault}")))?;
        self.sums()
    }

    /// Members and the whole count the same requests.
    fn sums(&self) -> Result<(), String> {
        let arrived: u64 = self.members.iter().map(|member| member.arrived.requests).sum();
        let met: u64 = self.members.iter().map(|member| member.met.requests).sum();
        if !self.members.is_empty() && (arrived, met) != (self.arrived.requests, self.met.requests) {
            return Err(format!("members have {arrived} requests, {met} met; the server {}, {}", self.arrived.requests, self.met.requests));
        }
        Ok(())
    }
}

/// Hour of the week, 0 to 167, of a moment.
fn hour_of_week(at_s: f64) -> usize {
    ((at_s / 3600.0).floor() as i64).rem_euclid(HOURS_PER_WEEK as i64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(at_s: f64) -> Request {
        Request { at_s, input_tokens: 10, output_tokens: 5, class: 0 }
    }

    fn served(at_s: f64, first: f64, done: f64) -> Served {
        Served { request: request(at_s), begun_s: at_s, first_s: at_s + first, done_s: at_s + done }
    }

    #[test]
    fn limits_weights_and_hours() {
        let mut tally = Tally::new(Limits { ttft_s: 1.0, tpot_s: 0.5, latency_s: f64::INFINITY });
        tally.weigh(3600.0, 3.0);
        // Within both limits; TTFT 1.5; TPOT (5 - 1)/4 = 1; the last arrives in the second hour.
        for (at, first, done) in [(0.0, 1.0, 3.0), (1.0, 1.5, 2.0), (2.0, 1.0, 5.0), (3600.0, 0.5, 1.0)] {
            tally.arrive(&request(at));
            tally.serve_llm(&served(at, first, done));
            tally.area_s += done;
        }
        tally.arrive(&request(7200.0));
        tally.end(&request(7200.0), Outcome::InFlight, 7201.0);
        tally.area_s += 1.0;
        assert_eq!((tally.met.requests, tally.arrived.requests), (2, 5));
        assert!((tally.attainment().unwrap_or(0.0) - 4.0 / 6.0).abs() < 1e-12);
        assert_eq!(tally.hours[0], Hour { arrived: 3.0, met: 1.0, in_flight: 0.0 });
        assert_eq!(tally.hours[1], Hour { arrived: 3.0, met: 3.0, in_flight: 0.0 });
        assert_eq!(tally.hours[2], Hour { arrived: 3.0, met: 0.0, in_flight: 3.0 });
        assert_eq!(tally.conservation(), Ok(()));
        let mut twice = tally.clone();
        twice.merge(&tally);
        assert_eq!((twice.arrived.requests, twice.tokens_served), (10, Tokens { input: 80, output: 40 }));
        assert_eq!(twice.conservation(), Ok(()));
    }

    #[test]
    fn a_balance_that_does_not_hold_is_named() {
        let mut tally = Tally::new(Limits::NONE);
        tally.arrive(&request(0.0));
        assert!(tally.conservation().is_err_and(|fault| fault.contains("1 requests arrived")));
        tally.end(&request(0.0), Outcome::Lost, 2.0);
        assert!(tally.conservation().is_err_and(|fault| fault.contains("Little")));
        tally.area_s = 2.0;
        assert_eq!(tally.conservation(), Ok(()));
        tally.tokens_served.add(&request(0.0));
        assert!(tally.conservation().is_err_and(|fault| fault.contains("tokens")));
    }

    #[test]
    fn hours_wrap_around_the_week() {
        assert_eq!((hour_of_week(-1.0), hour_of_week(0.0), hour_of_week(3600.0 * 168.0), hour_of_week(3600.0 * 169.5)), (167, 0, 0, 1));
    }
}
