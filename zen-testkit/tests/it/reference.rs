//! A small server to test the suite with. It uses a thread for each conversation and is correct
//! unless it is given a flaw.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What the server does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    MergesQuestionsInOneSegment,
    DropsTheThirdAnswerOfASegment,
    AnswersOutOfOrder,
    LimitOneTooHigh,
    LimitOneTooLow,
    ClosesWithoutLingering,
    AnswersATruncatedQuestion,
    SkipsNoWhiteSpace,
    SkipsNoVerticalTab,
    SkipsWhiteSpaceEverywhere,
    WhiteSpaceCountsTowardsTheLimit,
    NeverCloses,
    ClosesAfterEachAnswer,
    ResetsInsteadOfClosing,
    LosesAnswersAtHalfClose,
    IgnoresCase,
    AnswersBehindATooLongQuestion,
    SaysNothingWhenTooLong,
    DiesOfAReset,
    AnswersTwice,
    TrickleExtendsTheQuestion,
    WhiteSpaceExtendsIdleness,
    SpeaksWhenItDrops,
    DropsAtOnce,
    NeverDropsANonReader,
}

/// Bounds of the reference server. A deadline of `None` never breaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) question: usize,
    pub(crate) question_deadline: Option<Duration>,
    pub(crate) idle_deadline: Option<Duration>,
    pub(crate) write_deadline: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { question: 1024, question_deadline: None, idle_deadline: None, write_deadline: None }
    }
}

/// A running server on a free port. Dropping it stops accepting.
pub(crate) struct Reference {
    pub(crate) addr: SocketAddr,
    stop: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl Reference {
    /// Serves any number of clients at once.
    pub(crate) fn start(flaw: Flaw, limits: Limits) -> Self {
        Self::start_with(flaw, limits, true)
    }

    /// Serves one client after another, without a flaw.
    pub(crate) fn start_serial() -> Self {
        Self::start_with(Flaw::None, Limits::default(), false)
    }

    fn start_with(flaw: Flaw, limits: Limits, threaded: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let acceptor = thread::spawn(move || accept(&listener, flaw, limits, threaded, &stopped));
        Self { addr, stop, acceptor: Some(acceptor) }
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Connects once more, so that `accept` returns. This fails if the server has died of its
        // flaw.
        let _ = TcpStream::connect(self.addr);
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.join().unwrap();
        }
    }
}

fn accept(listener: &TcpListener, flaw: Flaw, limits: Limits, threaded: bool, stop: &Arc<AtomicBool>) {
    while let Ok((stream, _)) = listener.accept() {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let stopping = Arc::clone(stop);
        let serve = move || {
            stream.set_nodelay(true).unwrap();
            let mut conversation = Conversation::new(stream, flaw, limits);
            let end = conversation.serve();
            if flaw == Flaw::DiesOfAReset
                && end.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)
            {
                stopping.store(true, Ordering::SeqCst);
            }
        };
        if threaded {
            thread::spawn(serve);
        } else {
            serve();
        }
    }
}

/// How a conversation ended.
enum End {
    Normal,
    TooLong,
    Deadline,
}

struct Conversation {
    stream: TcpStream,
    flaw: Flaw,
    limits: Limits,
    received: Vec<u8>,
    question_since: Option<Instant>,
    idle_since: Instant,
}

impl Conversation {
    fn new(stream: TcpStream, flaw: Flaw, limits: Limits) -> Self {
        let idle_since = Instant::now();
        Self { stream, flaw, limits, received: Vec::new(), question_since: None, idle_since }
    }

