//! A server as it is seen from outside: what the system says of its threads.
//!
//! A server that reports no steps is still a process. The scheduler knows when each of its threads
//! ran, when it waited for a CPU, and when it was blocked.

mod switches;
mod tasks;

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use self::switches::Switches;
use self::tasks::{TICK_NS, Task};
use crate::recorder::clocks::{self, Scheduled};
use crate::recording::{Recording, Switch, SwitchKind, Thread};

/// How often the threads are looked at where the system does not tell their switches.
const SAMPLING: Duration = Duration::from_millis(1);
/// How often where it does, to read what it has told and to find new processes.
const READING: Duration = Duration::from_millis(5);

/// What the kernel spends at most on telling one switch, in nanoseconds, on the thread's account: a
/// switch itself takes about a microsecond.
const TELLING_NS: u64 = 1_000;

/// Watches the threads of a process, and those of the processes that it starts.
///
/// Where the system allows, it tells each moment at which a thread got a CPU and lost it
/// (`perf_event_open` with context-switch records; your own processes need no privilege as long as
/// `/proc/sys/kernel/perf_event_paranoid` is 2 or less). Where it does not, the states of the
/// threads are sampled a thousand times a second from `/proc`, and what is shorter than a
/// millisecond is not seen. [`Watched::limits`] says which it was. By how much the CPU time of a
/// thread can be wrong is in [`Thread::cpu_error_ns`]: what the kernel spends on telling its
/// switches (at most 1 µs each), or else the sampling period, and the tick of `/proc` (10 ms) if it
/// was running when it was looked at. Linux only: elsewhere no thread
/// is found.
///
/// ```
/// # #[cfg(target_os = "linux")] {
/// use std::process::Command;
/// use zen_trace::outside::Watch;
///
/// let mut server = Command::new("sleep").arg("0.05").spawn()?;
/// let watch = Watch::start(server.id())?;
/// server.wait()?;
/// let watched = watch.finish();
/// assert!(!watched.threads.is_empty());
/// for limit in &watched.limits {
///     eprintln!("{limit}");
/// }
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Watch {
    stop: Sender<()>,
    watching: JoinHandle<Watched>,
}

/// What was seen of a process.
///
/// ```
/// use zen_trace::Recording;
/// use zen_trace::outside::Watched;
///
/// /// The recording, once it is said what is missing in it.
/// fn complained(watched: Watched) -> Recording {
///     for limit in &watched.limits {
///         eprintln!("{limit}");
///     }
///     watched.into_recording("nginx")
/// }
///
/// /// The same for a server that has recorded its own steps.
/// fn completed(watched: Watched, mut recording: Recording) -> Recording {
///     for limit in watched.add_switches(&mut recording) {
///         eprintln!("{limit}");
///     }
///     recording
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Watched {
    /// All threads, in the order in which they were found. They have no steps.
    pub threads: Vec<Thread>,
    /// What the picture lacks, a sentence each: what the system does not tell, and how it was made
    /// up for. Empty if nothing is missing.
    pub limits: Vec<String>,
}

impl Watched {
    /// A recording of a server of which this is all that is known, except for what its clients saw.
    pub fn into_recording(self, name: impl Into<String>) -> Recording {
        let mut recording = Recording::new(name);
        recording.clock_ns = clocks::resolution_ns();
        recording.threads = self.threads;
        recording
    }
}

impl Watched {
    /// Adds the switches to the threads of a recording that the server itself has made, and returns
    /// the [`limits`](Self::limits).
    pub fn add_switches(self, recording: &mut Recording) -> Vec<String> {
        let switches: HashMap<u32, Vec<Switch>> =
            self.threads.into_iter().map(|thread| (thread.id, thread.switches)).collect();
        for thread in &mut recording.threads {
            // The system may give the number of a thread that has ended to another one.
            let own = thread.started_ns..=thread.ended_ns;
            let known = switches.get(&thread.id).into_iter().flatten();
            thread.switches = known.filter(|switch| own.contains(&switch.wall_ns)).copied().collect();
        }
        self.limits
    }
}

impl Watch {
    /// Begins to watch the process with this number.
    ///
    /// Begin before it has started its threads: what a thread did before is not known.
    ///
    /// # Errors
    /// When no thread can be started to watch it from.
    pub fn start(process: u32) -> std::io::Result<Self> {
        // Before the caller goes on, and the process with it.
        let mut seen = Seen::new(process);
        seen.look();
        Self::begin(seen)
    }

