//! The threads of a process and of its descendants, as `/proc` shows them.

use std::fs;

use crate::recorder::clocks::Scheduled;

/// A thread, at the moment of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) id: u32,
    pub(super) name: String,
    /// Whether it runs or could run.
    pub(super) runnable: bool,
    /// `None` where the system has no `schedstat`.
    pub(super) usage: Option<Scheduled>,
    /// How long it has run, in whole ticks.
    pub(super) ticks_ns: u64,
}

/// A tick of the times in `/proc/…/stat`, which are counted in hundredths of a second whatever the
/// kernel's own tick is.
pub(super) const TICK_NS: u64 = 10_000_000;

/// All threads of a process and of the processes that it has started. What ends during the look is
/// left out.
pub(super) fn of_processes(process: u32) -> Vec<Task> {
    let (mut tasks, mut processes) = (Vec::new(), vec![process]);
    while let Some(process) = processes.pop() {
        let Ok(entries) = fs::read_dir(format!("/proc/{process}/task")) else { continue };
        for id in entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
            let folder = format!("/proc/{process}/task/{id}");
            tasks.extend(task(&folder, id));
            // A kernel without this file tells of no descendants.
            let children = fs::read_to_string(format!("{folder}/children")).unwrap_or_default();
            processes.extend(children.split_ascii_whitespace().filter_map(|id| id.parse::<u32>().ok()));
        }
    }
    tasks
}

fn task(folder: &str, id: u32) -> Option<Task> {
    let stat = fs::read_to_string(format!("{folder}/stat")).ok()?;
    // The name is in parentheses, and may hold any of them itself.
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
    // The state is the third field; the 14th and the 15th are the times in the program and in the
    // system.
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3).and_then(|text| text.parse().ok()).unwrap_or(0_u64);
    Some(Task {
        id,
        name: name.to_owned(),
        runnable: fields.first() == Some(&"R"),
        usage: Scheduled::read(folder),
        ticks_ns: (ticks(14) + ticks(15)).saturating_mul(TICK_NS),
    })
}
