//! Counts a server's system calls with the machine's own tools: `perf` where the kernel allows it,
//! else `strace`.
//!
//! No file under `/proc` counts them: `/proc/PID/io` counts only reads and writes of files, and so
//! leaves out what a socket does by `recv` and `send`. Tracing slows a server down, `strace` by a
//! factor of ten and more, so the calls are counted in a short run of their own. Under such a load
//! a server finds other numbers of events ready at a time, so a count by `strace` is only a hint.

use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a tool may take to attach to its process, and how long to end.
const TOOL_TIMEOUT: Duration = Duration::from_secs(10);
const CHECK_INTERVAL: Duration = Duration::from_millis(2);

/// A tool that can count system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Perf,
    Strace,
}

/// A count under way. Dropping it ends the tool.
#[derive(Debug)]
pub(crate) struct Count {
    tool: Tool,
    child: Child,
}

impl Tool {
    /// The first tool that can count the calls of a process on this machine.
    ///
    /// # Errors
    /// Why no tool can, for people to read.
    pub(crate) fn find() -> Result<Self, String> {
        let mut reasons = String::new();
        for tool in [Self::Perf, Self::Strace] {
            match tool.try_out() {
                Ok(()) => return Ok(tool),
                Err(error) => {
                    // Writing to a string cannot fail.
                    let _ =
                        write!(reasons, "{}{tool:?}: {error}", if reasons.is_empty() { "" } else { "; " });
                }
            }
        }
        Err(reasons.to_lowercase())
    }

    /// How the calls are counted, for the report.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Perf => {
                "counted by perf (raw_syscalls:sys_enter) in a separate short run, connecting included"
            }
            Self::Strace => {
                "counted by strace in a separate short run, connecting included; tracing slows the server down and \
                 changes how much it finds ready at a time, so this is a hint"
            }
        }
    }

    /// Tries the tool on a process that lives until its input ends.
    fn try_out(self) -> io::Result<()> {
        let mut cat = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        let counted = self.attach([Pid::from_raw(i32::try_from(cat.id()).unwrap_or(i32::MAX)).as_raw()]);
        // The end of its input ends the process, and makes it call the kernel before that.
        drop(cat.stdin.take());
        let _ = cat.wait();
        match counted.and_then(Count::end)? {
            0 => Err(io::Error::other("it counts nothing")),
            _ => Ok(()),
        }
    }

    /// Begins to count the calls of the given processes and of the processes that they start.
    ///
    /// # Errors
    /// When the tool is missing, or is not allowed to count.
    pub(crate) fn attach(self, pids: impl IntoIterator<Item = i32>) -> io::Result<Count> {
        let pids: Vec<String> = pids.into_iter().map(|pid| pid.to_string()).collect();
        let mut command = match self {
            Self::Perf => {
                let mut perf = Command::new("perf");
                perf.args(["stat", "-x", ",", "-e", "raw_syscalls:sys_enter", "-p", &pids.join(",")]);
                perf
            }
            Self::Strace => {
                let mut strace = Command::new("strace");
                strace.args(["-f", "-c", "-q", "-p", &pids.join(",")]);
                strace
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).env("LC_ALL", "C");
        let mut count = Count { tool: self, child: command.spawn()? };
        let began = Instant::now();
        while !count.is_attached(&pids) {
            if count.child.try_wait()?.is_some() {
                let said = count.read_output()?;
                let said =
                    said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it ended at once");
                return Err(io::Error::other(said.escape_default().to_string()));
            }
            if began.elapsed() > TOOL_TIMEOUT {
                return Err(io::Error::other("it does not begin to count"));
            }
            thread::sleep(CHECK_INTERVAL);
        }
        Ok(count)
    }
}

impl Count {
    fn is_attached(&self, pids: &[String]) -> bool {
        match self.tool {
            // One descriptor for each thread that is counted.
            Tool::Perf => fs::read_dir(format!("/proc/{}/fd", self.child.id())).is_ok_and(|descriptors| {
                let targets = descriptors.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
                let counters =
                    targets.filter(|target| target.as_os_str() == OsStr::new("anon_inode:[perf_event]"));
                let threads: usize = pids.iter().map(|pid| threads(pid)).sum();
                counters.count() >= threads.max(1)
            }),
            Tool::Strace => pids.iter().all(|pid| {
                let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
                let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
                tracer.is_some_and(|tracer| tracer.trim() == self.child.id().to_string())
            }),
        }
    }