    fn begin(mut seen: Seen) -> std::io::Result<Self> {
        let (stop, stopped) = channel();
        let watching = std::thread::Builder::new().name("watch".to_owned()).spawn(move || {
            while stopped.recv_timeout(seen.pause()) == Err(RecvTimeoutError::Timeout) {
                seen.look();
            }
            seen.look();
            seen.finish()
        })?;
        Ok(Self { stop, watching })
    }

    /// Begins to watch nothing but the scheduler's switches, of a server that records its own
    /// steps. [`Watched::add_switches`] puts them into its recording.
    ///
    /// ```
    /// use zen_trace::outside::Watch;
    ///
    /// match Watch::start_switches(std::process::id()) {
    ///     Ok(watch) => drop(watch.finish()),
    ///     // Not every system tells them to every user.
    ///     Err(why) => eprintln!("{why}"),
    /// }
    /// ```
    ///
    /// # Errors
    /// When the system does not tell them: a line that says why.
    pub fn start_switches(process: u32) -> Result<Self, String> {
        let seen = Seen { only_switches: true, ..Seen::new(process) };
        match &seen.switches {
            Ok(_) => Self::begin(seen).map_err(|error| error.to_string()),
            Err(why) => Err(why.clone()),
        }
    }

    /// Ends, and says what was seen. The process may have ended.
    pub fn finish(self) -> Watched {
        drop(self.stop);
        // A thread that panics has nothing to say; the watching thread calls nothing that does.
        self.watching.join().unwrap_or_default()
    }
}

/// What has been seen so far.
struct Seen {
    process: u32,
    switches: Result<Switches, String>,
    threads: BTreeMap<u32, Seeing>,
    /// In the order in which they were found.
    order: Vec<u32>,
    /// Whether there was a look before this one.
    looked: bool,
    lost: u64,
    no_usage: bool,
    only_switches: bool,
}

/// A thread, and what is needed to go on seeing it.
struct Seeing {
    thread: Thread,
    /// What its CPU time and run delay were when it was found; `None` before it was looked at.
    before: Option<Scheduled>,
    /// The last look that found it.
    looked_ns: u64,
    /// By how much the CPU time that was read can be wrong: at the first look, at the last one, and
    /// after that.
    errors_ns: [u64; 3],
}

impl Seen {
    fn new(process: u32) -> Self {
        Self {
            process,
            switches: Switches::follow(process),
            threads: BTreeMap::new(),
            order: Vec::new(),
            looked: false,
            lost: 0,
            no_usage: false,
            only_switches: false,
        }
    }

    fn pause(&self) -> Duration {
        if self.switches.is_ok() { READING } else { SAMPLING }
    }

    /// Looks at all threads there are, and takes in what the system has told.
    fn look(&mut self) {
        let now = clocks::wall_ns();
        if !self.only_switches {
            for task in tasks::of_processes(self.process) {
                self.take(task, now);
            }
        }
        for seeing in self.threads.values_mut().filter(|seeing| seeing.looked_ns < now) {
            // It has ended since it was seen. What it has computed in between was not read.
            let [_, last, after] = &mut seeing.errors_ns;
            *last = 0;
            if *after == 0 {
                *after = now - seeing.looked_ns;
            }
        }
        self.looked = true;
        if let Ok(switches) = &mut self.switches {
            let (told, lost) = switches.take();
            self.lost += lost;
            for (id, switch) in told {
                let thread = &mut self.find(id, switch.wall_ns, String::new).thread;
                thread.ended_ns = thread.ended_ns.max(switch.wall_ns);
                thread.switches.push(switch);
            }
        }
    }

