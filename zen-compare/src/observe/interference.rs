//! How much of the server's cores others used: what the kernel counted for the cores, minus what
//! the server is known to have used.

use std::fs;
use std::time::Duration;

use crate::results::Interference;

/// How long each core has been used so far, with the core's number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CoreTimes(Vec<(usize, Ticks)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Ticks {
    /// Time in programs, and in the kernel on their behalf. Interrupts are left out: they belong to
    /// the network, and come with the load.
    busy: u64,
    /// Time taken away by the hypervisor.
    stolen: u64,
}

impl CoreTimes {
    /// Reads the counters of these cores. `None` when the kernel does not provide them.
    pub(crate) fn read(cores: &[usize]) -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/stat").ok()?, cores)
    }

    fn parse(stat: &str, cores: &[usize]) -> Option<Self> {
        let line = |core: &usize| {
            let name = format!("cpu{core}");
            let mut fields = stat.lines().map(str::split_ascii_whitespace);
            let fields = fields.find_map(|mut fields| (fields.next()? == name).then_some(fields))?;
            // user nice system idle iowait irq softirq steal
            let ticks: Vec<u64> = fields.map_while(|field| field.parse().ok()).collect();
            let at = |index: usize| ticks.get(index).copied();
            Some((*core, Ticks { busy: at(0)? + at(1)? + at(2)?, stolen: at(7).unwrap_or(0) }))
        };
        Some(Self(cores.iter().map(line).collect::<Option<_>>()?))
    }

    /// What was used since `earlier`, minus `known`, the time that is accounted for. `None` when
    /// the two readings are of different cores, or no time has passed.
    pub(crate) fn interference_since(
        &self,
        earlier: &Self,
        elapsed: Duration,
        known: Duration,
    ) -> Option<Interference> {
        let cores = |times: &Self| times.0.iter().map(|(core, _)| *core).collect::<Vec<_>>();
        let tick =
            1.0 / f64::from(u32::try_from(procfs::ticks_per_second()).ok().filter(|&hertz| hertz > 0)?);
        if cores(self) != cores(earlier) || elapsed.is_zero() {
            return None;
        }
        #[allow(clippy::cast_precision_loss, reason = "ticks far below 2^52")]
        let grown = |of: fn(&Ticks) -> u64| {
            let sum = |times: &Self| times.0.iter().map(|(_, ticks)| of(ticks)).sum::<u64>();
            sum(self).saturating_sub(sum(earlier)) as f64 * tick
        };
        let busy = grown(|ticks| ticks.busy) - known.as_secs_f64();
        // A tick is charged to whatever runs when it falls, so one tick more or less on each core
        // is chance.
        #[allow(clippy::cast_precision_loss, reason = "a number of cores")]
        let chance = self.0.len() as f64 * tick;
        let share = |seconds: f64| ((seconds - chance) / elapsed.as_secs_f64()).max(0.0);
        Some(Interference { other_programs: share(busy), stolen: share(grown(|ticks| ticks.stolen)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_the_server_did_not_use_was_used_by_others() {
        let stat = |user: u32, steal: u32| {
            format!(
                "cpu  9 9 9 9\ncpu0 5 5 5 5 5 5 5 5 0 0\ncpu1 {user} 1 2 1000 0 77 88 {steal} 0 0\nintr 1\n"
            )
        };
        let before = CoreTimes::parse(&stat(100, 0), &[1]).unwrap();
        let after = CoreTimes::parse(&stat(161, 11), &[1]).unwrap();
        let second = Duration::from_secs(1);
        // 0.61 s were used, 0.5 s by the server; one tick of 0.01 s is chance.
        let interference = after.interference_since(&before, second, second / 2).unwrap();
        assert!(
            (interference.other_programs - 0.1).abs() < 1e-9 && (interference.stolen - 0.1).abs() < 1e-9,
            "{interference:?}"
        );
        let quiet = after.interference_since(&before, second, second).unwrap();
        assert_eq!(quiet.other_programs, 0.0);
        assert_eq!(CoreTimes::parse(&stat(1, 1), &[2]), None);
        assert_eq!(CoreTimes::default().interference_since(&before, second, second), None);
        assert_eq!(after.interference_since(&before, Duration::ZERO, second), None);
    }

    #[test]
    fn this_machine_counts_the_time_of_its_cores() {
        let core = crate::machine::pin::allowed().unwrap()[0];
        assert!(CoreTimes::read(&[core]).is_some());
    }
}
