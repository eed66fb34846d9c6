//! A mismatch says which transcript failed, at which step, and what was sent, expected and
//! received.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use zen_proto::{Answer, DelimiterFraming, Limits};
use zen_testkit::{Exchanges, Expectations, Fault, Suite, Transcript, zen_suite};

/// A server that answers the first read with these bytes, then waits until the client closes.
fn parrot(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut buffer = [0; 1024];
            if client.read(&mut buffer).is_ok_and(|read| read > 0) && client.write_all(answer).is_ok() {
                while client.read(&mut buffer).is_ok_and(|read| read > 0) {}
            }
        }
    });
    addr
}

#[test]
fn a_mismatch_shows_every_step_with_its_bytes_escaped() {
    let mismatch = Transcript::new("colours")
        .send(b"red\x1b?")
        .expect(b"Ugly.")
        .expect(b"Complex.")
        .run(parrot(b"Ugly.\x1b[31m\r\n"))
        .unwrap_err();
    assert_eq!(
        mismatch.to_string(),
        r#"colours
  step 3 of 3, waiting for answers: the answers differ from byte 0 on
  sent      "red\x1b?"
  matched   "Ugly."
  expected  "Complex."
  received  "\x1b[31m\r\n"
             ^"#
    );
    assert_eq!((mismatch.transcript(), mismatch.step()), ("colours", 3));
    assert_eq!(mismatch.sent(), b"red\x1b?");
    assert_eq!(mismatch.expected(), Some(&b"Complex."[..]));
    assert_eq!(mismatch.received(), b"\x1b[31m\r\n");
}

#[test]
fn a_mismatch_shows_the_cut_and_the_byte() {
    let shout = |line: &[u8], answer: &mut Answer<'_>| answer.put(&line.to_ascii_uppercase());
    let framing = || DelimiterFraming::new(b'\n').when_too_long(b"too long\n");
    let report = Exchanges::new()
        .answers("two lines", b"zen\nof\n", b"ZEN\nIF\n")
        .suite()
        .only("cut after 5 bytes")
        .run_in_memory(&Limits::default(), || (framing(), shout));
    let mismatch = report.mismatches().next().unwrap();
    assert_eq!(
        mismatch.to_string(),
        r#"two lines, cut after 5 bytes
  step 2 of 4, waiting for answers: the answers differ from byte 4 on
  sent      "zen\no" | "f\n"
  expected  "ZEN\nIF\n"
  received  "ZEN\nOF\n"
                  ^"#
    );
    let unfinished = Transcript::new("a line that does not come")
        .with_timeout(Duration::from_millis(50))
        .ask(b"?", b"Ugly.")
        .run(parrot(b"Ug"))
        .unwrap_err();
    assert!(unfinished.to_string().ends_with("received  \"Ug\"\n               ^"), "{unfinished}");
}

#[test]
fn leftover_bytes_are_a_mismatch() {
    let server = parrot(b"Ugly.Ugly.");
    let ended = Transcript::new("ended").ask(b"?", b"Ugly.").finish_and_end().run(server).unwrap_err();
    assert!(matches!(ended.fault(), Fault::Extra), "{ended}");
    assert_eq!((ended.received(), ended.expected()), (&b"Ugly."[..], None));
    assert!(ended.to_string().contains("expected  nothing"), "{ended}");
}

#[test]
fn a_silent_server_is_waited_for_until_the_timeout() {
    let mismatch = Transcript::new("a longer answer")
        .with_timeout(Duration::from_millis(50))
        .ask(b"?", b"Ugly. Very.")
        .run(parrot(b"Ugly."))
        .unwrap_err();
    assert!(matches!(mismatch.fault(), Fault::Silent(_)), "{mismatch}");
    let open = Transcript::new("an end")
        .with_timeout(Duration::from_millis(50))
        .ask(b"?", b"Ugly.")
        .ends()
        .run(parrot(b"Ugly."))
        .unwrap_err();
    assert!(matches!(open.fault(), Fault::StaysOpen(_)), "{open}");
}

#[test]
fn the_suite_gives_up_on_a_server_that_is_not_there() {
    let vacant = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let suite = zen_suite(&Expectations::default()).give_up_after(3);
    let mut seen = 0;
    let report = suite.run_with(vacant, |outcome| seen += usize::from(outcome.result.is_err()));
    assert_eq!((report.outcomes.len(), report.not_run), (3, suite.len() - 3), "{report}");
    assert_eq!((seen, report.passed()), (report.outcomes.len(), 0));
    assert!(!report.is_pass());
    let mismatch = report.mismatches().next().unwrap();
    assert!(matches!(mismatch.fault(), Fault::Connect(_)) && mismatch.step() == 0, "{mismatch}");
    assert!(report.to_string().contains("not run after too many failures"));
}

#[test]
fn an_empty_suite_does_not_pass() {
    let nothing = Suite::new([]).run(parrot(b""));
    assert!(!nothing.is_pass());
}
