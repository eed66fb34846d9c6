//! Processes whose threads do something known.

use std::io;
use std::process::{Child, Command};

use super::*;

fn shell(script: &str) -> io::Result<Child> {
    Command::new("sh").args(["-c", script]).spawn()
}

fn watch(script: &str) -> io::Result<Watched> {
    let mut child = shell(script)?;
    let watch = Watch::start(child.id())?;
    child.wait()?;
    Ok(watch.finish())
}

fn shares(thread: &Thread) -> (u64, u64) {
    (thread.cpu_ns, thread.ended_ns - thread.started_ns)
}

#[test]
fn a_sleeper_is_blocked_for_nearly_all_of_its_time() {
    let watched = watch("exec sleep 0.3").unwrap();
    let (cpu, wall) = shares(&watched.threads[0]);
    assert!(wall > 200_000_000, "{watched:?}");
    assert!(cpu < wall / 2, "{watched:?}");
    assert!(
        watched.threads[0].switches.iter().any(|switch| switch.kind == SwitchKind::OutBlocked),
        "{watched:?}"
    );
}

#[test]
fn a_process_that_computes_is_charged_for_it() {
    let watched = watch("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done").unwrap();
    let thread = &watched.threads[0];
    let waited = thread.run_delay_ns.unwrap_or(0);
    let (cpu, wall) = shares(thread);
    // What it did not compute, it waited for a CPU: it never blocks.
    assert!(cpu + waited > wall / 2, "{cpu} + {waited} of {wall}: {:?}", watched.limits);
}

#[test]
fn processes_that_it_starts_are_watched_as_well() {
    let watched = watch("sleep 0.2 & sleep 0.2 & wait").unwrap();
    assert!(watched.threads.len() >= 3, "{:?}", watched.threads.len());
}

#[test]
fn a_process_that_is_gone_leaves_nothing() {
    let mut child = shell("exit 0").unwrap();
    child.wait().unwrap();
    let watched = Watch::start(child.id()).unwrap().finish();
    assert_eq!(watched.threads, []);
    assert!(!watched.limits.is_empty());
}

#[test]
fn without_switches_states_are_sampled() {
    let mut child = shell("sleep 0.2").unwrap();
    let mut seen = Seen::new(child.id());
    seen.switches = Err("for the test".to_owned());
    let mut looks = 0;
    while child.try_wait().unwrap().is_none() {
        seen.look();
        looks += 1;
        std::thread::sleep(SAMPLING);
    }
    let watched = seen.finish();
    assert!(looks > 10 && watched.threads[0].switches.len() < looks, "only what changes is noted");
    assert!(watched.threads[0].switches.iter().any(|switch| switch.kind == SwitchKind::OutBlocked));
    assert!(watched.limits[0].contains("for the test"), "{:?}", watched.limits);
    // What is read of a sleeper is exact; what it did after the last look is not known.
    assert!(watched.threads[0].cpu_error_ns >= 1_000_000, "{:?}", watched.threads[0].cpu_error_ns);
}

fn task(runnable: bool, ran_ns: u64, usage: bool) -> Task {
    let usage = usage.then_some(Scheduled { ran_ns, delayed_ns: 0 });
    Task { id: 7, name: "x".into(), runnable, usage, ticks_ns: ran_ns / TICK_NS * TICK_NS }
}

/// A thread that was seen in these tasks, a second apart.
fn seen_in(tasks: impl IntoIterator<Item = Task>) -> Thread {
    // No process has this number.
    let mut seen = Seen::new(u32::MAX);
    assert!(seen.switches.is_err());
    for (second, task) in (1..).zip(tasks) {
        seen.take(task, second * 1_000_000_000);
        seen.looked = true;
    }
    seen.finish().threads.remove(0)
}

#[test]
fn the_cpu_time_of_a_thread_that_runs_may_be_a_tick_old() {
    let error_ms = |tasks: [Task; 2]| seen_in(tasks).cpu_error_ns / 1_000_000;
    assert_eq!(error_ms([task(false, 0, true), task(false, 50_000_000, true)]), 1, "the sampling period");
    assert_eq!(error_ms([task(false, 0, true), task(true, 50_000_000, true)]), 11);
    assert_eq!(error_ms([task(true, 0, true), task(true, 50_000_000, true)]), 21);
    // Without schedstat, both times are in whole ticks, that in the program and that in the system.
    assert_eq!(error_ms([task(false, 0, false), task(false, 50_000_000, false)]), 41);
    assert_eq!(seen_in([task(false, 0, false), task(false, 55_000_000, false)]).cpu_ns, 50_000_000);
}

#[test]
fn a_state_that_was_sampled_is_no_cpu_time() {
    let thread = seen_in([task(true, 0, true), task(false, 3_000_000, true), task(false, 3_000_000, true)]);
    assert_eq!(thread.switches.len(), 2, "it was seen running for a second");
    assert_eq!(thread.cpu_ns, 3_000_000);
}
