//! The provenance of the numbers: where, with what and how they were measured, and what they cannot
//! show.

use super::number;
use crate::results::Report;

/// What the lab cannot see, whatever it measured.
pub(super) const BLIND_SPOTS: [(&str, &str); 6] = [
    (
        "Loopback is no network.",
        "Sending on it runs part of the receiver’s work at the sender’s cost, and packets are neither lost nor delayed.",
    ),
    (
        "One machine holds both.",
        "Generator and servers have cores of their own, and share caches, memory and power.",
    ),
    (
        "Other guests are invisible.",
        "On a shared machine they take time away unseen. Interleaved repetitions spread that over all contenders, but \
         cannot remove it.",
    ),
    (
        "The kernel’s memory is not counted.",
        "Socket buffers belong to no process; memory here is what the server itself keeps.",
    ),
    (
        "Unanswered questions count with the time that they have waited.",
        "A question that is open when the window closes has a latency of at least that; how long it would have taken \
         in the end is not known. Read latencies beside the number of clients served.",
    ),
    (
        "A tie is not equality.",
        "It means that these repetitions do not show a difference between two contenders. More of them may.",
    ),
];

/// The machine, the program and the settings, as pairs of a name and a value. Unknown values are
/// left out.
pub(super) fn provenance(report: &Report) -> Vec<(&'static str, String)> {
    let (environment, settings) = (&report.environment, &report.settings);
    let list = |cores: &[usize]| cores.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    #[allow(clippy::cast_precision_loss, reason = "bytes far below 2^52")]
    let memory = environment.memory_bytes.map(|bytes| number::bytes(bytes as f64));
    let yes = |known: bool| if known { "yes" } else { "no" }.to_owned();
    let pinning = match &environment.pinning {
        Some(cores) => format!("servers on {}, generator on {}", list(&cores.server), list(&cores.generator)),
        None => "none: both shared the only core".to_owned(),
    };
    let resumed: Vec<String> = environment.resumed_unix.iter().map(|&unix| number::date(unix)).collect();
    let entries = [
        ("measured", Some(number::date(environment.began_unix))),
        ("resumed", Some(resumed.join(", ")).filter(|resumed| !resumed.is_empty())),
        ("processor", environment.processor.clone()),
        ("cores", Some(environment.cores.to_string())),
        ("pinning", Some(pinning)),
        ("hyper-threads shared", environment.shares_physical_core.map(yes)),
        ("virtual machine", environment.virtual_machine.map(yes)),
        ("machine", environment.machine.clone()),
        ("container", environment.container.clone()),
        ("governor", environment.governor.clone()),
        ("clock", environment.clock_source.clone()),
        ("TCP congestion control", environment.congestion_control.clone()),
        ("memory", memory),
        ("open files", environment.open_files.map(|limit| format!("{limit} for each process"))),
        ("load before", environment.load_average.map(|load| format!("{load:.2}"))),
        ("kernel", environment.kernel.clone()),
        (
            "lab",
            Some(format!(
                "zen-compare {}{}",
                environment.version,
                if environment.debug_build { ", debug build" } else { "" }
            )),
        ),
        (
            "protocol",
            Some(format!(
                "{} interleaved repetitions of {} s after at least {} s of warm-up, seed {}",
                settings.repetitions,
                number::exact(settings.window_s),
                number::exact(settings.warmup_s),
                settings.seed
            )),
        ),
        ("system calls", Some(settings.system_calls.clone()).filter(|how| !how.is_empty())),
        ("questions", Some(settings.questions.clone()).filter(|questions| !questions.is_empty())),
        ("runs", Some(runs(report))),
    ];
    entries.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn runs(report: &Report) -> String {
    let left_out = report.runs.iter().filter(|run| run.is_left_out()).count();
    let invalid = report.runs.iter().filter(|run| !run.is_valid()).count() - left_out;
    let unsteady = report.runs.iter().filter(|run| run.is_valid() && !run.warmed_up).count();
    let mut parts = vec![(report.runs.len() - left_out).to_string()];
    parts.extend((invalid > 0).then(|| format!("{invalid} of them invalid")));
    parts.extend((unsteady > 0).then(|| format!("{unsteady} never steady before their window")));
    parts.join(", ")
}
