//! Wake-ups: none is lost, whenever another thread acts between the steps of a turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Instant;

use zen_proto::{Answer, Conversation, DelimiterFraming, Flow, Limits, Pusher, Responder, Service};

/// Counts how often it is woken, and unparks the thread that made it.
pub(crate) struct Counter {
    woken: AtomicUsize,
    thread: thread::Thread,
}

impl Counter {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { woken: AtomicUsize::new(0), thread: thread::current() })
    }

    pub(crate) fn take(&self) -> usize {
        self.woken.swap(0, Ordering::SeqCst)
    }
}

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Keeps a responder or a pusher for each `l?` and `p?`; answers `m?` in two pieces.
#[derive(Default)]
struct Keeper {
    responders: Vec<Responder>,
    pushers: Vec<Pusher>,
}

impl Service for Keeper {
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) -> Flow {
        match question {
            b"l?" => {
                self.responders.push(answer.later());
                Flow::Later
            }
            b"p?" => {
                self.pushers.push(answer.pusher());
                Flow::Silent
            }
            b"m?" => {
                answer.put(b"(");
                Flow::More
            }
            b"now?" => {
                answer.later().answer("now.").unwrap();
                Flow::Later
            }
            _ => {
                answer.put(question);
                Flow::Continue
            }
        }
    }

    fn resume(&mut self, answer: &mut Answer<'_>) -> Flow {
        answer.put(b")");
        Flow::Continue
    }
}

struct Scene {
    conversation: Conversation<DelimiterFraming>,
    keeper: Keeper,
    now: Instant,
    counter: Arc<Counter>,
    waker: Waker,
}

impl Scene {
    fn new(questions: &str, limits: Limits) -> Self {
        let now = Instant::now();
        let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), limits, now);
        let mut keeper = Keeper::default();
        conversation.handle_input(questions.as_bytes(), now);
        conversation.answer_with(&mut keeper, now);
        let counter = Counter::new();
        let waker = Waker::from(Arc::clone(&counter));
        Self { conversation, keeper, now, counter, waker }
    }

    fn answer(&mut self) {
        self.conversation.answer_with(&mut self.keeper, self.now);
    }

    /// What a driver does before it waits. True if it must not.
    fn goes_again(&mut self) -> bool {
        self.conversation.expects_wake() && self.conversation.register_waker(&self.waker)
    }
}

/// When another thread acts: before the driver answers, between that and its question whether to
/// expect anything, or when it already waits.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Moment {
    BeforeAnswering,
    BeforeAsking,
    BeforeRegistering,
    Waiting,
}

const MOMENTS: [Moment; 4] =
    [Moment::BeforeAnswering, Moment::BeforeAsking, Moment::BeforeRegistering, Moment::Waiting];

/// Takes a turn in which another thread acts at one moment. Returns false if the driver would wait
/// although something has come.
fn is_noticed(scene: &mut Scene, moment: Moment, act: impl FnOnce(&mut Keeper)) -> bool {
    let mut act = Some(act);
    let mut at = |now, scene: &mut Scene| {
        if now == moment {
            act.take().unwrap()(&mut scene.keeper);
        }
    };
    at(Moment::BeforeAnswering, scene);
    scene.answer();
    at(Moment::BeforeAsking, scene);
    let expects = scene.conversation.expects_wake();
    at(Moment::BeforeRegistering, scene);
    let again = expects && scene.conversation.register_waker(&scene.waker);
    at(Moment::Waiting, scene);
    if moment == Moment::BeforeAnswering {
        return true;
    }
    again || scene.counter.take() == 1
}

#[test]
fn an_answer_is_noticed_at_any_moment() {
    for moment in MOMENTS {
        let mut scene = Scene::new("l?a?", Limits::default());
        assert!(is_noticed(&mut scene, moment, |keeper| keeper.responders.remove(0).answer("L.").unwrap()));
        scene.answer();
        assert_eq!(scene.conversation.transmit(), b"L.a?", "{moment:?}");
        assert!(!scene.goes_again(), "there is nothing more");
    }
}

#[test]
fn a_question_given_up_is_noticed_at_any_moment() {
    for moment in MOMENTS {
        let mut scene = Scene::new("l?a?", Limits::default());
        assert!(is_noticed(&mut scene, moment, |keeper| drop(keeper.responders.remove(0))));
        scene.answer();
        assert!(scene.conversation.poll_shutdown(), "{moment:?}");
    }
}

