//! Both clients against servers that keep to the protocol: questions and their answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

#[macro_use]
mod common;

use std::io::{Read, Write};
use std::sync::mpsc;
use std::time::Duration;

use common::{
    Connect, connect_to, numbered, patient, read_question, read_to_end, serve, serve_aphorisms, serve_echo,
};
use zen_client::ClientError;
use zen_proto::aphorism;

cases! {
    each_question_gets_its_answer,
    ten_thousand_questions_are_answered_in_order,
    ten_thousand_questions_at_once_are_answered_in_order,
    both_directions_may_fill_up,
    a_long_question_reaches_a_server_that_is_slow_to_read,
    asking_no_questions_returns_no_answers,
    an_answer_may_arrive_byte_by_byte,
    an_answer_may_be_as_long_as_the_limit,
    an_answer_given_while_the_question_is_sent_is_read,
    a_question_that_cannot_be_sent_does_not_affect_others,
    a_question_that_cannot_be_sent_ends_a_pipeline_after_earlier_answers,
    untaken_answers_are_not_given_to_the_next_question,
    the_window_bounds_what_is_asked,
    finishing_waits_for_the_server_to_close,
    finishing_waits_for_untaken_answers,
}

fn each_question_gets_its_answer(connect: Connect) {
    let mut client = connect_to(connect, serve_aphorisms());
    for (question, answer) in aphorism::TABLE {
        assert_eq!(client.ask(question.as_bytes()).unwrap(), answer);
    }
    assert_eq!(client.ask(b"Why?").unwrap(), aphorism::UNKNOWN);
    client.finish().unwrap();
}

fn ten_thousand_questions_are_answered_in_order(connect: Connect) {
    let (questions, answers) = numbered(10_000);
    let mut client = connect_to(connect, serve_echo());
    assert_eq!(client.ask_all(&questions).unwrap(), answers);
    client.finish().unwrap();
}

fn ten_thousand_questions_at_once_are_answered_in_order(connect: Connect) {
    let (questions, answers) = numbered(10_000);
    let mut options = patient();
    options.limits.questions_in_flight = 10_000;
    let mut client = connect(&[serve_echo()], &options).unwrap();
    assert_eq!(client.ask_all(&questions).unwrap(), answers);
    client.finish().unwrap();
}

/// 50 MB in each direction, far more than the kernel holds. The client's limits let it ask
/// everything before it reads the first answer.
fn both_directions_may_fill_up(connect: Connect) {
    const LENGTH: usize = 1 << 18;
    let (numbers, _) = numbered(200);
    let pad = |mut question: Vec<u8>| {
        question.splice(0..0, std::iter::repeat_n(b' ', LENGTH));
        question[0] = b'x';
        question
    };
    let questions: Vec<_> = numbers.into_iter().map(pad).collect();
    let mut options = patient();
    options.limits.questions_in_flight = questions.len();
    options.limits.answer_length = 2 * LENGTH;
    let mut client = connect(&[serve_echo()], &options).unwrap();
    let answers = client.ask_all(&questions).unwrap();
    assert_eq!(answers.len(), questions.len());
    for (question, answer) in questions.iter().zip(answers) {
        let end = question.len() - 1;
        assert!(
            answer[..end] == question[..end] && answer[end..] == *b".",
            "an answer is not its question's"
        );
    }
}

/// The server reads nothing for a while, and answers only when it has the whole question.
fn a_long_question_reaches_a_server_that_is_slow_to_read(connect: Connect) {
    const LENGTH: usize = 32 << 20;
    let address = serve(|mut stream| {
        std::thread::sleep(Duration::from_millis(100));
        let mut question = vec![0; LENGTH + 1];
        stream.read_exact(&mut question).unwrap();
        stream.write_all(if question.ends_with(b"x?") { b"Whole." } else { b"Torn." }).unwrap();
        read_to_end(&mut stream);
    });
    let mut client = connect_to(connect, address);
    assert_eq!(client.ask(&[vec![b'x'; LENGTH], b"?".to_vec()].concat()).unwrap(), "Whole.");
    client.finish().unwrap();
}

fn asking_no_questions_returns_no_answers(connect: Connect) {
    let mut client = connect_to(connect, serve_aphorisms());
    assert!(client.ask_all(&[]).unwrap().is_empty());
    assert_eq!(client.ask(b"Why?").unwrap(), aphorism::UNKNOWN);
}

fn an_answer_may_arrive_byte_by_byte(connect: Connect) {
    let address = serve(|mut stream| {
        stream.set_nodelay(true).unwrap();
        for _ in 0..3 {
            read_question(&mut stream);
            for byte in b"Bit by bit." {
                stream.write_all(&[*byte]).unwrap();
            }
        }
        read_to_end(&mut stream);
    });
    let mut client = connect_to(connect, address);
    for _ in 0..3 {
        assert_eq!(client.ask(b"How?").unwrap(), "Bit by bit.");
    }
    client.finish().unwrap();
}

