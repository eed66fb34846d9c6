//! Last words: what a peer is told before its conversation ends and that was not its wish.

use std::time::{Duration, Instant};

use zen_proto::{
    Answer, CloseReason, Conversation, Decoded, Ending, Flow, Framing, Limits, Output, Peer, Service,
};

use crate::driver::{Inline, Socket, assert_nothing_remains, turn};

/// Messages end with `?`, and `!` is malformed. The framing has words for every ending.
#[derive(Debug, Default)]
struct Wordy {
    panics: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("an exclamation mark")]
struct Exclaimed;

impl Framing for Wordy {
    type Message<'a> = &'a [u8];
    type Error = Exclaimed;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<&'a [u8], Exclaimed> {
        match input.iter().position(|byte| matches!(byte, b'?' | b'!')) {
            Some(at) if input[at] == b'!' => Decoded::Malformed(Exclaimed),
            Some(at) => Decoded::Whole { start: 0, end: at + 1, message: &input[..=at] },
            None => Decoded::Partial { start: 0, end: input.len() + 1 },
        }
    }

    fn last_words(&mut self, ending: &Ending<'_, Exclaimed>, output: &mut Output<'_>) {
        output.put(words(ending).as_bytes());
        if self.panics {
            // Not `panic!`, whose hook would print: this panic is expected.
            std::panic::resume_unwind(Box::new("words"));
        }
    }
}

fn words(ending: &Ending<'_, Exclaimed>) -> String {
    match ending {
        Ending::TooLong { limit } => format!("<over {limit}>"),
        Ending::Malformed(error) => format!("<{error}>"),
        Ending::Deadline(reason) => format!("<{reason}>"),
        Ending::Drained => "<stopping>".to_owned(),
        Ending::Failed => "<failed>".to_owned(),
        _ => "<unknown>".to_owned(),
    }
}

/// Answers with the question, or never if it is `later?`. Its last words are those of the ending
/// behind `own `.
struct Speaker {
    flow: Flow,
    panics: bool,
    asked: usize,
}

impl Speaker {
    fn new(flow: Flow) -> Inline<Self> {
        Inline(Self { flow, panics: false, asked: 0 })
    }
}

impl Service<Wordy> for Speaker {
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_, Wordy>) -> Flow {
        if question == b"later?" {
            std::mem::forget(answer.later());
            return Flow::Later;
        }
        answer.put(question);
        Flow::Continue
    }

    fn last_words(&mut self, ending: Ending<'_, Exclaimed>, answer: &mut Answer<'_, Wordy>) -> Flow {
        self.asked += 1;
        answer.put(format!("own {}", words(&ending)).as_bytes());
        if self.panics {
            std::panic::resume_unwind(Box::new("words"));
        }
        self.flow
    }
}

fn limits() -> Limits {
    Limits::default().with_question_length(8)
}

struct Scene {
    conversation: Conversation<Wordy>,
    application: Inline<Speaker>,
    socket: Socket,
    now: Instant,
}

impl Scene {
    fn new(application: Inline<Speaker>, opened: bool) -> Self {
        let now = Instant::now();
        let mut scene = Self {
            conversation: Conversation::new(Wordy::default(), limits(), now),
            application,
            socket: Socket::default(),
            now,
        };
        if opened {
            scene.conversation.open(&mut scene.application.0, &Peer::default(), now);
        }
        scene
    }

    fn hears(&mut self, text: &str) {
        self.conversation.handle_input(text.as_bytes(), self.now);
        self.turn();
    }

    fn turn(&mut self) {
        turn(&mut self.conversation, &mut self.application, &mut self.socket, self.now);
    }

    fn wait(&mut self) {
        self.now = self.conversation.poll_timeout().expect("there is a deadline");
        self.conversation.handle_timeout(self.now);
        self.turn();
    }

    fn received(&self) -> String {
        self.socket.received.escape_ascii().to_string()
    }
}

