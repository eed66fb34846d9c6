//! Long random conversations under the whole contract: typed framings, every flow, responders and
//! pushes of other threads, drains and truncations, in any order and with any appetite of the peer.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use zen_proto::{
    Answer, CloseReason, Closed, Conversation, Decoded, Flow, Framing, Limits, Output, Peer, PushError,
    Pusher, Service, Unsendable,
};

use crate::driver::assert_nothing_remains;
use crate::random::config;
use crate::script::{ALL, Script};

/// How questions look on the wire. Answers are a byte with their length, and the text behind it.
#[derive(Debug, Clone, Copy)]
enum Style {
    /// Up to a `?`, borrowed.
    Delimited,
    /// Behind a byte with their length, borrowed.
    Prefixed,
    /// Up to a `;`, with each byte behind a backslash: assembled.
    Escaped,
}

impl Style {
    fn write(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Delimited => [b" \r\n", text, b"?"].concat(),
            Self::Prefixed => [&[u8::try_from(text.len()).unwrap()], text].concat(),
            Self::Escaped => text.iter().flat_map(|byte| [b'\\', *byte]).chain(*b";").collect(),
        }
    }
}

#[derive(Debug, Clone)]
struct Styled(Style);

impl Framing for Styled {
    type Message<'a> = Cow<'a, [u8]>;
    type Error = std::convert::Infallible;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<Cow<'a, [u8]>, Self::Error> {
        let blank = match self.0 {
            Style::Delimited => input.iter().take_while(|byte| byte.is_ascii_whitespace()).count(),
            _ => 0,
        };
        let delimiter = if matches!(self.0, Style::Escaped) { b';' } else { b'?' };
        let end = match (self.0, &input[blank..]) {
            (_, []) => return Decoded::nothing(blank),
            (Style::Prefixed, [length, ..]) => 1 + usize::from(*length),
            (_, text) => match text.iter().position(|byte| *byte == delimiter) {
                Some(at) => blank + at + 1,
                None => return Decoded::Partial { start: blank, end: input.len() + 1 },
            },
        };
        if end > input.len() {
            return Decoded::Partial { start: 0, end };
        }
        let message = match self.0 {
            Style::Delimited => Cow::Borrowed(&input[blank..end - 1]),
            Style::Prefixed => Cow::Borrowed(&input[1..end]),
            Style::Escaped => Cow::Owned(input[..end - 1].iter().skip(1).step_by(2).copied().collect()),
        };
        Decoded::Whole { start: blank, end, message }
    }

    fn begin(&mut self, output: &mut Output<'_>) {
        output.put(&[0]);
    }

    fn end(&mut self, output: &mut Output<'_>, start: usize) -> Result<(), Unsendable> {
        let message = output.tail_mut(start);
        message[0] = u8::try_from(message.len() - 1).map_err(|_| Unsendable::new("too long"))?;
        Ok(())
    }

    fn begin_stream(&mut self, length: u64, output: &mut Output<'_>) -> Result<(), Unsendable> {
        output.put(&[u8::try_from(length).map_err(|_| Unsendable::new("too long"))?]);
        Ok(())
    }
}

/// The messages that an answering framing has put on the wire.
fn parsed(mut wire: &[u8]) -> Vec<String> {
    let mut messages = Vec::new();
    while let [length, rest @ ..] = wire {
        // The last message may be cut off by a failure in the middle of it.
        let (message, behind) = rest.split_at(usize::from(*length).min(rest.len()));
        messages.push(String::from_utf8(message.to_vec()).unwrap());
        wire = behind;
    }
    messages
}

/// The messages that answer these questions, and why the conversation ends with one of them.
fn expected(letters: &[u8]) -> (Vec<String>, Option<CloseReason>) {
    let mut messages = Vec::new();
    for letter in letters {
        match letter {
            b'm' => messages.extend(["(m", "m", "m)"].map(String::from)),
            b't' => messages.push("(mmm)".to_owned()),
            b'c' | b'l' | b'q' | b'a' => messages.push(format!("[{}]", char::from(*letter))),
            _ => {}
        }
        match letter {
            b'q' | b'a' => return (messages, Some(CloseReason::ServiceClosed)),
            b'd' => return (messages, Some(CloseReason::ServiceFailed)),
            _ => {}
        }
    }
    (messages, None)
}

/// A script that has a pusher, and is told of the end.
#[derive(Default)]
struct Scripted {
    script: Script,
    pusher: Option<Pusher>,
    told: Option<Closed>,
}

impl Service<Styled> for Scripted {
    fn open(&mut self, _: &Peer, answer: &mut Answer<'_, Styled>) -> Flow {
        self.pusher = Some(answer.pusher());
        answer.put(b"hello");
        Flow::Continue
    }

    fn answer(&mut self, question: Cow<'_, [u8]>, answer: &mut Answer<'_, Styled>) -> Flow {
        self.script.answer(question, answer)
    }

