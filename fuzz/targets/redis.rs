//! The example `redis`: commands under two cuts.
#![no_main]

use std::fmt::Write;

use libfuzzer_sys::fuzz_target;
use zen_fuzz::{Input, same_answers};
use zen_proto::{Answer, Limits};

/// The example's own files.
#[allow(dead_code)]
#[path = "../../examples/examples/redis/resp"]
mod resp {
    pub(crate) mod framing;
    pub(crate) mod inline;
    pub(crate) mod number;
}

use resp::framing::{Request, Resp};

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::new(data) else { return };
    let limits = match input.number() {
        0..128 => Limits::default(),
        n => Limits::default().with_question_length((n - 127) * 4),
    };
    same_answers(&input, &limits, || {
        let service = |request: Request<'_>, answer: &mut Answer<'_, Resp>| {
            let words = match &request {
                Request::Borrowed(words) => words.to_vec(),
                Request::Owned(words) => words.iter().map(Vec::as_slice).collect(),
            };
            assert!(!words.is_empty(), "a command has a name");
            write!(answer, "{words:?}").expect("an answer takes everything");
        };
        (Resp::default(), service)
    });
});
