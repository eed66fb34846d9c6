//! The report as one page: complete without scripts, better with them, and independent of any other
//! file.

mod background;
mod compared;
mod dots;
mod figure;
mod glance;
mod identity;
mod latency;
mod letters;
mod lines;
mod numbers;
mod occupancy;
mod scale;
mod shares;
mod svg;
mod sweep;
mod table;
mod working;

use askama::Template;
use zen_trace::Trace;
use zen_trace::page::{GROUND_STYLE, TIME_LINE_SCRIPT, TIME_LINE_STYLE};

use self::figure::{Figure, Source};
use self::glance::{Glance, VerdictView};
use self::identity::{Identities, Identity};
use self::numbers::Numbers;
use self::working::Working;
use super::provenance::{BLIND_SPOTS, provenance};
use super::{escape, number};
use crate::analysis::advice::Advice;
use crate::results::Report;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    style: String,
    colors: String,
    scripts: Vec<&'static str>,
    headline: String,
    advice: Vec<(usize, String)>,
    date: String,
    subtitle: String,
    warnings: Vec<String>,
    verdicts: Vec<VerdictView>,
    glance: Glance,
    figures: Vec<Figure>,
    working: Option<Working>,
    numbers: Vec<Numbers>,
    provenance: Vec<(&'static str, String)>,
    command: String,
    contenders: Vec<(&'a Identity, &'a str)>,
    blind_spots: &'static [(&'static str, &'static str)],
    schema: &'a str,
    identities: Vec<&'a Identity>,
}

impl Page<'_> {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    fn identity(&self, index: &usize) -> &Identity {
        self.identities[*index]
    }
}

/// The page; with a trace, also how the servers work.
pub(super) fn html(report: &Report, trace: Option<&Trace>) -> String {
    let identities = Identities::assign(report);
    let source = Source { report, identities: &identities };
    let figures = [
        occupancy::thinking(source),
        compared::throughput(source),
        sweep::connections(source),
        compared::cost(source),
        latency::distributions(source),
        sweep::open(source),
        occupancy::busy(source),
        compared::memory(source),
        background::slow(source),
        background::idle(source),
    ];
    let verdicts = glance::verdicts(source);
    let advice = Advice::from_report(report);
    let (contenders, scenarios) = (report.settings.contenders.len(), report.by_scenario().count());
    let flavors = report.settings.contenders.iter().filter(|contender| !contender.floor).count();
    let floor = if flavors < contenders { " and the floor" } else { "" };
    let working = trace.and_then(|trace| Working::new(trace, &identities));
    let mut styles = vec![GROUND_STYLE, include_str!("../../../templates/report.css")];
    let mut scripts = vec![include_str!("../../../templates/report.js")];
    if working.is_some() {
        styles.push(TIME_LINE_STYLE);
        scripts.push(TIME_LINE_SCRIPT);
    }
    let page = Page {
        style: styles.join("\n"),
        colors: identities.css(),
        scripts,
        headline: match &advice {
            Some(advice) => glance::choice(source, advice),
            None => glance::headline(source, &verdicts),
        },
        advice: advice
            .iter()
            .flat_map(Advice::outline)
            .map(|(depth, line)| (depth, line.to_owned()))
            .collect(),
        date: number::date(report.environment.began_unix),
        subtitle: format!(
            "{flavors} {}{floor} · {scenarios} {} · {} {} each",
            plural(flavors, "server"),
            plural(scenarios, "load"),
            report.settings.repetitions,
            plural(report.settings.repetitions as usize, "repetition")
        ),
        warnings: report.warnings(),
        verdicts,
        glance: glance::glance(source),
        figures: figures.into_iter().flatten().collect(),
        working,
        numbers: numbers::numbers(source),
        provenance: provenance(report),
        command: report.environment.command_line.join(" "),
        contenders: report
            .settings
            .contenders
            .iter()
            .filter_map(|contender| Some((identities.get(&contender.name)?, contender.command.as_str())))
            .collect(),
        blind_spots: &BLIND_SPOTS,
        schema: &report.schema,
        identities: identities.iter().collect(),
    };
    // Rendering into a string fails only when a value's `Display` does, and those here are strings
    // and numbers.
    page.render().unwrap_or_else(|error| format!("<!doctype html><title>zen</title><p>{error}</p>"))
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}
