//! Lets tasks that share a core finish their work before the other one runs.

use std::io;
use std::marker::PhantomData;
use std::process::{Command, Stdio};

use nix::unistd::{Pid, gettid};
use procfs::process::Process;

/// The scheduling policies as the kernel numbers them; see sched(7).
const OTHER: u32 = 0;
const BATCH: u32 = 3;

/// Puts the calling thread under the kernel's batch scheduling (`SCHED_BATCH`, see sched(7)), and
/// ends that when dropped. Threads and processes that it starts meanwhile are scheduled in the same
/// way.
///
/// Such a task does not interrupt another when it becomes ready: it gets its turn when the other
/// waits, or has used up its time. So two of them on one core take turns at whole batches of work,
/// and neither pays for the other's haste.
///
/// No safe library offers the system call, so the program `chrt` makes it.
#[derive(Debug)]
pub(crate) struct Batch {
    thread: Pid,
    /// The policy belongs to a thread, so the guard must not be sent to another.
    _stays: PhantomData<*const ()>,
}

impl Batch {
    /// # Errors
    /// When `chrt` is missing, when it is not allowed to change the policy, and when the thread
    /// already has a policy of its own.
    pub(crate) fn begin() -> io::Result<Self> {
        let thread = gettid();
        match policy(thread)? {
            OTHER => chrt("-b", thread)?,
            own => {
                return Err(io::Error::other(format!("this thread has the scheduling policy {own} already")));
            }
        }
        match policy(thread)? {
            BATCH => Ok(Self { thread, _stays: PhantomData }),
            _ => Err(io::Error::other("batch scheduling is not allowed here")),
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // A process that may choose one policy may choose the other. If it fails all the same,
        // batch scheduling does no harm.
        let _ = chrt("-o", self.thread);
    }
}

fn chrt(policy: &str, thread: Pid) -> io::Result<()> {
    let mut command = Command::new("chrt");
    // Neither policy has priorities, so the priority is 0.
    command.args([policy, "-p", "0"]).arg(thread.to_string());
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(io::Error::other(format!("chrt failed ({status})"))),
        Err(error) => Err(io::Error::new(error.kind(), format!("chrt cannot be run: {error}"))),
    }
}

fn policy(thread: Pid) -> io::Result<u32> {
    let stat = || Process::myself()?.task_from_tid(thread.as_raw())?.stat();
    let policy = stat().map_err(io::Error::other)?.policy;
    policy.ok_or_else(|| io::Error::other("the kernel does not tell the scheduling policy"))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use zen_testkit::peers;

    use super::*;

    #[test]
    fn what_a_thread_starts_is_scheduled_in_batches_too() {
        if peers::require_program("chrt").is_none() {
            return;
        }
        let own = || policy(gettid()).unwrap();
        thread::spawn(move || {
            let batch = Batch::begin().unwrap();
            assert_eq!(own(), BATCH);
            assert!(Batch::begin().is_err());
            assert_eq!(thread::spawn(own).join().unwrap(), BATCH);
            let child = Command::new("cat").arg("/proc/self/stat").output().unwrap();
            let child = String::from_utf8(child.stdout).unwrap();
            // The policy is the 41st field, and the 39th after the name; see proc(5).
            assert_eq!(child.rsplit(')').next().unwrap().split_whitespace().nth(38), Some("3"), "{child}");
            drop(batch);
            assert_eq!(own(), OTHER);
        })
        .join()
        .unwrap();
    }
}
