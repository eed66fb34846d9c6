//! A comparison's place on disk, where it is saved after every run, and from where it is resumed.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use thiserror::Error;
use zen_trace::whole_file;

use super::report::{ReadError, Report, Settings};

/// A file that holds a comparison while it is made. It holds a whole report at any time.
///
/// ```
/// use zen_compare::{Plan, Store, compare_in};
///
/// /// Makes a comparison, or what is left of it after an interrupt.
/// fn go_on(plan: &Plan) -> Result<(), Box<dyn std::error::Error>> {
///     let store = Store::new("results/report.json");
///     if let Some(before) = store.load()? {
///         println!("{}: {} runs are made", store.path().display(), before.runs.len());
///     }
///     let report = compare_in(&store, plan, &mut ())?;
///     // Each run was saved already; this is only needed after a change.
///     store.save(&report)?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Store {
    path: PathBuf,
}

/// Why a comparison cannot be saved, or cannot be resumed.
///
/// ```
/// use zen_compare::StoreError;
///
/// fn advice(error: &StoreError) -> &'static str {
///     match error {
///         StoreError::CannotSave { .. } => "choose another folder",
///         StoreError::Different { .. } => "finish that comparison, or save this one elsewhere",
///         _ => "look at the file",
///     }
/// }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file cannot be written.
    #[error("the results cannot be saved: {source}")]
    CannotSave {
        /// The file.
        path: PathBuf,
        /// Why it cannot be saved; its message names the file.
        source: io::Error,
    },
    /// There is a file, but it cannot be read.
    #[error("{path} cannot be resumed: {source}")]
    CannotRead {
        /// The file.
        path: PathBuf,
        /// Why it cannot be read.
        source: ReadError,
    },
    /// There is a file, but what it holds was planned or measured differently.
    #[error(
        "{path} holds another comparison, and results that were made differently do not mix: {}; finish that one as \
         it was begun, or save this one elsewhere",
        .differences.join("; ")
    )]
    Different {
        /// The file.
        path: PathBuf,
        /// The differences, for people to read.
        differences: Vec<String>,
    },
}

impl Store {
    /// A comparison that is kept in this file. Nothing is read or written yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Saves the report. At any time, the file holds the whole of the old report or the whole of
    /// the new one.
    ///
    /// # Errors
    /// [`StoreError::CannotSave`], with the old report still in place.
    pub fn save(&self, report: &Report) -> Result<(), StoreError> {
        self.replace(report).map_err(|source| StoreError::CannotSave { path: self.path.clone(), source })
    }

    fn replace(&self, report: &Report) -> io::Result<()> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        whole_file::write(&self.path, |out| report.write_json(out))
    }

    /// The report in the file; `None` when there is no file.
    ///
    /// # Errors
    /// [`StoreError::CannotRead`].
    pub fn load(&self) -> Result<Option<Report>, StoreError> {
        let cannot_read = |source| StoreError::CannotRead { path: self.path.clone(), source };
        match File::open(&self.path) {
            Ok(file) => Report::read_json(BufReader::new(file)).map(Some).map_err(cannot_read),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(cannot_read(ReadError::NotAReport(serde_json::Error::io(error)))),
        }
    }

    /// Returns what the file holds of the comparison that `fresh`, a report without runs, is about
    /// to become.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub(crate) fn resume(&self, fresh: Report) -> Result<Report, StoreError> {
        let Some(mut saved) = self.load()? else { return Ok(fresh) };
        let mut differences = settings_differences(&saved.settings, &fresh.settings);
        differences.extend(saved.environment.differences(&fresh.environment));
        if !differences.is_empty() {
            return Err(StoreError::Different { path: self.path.clone(), differences });
        }
        if !saved.complete {
            saved.environment.resumed_unix.push(fresh.environment.began_unix);
        }
        Ok(saved)
    }
}

