//! The page, `timeline.html`: complete without scripts, better with them, and independent of any
//! other file.

mod chart;
pub mod escape;
mod lanes;
mod sweep;
mod tables;

use std::fmt::Write;

use askama::Template;

use self::lanes::Lanes;
use self::tables::Table;
use crate::picture::{Picture, ServerPicture};
use crate::recording::{SCHEMA, Trace};
use crate::sums::{PAGE, ServerSum};
use crate::units::{float, time};

/// From here on a wait for being accepted is a line; what is shorter is the system's work.
const LEAST_LINE_NS: f64 = 1e6;

/// The style that all pages of the project share: paper, ink, headings, figures, tables.
pub const GROUND_STYLE: &str = include_str!("../../templates/ground.css");

/// The style of [`time_line`], which builds on [`GROUND_STYLE`].
pub const TIME_LINE_STYLE: &str = include_str!("../../templates/lanes.css");

/// The script of [`time_line`]: zoom, pan, and what was done at a moment. It needs an element with
/// the id `tip`. Nothing is lost without it but these.
pub const TIME_LINE_SCRIPT: &str = include_str!("../../templates/lanes.js");

/// The lanes of a trace as a part of a page, with their legend. It belongs into an element of its
/// own, such as a `figure`.
///
/// ```
/// use zen_trace::page::{GROUND_STYLE, TIME_LINE_STYLE, time_line};
/// use zen_trace::{Recording, Trace};
///
/// let lanes = time_line(&Trace::new(vec![Recording::new("mine")]));
/// let page = format!("<style>{GROUND_STYLE}{TIME_LINE_STYLE}</style><figure>{lanes}</figure>");
/// # assert!(page.ends_with("</figure>"));
/// ```
pub fn time_line(trace: &Trace) -> String {
    let picture = Picture::new(trace);
    rendered(&LanesTemplate { picture: Lanes::new(&picture) })
}

impl Trace {
    /// The time line and the sums as one page (`timeline.html`). It opens from disk, loads nothing
    /// from elsewhere, is complete without scripts, and follows the reader's colour scheme.
    pub fn to_html(&self) -> String {
        let picture = Picture::new(self);
        let sums: Vec<&ServerSum> = picture.servers.iter().map(|server| &server.sum).collect();
        let (headline, sentences) = match &sums[..] {
            [only] => (only.sentence(), Vec::new()),
            _ => (headline(&picture), sums.iter().map(|sum| sum.sentence()).collect()),
        };
        rendered(&Page {
            style: format!("{GROUND_STYLE}\n{TIME_LINE_STYLE}"),
            script: TIME_LINE_SCRIPT,
            subtitle: subtitle(&sums),
            headline,
            warnings: sums.iter().flat_map(|sum| warnings(sum)).collect(),
            sentences,
            beside: PAGE,
            lanes: rendered(&LanesTemplate { picture: Lanes::new(&picture) }),
            tables: tables::tables(&sums),
            provenance: sums.iter().map(|sum| (sum.name.clone(), provenance(sum))).collect(),
            schema: SCHEMA,
        })
    }
}

#[derive(Template)]
#[template(path = "lanes.html")]
struct LanesTemplate {
    picture: Lanes,
}

#[derive(Template)]
#[template(path = "timeline.html")]
struct Page {
    style: String,
    script: &'static str,
    subtitle: String,
    headline: String,
    warnings: Vec<String>,
    sentences: Vec<String>,
    beside: &'static str,
    lanes: String,
    tables: Vec<Table>,
    provenance: Vec<(String, String)>,
    schema: &'static str,
}

/// Rendering into a string fails only when a value's `Display` does, and those here are strings and
/// numbers.
fn rendered(template: &impl Template) -> String {
    template.render().unwrap_or_else(|error| format!("<p>{error}</p>"))
}

/// What is said above several servers: who kept clients in line, and who did not. Only clients that
/// were recorded can tell.
fn headline(picture: &Picture<'_>) -> String {
    let sums: Vec<&ServerSum> = picture.servers.iter().map(|server| &server.sum).collect();
    let recorded = |server: &ServerPicture<'_>| {
        server.recording.conversations.iter().any(|conversation| !conversation.client_spans.is_empty())
    };
    if !picture.servers.iter().all(recorded) {
        return format!("{} on one time axis.", counted(sums.len() as u64, "server"));
    }
    // The worst first: how long, or without end.
    let mut lines: Vec<_> = sums.iter().map(|sum| (in_line(sum), sum)).collect();
    lines.retain(|(length, sum)| *length >= LEAST_LINE_NS && sum.at_once.is_some());
    lines.sort_by(|one, other| other.0.total_cmp(&one.0));
    // Who stands in line for a server that is watched from outside is not known.
    let unknown: Vec<&str> =
        sums.iter().filter(|sum| sum.at_once.is_none()).map(|sum| sum.name.as_str()).collect();
    let others = sums.len() - lines.len() - unknown.len();
    let mut said = String::new();
    // A headline is no table.
    for (index, (length, sum)) in lines.iter().take(2).enumerate() {
        let (joint, verb) = if index == 0 { ("", " kept a client in line") } else { (", ", "") };
        let length = if length.is_finite() { time(*length) } else { "good".to_owned() };
        // Writing to a string cannot fail.
        let _ = write!(said, "{joint}{}{verb} for {length}", sum.name);
    }
    match (said.is_empty(), others) {
        (_, 0) => {}
        (true, 1) => said.push_str("Nobody stood in line"),
        (true, _) => drop(write!(said, "None of {others} servers kept a client in line")),
        (false, 1) if unknown.is_empty() => said.push_str("; the other one kept nobody"),
        (false, 1) => said.push_str("; another one kept nobody"),
        (false, _) if unknown.is_empty() => drop(write!(said, "; the other {others} kept nobody")),
        (false, _) => drop(write!(said, "; {others} others kept nobody")),
    }
    if !unknown.is_empty() {
        let joint = if said.is_empty() { "Of " } else { "; of " };
        let _ = write!(said, "{joint}{} it is not known", unknown.join(", "));
    }
    said + "."
}

/// The longest time that a client stood in line; without end if one was never served.
fn in_line(sum: &ServerSum) -> f64 {
    if sum.per_conversation.iter().any(|conversation| !conversation.accepted) {
        return f64::INFINITY;
    }
    sum.per_conversation.iter().map(|conversation| float(conversation.in_line_ns)).fold(0.0, f64::max)
}

fn subtitle(sums: &[&ServerSum]) -> String {
    let questions: u64 = sums.iter().map(|sum| sum.questions).sum();
    let steps: u64 = sums.iter().map(|sum| sum.steps).sum();
    format!(
        "{} · {} · {}",
        counted(sums.len() as u64, "server"),
        counted(questions, "question"),
        counted(steps, "step")
    )
}

fn counted(count: u64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn warnings(sum: &ServerSum) -> Vec<String> {
    let mut warnings = Vec::new();
    if sum.lost > 0 {
        warnings.push(format!(
            "{}: {} are lost, for which a buffer had no room.",
            sum.name,
            counted(sum.lost, "step")
        ));
    }
    if !sum.knows_cpu_waits {
        warnings.push(format!("{}: the system does not say how long it waited for a CPU.", sum.name));
    }
    warnings
}

fn provenance(sum: &ServerSum) -> String {
    if sum.at_once.is_none() {
        return "watched from outside".to_owned();
    }
    let (steps, cost) = (counted(sum.steps, "step"), time(sum.cost_per_step_ns));
    format!("{steps} at {cost} each; clock of {} ns", sum.clock_ns)
}

#[cfg(test)]
mod tests;
