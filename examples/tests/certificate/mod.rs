//! A certificate for 127.0.0.1 and its key, in files that last as long as the test.

use std::fs;
use std::path::PathBuf;

/// A directory of the test's own with `cert.pem` and `key.pem`. It is removed when this is dropped.
pub(crate) struct Certificate {
    directory: PathBuf,
}

impl Certificate {
    pub(crate) fn new(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("zen-examples-{name}-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        fs::write(directory.join("cert.pem"), made.cert.pem()).unwrap();
        fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        Self { directory }
    }

    /// The path of a file in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}
