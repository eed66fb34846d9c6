//! The time line: a lane for each thread and each conversation, with a character for each stretch
//! of time.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{Terminal, colored, fit, fit_middle};
use crate::phases::Phase;
use crate::picture::{Lane, Look, Picture, ServerPicture, axis};
use crate::recording::Trace;
use crate::sums::Occupancy;

/// How wide the names may be.
const MOST_NAME: usize = 16;

/// The width of the occupancy at the right.
const VALUE: usize = 9;

/// How much of a column is spent computing, from hardly any to all of it.
const LEVELS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// The same in ASCII.
const ASCII_LEVELS: [&str; 8] = [":", ":", "+", "+", "+", "#", "#", "#"];

impl Trace {
    /// The time line: a lane for each thread and each conversation of every server, on one axis
    /// that starts when the first client comes.
    pub fn to_time_line(&self, terminal: Terminal) -> String {
        if !terminal.is_wide_enough() {
            return terminal.too_narrow();
        }
        let picture = Picture::new(self);
        let lanes =
            || picture.servers.iter().flat_map(|server| server.threads.iter().chain(&server.conversations));
        let longest = lanes().map(|lane| lane.name.chars().count()).max().unwrap_or(0);
        let name = (longest + 2).min(MOST_NAME).min(usize::from(terminal.width) / 4);
        let layout = Layout {
            name,
            lane: usize::from(terminal.width) - name - VALUE - 2,
            length_ns: picture.length_ns,
            terminal,
        };
        let mut seen = BTreeSet::new();
        let mut text = layout.axis();
        for server in &picture.servers {
            layout.server(server, &mut seen, &mut text);
            if server.sum.lost > 0 {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "  ! {} steps are lost: a buffer was full", server.sum.lost);
            }
            text.push('\n');
        }
        layout.legend(&seen, &mut text);
        terminal.spell(text)
    }
}

/// How a line is divided: a name, the lane, the occupancy.
struct Layout {
    name: usize,
    lane: usize,
    length_ns: u64,
    terminal: Terminal,
}

impl Layout {
    /// The column of a moment that lies this far from the start of the axis.
    fn column(&self, offset_ns: u64) -> usize {
        let column = u128::from(offset_ns) * self.lane as u128 / u128::from(self.length_ns);
        usize::try_from(column).unwrap_or(self.lane).min(self.lane)
    }

    /// The line with the moments, and room for the word that the values at the right need.
    fn axis(&self) -> String {
        let mut line = vec![' '; self.lane];
        for moment in axis::ticks(self.length_ns, (self.lane / 12).max(1)) {
            let label = format!("|{}", axis::label(moment, self.length_ns));
            let start = self.column(moment);
            // A label that is cut would be another moment.
            if start + label.chars().count() <= self.lane {
                line.splice(start..start + label.chars().count(), label.chars());
            }
        }
        let line: String = line.into_iter().collect();
        format!("{:name$} {line} {:>VALUE$}\n", "", "occupied", name = self.name)
    }

    fn server(&self, server: &ServerPicture<'_>, seen: &mut BTreeSet<Look>, text: &mut String) {
        let width = usize::from(self.terminal.width);
        let occupancy = self.terminal.spell(server.sum.occupancy().to_string());
        let room = width.saturating_sub(occupancy.chars().count() + 1);
        let name = fit(&server.recording.name, room);
        let heading = format!("{name}{:>rest$}", occupancy, rest = width - name.chars().count());
        text.push_str(&colored(&heading, "1", self.terminal));
        text.push('\n');
        for lane in server.threads.iter().chain(&server.conversations) {
            let value = if lane.starved { "starved".to_owned() } else { Occupancy::short(lane.occupancy) };
            let name = fit_middle(&lane.name, self.name - 2);
            let drawn = self.lane(server, lane, seen);
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "  {name:<rest$} {drawn} {:>VALUE$}",
                fit(&value, VALUE),
                rest = self.name - 2
            );
        }
    }

    /// One character for each column: how much is computed in it, or what is mostly waited for.
    fn lane(&self, server: &ServerPicture<'_>, lane: &Lane, seen: &mut BTreeSet<Look>) -> String {
        let mut columns = vec![[0_u128; Look::ALL.len()]; self.lane];
        for phase in &lane.phases {
            self.spread(server.zero_ns, phase, &mut columns);
        }
        let column = |amounts: &[u128; Look::ALL.len()]| {
            let computing = amounts[0];
            let look = if computing > 0 {
                Look::Computing
            } else {
                let most = (0..amounts.len()).max_by_key(|&look| (amounts[look], usize::MAX - look))?;
                (amounts[most] > 0).then_some(Look::ALL[most])?
            };
            // A column is as long as the whole axis once its times are multiplied by their number.
            let level = (computing * 8).div_ceil(u128::from(self.length_ns)).clamp(1, 8);
            Some((look, usize::try_from(level).unwrap_or(8)))
        };
        let drawn = columns.iter().map(|amounts| match column(amounts) {
            Some((look, level)) => {
                seen.insert(look);
                colored(self.glyph(look, level), color(look), self.terminal)
            }
            None => " ".to_owned(),
        });
        drawn.collect()
    }

    /// Adds what of a phase falls into each column, in nanoseconds times the number of columns.
    fn spread(&self, zero_ns: u64, phase: &Phase, columns: &mut [[u128; Look::ALL.len()]]) {
        let scaled = |moment: u64| u128::from(moment.saturating_sub(zero_ns)) * self.lane as u128;
        let (from, to, length) = (scaled(phase.from_ns), scaled(phase.to_ns), u128::from(self.length_ns));
        let first = self.column(phase.from_ns.saturating_sub(zero_ns));
        let last = self.column(phase.to_ns.saturating_sub(zero_ns));
        let look =
            Look::ALL.iter().position(|&look| look == Look::for_activity(phase.activity)).unwrap_or_default();
        for (index, column) in columns.iter_mut().enumerate().take(last + 1).skip(first) {
            let start = index as u128 * length;
            column[look] += to.min(start + length).saturating_sub(from.max(start));
        }
    }

    fn glyph(&self, look: Look, level: usize) -> &'static str {
        let ascii = self.terminal.ascii;
        match look {
            Look::Computing => {
                if ascii {
                    ASCII_LEVELS[level - 1]
                } else {
                    LEVELS[level - 1]
                }
            }
            Look::Peer => {
                if ascii {
                    "."
                } else {
                    "·"
                }
            }
            Look::InLine => {
                if ascii {
                    "="
                } else {
                    "░"
                }
            }
            Look::Turn => {
                if ascii {
                    "%"
                } else {
                    "▒"
                }
            }
            Look::Own => {
                if ascii {
                    "-"
                } else {
                    "─"
                }
            }
            Look::Blocked => {
                if ascii {
                    "_"
                } else {
                    "╌"
                }
            }
            Look::Unknown => "?",
        }
    }

    /// What the characters mean, as far as they appear.
    fn legend(&self, seen: &BTreeSet<Look>, text: &mut String) {
        let mut line = String::new();
        for &look in seen {
            let glyphs = match look {
                Look::Computing => [1, 4, 8].map(|level| self.glyph(look, level)).concat(),
                look => self.glyph(look, 1).repeat(3),
            };
            let entry = format!("{glyphs} {}", look.says());
            if !line.is_empty()
                && line.chars().count() + 3 + entry.chars().count() > usize::from(self.terminal.width)
            {
                text.push_str(line.trim_end());
                text.push('\n');
                line.clear();
            }
            if !line.is_empty() {
                line.push_str("   ");
            }
            line.push_str(&entry);
        }
        text.push_str(&line);
        text.push('\n');
    }
}

