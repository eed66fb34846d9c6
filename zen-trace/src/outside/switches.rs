//! The scheduler's switches of a process's threads, as the kernel records them for us.

#[cfg(target_os = "linux")]
pub(super) use self::linux::Switches;
#[cfg(not(target_os = "linux"))]
pub(super) use self::none::Switches;

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::HashSet;
    use std::fs;
    use std::io;

    use perf_event::events::Software;
    use perf_event::{Builder, Clock, SampleFlag, Sampler};

    use crate::recording::{Switch, SwitchKind};

    /// How often the threads are looked for.
    const LOOKS: usize = 3;

    /// The error number of a thread that does not exist.
    const ESRCH: i32 = 3;

    /// The size of a CPU's ring buffer: some 6500 switches.
    const RING: usize = 256 * 1024;

    /// A ring buffer for each CPU, into which the kernel writes the switches.
    pub(in super::super) struct Switches {
        rings: Vec<Sampler>,
    }

    impl Switches {
        /// The switches of all threads of the process from now on, and of all that they start. The
        /// error says why there are none.
        pub(in super::super) fn follow(process: u32) -> Result<Self, String> {
            let cpus = online().ok_or("the CPUs are not listed in /sys")?;
            let (mut rings, mut followed) = (Vec::new(), HashSet::new());
            // A thread that is followed passes that on to those that it starts. One that is started
            // in the meantime may have been missed.
            for _ in 0..LOOKS {
                let new: Vec<i32> = threads(process).into_iter().filter(|id| followed.insert(*id)).collect();
                for thread in new {
                    for &cpu in &cpus {
                        match ring(thread, cpu) {
                            Ok(ring) => rings.push(ring),
                            // The thread has ended.
                            Err(error) if error.raw_os_error() == Some(ESRCH) => {}
                            Err(error) => return Err(explain(&error)),
                        }
                    }
                }
            }
            if rings.is_empty() { Err("the process has ended".to_owned()) } else { Ok(Self { rings }) }
        }

        /// The switches since the last call, each with its thread, and how many were lost. Those of
        /// one CPU are in the order of time.
        pub(in super::super) fn take(&mut self) -> (Vec<(u32, Switch)>, u64) {
            let (mut switches, mut lost) = (Vec::new(), 0);
            for ring in &mut self.rings {
                while let Some(record) = ring.next_record() {
                    let (kind, misc, data) = (record.ty(), record.misc(), record.to_vec());
                    if kind == PERF_RECORD_SWITCH {
                        switches.extend(read(misc, &data));
                    } else if kind == PERF_RECORD_LOST {
                        // The number of the event, then how many records had no room.
                        lost += number(&data, 8).map_or(1, u64::from_ne_bytes);
                    }
                }
            }
            (switches, lost)
        }
    }

    // From the kernel's `perf_event.h`.
    const PERF_RECORD_LOST: u32 = 2;
    const PERF_RECORD_SWITCH: u32 = 14;
    const PERF_RECORD_MISC_SWITCH_OUT: u16 = 1 << 13;
    const PERF_RECORD_MISC_SWITCH_OUT_PREEMPT: u16 = 1 << 14;

    fn ring(thread: i32, cpu: usize) -> io::Result<Sampler> {
        Builder::new(Software::DUMMY)
            .observe_pid(thread)
            .one_cpu(cpu)
            .inherit(true)
            .context_switch(true)
            .exclude_kernel(true)
            .exclude_hv(true)
            .sample(SampleFlag::TID | SampleFlag::TIME)
            .sample_id_all(true)
            .clockid(Clock::MONOTONIC)
            .enabled(true)
            .build()?
            .sampled(RING)
    }

    /// A switch's record ends with its process and thread, four bytes each, and its moment.
    fn read(misc: u16, data: &[u8]) -> Option<(u32, Switch)> {
        let id = data.len().checked_sub(16)?;
        let thread = u32::from_ne_bytes(number(data, id + 4)?);
        let wall_ns = u64::from_ne_bytes(number(data, id + 8)?);
        let kind = if misc & PERF_RECORD_MISC_SWITCH_OUT == 0 {
            SwitchKind::In
        } else if misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT != 0 {
            SwitchKind::OutPreempted
        } else {
            SwitchKind::OutBlocked
        };
        Some((thread, Switch { wall_ns, kind }))
    }

    fn number<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
        data.get(at..at + N)?.try_into().ok()
    }

    fn threads(process: u32) -> Vec<i32> {
        let Ok(entries) = fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    }

    /// The CPUs that are online: ranges such as `0-3,8`.
    fn online() -> Option<Vec<usize>> {
        let text = fs::read_to_string("/sys/devices/system/cpu/online").ok()?;
        let mut cpus = Vec::new();
        for range in text.trim().split(',') {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            cpus.extend(first.parse::<usize>().ok()?..=last.parse().ok()?);
        }
        Some(cpus)
    }

    fn explain(error: &io::Error) -> String {
        match error.kind() {
            io::ErrorKind::PermissionDenied => {
                let level = fs::read_to_string("/proc/sys/kernel/perf_event_paranoid").unwrap_or_default();
                let level = level.trim();
                format!("perf_event_open is not allowed; kernel.perf_event_paranoid is {level}")
            }
            _ => format!("perf_event_open: {error}"),
        }
    }
}

/// No other system tells them.
#[cfg(not(target_os = "linux"))]
mod none {
    use crate::recording::Switch;

    pub(in super::super) struct Switches;

    impl Switches {
        pub(in super::super) fn follow(_process: u32) -> Result<Self, String> {
            Err("only Linux does".to_owned())
        }

        pub(in super::super) fn take(&mut self) -> (Vec<(u32, Switch)>, u64) {
            (Vec::new(), 0)
        }
    }
}
