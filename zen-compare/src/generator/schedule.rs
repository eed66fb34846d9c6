//! When the questions of an open loop are due, and whether the generator is to blame when they are
//! asked late.

use super::load::Nanos;
use crate::scenario::Spacing;

/// A question is late when it could have been asked, and is asked later than this after it was due.
/// Waking a sleeping thread may take this long, and it is far less than the latencies at which a
/// server stops keeping up.
pub(super) const TOLERANCE: Nanos = 1_000_000;

/// The times at which one connection's questions are due, without end. All randomness in them comes
/// from the seed.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    random: fastrand::Rng,
    spacing: Spacing,
    /// Mean nanoseconds between two questions.
    gap: f64,
    /// When the next is due. Not rounded, as rounding every gap would change the rate.
    next: f64,
}

impl Schedule {
    /// The schedule of connection `which` of `connections`, which together ask `rate` questions a
    /// second from `start` on.
    pub(crate) fn new(
        seed: u64,
        which: usize,
        connections: usize,
        rate: f64,
        spacing: Spacing,
        start: Nanos,
    ) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "a number of connections, and times below 2^52 ns")]
        let (place, count, start) = (which as f64, connections as f64, start as f64);
        let gap = 1e9 * count / rate;
        // Neighbouring seeds are mixed, so that the connections have nothing in common.
        let random = fastrand::Rng::with_seed(fastrand::Rng::with_seed(seed).u64(..) ^ (which as u64) << 32);
        let mut schedule = Self { random, spacing, gap, next: start };
        match spacing {
            Spacing::Poisson => schedule.advance(),
            // Evenly offset, so that the questions of all connections together are evenly spaced
            // too.
            Spacing::Uniform => schedule.next += gap * (place + 1.0) / count,
        }
        schedule
    }

    /// When the next question is due.
    pub(crate) fn due(&self) -> Nanos {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, below 2^52")]
        let due = self.next as Nanos;
        due
    }

    /// Moves on to the question after that.
    pub(crate) fn advance(&mut self) {
        self.next += match self.spacing {
            // The inverse of the exponential distribution function; `1 − u` is never zero.
            Spacing::Poisson => -(1.0 - self.random.f64()).ln() * self.gap,
            Spacing::Uniform => self.gap,
        };
    }
}

/// How far one client has come in its schedule.
#[derive(Debug)]
pub(super) struct OpenLoop {
    schedule: Schedule,
    /// Whether the client cannot ask: it has no connection, or as many questions in flight as it
    /// may have.
    blocked: bool,
    /// Since when it can ask.
    free_since: Nanos,
}

/// A question that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) at: Nanos,
    /// By how much it is asked too late through the generator's fault alone; zero within the
    /// [`TOLERANCE`].
    pub(super) late: Nanos,
}

impl OpenLoop {
    pub(super) fn new(schedule: Schedule) -> Self {
        Self { schedule, blocked: true, free_since: 0 }
    }

    /// Notes that the client cannot ask until further notice.
    pub(super) fn block(&mut self) {
        self.blocked = true;
    }

    /// Notes that the client can ask, since `now` if it could not before.
    pub(super) fn unblock(&mut self, now: Nanos) {
        if self.blocked {
            self.blocked = false;
            self.free_since = now;
        }
    }

    /// When the client has to be woken. `None` while it cannot ask, as something else will wake it
    /// then.
    pub(super) fn alarm(&self) -> Option<Nanos> {
        (!self.blocked).then(|| self.schedule.due())
    }