    fn resume(&mut self, answer: &mut Answer<'_, Styled>) -> Flow {
        Service::<Styled>::resume(&mut self.script, answer)
    }

    fn closed(&mut self, closed: &Closed) {
        assert!(self.told.replace(*closed).is_none(), "told twice");
    }
}

#[derive(Debug)]
struct Plan {
    style: Style,
    letters: Vec<u8>,
    filler: usize,
    /// The peer closes in the middle of a question.
    truncated: bool,
    longest_read: usize,
    limits: Limits,
}

fn plan() -> impl Strategy<Value = Plan> {
    let style = prop_oneof![Just(Style::Delimited), Just(Style::Prefixed), Just(Style::Escaped)];
    // Those that end a conversation are rare.
    let letter =
        prop_oneof![20 => 0..4_usize, 20 => 5..7_usize, 1 => 0..ALL.len()].prop_map(|index| ALL[index]);
    let water = (1..300_usize).prop_flat_map(|high| (Just(high), 0..high));
    let turn = (1..6_usize, 0..4_u64);
    let limits =
        (1..8_usize, water, 60..400_usize, turn).prop_map(|(in_flight, (high, low), pushed, turn)| {
            Limits::default()
                .with_questions_in_flight(in_flight)
                .with_outbound_high_water(high)
                .with_outbound_low_water(low)
                .with_pushed_bytes(pushed)
                .with_turn_questions(turn.0)
                .with_turn_time(Duration::from_nanos(turn.1))
        });
    let read = prop_oneof![1..6_usize, Just(500)];
    (style, vec(letter, 0..40), 0..50_usize, any::<bool>(), read, limits).prop_map(
        |(style, letters, filler, truncated, longest_read, limits)| Plan {
            style,
            letters,
            filler,
            truncated,
            longest_read,
            limits,
        },
    )
}

/// A driver, a peer and other threads that take each of their decisions from a list of numbers.
struct Improviser<'a> {
    plan: &'a Plan,
    conversation: Conversation<Styled>,
    service: Scripted,
    now: Instant,
    /// What the peer sends, and how much of it has been read.
    coming: Vec<u8>,
    read: usize,
    /// Where each question ends in it.
    ends: Vec<usize>,
    received: Vec<u8>,
    pushed: usize,
    /// How many questions were read when the drain began.
    drained: Option<usize>,
    eof: bool,
    fins: u32,
    numbers: std::iter::Cycle<std::slice::Iter<'a, u16>>,
}

impl<'a> Improviser<'a> {
    fn new(plan: &'a Plan, numbers: &'a [u16]) -> Self {
        let now = Instant::now();
        let mut conversation = Conversation::new(Styled(plan.style), plan.limits.clone(), now);
        let mut service = Scripted::default();
        conversation.open(&mut service, &Peer::default(), now);
        let (mut coming, mut ends) = (Vec::new(), Vec::new());
        for letter in &plan.letters {
            coming.extend(plan.style.write(&[&[*letter], &vec![b'x'; plan.filler][..]].concat()));
            ends.push(coming.len());
        }
        if plan.truncated {
            let begun = plan.style.write(b"cut");
            coming.extend(&begun[..begun.len() - 1]);
        }
        Self {
            plan,
            conversation,
            service,
            now,
            coming,
            read: 0,
            ends,
            received: Vec::new(),
            pushed: 0,
            drained: None,
            eof: false,
            fins: 0,
            numbers: numbers.iter().cycle(),
        }
    }

    /// A number from 0 to `most`.
    fn decide(&mut self, most: usize) -> usize {
        usize::from(*self.numbers.next().unwrap()) % (most + 1)
    }

    fn read(&mut self) {
        if !self.conversation.wants_read() || self.eof {
            return;
        }
        let left = self.coming.len() - self.read;
        if left == 0 {
            self.conversation.handle_eof(self.now);
            self.eof = true;
            return;
        }
        let n = 1 + self.decide(left.min(self.plan.longest_read) - 1);
        self.conversation.handle_input(&self.coming[self.read..self.read + n], self.now);
        self.read += n;
    }

    fn send(&mut self, n: usize) {
        self.received.extend_from_slice(&self.conversation.transmit()[..n]);
        self.conversation.handle_sent(n, self.now);
    }

    /// Answers for a turn, which may be over after any number of questions.
    fn take_turn(&mut self) {
        let step = Duration::from_nanos(self.decide(3) as u64);
        let mut clock = self.now;
        let tick = || {
            clock += step;
            clock
        };
        self.now = self.conversation.answer_in_turn(&mut self.service, self.now, tick);
    }

    fn push(&mut self) -> Result<(), TestCaseError> {
        let pushed = self.service.pusher.as_ref().unwrap().push(format!("p{}", self.pushed));
        match pushed {
            Ok(()) => self.pushed += 1,
            Err(PushError::Full { waiting, limit }) => {
                prop_assert!(waiting <= limit && limit == self.plan.limits.pushed_bytes);
            }
            Err(_) => prop_assert!(self.service.pusher.as_ref().unwrap().is_closed()),
        }
        Ok(())
    }

