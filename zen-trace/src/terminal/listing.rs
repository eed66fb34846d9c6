//! The listing: a line for each step, with the moment at which it began and the source that took
//! it.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Terminal, colored, fit, fit_middle};
use crate::phases::{Activity, Cause, ServerPhases, StepIndex};
use crate::recording::{Entry, Place, Recording};
use crate::units::float;

/// Waits shorter than this are not marked: the system itself needs as long to wake a thread.
const LEAST_WAIT_NS: u64 = 10_000;

/// How many steps a repetition may have.
const LONGEST_CYCLE: usize = 40;

/// How many repetitions show their waits one by one.
const SHOWN: usize = 2;

impl Recording {
    /// The listing: a line for each step of every thread, in the order of time. It has the seconds
    /// since the first step, the place in the driver, the conversation and the source text. Waits
    /// are marked with their lengths. Of steps that repeat, `⋮` is left, and their waits.
    pub fn to_listing(&self, terminal: Terminal) -> String {
        if !terminal.is_wide_enough() {
            return terminal.too_narrow();
        }
        let listing = Listing::new(self, terminal);
        let mut text = String::new();
        listing.write(&mut text);
        terminal.spell(text)
    }
}

/// A line of the listing: a step, and what its thread waited for in it.
struct Line {
    at: StepIndex,
    entry: Entry,
    /// How long it waited, and for what, if that is worth a mark.
    wait: Option<(u64, Cause)>,
}

struct Listing<'a> {
    recording: &'a Recording,
    terminal: Terminal,
    lines: Vec<Line>,
    /// The part of the paths that all places share, which is said once.
    folder: &'a str,
    /// The widths of the columns for the place, the thread and the conversation.
    place: usize,
    thread: usize,
    conversation: usize,
}

impl<'a> Listing<'a> {
    fn new(recording: &'a Recording, terminal: Terminal) -> Self {
        let mut waits: BTreeMap<StepIndex, (u64, Cause)> = BTreeMap::new();
        let phases = ServerPhases::new(recording).threads.into_iter().flat_map(|lane| lane.phases);
        for phase in phases {
            if let (Some(at), Activity::Waiting(cause)) = (phase.step, phase.activity)
                && !matches!(cause, Cause::Other | Cause::Cpu)
            {
                let wait = waits.entry(at).or_insert((0, cause));
                wait.0 += phase.length_ns();
            }
        }
        let mut lines: Vec<Line> = Vec::new();
        for (thread, own) in recording.threads.iter().enumerate() {
            lines.extend(own.steps.iter().enumerate().map(|(step, &entry)| {
                let at = StepIndex { thread, step };
                let wait = waits.get(&at).copied().filter(|wait| wait.0 >= LEAST_WAIT_NS);
                Line { at, entry, wait }
            }));
        }
        lines.sort_by_key(|line| (line.entry.wall_ns, line.at));
        let folder = shared_folder(&recording.places);
        let names = recording.places.iter().map(|place| name(place, folder).chars().count());
        let threads = recording.threads.iter().map(|thread| thread.name.chars().count());
        let numbers = lines.iter().filter_map(|line| line.entry.conversation).max();
        Self {
            recording,
            terminal,
            folder,
            place: names.max().unwrap_or(0).min(28),
            thread: if recording.threads.len() > 1 { threads.max().unwrap_or(0).min(12) } else { 0 },
            conversation: numbers.map_or(0, |number| format!("#{number}").len()),
            lines,
        }
    }

    fn write(&self, text: &mut String) {
        let mut heading = self.recording.name.clone();
        if !self.folder.is_empty() {
            heading = format!("{heading}, in {}", self.folder);
        }
        text.push_str(&colored(&fit(&heading, usize::from(self.terminal.width)), "1", self.terminal));
        text.push('\n');
        let mut index = 0;
        while index < self.lines.len() {
            let (length, times) = self.repetition(index);
            for line in &self.lines[index..index + length] {
                self.step(line, text);
                self.wait(line, text);
            }
            index += length;
            for time in 0..times {
                if time == SHOWN && times > SHOWN + 1 {
                    self.left_out(&self.lines[index..index + (times - time) * length], times - time, text);
                    index += (times - time) * length;
                    break;
                }
                self.repeated(&self.lines[index..index + length], text);
                index += length;
            }
        }
        self.lost(text);
    }

    /// How many steps from here on are repeated at once, and how often. Without a repetition, that
    /// is one step, and never.
    fn repetition(&self, from: usize) -> (usize, usize) {
        let key = |line: &Line| (line.at.thread, line.entry.place, line.entry.step.name());
        let rest = &self.lines[from..];
        for length in 1..=LONGEST_CYCLE.min(rest.len() / 2) {
            let cycle = &rest[..length];
            let same = |other: &[Line]| cycle.iter().map(key).eq(other.iter().map(key));
            let times = rest[length..].chunks_exact(length).take_while(|other| same(other)).count();
            if times > 0 {
                return (length, times);
            }
        }
        (1, 0)
    }

    /// Steps that are the same as those before them: only those that waited are shown.
    fn repeated(&self, lines: &[Line], text: &mut String) {
        let mut hidden = false;
        for line in lines {
            if line.wait.is_none() {
                hidden = true;
                continue;
            }
            if std::mem::take(&mut hidden) {
                text.push_str("  ⋮\n");
            }
            self.step(line, text);
            self.wait(line, text);
        }
        if hidden {
            text.push_str("  ⋮\n");
        }
    }

