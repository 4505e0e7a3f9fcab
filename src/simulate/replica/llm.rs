//! One LLM replica with continuous batching.
//!
//! Semantics, after vLLM's V1 scheduler with chunked prefill:
//! - A forward pass decodes one token for each decoding sequence, and prefills prompts, first come first served, with
//!   what is left of the pass's token budget. Its time is that of the decode step (or the prefill's fixed part, when
//!   nothing decodes) plus that of the prompt tokens in it.
//! - A sequence is admitted when its first prompt token is scheduled: when fewer than `max_batch` are in, and the cache
//!   has room for prompt and whole answer. Reserving the answer is a simplification, pessimistic against an engine that
//!   allocates as it goes and preempts; the engine does not know the answer's length, the simulator does.
//! - Its first token comes at the end of the pass that finishes its prompt.
//! - A request larger than the whole cache is dropped.
//! - The timeout is that to the first token (a streaming gateway's idle timeout): who waits longer is gone, whether the
//!   prompt is being prefilled or not. An answer that has begun is not cut off.
//!
//! While no prompt can be scheduled, passes differ only by the growing context, and a whole run of them up to the next
//! completion or the next arrival is one event in closed form ([`Line`](super::passes::Line)). Exact mode makes each
//! pass an event of its own; both give the same times up to rounding. Nothing is allocated for an event once the arrays have their size.

use super::meter::Meter;
use super::passes::PassTimes;
use crate::domain::LlmModel;
use crate::simulate::tally::{Outcome, Served, Tally};
use crate::simulate::traffic::Request;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

/// Tokens of one forward pass: vLLM's `max_num_batched_tokens`, as its API server sets it (`get_batch_defaults` in
/// `vllm/engine/arg_utils.py`) below 70 GiB of GPU memory and on the A100; on an H100 or H200 it sets 8,192.
pub const PASS_TOKENS: u32 = 2048;

/// Token budget of a pass on a card: vLLM takes 8,192 for online serving on cards of 70 GiB and more, but for the A100.
#[must_use]
pub fn pass_tokens(accelerator: &str) -> u32 {
    let large = ["h100", "h200", "b200", "b300", "gb200", "rtx-pro-6000"];
    if large.iter().any(|name| accelerator.starts_with(name)) { 8192 } else { PASS_TOKENS }
}

/// Low bits of a heap key that hold the slot; the pass count is above them.
const SLOT_BITS: u32 = 16;

/// How runs of equal passes are advanced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stepping {
    /// In closed form to the next event.
    #[default]
    Fast,
    /// Pass by pass.
    Exact,
}

/// The engine that replicas of one operating point run.
#[derive(Clone, Debug, PartialEq)]
pub struct Engine {
    times: PassTimes,
    max_batch: u32,
    max_kv_tokens: u64,
    pass_tokens: u32,
    longest_run: u64,
}

impl Engine {
    /// From a latency model; `pass_tokens` is the token budget of a pass ([`PASS_TOKENS`]).
    #[must_use]
    pub fn new(model: &LlmModel, pass_tokens: u32, stepping: Stepping) -> Self {
        let max_batch = model.max_batch.clamp(1, (1 << SLOT_BITS) - 1);
        Self {
            times: PassTimes::new(model),
            max_batch,
            max_kv_tokens: model.max_kv_tokens.max(0.0) as u64,
            pass_tokens: pass_tokens.max(1),
            longest_run: match stepping {
                Stepping::Fast => u64::MAX,
                Stepping::Exact => 1,
            },
        }
    }
}

/// The pass, or the run of equal passes, in progress.
#[derive(Clone, Copy, Debug)]
struct Run {
    passes: u64,
    /// Infinite when the replica is idle.
    end_s: f64,
    /// Prompt tokens are in it: nothing can shorten it.
    prefills: bool,
}

const IDLE: Run = Run { passes: 0, end_s: f64::INFINITY, prefills: false };

/// A sequence that has been admitted.
#[derive(Clone, Copy, Debug, Default)]
struct Sequence {
    request: Request,
    begun_s: f64,
    first_s: f64,
}

/// State of a replica; its size is bounded by the batch and, for the queue, by the timeout.
#[derive(Clone, Debug)]
pub struct Llm {
    engine: Arc<Engine>,
    timeout_s: f64,
    /// End of the last pass that is done, or begin of the work.
    boundary_s: f64,
    run: Run,
    passes_done: u64,
    /// Tokens that the decoding sequences attend to in their next pass, summed.
    context: u64,
    kv_reserved: u64,
    /// Pass count at which a sequence has its last token, above its slot.
    decoding: BinaryHeap<Reverse<u64>>,
    /// Slots whose prompts are finished by the pass in progress.
    joining: Vec<u32>,
    /// Slot of a prompt that does not finish in the pass in progress, and its tokens done by then.
    partial: Option<(u32, u32)>,
    slots: Vec<Sequence>,
    free: Vec<u32>,
    queue: VecDeque<Request>,
    meter: Meter,
}

