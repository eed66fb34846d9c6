//! `zen compare --resume`: reads the options of an earlier comparison from the report that it left.

use std::io::{self, Write};
use std::path::Path;

use zen_compare::Store;

use super::saving::REPORT;
use crate::args::{Cli, Command, CompareArgs};
use crate::escape::escaped;
use crate::failure::Failure;
use crate::files::shown;

/// The options with which the comparison in `directory` was started.
///
/// Options that were set by variables are not in the report. If they differ now, the lab notices
/// and refuses.
pub(crate) fn begun_in(directory: &Path) -> Result<CompareArgs, Failure> {
    let failed = |why: &str| Failure::Failed(format!("--resume {}: {why}", shown(directory)));
    let saved = Store::new(directory.join(REPORT)).load();
    let report = saved
        .map_err(|error| Failure::Failed(error.to_string()))?
        .ok_or_else(|| failed("there is no comparison to resume; --out begins one"))?;
    let words = report.environment.command_line;
    let cli = Cli::understood(&words.iter().map(Into::into).collect::<Vec<_>>());
    let Ok(Cli { command: Command::Compare(args) }) = cli else {
        return Err(failed(
            "it was not begun by this command, so the program that began it has to resume it",
        ));
    };
    let words: Vec<String> = words.iter().skip(1).map(|word| escaped(word.as_bytes()).to_string()).collect();
    // This tells the user what is being measured.
    let _ = writeln!(io::stderr(), "resuming: zen {}", words.join(" "));
    // The directory may have been moved since.
    Ok(CompareArgs { out: Some(directory.to_owned()), resume: None, ..args })
}
