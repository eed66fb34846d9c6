//! Wake-ups: whatever another thread has left for a conversation, its driver learns of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::time::Instant;

use zen_proto::{
    Answer, CloseReason, Conversation, DelimiterFraming, Flow, Limits, Peer, Pusher, Responder, Service,
    aphorism,
};

/// Keeps what it may answer and push with, for the test to use.
#[derive(Default, Clone)]
struct Kept {
    responders: Arc<Mutex<Vec<Responder>>>,
    pusher: Arc<Mutex<Option<Pusher>>>,
}

impl Service for Kept {
    fn open(&mut self, _: &Peer, answer: &mut Answer<'_>) -> Flow {
        *self.pusher.lock().unwrap() = Some(answer.pusher());
        Flow::Silent
    }

    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) -> Flow {
        let responder = answer.later();
        if question == b"Now?" {
            responder.answer(*b"Now.").unwrap();
        } else {
            self.responders.lock().unwrap().push(responder);
        }
        Flow::Later
    }
}

impl Kept {
    fn respond(&self, text: &str) {
        self.responders.lock().unwrap().remove(0).answer(text).unwrap();
    }

    fn push(&self, text: &str) {
        self.pusher.lock().unwrap().as_ref().unwrap().push(text).unwrap();
    }
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn asked(text: &str, limits: Limits, now: Instant) -> (Conversation<DelimiterFraming>, Kept) {
    let mut conversation = Conversation::new(aphorism::framing(), limits, now);
    let mut service = Kept::default();
    conversation.open(&mut service, &Peer::default(), now);
    conversation.handle_input(text.as_bytes(), now);
    conversation.answer_with(&mut service, now);
    (conversation, service)
}

#[test]
fn an_answer_that_came_before_the_driver_could_wait_is_not_forgotten() {
    let now = Instant::now();
    let (mut conversation, mut service) = asked("Now?", Limits::default(), now);
    // No responder is alive any more, and no pusher either.
    service.pusher.lock().unwrap().take();
    assert!(conversation.expects_wake());
    assert!(conversation.register_waker(Waker::noop()), "another turn is due");
    conversation.answer_with(&mut service, now);
    assert_eq!(conversation.transmit(), b"Now.");
    assert!(!conversation.expects_wake());
}

#[test]
fn a_waker_is_woken_once_for_each_time_that_it_is_registered() {
    let now = Instant::now();
    let (mut conversation, mut service) = asked("a?b?c?", Limits::default(), now);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut expected = 0;
    for text in ["A.", "B.", "C."] {
        assert!(!conversation.register_waker(&waker));
        service.respond(text);
        service.push("Pushed.");
        expected += 1;
        assert_eq!(woken.0.load(Ordering::SeqCst), expected);
        conversation.answer_with(&mut service, now);
    }
    assert_eq!(conversation.transmit(), b"A.Pushed.B.Pushed.C.Pushed.");
}

#[test]
fn an_answer_is_noticed_while_a_pushed_message_waits() {
    let now = Instant::now();
    let (mut conversation, mut service) = asked("a?", Limits::default(), now);
    service.push("Too late.");
    // No pushed message leaves after the end of the input.
    conversation.handle_eof(now);
    conversation.answer_with(&mut service, now);
    assert!(!conversation.register_waker(Waker::noop()), "nothing can be done for the pushed message");
    service.respond("A.");
    assert!(conversation.register_waker(Waker::noop()), "another turn is due");
    conversation.answer_with(&mut service, now);
    assert_eq!(conversation.transmit(), b"A.");
}

#[test]
fn an_answer_that_has_come_is_not_late_though_the_driver_is() {
    let start = Instant::now();
    let (mut conversation, mut service) = asked("a?", Limits::default(), start);
    service.respond("A.");
    let late = start + Limits::default().answer_deadline * 2;
    conversation.handle_timeout(late);
    conversation.answer_with(&mut service, late);
    assert_eq!(conversation.transmit(), b"A.");
    assert_eq!(conversation.closed(), None::<CloseReason>);
}
