//! What a monitor hears.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread::sleep;

use zen_proto::{Address, CloseReason, Conversation, Limits, aphorism};

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

    fn answered(&mut self, kind: String, answered: &Answered<'_>) {
        let Answered { peer, took, bytes, flow } = answered;
        let slow = if kind == "slow?" && *took >= Duration::from_millis(5) { " slowly" } else { "" };
        self.line(format!("{} {kind} {flow:?} {bytes}{slow}", peer.connection));
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
    conversation.handle_input(b"a?slow?silent?panic?b?", now);
    conversation.answer_with(&mut service, now);
    assert_eq!(conversation.transmit(), b"half fullhalf", "the answers are the service's own");
    conversation.handle_sent(13, now);
    conversation.handle_eof(now);
    assert_eq!(conversation.poll_closed(&mut service), Some(CloseReason::ServiceFailed));
    let expected = [
        "7 opened",
        "7 a? Some(Continue) 9",
        "7 slow? Some(Continue) 4 slowly",
        "7 silent? Some(Silent) 4",
        "7 panic? None 4",
        "7 service_failed after 3",
    ];
    assert_eq!(*log.0.borrow(), expected);
}
