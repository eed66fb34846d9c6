//! Where and how the numbers were measured, which has to travel with them.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::pin::Cores;

/// The machine, its state, and the program that measured. What the machine does not report is
/// `None`.
///
/// ```
/// use zen_compare::Environment;
///
/// let environment = Environment::current(None);
/// assert!(environment.cores >= 1);
/// let again = Environment::current(None);
/// assert!(environment.differences(&again).is_empty(), "it is this very machine");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Environment {
    /// Seconds since 1970 when the comparison began.
    pub began_unix: u64,
    /// Seconds since 1970 at which an interrupted comparison was resumed.
    pub resumed_unix: Vec<u64>,
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
    /// Whether a hypervisor is visible: other guests may then take time away unseen.
    pub virtual_machine: Option<bool>,
    /// What the machine calls itself, where that tells which hypervisor or model it is.
    pub machine: Option<String>,
    /// The kind of container that this runs in, as far as it can be detected.
    pub container: Option<String>,
    /// The kernel's source of time. Anything but `tsc`, `arch_sys_counter` or `kvm-clock` makes
    /// reading the clock expensive.
    pub clock_source: Option<String>,
    /// The congestion control of the kernel's TCP, such as `cubic`: it decides when to send, on
    /// loopback too. One that paces, as `bbr` does, costs every question some percent. `None` also
    /// in reports that were made before this was recorded.
    #[serde(default)]
    pub congestion_control: Option<String>,
    /// Cores that this process may use.
    pub cores: usize,
    /// Which cores the server and the generator had; `None` when both shared the only one.
    pub pinning: Option<Cores>,
    /// Whether a core of the server and a core of the generator are two threads of the same
    /// physical core, and so slow each other down.
    pub shares_physical_core: Option<bool>,
    /// How the kernel picks the clock speed.
    pub governor: Option<String>,
    /// How many descriptors a process may have.
    pub open_files: Option<u64>,
    /// Bytes of main memory.
    pub memory_bytes: Option<u64>,
    /// How many tasks wanted to run when the comparison began, averaged over a minute. Above about
    /// a quarter, the machine has other things to do.
    pub load_average: Option<f64>,
}

impl Environment {
    /// Reads all of this from the machine.
    pub fn current(pinning: Option<&Cores>) -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Self {
            began_unix: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            resumed_unix: Vec::new(),
            command_line: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
            version: env!("CARGO_PKG_VERSION").into(),
            debug_build: cfg!(debug_assertions),
            kernel: kernel(),
            processor: cpu_field(&info, "model name"),
            virtual_machine: cpu_field(&info, "flags")
                .map(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
            machine: machine(),
            container: container(),
            clock_source: line("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
            congestion_control: line("/proc/sys/net/ipv4/tcp_congestion_control"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            pinning: pinning.cloned(),
            shares_physical_core: pinning.and_then(shares_physical_core),
            governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            open_files: open_files(),
            memory_bytes: memory_bytes(),
            load_average: line("/proc/loadavg").and_then(|line| line.split(' ').next()?.parse().ok()),
        }
    }
}

impl Environment {
    /// The differences because of which this environment's figures do not compare with those of
    /// `here`, as `what: X there, Y here`. Empty when it is the same machine with the same program
    /// in the same state, as far as can be told.
    pub fn differences(&self, here: &Self) -> Vec<String> {
        let said = |value: Option<&str>| value.unwrap_or("unknown").to_owned();
        let number = |value: Option<u64>| value.map_or_else(|| "unknown".into(), |value| value.to_string());
        let cores = |environment: &Self| match &environment.pinning {
            Some(Cores { server, generator }) => format!("server on {server:?}, generator on {generator:?}"),
            None => "all on one".to_owned(),
        };
        let build = |environment: &Self| {
            let kind = if environment.debug_build { "debug" } else { "release" };
            format!("{} ({kind})", environment.version)
        };
        // Reports that were made before this was recorded do not differ by it.
        let congestion =
            self.congestion_control.clone().zip(here.congestion_control.clone()).unwrap_or_default();
        let pairs = [
            ("processor", said(self.processor.as_deref()), said(here.processor.as_deref())),
            ("machine", said(self.machine.as_deref()), said(here.machine.as_deref())),
            ("kernel", said(self.kernel.as_deref()), said(here.kernel.as_deref())),
            ("memory", number(self.memory_bytes), number(here.memory_bytes)),
            ("cores", cores(self), cores(here)),
            ("governor", said(self.governor.as_deref()), said(here.governor.as_deref())),
            ("TCP congestion control", congestion.0, congestion.1),
            ("lab", build(self), build(here)),
        ];
        let differ = pairs.into_iter().filter(|(_, there, here)| there != here);
        differ.map(|(what, there, here)| format!("{what}: {there} there, {here} here")).collect()
    }
}

fn machine() -> Option<String> {
    let names = ["sys_vendor", "product_name"].map(|name| line(&format!("/sys/class/dmi/id/{name}")));
    let names: Vec<String> = names.into_iter().flatten().filter(|name| !name.is_empty()).collect();
    (!names.is_empty()).then(|| names.join(" "))
}

fn container() -> Option<String> {
    let told = line("/run/systemd/container").filter(|kind| !kind.is_empty());
    told.or_else(|| fs::exists("/.dockerenv").unwrap_or(false).then(|| "docker".into()))
}

fn open_files() -> Option<u64> {
    use nix::sys::resource::{Resource, getrlimit};
    getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(now, _)| now)
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
        assert!(environment.kernel.as_ref().is_some_and(|kernel| kernel.starts_with("Linux ")));
        assert!(environment.memory_bytes.is_some_and(|bytes| bytes > 1 << 20));
        assert!(!environment.command_line.is_empty());
        assert!(environment.open_files.is_some_and(|limit| limit > 3));
        assert!(environment.differences(&environment).is_empty());
        let other = Environment { governor: Some("powersave".into()), ..environment.clone() };
        let found = environment.differences(&other);
        assert!(found.len() == 1 && found[0].ends_with("powersave here"), "{found:?}");
        let tcp = |name: &str| Environment { congestion_control: Some(name.into()), ..environment.clone() };
        let found = tcp("cubic").differences(&tcp("bbr"));
        assert_eq!(found, ["TCP congestion control: cubic there, bbr here"]);
        let older = Environment { congestion_control: None, ..environment.clone() };
        assert!(
            older.differences(&tcp("bbr")).is_empty(),
            "a field that an older report lacks is no difference"
        );
    }
}