fn an_answer_may_be_as_long_as_the_limit(connect: Connect) {
    let mut options = patient();
    options.limits.answer_length = 10;
    let mut client = connect(&[serve_echo()], &options).unwrap();
    assert_eq!(client.ask(b"123456789?").unwrap(), "123456789.");
    let error = client.ask(b"1234567890?").unwrap_err();
    assert!(matches!(error, ClientError::AnswerTooLong { limit: 10 }), "{error:?}");
}

/// The server refuses a long question before all of it is sent. The refusal is the answer.
fn an_answer_given_while_the_question_is_sent_is_read(connect: Connect) {
    let mut client = connect_to(connect, serve_aphorisms());
    let mut question = vec![b'x'; 200_000];
    question.push(b'?');
    assert_eq!(client.ask(&question).unwrap(), aphorism::TOO_LONG);
    let error = client.ask(b"Why?").unwrap_err();
    assert!(matches!(error, ClientError::ClosedEarly { awaited: 1, partial: false }), "{error:?}");
}

fn a_question_that_cannot_be_sent_does_not_affect_others(connect: Connect) {
    let mut client = connect_to(connect, serve_aphorisms());
    for question in ["", "Why", "Why? Because.", "?Who?"] {
        let error = client.ask(question.as_bytes()).unwrap_err();
        assert!(matches!(error, ClientError::Unsendable(_)), "{question:?}: {error:?}");
    }
    assert_eq!(client.ask(b"Beautiful is better than?").unwrap(), "Ugly.");
    client.finish().unwrap();
}

fn a_question_that_cannot_be_sent_ends_a_pipeline_after_earlier_answers(connect: Connect) {
    let mut client = connect_to(connect, serve_echo());
    let mut taken = client.take(&["1?", "2?", "three", "4?"], 9).into_iter();
    assert_eq!(taken.next().unwrap().unwrap(), "1.");
    assert_eq!(taken.next().unwrap().unwrap(), "2.");
    let error = taken.next().unwrap().unwrap_err();
    assert!(matches!(error, ClientError::Unsendable(_)), "{error:?}");
    assert!(taken.next().is_none(), "an error is the last item");
    assert_eq!(client.ask(b"5?").unwrap(), "5.");
}

fn untaken_answers_are_not_given_to_the_next_question(connect: Connect) {
    let questions = ["1?", "2?", "3?", "4?", "5?"];
    for taken in 0..=questions.len() {
        let mut client = connect_to(connect, serve_echo());
        for round in 0..20 {
            let answers = client.take(&questions, taken);
            assert_eq!(answers.len(), taken);
            let own = format!("round {round}");
            let answer = client.ask(format!("{own}?").as_bytes()).unwrap();
            assert_eq!(answer, format!("{own}."), "after {taken} of the answers");
        }
        client.finish().unwrap();
    }
}

/// The server answers only when exactly one window of questions has arrived.
fn the_window_bounds_what_is_asked(connect: Connect) {
    let address = serve(|mut stream| {
        for _ in 0..5 {
            for _ in 0..3 {
                read_question(&mut stream);
            }
            stream.set_nonblocking(true).unwrap();
            let more = stream.peek(&mut [0]).map_err(|error| error.kind());
            stream.set_nonblocking(false).unwrap();
            if more == Err(std::io::ErrorKind::WouldBlock) {
                stream.write_all(b"1.2.3.").unwrap();
            }
        }
        read_to_end(&mut stream);
    });
    let mut options = patient();
    options.limits.questions_in_flight = 3;
    let mut client = connect(&[address], &options).unwrap();
    let (questions, _) = numbered(15);
    let answers = client.ask_all(&questions).unwrap();
    assert_eq!(answers, ["1.", "2.", "3."].repeat(5));
    client.finish().unwrap();
}

fn finishing_waits_for_the_server_to_close(connect: Connect) {
    let (closed, observed) = mpsc::channel();
    let address = serve(move |mut stream| {
        let mut questions = 0;
        while !read_question(&mut stream).is_empty() {
            questions += 1;
            stream.write_all(b"Well.").unwrap();
        }
        closed.send(questions).unwrap();
    });
    let mut client = connect_to(connect, address);
    client.ask(b"Why?").unwrap();
    client.ask(b"Who?").unwrap();
    client.finish().unwrap();
    assert_eq!(observed.try_recv(), Ok(2), "the server had seen the end before finish returned");
}

fn finishing_waits_for_untaken_answers(connect: Connect) {
    let mut client = connect_to(connect, serve_echo());
    assert_eq!(client.take(&["1?", "2?", "3?"], 1).len(), 1);
    client.finish().unwrap();
}