/// The differences between two plans, as `what: X there, Y here`.
fn settings_differences(before: &Settings, now: &Settings) -> Vec<String> {
    let mut differences = Vec::new();
    let mut differ = |what: &str, before: String, now: String| {
        if before != now {
            differences.push(format!("{what}: {before} there, {now} here"));
        }
    };
    let names = |settings: &Settings| {
        let names: Vec<&str> = settings.contenders.iter().map(|contender| contender.name.as_str()).collect();
        names.join(", ")
    };
    differ("contenders", names(before), names(now));
    for (before, now) in before.contenders.iter().zip(&now.contenders).filter(|(a, b)| a.name == b.name) {
        differ(&format!("command of {}", before.name), before.command.clone(), now.command.clone());
        if before.command == now.command && before.changed_unix_ms != now.changed_unix_ms {
            let said = |time: Option<u64>| time.map_or_else(|| "unknown".to_owned(), |time| time.to_string());
            let what = format!("program of {}, last changed", before.name);
            differ(&what, said(before.changed_unix_ms), said(now.changed_unix_ms));
        }
    }
    let names = |settings: &Settings| {
        let names: Vec<&str> = settings.scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
        names.join(", ")
    };
    differ("scenarios", names(before), names(now));
    for (before, now) in
        before.scenarios.iter().zip(&now.scenarios).filter(|(a, b)| a.name == b.name && a != b)
    {
        differ(&format!("scenario {}", before.name), format!("{before:?}"), format!("{now:?}"));
    }
    differ("repetitions", before.repetitions.to_string(), now.repetitions.to_string());
    differ("warm-up", format!("{} s", before.warmup_s), format!("{} s", now.warmup_s));
    differ("window", format!("{} s", before.window_s), format!("{} s", now.window_s));
    differ("seed", before.seed.to_string(), now.seed.to_string());
    differ("questions", before.questions.clone(), now.questions.clone());
    differ("system calls", before.system_calls.clone(), now.system_calls.clone());
    differences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::environment::Environment;
    use crate::results::report::SCHEMA;
    use crate::scenario::Scenario;
    use crate::testing::{run, settings};

    /// A folder that is removed when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("zen-compare-{name}-{}", std::process::id())))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn report() -> Report {
        Report {
            schema: SCHEMA.into(),
            environment: Environment::current(None),
            settings: settings(&["a", "b"], Scenario::book()),
            complete: false,
            summaries: Vec::new(),
            runs: Vec::new(),
        }
    }

    #[test]
    fn a_saved_comparison_is_resumed() {
        let folder = Folder::new("resume");
        let store = Store::new(folder.0.join("deep/report.json"));
        assert!(store.load().unwrap().is_none());
        assert_eq!(store.resume(report()).unwrap().runs.len(), 0);
        let mut saved = report();
        saved.runs.push(run("a", &Scenario::book(), 0, 5.0));
        store.save(&saved).unwrap();
        store.save(&saved).unwrap();
        assert_eq!(store.load().unwrap().unwrap(), saved);
        let resumed = store.resume(report()).unwrap();
        assert_eq!((resumed.runs, resumed.environment.resumed_unix.len()), (saved.runs, 1));
        let files: Vec<_> = fs::read_dir(store.path().parent().unwrap()).unwrap().collect();
        assert_eq!(files.len(), 1, "nothing but the report is left: {files:?}");
    }

    #[test]
    fn another_comparison_is_not_mixed_in() {
        let folder = Folder::new("different");
        let store = Store::new(folder.0.join("report.json"));
        store.save(&report()).unwrap();
        let refused = |change: &dyn Fn(&mut Report)| {
            let mut other = report();
            change(&mut other);
            store.resume(other).unwrap_err().to_string()
        };
        let message = refused(&|other| other.settings.window_s = 9.0);
        assert!(message.contains("window: 1 s there, 9 s here"), "{message}");
        let message = refused(&|other| other.settings.contenders[1].command = "c".into());
        assert!(message.contains("command of b: b there, c here"), "{message}");
        let message = refused(&|other| other.settings.contenders[0].changed_unix_ms = Some(7));
        assert!(message.contains("program of a, last changed: unknown there, 7 here"), "{message}");
        let message = refused(&|other| other.settings.scenarios[0].clients = 2);
        assert!(message.contains("scenario book"), "{message}");
        let message = refused(&|other| other.environment.kernel = Some("Other".into()));
        assert!(message.contains("kernel") && message.contains("Other here"), "{message}");
    }

    #[test]
    fn a_file_that_is_no_report_is_not_touched() {
        let folder = Folder::new("foreign");
        fs::create_dir_all(&folder.0).unwrap();
        let store = Store::new(folder.0.join("notes.txt"));
        fs::write(store.path(), "mine").unwrap();
        assert!(matches!(store.resume(report()), Err(StoreError::CannotRead { .. })));
        assert_eq!(fs::read(store.path()).unwrap(), b"mine");
        let nowhere = Store::new(folder.0.join("notes.txt/report.json"));
        assert!(matches!(nowhere.save(&report()), Err(StoreError::CannotSave { .. })));
    }
}
