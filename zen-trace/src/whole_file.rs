//! Files that hold all of the old content or all of the new, and never a part of it.

use std::fs::{self, Metadata, OpenOptions, Permissions};
use std::io::{self, BufWriter, Seek, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// Writes a file. The content goes into a new file beside it, with a name that no other file has,
/// and takes the place of the old one once it is complete.
///
/// Nothing else of the user's is lost. Behind a symbolic link, the file that it names is written.
/// The mode is kept. A file of another owner or with further names (hard links) is overwritten in
/// place, after the content was written beside it once, so a full disk is noticed before anything
/// is lost. Pipes and devices are written to directly.
///
/// ```
/// use std::io::Write;
///
/// let file = std::env::temp_dir().join(format!("zen-example-{}", std::process::id()));
/// zen_trace::whole_file::write(&file, |out| out.write_all(b"all of it"))?;
/// assert_eq!(std::fs::read(&file)?, b"all of it");
/// # std::fs::remove_file(&file)?;
/// # std::io::Result::Ok(())
/// ```
///
/// # Errors
/// When the file cannot be written, with its path in the message. What it held before is then still
/// there.
pub fn write(
    path: impl AsRef<Path>,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let path = path.as_ref();
    replace(path, content).map_err(|error| named(path, &error))
}

/// Whether [`write`](write()) can begin: whether a file can be made beside this one, or, for a pipe
/// or a device, whether it is there. Nothing is written.
///
/// ```
/// use zen_trace::whole_file;
///
/// assert!(whole_file::check(std::env::temp_dir().join("report.json")).is_ok());
/// assert!(whole_file::check("/no/such/folder/report.json").is_err());
/// ```
///
/// # Errors
/// Why it cannot be written, without its path.
pub fn check(path: impl AsRef<Path>) -> io::Result<()> {
    let place = Place::of(path.as_ref())?;
    match &place.old {
        Some(old) if old.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Some(old) if !old.is_file() => Ok(()),
        Some(_) => OpenOptions::new().write(true).open(&place.path).and_then(|_| place.beside().map(drop)),
        None => place.beside().map(drop),
    }
}

fn replace(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let place = Place::of(path)?;
    if place.old.as_ref().is_some_and(|old| !old.is_file()) {
        let mut out = BufWriter::new(OpenOptions::new().write(true).open(&place.path)?);
        content(&mut out)?;
        return out.flush();
    }
    let mut beside = place.beside()?;
    let mut out = BufWriter::new(beside.as_file_mut());
    content(&mut out)?;
    out.flush()?;
    drop(out);
    // Without this, a machine that goes down may leave an empty file under the name.
    beside.as_file().sync_data()?;
    match &place.old {
        Some(old) if old.nlink() > 1 || old.uid() != beside.as_file().metadata()?.uid() => {
            beside.as_file_mut().rewind()?;
            let mut file = OpenOptions::new().write(true).truncate(true).open(&place.path)?;
            io::copy(beside.as_file_mut(), &mut file)?;
            file.sync_data()
        }
        old => {
            if let Some(old) = old {
                beside.as_file().set_permissions(old.permissions())?;
            }
            beside.persist(&place.path).map(drop).map_err(|failed| failed.error)
        }
    }
}

/// Where a file is, and what is there now.
struct Place {
    path: PathBuf,
    old: Option<Metadata>,
}

impl Place {
    /// The file that a path names in the end.
    fn of(path: &Path) -> io::Result<Self> {
        let mut path = path.to_owned();
        // As many links as the kernel follows.
        for _ in 0..40 {
            match fs::symlink_metadata(&path) {
                Ok(old) if old.is_symlink() => {
                    let target = fs::read_link(&path)?;
                    // Relative to the folder of the link; an absolute one replaces all of it.
                    path = folder(&path).join(target);
                }
                Ok(old) => return Ok(Self { path, old: Some(old) }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self { path, old: None }),
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("too many symbolic links"))
    }

    /// A new file in the same folder, as only there a rename is a single step. It disappears
    /// unless it is given the name.
    fn beside(&self) -> io::Result<NamedTempFile> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".");
        let new = Builder::new()
            .prefix(&name)
            .suffix(".part")
            // Less what the umask takes away, as for any new file.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder(&self.path));
        // The library's error names the random file, which says nothing to a user.
        new.map_err(|error| error.raw_os_error().map_or(error, io::Error::from_raw_os_error))
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn save(path: &Path, text: &str) -> io::Result<()> {
        write(path, |out| out.write_all(text.as_bytes()))
    }

    fn files(folder: &tempfile::TempDir) -> usize {
        fs::read_dir(folder.path()).unwrap().count()
    }

    #[test]
    fn a_file_is_replaced_with_its_mode_and_nothing_else_is_touched() {
        let folder = folder();
        let file = folder.path().join("report.json");
        let users = folder.path().join("report.json.part");
        fs::write(&users, "the user's").unwrap();
        save(&file, "one").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        check(&file).unwrap();
        save(&file, "two").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_to_string(&users).unwrap(), "the user's");
        assert_eq!(files(&folder), 2);
    }

    #[test]
    fn what_cannot_be_completed_leaves_the_old_content() {
        let folder = folder();
        let file = folder.path().join("report.json");
        save(&file, "old").unwrap();
        let error = write(&file, |out| {
            out.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        })
        .unwrap_err();
        assert!(error.to_string().starts_with(&file.display().to_string()), "{error}");
        assert_eq!((fs::read_to_string(&file).unwrap(), files(&folder)), ("old".into(), 1));
        let nowhere = file.join("below");
        assert!(save(&nowhere, "x").is_err() && check(&nowhere).is_err());
        assert!(check(folder.path()).is_err());
    }

    #[test]
    fn links_keep_naming_the_same_file() {
        let folder = folder();
        let [file, link, hard] = ["file", "link", "hard"].map(|name| folder.path().join(name));
        fs::write(&file, "old").unwrap();
        symlink("file", &link).unwrap();
        save(&link, "through the link").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "through the link");
        fs::hard_link(&file, &hard).unwrap();
        save(&file, "all names").unwrap();
        assert_eq!(fs::read_to_string(&hard).unwrap(), "all names");
        // A link to nothing is a name for a file to come.
        symlink(folder.path().join("new"), folder.path().join("ahead")).unwrap();
        save(&folder.path().join("ahead"), "new").unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("new")).unwrap(), "new");
        symlink("circle", folder.path().join("circle")).unwrap();
        assert!(save(&folder.path().join("circle"), "x").is_err());
    }

    #[test]
    fn a_pipe_is_written_to() {
        let folder = folder();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        check(&pipe).unwrap();
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || {
                let mut text = String::new();
                File::open(pipe).unwrap().read_to_string(&mut text).unwrap();
                text
            }
        });
        save(&pipe, "read by another program").unwrap();
        assert_eq!(reader.join().unwrap(), "read by another program");
        assert_eq!(files(&folder), 1);
    }
}
