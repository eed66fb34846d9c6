//! The files that a trace is kept in.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::model::Sweep;
use crate::recording::Trace;
use crate::whole_file;

impl Trace {
    /// Writes `steps.json`, `trace.pftrace` and `timeline.html` into a folder, which is created if
    /// it does not exist, and returns their paths. Each file appears complete or not at all; an
    /// existing file of the same name is replaced.
    ///
    /// ```
    /// use zen_trace::{Recording, Trace};
    ///
    /// let folder = std::env::temp_dir().join(format!("zen-doc-trace-{}", std::process::id()));
    /// let files = Trace::new(vec![Recording::new("mine")]).write_all(&folder)?;
    /// assert!(files[0].ends_with("steps.json"));
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the folder or a file cannot be written.
    pub fn write_all(&self, folder: impl AsRef<Path>) -> io::Result<Vec<PathBuf>> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder)?;
        Ok(vec![
            // The steps come first: from them the others can be drawn again.
            self.save(folder.join("steps.json"))?,
            whole(folder.join("trace.pftrace"), |file| self.write_perfetto(file))?,
            whole(folder.join("timeline.html"), |file| file.write_all(self.to_html().as_bytes()))?,
        ])
    }

    /// Writes the steps alone, as JSON, into a file, and returns its path. It appears complete or
    /// not at all; an existing file is replaced. [`Trace::read_json`] reads it again.
    ///
    /// ```
    /// use zen_trace::{Recording, Trace};
    ///
    /// let file = std::env::temp_dir().join(format!("zen-doc-save-{}.json", std::process::id()));
    /// let trace = Trace::new(vec![Recording::new("mine")]);
    /// trace.save(&file)?;
    /// assert_eq!(Trace::read_json(std::fs::File::open(&file)?).unwrap(), trace);
    /// # std::fs::remove_file(&file)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, file: impl Into<PathBuf>) -> io::Result<PathBuf> {
        whole(file.into(), |file| self.write_json(file))
    }
}

impl Sweep {
    /// Writes `sweep.json` and `sweep.html` into a folder, which is created if it does not exist,
    /// and returns their paths. Each file appears complete or not at all; an existing file of the
    /// same name is replaced.
    ///
    /// ```
    /// use zen_trace::model::Sweep;
    ///
    /// let folder = std::env::temp_dir().join(format!("zen-doc-sweep-{}", std::process::id()));
    /// let files = Sweep::new(Vec::new()).write_all(&folder)?;
    /// assert!(files[1].ends_with("sweep.html"));
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the folder or a file cannot be written.
    pub fn write_all(&self, folder: impl AsRef<Path>) -> io::Result<Vec<PathBuf>> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder)?;
        Ok(vec![
            whole(folder.join("sweep.json"), |file| file.write_all(self.to_json().as_bytes()))?,
            whole(folder.join("sweep.html"), |file| file.write_all(self.to_html().as_bytes()))?,
        ])
    }
}

fn whole(path: PathBuf, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<PathBuf> {
    whole_file::write(&path, write)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phases::tests::page;

    #[test]
    fn everything_is_drawn_again_from_the_steps() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("../target/zen-trace-test-files-{}", std::process::id()));
        let trace = Trace::new(vec![page()]);
        let files = trace.write_all(folder.join("new")).unwrap();
        let again = Trace::read_json(fs::File::open(&files[0]).unwrap()).unwrap();
        assert_eq!(again, trace);
        let first: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
        let second = again.write_all(folder.join("again")).unwrap();
        assert_eq!(second.iter().map(|file| fs::read(file).unwrap()).collect::<Vec<_>>(), first);
        assert_eq!(fs::read_dir(folder.join("new")).unwrap().count(), 3, "nothing half-written is left");
        fs::remove_dir_all(&folder).unwrap();
    }
}