#[test]
fn a_pushed_message_is_noticed_at_any_moment_also_from_the_last_pusher() {
    for last in [true, false] {
        for moment in MOMENTS {
            let mut scene = Scene::new("p?", Limits::default());
            let noticed = is_noticed(&mut scene, moment, |keeper| {
                let pusher = keeper.pushers.remove(0);
                pusher.push("P.").unwrap();
                if !last {
                    keeper.pushers.push(pusher);
                }
            });
            assert!(noticed, "{moment:?}");
            scene.answer();
            assert_eq!(scene.conversation.transmit(), b"P.", "{moment:?}");
            assert!(!scene.goes_again());
        }
    }
}

#[test]
fn an_answer_is_noticed_while_pushed_messages_wait_for_room() {
    // The pieces of `m?` wait for the answer before them, and the pushed message for the pieces.
    for moment in MOMENTS {
        let mut scene = Scene::new("p?l?m?", Limits::default());
        assert!(!scene.goes_again());
        scene.keeper.pushers[0].push("P.").unwrap();
        assert_eq!(scene.counter.take(), 1, "the waker is used up");
        scene.answer();
        assert_eq!(scene.conversation.transmit(), b"", "everything waits for `l?`");
        assert!(is_noticed(&mut scene, moment, |keeper| keeper.responders.remove(0).answer("L.").unwrap()));
        scene.answer();
        assert_eq!(scene.conversation.transmit(), b"L.()P.", "{moment:?}");
    }
}

#[test]
fn a_message_that_has_no_room_is_sent_when_there_is_some() {
    for moment in MOMENTS {
        let mut scene = Scene::new("p?abc?", crate::script::little_room());
        scene.keeper.pushers[0].push("P.").unwrap();
        scene.answer();
        assert_eq!(scene.conversation.transmit(), b"abc?");
        is_noticed(&mut scene, moment, |keeper| keeper.pushers[0].push("Q.").unwrap());
        assert!(!scene.goes_again());
        let mut sent: Vec<u8> = Vec::new();
        while !scene.conversation.transmit().is_empty() {
            sent.extend(scene.conversation.transmit());
            scene.conversation.handle_sent(scene.conversation.transmit().len(), scene.now);
            if scene.conversation.wants_answer() {
                scene.answer();
            }
        }
        assert_eq!(sent, b"abc?P.Q.", "{moment:?}");
    }
}

#[test]
fn an_answer_that_the_service_gives_at_once_through_a_responder_is_sent() {
    let mut scene = Scene::new("now?a?", Limits::default());
    assert!(scene.goes_again() || !scene.conversation.transmit().is_empty());
    scene.answer();
    assert_eq!(scene.conversation.transmit(), b"now.a?");
}

#[test]
fn only_a_living_responder_or_pusher_is_a_reason_to_expect_a_wake() {
    let mut scene = Scene::new("a?", Limits::default());
    assert!(!scene.conversation.expects_wake(), "nobody has asked for one");
    assert!(!scene.conversation.register_waker(&scene.waker));
    scene.conversation.handle_input(b"p?", scene.now);
    scene.answer();
    assert!(scene.conversation.expects_wake());
    scene.keeper.pushers.clear();
    assert!(!scene.conversation.expects_wake(), "the pusher is gone");
}

#[test]
fn a_waker_is_used_once_and_the_last_one_registered_is() {
    let mut scene = Scene::new("l?l?", Limits::default());
    let other = Counter::new();
    assert!(!scene.conversation.register_waker(&Waker::from(Arc::clone(&other))));
    assert!(!scene.goes_again());
    for responder in scene.keeper.responders.drain(..) {
        responder.answer("L.").unwrap();
    }
    assert_eq!((scene.counter.take(), other.take()), (1, 0));
}

#[test]
fn a_thousand_answers_from_another_thread_all_arrive() {
    let limits = Limits::default().with_questions_in_flight(4);
    let mut scene = Scene::new("", limits);
    scene.conversation.handle_input(&b"l?".repeat(1000), scene.now);
    let (sender, receiver) = std::sync::mpsc::channel::<Responder>();
    let thread = thread::spawn(move || {
        for responder in receiver {
            responder.answer(".").unwrap();
        }
    });
    let mut sent = 0;
    while sent < 1000 {
        scene.answer();
        for responder in scene.keeper.responders.drain(..) {
            sender.send(responder).unwrap();
        }
        let n = scene.conversation.transmit().len();
        scene.conversation.handle_sent(n, scene.now);
        sent += n;
        // A lost wake-up would park this thread for ever; the deadline makes a failure of it.
        if n == 0 && !scene.conversation.wants_answer() && !scene.goes_again() {
            let before = Instant::now();
            while scene.counter.take() == 0 {
                thread::park_timeout(std::time::Duration::from_secs(20));
                assert!(before.elapsed().as_secs() < 20, "nobody wakes the driver, {sent} are sent");
            }
        }
    }
    drop(sender);
    thread.join().unwrap();
}
