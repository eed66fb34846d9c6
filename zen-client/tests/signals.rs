//! Signals: a call that a signal interrupts is repeated.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests and their helpers panic when an expectation fails")]

mod common;

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use common::{patient, read_question, read_to_end, serve};
use nix::sys::pthread::{pthread_kill, pthread_self};
use nix::sys::signal::Signal;
use zen_client::Client;

#[test]
fn a_signal_does_not_end_the_wait_for_an_answer() {
    let handled = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGUSR1, Arc::clone(&handled)).unwrap();

    let (asked, question_arrived) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let released = Arc::new(Mutex::new(released));
    let address = serve(move |mut stream| {
        read_question(&mut stream);
        asked.send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
        stream.write_all(b"Because.").unwrap();
        read_to_end(&mut stream);
    });

    let waiting = pthread_self();
    let disturber = thread::spawn(move || {
        question_arrived.recv().unwrap();
        for _ in 0..20 {
            // Time to block in the read again. Too short a sleep would only make the test less
            // strict.
            thread::sleep(Duration::from_millis(5));
            pthread_kill(waiting, Signal::SIGUSR1).unwrap();
            while !handled.swap(false, Ordering::SeqCst) {
                thread::yield_now();
            }
        }
        release.send(()).unwrap();
    });
    let mut client = Client::connect(address, &patient()).unwrap();
    assert_eq!(client.ask("Why?").unwrap(), "Because.");
    disturber.join().unwrap();
    client.finish().unwrap();
}
