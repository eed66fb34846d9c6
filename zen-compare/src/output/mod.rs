//! A report in the formats that people and programs read: a page, Markdown, CSV, JSON.
//!
//! All of them show the same [`Report`]. Names, commands and messages in it come from outside, so
//! each format escapes them in its own way.

mod csv;
mod escape;
mod markdown;
mod number;
mod page;
mod provenance;
mod terminal;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zen_trace::{Trace, whole_file};

use crate::results::Report;

/// The JSON Schema (draft 2020-12) of `report.json`, in which every field is described with its
/// unit.
pub const JSON_SCHEMA: &str = include_str!("../../schema/report.schema.json");

/// Writes `report.html`, `report.json`, `report.md`, `runs.csv` and `summary.csv` into a directory,
/// which is created if it does not exist, and returns their paths. Each file appears complete or
/// not at all; an existing file of the same name is replaced.
///
/// ```
/// use zen_compare::{Report, output};
///
/// fn save(report: &Report) -> std::io::Result<()> {
///     for file in output::write_all(report, "results")? {
///         println!("saved: {}", file.display());
///     }
///     Ok(())
/// }
/// ```
///
/// # Errors
/// When the directory or a file cannot be written.
pub fn write_all(report: &Report, directory: impl AsRef<Path>) -> io::Result<Vec<PathBuf>> {
    let directory = directory.as_ref();
    let mut files = write_views(report, None, directory)?;
    let mut json = Vec::new();
    report.write_json(&mut json)?;
    files.insert(1, write_whole(directory.join("report.json"), &json)?);
    Ok(files)
}

/// Does the same without `report.json`, for callers that keep that file in a
/// [`Store`](crate::results::Store), which has saved it already. For a report of hundreds of runs
/// this takes about 20 ms, little enough to do it after every run.
///
/// With a trace of some of the contenders, the page also shows how they work, as
/// [`html_with_trace`] says. The trace itself is not written.
///
/// ```
/// use zen_compare::{Report, Store, output};
///
/// fn save(report: &Report, store: &Store) -> Result<(), Box<dyn std::error::Error>> {
///     store.save(report)?;
///     output::write_views(report, None, "results")?;
///     Ok(())
/// }
/// ```
///
/// # Errors
/// When the directory or a file cannot be written.
pub fn write_views(
    report: &Report,
    trace: Option<&Trace>,
    directory: impl AsRef<Path>,
) -> io::Result<Vec<PathBuf>> {
    let directory = directory.as_ref();
    fs::create_dir_all(directory)?;
    let files = [
        ("report.html", page::html(report, trace)),
        ("report.md", markdown(report)),
        ("runs.csv", runs_csv(report)),
        ("summary.csv", summary_csv(report)),
    ];
    files.into_iter().map(|(name, text)| write_whole(directory.join(name), text.as_bytes())).collect()
}

/// The report as one self-contained page. It opens from disk, loads nothing from elsewhere, is
/// complete without scripts, and follows the reader's colour scheme.
///
/// ```
/// use zen_compare::{Report, output};
///
/// fn save(report: &Report) -> std::io::Result<()> {
///     std::fs::write("page.html", output::html(report))
/// }
/// ```
pub fn html(report: &Report) -> String {
    page::html(report, None)
}

/// The same page with one more section, "How they work": the time line of the trace, and a sentence
/// for each server in it. A trace without servers adds nothing.
///
/// The trace is no part of what was measured. Its servers should be contenders of the report, under
/// the same names.
///
/// ```
/// use zen_compare::{Report, output};
/// use zen_trace::Trace;
///
/// fn save(report: &Report, trace: &Trace) -> std::io::Result<()> {
///     std::fs::write("page.html", output::html_with_trace(report, trace))
/// }
/// ```
pub fn html_with_trace(report: &Report, trace: &Trace) -> String {
    page::html(report, Some(trace))
}

/// The report in GitHub-flavoured Markdown: verdicts, a table for each scenario, the environment,
/// the method.
///
/// ```
/// use zen_compare::{Report, output};
///
/// fn save(report: &Report) -> std::io::Result<()> {
///     std::fs::write("text.md", output::markdown(report))
/// }
/// ```
pub fn markdown(report: &Report) -> String {
    markdown::markdown(report)
}

/// Every run as a line of CSV (RFC 4180), below a header.
///
/// ```
/// use zen_compare::{Report, output};
///
/// fn save(report: &Report) -> std::io::Result<()> {
///     std::fs::write("runs.csv", output::runs_csv(report))
/// }
/// ```
pub fn runs_csv(report: &Report) -> String {
    csv::runs(report)
}

/// Every contender under every scenario as a line of CSV (RFC 4180), below a header: medians and
/// the ends of their intervals.
///
/// ```
/// use zen_compare::{Report, output};
///
/// fn save(report: &Report) -> std::io::Result<()> {
///     std::fs::write("summary.csv", output::summary_csv(report))
/// }
/// ```
pub fn summary_csv(report: &Report) -> String {
    csv::summaries(report)
}

fn write_whole(path: PathBuf, content: &[u8]) -> io::Result<PathBuf> {
    whole_file::write(&path, |out| out.write_all(content))?;
    Ok(path)
}
