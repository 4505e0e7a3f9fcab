//! The integral over time of the number in a part of the system, for Little's law.

/// Requests inside, and their request-seconds so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Meter {
    inside: u32,
    since_s: f64,
    area_s: f64,
}

impl Meter {
    /// Requests inside.
    #[must_use]
    pub fn inside(&self) -> u32 {
        self.inside
    }

    /// One comes in.
    pub fn enter(&mut self, at_s: f64) {
        self.pass_time(at_s);
        self.inside += 1;
    }

    /// One goes out.
    pub fn leave(&mut self, at_s: f64) {
        self.pass_time(at_s);
        self.inside = self.inside.saturating_sub(1);
    }

    /// One goes out that, as is only seen at `at_s`, was gone since `gone_s`.
    pub fn leave_since(&mut self, gone_s: f64, at_s: f64) {
        self.leave(at_s);
        self.area_s -= at_s - gone_s;
    }

    /// Moves it on without letting time pass inside.
    pub fn shift(&mut self, by_s: f64) {
        self.since_s += by_s;
    }

    /// Takes the request-seconds up to `at_s`, and starts again.
    pub fn take_area(&mut self, at_s: f64) -> f64 {
        self.pass_time(at_s);
        std::mem::take(&mut self.area_s)
    }

    fn pass_time(&mut self, at_s: f64) {
        self.area_s += f64::from(self.inside) * (at_s - self.since_s);
        self.since_s = at_s;
    }
}
