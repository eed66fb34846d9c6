//! The workspace's own files: what is left once version control and build results are left out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Every file below `folder`, as a path relative to it.
pub(crate) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut files, mut open) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(inside) = open.pop() {
        for entry in fs::read_dir(folder.join(&inside))? {
            let entry = entry?;
            let name = entry.file_name();
            if name == ".git" || name == "target" {
                continue;
            }
            let path = inside.join(name);
            // Follows links, of which the crates' licences are some.
            if fs::metadata(entry.path())?.is_dir() {
                open.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Copies these files to `to`, which holds nothing else afterwards.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    for file in files(from)? {
        let target = to.join(&file);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(from.join(&file), target)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{copy, files};
    use crate::run::root;

    #[test]
    fn a_copy_has_every_file_of_the_tree_and_nothing_that_was_there_before() {
        let from = root().join("xtask");
        let to = root().join("target/xtask-test-copy");
        fs::create_dir_all(&to).expect("a folder");
        fs::write(to.join("old"), "").expect("a file");
        copy(&from, &to).expect("copied");
        assert_eq!(files(&from).expect("read"), files(&to).expect("read"));
        let here = |file: &Path| file == Path::new("src/tree.rs");
        assert!(files(&to).expect("read").iter().any(|file| here(file)));
        fs::remove_dir_all(&to).expect("removed");
    }

    #[test]
    fn build_results_and_version_control_are_not_the_tree() {
        for file in files(&root()).expect("read") {
            assert!(!file.starts_with("target") && !file.starts_with(".git"), "{}", file.display());
        }
    }
}
