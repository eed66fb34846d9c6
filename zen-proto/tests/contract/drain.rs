//! Drain in every phase of a conversation's life.

use std::time::Instant;

use zen_proto::{CloseReason, Conversation, DelimiterFraming, Limits, aphorism};

use crate::driver::{Inline, Socket, assert_nothing_remains, echo, turn};

struct Scene {
    conversation: Conversation<DelimiterFraming>,
    socket: Socket,
    now: Instant,
}

impl Scene {
    fn new(limits: Limits) -> Self {
        let now = Instant::now();
        let conversation = Conversation::new(aphorism::framing(), limits, now);
        Self { conversation, socket: Socket::default(), now }
    }

    fn hears(&mut self, text: &str) {
        self.conversation.handle_input(text.as_bytes(), self.now);
    }

    fn turn(&mut self) {
        turn(&mut self.conversation, &mut Inline(echo), &mut self.socket, self.now);
    }

    fn drain(&mut self) {
        self.conversation.drain(self.now);
        self.turn();
    }

    /// The end of every drain: FIN was sent, and the conversation waits only for the peer to close.
    #[track_caller]
    fn ends(mut self, output: &str, reason: CloseReason) {
        assert_eq!(self.socket.received.escape_ascii().to_string(), output);
        assert!(self.socket.fin, "FIN is out");
        assert_eq!(self.conversation.closed(), None, "closing at once could destroy answers in flight");
        assert!(self.conversation.wants_read(), "reads and discards");
        assert_eq!(self.conversation.heap_size(), 0);
        self.hears("more?");
        self.turn();
        self.conversation.handle_eof(self.now);
        self.turn();
        assert_eq!(self.conversation.closed(), Some(reason));
        assert_eq!(self.socket.received.len(), output.len(), "what came after is not answered");
    }
}

#[test]
fn fresh() {
    let mut scene = Scene::new(Limits::default());
    scene.drain();
    scene.ends("", CloseReason::Drained);
}

#[test]
fn idle_after_an_answer() {
    let mut scene = Scene::new(Limits::default());
    scene.hears("a?");
    scene.turn();
    scene.drain();
    scene.ends("[a?]", CloseReason::Drained);
}

#[test]
fn inside_a_question_that_was_looked_at() {
    let mut scene = Scene::new(Limits::default());
    scene.hears("a?b");
    scene.turn();
    scene.drain();
    scene.ends("[a?]", CloseReason::Drained);
}

#[test]
fn with_whole_questions_and_a_partial_one_buffered() {
    let mut scene = Scene::new(Limits::default());
    scene.hears("a?b?c");
    scene.drain();
    scene.ends("[a?][b?]", CloseReason::Drained);
}

#[test]
fn with_a_question_too_long_behind_a_whole_one() {
    let mut scene = Scene::new(Limits::default().with_question_length(4));
    scene.hears("a?bbbbbb?");
    scene.drain();
    scene.ends("[a?]Error: question too long.", CloseReason::QuestionTooLong);
}

#[test]
fn after_the_peer_half_closed_behind_questions_not_yet_looked_at() {
    let mut scene = Scene::new(Limits::default());
    scene.hears("a?b");
    scene.conversation.handle_eof(scene.now);
    scene.drain();
    assert_eq!(scene.socket.received, b"[a?]");
    assert_eq!(scene.conversation.closed(), Some(CloseReason::Truncated));
}

#[test]
fn when_the_peer_half_closes_after_it() {
    let mut scene = Scene::new(Limits::default());
    scene.hears("a?");
    scene.socket.room = 0;
    scene.drain();
    scene.conversation.handle_eof(scene.now);
    scene.socket.room = 9;
    scene.turn();
    assert_eq!(scene.socket.received, b"[a?]");
    assert_eq!(scene.conversation.closed(), Some(CloseReason::Drained));
}

#[test]
fn with_deferred_answers_outstanding() {
    let mut scene = Scene::new(Limits::default());
    scene.hears("a?b?c?d");
    let mut questions: Vec<_> = std::iter::from_fn(|| scene.conversation.poll_question()).take(2).collect();
    scene.conversation.drain(scene.now);
    assert!(!scene.conversation.wants_read() && !scene.conversation.poll_shutdown());
    questions.extend(scene.conversation.poll_question());
    assert_eq!(questions.len(), 3, "the third was received whole before");
    assert!(scene.conversation.poll_question().is_none());
    for question in questions.drain(..).rev() {
        scene.turn();
        assert!(!scene.socket.fin);
        scene.conversation.answer(question.ticket, &question.text, scene.now).unwrap();
    }
    scene.turn();
    scene.ends("a?b?c?", CloseReason::Drained);
}

#[test]
fn with_answers_unsent() {
    let mut scene = Scene::new(Limits::default());
    scene.hears("a?b?");
    scene.socket.room = 3;
    scene.turn();
    scene.drain();
    assert!(!scene.socket.fin && !scene.conversation.wants_read());
    scene.socket.room = 99;
    scene.turn();
    scene.ends("[a?][b?]", CloseReason::Drained);
}

#[test]
fn above_the_high_water() {
    let mut scene = Scene::new(Limits::default().with_outbound_high_water(5).with_outbound_low_water(1));
    scene.hears("a?b?c?d?e?f");
    scene.socket.room = 0;
    scene.turn();
    scene.drain();
    for _ in 0..19 {
        assert!(!scene.socket.fin);
        scene.socket.room = 1;
        scene.turn();
    }
    scene.socket.room = 1;
    scene.turn();
    scene.ends("[a?][b?][c?][d?][e?]", CloseReason::Drained);
}

#[test]
fn while_finishing_after_a_half_close() {
    let mut scene = Scene::new(Limits::default());
    scene.hears("a?");
    scene.socket.room = 0;
    scene.turn();
    scene.conversation.handle_eof(scene.now);
    scene.drain();
    scene.socket.room = 9;
    scene.turn();
    assert_eq!(scene.socket.received, b"[a?]");
    assert_eq!(scene.conversation.closed(), Some(CloseReason::Finished), "it was over without the drain");
}

#[test]
fn while_lingering_for_another_reason() {
    let mut scene = Scene::new(Limits::default().with_question_length(2));
    scene.hears("too long");
    scene.turn();
    scene.drain();
    scene.ends("Error: question too long.", CloseReason::QuestionTooLong);
}

#[test]
fn twice() {
    let mut scene = Scene::new(Limits::default());
    scene.drain();
    scene.drain();
    scene.ends("", CloseReason::Drained);
}

#[test]
fn when_closed() {
    let mut scene = Scene::new(Limits::default());
    scene.conversation.handle_eof(scene.now);
    assert_eq!(scene.conversation.closed(), Some(CloseReason::Finished));
    scene.drain();
    assert_eq!(scene.conversation.closed(), Some(CloseReason::Finished));
    assert_nothing_remains(&mut scene.conversation);
}

/// The last buffered question's answer takes up all the room: that nothing is left to answer must
/// still be noticed.
#[test]
fn drained_while_the_last_answer_fills_the_room() {
    let limits = Limits::default().with_outbound_low_water(1).with_outbound_high_water(4);
    let mut scene = Scene::new(limits);
    scene.socket.room = 0;
    scene.hears("a?b?");
    scene.turn();
    scene.drain();
    scene.socket.room = usize::MAX;
    scene.turn();
    scene.turn();
    scene.ends("[a?][b?]", CloseReason::Drained);
}
