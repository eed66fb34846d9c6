//! A sweep as a table: what was measured, what theory says, a bar for the eye, and why they differ.

use std::fmt::Write;

use super::{Terminal, colored, fit};
use crate::model::{NOTABLE, Point, ServerSweep, Sweep, thinking};
use crate::units::{difference, percent, rate, time};

/// How wide the columns of figures are, all together.
const FIGURES: usize = 77;

/// The longest bar.
const BAR: usize = 30;

impl Sweep {
    /// The sweep as a table, a block for each server. Where measured and predicted values differ by
    /// more than [`NOTABLE`], the row says by how much, and a line below why, once for all points
    /// with the same reason.
    pub fn to_table(&self, terminal: Terminal) -> String {
        if !terminal.is_wide_enough() {
            return terminal.too_narrow();
        }
        let mut text = String::new();
        for server in &self.servers {
            let (service, round) = (time(server.service * 1e9), time(server.round * 1e9));
            let name = fit(&server.name, 20);
            super::table::wrap(
                &format!("{name}: a question costs {service} of CPU, a round without it takes {round}"),
                terminal,
                &mut text,
            );
            let heading = if wide(terminal) {
                "    think  clients     answers/s  in theory      occupied  in theory     off"
            } else {
                "  think clients occupied   theory    off"
            };
            text.push_str(&colored(heading, "2", terminal));
            text.push('\n');
            let full = server.points.iter().map(most).fold(1.0, f64::max);
            for point in &server.points {
                row(point, full, terminal, &mut text);
            }
            reasons(server, terminal, &mut text);
            text.push('\n');
        }
        terminal.spell(text)
    }
}

fn wide(terminal: Terminal) -> bool {
    usize::from(terminal.width) >= FIGURES
}

fn most(point: &Point) -> f64 {
    point.measured.occupancy.max(point.predicted_occupancy)
}

fn row(point: &Point, full: f64, terminal: Terminal, text: &mut String) {
    let measured = &point.measured;
    let off = if point.differs() { difference(point.off()) } else { String::new() };
    let think = thinking(measured.think);
    let (is, said) = (percent(measured.occupancy), percent(point.predicted_occupancy));
    // Writing to a string cannot fail.
    let _ = if wide(terminal) {
        let (answers, predicted) = (rate(measured.throughput), rate(point.predicted_throughput));
        write!(
            text,
            "{think:>9}  {:>7}  {answers:>12}  {predicted:>9}  {is:>12}  {said:>9}{off:>8}",
            measured.clients
        )
    } else {
        write!(text, "{think:>7} {:>7} {is:>8}{said:>9}{off:>7}", measured.clients)
    };
    let room = usize::from(terminal.width).saturating_sub(FIGURES + 1).min(BAR);
    if room >= 10 {
        let bar = bar(measured.occupancy / full, point.predicted_occupancy / full, room);
        let _ = write!(text, " {}", bar.trim_end());
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
}

/// A bar as long as the measured share, and a mark at the predicted one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn bar(measured: f64, predicted: f64, width: usize) -> String {
    let at = |share: f64| (share.clamp(0.0, 1.0) * (width - 1) as f64).round() as usize;
    let (end, mark) = (at(measured), at(predicted));
    let cell = |index| match index {
        index if index == mark => '│',
        index if index < end => '━',
        _ => ' ',
    };
    (0..width).map(cell).collect()
}

/// Why theory is off, each reason once.
fn reasons(server: &ServerSweep, terminal: Terminal, text: &mut String) {
    let differences = server.differences();
    for difference in &differences {
        super::table::wrap(&format!("! {}", difference.sentence(server)), terminal, text);
    }
    if differences.is_empty() {
        let most = NOTABLE * 100.0;
        super::table::wrap(&format!("No point is off by more than {most:.0} %."), terminal, text);
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{Measured, ServerSweep, Station, Sweep};
    use crate::terminal::Terminal;

    fn sweep() -> Sweep {
        let json = |think: f64, clients: usize, throughput: f64, occupancy: f64| -> Measured {
            serde_json::from_value(serde_json::json!({
                "think": think, "clients": clients, "throughput": throughput, "occupancy": occupancy,
                "run_delay": 0.0, "threads": 1, "blocked": 0.0,
            }))
            .unwrap()
        };
        let points =
            [json(0.0, 1, 20_000.0, 0.4), json(0.0, 64, 49_000.0, 0.98), json(0.04, 1, 24.9, 0.0015)];
        Sweep::new(vec![ServerSweep::new("mio", Station::new(1, None), &points).unwrap()])
    }

    #[test]
    fn what_was_measured_stands_beside_theory() {
        let text = sweep().to_table(Terminal::new(110));
        let row = text.lines().find(|line| line.contains("  64  ")).unwrap();
        assert!(row.contains("49000") && row.contains("98.0 %") && row.contains('│'), "{text}");
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains("! A question costs 60.2 µs of CPU instead of 20.0 µs: each wakes"), "{text}");
        assert!(flat.contains("(1 client, think 40 ms)."), "{text}");
        let off = text.lines().find(|line| line.trim_start().starts_with("40 ms ")).unwrap();
        assert!(off.contains("+200 %") || off.contains("+201 %"), "{text}");
    }

    #[test]
    fn every_width_is_kept() {
        for width in 40..140 {
            for ascii in [false, true] {
                let text = sweep().to_table(Terminal::new(width).with_ascii(ascii));
                assert!(!ascii || text.is_ascii(), "{text}");
                for line in text.lines() {
                    assert!(line.chars().count() <= usize::from(width), "{width}: {line}");
                }
            }
        }
    }
}
