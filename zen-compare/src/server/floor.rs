//! The floor: the cheapest server that the lab's clients cannot tell from a real one.
//!
//! It is the lab's reference, so it does only what no server on this machine can avoid: it waits
//! for events, reads and writes. All it knows of the protocol is to count the questions in what it
//! reads, as a closed loop and a pipeline need to keep going: it sends as many answers as questions
//! came in. It counts by the cheapest mark that the questions have in common: a byte such as the
//! question mark, or their length. Only where they have none does it look at as many of a
//! question's first bytes as tell which one it is. Every answer is the same, and comes from a
//! buffer that was filled before the first connection, so no byte is copied on the way. There are
//! no limits, deadlines or counters, and no clock is read.
//!
//! It saves every system call that can be saved, as a good driver does: connections are registered
//! once for both directions (edge-triggered), after a short read, the read that would only say
//! `WouldBlock` is left out, and one write answers all questions of one read.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use super::counting::{Begun, Counting};
use crate::scenario::Workload;
use mio::{Events, Interest, Poll, Token, Waker};

/// What the floor answers to every question: an answer of the book's table, and so as long as a
/// real one.
pub const ANSWER: &[u8] = b"Ugly.";

/// The byte that ends a question.
const DELIMITER: u8 = b'?';
/// Bytes per read: several times what 64 questions in flight amount to.
const READ_BUFFER: usize = 16 * 1024;
/// The most bytes per read, for questions that are larger.
const LARGE_READ_BUFFER: usize = 256 * 1024;
/// How many answers are ready to be written in one call.
const ANSWERS_READY: usize = 1024;
/// How many bytes of answers are ready at most, except that one answer always is.
const BYTES_READY: usize = 256 * 1024;
const LISTENER: Token = Token(usize::MAX);
const STOP: Token = Token(usize::MAX - 1);

/// A floor server on a bound listener; see the [module](self).
///
/// ```
/// use std::net::TcpListener;
/// use zen_compare::Workload;
/// use zen_compare::floor::Floor;
///
/// let listener = || TcpListener::bind("127.0.0.1:0");
/// let floor = Floor::new(listener()?)?;
/// let stop = floor.stopper()?;
/// let running = std::thread::spawn(|| floor.run());
/// stop.stop()?;
/// running.join().expect("it does not panic")?;
///
/// // For other protocols.
/// let lines = Floor::answering(listener()?, b'\n', b"OK\n")?;
/// let workload = Workload::new([("PING\r\n", "PONG\r\n")])?;
/// let any = Floor::for_workload(listener()?, &workload)?;
/// assert_eq!(Floor::answer_to(&workload), b"PONG\r\n");
/// # drop((lines, any));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Floor {
    poll: Poll,
    listener: mio::net::TcpListener,
    connections: Vec<Option<Connection>>,
    vacant: Vec<usize>,
    counting: Counting,
    greeting: Vec<u8>,
    read_buffer: usize,
    /// The answer many times over, with one more at the end so that a write may start inside the
    /// first.
    answers: Vec<u8>,
    answer_length: usize,
}

/// Stops a [`Floor`] from another thread.
///
/// ```
/// use zen_compare::floor::FloorStopHandle;
///
/// /// Stops floors, whatever becomes of one of them.
/// fn stop_all(floors: &[FloorStopHandle]) {
///     for floor in floors {
///         if let Err(error) = floor.stop() {
///             eprintln!("{error}");
///         }
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct FloorStopHandle(Arc<Waker>);

#[derive(Debug)]
struct Connection {
    stream: mio::net::TcpStream,
    /// Bytes of answers not yet written.
    owed: usize,
    /// What has come of a question that is not whole.
    begun: Begun,
}

impl Floor {
    /// A floor that answers [`ANSWER`] for each `?`.
    ///
    /// # Errors
    /// When the listener cannot be registered for events.
    pub fn new(listener: TcpListener) -> io::Result<Self> {
        Self::answering(listener, DELIMITER, ANSWER)
    }

    /// A floor for another protocol: `answer` for each byte `delimiter` that it receives.
    ///
    /// # Errors
    /// When the answer is empty, or when the listener cannot be registered for events.
    pub fn answering(listener: TcpListener, delimiter: u8, answer: &[u8]) -> io::Result<Self> {
        Self::counting(listener, Counting::Byte { byte: delimiter, times: 1 }, answer)
    }

