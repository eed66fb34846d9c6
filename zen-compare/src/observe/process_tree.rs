//! A server as the lab sees it: a process and all its descendants, added up.
//!
//! A server that forks workers costs what its workers cost. Descendants are found through the
//! kernel's lists of children (`/proc/PID/task/TID/children`), so a process that has detached
//! itself, as daemons do, is not seen.

use super::process::{Holdings, Probe, Threads, Usage};
use std::collections::BTreeMap;
use std::io;

use procfs::process::Process;

/// More descendants than any server of this lab needs; the search ends there.
const MOST: usize = 4_096;

/// A process and its descendants, as of the last [search](ProcessTree::find_descendants).
#[derive(Debug)]
pub(crate) struct ProcessTree {
    root: i32,
    processes: BTreeMap<i32, Descendant>,
    /// What the ended processes had used when they were last sampled.
    gone: Usage,
}

#[derive(Debug)]
struct Descendant {
    probe: Probe,
    last: Usage,
}

impl ProcessTree {
    /// The tree of the process `pid` as it is now.
    ///
    /// # Errors
    /// When there is no such process.
    pub(crate) fn new(pid: u32) -> io::Result<Self> {
        let probe = Probe::new(pid)?;
        let root = probe.pid();
        let processes = BTreeMap::from([(root, Descendant { probe, last: Usage::default() })]);
        let mut tree = Self { root, processes, gone: Usage::default() };
        tree.find_descendants();
        Ok(tree)
    }

    /// Adds the processes that were started since. Costs some microseconds for every thread of the
    /// tree.
    pub(crate) fn find_descendants(&mut self) {
        let mut unseen = vec![self.root];
        let mut seen = 0;
        while let Some(pid) = unseen.pop() {
            seen += 1;
            if seen > MOST {
                return;
            }
            self.processes.entry(pid).or_insert_with_key(|&pid| Descendant {
                probe: Probe::existing(pid),
                last: Usage::default(),
            });
            let tasks = Process::new(pid).and_then(|process| process.tasks());
            for task in tasks.into_iter().flatten().flatten() {
                let children = task.children().unwrap_or_default();
                unseen.extend(children.into_iter().filter_map(|child| i32::try_from(child).ok()));
            }
        }
    }

    /// The processes that were alive when they were last sampled.
    pub(crate) fn pids(&self) -> impl Iterator<Item = i32> {
        self.processes.keys().copied()
    }

    /// What the tree has used so far. A process that has ended counts with its last known use.
    ///
    /// # Errors
    /// When the root process has ended.
    pub(crate) fn usage(&mut self) -> io::Result<Usage> {
        let mut sum = Usage::default();
        let mut ended = Vec::new();
        for (&pid, process) in &mut self.processes {
            match process.probe.usage() {
                Ok(usage) => {
                    process.last = usage;
                    sum = sum.plus(usage);
                }
                Err(error) if pid == self.root => return Err(error),
                Err(_) => ended.push(pid),
            }
        }
        for process in ended.iter().filter_map(|pid| self.processes.remove(pid)) {
            self.gone = self.gone.plus(process.last);
        }
        Ok(sum.plus(self.gone))
    }

    /// What the tree holds.
    ///
    /// # Errors
    /// When the root process has ended.
    pub(crate) fn holdings(&self) -> io::Result<Holdings> {
        let mut sum = Holdings { descriptors: Some(0), ..Holdings::default() };
        for (&pid, process) in &self.processes {
            match process.probe.holdings() {
                Ok(held) => {
                    sum.resident_bytes += held.resident_bytes;
                    sum.threads += held.threads;
                    sum.descriptors = sum.descriptors.zip(held.descriptors).map(|(all, own)| all + own);
                }
                Err(error) if pid == self.root => return Err(error),
                Err(_) => {}
            }
        }
        Ok(sum)
    }

    /// Resident memory, and the same with shared pages counted by their share, in bytes, counted
    /// page by page.
    ///
    /// # Errors
    /// When the root process has ended, or the kernel does not let us look.
    pub(crate) fn memory(&self) -> io::Result<(u64, u64)> {
        let mut sum = (0, 0);
        for (&pid, process) in &self.processes {
            match process.probe.memory() {
                Ok((resident, proportional)) => sum = (sum.0 + resident, sum.1 + proportional),
                Err(error) if pid == self.root => return Err(error),
                Err(_) => {}
            }
        }
        Ok(sum)
    }

    /// What every living thread of the tree has done so far.
    ///
    /// # Errors
    /// When the root process has ended.
    pub(crate) fn threads(&self) -> io::Result<Threads> {
        let mut all = Threads::default();
        for (&pid, process) in &self.processes {
            match process.probe.threads() {
                Ok(threads) => all.append(threads),
                Err(error) if pid == self.root => return Err(error),
                Err(_) => {}
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn children_count_while_they_live_and_afterwards() {
        // The shell waits for a child that stays busy until it is killed.
        let script = "(while :; do :; done) & echo $!; read line; kill $!; wait $!; echo over; read line";
        let mut shell = Command::new("sh");
        let mut shell =
            shell.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(shell.stdout.take().unwrap()).lines();
        let child: i32 = said.next().unwrap().unwrap().parse().unwrap();
        let mut tree = ProcessTree::new(shell.id()).unwrap();
        assert!(tree.pids().any(|pid| pid == child));
        assert_eq!(tree.holdings().unwrap().threads, 2);
        assert!(tree.holdings().unwrap().descriptors.unwrap() >= 6);
        let (resident, proportional) = tree.memory().unwrap();
        assert!(resident > 0 && proportional > 0 && proportional <= resident);
        let busy = Duration::from_millis(30);
        let start = Instant::now();
        while tree.usage().unwrap().cpu < busy {
            assert!(start.elapsed() < Duration::from_secs(60));
        }
        let mut stdin = shell.stdin.take().unwrap();
        stdin.write_all(b"\n").unwrap();
        assert_eq!(said.next().unwrap().unwrap(), "over");
        assert!(tree.usage().unwrap().cpu >= busy, "the CPU time of the ended child is missing");
        assert_eq!(tree.pids().count(), 1);
        drop(stdin);
        shell.wait().unwrap();
        assert!(tree.usage().is_err());
    }
}
