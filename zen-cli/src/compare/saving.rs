//! Saves the results of `zen compare` while they are made: a directory with every format, or a JSON
//! file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zen_compare::output::write_views;
use zen_compare::{Report, Store};

use crate::args::CompareArgs;
use crate::failure::Failure;
use crate::files::{can_be_written, is_stdout, shown};

/// The file in a results directory from which a comparison can be resumed.
pub(crate) const REPORT: &str = "report.json";

pub(crate) struct Saving {
    directory: Option<PathBuf>,
    json: Option<Store>,
    failed: Option<Failure>,
}

impl Saving {
    /// Checks at once that everything can be written.
    pub(crate) fn new(args: &CompareArgs) -> Result<Self, Failure> {
        let json = args.json.clone().filter(|_| !is_stdout(args.json.as_deref()));
        if let Some(file) = &json {
            can_be_written(file).map_err(|error| cannot_save(file, &error))?;
        }
        if let Some(directory) = &args.out {
            let probe = directory.join(REPORT);
            fs::create_dir_all(directory)
                .and_then(|()| can_be_written(&probe))
                .map_err(|error| cannot_save(directory, &error))?;
        }
        Ok(Self { directory: args.out.clone(), json: json.map(Store::new), failed: None })
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
        if let Err(error) = write_views(report, directory) {
            self.failed.get_or_insert(cannot_save(directory, &error));
        }
    }
}

fn cannot_save(place: &Path, error: &io::Error) -> Failure {
    Failure::Failed(format!("cannot save to {}: {error}", shown(place)))
}
