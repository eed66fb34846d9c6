//! What `zen trace` says on standard error, beside what it prints.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::escape::escaped;
use crate::failure::Failure;
use crate::files::shown;

pub(super) fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::Failed(format!("cannot write to {}: {error}", shown(path)))
}

/// An interrupted trace is a failure, because it is not the whole trace that was asked for.
pub(super) fn interrupted() -> Failure {
    Failure::Failed("interrupted; what was traced until then is shown".to_owned())
}

/// Why a file was not written, for an error that names it.
pub(super) fn not_written(error: &io::Error) -> Failure {
    Failure::Failed(format!("cannot write {}", escaped(error.to_string().as_bytes())))
}

pub(super) fn note_on(server: &str, note: &str) {
    say(&format!("{}: {}", escaped(server.as_bytes()), escaped(note.as_bytes())));
}

pub(super) fn wrote(files: &[PathBuf]) {
    let names: Vec<String> = files.iter().map(|file| shown(file)).collect();
    say(&format!("wrote {}", names.join(", ")));
}

pub(super) fn say(line: &str) {
    // When standard error is closed, nobody wants to know.
    let _ = writeln!(io::stderr(), "zen: {line}");
}
