//! The progress of `zen compare` on standard error: what is running, what is left, and for how
//! long.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use zen_compare::{Expected, Observer, Report, Run, StopFlag, Upcoming};

use super::saving::Saving;
use crate::failure::Failure;
use crate::flavor::Flavor;
use crate::terminal;
use crate::trace::short::{expected_time, short};
use crate::units::about;

/// With fewer columns than this there is no bar.
const ROOM_FOR_A_BAR: usize = 72;
/// The width of the bar and the gap after it.
const BAR: usize = 21;

pub(crate) struct Progress {
    bar: ProgressBar,
    saving: Saving,
    working: Working,
    begun: bool,
    repetition: u32,
}

/// What the page shows at work, beside what was measured.
pub(crate) struct Working {
    pub(crate) flavors: Vec<Flavor>,
    pub(crate) workers: Option<usize>,
    pub(crate) stop: StopFlag,
}

impl Progress {
    pub(crate) fn new(saving: Saving, working: Working) -> Self {
        // It draws only on a terminal, and only when told to: a ticking thread would take CPU time
        // from the measured processes.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let narrow = terminal::width().is_some_and(|width| usize::from(width) < ROOM_FOR_A_BAR);
        let template = if narrow { "{pos}/{len}  {wide_msg}" } else { "{bar:20} {pos}/{len}  {wide_msg}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Self { bar, saving, working, begun: false, repetition: 0 }
    }

    /// Ends the display. Returns where the page is, or why not everything could be saved.
    pub(crate) fn end(self, report: &Report) -> Result<Option<String>, Failure> {
        self.bar.finish_and_clear();
        if !self.begun {
            say(
                "all of this was measured already and is shown as it was saved; to measure again, save elsewhere",
            );
        }
        self.saving.end(report)
    }
}

impl Observer for Progress {
    fn trying(&mut self, contender: &str) {
        self.begun = true;
        self.bar.set_message(format!("checking that {contender} starts"));
        self.bar.tick();
    }

    fn planned(&mut self, expected: &Expected) {
        let Expected { runs, mut time, .. } = *expected;
        let Working { flavors, workers, stop } = &self.working;
        let lacks_trace = self.saving.lacks_trace();
        if lacks_trace {
            time += expected_time(flavors, *workers);
        }
        say(&format!("{runs} runs, about {}; Ctrl-C ends early and keeps what was measured", about(time)));
        self.bar.set_length(runs as u64);
        if lacks_trace {
            self.bar.set_message("tracing how each server works");
            self.bar.tick();
            // All that it starts has ended before the first run begins.
            match short(flavors, *workers, stop) {
                Ok(trace) => self.saving.traced(trace),
                // Whoever interrupts knows.
                Err(_) if stop.is_stopped() => {}
                Err(why) => self.bar.suspend(|| say(&format!("the page will not show how they work: {why}"))),
            }
        }
        self.bar.set_message("getting ready");
        self.bar.tick();
    }

    fn run_started(&mut self, run: &Upcoming<'_>) {
        let Upcoming { done, runs, contender, scenario, repetition, .. } = *run;
        let left = about(run.remaining);
        // Without a terminal, an occasional line shows that the comparison goes on.
        if self.bar.is_hidden() && repetition > self.repetition {
            say(&format!("{done} of {runs} runs, about {left} to go"));
        }
        self.repetition = repetition;
        self.bar.set_length(runs as u64);
        let numbers = format!("{done}/{runs}  ").len();
        // Without a terminal, nothing is drawn.
        let room = terminal::width().map_or(usize::MAX, |width| {
            let width = usize::from(width);
            width.saturating_sub(numbers + if width < ROOM_FOR_A_BAR { 0 } else { BAR })
        });
        self.bar.set_message(message(room, &left, scenario, contender));
        self.bar.set_position(done as u64);
        self.bar.tick();
    }

    fn rerunning(&mut self, reruns: &Expected) {
        let Expected { runs, time, .. } = *reruns;
        let time = about(time);
        self.bar.suspend(|| {
            say(&format!("{runs} runs that the machine made invalid are rerun, about {time}"));
        });
    }

    fn run_finished(&mut self, _: &Run, so_far: &Report) {
        self.saving.run_finished(so_far);
    }
}

/// What is running and how much time is left, as far as there is room; the contender is kept
/// longest.
fn message(room: usize, left: &str, scenario: &str, contender: &str) -> String {
    let whole = format!("{left} to go · {scenario} · {contender}");
    let shorter = [format!("{left} · {scenario} · {contender}"), format!("{scenario} · {contender}")];
    let fits = |text: &String| text.chars().count() <= room;
    std::iter::once(whole).chain(shorter).find(fits).unwrap_or_else(|| contender.to_owned())
}

fn say(line: &str) {
    // When standard error is closed, there is no reader for this line either.
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_contender_is_shown_in_any_width() {
        let told = |room| message(room, "9 s", "saturate-512", "async-multi");
        assert_eq!(told(usize::MAX), "9 s to go · saturate-512 · async-multi");
        assert_eq!(told(38), "9 s to go · saturate-512 · async-multi");
        assert_eq!(told(37), "9 s · saturate-512 · async-multi");
        assert_eq!(told(31), "saturate-512 · async-multi");
        assert_eq!(told(25), "async-multi");
    }
}
