//! Long random conversations: random input, cuts, limits, orders of answering and appetites of the
//! peer.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use zen_proto::{Conversation, DelimiterFraming, Limits, Ticket, aphorism};

use crate::driver::{assert_nothing_remains, echo, echoed};
use crate::model::outcome;

/// The pieces that an input is made of.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => "[a-c ]{0,12}\\?".prop_map(String::into_bytes),
        2 => "[ \\t\\r\\n\\x0b\\x0c]{1,5}".prop_map(String::into_bytes),
        2 => (1..60_usize).prop_map(|n| vec![b'?'; n]),
        2 => vec(any::<u8>(), 0..40),
        1 => (1..400_usize).prop_map(|n| vec![b'x'; n]),
        1 => Just(b"Simple is better than?".to_vec()),
    ];
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn limits() -> impl Strategy<Value = Limits> {
    let question_length = prop_oneof![1..20_usize, Just(1024)];
    let water = (1..2000_usize).prop_flat_map(|high| (Just(high), 0..high));
    (question_length, 1..10_usize, water).prop_map(|(question_length, questions_in_flight, (high, low))| {
        Limits::default()
            .with_question_length(question_length)
            .with_questions_in_flight(questions_in_flight)
            .with_outbound_high_water(high)
            .with_outbound_low_water(low)
    })
}

/// A driver that takes each of its decisions from a list of numbers.
struct Improviser<'a> {
    conversation: Conversation<DelimiterFraming>,
    limits: &'a Limits,
    now: Instant,
    /// What the peer has yet to send.
    coming: &'a [u8],
    received: Vec<u8>,
    tickets: Vec<(Ticket, Vec<u8>)>,
    numbers: std::iter::Cycle<std::slice::Iter<'a, u16>>,
    fins: u32,
    eof: bool,
    longest_answer: usize,
    longest_read: usize,
}

impl Improviser<'_> {
    /// A number from 0 to `most`.
    fn decide(&mut self, most: usize) -> usize {
        usize::from(*self.numbers.next().unwrap()) % (most + 1)
    }

    /// Makes one of the calls that a driver or an application may make now. Returns false when
    /// there was none of that kind left to make.
    fn act(&mut self) -> bool {
        self.now += Duration::from_nanos(1);
        match self.decide(5) {
            0 if self.conversation.wants_read() && !self.coming.is_empty() => {
                let most = self.coming.len().min(self.longest_read);
                let n = 1 + self.decide(most - 1);
                let (data, rest) = self.coming.split_at(n);
                self.conversation.handle_input(data, self.now);
                self.coming = rest;
            }
            0 if self.conversation.wants_read() && !self.eof => {
                self.conversation.handle_eof(self.now);
                self.eof = true;
            }
            1 => self.conversation.answer_with(&mut echo, self.now),
            2 => match self.conversation.poll_question() {
                Some(question) => self.tickets.push((question.ticket, echoed(&question.text))),
                None => return false,
            },
            3 if !self.tickets.is_empty() => {
                let index = self.decide(self.tickets.len() - 1);
                let (ticket, answer) = self.tickets.swap_remove(index);
                self.conversation.answer(ticket, &answer, self.now).unwrap();
            }
            4 if !self.conversation.transmit().is_empty() => {
                let n = self.decide(self.conversation.transmit().len());
                self.received.extend_from_slice(&self.conversation.transmit()[..n]);
                self.conversation.handle_sent(n, self.now);
            }
            5 => self.conversation.handle_timeout(self.now),
            _ => return false,
        }
        true
    }

    fn check(&mut self) -> Result<(), TestCaseError> {
        let conversation = &mut self.conversation;
        let bound = self.limits.memory_bound(&aphorism::framing(), self.longest_read, self.longest_answer);
        prop_assert!(conversation.heap_size() <= bound, "{} > {bound}", conversation.heap_size());
        if !conversation.is_busy() {
            prop_assert_eq!(conversation.heap_size(), 0);
        }
        prop_assert!(self.tickets.len() <= self.limits.questions_in_flight);
        let most_unsent = self.limits.outbound_high_water
            + self.limits.questions_in_flight * self.longest_answer
            + aphorism::TOO_LONG.len();
        prop_assert!(conversation.transmit().len() <= most_unsent);
        prop_assert!(conversation.poll_timeout().is_none_or(|at| at > self.now));
        self.fins += u32::from(conversation.poll_shutdown());
        prop_assert!(self.fins <= 1);
        Ok(())
    }
}

