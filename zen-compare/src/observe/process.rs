//! What a process has used so far, in nanoseconds wherever the kernel counts them.
//!
//! CPU time comes from the scheduler's own clock of the process (`clock_getcpuclockid`), which also
//! holds the time of threads that have ended. The 10 ms ticks of `/proc/PID/stat` would round a
//! conversation to nothing.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use procfs::process::Process;

/// Takes samples of one process.
///
/// ```
/// use zen_compare::Probe;
///
/// let probe = Probe::new(std::process::id())?;
/// let before = probe.cpu()?;
/// # std::hint::black_box((0..100_000_u64).sum::<u64>());
/// println!("{:?} of CPU time", probe.cpu()? - before);
/// if let Ok((resident, proportional)) = probe.memory() {
///     println!("{resident} bytes of memory, of which {proportional} are its share");
/// }
/// assert!(probe.threads().is_ok());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    pid: i32,
    clock: ClockId,
}

/// What processes have used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Usage {
    /// User and system time, from the scheduler's clock.
    pub(crate) cpu: Duration,
    /// User time in ticks.
    pub(crate) user_ticks: u64,
    /// System time in ticks.
    pub(crate) system_ticks: u64,
}

/// What processes hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Holdings {
    pub(crate) resident_bytes: u64,
    pub(crate) threads: usize,
    /// `None` when the kernel does not let us look.
    pub(crate) descriptors: Option<usize>,
}

/// What the threads of a process have done so far.
///
/// ```
/// use std::time::Instant;
/// use zen_compare::Probe;
///
/// let (probe, began) = (Probe::new(std::process::id())?, Instant::now());
/// let before = probe.threads()?;
/// // Something happens.
/// let delta = probe.threads()?.since(&before, began.elapsed());
/// assert!(delta.count >= 1);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Threads(BTreeMap<i32, ThreadActivity>);

/// What one thread has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct ThreadActivity {
    /// Voluntary and involuntary context switches; `None` when the kernel does not count them.
    switches: Option<u64>,
    /// Time on a processor; `None` when the kernel does not report it.
    cpu: Option<Duration>,
}

/// What the threads of a process did between two samples.
///
/// ```
/// use zen_compare::ThreadsDelta;
///
/// /// Context switches for each answer, where they are known.
/// fn per_answer(delta: &ThreadsDelta, answers: u64) -> Option<f64> {
///     Some(delta.switches? as f64 / answers as f64)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThreadsDelta {
    /// Context switches, voluntary and involuntary, of all threads. `None` when threads came or
    /// went in between, because an ended thread's count is lost with it, or when the kernel does
    /// not count.
    pub switches: Option<u64>,
    /// Threads that were on a processor for more than a twentieth of the time between the samples.
    /// `None` when the kernel does not report it.
    pub busy: Option<usize>,
    /// CPU time between the samples, for each thread that was alive at the end and used any, the
    /// busiest first. A thread that was started in between counts with all its time. `None` when
    /// the kernel does not report it. The kernel updates a thread's time when the thread leaves its
    /// processor and at each tick, so the time of a running thread may lag by a tick.
    pub cpu: Option<Vec<Duration>>,
    /// Number of threads at the end.
    pub count: usize,
}

