//! `mio-multi` spreads its connections evenly.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use zen_server_mio::{Answer, Options, Server};

#[test]
fn each_loop_gets_the_same_number_of_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let by_loop: Arc<Mutex<HashMap<ThreadId, usize>>> = Arc::default();
    let counting = Arc::clone(&by_loop);
    let service = move |_: &[u8], answer: &mut Answer<'_>| {
        *counting.lock().expect("no panics").entry(thread::current().id()).or_default() += 1;
        answer.put(b"Here.");
    };
    let options = Options::default().with_workers(4);
    let server = Server::multi(listener, service, options).expect("good options");
    let stop = server.stop_handle();
    let running = thread::spawn(|| server.run());

    // All are kept open: a question on each says which loop has it.
    let clients: Vec<_> = (0..40)
        .map(|_| {
            let mut client = TcpStream::connect(address).expect("connects");
            client.write_all(b"Where?").expect("sends");
            client.read_exact(&mut [0; 5]).expect("an answer");
            client
        })
        .collect();
    drop(clients);
    stop.stop();
    running.join().expect("no panic").expect("drains");

    let by_loop: Vec<usize> = by_loop.lock().expect("no panics").values().copied().collect();
    assert_eq!(by_loop, [10, 10, 10, 10]);
}
