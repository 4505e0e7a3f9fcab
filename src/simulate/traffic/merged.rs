//! Requests of several sources in one order of time, each marked with the member that it is for.

use super::{Request, Source};

/// Sources of the members of a shared server, in their order.
#[derive(Clone, Debug)]
pub struct Merged {
    members: Vec<Member>,
}

/// A source and the request that was drawn from it and has not been handed out.
#[derive(Clone, Debug)]
struct Member {
    source: Source,
    drawn: Option<Request>,
}

impl Merged {
    /// The sources, member by member.
    #[must_use]
    pub fn new(sources: Vec<Source>) -> Self {
        Self { members: sources.into_iter().map(|source| Member { source, drawn: None }).collect() }
    }

    /// The earliest request of all, if it comes before `before_s`; of two at one moment that of the earlier member.
    pub(super) fn next_before(&mut self, before_s: f64) -> Option<Request> {
        let mut first: Option<(f64, usize)> = None;
        for (index, member) in self.members.iter_mut().enumerate() {
            if member.drawn.is_none() {
                member.drawn = member.source.next_before(before_s);
            }
            let at_s = member.drawn.map(|request| request.at_s).filter(|&at_s| at_s < before_s);
            if let Some(at_s) = at_s.filter(|&at_s| first.is_none_or(|(earliest_s, _)| at_s < earliest_s)) {
                first = Some((at_s, index));
            }
        }
        let (_, index) = first?;
        let request = self.members.get_mut(index)?.drawn.take()?;
        Some(Request { class: u16::try_from(index).unwrap_or(u16::MAX), ..request })
    }

    pub(super) fn skip_to(&mut self, at_s: f64) {
        for member in &mut self.members {
            if member.drawn.is_some_and(|request| request.at_s < at_s) {
                member.drawn = None;
            }
            // One that comes later was drawn in order: nothing before it is left in the source.
            if member.drawn.is_none() {
                member.source.skip_to(at_s);
            }
        }
    }

    pub(super) fn expected(&self, from_s: f64, to_s: f64) -> f64 {
        self.members.iter().map(|member| member.source.expected(from_s, to_s)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Trace;
    use super::*;
    use std::sync::Arc;

    fn trace(at_s: &[f64]) -> Source {
        let requests = at_s.iter().map(|&at_s| Request { at_s, ..Request::default() });
        Source::Trace(Trace::new(Arc::from(requests.collect::<Vec<_>>()), 0.0))
    }

    #[test]
    fn members_come_in_order_of_time_and_keep_their_mark() {
        let mut source = Source::Merged(Merged::new(vec![trace(&[1.0, 4.0, 9.0]), trace(&[1.0, 3.0, 5.0]), trace(&[])]));
        assert!((source.expected(0.0, 4.5) - 4.0).abs() < 1e-12);
        let mut take = |before_s: f64| source.next_before(before_s).map(|request| (request.at_s, request.class));
        let found: Vec<_> = std::iter::from_fn(|| take(4.0)).collect();
        assert_eq!(found, [(1.0, 0), (1.0, 1), (3.0, 1)]);
        assert_eq!(take(6.0), Some((4.0, 0)));
        source.skip_to(6.0);
        assert_eq!(source.next_before(f64::INFINITY).map(|request| (request.at_s, request.class)), Some((9.0, 0)));
        assert_eq!(source.next_before(f64::INFINITY), None);
    }
}