    /// Ends the count and returns how many calls there were.
    ///
    /// # Errors
    /// When the tool does not end, or does not report a number.
    pub(crate) fn end(mut self) -> io::Result<u64> {
        self.interrupt()?;
        let asked = Instant::now();
        while self.child.try_wait()?.is_none() {
            if asked.elapsed() > TOOL_TIMEOUT {
                return Err(io::Error::other("it does not end"));
            }
            thread::sleep(CHECK_INTERVAL);
        }
        let said = self.read_output()?;
        let count = match self.tool {
            Tool::Perf => parse_perf(&said),
            Tool::Strace => parse_strace(&said),
        };
        count.ok_or_else(|| io::Error::other("it does not say how many"))
    }

    fn interrupt(&self) -> io::Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX));
        Ok(kill(pid, Signal::SIGINT)?)
    }

    /// What the tool has written; it has ended, so this does not wait.
    fn read_output(&mut self) -> io::Result<String> {
        let mut said = Vec::new();
        if let Some(stderr) = &mut self.child.stderr {
            stderr.take(64 * 1024).read_to_end(&mut said)?;
        }
        Ok(String::from_utf8_lossy(&said).into_owned())
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        // This does nothing to a process that has been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn threads(pid: &str) -> usize {
    fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
}

/// Reads the count from `COUNT,,raw_syscalls:sys_enter,…`.
fn parse_perf(said: &str) -> Option<u64> {
    let line = said.lines().find(|line| line.contains("raw_syscalls:sys_enter"))?;
    line.split(',').next()?.trim().parse().ok()
}

/// Reads the total from the last line of a table with the columns `% time, seconds, usecs/call,
/// calls, errors, syscall`.
fn parse_strace(said: &str) -> Option<u64> {
    let header = said.lines().find(|line| line.trim_start().starts_with("% time"))?;
    // `% time` is two words in the header.
    let column = header.split_whitespace().position(|word| word == "calls")?.checked_sub(1)?;
    let total = said.lines().find(|line| line.trim_end().ends_with(" total"))?;
    total.split_whitespace().nth(column)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_found_in_what_the_tools_say() {
        assert_eq!(parse_perf("# started\n\n1234,,raw_syscalls:sys_enter,99,100.00,,\n"), Some(1234));
        assert_eq!(parse_perf("<not counted>,,raw_syscalls:sys_enter,0,100.00,,\n"), None);
        let table = "% time     seconds  usecs/call     calls    errors syscall\n\
                     ------ ----------- ----------- --------- --------- ----------------\n \
                     50.00    0.000001           0        10         3 read\n\
                     ------ ----------- ----------- --------- --------- ----------------\n\
                     100.00    0.000002           0       109        14 total\n";
        assert_eq!(parse_strace(table), Some(109));
        assert_eq!(parse_strace("strace: Process 1 attached\n"), None);
    }

    #[test]
    fn a_tool_that_is_found_counts_and_one_that_is_not_says_why() {
        match Tool::find() {
            Ok(tool) => {
                let mut cat =
                    Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
                let count = tool.attach([i32::try_from(cat.id()).unwrap()]).unwrap();
                let (mut to, mut from) = (cat.stdin.take().unwrap(), cat.stdout.take().unwrap());
                for _ in 0..100 {
                    io::Write::write_all(&mut to, b"?").unwrap();
                    from.read_exact(&mut [0]).unwrap();
                }
                let calls = count.end().unwrap();
                drop(to);
                cat.wait().unwrap();
                // A read and a write for each byte; the first read may have begun before.
                assert!((199..=220).contains(&calls), "{tool:?} counted {calls}");
            }
            Err(reason) => assert!(reason.contains("perf: ") && reason.contains("strace: "), "{reason}"),
        }
    }
}
