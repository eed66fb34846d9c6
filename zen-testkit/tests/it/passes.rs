//! A correct server passes, whatever its limits and however many clients connect at once.

use std::time::Duration;

use zen_testkit::{Expectations, zen_deadlines, zen_suite};

use crate::reference::{Flaw, Limits, Reference};

#[test]
fn the_reference_server_passes_one_at_a_time() {
    let server = Reference::start(Flaw::None, Limits::default());
    let report = zen_suite(&Expectations::default()).run(server.addr);
    println!("{report}");
    report.assert_passed();
}

#[test]
fn the_reference_server_passes_many_at_a_time() {
    let server = Reference::start(Flaw::None, Limits::default());
    zen_suite(&Expectations::default()).with_parallelism(16).run(server.addr).assert_passed();
}

#[test]
fn a_server_that_serves_one_client_at_a_time_passes() {
    let server = Reference::start_serial();
    zen_suite(&Expectations::default()).run(server.addr).assert_passed();
}

#[test]
fn the_suite_follows_the_limit() {
    for limit in [64, 65, 5_000] {
        let server = Reference::start(Flaw::None, Limits { question: limit, ..Limits::default() });
        let expectations = Expectations::default().with_question_limit(limit);
        zen_suite(&expectations).with_parallelism(8).run(server.addr).assert_passed();
    }
}

#[test]
fn the_reference_server_keeps_its_deadlines() {
    let deadline = Some(Duration::from_millis(200));
    let server = Reference::start(
        Flaw::None,
        Limits {
            question_deadline: deadline,
            idle_deadline: deadline,
            write_deadline: deadline,
            ..Limits::default()
        },
    );
    let expectations = Expectations::default()
        .with_question_deadline(deadline)
        .with_idle_deadline(deadline)
        .with_write_deadline(deadline);
    let suite = zen_deadlines(&expectations);
    assert!(suite.len() >= 15);
    suite.with_parallelism(4).run(server.addr).assert_passed();
}