    fn act(&mut self) -> Result<(), TestCaseError> {
        self.now += Duration::from_nanos(1);
        match self.decide(40) {
            0..=9 => self.read(),
            10..=14 => self.conversation.answer_with(&mut self.service, self.now),
            15..=19 => self.take_turn(),
            20..=25 if !self.service.script.responders.is_empty() => {
                prop_assert!(self.conversation.closed().is_some() || self.conversation.expects_wake());
                let index = self.decide(self.service.script.responders.len() - 1);
                self.service.script.respond(index);
            }
            26..=30 => self.push()?,
            31..=38 if !self.conversation.transmit().is_empty() => {
                let n = self.decide(self.conversation.transmit().len());
                self.send(n);
            }
            39 => self.conversation.handle_timeout(self.now),
            40 if self.drained.is_none() && self.decide(9) == 0 => {
                self.conversation.drain(self.now);
                self.drained = Some(self.ends.iter().filter(|end| **end <= self.read).count());
            }
            _ => {}
        }
        self.check()
    }

    fn check(&mut self) -> Result<(), TestCaseError> {
        let bound = self.plan.limits.memory_bound(&Styled(self.plan.style), self.plan.longest_read, 6);
        let size = self.conversation.heap_size();
        prop_assert!(size <= bound, "{} > {}", size, bound);
        prop_assert!(self.service.script.responders.len() <= self.plan.limits.questions_in_flight);
        prop_assert!(self.conversation.poll_timeout().is_none_or(|at| at > self.now));
        self.fins += u32::from(self.conversation.poll_shutdown());
        prop_assert!(self.fins <= 1);
        Ok(())
    }

    /// Brings the conversation to its end, as a driver would that does not act without a reason.
    fn finish(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..10_000 {
            if self.conversation.closed().is_some() {
                return Ok(());
            }
            let waker = std::task::Waker::noop();
            let woken = self.conversation.expects_wake() && self.conversation.register_waker(waker);
            if self.conversation.wants_answer() || woken {
                self.take_turn();
            } else if !self.conversation.transmit().is_empty() {
                self.send(self.conversation.transmit().len());
            } else if !self.service.script.responders.is_empty() {
                self.service.script.respond(0);
            } else {
                self.read();
            }
            self.check()?;
        }
        prop_assert!(false, "nothing ends it: {:?}", self.conversation);
        Ok(())
    }

    fn judge(mut self) -> Result<(), TestCaseError> {
        let received = parsed(&self.received);
        let asked = self.drained.unwrap_or(usize::MAX).min(self.plan.letters.len());
        let (mut messages, ended) = expected(&self.plan.letters[..asked]);
        messages.insert(0, "hello".to_owned());
        let (pushed, answers): (Vec<_>, Vec<_>) =
            received.iter().cloned().partition(|text| text.starts_with('p'));
        prop_assert_eq!(answers, messages);
        let in_order: Vec<_> = (0..pushed.len()).map(|number| format!("p{number}")).collect();
        prop_assert_eq!(&pushed, &in_order);
        for (index, text) in received.iter().enumerate() {
            if text == "(m" {
                prop_assert_eq!(received[index + 1..index + 3].concat(), "mm)", "nothing comes between");
            }
        }
        let wished = if self.drained.is_some() {
            CloseReason::Drained
        } else if self.plan.truncated {
            CloseReason::Truncated
        } else {
            CloseReason::Finished
        };
        let reason = self.conversation.closed().unwrap();
        // A drain that comes behind the end of the input changes nothing.
        let late = self.drained.is_some() && self.eof && reason != CloseReason::Drained;
        if ended.is_none() && !late {
            prop_assert_eq!(reason, wished);
        } else if let Some(ended) = ended {
            prop_assert_eq!(reason, ended);
        }
        if ended.is_none() {
            prop_assert_eq!(pushed.len(), self.pushed, "what was taken is sent");
        }
        self.conversation.poll_closed(&mut self.service);
        let told = self.service.told.unwrap();
        prop_assert_eq!((told.reason, told.bytes_out), (reason, self.received.len() as u64));
        prop_assert_eq!(told.bytes_in, self.read as u64);
        assert_nothing_remains(&mut self.conversation);
        prop_assert_eq!(self.service.pusher.unwrap().push("late"), Err(PushError::Closed));
        Ok(())
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_conversation_of_any_kind_ends_as_the_model_says(
        plan in plan(),
        numbers in vec(any::<u16>(), 50..400),
        acts in 0..600_usize,
    ) {
        let mut improviser = Improviser::new(&plan, &numbers);
        for _ in 0..acts {
            if improviser.conversation.closed().is_some() {
                break;
            }
            improviser.act()?;
        }
        improviser.finish()?;
        improviser.judge()?;
    }
}
