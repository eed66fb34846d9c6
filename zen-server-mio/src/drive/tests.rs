//! What one turn does, and where it ends.

use std::net::{TcpListener, TcpStream as Client};
use std::sync::Arc;
use std::time::Duration;

use zen_proto::aphorism::{self, Aphorisms};
use zen_proto::{DelimiterFraming, Limits};
use zen_server::{Options, Silent};

use super::*;
use crate::wake_ups::WakeUps;

const QUESTION: &[u8] = b"Simple is better than?";
const ANSWER: usize = "Complex.".len();

/// A connection to which the client has sent this many questions, all of which have arrived.
fn asked(questions: usize, options: Options) -> (Client, Connection<Aphorisms, DelimiterFraming, Silent>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let mut client = Client::connect(listener.local_addr().expect("an address")).expect("connects");
    let (stream, _) = listener.accept().expect("accepts");
    let sent = QUESTION.repeat(questions);
    client.write_all(&sent).expect("sends");
    while stream.peek(&mut vec![0; sent.len()]).expect("arrives") < sent.len() {}
    stream.set_nonblocking(true).expect("an option");
    // A busy machine must not end a turn.
    let limits = options.limits.clone().with_turn_time(Duration::MAX);
    let options = options.with_limits(limits);
    let setup = Setup::new(Aphorisms, aphorism::framing(), options, 1).expect("good options");
    let begun = setup.begin(Instant::now()).expect("begins");
    let poll = mio::Poll::new().expect("a poll");
    let waker = Arc::new(mio::Waker::new(poll.registry(), mio::Token(0)).expect("a waker"));
    let wake_up = WakeUp::new(0, &Arc::new(WakeUps::new(waker)));
    let stream = Stream::Tcp(mio::net::TcpStream::from_std(stream));
    let mut connection = Connection::new(stream, begun, &Peer::default(), &setup, Silent, wake_up);
    connection.readable = true;
    (client, connection)
}

#[test]
fn a_turn_reads_as_often_as_its_budget_allows_and_answers_what_it_has_read() {
    let (_client, mut connection) = asked(5, Options::default().with_turn_budget(2));
    let (mut scratch, mut tally) = ([0; QUESTION.len()], Tally::default());
    for (ends, answered) in [(Turn::Again, 2), (Turn::Again, 4), (Turn::Wait, 5)] {
        assert_eq!(connection.drive(&mut scratch, &mut tally, Instant::now()), ends);
        assert_eq!((tally.questions, tally.bytes_in), (answered, answered * QUESTION.len() as u64));
    }
}

#[test]
fn a_round_without_a_read_uses_up_none_of_the_budget() {
    let limits = Limits::default().with_outbound_high_water(ANSWER).with_outbound_low_water(0);
    let (_client, mut connection) = asked(4, Options::default().with_limits(limits).with_turn_budget(2));
    let (mut scratch, mut tally) = ([0; QUESTION.len()], Tally::default());
    connection.writable = false;
    assert_eq!(connection.drive(&mut scratch, &mut tally, Instant::now()), Turn::Wait);
    assert_eq!(tally.questions, 1, "an answer that cannot leave stops the reads");
    connection.writable = true;
    assert_eq!(connection.drive(&mut scratch, &mut tally, Instant::now()), Turn::Again);
    assert_eq!(tally.questions, 3, "one round that wrote, and two that read");
}

#[test]
fn a_write_that_makes_room_for_more_answers_ends_the_turn() {
    let limits = Limits::default().with_outbound_high_water(ANSWER).with_outbound_low_water(0);
    let (_client, mut connection) = asked(3, Options::default().with_limits(limits).with_turn_budget(9));
    let (mut scratch, mut tally) = ([0; 1024], Tally::default());
    for (ends, answered) in [(Turn::Again, 1), (Turn::Again, 2), (Turn::Wait, 3)] {
        assert_eq!(connection.drive(&mut scratch, &mut tally, Instant::now()), ends);
        assert_eq!((tally.questions, tally.bytes_in), (answered, 3 * QUESTION.len() as u64));
    }
}

/// A connection whose socket has a question that no event has announced.
fn unannounced(limits: Limits) -> (Client, Connection<Aphorisms, DelimiterFraming, Silent>) {
    let (client, mut connection) = asked(1, Options::default().with_limits(limits));
    connection.readable = false;
    (client, connection)
}

#[test]
fn a_question_that_has_come_is_read_before_the_deadline_is_judged() {
    let (_client, mut connection) =
        unannounced(Limits::default().with_idle_deadline(Duration::from_millis(1)));
    let (mut scratch, mut tally) = ([0; 1024], Tally::default());
    let late = Instant::now() + Duration::from_secs(1);
    assert_eq!(connection.drive(&mut scratch, &mut tally, late), Turn::Wait);
    assert_eq!(tally.questions, 1);
    let late = late + Duration::from_secs(1);
    assert_eq!(connection.drive(&mut scratch, &mut tally, late), Turn::Again, "it was judged");
    assert_eq!(connection.drive(&mut scratch, &mut tally, late), Turn::Over(CloseReason::IdleDeadline));
}

#[test]
fn a_question_that_has_come_is_read_before_a_drain_begins() {
    let (client, mut connection) = unannounced(Limits::default());
    let (mut scratch, mut tally) = ([0; 1024], Tally::default());
    connection.stop.stop();
    let now = Instant::now();
    assert_eq!(connection.drive(&mut scratch, &mut tally, now), Turn::Again);
    assert_eq!((tally.questions, connection.session.is_draining()), (1, true));
    drop(client);
    while connection.drive(&mut scratch, &mut tally, now) != Turn::Over(CloseReason::Drained) {
        connection.readable = true;
    }
}

#[test]
fn white_space_without_end_is_late() {
    let limits = Limits::default().with_idle_deadline(Duration::from_millis(1));
    let (mut client, mut connection) = asked(1, Options::default().with_limits(limits).with_turn_budget(2));
    let (mut scratch, mut tally) = ([0; QUESTION.len()], Tally::default());
    client.write_all(&[b' '; QUESTION.len() * 9]).expect("sends");
    let (now, mut drives) = (Instant::now(), 0);
    let late = now + Duration::from_secs(1);
    assert_eq!(connection.drive(&mut scratch, &mut tally, now), Turn::Again, "more has come");
    while connection.drive(&mut scratch, &mut tally, late) != Turn::Over(CloseReason::IdleDeadline) {
        drives += 1;
        assert!(drives < 3, "it was not judged although something always came");
    }
}
