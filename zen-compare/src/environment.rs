//! Where and how the numbers were taken: what has to travel with them.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::pin::Cores;

/// The machine, its state, and the program that measured. What the machine does not tell is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Seconds since 1970 when the comparison began.
    pub began_unix: u64,
    /// The program's arguments, the program included.
    pub command_line: Vec<String>,
    /// Version of the lab.
    pub version: String,
    /// Whether the lab was built without optimisation; its numbers are then of no use.
    pub debug_build: bool,
    /// The kernel's name, release and version.
    pub kernel: Option<String>,
    /// The processor's name.
    pub processor: Option<String>,
    /// Whether a hypervisor shows through: other guests may take time away unseen.
    pub virtual_machine: Option<bool>,
    /// Cores that this process may use.
    pub cores: usize,
    /// Which cores the server and the generator had; `None` when both shared the only one.
    pub pinning: Option<Cores>,
    /// Whether a core of the server and a core of the generator are two threads of the same physical core, and so
    /// slow each other down.
    pub shares_physical_core: Option<bool>,
    /// How the kernel picks the clock speed.
    pub governor: Option<String>,
    /// Bytes of main memory.
    pub memory_bytes: Option<u64>,
    /// How many tasks wanted to run when the comparison began, averaged over a minute. Anything above about
    /// a quarter is a machine with other things to do.
    pub load_average: Option<f64>,
}

impl Environment {
    /// Asks the machine.
    pub fn current(pinning: Option<&Cores>) -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Self {
            began_unix: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            command_line: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
            version: env!("CARGO_PKG_VERSION").into(),
            debug_build: cfg!(debug_assertions),
            kernel: kernel(),
            processor: cpu_field(&info, "model name"),
            virtual_machine: cpu_field(&info, "flags")
                .map(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            pinning: pinning.cloned(),
            shares_physical_core: pinning.and_then(shares_physical_core),
            governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            memory_bytes: memory_bytes(),
            load_average: line("/proc/loadavg").and_then(|line| line.split(' ').next()?.parse().ok()),
        }
    }
}

fn line(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

fn kernel() -> Option<String> {
    let names = nix::sys::utsname::uname().ok()?;
    let parts = [names.sysname(), names.release(), names.version(), names.machine()];
    Some(parts.map(|part| part.to_string_lossy().into_owned()).join(" "))
}

fn cpu_field(info: &str, name: &str) -> Option<String> {
    let mut fields = info.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(field, _)| field.trim() == name).map(|(_, value)| value.trim().to_owned())
}

fn memory_bytes() -> Option<u64> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let kib: u64 = cpu_field(&info, "MemTotal")?.strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

fn shares_physical_core(cores: &Cores) -> Option<bool> {
    let siblings =
        |core: &usize| line(&format!("/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list"));
    // Siblings have the same list.
    let server: Vec<String> = cores.server.iter().map(siblings).collect::<Option<_>>()?;
    // The generator has one thread, which may be on any of its cores.
    let generator: Vec<String> = cores.generator.iter().map(siblings).collect::<Option<_>>()?;
    Some(server.iter().any(|list| generator.contains(list)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let info = "model\t\t: 1\nmodel name\t: A: Processor\nflags\t: fpu hypervisor\n";
        assert_eq!(cpu_field(info, "model name").as_deref(), Some("A: Processor"));
        assert_eq!(cpu_field(info, "name"), None);
    }

    #[test]
    fn this_machine_is_described() {
        let environment = Environment::current(None);
        assert!(environment.cores >= 1);
        assert!(environment.kernel.is_some_and(|kernel| kernel.starts_with("Linux ")));
        assert!(environment.memory_bytes.is_some_and(|bytes| bytes > 1 << 20));
        assert!(!environment.command_line.is_empty());
    }
}
