//! Saves the results of `zen compare` while they are made: a directory with every format, or a JSON
//! file.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use zen_compare::output::write_views;
use zen_compare::{Report, Store};

use crate::args::CompareArgs;
use crate::escape::escaped;
use crate::failure::Failure;

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
        let json = args.json.clone().filter(|_| !prints_json(args));
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

/// Whether the report is printed instead of the tables.
pub(crate) fn prints_json(args: &CompareArgs) -> bool {
    args.json.as_deref() == Some(Path::new("-"))
}

/// A path, escaped so that it can be shown.
pub(crate) fn shown(path: &Path) -> String {
    escaped(path.as_os_str().as_encoded_bytes()).to_string()
}

/// Tries to write beside the file, because a report is written there before it is renamed.
fn can_be_written(file: &Path) -> io::Result<()> {
    if file.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    File::create(&name)?;
    // If this fails, an empty file is left behind.
    let _ = fs::remove_file(name);
    Ok(())
}

fn cannot_save(place: &Path, error: &io::Error) -> Failure {
    Failure::Failed(format!("cannot save to {}: {error}", shown(place)))
}
