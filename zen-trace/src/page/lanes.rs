//! The lanes: as they are drawn without a script, and the data from which the script draws closer.

use std::collections::HashMap;
use std::fmt::Write;

use serde::Serialize;

use crate::phases::{Activity, Phase};
use crate::picture::{Lane, Look, Picture, ServerPicture, axis};
use crate::recording::Recording;
use crate::sums::Occupancy;
use crate::units::{float, time};

/// How wide the lanes are in their own unit, of which about ten make a pixel.
const WIDTH: f64 = 10_000.0;

/// What is closer than this is drawn as one.
const NEAR: f64 = 2.0;

/// How many ticks fit the narrowest page, and one that is printed.
const TICKS: usize = 7;

/// What the template shows.
pub(super) struct Lanes {
    pub(super) legend: Vec<LegendView>,
    pub(super) length_ns: u64,
    pub(super) width: u32,
    pub(super) ticks: Vec<TickView>,
    pub(super) servers: Vec<ServerView>,
    /// The phases as JSON.
    pub(super) data: String,
}

pub(super) struct LegendView {
    pub(super) class: &'static str,
    pub(super) path: String,
    pub(super) says: &'static str,
}

pub(super) struct TickView {
    pub(super) percent: String,
    pub(super) label: String,
}

pub(super) struct ServerView {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) lanes: Vec<LaneView>,
}

pub(super) struct LaneView {
    pub(super) class: String,
    pub(super) name: String,
    pub(super) says: String,
    pub(super) value: String,
    pub(super) parts: Vec<PartView>,
}

pub(super) struct PartView {
    pub(super) class: &'static str,
    pub(super) path: String,
}

/// What the script reads.
#[derive(Serialize)]
struct Data {
    looks: Vec<LookData>,
    /// The index of a look, and what was done.
    words: Vec<(usize, String)>,
    /// For each lane its start, in nanoseconds from the start of the axis, and then the length of
    /// each phase and the index of its words.
    lanes: Vec<Vec<i64>>,
}

#[derive(Serialize)]
struct LookData {
    class: &'static str,
    top: f64,
    bottom: f64,
}

impl Lanes {
    pub(super) fn new(picture: &Picture<'_>) -> Self {
        let mut words = Words::default();
        let mut data = Vec::new();
        let mut servers = Vec::new();
        for server in &picture.servers {
            for lane in server.threads.iter().chain(&server.conversations) {
                data.push(words.lane(server, lane));
            }
            servers.push(ServerView::new(server, picture.length_ns));
        }
        let data = Data {
            looks: Look::ALL
                .map(|look| LookData { class: class(look), top: extent(look).0, bottom: extent(look).1 })
                .into(),
            words: words.list,
            lanes: data,
        };
        let all =
            picture.servers.iter().flat_map(|server| server.threads.iter().chain(&server.conversations));
        let seen: std::collections::BTreeSet<Look> =
            all.flat_map(|lane| &lane.phases).map(|phase| Look::for_activity(phase.activity)).collect();
        Self {
            legend: seen.into_iter().map(LegendView::new).collect(),
            length_ns: picture.length_ns,
            width: 10_000,
            ticks: ticks(picture.length_ns),
            servers,
            // Strings and numbers always serialize. `<` could end the script element.
            data: serde_json::to_string(&data).unwrap_or_default().replace('<', "\\u003c"),
        }
    }
}

fn ticks(length_ns: u64) -> Vec<TickView> {
    let share = |moment: u64| float(moment) / float(length_ns) * 100.0;
    let fits = |moment: &u64| share(*moment) < 92.0;
    let moments = axis::ticks(length_ns, TICKS).into_iter().filter(fits);
    moments
        .map(|moment| TickView {
            percent: format!("{:.3}", share(moment)),
            label: axis::label(moment, length_ns),
        })
        .collect()
}

impl LegendView {
    fn new(look: Look) -> Self {
        let (top, bottom) = extent(look);
        // Computing is short where it is drawn, too.
        let right = if look == Look::Computing { 6 } else { 25 };
        Self { class: class(look), path: format!("M1 {top}H{right}V{bottom}H1Z"), says: look.says() }
    }
}

impl ServerView {
    fn new(server: &ServerPicture<'_>, length_ns: u64) -> Self {
        let sum = &server.sum;
        let mut about = format!("{} occupied · {} questions", sum.occupancy(), sum.questions);
        if sum.questions == 1 {
            about.pop();
        }
        let in_line = sum.per_conversation.iter().map(|lane| lane.in_line_ns).max().unwrap_or(0);
        // What is shorter than a millisecond is the system's work, and no line.
        if in_line >= 1_000_000 {
            // Writing to a string cannot fail.
            let _ = write!(about, " · up to {} in line", time(float(in_line)));
        }
        let starved = server.conversations.iter().filter(|lane| lane.starved).count();
        if starved > 0 {
            let _ = write!(about, " · {starved} never served");
        }
        let view = |kind: &'static str| move |lane: &Lane| LaneView::new(server, lane, kind, length_ns);
        let threads = server.threads.iter().map(view("thread"));
        let lanes = threads.chain(server.conversations.iter().map(view("conversation"))).collect();
        Self { name: server.recording.name.clone(), about, lanes }
    }
}

