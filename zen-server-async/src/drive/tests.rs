//! What one turn does, and where it ends.

use std::future::poll_fn;
use std::io::Write;
use std::net::TcpStream as Client;
use std::time::Duration;

use socket2::Socket;
use tokio::net::TcpListener;
use zen_proto::aphorism::{self, Aphorisms};
use zen_proto::{DelimiterFraming, Limits};
use zen_server::{Options, Silent};

use super::*;

const QUESTION: &[u8] = b"Simple is better than?";
const ANSWER: usize = "Complex.".len();

/// A connection to which the client has sent this many questions, all of which have arrived.
async fn asked(
    questions: usize,
    options: Options,
) -> (Client, Connection<Aphorisms, DelimiterFraming, Silent>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let mut client = Client::connect(listener.local_addr().expect("an address")).expect("connects");
    let (stream, _) = listener.accept().await.expect("accepts");
    let sent = QUESTION.repeat(questions);
    client.write_all(&sent).expect("sends");
    while stream.peek(&mut vec![0; sent.len()]).await.expect("arrives") < sent.len() {}
    // A busy machine must not end a turn.
    let limits = options.limits.clone().with_turn_time(Duration::MAX);
    let options = options.with_limits(limits);
    let setup = Setup::new(Aphorisms, aphorism::framing(), options, 1).expect("good options");
    let begun = setup.begin(Instant::now()).expect("begins");
    let stream = Stream::new(Socket::from(stream.into_std().expect("a socket"))).expect("watched");
    stream.readable().await;
    (client, Connection::new(stream, begun, &Peer::default(), &setup, Silent))
}

async fn drive(connection: &mut Connection<Aphorisms, DelimiterFraming, Silent>) -> Turn {
    poll_fn(|cx| Poll::Ready(connection.drive(cx))).await
}

#[tokio::test]
async fn a_turn_reads_as_often_as_its_budget_allows_and_answers_what_it_has_read() {
    let questions = 5 * SCRATCH_SIZE / QUESTION.len();
    let (_client, mut connection) = asked(questions, Options::default().with_turn_budget(2)).await;
    for (ends, read) in [
        (Turn::Again, 2 * SCRATCH_SIZE),
        (Turn::Again, 4 * SCRATCH_SIZE),
        (Turn::Wait, questions * QUESTION.len()),
    ] {
        assert_eq!(drive(&mut connection).await, ends);
        let counted = connection.counters.snapshot();
        assert_eq!(counted.bytes_in, read as u64);
        assert_eq!(counted.questions, (read / QUESTION.len()) as u64);
    }
}

#[tokio::test]
async fn a_round_without_a_read_uses_up_none_of_the_budget() {
    // The answers of one read do not reach the high water.
    let limits = Limits::default().with_outbound_high_water(SCRATCH_SIZE).with_outbound_low_water(0);
    let options = Options::default().with_limits(limits).with_turn_budget(2);
    let (_client, mut connection) = asked(4 * SCRATCH_SIZE / QUESTION.len(), options).await;
    // Unsent answers up to the high water stop the reads.
    let now = Instant::now();
    let unsent = QUESTION.repeat(SCRATCH_SIZE / ANSWER);
    connection.session.handle_input(&unsent, now);
    connection.session.answer_with(&mut connection.service, now);
    assert!(!connection.session.wants_read());
    assert_eq!(drive(&mut connection).await, Turn::Again);
    let read = connection.counters.snapshot().bytes_in - unsent.len() as u64;
    assert_eq!(read, 2 * SCRATCH_SIZE as u64, "one round that wrote, and two that read");
}

#[tokio::test]
async fn a_write_that_makes_room_for_more_answers_ends_the_turn() {
    let limits = Limits::default().with_outbound_high_water(ANSWER).with_outbound_low_water(0);
    let (_client, mut connection) =
        asked(3, Options::default().with_limits(limits).with_turn_budget(9)).await;
    for (ends, answered) in [(Turn::Again, 1), (Turn::Again, 2), (Turn::Wait, 3)] {
        assert_eq!(drive(&mut connection).await, ends);
        let counted = connection.counters.snapshot();
        assert_eq!((counted.questions, counted.bytes_in), (answered, 3 * QUESTION.len() as u64));
    }
}

#[tokio::test]
async fn a_question_that_has_come_is_read_before_the_deadline_is_judged() {
    let late = Duration::from_millis(50);
    let limits = Limits::default().with_idle_deadline(late);
    let (mut client, mut connection) = asked(1, Options::default().with_limits(limits)).await;
    // The runtime hears of the second question only when it waits, which it never does here.
    for answered in 1..=2 {
        std::thread::sleep(late);
        assert_eq!(drive(&mut connection).await, Turn::Wait);
        assert_eq!(connection.counters.snapshot().questions, answered);
        client.write_all(if answered == 1 { QUESTION } else { b" " }).expect("sends");
    }
    std::thread::sleep(late);
    assert_eq!(drive(&mut connection).await, Turn::Again, "it was judged");
    assert_eq!(drive(&mut connection).await, Turn::Over(CloseReason::IdleDeadline));
}

#[tokio::test]
async fn a_question_that_has_come_is_read_before_a_drain_begins() {
    let (mut client, mut connection) = asked(1, Options::default()).await;
    assert_eq!(drive(&mut connection).await, Turn::Wait);
    client.write_all(QUESTION).expect("sends");
    connection.stop.stop();
    // Loopback delivers before the write returns, so this is a look and not a wait.
    assert_eq!(drive(&mut connection).await, Turn::Again);
    assert_eq!(connection.counters.snapshot().questions, 2);
    assert!(connection.session.is_draining());
}
