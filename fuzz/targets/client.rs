//! The client half: answers in any pieces are the same answers, and nothing that a server sends
//! breaks a client.
#![no_main]

use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use zen_fuzz::Input;
use zen_proto::{Asker, ClientLimits, aphorism};

/// The answers, and the error in the end.
fn ask<'a>(asked: usize, limit: usize, pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, String) {
    let (now, mut answers) = (Instant::now(), Vec::new());
    let limits = ClientLimits::default().with_answer_length(limit);
    let mut asker = Asker::new(aphorism::client_framing(), limits);
    for _ in 0..asked {
        asker.ask(b"Why?", now).expect("there is room for this many");
    }
    let unsent = asker.transmit().len();
    asker.handle_sent(unsent, now);
    for piece in pieces {
        asker.handle_input(piece, now);
        while let Some(answer) = asker.poll_answer() {
            answers.push(answer.to_vec());
        }
    }
    asker.handle_eof(now);
    while let Some(answer) = asker.poll_answer() {
        answers.push(answer.to_vec());
    }
    assert!(answers.len() <= asked, "answers to nothing");
    let failed = asker.failed().map(ToString::to_string).unwrap_or_default();
    (answers, failed)
}

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::new(data) else { return };
    let (asked, limit) = (input.number() % 33, 1 + input.number());
    let whole = ask(asked, limit, [input.sent].into_iter());
    assert_eq!(whole, ask(asked, limit, input.pieces()), "the cuts matter");
});
