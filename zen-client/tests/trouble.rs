//! Both clients against servers that break the protocol.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

#[macro_use]
mod common;

use std::io::Write;
use std::net::{Shutdown, TcpListener};
use std::sync::mpsc;
use std::time::Duration;

use common::{Connect, connect_to, impatient, read_question, read_to_end, serve, serve_after_question};
use zen_client::ClientError;

cases! {
    an_endless_answer_is_too_long,
    no_answer_is_a_timeout,
    a_trickle_does_not_extend_the_deadline,
    a_server_that_does_not_read_is_a_timeout,
    a_close_instead_of_an_answer_is_early,
    a_close_inside_an_answer_is_early,
    answers_before_an_early_close_are_returned,
    a_reset_is_a_loss,
    bytes_after_the_answer_are_not_the_next_answer,
    unasked_bytes_make_finishing_fail,
    a_server_that_does_not_close_is_noticed,
}

fn an_endless_answer_is_too_long(connect: Connect) {
    let address = serve_after_question(|stream| while stream.write_all(&[b'a'; 4096]).is_ok() {});
    let mut client = connect_to(connect, address);
    for _ in 0..2 {
        let error = client.ask(b"Why?").unwrap_err();
        assert!(matches!(error, ClientError::AnswerTooLong { limit: 65_536 }), "{error:?}");
    }
}

fn no_answer_is_a_timeout(connect: Connect) {
    let address = serve(|mut stream| read_to_end(&mut stream));
    let mut client = connect(&[address], &impatient()).unwrap();
    for _ in 0..2 {
        let error = client.ask_all(&[b"Why?".to_vec(), b"Who?".to_vec()]).unwrap_err();
        assert!(matches!(error, ClientError::AnswerTimedOut { awaited: 2, .. }), "{error:?}");
    }
}

fn a_trickle_does_not_extend_the_deadline(connect: Connect) {
    let address = serve_after_question(|stream| {
        while stream.write_all(b"a").is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let mut options = impatient();
    options.limits.answer_length = usize::MAX;
    let error = connect(&[address], &options).unwrap().ask(b"Why?").unwrap_err();
    assert!(matches!(error, ClientError::AnswerTimedOut { awaited: 1, .. }), "{error:?}");
}

fn a_server_that_does_not_read_is_a_timeout(connect: Connect) {
    let (done, wait) = mpsc::channel::<()>();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let connection = listener.accept();
        let _ = wait.recv();
        drop(connection);
    });
    let mut client = connect(&[address], &impatient()).unwrap();
    let mut question = vec![b'x'; 64 << 20];
    question.push(b'?');
    let error = client.ask(&question).unwrap_err();
    assert!(matches!(error, ClientError::AnswerTimedOut { awaited: 1, .. }), "{error:?}");
    drop(done);
    server.join().unwrap();
}

fn a_close_instead_of_an_answer_is_early(connect: Connect) {
    let address = serve_after_question(|stream| stream.shutdown(Shutdown::Write).unwrap());
    let mut client = connect_to(connect, address);
    for _ in 0..2 {
        let error = client.ask(b"Why?").unwrap_err();
        assert!(matches!(error, ClientError::ClosedEarly { awaited: 1, partial: false }), "{error:?}");
    }
}

fn a_close_inside_an_answer_is_early(connect: Connect) {
    let address = serve_after_question(|stream| {
        stream.write_all(b"Half an ans").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
    });
    let error = connect_to(connect, address).ask(b"Why?").unwrap_err();
    assert!(matches!(error, ClientError::ClosedEarly { awaited: 1, partial: true }), "{error:?}");
}

fn answers_before_an_early_close_are_returned(connect: Connect) {
    let address = serve_after_question(|stream| {
        stream.write_all(b"One.Two.Thr").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
    });
    let mut client = connect_to(connect, address);
    let mut taken = client.take(&["1?", "2?", "3?", "4?"], 9).into_iter();
    assert_eq!(taken.next().unwrap().unwrap(), "One.");
    assert_eq!(taken.next().unwrap().unwrap(), "Two.");
    let error = taken.next().unwrap().unwrap_err();
    assert!(matches!(error, ClientError::ClosedEarly { awaited: 2, partial: true }), "{error:?}");
    assert!(taken.next().is_none(), "an error is the last item");
}

fn a_reset_is_a_loss(connect: Connect) {
    let address = serve(|mut stream| {
        read_question(&mut stream);
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    });
    let mut client = connect_to(connect, address);
    for _ in 0..2 {
        let error = client.ask(b"Why?").unwrap_err();
        let ClientError::Lost { awaited: 1, error } = error else { panic!("{error:?}") };
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
}

fn bytes_after_the_answer_are_not_the_next_answer(connect: Connect) {
    let address = serve_after_question(|stream| stream.write_all(b"One.Two.").unwrap());
    let mut client = connect_to(connect, address);
    assert_eq!(client.ask(b"1?").unwrap(), "One.");
    let error = client.ask(b"2?").unwrap_err();
    assert!(matches!(error, ClientError::Unasked), "{error:?}");
}

fn unasked_bytes_make_finishing_fail(connect: Connect) {
    let address = serve(|mut stream| {
        stream.write_all(b"Welcome").unwrap();
        read_to_end(&mut stream);
    });
    let error = connect_to(connect, address).finish().unwrap_err();
    assert!(matches!(error, ClientError::Unasked), "{error:?}");
}

fn a_server_that_does_not_close_is_noticed(connect: Connect) {
    let (done, wait) = mpsc::channel::<()>();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let connection = listener.accept();
        let _ = wait.recv();
        drop(connection);
    });
    let error = connect(&[address], &impatient()).unwrap().finish().unwrap_err();
    assert!(matches!(error, ClientError::NotClosed { .. }), "{error:?}");
    drop(done);
    server.join().unwrap();
}