    fn serve(&mut self) -> io::Result<()> {
        match self.talk()? {
            End::TooLong => {
                if self.flaw == Flaw::ClosesWithoutLingering {
                    return Ok(());
                }
                self.stream.shutdown(Shutdown::Write)?;
                self.linger()
            }
            End::Normal if self.flaw == Flaw::NeverCloses => {
                // Stays open longer than any test waits for it to close.
                thread::sleep(Duration::from_secs(60));
                Ok(())
            }
            End::Normal if self.flaw == Flaw::ResetsInsteadOfClosing => {
                socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))
            }
            End::Deadline if self.flaw == Flaw::SpeaksWhenItDrops => {
                self.stream.write_all(b"Error: too slow.")
            }
            End::Normal | End::Deadline => Ok(()),
        }
    }

    fn talk(&mut self) -> io::Result<End> {
        let mut segment = [0; 8192];
        loop {
            let left = self.time_left();
            if left.is_zero() {
                return Ok(End::Deadline);
            }
            self.stream.set_read_timeout(Some(left))?;
            let read = match self.stream.read(&mut segment) {
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            };
            if read == 0 {
                if self.flaw == Flaw::AnswersATruncatedQuestion && !self.received.is_empty() {
                    self.write(answer_to(&self.received))?;
                }
                return Ok(End::Normal);
            }
            self.received.extend_from_slice(&segment[..read]);
            if self.flaw == Flaw::WhiteSpaceExtendsIdleness {
                self.idle_since = Instant::now();
            }
            if self.flaw == Flaw::TrickleExtendsTheQuestion {
                self.question_since = None;
            }
            let (answers, too_long) = self.answers();
            if self.flaw == Flaw::LosesAnswersAtHalfClose && self.at_eof()? {
                return Ok(End::Normal);
            }
            if !answers.is_empty() {
                if self.write(&answers)? {
                    return Ok(End::Deadline);
                }
                self.idle_since = Instant::now();
                if self.flaw == Flaw::ClosesAfterEachAnswer {
                    return Ok(End::Normal);
                }
            }
            if too_long {
                return Ok(End::TooLong);
            }
        }
    }

    /// How long a read may wait: zero if a deadline is broken, an hour if there is none.
    fn time_left(&self) -> Duration {
        let (deadline, since) = match self.question_since {
            Some(since) => (self.limits.question_deadline, since),
            None => (self.limits.idle_deadline, self.idle_since),
        };
        let deadline = if self.flaw == Flaw::DropsAtOnce { Some(Duration::from_millis(1)) } else { deadline };
        deadline.map_or(Duration::from_secs(3_600), |deadline| deadline.saturating_sub(since.elapsed()))
    }

    /// Takes all whole questions from the input. Returns their answers, and whether one was too
    /// long.
    fn answers(&mut self) -> (Vec<u8>, bool) {
        let mut answers: Vec<Vec<u8>> = Vec::new();
        let mut too_long = false;
        let limit = match self.flaw {
            Flaw::LimitOneTooHigh => self.limits.question + 1,
            Flaw::LimitOneTooLow => self.limits.question - 1,
            _ => self.limits.question,
        };
        if self.flaw == Flaw::SkipsWhiteSpaceEverywhere {
            // All white space but the plain space, as if lines were joined.
            self.received.retain(|byte| *byte == b' ' || !is_space(*byte));
        }
        loop {
            if self.flaw != Flaw::WhiteSpaceCountsTowardsTheLimit {
                self.skip_white_space();
            }
            if self.flaw == Flaw::MergesQuestionsInOneSegment && self.received.last() != Some(&b'?') {
                break;
            }
            let end = match self.flaw {
                Flaw::MergesQuestionsInOneSegment => Some(self.received.len() - 1),
                _ => self.received.iter().position(|byte| *byte == b'?'),
            };
            let length = end.map_or(self.received.len(), |end| end + 1);
            if length > limit {
                answers.push(match self.flaw {
                    Flaw::SaysNothingWhenTooLong => Vec::new(),
                    _ => b"Error: question too long.".to_vec(),
                });
                too_long = self.flaw != Flaw::AnswersBehindATooLongQuestion;
                if too_long {
                    break;
                }
                self.received.drain(..length);
                continue;
            }
            if self.received.is_empty() {
                break;
            }
            let Some(end) = end else {
                self.question_since.get_or_insert_with(Instant::now);
                return (self.apply_flaw(answers), too_long);
            };
            let question: Vec<u8> = self.received.drain(..=end).collect();
            let question = if self.flaw == Flaw::WhiteSpaceCountsTowardsTheLimit {
                question.trim_ascii_start().to_vec()
            } else {
                question
            };
            answers.push(if self.flaw == Flaw::IgnoresCase {
                answer_ignoring_case(&question).to_vec()
            } else {
                answer_to(&question).to_vec()
            });
            if self.received.is_empty() {
                break;
            }
        }
        self.question_since = None;
        (self.apply_flaw(answers), too_long)
    }

    fn skip_white_space(&mut self) {
        let flaw = self.flaw;
        let skipped = |byte: u8| match flaw {
            Flaw::SkipsNoWhiteSpace => false,
            Flaw::SkipsNoVerticalTab => byte.is_ascii_whitespace(),
            _ => is_space(byte),
        };
        let text = self.received.iter().position(|byte| !skipped(*byte)).unwrap_or(self.received.len());
        self.received.drain(..text);
    }

    fn apply_flaw(&self, mut answers: Vec<Vec<u8>>) -> Vec<u8> {
        match self.flaw {
            Flaw::DropsTheThirdAnswerOfASegment if answers.len() >= 3 => _ = answers.remove(2),
            Flaw::AnswersOutOfOrder if answers.len() >= 2 => answers.swap(0, 1),
            Flaw::AnswersTwice => answers.extend(answers.last().cloned()),
            _ => {}
        }
        answers.concat()
    }

    /// Writes all answers; true if the write deadline broke.
    fn write(&mut self, mut answers: &[u8]) -> io::Result<bool> {
        let since = Instant::now();
        while !answers.is_empty() {
            let wait = match self.limits.write_deadline {
                Some(deadline) if self.flaw != Flaw::NeverDropsANonReader => {
                    match deadline.checked_sub(since.elapsed()).filter(|left| !left.is_zero()) {
                        Some(left) => Some(left),
                        None => return Ok(true),
                    }
                }
                _ => None,
            };
            self.stream.set_write_timeout(wait)?;
            match self.stream.write(answers) {
                Ok(written) => answers = &answers[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Whether the client has half-closed and everything has been read.
    fn at_eof(&self) -> io::Result<bool> {
        // The FIN arrives a little after the data. A server with this flaw would not always notice
        // it.
        self.stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        let peeked = self.stream.peek(&mut [0]);
        Ok(peeked.is_ok_and(|there| there == 0))
    }

    fn linger(&mut self) -> io::Result<()> {
        let start = Instant::now();
        let mut discarded = 0;
        let mut rubbish = [0; 8192];
        self.stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        while discarded < 256 * 1024 && start.elapsed() < Duration::from_secs(2) {
            match self.stream.read(&mut rubbish)? {
                0 => break,
                read => discarded += read,
            }
        }
        Ok(())
    }
}

fn is_space(byte: u8) -> bool {
    byte == b' ' || (b'\t'..=b'\r').contains(&byte)
}

fn answer_to(question: &[u8]) -> &'static [u8] {
    match question {
        b"Beautiful is better than?" => b"Ugly.",
        b"Explicit is better than?" => b"Implicit.",
        b"Simple is better than?" => b"Complex.",
        _ => b"Error: unknown aphorism.",
    }
}

fn answer_ignoring_case(question: &[u8]) -> &'static [u8] {
    let known: [&[u8]; 3] =
        [b"Beautiful is better than?", b"Explicit is better than?", b"Simple is better than?"];
    known
        .into_iter()
        .find(|aphorism| aphorism.eq_ignore_ascii_case(question))
        .map_or(b"Error: unknown aphorism.", answer_to)
}
