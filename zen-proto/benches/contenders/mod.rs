//! The contenders: a conversation that is driven turn by turn, and a loop written by hand for this
//! one protocol.

use std::hint::black_box;
use std::time::Instant;

use zen_proto::{Conversation, DelimiterFraming, Limits, aphorism};

/// Takes a segment and sends the answers. Returns how many bytes they are.
pub(crate) trait Contender {
    fn turn(&mut self, segment: &[u8]) -> usize;
}

/// The core as a driver uses it: every call of a turn, without the system calls and the clock.
pub(crate) struct Core {
    conversation: Conversation<DelimiterFraming>,
    now: Instant,
}

impl Default for Core {
    fn default() -> Self {
        let now = Instant::now();
        Self { conversation: Conversation::new(aphorism::framing(), Limits::default(), now), now }
    }
}

impl Contender for Core {
    fn turn(&mut self, segment: &[u8]) -> usize {
        let conversation = &mut self.conversation;
        assert!(conversation.wants_read());
        conversation.handle_input(segment, self.now);
        let now = self.now;
        conversation.answer_in_turn(&mut aphorism::Aphorisms, now, || now);
        let sent = black_box(conversation.transmit()).len();
        conversation.handle_sent(sent, self.now);
        assert!(!conversation.poll_shutdown() && conversation.closed().is_none());
        sent
    }
}

/// The least code that serves this protocol correctly: no limits, no deadlines, no backpressure.
#[derive(Default)]
pub(crate) struct ByHand {
    inbound: Vec<u8>,
    outbound: Vec<u8>,
}

impl Contender for ByHand {
    fn turn(&mut self, segment: &[u8]) -> usize {
        self.inbound.extend_from_slice(segment);
        let mut rest = &self.inbound[..];
        loop {
            while let [first, behind @ ..] = rest
                && first.is_ascii_whitespace()
            {
                rest = behind;
            }
            let Some(at) = memchr::memchr(b'?', rest) else { break };
            let (question, behind) = rest.split_at(at + 1);
            self.outbound.extend_from_slice(aphorism::answer(question).as_bytes());
            rest = behind;
        }
        let consumed = self.inbound.len() - rest.len();
        self.inbound.drain(..consumed);
        let sent = black_box(&self.outbound[..]).len();
        self.outbound.clear();
        sent
    }
}

/// This many questions of the table, one after the other.
pub(crate) fn segment(questions: usize) -> Vec<u8> {
    aphorism::TABLE.iter().cycle().take(questions).flat_map(|(question, _)| question.bytes()).collect()
}

/// How many bytes answer [`segment`].
pub(crate) fn answered(questions: usize) -> usize {
    aphorism::TABLE.iter().cycle().take(questions).map(|(_, answer)| answer.len()).sum()
}
