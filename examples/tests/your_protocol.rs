//! `docs/your-protocol.md` tells the truth: in an empty directory, every file of the document is
//! written and every command is run, in the document's order, and what the commands print is
//! compared with what the document says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

#[path = "your_protocol/document.rs"]
mod document;
#[path = "your_protocol/shell.rs"]
mod shell;

use std::path::Path;

use document::Part;
use shell::Shell;

#[test]
fn the_document_can_be_followed_to_the_letter() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = std::fs::read_to_string(workspace.join("docs/your-protocol.md")).unwrap();
    let mut shell = Shell::new(workspace);
    for part in document::parts(&document) {
        match part {
            Part::File { path, text } => shell.write(path, &text),
            Part::Command { line, printed } => shell.run(line, &printed),
        }
    }
}
