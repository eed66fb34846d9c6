//! Traces as Perfetto's own message classes read them.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use zen_server::Step;

use crate::phases::tests::{page, recording, thread};
use crate::recording::{ClientSpan, ClientSpanKind, Conversation, Recording, Switch, SwitchKind, Trace};

/// A Python with the package `perfetto`, which `.ci/run` installs. Says so if there is none.
fn python() -> Option<Command> {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/python/bin/python3");
    for program in [installed.as_os_str(), "python3".as_ref()] {
        let mut check = Command::new(program);
        check.args(["-c", "import perfetto.protos.perfetto.trace.perfetto_trace_pb2"]);
        if check.stdin(Stdio::null()).output().is_ok_and(|output| output.status.success()) {
            return Some(Command::new(program));
        }
    }
    let required = std::env::var_os("ZEN_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(!required, "PyPI's perfetto not found, although ZEN_REQUIRE_PEERS=1 requires it");
    // Not `eprintln!`, which the harness captures.
    let _ = writeln!(io::stderr(), "skipped: PyPI's perfetto not found");
    None
}

/// What `check.py` says of a trace with these servers; `None` without Python.
fn check(name: &str, servers: Vec<Recording>) -> Option<String> {
    let mut python = python()?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let file = folder.join(format!("zen-trace-test-{name}-{}.pftrace", std::process::id()));
    Trace::new(servers).write_perfetto(std::fs::File::create(&file).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/perfetto/check.py");
    let output = python.arg(script).arg(&file).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

#[test]
fn the_page_is_a_valid_trace() {
    let Some(said) = check("page", vec![page()]) else { return };
    // The tracks are the server, its thread, all conversations and the only one. The slices are 25
    // steps and the visit around them, 32 phases and the conversation around those.
    assert_eq!(said, "4 tracks, 59 slices, 3 flows of which 3 end, 0 switches");
}

#[test]
fn servers_share_a_trace_and_switches_are_scheduler_tracks() {
    let mut first = page();
    let switch = |us: u64, kind| Switch { wall_ns: us * 1_000, kind };
    first.threads[0].switches = vec![
        switch(10, SwitchKind::OutBlocked),
        switch(5_000, SwitchKind::In),
        switch(5_050, SwitchKind::OutPreempted),
        switch(5_060, SwitchKind::In),
        switch(5_070, SwitchKind::In),
        switch(6_000, SwitchKind::OutBlocked),
    ];
    let mut second = page();
    second.threads[0].id = 20;
    second.threads.push(thread(21, 100_000, 0, &[(7, 0, 0, Step::Idle), (7, 0, 1, Step::Writing)]));
    let mut waiting = Conversation::new(9);
    let (from_ns, to_ns) = (1_000_000, 90_000_000);
    waiting.client_spans = vec![ClientSpan { from_ns, to_ns, kind: ClientSpanKind::Waiting }];
    second.conversations.push(waiting);
    let Some(said) = check("servers", vec![first, second]) else { return };
    assert!(
        said.starts_with("10 tracks, ") && said.ends_with("6 flows of which 6 end, 5 switches"),
        "{said}"
    );
}

#[test]
fn a_server_that_ended_at_any_step_leaves_a_valid_trace() {
    if python().is_none() {
        return;
    }
    // In the middle of the second question: nothing yet, read, answered, written.
    for (steps, flows) in [
        (0, "0 flows of which 0"),
        (11, "1 flows of which 1"),
        (13, "2 flows of which 1"),
        (15, "2 flows of which 2"),
    ] {
        let mut cut = page();
        cut.threads[0].steps.truncate(steps);
        let said = check(&format!("cut-{steps}"), vec![cut]).unwrap();
        assert!(said.contains(flows), "after {steps} steps: {said}");
    }
    check("nothing", vec![recording(vec![])]);
}

#[test]
fn a_writer_that_fails_is_reported_and_has_got_whole_packets() {
    /// Takes so many pieces, and then is closed.
    struct Pipe(Vec<usize>, usize);
    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0.len() == self.1 {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.0.push(bytes.len());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut whole = Vec::new();
    Trace::new(vec![page()]).write_perfetto(&mut whole).unwrap();
    let mut pipe = Pipe(Vec::new(), 9);
    let error = Trace::new(vec![page()]).write_perfetto(&mut pipe).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    let got: usize = pipe.0.iter().sum();
    assert_eq!(whole[got], 0x0a, "the next packet would have begun here");
}
