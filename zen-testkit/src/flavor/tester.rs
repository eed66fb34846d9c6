//! The tester: a service that answers the aphorisms and the questions that provoke trouble, over a
//! framing that does.

use std::convert::Infallible;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use zen_proto::{
    Answer, ByteFraming, Decoded, DelimiterFraming, Ending, Flow, Framing, Output, Peer, PushError, Pusher,
    Service, Tls, Unsendable, aphorism,
};

/// A service that answers the aphorisms and a few questions that provoke trouble.
#[derive(Debug, Default)]
pub struct Tester {
    shared: Arc<Shared>,
    drop_panics: bool,
    has_last_words: bool,
    /// How much of the answer to [`PIECES`] is still to be written.
    left: usize,
    peer: Peer,
}

/// What all clones of one tester share.
#[derive(Debug, Default)]
struct Shared {
    /// The next call of `clone` panics.
    clone_panics: AtomicBool,
    /// The next conversation is greeted.
    greets: AtomicBool,
    produced: Arc<AtomicU64>,
}

/// The service panics while it answers this question.
pub const PANIC: &[u8] = b"Panic?";
/// The same, without a message on standard error.
pub const PANIC_QUIETLY: &[u8] = b"Panic quietly?";
/// The framing panics while it decodes this question.
pub const PANIC_IN_DECODE: &[u8] = b"Panic in decode?";
/// After the answer to this question, the framing panics when it is asked for last words.
pub const PANIC_IN_LAST_WORDS: &[u8] = b"Panic in last words?";
/// The answer to this question is [`DAWDLE_ANSWER`], and takes two milliseconds.
pub const DAWDLE: &[u8] = b"Dawdle?";
/// The answer to [`DAWDLE`].
pub const DAWDLE_ANSWER: &[u8] = b"So.";
/// The answer to this question takes half a second.
pub const SLOW: &[u8] = b"Slow?";
/// The answer to [`SLOW`].
pub const SLOW_ANSWER: &[u8] = b"At last.";
/// The answer to this question is [`BIG_ANSWER`] bytes long.
pub const BIG: &[u8] = b"Big?";
/// The length of the answer to [`BIG`], in bytes.
pub const BIG_ANSWER: usize = 60_000;
/// The answer to this question is written in pieces of [`PIECE`] bytes, and is
/// [`PIECES_ANSWER`] bytes long.
pub const PIECES: &[u8] = b"Pieces?";
/// The length of a piece of the answer to [`PIECES`], in bytes.
pub const PIECE: usize = 16 * 1024;
/// The length of the answer to [`PIECES`], in bytes.
pub const PIECES_ANSWER: usize = 5 * 1024 * 1024;

/// After the answer to this question, the next clone of the service panics.
pub const CLONE: &[u8] = b"Clone?";
/// After the answer to this question, the service panics when it is dropped.
pub const DROP: &[u8] = b"Drop?";
/// After the answer to this question, the next conversation begins with [`GREETING`].
pub const GREET: &[u8] = b"Greet?";
/// What a conversation begins with after [`GREET`].
pub const GREETING: &[u8] = b"Welcome.";
/// After the answer to this question, the peer is told [`LATE`] or [`STOPPING`] when that is why
/// the conversation ends.
pub const LAST_WORDS: &[u8] = b"Any last words?";
/// The last words after a broken deadline.
pub const LATE: &[u8] = b"Too late.";
/// The last words of a server that drains.
pub const STOPPING: &[u8] = b"Closing time.";
/// The answer to the questions that prepare something.
pub const SET_ANSWER: &[u8] = b"The trap is set.";

