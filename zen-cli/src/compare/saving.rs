//! Saves the results of `zen compare` while they are made: a directory with every format, or a JSON
//! file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zen_compare::output::write_views;
use zen_compare::{Report, Store};
use zen_trace::{Trace, whole_file};

use crate::args::CompareArgs;
use crate::escape::escaped;
use crate::failure::Failure;
use crate::files::{is_stdout, shown};

/// The file in a results directory from which a comparison can be resumed.
pub(crate) const REPORT: &str = "report.json";

/// The file beside it that holds the trace from which the page shows how the servers work.
const TRACE: &str = "trace.json";

pub(crate) struct Saving {
    directory: Option<PathBuf>,
    trace: Option<Trace>,
    json: Option<Store>,
    failed: Option<Failure>,
}

impl Saving {
    /// Checks at once that everything can be written.
    pub(crate) fn new(args: &CompareArgs) -> Result<Self, Failure> {
        let json = args.json.clone().filter(|_| !is_stdout(args.json.as_deref()));
        if let Some(file) = &json {
            whole_file::check(file).map_err(|error| cannot_save(file, &error))?;
        }
        if let Some(directory) = &args.out {
            let probe = directory.join(REPORT);
            fs::create_dir_all(directory)
                .and_then(|()| whole_file::check(&probe))
                .map_err(|error| cannot_save(directory, &error))?;
        }
        // One that cannot be read is made again.
        let file = args.out.as_ref().and_then(|directory| fs::File::open(directory.join(TRACE)).ok());
        let trace = file.and_then(|file| Trace::read_json(file).ok());
        Ok(Self { directory: args.out.clone(), trace, json: json.map(Store::new), failed: None })
    }

    /// Whether a page is drawn that has no trace yet.
    pub(crate) fn lacks_trace(&self) -> bool {
        self.directory.is_some() && self.trace.is_none()
    }

    /// Takes the trace from which the page shows how the servers work.
    pub(crate) fn traced(&mut self, trace: Trace) {
        let Some(directory) = &self.directory else { return };
        if let Err(error) = trace.save(directory.join(TRACE)) {
            self.failed.get_or_insert(cannot_save(directory, &error));
        }
        self.trace = Some(trace);
    }

    /// The store in which the lab itself saves the runs, one by one.
    pub(crate) fn store(&self) -> Option<Store> {
        self.directory.as_ref().map(|directory| Store::new(directory.join(REPORT)))
    }

    /// Called after each run.
    pub(crate) fn run_finished(&mut self, so_far: &Report) {
        if let Some(Err(error)) = self.json.as_ref().map(|store| store.save(so_far)) {
            self.failed.get_or_insert(Failure::Failed(error.to_string()));
        }
        self.draw(so_far);
    }

    /// Called after the last run. Returns where the page is, if there is one.
    pub(crate) fn end(mut self, report: &Report) -> Result<Option<String>, Failure> {
        // A comparison that was complete before it began is saved as well.
        if let Some(Err(error)) = self.json.as_ref().map(|store| store.save(report)) {
            self.failed.get_or_insert(Failure::Failed(error.to_string()));
        }
        self.draw(report);
        if let Some(failure) = self.failed {
            return Err(failure);
        }
        Ok(self.directory.map(|directory| shown(&directory.join("report.html"))))
    }

    /// Writes every format but the JSON, which the lab has saved already.
    fn draw(&mut self, report: &Report) {
        let Some(directory) = &self.directory else { return };
        if let Err(error) = write_views(report, self.trace.as_ref(), directory) {
            // The error names the file.
            let line = format!("cannot save {}", escaped(error.to_string().as_bytes()));
            self.failed.get_or_insert(Failure::Failed(line));
        }
    }
}

fn cannot_save(place: &Path, error: &io::Error) -> Failure {
    Failure::Failed(format!("cannot save to {}: {error}", shown(place)))
}