impl Llm {
    /// An empty replica.
    #[must_use]
    pub fn new(engine: Arc<Engine>, timeout_s: f64) -> Self {
        Self {
            engine,
            timeout_s,
            boundary_s: 0.0,
            run: IDLE,
            passes_done: 0,
            context: 0,
            kv_reserved: 0,
            decoding: BinaryHeap::new(),
            joining: Vec::new(),
            partial: None,
            slots: Vec::new(),
            free: Vec::new(),
            queue: VecDeque::new(),
            meter: Meter::default(),
        }
    }

    pub(super) fn next_s(&self) -> f64 {
        self.run.end_s
    }

    pub(super) fn running(&self) -> u32 {
        self.meter.inside() - self.queue.len() as u32
    }

    pub(super) fn waiting(&self, at_s: f64) -> u32 {
        let gone = self.queue.iter().take_while(|request| request.at_s + self.timeout_s < at_s).count();
        (self.queue.len() - gone) as u32
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.meter.inside()
    }

    pub(super) fn offer(&mut self, request: Request, at_s: f64, tally: &mut Tally) {
        if reserve(&request) > self.engine.max_kv_tokens {
            tally.end(&request, Outcome::Dropped, at_s);
            return;
        }
        self.meter.enter(at_s);
        self.queue.push_back(request);
        if self.run.passes == 0 {
            self.boundary_s = at_s;
            self.plan(tally);
        } else if !self.run.prefills && self.queue.len() == 1 {
            self.cut_run(if self.admits(&request) { at_s } else { request.at_s + self.timeout_s });
        }
    }

    pub(super) fn advance(&mut self, to_s: f64, tally: &mut Tally) {
        while self.run.end_s <= to_s {
            self.finish_run(tally);
            self.plan(tally);
        }
    }

    pub(super) fn take_waiting(&mut self, at_s: f64, tally: &mut Tally) -> Option<Request> {
        while let Some(request) = self.queue.pop_front() {
            if request.at_s + self.timeout_s >= at_s {
                self.meter.leave(at_s);
                return Some(request);
            }
            self.give_up(&request, at_s, tally);
        }
        None
    }

    pub(super) fn abandon(&mut self, at_s: f64, outcome: Outcome, tally: &mut Tally) {
        let partial = self.partial.take().map(|(slot, _)| slot);
        let decoding = self.decoding.drain().map(|Reverse(key)| slot_of(key));
        let begun: Vec<u32> = decoding.chain(self.joining.drain(..)).chain(partial).collect();
        for slot in begun {
            tally.end(&self.slots[slot as usize].request, outcome, at_s);
            self.meter.leave(at_s);
        }
        while let Some(request) = self.queue.pop_front() {
            if request.at_s + self.timeout_s < at_s {
                self.give_up(&request, at_s, tally);
            } else {
                tally.end(&request, outcome, at_s);
                self.meter.leave(at_s);
            }
        }
        tally.area_s += self.meter.take_area(at_s);
        self.free.clear();
        self.slots.clear();
        self.context = 0;
        self.kv_reserved = 0;
        self.run = IDLE;
    }

    /// Whether the engine has room for a request beside what is in it.
    fn admits(&self, request: &Request) -> bool {
        let admitted = self.slots.len() - self.free.len();
        admitted < self.engine.max_batch as usize && self.kv_reserved + reserve(request) <= self.engine.max_kv_tokens
    }

    /// Ends the run of decode passes at the first boundary at or after `at_s`, if it comes so far: a prompt can start there,
    /// or the head of the queue is gone and the one behind it may fit.
    fn cut_run(&mut self, at_s: f64) {
        let context = self.mean_context();
        let line = self.engine.times.line(self.decoding.len(), context);
        let passes = line.passes_for(context, at_s - self.boundary_s, self.run.passes);
        if passes < self.run.passes {
            self.run.passes = passes;
            self.run.end_s = self.boundary_s + line.run_s(context, passes);
        }
    }

    fn mean_context(&self) -> f64 {
        self.context as f64 / self.decoding.len().max(1) as f64
    }

    /// Decides what is done from the boundary on.
    fn plan(&mut self, tally: &mut Tally) {
        let chunks_s = if self.queue.is_empty() && self.partial.is_none() { None } else { self.schedule_prompts(tally) };
        if let Some(chunks_s) = chunks_s {
            let fixed_s = if self.decoding.is_empty() {
                self.engine.times.prefill_only_s()
            } else {
                let context = self.mean_context();
                self.engine.times.line(self.decoding.len(), context).pass_s(context)
            };
            self.run = Run { passes: 1, end_s: self.boundary_s + fixed_s + chunks_s, prefills: true };
        } else if let Some(Reverse(key)) = self.decoding.peek() {
            let context = self.mean_context();
            let line = self.engine.times.line(self.decoding.len(), context);
            let to_completion = (key >> SLOT_BITS) - self.passes_done;
            let passes = to_completion.min(line.holds_for(context)).min(self.engine.longest_run);
            self.run = Run { passes, end_s: self.boundary_s + line.run_s(context, passes), prefills: false };
            if let Some(gone_s) = self.queue.front().map(|request| request.at_s + self.timeout_s) {
                self.cut_run(gone_s);
            }
        } else {
            self.run = IDLE;
        }
    }

