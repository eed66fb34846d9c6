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
}
