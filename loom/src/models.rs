//! The models: a few threads each, since the orders to try grow with their number.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Wake, Waker};

use loom::sync::Notify;
use loom::sync::atomic::Ordering::Relaxed;
use loom::thread;
use zen_server::{Admission, Silent};

use crate::mailbox::{Mailbox, Pusher, Responder};
use crate::stop::StopHandle;
use crate::wake_ups::{WakeUp, WakeUps};
use crate::{loop_slots, thread_slots};

/// Wakes a driver, whatever it waits in.
struct Driver(Notify);

impl Wake for Driver {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

/// A driver, and its waker.
fn driver() -> (Arc<Driver>, Waker) {
    let driver = Arc::new(Driver(Notify::new()));
    (Arc::clone(&driver), Waker::from(driver))
}

#[test]
fn no_answer_of_another_thread_is_left_in_the_mailbox() {
    loom::model(|| {
        let mailbox = Mailbox::new(1000);
        let (driver, waker) = driver();
        let threads: Vec<_> = (0..2)
            .map(|number| {
                let responder = Responder::new(Arc::clone(&mailbox), number);
                thread::spawn(move || {
                    if number == 0 {
                        responder.answer("first").expect("the conversation is open");
                    } else {
                        // It gives up, which is news too.
                        drop(responder);
                    }
                })
            })
            .collect();
        let mut taken = 0;
        while taken < 2 {
            if !mailbox.register(&waker, true) {
                driver.0.wait();
            }
            if mailbox.is_waiting() {
                taken += mailbox.take_replies().0.len();
            }
        }
        threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
    });
}

#[test]
fn a_pushed_message_and_the_end_behind_it_are_not_lost() {
    loom::model(|| {
        let mailbox = Mailbox::new(1000);
        let (driver, waker) = driver();
        let pusher = Pusher::new(Arc::clone(&mailbox));
        let thread = thread::spawn(move || {
            pusher.push("news").expect("there is room");
            pusher.close();
        });
        let (mut messages, mut closed) = (0, false);
        while !closed {
            if !mailbox.register(&waker, true) {
                driver.0.wait();
            }
            while mailbox.is_waiting() {
                let (replies, pushed) = mailbox.take_replies();
                assert!(replies.is_empty() && pushed);
                if mailbox.take_pushed().is_some() {
                    messages += 1;
                } else {
                    closed |= mailbox.take_close();
                }
            }
        }
        assert_eq!(messages, 1, "the message comes before the end");
        thread.join().expect("it does not panic");
    });
}

#[test]
fn nothing_is_taken_for_a_conversation_that_is_over() {
    loom::model(|| {
        let mailbox = Mailbox::new(1000);
        let responder = Responder::new(Arc::clone(&mailbox), 0);
        let thread = thread::spawn(move || responder.answer("late").is_ok());
        mailbox.close();
        let _ = thread.join().expect("it does not panic");
        assert!(!mailbox.is_waiting() && mailbox.heap() == 0);
    });
}

#[test]
fn a_stop_calls_every_waker_once() {
    loom::model(|| {
        let stop = StopHandle::default();
        let other = stop.clone();
        let thread = thread::spawn(move || other.stop());
        let (driver, waker) = driver();
        let calls = Arc::new(AtomicUsize::new(0));
        let called = Arc::clone(&calls);
        stop.on_stop(move || {
            called.fetch_add(1, SeqCst);
            waker.wake_by_ref();
        });
        // A wait may end without a reason.
        while calls.load(SeqCst) == 0 {
            driver.0.wait();
        }
        assert!(stop.is_stopped());
        thread.join().expect("it does not panic");
        assert_eq!(calls.load(SeqCst), 1);
    });
}

#[test]
fn a_loop_hears_of_each_connection_that_is_woken() {
    loom::model(|| {
        let event_loop = Arc::new(mio::Waker::unused());
        let wake_ups = Arc::new(WakeUps::new(Arc::clone(&event_loop)));
        let threads: Vec<_> = [7, 8]
            .map(|key| {
                let waker = WakeUp::new(key, &wake_ups).waker().clone();
                thread::spawn(move || waker.wake())
            })
            .into();
        let mut woken = 0;
        while woken < 15 {
            event_loop.wait();
            woken += wake_ups.take().iter().sum::<usize>();
        }
        threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
    });
}

#[test]
fn a_loop_that_waits_for_a_slot_is_woken_when_another_one_frees_it() {
    loom::model(|| {
        let wakers = vec![Arc::new(mio::Waker::unused()), Arc::new(mio::Waker::unused())];
        let first = Arc::clone(&wakers[0]);
        let slots = Arc::new(loop_slots::ConnectionSlots::new(2, wakers));
        for index in [0, 1] {
            slots.loads[index].fetch_add(1, Relaxed);
            slots.admission().handle_accepted();
        }
        let other = Arc::clone(&slots);
        let thread = thread::spawn(move || other.handle_closed(1));
        loop {
            let wants = slots.admission().wants_accept();
            if wants {
                break;
            }
            first.wait();
        }
        assert_eq!(slots.admission().open(), 1);
        thread.join().expect("it does not panic");
    });
}

#[test]
fn a_thread_that_waits_for_a_slot_goes_on_when_one_is_free_or_the_server_stops() {
    for stops in [false, true] {
        loom::model(move || {
            let slots = Arc::new(thread_slots::ConnectionSlots::new(1));
            slots.admission().handle_accepted();
            let stop = StopHandle::default();
            let waiting = Arc::clone(&slots);
            stop.on_stop(move || waiting.drain());
            let (other, operator) = (Arc::clone(&slots), stop.clone());
            let closes = thread::spawn(move || if stops { operator.stop() } else { other.handle_closed() });
            let went_on = slots.wait_until(&stop, &Silent, Admission::wants_accept);
            assert_eq!(went_on, (!stops).then_some(()));
            closes.join().expect("it does not panic");
        });
    }
}
