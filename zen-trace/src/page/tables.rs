//! The sums as tables: all servers, and then the conversations of each.

use std::collections::{BTreeMap, BTreeSet};

use crate::phases::Cause;
use crate::sums::{Occupancy, ServerSum};
use crate::units::{float, time};

pub(super) struct Table {
    pub(super) caption: String,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<RowView>,
}

pub(super) struct RowView {
    pub(super) name: String,
    pub(super) cells: Vec<String>,
}

/// A row before it is known which causes have columns.
struct Row<'a> {
    name: String,
    wall_ns: u64,
    computing_ns: u64,
    waiting_ns: &'a BTreeMap<Cause, u64>,
    /// `None` if it is not known, and with it the computing.
    occupancy: Option<Occupancy>,
    questions: u64,
    in_line_ns: Option<u64>,
}

pub(super) fn tables(sums: &[&ServerSum]) -> Vec<Table> {
    let mut tables = Vec::new();
    if !sums.is_empty() {
        let servers = sums.iter().map(|sum| Row {
            name: sum.name.clone(),
            wall_ns: sum.wall_ns,
            computing_ns: sum.computing_ns,
            waiting_ns: &sum.waiting_ns,
            occupancy: Some(sum.occupancy()),
            questions: sum.questions,
            in_line_ns: sum.per_conversation.iter().map(|conversation| conversation.in_line_ns).max(),
        });
        let caption = "Servers: the waits are those of all their threads together";
        tables.push(table(caption.to_owned(), "server", &servers.collect::<Vec<_>>()));
    }
    for sum in sums.iter().filter(|sum| !sum.per_conversation.is_empty()) {
        let conversations = sum.per_conversation.iter().map(|conversation| Row {
            name: format!("#{}", conversation.number),
            wall_ns: conversation.wall_ns,
            computing_ns: conversation.computing_ns,
            waiting_ns: &conversation.waiting_ns,
            occupancy: conversation.occupancy(),
            questions: conversation.questions,
            in_line_ns: Some(conversation.in_line_ns),
        });
        let caption = format!("The conversations of {}", sum.name);
        tables.push(table(caption, "conversation", &conversations.collect::<Vec<_>>()));
    }
    tables
}

fn table(caption: String, what: &str, rows: &[Row<'_>]) -> Table {
    let causes: BTreeSet<Cause> = rows.iter().flat_map(|row| row.waiting_ns.keys().copied()).collect();
    let in_line = rows.iter().any(|row| row.in_line_ns.is_some_and(|ns| ns > 0));
    let mut head = vec![what.to_owned(), "questions".to_owned(), "occupied".to_owned()];
    head.extend(in_line.then(|| "in line before".to_owned()));
    head.extend(["time", "computing"].map(str::to_owned));
    head.extend(causes.iter().map(|cause| cause.described()));
    let shown = |ns: Option<u64>| ns.filter(|&ns| ns > 0).map_or("–".to_owned(), |ns| time(float(ns)));
    let rows = rows.iter().map(|row| {
        let mut cells = vec![row.questions.to_string(), Occupancy::written(row.occupancy)];
        cells.extend(in_line.then(|| shown(row.in_line_ns)));
        let computing = row.occupancy.map(|_| row.computing_ns);
        cells.extend([shown(Some(row.wall_ns)), shown(computing)]);
        cells.extend(causes.iter().map(|cause| shown(row.waiting_ns.get(cause).copied())));
        RowView { name: row.name.clone(), cells }
    });
    Table { caption, head, rows: rows.collect() }
}