    /// What many repetitions have in common: how long they waited for what.
    fn left_out(&self, lines: &[Line], times: usize, text: &mut String) {
        let mut waits: BTreeMap<Cause, u64> = BTreeMap::new();
        for (waited, cause) in lines.iter().filter_map(|line| line.wait) {
            *waits.entry(cause).or_default() += waited;
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  ⋮ {times} times more");
        for (cause, waited) in waits {
            self.mark(waited, cause, text);
        }
    }

    fn step(&self, line: &Line, text: &mut String) {
        let first = self.lines.first().map_or(0, |first| first.entry.wall_ns);
        let mut row = format!("{:>13.9}", float(line.entry.wall_ns.saturating_sub(first)) / 1e9);
        let place = usize::try_from(line.entry.place).ok().and_then(|index| self.recording.places.get(index));
        let name = place.map(|place| name(place, self.folder)).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = write!(row, "  {:<width$}", fit(&name, self.place), width = self.place);
        if self.thread > 0 {
            let thread = &self.recording.threads[line.at.thread].name;
            let _ = write!(row, "  {:<width$}", fit_middle(thread, self.thread), width = self.thread);
        }
        if self.conversation > 0 {
            let number = line.entry.conversation.map(|number| format!("#{number}")).unwrap_or_default();
            let _ = write!(row, "  {number:<width$}", width = self.conversation);
        }
        // A source that is not known leaves the name of the step.
        let source = place.map(|place| place.text.trim()).filter(|source| !source.is_empty());
        row.push_str("  ");
        row.push_str(source.unwrap_or(line.entry.step.name()));
        text.push_str(&fit(&row, usize::from(self.terminal.width)));
        text.push('\n');
    }

    fn wait(&self, line: &Line, text: &mut String) {
        if let Some((waited, cause)) = line.wait {
            self.mark(waited, cause, text);
        }
    }

    fn mark(&self, waited: u64, cause: Cause, text: &mut String) {
        let mark = format!("  ◂◂ {:>11.9} s waiting {}", float(waited) / 1e9, cause.says());
        text.push_str(&colored(&fit(&mark, usize::from(self.terminal.width)), "33", self.terminal));
        text.push('\n');
    }

    /// A full buffer is said.
    fn lost(&self, text: &mut String) {
        for thread in self.recording.threads.iter().filter(|thread| thread.lost > 0) {
            // Writing to a string cannot fail.
            let _ =
                writeln!(text, "  {} steps of {} are lost: its buffer was full.", thread.lost, thread.name);
        }
    }
}

/// The folder in which all places are, with its slash.
fn shared_folder(places: &[Place]) -> &str {
    let Some(first) = places.first() else { return "" };
    let ends = first.file.match_indices('/').map(|(index, _)| index + 1).rev();
    let shared = |&end: &usize| places.iter().all(|place| place.file.starts_with(&first.file[..end]));
    ends.into_iter().find(shared).map_or("", |end| &first.file[..end])
}

/// A place as the listing names it: `drive.rs:152`.
fn name(place: &Place, folder: &str) -> String {
    format!("{}:{}", place.file.strip_prefix(folder).unwrap_or(&place.file), place.line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phases::tests::page;

    #[test]
    fn the_page_is_replayed() {
        let listing = page().to_listing(Terminal::new(80));
        let expected = "\
blocking, in zen-server-sync/src/
  0.000000000  drive.rs:7      step();
  ◂◂ 0.004980000 s waiting for a client
  0.005000000  drive.rs:7  #1  step();
";
        assert!(listing.starts_with(expected), "{listing}");
        let waits: Vec<_> = listing.lines().filter(|line| line.contains("for its question")).collect();
        assert_eq!(waits.len(), 4, "each wait is shown, also where steps repeat:\n{listing}");
        assert_eq!(waits[0], "  ◂◂ 0.039990000 s waiting for its question");
        assert_eq!(listing.matches('⋮').count(), 2, "{listing}");
    }

    #[test]
    fn many_repetitions_become_a_sum() {
        let mut recording = page();
        let cycle: Vec<_> = recording.threads[0].steps[3..9].to_vec();
        let steps = (0..100).flat_map(|time| {
            cycle.iter().map(move |entry| Entry { wall_ns: entry.wall_ns + time * 40_070_000, ..*entry })
        });
        recording.threads[0].steps = steps.collect();
        recording.threads[0].ended_ns = 5_000_000_000;
        let listing = recording.to_listing(Terminal::new(80));
        assert!(listing.contains("  ⋮ 97 times more\n  ◂◂ 3.8"), "{listing}");
        assert!(listing.lines().count() < 25, "{listing}");
    }

    #[test]
    fn no_line_is_too_long_and_a_plain_terminal_gets_ascii() {
        for width in [40, 41, 57, 80, 200] {
            let listing = page().to_listing(Terminal::new(width).with_ascii(true));
            assert!(listing.is_ascii(), "{listing}");
            assert!(listing.lines().all(|line| line.len() <= usize::from(width)), "{listing}");
        }
        let narrow = page().to_listing(Terminal::new(39));
        assert_eq!(narrow, "The terminal has 39 columns; this needs 40.\n");
    }
}