/// The answer to this question is what the service knows of its peer: see [`described`].
pub const WHO: &[u8] = b"Who am I?";
/// After the answer to this question, TLS starts.
pub const START_TLS: &[u8] = b"Start TLS?";
/// The answer to this question says whether TLS is unavailable, offered or active.
pub const TLS: &[u8] = b"Is this TLS?";
/// This question has no answer.
pub const HUSH: &[u8] = b"Hush?";
/// After the answer to this question, the conversation ends.
pub const BYE: &[u8] = b"Bye?";
/// The same, but another thread answers.
pub const BYE_LATER: &[u8] = b"Bye, later?";
/// The answer to [`BYE`] and [`BYE_LATER`].
pub const BYE_ANSWER: &[u8] = b"Goodbye.";
/// The answer to this question is left to a thread that gives up.
pub const GIVE_UP: &[u8] = b"Give up?";
/// After the answer to this question, another thread ends the conversation with [`KICKED`].
pub const KICK: &[u8] = b"Kick me?";
/// The last message after [`KICK`].
pub const KICKED: &[u8] = b"Out.";
/// The service panics while it answers this question, and the framing says [`OUT_OF_ORDER`].
pub const PANIC_WITH_WORDS: &[u8] = b"Panic with words?";
/// The last words after [`PANIC_WITH_WORDS`].
pub const OUT_OF_ORDER: &[u8] = b"Out of order.";
/// After the answer to this question, another thread pushes [`PUSHED`], when the peer is quiet.
pub const PUSH: &[u8] = b"Push?";
/// The message that [`PUSH`] asks for.
pub const PUSHED: &[u8] = b"By the way.";
/// After the answer to this question, another thread pushes messages of [`PUSHED_BIG`] bytes until
/// no more can wait, and then the text `Pushed N.`, in which N is their number.
pub const PUSH_ALL: &[u8] = b"Push all?";
/// The length of each message that [`PUSH_ALL`] asks for, in bytes.
pub const PUSHED_BIG: usize = 10_000;

/// A question that another thread answers with `N.` after `millis` milliseconds, where N is their
/// number.
pub fn later(millis: u64) -> String {
    format!("Later {millis}?")
}

/// The answer to [`WHO`]. A full stop ends an answer, so those inside are written as commas.
pub fn described(peer: &Peer) -> String {
    let Peer { remote, local, connection, .. } = peer;
    format!("{remote} at {local} is number {connection}").replace('.', ",") + "."
}

impl Tester {
    /// How many bytes of answers to [`PIECES`] all clones have written.
    pub fn produced(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.shared.produced)
    }

    fn piece<F: ByteFraming>(&mut self, answer: &mut Answer<'_, F>) -> Flow {
        let piece = PIECE.min(self.left);
        self.left -= piece;
        self.shared.produced.fetch_add(piece as u64, SeqCst);
        answer.put(&b"x".repeat(piece));
        if self.left == 0 { Flow::Continue } else { Flow::More }
    }
}

impl Clone for Tester {
    fn clone(&self) -> Self {
        let panics = self.shared.clone_panics.swap(false, SeqCst);
        assert!(!panics, "a question asked for this panic of a clone");
        let (shared, peer) = (Arc::clone(&self.shared), Peer::default());
        Self { shared, drop_panics: false, has_last_words: false, left: 0, peer }
    }
}

impl Drop for Tester {
    fn drop(&mut self) {
        assert!(!self.drop_panics || thread::panicking(), "a question asked for this panic of a drop");
    }
}

