//! The example `mail`: command lines and mails under two cuts.
#![no_main]

use std::fmt::Write;

use libfuzzer_sys::fuzz_target;
use zen_fuzz::{Input, same_answers};
use zen_proto::{Answer, Limits};

/// The example's own files.
#[allow(dead_code)]
#[path = "../../examples/examples/mail/smtp"]
mod smtp {
    mod address;
    pub(crate) mod command;
    pub(crate) mod framing;
}

use smtp::command::Command;
use smtp::framing::{Received, SmtpFraming};

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::new(data) else { return };
    same_answers(&input, &Limits::default(), || {
        let service = |received: Received<'_>, answer: &mut Answer<'_, SmtpFraming>| {
            if let Received::Command(line) = received {
                // Whatever it is, it is parsed without a panic.
                let _ = Command::parse(line);
                if line.eq_ignore_ascii_case(b"DATA") {
                    answer.framing_mut().expect_mail();
                }
            }
            write!(answer, "{received:?}").expect("an answer takes everything");
        };
        (SmtpFraming::new(input.number() * 4), service)
    });
});