impl Probe {
    /// A probe of the process `pid`.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn new(pid: u32) -> io::Result<Self> {
        let pid = i32::try_from(pid).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(Self { pid, clock: clock_getcpuclockid(Pid::from_raw(pid))? })
    }

    /// User and system time of all threads so far, living and ended. Costs one system call.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn cpu(&self) -> io::Result<Duration> {
        Ok(Duration::from(clock_gettime(self.clock)?))
    }

    /// Resident memory, and the same with each shared page counted by its share (PSS), in bytes.
    /// Counted page by page, because the cheaper counters lag behind.
    ///
    /// # Errors
    /// When the process has ended, or the kernel does not let us look.
    pub fn memory(&self) -> io::Result<(u64, u64)> {
        let rollup =
            Process::new(self.pid).and_then(|process| process.smaps_rollup()).map_err(io::Error::other)?;
        let maps = rollup.memory_map_rollup;
        let sum = |field| maps.iter().filter_map(|map| map.extension.map.get(field)).sum();
        Ok((sum("Rss"), sum("Pss")))
    }

    /// The process's ID.
    pub(crate) fn pid(self) -> i32 {
        self.pid
    }

    /// A probe of a process that is known to have existed. Its methods fail when the process is
    /// gone.
    pub(crate) fn existing(pid: i32) -> Self {
        // A clock that does not exist fails when it is read, as does the clock of an ended process.
        let clock = clock_getcpuclockid(Pid::from_raw(pid)).unwrap_or(ClockId::from_raw(i32::MAX));
        Self { pid, clock }
    }

    /// CPU time so far, and the kernel's ticks, which divide it into user and system time.
    ///
    /// # Errors
    /// When the process has ended.
    pub(crate) fn usage(self) -> io::Result<Usage> {
        let cpu = self.cpu()?;
        let stat = Process::new(self.pid).and_then(|process| process.stat()).map_err(io::Error::other)?;
        Ok(Usage { cpu, user_ticks: stat.utime, system_ticks: stat.stime })
    }

    /// What the process holds, from counters that are cheap to read. The memory counter may lag a
    /// little.
    ///
    /// # Errors
    /// When the process has ended.
    pub(crate) fn holdings(self) -> io::Result<Holdings> {
        let process = Process::new(self.pid).map_err(io::Error::other)?;
        let stat = process.stat().map_err(io::Error::other)?;
        Ok(Holdings {
            resident_bytes: stat.rss * procfs::page_size(),
            threads: usize::try_from(stat.num_threads).unwrap_or(0),
            descriptors: self.descriptors(&process),
        })
    }

    fn descriptors(self, process: &Process) -> Option<usize> {
        // Since Linux 6.2 the directory's size is the number of its entries; before that, it is
        // zero.
        let size = std::fs::metadata(format!("/proc/{}/fd", self.pid)).ok()?.len();
        if size > 0 { usize::try_from(size).ok() } else { process.fd_count().ok() }
    }

    /// What every living thread has done so far. Takes microseconds for each thread.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn threads(&self) -> io::Result<Threads> {
        let process = Process::new(self.pid).map_err(io::Error::other)?;
        let mut threads = BTreeMap::new();
        for task in process.tasks().map_err(io::Error::other)? {
            // A thread that ends while the samples are taken is left out.
            let Ok(task) = task else { continue };
            let Ok(status) = task.status() else { continue };
            let switches = status.voluntary_ctxt_switches.zip(status.nonvoluntary_ctxt_switches);
            let activity = ThreadActivity {
                switches: switches.map(|(voluntary, involuntary)| voluntary + involuntary),
                cpu: task.schedstat().ok().map(|stat| Duration::from_nanos(stat.sum_exec_runtime)),
            };
            threads.insert(task.tid, activity);
        }
        Ok(Threads(threads))
    }
}

impl Usage {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            cpu: self.cpu + other.cpu,
            user_ticks: self.user_ticks + other.user_ticks,
            system_ticks: self.system_ticks + other.system_ticks,
        }
    }

    /// What was used since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            user_ticks: self.user_ticks.saturating_sub(earlier.user_ticks),
            system_ticks: self.system_ticks.saturating_sub(earlier.system_ticks),
        }
    }

    /// The time in user code and in the kernel: the scheduler's sum, divided in proportion to the
    /// ticks. `None` when there are too few ticks to divide by.
    pub(crate) fn split(&self) -> Option<(Duration, Duration)> {
        // With 10 ticks, an error of one in each part moves the boundary by a tenth.
        const ENOUGH: u64 = 10;
        let ticks = self.user_ticks + self.system_ticks;
        if ticks < ENOUGH {
            return None;
        }
        #[allow(clippy::cast_precision_loss, reason = "ticks far below 2^52")]
        let user = self.cpu.mul_f64(self.user_ticks as f64 / ticks as f64);
        Some((user, self.cpu.saturating_sub(user)))
    }
}