/// The cases are the same each time. `PROPTEST_RNG_SEED` and `PROPTEST_CASES` choose others and
/// more.
pub(crate) fn config() -> ProptestConfig {
    let given = ProptestConfig::default();
    ProptestConfig {
        cases: given.cases.max(2000),
        failure_persistence: None,
        rng_seed: match given.rng_seed {
            RngSeed::Random => RngSeed::Fixed(0x7a65_6e00),
            fixed @ RngSeed::Fixed(_) => fixed,
        },
        ..given
    }
}

/// Brings a conversation to its end, with the tickets in any order.
fn finish(improviser: &mut Improviser<'_>) -> Result<(), TestCaseError> {
    for _ in 0..100_000 {
        if improviser.conversation.closed().is_some() {
            break;
        }
        if let Some((ticket, answer)) = improviser.tickets.pop() {
            improviser.conversation.answer(ticket, &answer, improviser.now).unwrap();
        }
        improviser.conversation.answer_with(&mut echo, improviser.now);
        let unsent = improviser.conversation.transmit();
        improviser.received.extend_from_slice(unsent);
        let n = unsent.len();
        improviser.conversation.handle_sent(n, improviser.now);
        if n == 0 && improviser.tickets.is_empty() && improviser.conversation.wants_read() {
            let n = improviser.coming.len().min(improviser.longest_read);
            let (data, rest) = improviser.coming.split_at(n);
            improviser.conversation.handle_input(data, improviser.now);
            improviser.coming = rest;
            if n == 0 {
                improviser.conversation.handle_eof(improviser.now);
            }
        }
        improviser.check()?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_conversation_of_any_shape_ends_as_the_model_says(
        input in input(),
        limits in limits(),
        longest_read in prop_oneof![Just(1_usize), 1..50_usize, Just(4096)],
        numbers in vec(any::<u16>(), 50..400),
    ) {
        let now = Instant::now();
        let longest_answer = 2 + input.len().min(limits.question_length.unwrap_or(1024));
        let mut improviser = Improviser {
            conversation: Conversation::new(aphorism::framing(), limits.clone(), now),
            limits: &limits,
            now,
            coming: &input,
            received: Vec::new(),
            tickets: Vec::new(),
            numbers: numbers.iter().cycle(),
            fins: 0,
            eof: false,
            longest_answer,
            longest_read,
        };
        // The numbers repeat, so a list that never chooses one kind of call would go on for ever.
        let mut idle = 0;
        while improviser.conversation.closed().is_none() && idle < 2000 {
            idle = if improviser.act() { idle } else { idle + 1 };
            improviser.check()?;
            if improviser.now > now + Duration::from_micros(50) {
                break;
            }
        }
        finish(&mut improviser)?;
        let expected = outcome(&input, limits.question_length.unwrap_or(1024));
        prop_assert_eq!(&improviser.received, &expected.output);
        prop_assert_eq!(improviser.conversation.closed(), Some(expected.reason));
        assert_nothing_remains(&mut improviser.conversation);
        let tally = improviser.conversation.take_tally();
        prop_assert_eq!(tally.bytes_out, improviser.received.len() as u64);
        prop_assert!(improviser.coming.is_empty() && tally.bytes_in == input.len() as u64);
    }

    #[test]
    fn a_deadline_is_kept_exactly_whatever_happens_when(
        limits in limits(),
        steps in vec((0..6_u8, 0..20_000_u64, "[ab? ]{0,4}"), 1..60),
    ) {
        let mut now = Instant::now();
        let mut conversation = Conversation::new(aphorism::framing(), limits, now);
        let mut tickets = Vec::new();
        for (step, millis, text) in steps {
            now += Duration::from_millis(millis);
            let due = conversation.poll_timeout().is_some_and(|at| at <= now);
            let closed_before = conversation.closed().is_some();
            conversation.handle_timeout(now);
            prop_assert_eq!(conversation.closed().is_some(), due || closed_before);
            match step {
                0 | 1 if conversation.wants_read() => conversation.handle_input(text.as_bytes(), now),
                2 => tickets.extend(conversation.poll_question().map(|question| question.ticket)),
                3 if !tickets.is_empty() => {
                    let ticket = tickets.swap_remove(usize::try_from(millis).unwrap() % tickets.len());
                    if millis % 9 == 0 {
                        conversation.give_up(ticket, now).unwrap();
                    } else {
                        conversation.answer(ticket, text.as_bytes(), now).unwrap();
                    }
                }
                4 => conversation.handle_sent(conversation.transmit().len().min(text.len()), now),
                5 if millis % 50 == 0 => conversation.drain(now),
                5 if millis % 51 == 0 => conversation.handle_eof(now),
                _ => {}
            }
            if tickets.is_empty() {
                conversation.answer_with(&mut echo, now);
            }
            conversation.handle_timeout(now);
            prop_assert!(conversation.poll_timeout().is_none_or(|at| at > now));
        }
    }
}
