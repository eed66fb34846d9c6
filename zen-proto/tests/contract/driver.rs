//! A driver in memory: the turn order that `Conversation` documents, and nothing else.

use std::time::Instant;

use zen_proto::{Answer, ByteFraming, Conversation, Framing, Question, Service};

/// Step 1 of a turn: how the application answers what is buffered.
pub(crate) trait Application<F: Framing> {
    fn answer(&mut self, conversation: &mut Conversation<F>, now: Instant);
}

/// Answers at once.
pub(crate) struct Inline<S>(pub(crate) S);

impl<F: Framing, S: Service<F>> Application<F> for Inline<S> {
    fn answer(&mut self, conversation: &mut Conversation<F>, now: Instant) {
        conversation.answer_with(&mut self.0, now);
    }
}

/// Answers each question as it is handed out, by its ticket.
pub(crate) struct Deferred;

impl<F: ByteFraming> Application<F> for Deferred {
    fn answer(&mut self, conversation: &mut Conversation<F>, now: Instant) {
        while let Some(question) = conversation.poll_question() {
            conversation.answer(question.ticket, &echoed(&question.text), now).unwrap();
        }
    }
}

/// Holds questions for as long as more can come, then answers them, the last one first.
#[derive(Default)]
pub(crate) struct Reversed(Vec<Question>);

impl<F: ByteFraming> Application<F> for Reversed {
    fn answer(&mut self, conversation: &mut Conversation<F>, now: Instant) {
        loop {
            while let Some(question) = conversation.poll_question() {
                self.0.push(question);
            }
            if conversation.wants_read() || self.0.is_empty() {
                return;
            }
            for question in self.0.drain(..).rev() {
                conversation.answer(question.ticket, &echoed(&question.text), now).unwrap();
            }
        }
    }
}

/// A service whose answers show what was asked.
pub(crate) fn echo<F>(question: &[u8], answer: &mut Answer<'_, F>) {
    answer.put(b"[");
    answer.put(question);
    answer.put(b"]");
}

/// The answer of [`echo`].
pub(crate) fn echoed(question: &[u8]) -> Vec<u8> {
    [b"[", question, b"]"].concat()
}

/// The peer's end of the connection: what it has received, and how much more it will take for now.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) received: Vec<u8>,
    pub(crate) room: usize,
    pub(crate) fin: bool,
}

impl Default for Socket {
    fn default() -> Self {
        Self { received: Vec::new(), room: usize::MAX, fin: false }
    }
}

/// Steps 1 to 4 of a turn; the fifth, the wait, is the caller's.
pub(crate) fn turn<F: Framing>(
    conversation: &mut Conversation<F>,
    application: &mut impl Application<F>,
    socket: &mut Socket,
    now: Instant,
) {
    loop {
        application.answer(conversation, now);
        let n = conversation.transmit().len().min(socket.room);
        socket.received.extend_from_slice(&conversation.transmit()[..n]);
        socket.room -= n;
        conversation.handle_sent(n, now);
        if !conversation.wants_answer() {
            break;
        }
    }
    if conversation.poll_shutdown() {
        assert!(!socket.fin, "FIN is sent once");
        socket.fin = true;
    }
    if conversation.closed().is_some() {
        assert_nothing_remains(conversation);
    }
}

/// What holds for every conversation that is closed.
pub(crate) fn assert_nothing_remains<F: Framing>(conversation: &mut Conversation<F>) {
    assert_eq!(conversation.heap_size(), 0);
    assert_eq!(conversation.transmit(), b"");
    assert_eq!(conversation.poll_timeout(), None);
    assert!(!conversation.wants_answer());
    assert!(!conversation.wants_read() && !conversation.poll_shutdown() && !conversation.is_busy());
}
