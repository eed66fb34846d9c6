//! `zen flavors`: a table of the flavors, and when to choose each.

use std::io::{self, Write};

use clap::ValueEnum;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, TableComponent, presets};
use serde::Serialize;

use crate::args::FlavorsArgs;
use crate::failure::Failure;
use crate::flavor::Flavor;

const COLUMNS: [&str; 5] = ["flavor", "crate", "waits in", "at once", "choose it when"];

/// The prefix that all server crates share; the table has no room for it.
const PREFIX: &str = "zen-server-";

/// A flavor as it is in JSON.
#[derive(Serialize)]
struct Row {
    flavor: &'static str,
    #[serde(rename = "crate")]
    package: &'static str,
    waits_in: &'static str,
    at_once: &'static str,
    choose_it_when: &'static str,
    has_workers: bool,
    is_default: bool,
}

pub(crate) fn run(args: &FlavorsArgs) -> Result<(), Failure> {
    let text = if args.json { json() } else { table() };
    Failure::from_output(writeln!(io::stdout(), "{text}"))
}

fn json() -> String {
    let rows = Flavor::value_variants().iter().map(|flavor| {
        let about = flavor.about();
        Row {
            flavor: flavor.name(),
            package: about.package,
            waits_in: about.waits_in,
            at_once: about.at_once,
            choose_it_when: about.choose_it_when,
            has_workers: flavor.has_workers(),
            is_default: *flavor == Flavor::default(),
        }
    });
    // Indented, because people read it as often as programs. Strings and booleans always serialize.
    serde_json::to_string_pretty(&rows.collect::<Vec<_>>()).unwrap_or_default()
}

fn table() -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_style(TableComponent::MiddleHeaderIntersections, '─')
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(COLUMNS);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
        // When the terminal is narrow, only the last column wraps.
        if column.index < COLUMNS.len() - 1 {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    for flavor in Flavor::value_variants() {
        let about = flavor.about();
        let package = about.package.trim_start_matches(PREFIX);
        let name =
            if *flavor == Flavor::default() { format!("{} *", flavor.name()) } else { flavor.name().into() };
        table.add_row([&name, package, about.waits_in, about.at_once, about.choose_it_when]);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    format!(
        "{}\n\n* the default. The crates' names begin with {PREFIX}. The cap is --connections, N is --workers.",
        lines.join("\n")
    )
}
