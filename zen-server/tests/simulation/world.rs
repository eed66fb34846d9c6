//! The world of one seed: its clock, its numbers, the stop handle, and the other threads that owe
//! answers.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use zen_proto::{PushError, Pusher, Responder};
use zen_server::StopHandle;

use crate::driver::Woken;
use crate::faults::{Counts, Fault};
use crate::numbers::Numbers;

/// More steps than any seed needs.
const MOST_STEPS: u64 = 400_000;

/// An answer that another thread gives later.
pub(crate) struct Owed {
    pub(crate) key: usize,
    pub(crate) question: usize,
    /// `None` if it never comes.
    pub(crate) due: Option<Instant>,
    pub(crate) responder: Responder,
    pub(crate) text: Vec<u8>,
}

/// What has been seen of one conversation from the service's side.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) asked: usize,
    pub(crate) closed: usize,
    pub(crate) over: bool,
    pub(crate) pushed: usize,
    /// The driver waits, so it must be woken.
    pub(crate) waits: bool,
    pub(crate) woken: Option<Arc<Woken>>,
}

pub(crate) struct World {
    pub(crate) numbers: Numbers,
    pub(crate) start: Instant,
    clock: Cell<Instant>,
    steps: Cell<u64>,
    /// The server is stopped at this step.
    stop_at: Option<u64>,
    pub(crate) stop: StopHandle,
    pub(crate) stopped_at: Cell<Option<Instant>>,
    pub(crate) owed: RefCell<Vec<Owed>>,
    pub(crate) pushers: RefCell<Vec<(usize, Pusher)>>,
    pub(crate) told: RefCell<Vec<Told>>,
    counts: RefCell<Counts>,
    /// The first promise that was broken. The core catches the panics of a service, so what is
    /// found there is told outside.
    broken: RefCell<Option<String>>,
    pub(crate) shows: bool,
}

impl World {
    pub(crate) fn new(seed: u64, start: Instant, shows: bool) -> Self {
        let numbers = Numbers::new(seed);
        let stop_at = (!numbers.one_in(4)).then(|| {
            let most = numbers.choose(&[20, 200, 2000]);
            numbers.within(0..most) as u64
        });
        Self {
            numbers,
            start,
            clock: Cell::new(start),
            steps: Cell::new(0),
            stop_at,
            stop: StopHandle::default(),
            stopped_at: Cell::new(None),
            owed: RefCell::default(),
            pushers: RefCell::default(),
            told: RefCell::default(),
            counts: RefCell::default(),
            broken: RefCell::default(),
            shows,
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.get()
    }

    pub(crate) fn count(&self, fault: Fault) {
        self.counts.borrow_mut().count(fault);
    }

    pub(crate) fn counts(&self) -> std::cell::RefMut<'_, Counts> {
        self.counts.borrow_mut()
    }

    /// Notes that a promise is broken unless this holds.
    pub(crate) fn check(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.broken.borrow_mut().get_or_insert_with(what);
        }
    }

    pub(crate) fn assert_unbroken(&self) {
        let broken = self.broken.borrow();
        assert!(broken.is_none(), "{}", broken.as_deref().unwrap_or_default());
    }

    /// Shows what happens, when one seed is replayed.
    pub(crate) fn show(&self, what: impl FnOnce() -> String) {
        if self.shows {
            println!("{:>14.6}  {}", (self.now() - self.start).as_secs_f64(), what());
        }
    }

    /// A system call or a wait of the loop: it takes a moment, and the stop may come within it.
    pub(crate) fn step(&self, within_a_call: bool) {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        assert!(steps < MOST_STEPS, "the server goes on without end");
        self.pass(self.numbers.time(Duration::from_micros(20)));
        if self.stop_at == Some(steps) {
            self.show(|| "stop".to_owned());
            self.stopped_at.set(Some(self.now()));
            self.stop.stop();
            self.count(if within_a_call { Fault::StopWithinACall } else { Fault::Stop });
        }
    }

    /// Time passes, and other threads answer meanwhile.
    pub(crate) fn pass(&self, time: Duration) {
        self.pass_until(self.now() + time);
    }

    pub(crate) fn pass_until(&self, end: Instant) {
        while let Some(owed) = self.take_due(end) {
            self.clock.set(owed.due.unwrap_or(end).max(self.now()));
            self.answer(owed);
        }
        self.clock.set(end.max(self.now()));
    }

    fn take_due(&self, end: Instant) -> Option<Owed> {
        let mut owed = self.owed.borrow_mut();
        let due = |owed: &Owed| owed.due.filter(|at| *at <= end);
        let next = (0..owed.len()).filter(|n| due(&owed[*n]).is_some()).min_by_key(|n| due(&owed[*n]))?;
        Some(owed.remove(next))
    }

    fn answer(&self, owed: Owed) {
        let Owed { key, question, responder, text, .. } = owed;
        let over = self.told.borrow()[key].over;
        let before = self.owed.borrow().iter().any(|other| other.key == key && other.question < question);
        if before {
            self.count(Fault::EarlierAnswer);
        }
        self.show(|| format!("[{key}] another thread answers question {question}"));
        if responder.answer(text).is_err() {
            self.count(Fault::AfterTheEnd);
        } else {
            self.check_woken(key);
            self.check(!over, || format!("[{key}] an answer is taken although all is over"));
        }
    }

    /// Another thread has left something for this conversation.
    fn check_woken(&self, key: usize) {
        let told = &self.told.borrow()[key];
        let woken = told.woken.as_ref().is_some_and(|woken| woken.0.load(Ordering::SeqCst));
        self.check(woken || !told.waits, || format!("[{key}] the wake-up is lost"));
    }

    /// A message that nobody asked for.
    pub(crate) fn push(&self) {
        let pushers = self.pushers.borrow();
        if pushers.is_empty() {
            return;
        }
        let (key, pusher) = &pushers[self.numbers.within(0..pushers.len())];
        let number = self.told.borrow()[*key].pushed;
        match pusher.push(format!("p{number}.")) {
            Ok(()) => {
                self.count(Fault::Push);
                self.told.borrow_mut()[*key].pushed += 1;
                self.check_woken(*key);
            }
            Err(PushError::Full { .. }) => self.count(Fault::FullPush),
            Err(_) => {}
        }
    }

    /// When another thread answers next.
    pub(crate) fn next_answer(&self) -> Option<Instant> {
        self.owed.borrow().iter().filter_map(|owed| owed.due).min()
    }
}
