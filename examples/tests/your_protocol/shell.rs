//! The reader's terminal, in an empty directory. Nothing is downloaded: the workspace is the clone,
//! and its lock file says what cargo has already.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use crate::document::Printed;

/// The server's address in the document. A free port takes the place of its port.
const ADDRESS: &str = "127.0.0.1:7070";

pub(crate) struct Shell {
    workspace: PathBuf,
    /// The empty directory. It lies outside of the workspace, as a reader's does.
    home: PathBuf,
    directory: PathBuf,
    address: String,
    background: Option<Child>,
}

impl Shell {
    pub(crate) fn new(workspace: &Path) -> Self {
        // The directory has the same name each time, so that cargo replaces what it has built
        // there before instead of keeping both.
        let mut hash = DefaultHasher::new();
        workspace.hash(&mut hash);
        let home = env::temp_dir().join(format!("zen-your-protocol-{:x}", hash.finish()));
        if home.exists() {
            fs::remove_dir_all(&home).unwrap();
        }
        fs::create_dir(&home).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        Self { workspace: workspace.to_owned(), directory: home.clone(), home, address, background: None }
    }

    /// Writes a file of the document.
    pub(crate) fn write(&self, path: &str, text: &str) {
        // Cargo knows a package by its path. Through a link to the workspace it would build all of
        // it again for each test.
        let packages = format!("path = \"{}/", self.workspace.display());
        let text = text.replace("path = \"../zen/", &packages);
        fs::write(self.directory.join(path), text).unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// Runs a command, and compares what it prints.
    pub(crate) fn run(&mut self, line: &str, printed: &Printed<'_>) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["git", "clone", _] => {}
            ["cd", directory] => {
                self.directory = self.directory.join(directory);
                fs::copy(self.workspace.join("Cargo.lock"), self.directory.join("Cargo.lock")).unwrap();
            }
            ["mkdir", ref directories @ ..] => {
                for directory in directories {
                    fs::create_dir(self.directory.join(directory)).unwrap();
                }
            }
            ["kill", "%1"] => self.kill(),
            ["cargo", ref words @ .., "&"] => self.start(line, words, printed.lines()),
            ["cargo", ref words @ ..] => {
                let output = self.cargo(words).output().unwrap();
                let complaints = String::from_utf8_lossy(&output.stderr);
                let answers = String::from_utf8_lossy(&output.stdout);
                assert!(output.status.success(), "{line}: {}\n{answers}{complaints}", output.status);
                printed.compare(line, &answers);
            }
            _ => panic!("this test does not know the command {line:?}"),
        }
    }

    /// Starts a command in the background, and waits for what it prints.
    fn start(&mut self, line: &str, words: &[&str], printed: &[&str]) {
        let mut child = self.cargo(words).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        self.background = Some(child);
        for expected in printed {
            let printed = lines.next().unwrap_or_else(|| panic!("{line} has ended")).unwrap();
            assert_eq!(printed, expected.replace(ADDRESS, &self.address), "{line}");
        }
    }

    fn cargo(&self, words: &[&str]) -> Command {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(&self.directory);
        // An optimised build would take minutes, and tells no more of the document.
        let words = words.iter().filter(|word| **word != "--release");
        cargo.args(words.map(|word| word.replace(ADDRESS, &self.address)));
        cargo.env("CARGO_NET_OFFLINE", "true");
        cargo.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("your-protocol"));
        // What nobody debugs or changes takes less time and room without these.
        cargo.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_INCREMENTAL", "0");
        cargo
    }

    fn kill(&mut self) {
        // `cargo run` has become the program that it runs.
        if let Some(mut child) = self.background.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.kill();
        // The directory is left where a test has failed, to be looked at.
        if !std::thread::panicking() {
            fs::remove_dir_all(&self.home).unwrap();
        }
    }
}