/// A way to end that the peer did not wish, between the framing's words for it and its reason.
type End = (&'static str, fn(&mut Scene), CloseReason);

const ENDINGS: [End; 6] = [
    ("<over 8>", |scene| scene.hears("much too long?"), CloseReason::QuestionTooLong),
    ("<an exclamation mark>", |scene| scene.hears("b!"), CloseReason::Malformed),
    (
        "<question_deadline>",
        |scene| {
            scene.hears("b");
            scene.wait();
        },
        CloseReason::QuestionDeadline,
    ),
    ("<idle_deadline>", Scene::wait, CloseReason::IdleDeadline),
    (
        "<answer_deadline>",
        |scene| {
            scene.hears("later?c?");
            scene.wait();
        },
        CloseReason::AnswerDeadline,
    ),
    (
        "<stopping>",
        |scene| {
            scene.conversation.drain(scene.now);
            scene.turn();
        },
        CloseReason::Drained,
    ),
];

#[test]
fn the_service_speaks_first_and_the_framing_if_it_is_silent() {
    for (words, end, reason) in ENDINGS {
        for (flow, own) in [
            (Flow::Silent, false),
            (Flow::Later, false),
            (Flow::Continue, true),
            (Flow::Close, true),
            (Flow::More, true),
        ] {
            let mut scene = Scene::new(Speaker::new(flow), true);
            scene.hears("a?");
            end(&mut scene);
            let said = if own { format!("own {words}") } else { words.to_owned() };
            assert_eq!(scene.received(), format!("a?{said}"), "{reason}, {flow:?}");
            assert_eq!(scene.application.0.asked, 1);
            assert!(scene.socket.fin, "{reason}: FIN comes behind them");
            assert_eq!(scene.conversation.closed(), None);
            scene.hears("more?");
            scene.conversation.handle_eof(scene.now);
            scene.turn();
            assert_eq!(scene.conversation.closed(), Some(reason));
            assert_eq!(scene.received(), format!("a?{said}"));
        }
    }
}

#[test]
fn a_conversation_that_no_service_has_opened_gets_the_framings_words() {
    for (words, end, reason) in ENDINGS {
        let mut scene = Scene::new(Speaker::new(Flow::Continue), false);
        scene.hears("a?");
        end(&mut scene);
        assert_eq!(scene.received(), format!("a?{words}"), "{reason}");
        assert_eq!(scene.application.0.asked, 0);
        scene.conversation.handle_eof(scene.now);
        assert_eq!(scene.conversation.closed(), Some(reason));
    }
}

#[test]
fn a_panic_in_the_services_words_sends_nothing_of_them() {
    for (_, end, _) in ENDINGS {
        let mut application = Speaker::new(Flow::Continue);
        application.0.panics = true;
        let mut scene = Scene::new(application, true);
        scene.hears("a?");
        end(&mut scene);
        assert_eq!(scene.received(), "a?<failed>", "the framing speaks for a broken service");
        assert!(scene.socket.fin);
        scene.conversation.handle_eof(scene.now);
        assert_eq!(scene.conversation.closed(), Some(CloseReason::ServiceFailed));
    }
}

#[test]
fn a_panic_in_the_framings_words_sends_nothing_of_them() {
    for opened in [true, false] {
        for (_, end, reason) in ENDINGS {
            let now = Instant::now();
            let mut scene = Scene::new(Speaker::new(Flow::Silent), false);
            scene.conversation = Conversation::new(Wordy { panics: true }, limits(), now);
            if opened {
                scene.conversation.open(&mut scene.application.0, &Peer::default(), now);
            }
            scene.hears("a?");
            end(&mut scene);
            assert_eq!(scene.received(), "a?");
            scene.conversation.handle_eof(scene.now);
            scene.turn();
            assert_eq!(scene.conversation.closed(), Some(reason));
        }
    }
}

#[test]
fn a_refusal_waits_for_the_answers_in_flight() {
    let now = Instant::now();
    let mut responders = Vec::new();
    let mut conversation = Conversation::new(Wordy::default(), limits(), now);
    let mut service = |_: &[u8], answer: &mut Answer<'_, Wordy>| {
        responders.push(answer.later());
        Flow::Later
    };
    conversation.open(&mut service, &Peer::default(), now);
    conversation.handle_input(b"a?b?much too long?c?", now);
    conversation.answer_with(&mut service, now);
    let mut silent = |_: &[u8], _: &mut Answer<'_, Wordy>| -> Flow { panic!("there are no more questions") };
    assert_eq!(conversation.transmit(), b"");
    for (responder, text) in responders.into_iter().zip(["A.", "B."]).rev() {
        assert_eq!(conversation.transmit(), b"");
        responder.answer(text).unwrap();
        conversation.answer_with(&mut silent, now);
    }
    assert_eq!(conversation.transmit(), b"A.B.<over 8>");
}

