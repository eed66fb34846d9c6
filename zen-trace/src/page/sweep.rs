//! The page of a sweep, `sweep.html`: charts, why theory is off, and the numbers.

use askama::Template;

use super::chart::{Decades, Quantity, chart, shape};
use super::{GROUND_STYLE, escape, rendered};
use crate::model::{NOTABLE, SWEEP_SCHEMA, ServerSweep, Sweep, thinking};
use crate::units::{difference, percent, rate, time};

#[derive(Template)]
#[template(path = "sweep.html")]
struct Page {
    style: String,
    subtitle: String,
    headline: String,
    notable: String,
    marks: Vec<MarkView>,
    servers: Vec<ServerView>,
    schema: &'static str,
}

struct MarkView {
    class: usize,
    path: String,
    says: String,
}

struct ServerView {
    name: String,
    about: String,
    charts: Vec<(&'static str, String)>,
    differences: Vec<String>,
    rows: Vec<RowView>,
}

struct RowView {
    think: String,
    cells: Vec<String>,
    off: String,
}

impl Sweep {
    /// The sweep as one page (`sweep.html`): for each server the measured points on the curves of
    /// theory, why they differ, and a table. It opens from disk, loads nothing from elsewhere,
    /// needs no scripts, and follows the reader's colour scheme.
    ///
    /// ```
    /// assert!(zen_trace::model::Sweep::new(Vec::new()).to_html().contains("</html>"));
    /// ```
    pub fn to_html(&self) -> String {
        let (all, off) = self.counts();
        let decades = [Quantity::Occupancy, Quantity::Throughput]
            .map(|quantity| (quantity, Decades::new(&self.servers, quantity)));
        let notable = percent_of(NOTABLE);
        rendered(&Page {
            style: format!("{GROUND_STYLE}\n{}", include_str!("../../templates/sweep.css")),
            subtitle: format!("{} · {}", counted(self.servers.len(), "server"), counted(all, "point")),
            headline: match (all, off) {
                (0, _) => "Nothing was measured.".to_owned(),
                (_, 0) => format!("Theory is within {notable} of what was measured, everywhere."),
                _ => format!(
                    "Theory is within {notable} of what was measured at {} of {all} points.",
                    all - off
                ),
            },
            notable,
            marks: self.marks(),
            servers: self.servers.iter().map(|server| ServerView::new(server, &decades)).collect(),
            schema: SWEEP_SCHEMA,
        })
    }

    /// How many points there are, and how many of them differ from theory.
    fn counts(&self) -> (usize, usize) {
        let points = || self.servers.iter().flat_map(|server| &server.points);
        (points().count(), points().filter(|point| point.differs()).count())
    }

    fn marks(&self) -> Vec<MarkView> {
        let curves = self.servers.first().map_or(&[][..], |server| &server.curves);
        let mark = |(index, clients): (usize, usize)| MarkView {
            class: index % 3,
            path: shape(index, 8.0, 8.0),
            says: counted(clients, "client"),
        };
        curves.iter().map(|curve| curve.clients).enumerate().map(mark).collect()
    }
}

impl ServerView {
    fn new(server: &ServerSweep, decades: &[(Quantity, Decades); 2]) -> Self {
        let differences: Vec<String> =
            server.differences().iter().map(|difference| difference.sentence(server)).collect();
        Self {
            name: server.name.clone(),
            about: format!(
                "One client that does not think says what theory starts from: a question costs {} of CPU, and a round \
                 without it takes {}.",
                time(server.service * 1e9),
                time(server.round * 1e9)
            ),
            charts: decades
                .map(|(quantity, decades)| (quantity.title(), chart(server, quantity, decades)))
                .into(),
            differences,
            rows: server.points.iter().map(RowView::new).collect(),
        }
    }
}

impl RowView {
    fn new(point: &crate::model::Point) -> Self {
        let measured = &point.measured;
        Self {
            think: thinking(measured.think),
            cells: vec![
                measured.clients.to_string(),
                rate(measured.throughput),
                rate(point.predicted_throughput),
                percent(measured.occupancy),
                percent(point.predicted_occupancy),
            ],
            off: if point.differs() { difference(point.off()) } else { String::new() },
        }
    }
}

fn percent_of(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn counted(count: usize, word: &str) -> String {
    super::counted(count as u64, word)
}

#[cfg(test)]
mod tests {
    use crate::model::{Measured, ServerSweep, Station, Sweep};

    fn sweep() -> Sweep {
        let point = |think: f64, clients: usize, throughput: f64, occupancy: f64| -> Measured {
            serde_json::from_value(serde_json::json!({
                "think": think, "clients": clients, "throughput": throughput, "occupancy": occupancy,
                "run_delay": 0.0, "threads": 1, "blocked": 0.0,
            }))
            .unwrap()
        };
        let points = [
            point(0.0, 1, 20_000.0, 0.4),
            point(0.0, 64, 49_000.0, 0.98),
            point(0.04, 1, 24.9, 0.0015),
            point(0.04, 64, 0.0, 0.0),
        ];
        let server = |name: &str| ServerSweep::new(name, Station::new(1, None), &points).unwrap();
        Sweep::new(vec![server("mio"), server("</svg><b>&")])
    }

    #[test]
    fn every_point_and_every_curve_is_drawn() {
        let html = sweep().to_html();
        // Two servers with two charts; what answered nothing has no place on a logarithmic axis.
        assert_eq!(html.matches("<svg class=\"chart\"").count(), 4);
        assert_eq!(html.matches("<path class=\"curve ").count(), 2 * 2 * 2);
        assert_eq!(html.matches("<path class=\"dot ").count(), 2 + 2 * 2 * 3, "with the legend's");
        // The throughput of that point is as predicted.
        assert_eq!(html.matches("<path class=\"dot off ").count(), 2);
        assert!(html.contains("1 client, think 40 ms: 0.15 % measured, 0.05 % in theory (+200 %)"), "{html}");
        assert!(html.contains("at 4 of 8 points."), "{html}");
    }

    #[test]
    fn it_needs_nothing_from_elsewhere_and_no_script() {
        let html = sweep().to_html();
        for outside in ["http://", "https://", "src=", "@import", "url(", "<script"] {
            assert!(!html.contains(outside), "{outside}");
        }
        assert!(!html.contains("</svg><b>"), "a name left its place");
        assert_eq!(html.matches("<tr>").count(), 2 * 5, "a head and four points for each server");
    }
}
