//! A conversation under two cuts, with answers of every kind that is given at once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zen_fuzz::{Input, same_answers};
use zen_proto::{Answer, DelimiterFraming, Flow, Limits, Service, aphorism};

struct Speaker(u8);

impl Service for Speaker {
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) -> Flow {
        answer.put(question);
        match question.first() {
            Some(b's') => Flow::Silent,
            Some(b'm') => {
                self.0 = 3;
                Flow::More
            }
            Some(b'c') => Flow::Close,
            Some(b'p') => std::panic::resume_unwind(Box::new(())),
            _ => Flow::Continue,
        }
    }

    fn resume(&mut self, answer: &mut Answer<'_, DelimiterFraming>) -> Flow {
        answer.put(b"more");
        self.0 -= 1;
        if self.0 > 0 { Flow::More } else { Flow::Continue }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(input) = Input::new(data) else { return };
    let high = 1 + input.number();
    let limits = Limits::default()
        .with_question_length(1 + input.number() * 3)
        .with_outbound_high_water(high)
        .with_outbound_low_water(high / 2);
    same_answers(&input, &limits, || (aphorism::framing(), Speaker(0)));
});
