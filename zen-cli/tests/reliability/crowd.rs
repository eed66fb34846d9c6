//! Many clients at once, how many of them the machine allows, and what the system holds for their
//! connections.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{Domain, SockRef, Socket, Type};

use crate::client::{ANSWER, Client, QUESTION};
use crate::kept::Kept;
use crate::running::{Serving, TIME_LIMIT, until};

/// Descriptors that the test process keeps for everything besides its crowds.
const RESERVED: u64 = 1000;

/// One crowd at a time: together they would have too many descriptors, and measure each other.
static ONE_CROWD: Mutex<()> = Mutex::new(());

/// The right to have a crowd.
pub(crate) struct Turn {
    _guard: MutexGuard<'static, ()>,
}

impl Turn {
    pub(crate) fn take() -> Self {
        // A test that failed has left nothing behind: its clients are gone.
        Self { _guard: ONE_CROWD.lock().unwrap_or_else(PoisonError::into_inner) }
    }
}

/// How many clients a test has: `usual`, or `full` with `RELIABILITY=full`, but no more than the
/// open-file limit leaves room for in `crowds` crowds. Says so if that is fewer.
pub(crate) fn size(usual: usize, full: usize, crowds: usize) -> usize {
    let is_full = std::env::var("RELIABILITY").is_ok_and(|size| size == "full");
    let wanted = if is_full { full } else { usual };
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    // The servers inherit it.
    let limit = if setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft };
    let room = usize::try_from(limit.saturating_sub(RESERVED)).unwrap() / crowds;
    if room < wanted {
        eprintln!("only {room} of {wanted} clients: the open-file limit is {limit}");
    }
    wanted.min(room)
}

/// Connects, and waits as long as the backlog is full.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    until("a connection", || TcpStream::connect_timeout(&address, TIME_LIMIT).ok())
}

/// A client that does not read, through a small window.
pub(crate) fn non_reader(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    until("a connection", || socket.connect_timeout(&address.into(), TIME_LIMIT).ok());
    socket.into()
}

/// Sends as many empty questions as the connection takes without waiting, and no more than `most`
/// bytes.
pub(crate) fn flood(mut stream: &TcpStream, most: usize) -> usize {
    stream.set_nonblocking(true).unwrap();
    let questions = [b'?'; 4096];
    let mut sent = 0;
    while sent < most {
        match stream.write(&questions) {
            Ok(n) => sent += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // It is full, or the server has ended it.
            Err(_) => break,
        }
    }
    sent
}

/// Closes with RST.
pub(crate) fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}

/// Whether the server has ended this connection. Takes what has arrived. Does not wait.
pub(crate) fn is_over(mut stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let mut some = [0; 4096];
    loop {
        match stream.read(&mut some) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return true,
        }
    }
}

/// Whether the server has reset this connection, once for each reset. Reads nothing.
pub(crate) fn is_reset(stream: &TcpStream) -> bool {
    stream.take_error().unwrap().is_some()
}

/// Waits until the server has ended all of them.
pub(crate) fn all_are_over(streams: &[TcpStream]) {
    let mut over = vec![false; streams.len()];
    until("the server ends every conversation", || {
        for (over, stream) in over.iter_mut().zip(streams).filter(|(over, _)| !**over) {
            *over = is_over(stream);
        }
        over.iter().all(|over| *over).then_some(())
    });
}

/// A client that behaves well, and keeps asking until `done`. Each of its questions must be
/// answered. Returns how many were.
pub(crate) fn probe<T>(server: &Serving, during: impl FnOnce() -> T) -> T {
    let stop = Mutex::new(false);
    thread::scope(|scope| {
        let prober = scope.spawn(|| {
            let mut asked = 0;
            let start = Instant::now();
            while !*stop.lock().unwrap() || asked < 3 {
                let mut client = Client::connect(server);
                for _ in 0..3 {
                    client.ask();
                    thread::sleep(Duration::from_millis(10));
                }
                asked += 3;
                assert!(start.elapsed() < 20 * TIME_LIMIT, "the test is never done");
            }
        });
        // Otherwise a test that fails would wait for its prober.
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(during));
        *stop.lock().unwrap() = true;
        prober.join().expect("every question of a client that behaves well is answered");
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Asks once, on a connection that is kept.
pub(crate) fn ask(mut stream: &TcpStream) {
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(TIME_LIMIT)).unwrap();
    stream.write_all(QUESTION).unwrap();
    let mut answer = [0; ANSWER.len()];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, ANSWER);
}

/// What a server keeps once it has answered, and has started all of its threads.
pub(crate) fn baseline(server: &Serving) -> Kept {
    ask(&connect(server.address));
    let mut before = Kept::by(server);
    until("it starts no more threads", || {
        thread::sleep(Duration::from_millis(100));
        let now = Kept::by(server);
        let is_settled = now.threads == before.threads;
        before = now;
        is_settled.then_some(now)
    })
}

/// The system's side of a server's connections.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct InTheSystem {
    /// How many there are, without those that are closed on both sides.
    pub(crate) connections: usize,
    /// Bytes that were sent and have not arrived.
    pub(crate) unsent: usize,
    /// Bytes that have arrived and were not read.
    pub(crate) unread: usize,
}

impl InTheSystem {
    pub(crate) fn of(server: &Serving) -> Self {
        Self::at(server.address.port())
    }

    pub(crate) fn at(port: u16) -> Self {
        const TIME_WAIT: &str = "06";
        const LISTEN: &str = "0A";
        let mut all = Self::default();
        for line in fs::read_to_string("/proc/net/tcp").unwrap().lines().skip(1) {
            let mut words = line.split_whitespace().skip(1);
            let (local, _, state) = (words.next().unwrap(), words.next(), words.next().unwrap());
            let (unsent, unread) = words.next().unwrap().split_once(':').unwrap();
            let number = |hex| usize::from_str_radix(hex, 16).unwrap();
            let own = local.split_once(':').unwrap().1;
            if number(own) == usize::from(port) && state != TIME_WAIT && state != LISTEN {
                all.connections += 1;
                all.unsent += number(unsent);
                all.unread += number(unread);
            }
        }
        all
    }
}
