//! The clients: good ones and bad ones, each a small machine that never waits.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::SockRef;

const QUESTION: &[u8] = b"Simple is better than?";
const ANSWER: &[u8] = b"Complex.";

/// How a client behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Asks, waits for the answer, thinks.
    Good,
    /// Asks ten questions at once.
    Pipelining,
    /// Asks one question, and comes back on another connection.
    Churning,
    /// Says nothing.
    Silent,
    /// Sends a byte now and then.
    Trickling,
    /// Leaves in the middle of a question.
    Leaving,
    /// Resets the connection behind a question.
    Resetting,
    /// Asks and never reads.
    Stalling,
    /// Sends what is no question.
    Flooding,
}

impl Kind {
    /// Half of the clients are good ones.
    pub(crate) const MIX: [Self; 14] = [
        Self::Good,
        Self::Good,
        Self::Good,
        Self::Good,
        Self::Good,
        Self::Pipelining,
        Self::Churning,
        Self::Silent,
        Self::Silent,
        Self::Trickling,
        Self::Leaving,
        Self::Resetting,
        Self::Stalling,
        Self::Flooding,
    ];

    fn is_good(self) -> bool {
        matches!(self, Self::Good | Self::Pipelining | Self::Churning)
    }
}

/// What the clients have seen since they were last asked.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) answers: u64,
    /// How long good clients have waited for their answers.
    pub(crate) waits: Vec<Duration>,
    /// What has happened to good clients that should not have, the first of it.
    pub(crate) wrong: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Client {
    kind: Kind,
    stream: Option<TcpStream>,
    opened: Instant,
    /// When the oldest question was asked that is not answered, and how many bytes are missing.
    asked: Option<Instant>,
    missing: usize,
}

impl Client {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, stream: None, opened: Instant::now(), asked: None, missing: 0 }
    }

    /// Does what is due, and says when it is due again.
    pub(crate) fn step(&mut self, server: SocketAddr, now: Instant, seen: &mut Seen) -> Instant {
        let pause = self.go_on(server, now, seen).unwrap_or_else(|error| {
            // Even a bad client is let in.
            if self.kind.is_good() || self.stream.is_none() {
                seen.wrong.get_or_insert_with(|| format!("a {:?} client: {error}", self.kind));
            }
            (self.stream, self.asked, self.missing) = (None, None, 0);
            Duration::from_millis(200)
        });
        now + pause
    }

    fn go_on(&mut self, server: SocketAddr, now: Instant, seen: &mut Seen) -> std::io::Result<Duration> {
        let Some(stream) = &mut self.stream else {
            let stream = TcpStream::connect_timeout(&server, Duration::from_secs(2))?;
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            (self.stream, self.opened) = (Some(stream), now);
            return Ok(Duration::ZERO);
        };
        let age = now - self.opened;
        match self.kind {
            Kind::Good | Kind::Pipelining | Kind::Churning => return self.ask(now, seen),
            Kind::Silent => {
                if matches!(stream.read(&mut [0; 64]), Ok(0)) {
                    self.stream = None;
                }
                return Ok(Duration::from_millis(500));
            }
            Kind::Trickling => {
                stream.write_all(b"w")?;
                return Ok(Duration::from_millis(300));
            }
            Kind::Leaving => stream.write_all(b"half a quest")?,
            Kind::Resetting => {
                stream.write_all(QUESTION)?;
                SockRef::from(&*stream).set_linger(Some(Duration::ZERO))?;
            }
            Kind::Stalling => {
                if age < Duration::from_secs(5) {
                    // When nothing more goes in, the server does not read either.
                    let _ = stream.write(&QUESTION.repeat(100));
                    return Ok(Duration::from_millis(100));
                }
            }
            Kind::Flooding => {
                let _ = stream.write(&[b'x'; 4096]);
            }
        }
        self.stream = None;
        Ok(Duration::from_millis(100))
    }

    /// A good client asks if nothing is owed, and otherwise looks for its answers.
    fn ask(&mut self, now: Instant, seen: &mut Seen) -> std::io::Result<Duration> {
        let Some(stream) = &mut self.stream else { return Ok(Duration::ZERO) };
        let Some(asked) = self.asked else {
            let questions = if self.kind == Kind::Pipelining { 10 } else { 1 };
            stream.write_all(&QUESTION.repeat(questions))?;
            (self.asked, self.missing) = (Some(now), questions * ANSWER.len());
            return Ok(Duration::ZERO);
        };
        let mut answer = [0; 10 * ANSWER.len()];
        match stream.read(&mut answer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => self.missing = self.missing.saturating_sub(n),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if self.missing > 0 {
            if now - asked > Duration::from_secs(20) {
                return Err(ErrorKind::TimedOut.into());
            }
            return Ok(Duration::from_millis(1));
        }
        seen.answers += if self.kind == Kind::Pipelining { 10 } else { 1 };
        seen.waits.push(now - asked);
        self.asked = None;
        if self.kind == Kind::Churning {
            self.stream = None;
        }
        Ok(Duration::from_millis(200))
    }
}