    /// A floor for the questions of a workload, of whatever protocol: it greets as the workload
    /// says, and answers each question with the same one of the workload's answers, which
    /// [`Floor::answer_to`] returns.
    ///
    /// # Errors
    /// When the listener cannot be registered for events.
    pub fn for_workload(listener: TcpListener, workload: &Workload) -> io::Result<Self> {
        let longest = workload.exchanges().iter().map(|e| e.question.len()).max().unwrap_or_default();
        let floor = Self::counting(listener, Counting::choose(workload), Self::answer_to(workload))?;
        let read_buffer = longest.clamp(READ_BUFFER, LARGE_READ_BUFFER);
        Ok(Self { greeting: workload.greeting().to_vec(), read_buffer, ..floor })
    }

    /// The answer that the floor gives to every question of this workload: the one whose length is
    /// nearest to the mean.
    pub fn answer_to(workload: &Workload) -> &[u8] {
        let answers = || workload.exchanges().iter().map(|exchange| &exchange.answer[..]);
        let mean = answers().map(<[u8]>::len).sum::<usize>() / workload.exchanges().len();
        // A workload has at least one answer.
        answers().min_by_key(|answer| answer.len().abs_diff(mean)).unwrap_or_default()
    }

    fn counting(listener: TcpListener, counting: Counting, answer: &[u8]) -> io::Result<Self> {
        if answer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the floor's answer must not be empty"));
        }
        listener.set_nonblocking(true)?;
        let mut listener = mio::net::TcpListener::from_std(listener);
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            connections: Vec::new(),
            vacant: Vec::new(),
            counting,
            greeting: Vec::new(),
            read_buffer: READ_BUFFER,
            answers: answer.repeat((BYTES_READY / answer.len()).clamp(1, ANSWERS_READY) + 1),
            answer_length: answer.len(),
        })
    }

    /// A handle that stops this floor from another thread.
    ///
    /// # Errors
    /// When the machine has no descriptor left for it.
    pub fn stopper(&self) -> io::Result<FloorStopHandle> {
        Ok(FloorStopHandle(Arc::new(Waker::new(self.poll.registry(), STOP)?)))
    }

    /// Serves until it is stopped, and then drops the open connections.
    ///
    /// # Errors
    /// When waiting for events fails. A failure of one connection ends only that one.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; self.read_buffer];
        loop {
            if let Err(error) = self.poll.poll(&mut events, None) {
                if error.kind() == io::ErrorKind::Interrupted {
                    continue;
                }
                return Err(error);
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept(),
                    STOP => return Ok(()),
                    Token(at) => {
                        // An earlier event of this batch may have closed the connection.
                        let Some(Some(connection)) = self.connections.get_mut(at) else { continue };
                        let answers = Answers { bytes: &self.answers, length: self.answer_length };
                        let closing = event.is_read_closed();
                        if serve(connection, &mut buffer, &self.counting, &answers, closing).is_err() {
                            self.connections[at] = None;
                            self.vacant.push(at);
                        }
                    }
                }
            }
        }
    }

    fn accept(&mut self) {
        // Ends with `WouldBlock`, or with an error that the next arrival will show again.
        while let Ok((mut stream, _)) = self.listener.accept() {
            // Answers are small and must leave at once. Where the option fails, they only leave
            // later.
            let _ = stream.set_nodelay(true);
            // A connection without unsent bytes has room for a greeting.
            if !self.greeting.is_empty() && stream.write_all(&self.greeting).is_err() {
                continue;
            }
            let at = self.vacant.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            let both = Interest::READABLE | Interest::WRITABLE;
            match self.poll.registry().register(&mut stream, Token(at), both) {
                Ok(()) => {
                    self.connections[at] = Some(Connection { stream, owed: 0, begun: Begun::default() });
                }
                Err(_) => self.vacant.push(at),
            }
        }
    }
}

impl FloorStopHandle {
    /// Makes [`Floor::run`] return.
    ///
    /// # Errors
    /// When the wake-up cannot be delivered.
    pub fn stop(&self) -> io::Result<()> {
        self.0.wake()
    }
}

struct Answers<'a> {
    bytes: &'a [u8],
    length: usize,
}