    /// Fills the pass that starts at the boundary with prompt tokens; their time, or `None` if there are none.
    fn schedule_prompts(&mut self, tally: &mut Tally) -> Option<f64> {
        let mut budget = self.engine.pass_tokens.saturating_sub(self.decoding.len() as u32).max(1);
        let mut chunks_s = None;
        while budget > 0 {
            let Some((slot, done)) = self.partial.take().or_else(|| self.admit(tally)) else { break };
            let prompt = self.slots[slot as usize].request.input_tokens.max(1);
            let take = budget.min(prompt - done);
            chunks_s = Some(chunks_s.unwrap_or(0.0) + self.engine.times.chunk_s(done, take));
            budget -= take;
            if done + take == prompt {
                self.joining.push(slot);
            } else {
                self.partial = Some((slot, done + take));
            }
        }
        chunks_s
    }

    /// Admits the head of the queue, past those who have gone: its slot, and no token done.
    fn admit(&mut self, tally: &mut Tally) -> Option<(u32, u32)> {
        while let Some(request) = self.queue.front().copied() {
            if request.at_s + self.timeout_s < self.boundary_s {
                self.queue.pop_front();
                self.give_up(&request, self.boundary_s, tally);
                continue;
            }
            if !self.admits(&request) {
                return None;
            }
            self.queue.pop_front();
            self.kv_reserved += reserve(&request);
            let sequence = Sequence { request, begun_s: self.boundary_s, first_s: 0.0 };
            let slot = self.free.pop().unwrap_or(self.slots.len() as u32);
            match self.slots.get_mut(slot as usize) {
                Some(place) => *place = sequence,
                None => self.slots.push(sequence),
            }
            return Some((slot, 0));
        }
        None
    }

    /// A request that left when its timeout was over, as is seen at `at_s`.
    fn give_up(&mut self, request: &Request, at_s: f64, tally: &mut Tally) {
        let gone_s = request.at_s + self.timeout_s;
        self.meter.leave_since(gone_s, at_s);
        tally.end(request, Outcome::TimedOut, gone_s);
    }

    /// Books the run in progress: tokens, first tokens, completions.
    fn finish_run(&mut self, tally: &mut Tally) {
        self.boundary_s = self.run.end_s;
        self.passes_done += self.run.passes;
        self.context += self.run.passes * self.decoding.len() as u64;
        while let Some(Reverse(key)) = self.decoding.peek()
            && key >> SLOT_BITS <= self.passes_done
        {
            let slot = slot_of(*key);
            self.decoding.pop();
            self.context -= reserve(&self.slots[slot as usize].request);
            self.complete(slot, tally);
        }
        while let Some(slot) = self.joining.pop() {
            self.join(slot, tally);
        }
    }

    /// A prompt is done: the first token is out, and the sequence decodes the others.
    fn join(&mut self, slot: u32, tally: &mut Tally) {
        let sequence = &mut self.slots[slot as usize];
        sequence.first_s = self.boundary_s;
        let request = sequence.request;
        if request.at_s + self.timeout_s < self.boundary_s {
            self.give_up(&request, self.boundary_s, tally);
            self.release(slot);
        } else if request.output_tokens < 2 {
            self.complete(slot, tally);
        } else {
            self.context += u64::from(request.input_tokens) + 1;
            let last_pass = self.passes_done + u64::from(request.output_tokens - 1);
            self.decoding.push(Reverse(last_pass << SLOT_BITS | u64::from(slot)));
        }
    }

    fn complete(&mut self, slot: u32, tally: &mut Tally) {
        let Sequence { request, begun_s, first_s } = self.slots[slot as usize];
        self.meter.leave(self.boundary_s);
        tally.serve_llm(&Served { request, begun_s, first_s, done_s: self.boundary_s });
        self.release(slot);
    }

    fn release(&mut self, slot: u32) {
        self.kv_reserved -= reserve(&self.slots[slot as usize].request);
        self.free.push(slot);
    }
}

/// Cache that a request takes: prompt and whole answer.
fn reserve(request: &Request) -> u64 {
    u64::from(request.input_tokens) + u64::from(request.output_tokens)
}

fn slot_of(key: u64) -> u32 {
    (key & ((1 << SLOT_BITS) - 1)) as u32
}