impl LaneView {
    fn new(server: &ServerPicture<'_>, lane: &Lane, kind: &'static str, length_ns: u64) -> Self {
        let value = if lane.starved { "starved".to_owned() } else { Occupancy::short(lane.occupancy) };
        let class = if lane.starved { format!("{kind} starved") } else { kind.to_owned() };
        let says = match (lane.starved, lane.occupancy) {
            (true, _) => format!("{}: never served", lane.name),
            (false, Some(_)) => format!("{}: occupied {value}", lane.name),
            (false, None) => format!("{}: how occupied is {value}", lane.name),
        };
        Self { class, name: lane.name.clone(), says, value, parts: parts(server, lane, length_ns) }
    }
}

/// A path for each look: what lies lowest first, and computing above everything else.
fn parts(server: &ServerPicture<'_>, lane: &Lane, length_ns: u64) -> Vec<PartView> {
    let place = |moment: u64| {
        let offset = moment.saturating_sub(server.zero_ns).min(length_ns);
        float(offset) / float(length_ns) * WIDTH
    };
    let mut spans: [Vec<(f64, f64)>; Look::ALL.len()] = Default::default();
    for phase in lane.phases.iter().filter(|phase| phase.to_ns > server.zero_ns) {
        let (left, right) = (place(phase.from_ns), place(phase.to_ns));
        let look = Look::for_activity(phase.activity);
        let Some(own) = Look::ALL.iter().position(|&other| other == look) else { continue };
        match spans[own].last_mut() {
            Some(before) if left - before.1 < NEAR => before.1 = before.1.max(right),
            _ if left < WIDTH => spans[own].push((left, right)),
            _ => {}
        }
    }
    let drawn = Look::ALL.into_iter().zip(spans).rev().filter(|(_, spans)| !spans.is_empty());
    drawn
        .map(|(look, spans)| {
            let (top, bottom) = extent(look);
            let mut path = String::new();
            for (left, right) in spans {
                // Writing to a string cannot fail.
                let _ = write!(path, "M{left:.1} {top}H{right:.1}V{bottom}H{left:.1}Z");
            }
            PartView { class: class(look), path }
        })
        .collect()
}

/// What can be done, in words, each of them once.
#[derive(Default)]
struct Words {
    list: Vec<(usize, String)>,
    indices: HashMap<(usize, String), usize>,
}

impl Words {
    fn lane(&mut self, server: &ServerPicture<'_>, lane: &Lane) -> Vec<i64> {
        let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let start = lane.phases.first().map_or(0, |first| first.from_ns);
        let mut data = vec![signed(start).saturating_sub(signed(server.zero_ns))];
        for phase in &lane.phases {
            let look = Look::ALL
                .iter()
                .position(|&look| look == Look::for_activity(phase.activity))
                .unwrap_or_default();
            let index = self.index(look, said(server.recording, phase));
            data.extend([signed(phase.length_ns()), signed(index as u64)]);
        }
        data
    }

    fn index(&mut self, look: usize, text: String) -> usize {
        let next = self.list.len();
        let key = (look, text);
        if let Some(&known) = self.indices.get(&key) {
            return known;
        }
        self.list.push(key.clone());
        self.indices.insert(key, next);
        next
    }
}

/// What is done in a phase, and where.
fn said(recording: &Recording, phase: &Phase) -> String {
    let mut text = match phase.activity {
        Activity::Computing => "computing".to_owned(),
        Activity::Waiting(cause) => cause.described(),
    };
    let entry = phase.step.and_then(|at| recording.threads.get(at.thread)?.steps.get(at.step));
    if let Some(entry) = entry {
        // Writing to a string cannot fail.
        let _ = write!(text, " ({}", entry.step.name().replace('_', " "));
        let place = usize::try_from(entry.place).ok().and_then(|index| recording.places.get(index));
        if let Some(place) = place {
            let file = place.file.rsplit('/').next().unwrap_or_default();
            let _ = write!(text, ", {file}:{}", place.line);
        }
        text.push(')');
    }
    text
}

/// The class of a look in the page.
fn class(look: Look) -> &'static str {
    match look {
        Look::Computing => "computing",
        Look::Peer => "peer",
        Look::InLine => "in-line",
        Look::Turn => "turn",
        Look::Own => "own",
        Look::Blocked => "blocked",
        Look::Unknown => "unknown",
    }
}

/// From where to where it reaches in a lane that is 16 high: the more a server does, the taller.
fn extent(look: Look) -> (f64, f64) {
    match look {
        Look::Computing => (1.0, 15.0),
        Look::Peer => (7.2, 8.8),
        Look::InLine => (3.0, 13.0),
        Look::Turn => (4.5, 11.5),
        Look::Own => (5.5, 10.5),
        Look::Blocked => (6.0, 10.0),
        Look::Unknown => (6.5, 9.5),
    }
}
