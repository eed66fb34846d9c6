//! Urgent data, which TCP leaves out of the stream, hides nothing of what comes behind it.

use nix::sys::signal::Signal;
use socket2::SockRef;

use crate::client::{ANSWER, Client, QUESTION};
use crate::every_flavor::on_every_flavor;
use crate::kept::Served;
use crate::running::serve;

fn send_urgent(client: &Client) {
    assert_eq!(SockRef::from(&client.0).send_out_of_band(b"!").unwrap(), 1);
}

#[test]
fn a_question_around_urgent_data_is_answered() {
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor]);
        let mut client = Client::connect(&server);
        client.ask();
        // In the middle of a question, and between two.
        for at in [9, QUESTION.len()] {
            // All of it is in the socket before the server looks.
            server.running.signal(Signal::SIGSTOP);
            client.send(&QUESTION[..at]);
            send_urgent(&client);
            client.send(&[&QUESTION[at..], QUESTION].concat());
            server.running.signal(Signal::SIGCONT);
            client.expect(&ANSWER.repeat(2));
            client.ask();
        }
        drop(client);
        let totals = Served::by(server);
        assert_eq!((totals.count("questions"), totals.count("finished")), (7, 1), "{}", totals.log);
    });
}

#[test]
fn urgent_data_between_any_two_bytes_is_left_out() {
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor]);
        let mut client = Client::connect(&server);
        for at in 0..=QUESTION.len() {
            client.send(&QUESTION[..at]);
            send_urgent(&client);
            client.send(&[&QUESTION[at..], QUESTION].concat());
            // The system keeps one urgent byte apart at a time, so the next one comes later.
            client.expect(&ANSWER.repeat(2));
        }
        client.half_close();
        assert_eq!(client.rest(), b"");
    });
}