/// A colour for each look, for terminals that have some.
fn color(look: Look) -> &'static str {
    match look {
        Look::Computing => "1;36",
        Look::Peer | Look::Blocked | Look::Unknown => "2",
        Look::InLine => "31",
        Look::Turn => "33",
        Look::Own => "35",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phases::tests::{page, thread};
    use crate::recording::{ClientSpan, ClientSpanKind, Conversation};

    fn trace() -> Trace {
        let (mut first, mut second) = (page(), page());
        second.name = "mio-multi-with-a-name-that-is-longer-than-any-line".into();
        second.threads.push(thread(2, 90_000, 80_000, &[(10_000, 0, 0, zen_server::Step::Idle)]));
        for recording in [&mut first, &mut second] {
            let mut starved = Conversation::new(2);
            let span = |from: u64, to: u64, kind| ClientSpan {
                from_ns: from * 1_000_000,
                to_ns: to * 1_000_000,
                kind,
            };
            starved.client_spans =
                vec![span(20, 21, ClientSpanKind::Connecting), span(21, 110, ClientSpanKind::Waiting)];
            recording.conversations.push(starved);
        }
        Trace::new(vec![first, second])
    }

    #[test]
    fn a_lane_shows_where_its_time_went() {
        let text = trace().to_time_line(Terminal::new(60));
        let lane = |name: &str| text.lines().find(|line| line.trim().starts_with(name)).unwrap();
        assert_eq!(lane("thread-1").matches('▁').count(), 4, "{text}");
        assert!(lane("#2").contains("░░░░░") && lane("#2").ends_with("starved"), "{text}");
        assert!(lane("thread-2").contains('▇') || lane("thread-2").contains('█'), "{text}");
        assert!(text.contains("|0 ms") && text.contains("░░░ in line"), "{text}");
    }

    #[test]
    fn every_width_is_filled_and_none_exceeded() {
        for width in 40..200 {
            for terminal in [Terminal::new(width), Terminal::new(width).with_ascii(true)] {
                let text = trace().to_time_line(terminal);
                let wide = |line: &&str| line.chars().count() == usize::from(width);
                let lanes = text.lines().filter(wide).count();
                assert!(lanes >= 7, "{lanes} full lines of {width}:\n{text}");
                assert!(
                    text.lines().all(|line| line.chars().count() <= usize::from(width)),
                    "{width}:\n{text}"
                );
                assert!(!terminal.ascii || text.is_ascii(), "{text}");
            }
        }
        assert_eq!(trace().to_time_line(Terminal::new(12)), "The terminal has 12 columns; this needs 40.\n");
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let plain = trace().to_time_line(Terminal::new(70));
        let colored = trace().to_time_line(Terminal::new(70).with_color(true));
        let mut stripped = String::new();
        let mut parts = colored.split('\u{1b}');
        stripped.push_str(parts.next().unwrap());
        parts.for_each(|part| stripped.push_str(part.split_once('m').unwrap().1));
        assert_eq!(stripped, plain);
        assert_ne!(colored, plain);
    }

    #[test]
    fn an_empty_trace_is_an_axis() {
        assert!(Trace::new(vec![]).to_time_line(Terminal::new(60)).contains("occupied"));
        let nothing = Trace::new(vec![crate::Recording::new("x")]);
        assert!(nothing.to_time_line(Terminal::new(60)).contains('x'));
    }
}
