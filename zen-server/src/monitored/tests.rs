//! What a monitor hears.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread::sleep;

use zen_proto::{Address, CloseReason, Conversation, Limits, Responder, aphorism};

use super::*;

#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn line(&self, line: String) {
        self.0.borrow_mut().push(line);
    }
}

impl Monitor for Log {
    type Kind = String;

    fn opened(&mut self, peer: &Peer) {
        self.line(format!("{} opened", peer.connection));
    }

    fn asked(&mut self, question: &&[u8]) -> String {
        question.escape_ascii().to_string()
    }

    fn deferred(&mut self, kind: &String, answered: &Answered<'_>) {
        let Answered { peer, owed, bytes_in, bytes_out, flow, .. } = answered;
        self.line(format!("{} {kind} deferred {flow:?} {bytes_in}/{bytes_out} {owed:?}", peer.connection));
    }

    fn answered(&mut self, kind: String, answered: &Answered<'_>) {
        let Answered { peer, took, owed, bytes_in, bytes_out, flow } = answered;
        let slow = if kind == "slow?" && *took >= Duration::from_millis(5) { " slowly" } else { "" };
        let owed = owed.map(|owed| format!(" owed {owed:?}")).unwrap_or_default();
        self.line(format!("{} {kind} {flow:?} {bytes_in}/{bytes_out}{slow}{owed}", peer.connection));
    }

    fn unanswered(&mut self, kind: String) {
        self.line(format!("{kind} unanswered"));
    }

    fn closed(&mut self, peer: &Peer, closed: &Closed) {
        self.line(format!("{} {} after {}", peer.connection, closed.reason, closed.questions));
    }
}

fn answer(question: &[u8], answer: &mut Answer<'_>) -> Flow {
    answer.put(b"half");
    match question {
        b"panic?" => resume_unwind(Box::new("answer")),
        b"slow?" => sleep(Duration::from_millis(5)),
        b"silent?" => return Flow::Silent,
        _ => answer.put(b" full"),
    }
    Flow::Continue
}

#[test]
fn a_monitor_hears_of_the_opening_of_each_question_and_of_the_end() {
    let (log, now) = (Log::default(), Instant::now());
    let mut service = Monitored::new(answer, log.clone());
    let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    let peer = Peer::new(Address::Unknown, Address::Unknown, 7);
    conversation.open(&mut service, &peer, now);
    conversation.handle_input(b"a? slow?silent?panic?b?", now);
    conversation.answer_with(&mut service, now);
    assert_eq!(conversation.transmit(), b"half fullhalf", "the answers are the service's own");
    conversation.handle_sent(13, now);
    conversation.handle_eof(now);
    assert_eq!(conversation.poll_closed(&mut service), Some(CloseReason::ServiceFailed));
    let expected = [
        "7 opened",
        "7 a? Some(Continue) 2/9",
        "7 slow? Some(Continue) 6/4 slowly",
        "7 silent? Some(Silent) 7/4",
        "7 panic? None 6/4",
        "7 service_failed after 3",
    ];
    assert_eq!(*log.0.borrow(), expected);
}

/// Puts off what is to come later, and answers the rest.
#[derive(Clone, Default)]
struct Slow(Rc<RefCell<Vec<Responder>>>);

impl Service for Slow {
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) -> Flow {
        if question == b"now?" {
            answer.put(b"Now.");
            return Flow::Continue;
        }
        answer.put(b"forgotten");
        self.0.borrow_mut().push(answer.later());
        Flow::Later
    }
}

/// A monitored conversation with a slow service, after `input`.
fn asked(input: &[u8], now: Instant) -> (Log, Slow, Monitored<Slow, Log>, Conversation<DelimiterFraming>) {
    let (log, slow) = (Log::default(), Slow::default());
    let mut service = Monitored::new(slow.clone(), log.clone());
    let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    conversation.open(&mut service, &Peer::new(Address::Unknown, Address::Unknown, 7), now);
    conversation.handle_input(input, now);
    conversation.answer_with(&mut service, now);
    (log, slow, service, conversation)
}

#[test]
fn a_deferred_answer_is_told_when_it_leaves_and_how_long_it_was_owed() {
    let now = Instant::now();
    let (log, slow, mut service, mut conversation) = asked(b"first?second?now?third?", now);
    let mut responders = slow.0.take().into_iter();
    let mut next = || responders.next().expect("it was asked");
    let (first, second, third) = (next(), next(), next());

    // The second waits for the first, so it has not left.
    second.answer("Two.").expect("the conversation goes on");
    conversation.answer_with(&mut service, now + Duration::from_secs(1));
    assert_eq!(log.0.borrow().len(), 5, "{:?}", log.0.borrow());

    // An alarm takes the mail without the service, which is told in the next turn.
    first.stay_silent().expect("the conversation goes on");
    conversation.handle_timeout(now + Duration::from_secs(3));
    assert_eq!(log.0.borrow().len(), 5, "{:?}", log.0.borrow());
    conversation.answer_with(&mut service, now + Duration::from_secs(4));
    assert_eq!(log.0.borrow().len(), 7, "{:?}", log.0.borrow());

    // The last is told although it ends the conversation.
    third.answer_and_close("Three.").expect("the conversation goes on");
    conversation.answer_with(&mut service, now + Duration::from_secs(5));
    assert_eq!(conversation.transmit(), b"Two.Now.Three.");
    let sent = conversation.transmit().len();
    conversation.handle_sent(sent, now + Duration::from_secs(5));
    conversation.handle_eof(now + Duration::from_secs(5));
    assert_eq!(conversation.poll_closed(&mut service), Some(CloseReason::ServiceClosed));

    let expected = [
        "7 opened",
        "7 first? deferred Some(Later) 6/0 None",
        "7 second? deferred Some(Later) 7/0 None",
        "7 now? Some(Continue) 4/4",
        "7 third? deferred Some(Later) 6/0 None",
        "7 first? Some(Silent) 6/0 owed 3s",
        "7 second? Some(Continue) 7/4 owed 3s",
        "7 third? Some(Close) 6/6 owed 5s",
        "7 service_closed after 4",
    ];
    assert_eq!(*log.0.borrow(), expected);
}

#[test]
fn what_is_still_owed_in_the_end_is_told_as_unanswered() {
    let now = Instant::now();
    let (log, slow, mut service, mut conversation) = asked(b"first?second?third?", now);
    let mut responders = slow.0.take().into_iter();
    responders.next().expect("it was asked").answer("One.").expect("the conversation goes on");
    // The first has left when the connection breaks, but the service has not been told.
    conversation.handle_timeout(now + Duration::from_secs(2));
    conversation.handle_lost(now + Duration::from_secs(2));
    assert_eq!(conversation.poll_closed(&mut service), Some(CloseReason::ConnectionLost));
    let log = log.0.borrow();
    let expected = [
        "7 first? Some(Continue) 6/4 owed 2s",
        "second? unanswered",
        "third? unanswered",
        "7 connection_lost after 3",
    ];
    assert_eq!(log[log.len() - 4..], expected);
}
