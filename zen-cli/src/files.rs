//! The files that results go to: whether they can be written, and how they are named.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::escape::escaped;

/// Whether this file stands for standard output.
pub(crate) fn is_stdout(file: Option<&Path>) -> bool {
    file == Some(Path::new("-"))
}

/// A path, escaped so that it can be shown.
pub(crate) fn shown(path: &Path) -> String {
    escaped(path.as_os_str().as_encoded_bytes()).to_string()
}

/// Tries to write beside the file, because results are written there before they are renamed.
pub(crate) fn can_be_written(file: &Path) -> io::Result<()> {
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
