//! The course of a load: clients connect, the load warms up, settles, and is measured.

use std::ops::ControlFlow;
use std::time::Duration;

use super::Generator;
use crate::generator::client::Client;
use crate::generator::load::{Moment, Nanos, nanos};
use crate::generator::load_result::LoadResult;
use crate::generator::stages::Stage;
use crate::machine::thread_usage::ThreadUsage;

/// How often [`Moment::Passing`] is reported while the load goes on.
const PASSING: Duration = Duration::from_millis(100);
/// How much a warm-up is extended at a time while the answers do not come at a steady pace.
const WARM_ON: Duration = Duration::from_millis(50);
/// How often to check whether all clients have joined, in nanoseconds.
const CHECK_INTERVAL: Nanos = 5_000_000;

impl Generator<'_> {
    /// Reports the moments that have come. Breaks when the load is over.
    pub(super) fn pass_time(
        &mut self,
        now: Nanos,
        on_moment: &mut dyn FnMut(Moment) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if now >= self.stages.next_passing {
            self.stages.next_passing = now + nanos(PASSING);
            if on_moment(Moment::Passing).is_break() {
                self.close();
                return ControlFlow::Break(());
            }
        }
        if self.stages.stage == Stage::Gathering {
            self.gather(now);
        }
        if now < self.stages.ends {
            return ControlFlow::Continue(());
        }
        match self.stages.stage {
            Stage::Gathering => ControlFlow::Continue(()),
            Stage::WarmingUp if self.wants_more_warmup(now) => {
                self.stages.ends = now + nanos(WARM_ON);
                ControlFlow::Continue(())
            }
            Stage::WarmingUp => {
                self.stages.stage = Stage::Settling;
                self.stages.ends = now + self.stages.settle;
                self.stages.answers_settling = self.answers;
                on_moment(Moment::Settling)
            }
            Stage::Settling => {
                let flow = on_moment(Moment::Opens);
                self.stages.stage = Stage::Open;
                self.stages.usage_opened = ThreadUsage::now();
                self.stages.opened = self.now();
                self.stages.ends = self.stages.opened + nanos(self.load.window);
                flow
            }
            Stage::Open => {
                self.close();
                let _ = on_moment(Moment::Closes);
                ControlFlow::Break(())
            }
        }
    }

    /// Connects the measured clients, then the idle connections. When all have joined, the warm-up
    /// begins.
    fn gather(&mut self, now: Nanos) {
        let measured_are_in = self.let_measured_clients_in(now);
        if measured_are_in {
            self.let_idle_connections_in(now);
        }
        if measured_are_in && self.idle.is_in(now) {
            self.stages.stage = Stage::WarmingUp;
            self.stages.warmup_began = now;
            self.stages.ends = now + self.stages.warmup;
        } else {
            self.stages.ends = now + CHECK_INTERVAL;
        }
    }

    fn wants_more_warmup(&self, now: Nanos) -> bool {
        let spent = Duration::from_nanos(now - self.stages.warmup_began);
        let asked = Duration::from_nanos(self.stages.warmup);
        self.load.progress.is_some_and(|progress| progress.wants_more_warmup(spent, asked))
    }

    /// Closes the window, if it was open, and collects what the clients have seen.
    fn close(&mut self) {
        let now = self.now();
        if let Some(opened) = self.stages.opened() {
            let usage = ThreadUsage::now();
            self.result.window = Duration::from_nanos(now - opened);
            self.result.generator_cpu = usage.cpu.saturating_sub(self.stages.usage_opened.cpu);
            self.result.generator_starved = usage.starved_since(&self.stages.usage_opened);
            self.count_unanswered(now);
            self.count_unsent(opened, now);
        }
        self.result.answers_since_settling = self.answers - self.stages.answers_settling;
        self.result.groups = self.groups();
        self.result.connections_held = self.connections_held();
        let measured = &self.clients[self.first_measured..];
        self.result.served = measured.iter().map(|client| client.served).collect();
        let waits = measured.iter().filter_map(Client::waiting_since);
        let waits = waits.map(|since| now.saturating_sub(since));
        self.result.waiting = waits.clone().count();
        self.result.longest_wait = Duration::from_nanos(waits.max().unwrap_or(0));
    }

    /// Adds the questions that are not answered to the latencies, with how long each has waited so
    /// far. Without them, a server would look better the more questions it leaves unanswered. When
    /// the server does answer, they are a question or two in thousands, as no more are ever open at
    /// once than rate times latency (Little's law).
    fn count_unanswered(&mut self, now: Nanos) {
        let LoadResult { latency, uncorrected, .. } = &mut self.result;
        for asked in self.clients[self.first_measured..].iter().flat_map(Client::unanswered) {
            latency.saturating_record_n(now.saturating_sub(asked.due), asked.open());
            if let Some(uncorrected) = uncorrected {
                uncorrected.saturating_record_n(now.saturating_sub(asked.sent), asked.open());
            }
        }
    }

    /// Counts the questions that were due and never asked. Their wait began when they were due.
    fn count_unsent(&mut self, opened: Nanos, now: Nanos) {
        let Some(schedule) = &mut self.result.schedule else { return };
        for open_loop in self.clients.iter_mut().filter_map(|client| client.open_loop.as_mut()) {
            while let Some(due) = open_loop.take(now) {
                self.result.latency.saturating_record(now - due.at);
                let in_window = u64::from(due.at >= opened);
                schedule.due += in_window;
                schedule.late += if due.late > 0 { in_window } else { 0 };
                schedule.unsent += in_window;
            }
        }
    }
}
