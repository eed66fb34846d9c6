//! The server's process: started here, or known by its number, and what it uses.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

/// What a process uses, as Linux tells it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Use {
    pub(crate) kilobytes: u64,
    pub(crate) descriptors: u64,
    pub(crate) threads: u64,
}

impl Use {
    pub(crate) fn of(process: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).ok()?.count() as u64;
        Some(Self { kilobytes: number("VmRSS:")?, descriptors, threads: number("Threads:")? })
    }
}

/// A server that was started here, and ends with this value.
#[derive(Debug)]
pub(crate) struct Started(Child);

impl Started {
    /// Starts the command, and waits for the line that says where it listens.
    pub(crate) fn start(command: &[String]) -> Result<(Self, SocketAddr), String> {
        let (program, arguments) = command.split_first().ok_or("there is no command behind `--`")?;
        let child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn();
        let mut started = Self(child.map_err(|error| format!("{program}: {error}"))?);
        let mut line = String::new();
        if let Some(output) = started.0.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
        }
        let address = line.trim().strip_prefix("listening on ").and_then(|address| address.parse().ok());
        let address = address.ok_or_else(|| format!("the server does not say where it listens: {line:?}"))?;
        Ok((started, address))
    }

    pub(crate) fn process(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
