//! Turns: the time that one connection takes for its turn is not taken from the next one's.
// Tests say what they expect by panicking, in their helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use zen_proto::{Address, Answer, Limits};
use zen_server::{ConversationId, Observer, Step};
use zen_server_mio::{Options, Server};

/// How long a turn may take. No busy machine takes this long for a turn of quick questions.
const TURN_TIME: Duration = Duration::from_secs(2);

/// A write: the conversation that it was made for, and its size in bytes.
type Size = (Option<ConversationId>, usize);

/// All writes.
#[derive(Clone, Default)]
struct Writes {
    all: Arc<Mutex<Vec<Size>>>,
    conversation: Option<ConversationId>,
}

impl Observer for Writes {
    fn for_conversation(&self, id: ConversationId, _: &Address) -> Self {
        Self { conversation: Some(id), ..self.clone() }
    }

    fn step(&self, step: Step) {
        if let Step::Wrote(n) = step {
            self.all.lock().unwrap().push((self.conversation, n));
        }
    }
}

#[test]
fn answers_leave_together_whatever_the_connection_before_has_taken() {
    let (held, gate) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let handlers = (Arc::clone(&held), Arc::clone(&gate));
    let service = move |question: &[u8], answer: &mut Answer<'_>| {
        match question {
            b"hold?" => {
                handlers.0.wait();
                handlers.1.wait();
            }
            b"slow?" => thread::sleep(TURN_TIME + TURN_TIME / 10),
            _ => {}
        }
        answer.put(b"x");
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let options = Options::default().with_limits(Limits::default().with_turn_time(TURN_TIME));
    let writes = Writes::default();
    let server = Server::single(listener, service, options).unwrap().with_observer(writes.clone());
    let stop = server.stop_handle();
    let server = thread::spawn(move || server.run());
    let connect = || {
        let mut client = TcpStream::connect(address).unwrap();
        // What is sent second must not wait for the first to be acknowledged.
        client.set_nodelay(true).unwrap();
        client.write_all(b"?").unwrap();
        client.read_exact(&mut [0]).unwrap();
        client
    };
    let (mut slow, mut quick) = (connect(), connect());

    // The questions of both come while the loop is busy, so that it finds both ready at once.
    slow.write_all(b"hold?").unwrap();
    held.wait();
    slow.write_all(b"slow?").unwrap();
    quick.write_all(&[b'?'; 10]).unwrap();
    gate.wait();
    quick.read_exact(&mut [0; 10]).unwrap();
    slow.read_exact(&mut [0; 2]).unwrap();

    // A write is reported when it is done, which may be after the client has read.
    drop((slow, quick));
    stop.stop();
    server.join().unwrap().unwrap();
    let id = Some(ConversationId::new(2));
    let sizes: Vec<usize> =
        writes.all.lock().unwrap().iter().filter(|write| write.0 == id).map(|write| write.1).collect();
    assert_eq!(sizes, [1, 10]);
}