    /// Takes the next question if it is due.
    pub(super) fn take(&mut self, now: Nanos) -> Option<Due> {
        let at = self.schedule.due();
        if at > now {
            return None;
        }
        self.schedule.advance();
        // While an answer kept the connection busy, the question waited for the server, not the
        // generator.
        let own_fault = if self.blocked { 0 } else { now - at.max(self.free_since).min(now) };
        let late = if own_fault > TOLERANCE { own_fault } else { 0 };
        Some(Due { at, late })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(spacing: Spacing, which: usize, count: usize) -> Vec<Nanos> {
        let mut schedule = Schedule::new(7, which, 4, 4_000.0, spacing, 5_000);
        let mut previous = 5_000;
        (0..count)
            .map(|_| {
                let gap = schedule.due() - previous;
                previous = schedule.due();
                schedule.advance();
                gap
            })
            .collect()
    }

    #[test]
    fn uniform_connections_are_evenly_offset() {
        assert_eq!(gaps(Spacing::Uniform, 0, 3), [250_000, 1_000_000, 1_000_000]);
        assert_eq!(gaps(Spacing::Uniform, 3, 3), [1_000_000; 3]);
    }

    #[test]
    fn gaps_of_a_poisson_process_are_exponential() {
        let gaps = gaps(Spacing::Poisson, 1, 200_000);
        #[allow(clippy::cast_precision_loss)]
        let (mean, square) = gaps.iter().fold((0.0, 0.0), |(mean, square), &gap| {
            let gap = gap as f64 / 1e6;
            (mean + gap / 200_000.0, square + gap * gap / 200_000.0)
        });
        // Mean and standard deviation are both 1; this many draws hold them to a few thousandths.
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
        assert!(((square - mean * mean).sqrt() - 1.0).abs() < 0.02, "{square}");
        // A share of e⁻¹ is longer than the mean, and one of e⁻³ is longer than three times that.
        let longer = |than: Nanos| gaps.iter().filter(|&&gap| gap > than).count();
        assert!((72_000..75_200).contains(&longer(1_000_000)), "{}", longer(1_000_000));
        assert!((9_500..10_400).contains(&longer(3_000_000)), "{}", longer(3_000_000));
    }

    #[test]
    fn the_seed_decides_the_schedules_and_no_two_connections_share_one() {
        let first = |seed, which| Schedule::new(seed, which, 64, 1e3, Spacing::Poisson, 0).due();
        assert_eq!(first(1, 5), first(1, 5));
        let mut all: Vec<Nanos> = (0..64).flat_map(|which| [first(1, which), first(2, which)]).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 128);
    }

    fn open_loop() -> OpenLoop {
        // Due at 1 ms, 2 ms, 3 ms…
        OpenLoop::new(Schedule::new(1, 0, 1, 1_000.0, Spacing::Uniform, 0))
    }

    const MS: Nanos = 1_000_000;

    #[test]
    fn a_question_asked_in_time_is_not_late() {
        let mut client = open_loop();
        client.unblock(0);
        assert_eq!(client.take(MS - 1), None);
        assert_eq!(client.take(MS), Some(Due { at: MS, late: 0 }));
        assert_eq!(client.take(MS), None);
        assert_eq!(client.take(2 * MS + TOLERANCE), Some(Due { at: 2 * MS, late: 0 }));
    }

    #[test]
    fn a_question_that_waits_for_an_answer_is_not_late() {
        let mut client = open_loop();
        client.unblock(0);
        client.take(MS).unwrap();
        client.block();
        client.unblock(50 * MS);
        assert_eq!(client.take(50 * MS), Some(Due { at: 2 * MS, late: 0 }));
        client.block();
        client.unblock(51 * MS);
        assert_eq!(client.take(51 * MS), Some(Due { at: 3 * MS, late: 0 }));
    }

    #[test]
    fn a_question_that_waits_for_the_generator_is_late() {
        let mut client = open_loop();
        client.unblock(0);
        assert_eq!(client.take(4 * MS), Some(Due { at: MS, late: 3 * MS }));
        client.block();
        client.unblock(5 * MS);
        assert_eq!(client.take(7 * MS), Some(Due { at: 2 * MS, late: 2 * MS }));
    }

    #[test]
    fn a_question_that_a_silent_server_holds_up_is_not_late() {
        let mut client = open_loop();
        client.unblock(0);
        client.take(MS).unwrap();
        client.block();
        assert_eq!(client.take(900 * MS), Some(Due { at: 2 * MS, late: 0 }));
    }
}
