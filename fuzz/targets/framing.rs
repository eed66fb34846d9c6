//! The delimiter framing against what it is to do, said in the simplest way.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zen_fuzz::{Input, hold};
use zen_proto::{Answer, DelimiterFraming, Limits};

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::new(data) else { return };
    let (mut found, mut expected) = (Vec::new(), Vec::new());
    let mut service = |question: &[u8], _: &mut Answer<'_>| found.push(question.to_vec());
    let limit = 1 + input.number();
    let limits = Limits::default().with_question_length(limit);
    let framing = DelimiterFraming::new(b'?').skip_white_space();
    hold(framing, &limits, &mut service, input.pieces());
    let mut rest = input.sent;
    loop {
        let white = |byte: &u8| matches!(byte, b'\t'..=b'\r' | b' ');
        rest = &rest[rest.iter().take_while(|byte| white(byte)).count()..];
        let Some(end) = rest.iter().position(|byte| *byte == b'?') else { break };
        if end + 1 > limit {
            break;
        }
        expected.push(rest[..=end].to_vec());
        rest = &rest[end + 1..];
    }
    assert_eq!(found, expected);
});
