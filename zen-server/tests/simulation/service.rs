//! The service: does what each question asks for, and sees whether it is asked in order.

use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::Duration;

use zen_proto::{Answer, Closed, Ending, Flow, Peer, Service};

use crate::faults::Fault;
use crate::peer::Ask;
use crate::shape::{Exclamation, Questions};
use crate::world::{Owed, World};

pub(crate) struct Simulated {
    world: Rc<World>,
    /// The longest delay of a deferred answer that is in time, and of one that may be late.
    delays: (Duration, Duration),
    flawless: Rc<[bool]>,
    key: usize,
    pieces: usize,
}

impl Simulated {
    pub(crate) fn new(world: &Rc<World>, answer_deadline: Duration, flawless: Rc<[bool]>) -> Self {
        let delays = (answer_deadline / 4, answer_deadline * 2);
        Self { world: Rc::clone(world), delays, flawless, key: 0, pieces: 0 }
    }
}

impl Clone for Simulated {
    fn clone(&self) -> Self {
        if self.world.numbers.one_in(200) {
            self.world.count(Fault::ClonePanic);
            panic_silently();
        }
        let (world, flawless) = (Rc::clone(&self.world), Rc::clone(&self.flawless));
        Self { world, delays: self.delays, flawless, key: self.key, pieces: 0 }
    }
}

/// A panic without a message on standard error.
fn panic_silently() {
    resume_unwind(Box::new("on purpose"));
}

/// The answer to the question of this number, without its end.
pub(crate) fn text(number: usize) -> String {
    let long = if number % 7 == 3 { 400 } else { number * 5 % 41 };
    format!("a{number}:{}", "z".repeat(long))
}

impl Service<Questions> for Simulated {
    fn open(&mut self, peer: &Peer, answer: &mut Answer<'_, Questions>) -> Flow {
        self.key = usize::try_from(peer.connection).unwrap_or(usize::MAX);
        if self.world.numbers.one_in(4) {
            self.world.pushers.borrow_mut().push((self.key, answer.pusher()));
        }
        Flow::Silent
    }

    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_, Questions>) -> Flow {
        let (world, key) = (Rc::clone(&self.world), self.key);
        let number = std::mem::replace(&mut world.told.borrow_mut()[key].asked, 0);
        world.told.borrow_mut()[key].asked = number + 1;
        let asked = question.split(|byte| *byte == b':').next().unwrap_or_default();
        let said = asked.get(1..).and_then(|digits| std::str::from_utf8(digits).ok());
        world.check(said.and_then(|said| said.parse().ok()) == Some(number), || {
            format!("[{key}] question {number} is asked as {:?}", String::from_utf8_lossy(asked))
        });
        world.check(!world.told.borrow()[key].over, || format!("[{key}] a question after the end"));
        let Some(ask) = asked.first().and_then(|letter| Ask::of_letter(*letter)) else {
            return Flow::Continue;
        };
        let text = text(number);
        world.show(|| format!("[{key}] question {number}: {ask:?}"));
        match ask {
            Ask::Slowly => {
                world.count(Fault::SlowHandler);
                let most = world.numbers.choose(&[1, 1000, 40_000]);
                world.pass(world.numbers.time(Duration::from_millis(most)));
            }
            Ask::Later | Ask::Never | Ask::DropResponder => return self.defer(number, ask, &text, answer),
            Ask::Panic => {
                world.count(Fault::Panic);
                answer.put(b"half an answer");
                panic_silently();
            }
            Ask::Silently => {
                world.count(Fault::Silence);
                answer.put(b"this is taken back");
                return Flow::Silent;
            }
            Ask::InPieces => {
                world.count(Fault::Pieces);
                answer.put(text.as_bytes());
                self.pieces = world.numbers.within(1..5);
                return Flow::More;
            }
            Ask::AtOnce | Ask::ThenClose => {}
        }
        answer.put(text.as_bytes());
        answer.put(b".");
        if ask == Ask::ThenClose { Flow::Close } else { Flow::Continue }
    }

    fn resume(&mut self, answer: &mut Answer<'_, Questions>) -> Flow {
        self.pieces -= 1;
        answer.put(b"z");
        if self.pieces > 0 {
            return Flow::More;
        }
        answer.put(b".");
        Flow::Continue
    }

    fn last_words(&mut self, why: Ending<'_, Exclamation>, answer: &mut Answer<'_, Questions>) -> Flow {
        match why {
            Ending::Deadline(_) => answer.put(b"late."),
            Ending::Malformed(_) => answer.put(b"malformed."),
            Ending::Drained if self.world.numbers.one_in(2) => answer.put(b"drained."),
            _ => return Flow::Silent,
        }
        Flow::Continue
    }

    fn closed(&mut self, _: &Closed) {
        let mut told = self.world.told.borrow_mut();
        told[self.key].closed += 1;
        told[self.key].over = true;
    }
}

impl Simulated {
    fn defer(&mut self, question: usize, ask: Ask, text: &str, answer: &mut Answer<'_, Questions>) -> Flow {
        let (world, key) = (&self.world, self.key);
        let responder = answer.later();
        let in_time = self.flawless[key] || world.numbers.one_in(2);
        let most = if in_time { self.delays.0 } else { self.delays.1 };
        let due = world.now() + world.numbers.time(most);
        let due = match ask {
            Ask::DropResponder => {
                world.count(Fault::DroppedResponder);
                return Flow::Later;
            }
            Ask::Never => {
                world.count(Fault::NoAnswer);
                None
            }
            _ => {
                world.count(Fault::LateAnswer);
                Some(due)
            }
        };
        let text = format!("{text}.").into_bytes();
        world.owed.borrow_mut().push(Owed { key, question, due, responder, text });
        Flow::Later
    }
}