    fn take(&mut self, task: Task, now: u64) {
        let (sampled, looked) = (self.switches.is_err(), self.looked);
        self.no_usage |= task.usage.is_none();
        let (usage, tick_ns) = match task.usage {
            // Of a thread that does not run just now, it is exact.
            Some(usage) => (usage, if task.runnable { TICK_NS } else { 0 }),
            // Two times that are cut off to whole ticks.
            None => (Scheduled { ran_ns: task.ticks_ns, delayed_ns: 0 }, 2 * TICK_NS),
        };
        let seeing = self.find(task.id, now, || task.name.clone());
        let known = seeing.before.is_some();
        let before = *seeing.before.get_or_insert_with(|| {
            // A thread that did not exist at the first look has used nothing before.
            if looked {
                return Scheduled::default();
            }
            seeing.errors_ns[0] = tick_ns;
            usage
        });
        seeing.errors_ns[1..].copy_from_slice(&[tick_ns, 0]);
        seeing.looked_ns = now;
        let thread = &mut seeing.thread;
        thread.name = task.name;
        thread.ended_ns = thread.ended_ns.max(now);
        let delayed = thread.run_delay_ns.unwrap_or(0);
        thread.cpu_ns = usage.ran_ns.saturating_sub(before.ran_ns);
        if task.usage.is_some() {
            thread.run_delay_ns = Some(usage.delayed_ns.saturating_sub(before.delayed_ns));
        }
        // Where switches are told, only the state in which it was found is not.
        if sampled || !known {
            let waits = thread.run_delay_ns.is_some_and(|now| now > delayed);
            let kind = match (task.runnable, waits) {
                (false, _) => SwitchKind::OutBlocked,
                (true, true) => SwitchKind::OutPreempted,
                (true, false) => SwitchKind::In,
            };
            if thread.switches.last().is_none_or(|last| last.kind != kind) {
                thread.switches.push(Switch { wall_ns: now, kind });
            }
        }
    }

    fn find(&mut self, id: u32, now: u64, name: impl FnOnce() -> String) -> &mut Seeing {
        let order = &mut self.order;
        self.threads.entry(id).or_insert_with(|| {
            order.push(id);
            let thread = Thread::new(id, name(), now, now);
            Seeing { thread, before: None, looked_ns: now, errors_ns: [0; 3] }
        })
    }

    fn finish(mut self) -> Watched {
        let mut limits = Vec::new();
        if let Err(why) = &self.switches {
            limits.push(format!(
                "The system does not tell when threads run ({why}): their states were sampled once a \
                 millisecond, and what is shorter is not shown."
            ));
        }
        if self.lost > 0 {
            limits.push(format!("{} of the scheduler's switches were lost.", self.lost));
        }
        if self.no_usage {
            limits.push(
                "The system has no schedstat: CPU time is counted in ticks of 10 ms, and waiting for a CPU is \
                 not told from being blocked."
                    .to_owned(),
            );
        }
        let all_told = self.switches.is_ok() && self.lost == 0;
        let threads = self.order.iter().filter_map(|id| self.threads.remove(id));
        let threads = threads.map(|seeing| if all_told { seeing.told() } else { seeing.sampled() });
        Watched { threads: threads.collect(), limits }
    }
}

impl Seeing {
    /// The thread, all of whose switches are known: they show what was not read.
    fn told(self) -> Thread {
        let Self { mut thread, errors_ns: [first, ..], .. } = self;
        thread.switches.sort_by_key(|switch| switch.wall_ns);
        // A thread that was found while it was being started is told twice.
        thread.switches.dedup();
        let ends = thread.switches.iter().skip(1).map(|next| next.wall_ns).chain([thread.ended_ns]);
        let stretches = thread.switches.iter().zip(ends).filter(|(from, _)| from.kind == SwitchKind::In);
        let shown: u64 = stretches.map(|(from, to)| to.saturating_sub(from.wall_ns)).sum();
        let telling = TELLING_NS.saturating_mul(thread.switches.len() as u64);
        let (cpu_ns, error_ns) = (thread.cpu_ns.max(shown), first.saturating_add(telling));
        bounded(thread, cpu_ns, error_ns)
    }

    /// The thread, of which only what was read is known.
    fn sampled(self) -> Thread {
        let Self { mut thread, errors_ns, .. } = self;
        thread.switches.sort_by_key(|switch| switch.wall_ns);
        let period = u64::try_from(SAMPLING.as_nanos()).unwrap_or(u64::MAX);
        let error_ns = errors_ns.iter().fold(period, |sum, &error| sum.saturating_add(error));
        let cpu_ns = thread.cpu_ns;
        bounded(thread, cpu_ns, error_ns)
    }
}

/// The thread with this CPU time, which cannot be longer than the thread was there.
fn bounded(mut thread: Thread, cpu_ns: u64, error_ns: u64) -> Thread {
    let most = thread.ended_ns.saturating_sub(thread.started_ns);
    thread.cpu_ns = cpu_ns.min(most);
    thread.cpu_error_ns = error_ns.min(most);
    thread
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
