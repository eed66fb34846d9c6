//! What `zen trace` says on standard error, beside what it prints.

use std::io::{self, Write};
use std::path::Path;

use crate::escape::escaped;
use crate::failure::Failure;
use crate::files::shown;

pub(super) fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::Failed(format!("cannot write to {}: {error}", shown(path)))
}

pub(super) fn note_on(server: &str, note: &str) {
    say(&format!("{}: {}", escaped(server.as_bytes()), escaped(note.as_bytes())));
}

pub(super) fn say(line: &str) {
    // When standard error is closed, nobody wants to know.
    let _ = writeln!(io::stderr(), "zen: {line}");
}
