//! What a full buffer lost is said in everything that is made of a recording.

// Tests say what they expect by panicking.
#![allow(clippy::unwrap_used)]

use zen_server::{Observer, Step};
use zen_trace::{Recorder, Sums, Terminal, Trace};

/// An output's name, how it is made, and what it must say.
type Output<'a> = (&'a str, &'a dyn Fn(&Trace) -> String, &'a str);

/// A trace of a thread that has taken so many steps more than there was room for.
fn trace(more: usize) -> Trace {
    // The recorder rounds its room up.
    let recorder = Recorder::new(1);
    let mut steps = 0;
    while recorder.recording("full").threads.iter().all(|thread| thread.lost == 0) {
        recorder.step(Step::Idle);
        steps += 1;
    }
    recorder.take("full");
    // The last one was lost.
    for _ in 1..steps + more {
        recorder.step(Step::Idle);
    }
    Trace::new(vec![recorder.recording("full")])
}

#[test]
fn every_output_says_what_was_lost() {
    let (full, whole) = (trace(7), trace(0));
    assert_eq!((full.servers[0].threads[0].lost, whole.servers[0].threads[0].lost), (7, 0));
    let terminal = Terminal::new(100);
    let json = |trace: &Trace| {
        let mut bytes = Vec::new();
        trace.write_json(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    let perfetto = |trace: &Trace| {
        let mut bytes = Vec::new();
        trace.write_perfetto(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let outputs: [Output<'_>; 7] = [
        ("listing", &|trace| trace.servers[0].to_listing(terminal), "7 steps of"),
        ("time line", &|trace| trace.to_time_line(terminal), "7 steps are lost"),
        ("table", &|trace| Sums::new(trace).to_table(terminal), "7 steps are lost"),
        ("sums", &|trace| Sums::new(trace).to_json(), "\"lost\": 7"),
        ("steps.json", &json, "\"lost\":7"),
        ("trace.pftrace", &perfetto, "7 steps are lost"),
        ("timeline.html", &|trace| trace.to_html(), "7 steps are lost"),
    ];
    for (name, output, says) in outputs {
        let (full, whole) = (output(&full), output(&whole));
        assert!(full.contains(says), "{name} does not say so: {full}");
        assert!(!whole.contains(says), "{name} says so without a reason: {whole}");
    }
}
