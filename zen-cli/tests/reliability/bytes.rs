//! Whatever bytes come, and however they are cut: the answers are the same, and nothing of them is
//! left behind.

use crate::client::{ANSWER, Client, QUESTION};
use crate::every_flavor::{at_once, on_every_flavor};
use crate::kept::{Kept, Served, stop};
use crate::running::serve;

/// Memory that a server may keep after it has had some clients, in KiB: what its allocator holds
/// for the next ones.
const SLACK: usize = 4 * 1024;

#[test]
fn segments_of_one_byte_are_answered_like_any_other() {
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor]);
        Client::connect(&server).ask();
        let before = Kept::by(&server);
        let mut clients: Vec<Client> =
            (0..at_once(flavor).min(4)).map(|_| Client::connect(&server)).collect();
        for byte in QUESTION.repeat(3) {
            for client in &mut clients {
                client.send(&[byte]);
            }
        }
        for client in &mut clients {
            client.half_close();
            assert_eq!(client.rest(), ANSWER.repeat(3));
        }
        let asked = 1 + 3 * clients.len() as u64;
        drop(clients);
        before.is_all_that_is_left(&server, SLACK);
        let served = Served::by(server);
        assert_eq!((served.count("questions"), served.count("open")), (asked, 0), "{}", served.log);
    });
}

#[test]
fn half_a_question_is_not_answered_when_the_peer_closes_or_the_server_stops() {
    on_every_flavor(|flavor| {
        let server = serve(&["--flavor", flavor]);
        let mut client = Client::through_a_small_window(server.address);
        client.send(&[QUESTION, &QUESTION[..7]].concat());
        client.half_close();
        assert_eq!(client.rest(), ANSWER);
        assert!(client.is_closed());

        let mut client = Client::connect(&server);
        client.ask();
        client.send(&QUESTION[..7]);
        stop(&server);
        assert_eq!(client.rest(), b"");
        drop(client);
        let served = Served::by_stopped(server);
        let counts = ["questions", "truncated", "drained", "open"].map(|what| served.count(what));
        assert_eq!(counts, [2, 1, 1, 0], "{}", served.log);
    });
}
