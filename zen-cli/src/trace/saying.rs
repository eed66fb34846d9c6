//! What `zen trace` says on standard error, beside what it prints.

use std::io::{self, Write};
use std::path::Path;

use crate::escape::escaped;
use crate::failure::Failure;

pub(super) fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::Failed(format!("cannot write to {}: {error}", shown(path)))
}

pub(super) fn shown(path: &Path) -> String {
    escaped(path.as_os_str().as_encoded_bytes()).to_string()
}

pub(super) fn note_on(server: &str, note: &str) {
    say(&format!("{}: {}", escaped(server.as_bytes()), escaped(note.as_bytes())));
}

pub(super) fn say(line: &str) {
    // When standard error is closed, nobody wants to know.
    let _ = writeln!(io::stderr(), "zen: {line}");
}
