//! How far `zen compare` is, on standard error: what is running, what is left, and for how long.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use zen_compare::{Expected, Observer, Report, Run, Upcoming};

use super::saving::Saving;
use crate::failure::Failure;
use crate::terminal;
use crate::units::about;

/// In fewer columns than these there is no bar.
const ROOM_FOR_A_BAR: usize = 72;
/// The bar and the gap behind it.
const BAR: usize = 21;

pub(crate) struct Progress {
    bar: ProgressBar,
    saving: Saving,
    begun: bool,
    repetition: u32,
}

impl Progress {
    pub(crate) fn new(saving: Saving) -> Self {
        // It draws only where there is a terminal, and only when told to: a thread that ticks would take CPU time
        // from what is measured.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let narrow = terminal::width().is_some_and(|width| usize::from(width) < ROOM_FOR_A_BAR);
        let template = if narrow { "{pos}/{len}  {wide_msg}" } else { "{bar:20} {pos}/{len}  {wide_msg}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Self { bar, saving, begun: false, repetition: 0 }
    }

    /// Whether all could be saved, and where the page is.
    pub(crate) fn end(self, report: &Report) -> Result<Option<String>, Failure> {
        self.bar.finish_and_clear();
        if !self.begun {
            say("all of this was measured already, and is as it was saved; to measure again, save elsewhere");
        }
        self.saving.end(report)
    }
}

impl Observer for Progress {
    fn trying(&mut self, contender: &str) {
        self.begun = true;
        self.bar.set_message(format!("trying whether {contender} starts"));
        self.bar.tick();
    }

    fn planned(&mut self, expected: &Expected) {
        let Expected { runs, time, .. } = *expected;
        say(&format!("{runs} runs, about {}; Ctrl-C ends early and keeps what was measured", about(time)));
        self.bar.set_length(runs as u64);
        self.bar.set_message("getting ready");
        self.bar.tick();
    }

    fn run_started(&mut self, run: &Upcoming<'_>) {
        let Upcoming { done, runs, contender, scenario, repetition, .. } = *run;
        let left = about(run.remaining);
        // Where there is no terminal, a line now and then shows that it goes on.
        if self.bar.is_hidden() && repetition > self.repetition {
            say(&format!("{done} of {runs} runs, about {left} to go"));
        }
        self.repetition = repetition;
        self.bar.set_length(runs as u64);
        let numbers = format!("{done}/{runs}  ").len();
        // Where nobody has a terminal, nothing is drawn.
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

/// What is running and how long all of it takes yet, as far as there is room; what is running longest of all.
fn message(room: usize, left: &str, scenario: &str, contender: &str) -> String {
    let whole = format!("{left} to go · {scenario} · {contender}");
    let shorter = [format!("{left} · {scenario} · {contender}"), format!("{scenario} · {contender}")];
    let fits = |text: &String| text.chars().count() <= room;
    std::iter::once(whole).chain(shorter).find(fits).unwrap_or_else(|| contender.to_owned())
}

fn say(line: &str) {
    // Where nobody sees a bar, nobody may be there to read this either.
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_running_is_told_in_any_width() {
        let told = |room| message(room, "9 s", "saturate-512", "async-multi");
        assert_eq!(told(usize::MAX), "9 s to go · saturate-512 · async-multi");
        assert_eq!(told(38), "9 s to go · saturate-512 · async-multi");
        assert_eq!(told(37), "9 s · saturate-512 · async-multi");
        assert_eq!(told(31), "saturate-512 · async-multi");
        assert_eq!(told(25), "async-multi");
    }
}