impl<F: ByteFraming> Service<F> for Tester {
    fn open(&mut self, peer: &Peer, answer: &mut Answer<'_, F>) -> Flow {
        self.peer = peer.clone();
        if !self.shared.greets.swap(false, SeqCst) {
            return Flow::Silent;
        }
        answer.put(GREETING);
        Flow::Continue
    }

    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_, F>) -> Flow {
        match question {
            PANIC | PANIC_WITH_WORDS => {
                answer.put(b"never to be sent.");
                panic!("a question asked for this panic");
            }
            PANIC_QUIETLY => {
                answer.put(b"never to be sent.");
                resume_unwind(Box::new("a question asked for this panic"));
            }
            DAWDLE => {
                thread::sleep(Duration::from_millis(2));
                answer.put(DAWDLE_ANSWER);
            }
            SLOW => {
                thread::sleep(Duration::from_millis(500));
                answer.put(SLOW_ANSWER);
            }
            BIG => {
                answer.put(&b"x".repeat(BIG_ANSWER - 1));
                answer.put(b".");
            }
            PIECES => {
                let begun = answer.stream(PIECES_ANSWER as u64);
                assert!(begun.is_ok(), "any length can be said");
                self.left = PIECES_ANSWER;
                return self.piece(answer);
            }
            CLONE | DROP | GREET | LAST_WORDS | PANIC_IN_LAST_WORDS => {
                match question {
                    CLONE => self.shared.clone_panics.store(true, SeqCst),
                    GREET => self.shared.greets.store(true, SeqCst),
                    DROP => self.drop_panics = true,
                    LAST_WORDS => self.has_last_words = true,
                    _ => {}
                }
                answer.put(SET_ANSWER);
            }
            START_TLS => {
                answer.put(SET_ANSWER);
                return Flow::StartTls;
            }
            TLS => answer.put(format!("{:?}.", self.peer.tls).as_bytes()),
            WHO => answer.put(described(&self.peer).as_bytes()),
            HUSH => {
                answer.put(b"never to be sent.");
                return Flow::Silent;
            }
            BYE => {
                answer.put(BYE_ANSWER);
                return Flow::Close;
            }
            BYE_LATER => {
                let responder = answer.later();
                in_another_thread(Duration::from_millis(50), move || {
                    let _ = responder.answer_and_close(BYE_ANSWER);
                });
                return Flow::Later;
            }
            GIVE_UP => {
                let responder = answer.later();
                in_another_thread(Duration::from_millis(50), move || drop(responder));
                return Flow::Later;
            }
            KICK => {
                let pusher = answer.pusher();
                in_another_thread(Duration::from_millis(200), move || {
                    let _ = pusher.push_and_close(KICKED);
                });
                answer.put(SET_ANSWER);
            }
            PUSH => {
                let pusher = answer.pusher();
                in_another_thread(Duration::from_millis(300), move || {
                    let _ = pusher.push(PUSHED);
                });
                answer.put(SET_ANSWER);
            }
            PUSH_ALL => {
                let pusher = answer.pusher();
                in_another_thread(Duration::ZERO, move || push_all(&pusher));
                answer.put(SET_ANSWER);
            }
            other => {
                if let Some(millis) = wanted_later(other) {
                    let responder = answer.later();
                    in_another_thread(Duration::from_millis(millis), move || {
                        let _ = responder.answer(format!("{millis}."));
                    });
                    return Flow::Later;
                }
                answer.put(aphorism::answer(other).as_bytes());
            }
        }
        Flow::Continue
    }

    fn resume(&mut self, answer: &mut Answer<'_, F>) -> Flow {
        self.piece(answer)
    }

    fn tls_started(&mut self, _answer: &mut Answer<'_, F>) -> Flow {
        self.peer.tls = Tls::Active;
        Flow::Silent
    }

    fn last_words(&mut self, ending: Ending<'_, F::Error>, answer: &mut Answer<'_, F>) -> Flow {
        match ending {
            _ if !self.has_last_words => return Flow::Silent,
            Ending::Deadline(_) => answer.put(LATE),
            Ending::Drained => answer.put(STOPPING),
            _ => return Flow::Silent,
        }
        Flow::Continue
    }
}

/// Does it in another thread, after a while.
fn in_another_thread(after: Duration, act: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        thread::sleep(after);
        act();
    });
}

/// The time that a question of [`later`] asks for.
fn wanted_later(question: &[u8]) -> Option<u64> {
    std::str::from_utf8(question).ok()?.strip_prefix("Later ")?.strip_suffix('?')?.parse().ok()
}

fn push_all(pusher: &Pusher) {
    let mut message = b"x".repeat(PUSHED_BIG - 1);
    message.push(b'.');
    let mut number = 0;
    loop {
        match pusher.push(message.clone()) {
            Ok(()) => number += 1,
            Err(PushError::Full { .. }) => break,
            Err(_) => return,
        }
    }
    while let Err(PushError::Full { .. }) = pusher.push(format!("Pushed {number}.")) {
        thread::sleep(Duration::from_millis(1));
    }
}

/// zen's own framing, which panics where it is asked to.
#[derive(Debug, Clone)]
pub struct TesterFraming {
    inner: DelimiterFraming,
    panics: bool,
    has_words: bool,
}

impl Default for TesterFraming {
    fn default() -> Self {
        Self { inner: aphorism::framing(), panics: false, has_words: false }
    }
}

impl Framing for TesterFraming {
    type Message<'a> = &'a [u8];
    type Error = Infallible;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<&'a [u8], Infallible> {
        let decoded = self.inner.decode(input);
        if let Decoded::Whole { message, .. } = &decoded {
            assert!(*message != PANIC_IN_DECODE, "a question asked for this panic of the framing");
            self.panics |= *message == PANIC_IN_LAST_WORDS;
            self.has_words |= *message == PANIC_WITH_WORDS;
        }
        decoded
    }

    fn end(&mut self, output: &mut Output<'_>, start: usize) -> Result<(), Unsendable> {
        self.inner.end(output, start)
    }

    fn last_words(&mut self, ending: &Ending<'_, Infallible>, output: &mut Output<'_>) {
        if self.panics {
            output.put(b"never to be sent.");
            panic!("a question asked for this panic of the last words");
        }
        if self.has_words && matches!(ending, Ending::Failed) {
            output.put(OUT_OF_ORDER);
        }
        self.inner.last_words(ending, output);
    }
}
