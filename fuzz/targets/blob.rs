//! The example `blob`: messages that begin with their length, under two cuts.
#![no_main]

use std::fmt::Write;

use libfuzzer_sys::fuzz_target;
use zen_fuzz::{Input, same_answers};
use zen_proto::{Answer, Limits};

#[allow(dead_code)]
#[path = "../../examples/examples/blob/protocol.rs"]
mod protocol;

use protocol::{Framed, Question};

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::new(data) else { return };
    same_answers(&input, &Limits::default(), || {
        let service = |question: Question<'_>, answer: &mut Answer<'_, Framed>| {
            write!(answer, "{question:?}").expect("an answer takes everything");
        };
        (Framed, service)
    });
});