#[test]
fn a_drain_says_its_words_behind_all_that_was_asked_before() {
    let mut scene = Scene::new(Speaker::new(Flow::Silent), true);
    scene.conversation.handle_input(b"a?b?c", scene.now);
    scene.conversation.drain(scene.now);
    scene.turn();
    assert_eq!(scene.received(), "a?b?<stopping>");
    assert!(scene.socket.fin);
}

#[test]
fn nothing_is_said_to_a_peer_that_is_gone() {
    for (_, end, reason) in ENDINGS {
        let mut scene = Scene::new(Speaker::new(Flow::Continue), true);
        scene.socket.room = 0;
        end(&mut scene);
        scene.conversation.handle_lost(scene.now);
        scene.turn();
        assert_eq!(scene.received(), "");
        assert_eq!(scene.conversation.closed(), Some(CloseReason::ConnectionLost), "{reason}: unsent");
        let mut gone = Scene::new(Speaker::new(Flow::Continue), true);
        gone.conversation.handle_lost(gone.now);
        gone.conversation.drain(gone.now);
        gone.turn();
        assert_eq!(gone.application.0.asked, 0);
    }
}

#[test]
fn a_peer_that_has_half_closed_is_told_and_not_waited_for() {
    let mut scene = Scene::new(Speaker::new(Flow::Silent), true);
    scene.conversation.handle_input(b"a?b!", scene.now);
    scene.conversation.handle_eof(scene.now);
    scene.turn();
    assert_eq!(scene.received(), "a?<an exclamation mark>");
    assert_eq!(scene.conversation.closed(), Some(CloseReason::Malformed));
}

#[test]
fn the_peers_own_wish_to_end_needs_no_words() {
    for (text, reason) in [("a?", CloseReason::Finished), ("a?b", CloseReason::Truncated)] {
        let mut scene = Scene::new(Speaker::new(Flow::Continue), true);
        scene.hears(text);
        scene.conversation.handle_eof(scene.now);
        scene.turn();
        assert_eq!((scene.received().as_str(), scene.conversation.closed()), ("a?", Some(reason)));
    }
}

#[test]
fn a_late_peer_that_does_not_read_its_last_words_is_waited_for_as_long_as_a_lingering_close() {
    let mut scene = Scene::new(Speaker::new(Flow::Continue), true);
    scene.socket.room = 0;
    scene.wait();
    let late = scene.now;
    assert_eq!(scene.conversation.closed(), None, "the words are unsent");
    scene.wait();
    assert_eq!(scene.now, late + limits().linger_deadline);
    assert_eq!(scene.conversation.closed(), Some(CloseReason::IdleDeadline));
    assert_nothing_remains(&mut scene.conversation);
}

#[test]
fn a_late_peer_to_which_nothing_is_said_is_not_waited_for() {
    /// Says nothing, not even in the framing's words.
    struct Mute;
    impl Service<Wordy> for Mute {
        fn answer(&mut self, _: &[u8], _: &mut Answer<'_, Wordy>) -> Flow {
            Flow::Silent
        }

        fn last_words(&mut self, _: Ending<'_, Exclaimed>, _: &mut Answer<'_, Wordy>) -> Flow {
            Flow::Continue
        }
    }
    let now = Instant::now();
    let mut conversation = Conversation::new(Wordy::default(), limits(), now);
    conversation.open(&mut Mute, &Peer::default(), now);
    let late = conversation.poll_timeout().unwrap();
    conversation.handle_timeout(late);
    conversation.answer_with(&mut Mute, late);
    assert_eq!(conversation.closed(), Some(CloseReason::IdleDeadline));
}

#[test]
fn deadlines_of_a_peer_that_cannot_hear_end_at_once() {
    let mut scene = Scene::new(Speaker::new(Flow::Continue), true);
    scene.socket.room = 0;
    scene.hears("a?");
    scene.wait();
    assert_eq!(scene.conversation.closed(), Some(CloseReason::WriteDeadline));
    let mut draining = Scene::new(Speaker::new(Flow::Continue), true);
    draining.hears("later?");
    draining.conversation.drain(draining.now);
    draining.wait();
    assert_eq!(draining.conversation.closed(), Some(CloseReason::DrainDeadline));
    assert_eq!((scene.application.0.asked, draining.application.0.asked), (0, 0));
}