/// Reads all there is and answers it. An `Err` means that the connection is over.
fn serve(
    connection: &mut Connection,
    buffer: &mut [u8],
    counting: &Counting,
    answers: &Answers<'_>,
    closing: bool,
) -> io::Result<()> {
    loop {
        let count = match connection.stream.read(buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return write(connection, answers),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        connection.owed += counting.count(&mut connection.begun, &buffer[..count])? * answers.length;
        write(connection, answers)?;
        // A short read has emptied the socket, and more data would raise a new event. Only an end
        // of stream that was announced together with the data would not be announced again.
        if count < buffer.len() && !closing {
            return Ok(());
        }
    }
}

fn write(connection: &mut Connection, answers: &Answers<'_>) -> io::Result<()> {
    while connection.owed > 0 {
        // The rest of an answer that went out in part comes first.
        let start = (answers.length - connection.owed % answers.length) % answers.length;
        let ready = connection.owed.min(answers.bytes.len() - start);
        match connection.stream.write(&answers.bytes[start..start + ready]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => connection.owed -= count,
            // The event that says there is room leads here again.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpStream};
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn with_floor(test: impl FnOnce(SocketAddr)) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let floor = Floor::new(listener).unwrap();
        let stop = floor.stopper().unwrap();
        let serving = thread::spawn(move || floor.run());
        test(address);
        stop.stop().unwrap();
        serving.join().unwrap().unwrap();
    }

    fn connect(address: SocketAddr) -> TcpStream {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    #[test]
    fn every_question_mark_is_answered() {
        with_floor(|address| {
            let mut stream = connect(address);
            stream.write_all(b"a?b?").unwrap();
            let mut answers = [0; 10];
            stream.read_exact(&mut answers).unwrap();
            assert_eq!(&answers, b"Ugly.Ugly.");
            stream.write_all(b"half").unwrap();
            stream.write_all(b" and half?").unwrap();
            stream.read_exact(&mut answers[..5]).unwrap();
            assert_eq!(&answers[..5], b"Ugly.");
        });
    }

    #[test]
    fn answers_to_a_flood_are_whole_when_they_are_read_late() {
        with_floor(|address| {
            let mut stream = connect(address);
            let mut writer = stream.try_clone().unwrap();
            let questions = 400_000;
            let flood = thread::spawn(move || {
                writer.write_all(&vec![b'?'; questions]).unwrap();
            });
            flood.join().unwrap();
            let mut answers = vec![0; questions * ANSWER.len()];
            stream.read_exact(&mut answers).unwrap();
            assert!(answers.chunks(ANSWER.len()).all(|answer| answer == ANSWER));
        });
    }

    /// Answers of a megabyte, each question of which has a length of its own.
    #[test]
    fn any_workload_is_answered() {
        let large = vec![b'x'; 1 << 20];
        let workload = Workload::new([(&b"\x01a"[..], large.clone()), (b"\x02bc", large.clone())]).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let floor = Floor::for_workload(listener, &workload).unwrap();
        assert!(floor.answers.len() <= 2 << 20, "{} bytes are ready", floor.answers.len());
        let stop = floor.stopper().unwrap();
        let serving = thread::spawn(move || floor.run());
        let mut stream = connect(address);
        let mut answers = vec![0; 3 << 20];
        for question in [&b"\x02b"[..], b"c\x01", b"a\x01a"] {
            stream.write_all(question).unwrap();
        }
        stream.read_exact(&mut answers).unwrap();
        assert!(answers.iter().all(|byte| *byte == b'x'));
        stop.stop().unwrap();
        serving.join().unwrap().unwrap();
    }

    #[test]
    fn the_answer_to_all_is_as_long_as_they_are_on_average() {
        let workload = Workload::new([("a", "1"), ("b", "22"), ("c", "55555555")]).unwrap();
        assert_eq!(Floor::answer_to(&workload), b"22");
        assert_eq!(Floor::answer_to(&Workload::aphorisms()), b"Complex.");
    }

    #[test]
    fn the_end_of_one_connection_does_not_affect_others() {
        with_floor(|address| {
            let mut first = connect(address);
            for _ in 0..50 {
                let mut second = connect(address);
                second.write_all(b"?").unwrap();
                second.read_exact(&mut [0; 5]).unwrap();
            }
            first.write_all(b"?").unwrap();
            first.read_exact(&mut [0; 5]).unwrap();
        });
    }
}
