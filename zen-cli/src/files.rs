//! The files that results go to: how they are named.

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