#[test]
fn an_answer_that_comes_behind_its_deadline_is_dropped() {
    let now = Instant::now();
    let kept = std::cell::RefCell::new(None);
    let mut service = |_: &[u8], answer: &mut Answer<'_, Wordy>| {
        kept.replace(Some(answer.later()));
        Flow::Later
    };
    let mut conversation = Conversation::new(Wordy::default(), limits(), now);
    conversation.open(&mut service, &Peer::default(), now);
    conversation.handle_input(b"a?", now);
    conversation.answer_with(&mut service, now);
    let late = now + Duration::from_secs(30);
    conversation.handle_timeout(late);
    kept.take().expect("a responder").answer("late.").unwrap();
    conversation.answer_with(&mut service, late);
    assert_eq!(conversation.transmit(), b"<answer_deadline>");
}

/// Fails at `p?`, gives up at `g?`, and answers `m?` in pieces, of which the second fails.
struct Fragile {
    streams: bool,
}

impl Service<Wordy> for Fragile {
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_, Wordy>) -> Flow {
        answer.put(question);
        match question {
            b"p?" => std::panic::resume_unwind(Box::new("answer")),
            b"g?" => {
                drop(answer.later());
                return Flow::Later;
            }
            b"m?" => {
                if self.streams {
                    answer.stream(100).unwrap();
                    answer.put(question);
                }
                return Flow::More;
            }
            _ => {}
        }
        Flow::Continue
    }

    fn resume(&mut self, answer: &mut Answer<'_, Wordy>) -> Flow {
        answer.put(b"never");
        std::panic::resume_unwind(Box::new("piece"))
    }

    fn last_words(&mut self, _: Ending<'_, Exclaimed>, _: &mut Answer<'_, Wordy>) -> Flow {
        panic!("a service that has failed is not asked")
    }
}

#[test]
fn a_failed_service_leaves_the_words_to_the_framing() {
    for opened in [true, false] {
        for (streams, asked, said) in [
            (false, "a?p?b?", "a?<failed>"),
            (false, "a?g?b?", "a?<failed>"),
            (false, "a?m?b?", "a?m?<failed>"),
            // The peer would take the words for a part of the message.
            (true, "a?m?b?", "a?m?"),
        ] {
            let now = Instant::now();
            let mut conversation = Conversation::new(Wordy::default(), limits(), now);
            let mut application = Inline(Fragile { streams });
            if opened {
                conversation.open(&mut application.0, &Peer::default(), now);
            }
            let mut socket = Socket::default();
            conversation.handle_input(asked.as_bytes(), now);
            // The second turn is the one after the wake.
            turn(&mut conversation, &mut application, &mut socket, now);
            conversation.answer_with(&mut application.0, now);
            turn(&mut conversation, &mut application, &mut socket, now);
            assert_eq!(socket.received.escape_ascii().to_string(), said, "{asked}");
            assert!(socket.fin);
            conversation.handle_eof(now);
            assert_eq!(conversation.closed(), Some(CloseReason::ServiceFailed));
        }
    }
}

#[test]
fn a_framing_that_fails_is_asked_for_its_words_too_and_its_panics_are_caught() {
    for panics in [false, true] {
        let now = Instant::now();
        let mut conversation = Conversation::new(Wordy { panics }, limits(), now);
        let mut application = Inline(Fragile { streams: false });
        let mut socket = Socket::default();
        conversation.handle_input(b"a?p?", now);
        turn(&mut conversation, &mut application, &mut socket, now);
        let said = if panics { "a?" } else { "a?<failed>" };
        assert_eq!(socket.received.escape_ascii().to_string(), said);
        assert!(socket.fin);
    }
}

#[test]
fn words_about_a_failure_wait_for_the_answers_before_it() {
    let now = Instant::now();
    let mut responders = Vec::new();
    let mut conversation = Conversation::new(Wordy::default(), limits(), now);
    let mut service = |_: &[u8], answer: &mut Answer<'_, Wordy>| {
        responders.push(answer.later());
        Flow::Later
    };
    conversation.open(&mut service, &Peer::default(), now);
    conversation.handle_input(b"a?b?c?", now);
    conversation.answer_with(&mut service, now);
    let mut silent = |_: &[u8], _: &mut Answer<'_, Wordy>| -> Flow { panic!("there are no more questions") };
    drop(responders.remove(1));
    conversation.answer_with(&mut silent, now);
    assert_eq!(conversation.transmit(), b"", "a is still owed");
    responders.remove(0).answer("A.").unwrap();
    conversation.answer_with(&mut silent, now);
    assert_eq!(conversation.transmit(), b"A.<failed>");
}