impl Threads {
    /// Adds the threads of another process.
    pub(crate) fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// What happened between `earlier` and this sample, which was taken `elapsed` later.
    pub fn since(&self, earlier: &Self, elapsed: Duration) -> ThreadsDelta {
        let same_threads = self.0.keys().eq(earlier.0.keys());
        let switches = self.0.iter().map(|(tid, now)| {
            let before = earlier.0.get(tid)?.switches?;
            Some(now.switches?.saturating_sub(before))
        });
        let cpu = self.0.iter().map(|(tid, now)| {
            let before = earlier.0.get(tid).copied().unwrap_or_default();
            Some(now.cpu?.saturating_sub(before.cpu.unwrap_or_default()))
        });
        let mut cpu: Option<Vec<Duration>> = cpu.collect();
        if let Some(times) = &mut cpu {
            times.retain(|time| !time.is_zero());
            times.sort_unstable_by(|left, right| right.cmp(left));
        }
        ThreadsDelta {
            switches: if same_threads { switches.sum() } else { None },
            busy: cpu.as_ref().map(|times| times.iter().filter(|&&time| time > elapsed / 20).count()),
            cpu,
            count: self.0.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::machine::thread_usage::ThreadUsage;

    fn spin(time: Duration) {
        let until = ThreadUsage::now().cpu + time;
        while ThreadUsage::now().cpu < until {}
    }

    #[test]
    fn work_is_counted_and_sleep_is_not() {
        let probe = Probe::new(std::process::id()).unwrap();
        let before = probe.cpu().unwrap();
        spin(Duration::from_millis(15));
        let after = probe.cpu().unwrap();
        assert!(after >= before + Duration::from_millis(15), "{before:?} {after:?}");
        let thread = ThreadUsage::now().cpu;
        std::thread::sleep(Duration::from_millis(50));
        assert!(ThreadUsage::now().cpu < thread + Duration::from_millis(50));
    }

    #[test]
    fn ended_threads_still_count() {
        let probe = Probe::new(std::process::id()).unwrap();
        let before = probe.cpu().unwrap();
        std::thread::spawn(|| spin(Duration::from_millis(15))).join().unwrap();
        assert!(probe.cpu().unwrap() >= before + Duration::from_millis(15));
    }

    #[test]
    fn sleeping_is_a_context_switch() {
        // A process with one thread, so that no other test's threads come and go in between.
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let probe = Probe::new(child.id()).unwrap();
        let start = Instant::now();
        // The process has to start and fall asleep first.
        while probe.threads().unwrap().since(&Threads::default(), Duration::ZERO).count != 1
            || probe.memory().unwrap().0 == 0
        {
            assert!(start.elapsed() < Duration::from_secs(20));
        }
        let idle = probe.threads().unwrap();
        let delta = idle.since(&idle, Duration::from_millis(1));
        assert_eq!((delta.switches, delta.count), (Some(0), 1));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(probe.cpu().is_err());
        assert!(Probe::new(u32::MAX).is_err());
    }

    #[test]
    fn switches_are_unknown_when_threads_came_or_went() {
        let activity =
            |switches, ms| ThreadActivity { switches: Some(switches), cpu: Some(Duration::from_millis(ms)) };
        let before = Threads(BTreeMap::from([(1, activity(5, 10)), (2, activity(7, 0))]));
        let after = Threads(BTreeMap::from([(1, activity(9, 90)), (2, activity(8, 1))]));
        let second = Duration::from_secs(1);
        let delta = after.since(&before, second);
        let cpu = Some([80, 1].map(Duration::from_millis).to_vec());
        assert_eq!(delta, ThreadsDelta { switches: Some(5), busy: Some(1), cpu: cpu.clone(), count: 2 });
        let other = Threads(BTreeMap::from([(1, activity(9, 90)), (3, activity(8, 1))]));
        assert_eq!(
            other.since(&before, second),
            ThreadsDelta { switches: None, busy: Some(1), cpu, count: 2 }
        );
    }

    #[test]
    fn the_sum_is_divided_as_the_ticks_are() {
        let usage =
            |user_ticks, system_ticks| Usage { cpu: Duration::from_millis(400), user_ticks, system_ticks };
        let ms = Duration::from_millis;
        assert_eq!(usage(10, 30).split(), Some((ms(100), ms(300))));
        assert_eq!(usage(10, 0).split(), Some((ms(400), ms(0))));
        assert_eq!(usage(5, 4).split(), None);
        assert_eq!(
            usage(12, 30).since(&usage(2, 20)),
            Usage { cpu: ms(0), user_ticks: 10, system_ticks: 10 }
        );
    }
}
