//! A conversation and a scripted peer, on a clock that jumps from wake-up to wake-up.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use zen_proto::{CloseReason, Conversation, Framing, Limits, aphorism};

use crate::driver::{Application, Inline, Socket, turn};

/// What happens at one moment of the script.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// The peer sends bytes.
    Send(Vec<u8>),
    /// The peer half-closes.
    Eof,
    /// The connection breaks.
    Reset,
    /// The peer reads this many bytes, or is ready to.
    Take(usize),
    /// The server is asked to stop.
    Drain,
}

/// Bytes that the peer sends.
pub(crate) fn send(bytes: impl AsRef<[u8]>) -> Event {
    Event::Send(bytes.as_ref().to_vec())
}

pub(crate) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) struct Pair<F: Framing, A> {
    pub(crate) server: Conversation<F>,
    pub(crate) application: A,
    pub(crate) socket: Socket,
    pub(crate) now: Instant,
    start: Instant,
    script: VecDeque<(Duration, Event)>,
    /// What the peer has sent and the server has not read.
    arrived: VecDeque<u8>,
    eof: bool,
}

impl Pair<zen_proto::DelimiterFraming, Inline<aphorism::Aphorisms>> {
    /// zen's own protocol.
    pub(crate) fn zen(limits: Limits) -> Self {
        Self::new(aphorism::framing(), Inline(aphorism::Aphorisms), limits)
    }
}

impl<F: Framing, A: Application<F>> Pair<F, A> {
    pub(crate) fn new(framing: F, application: A, limits: Limits) -> Self {
        let start = Instant::now();
        Self {
            server: Conversation::new(framing, limits, start),
            application,
            socket: Socket::default(),
            now: start,
            start,
            script: VecDeque::new(),
            arrived: VecDeque::new(),
            eof: false,
        }
    }

    /// The peer reads only what the script says.
    pub(crate) fn not_reading(mut self) -> Self {
        self.socket.room = 0;
        self
    }

    /// Adds to the script, which is in the order of time.
    pub(crate) fn at(mut self, when: Duration, event: Event) -> Self {
        assert!(self.script.back().is_none_or(|(last, _)| *last <= when));
        self.script.push_back((when, event));
        self
    }

    /// How long the conversation has lasted.
    pub(crate) fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// Does what can be done now, or else waits for what comes next. Returns false once the
    /// conversation is closed.
    pub(crate) fn step(&mut self) -> bool {
        turn(&mut self.server, &mut self.application, &mut self.socket, self.now);
        if self.server.closed().is_some() {
            return false;
        }
        if self.server.wants_read() && self.read() {
            return true;
        }
        let event_at = self.script.front().map(|(when, _)| self.start + *when);
        let timeout = self.server.poll_timeout();
        if let Some(at) = timeout.filter(|at| event_at.is_none_or(|event| *at <= event)) {
            self.time_out(at);
        } else {
            let (when, event) = self.script.pop_front().expect("the driver would wait for ever");
            self.now = self.start + when;
            self.happen(event);
        }
        true
    }

    /// Steps to the end. Returns why the conversation closed, and after how long.
    pub(crate) fn run(&mut self) -> (CloseReason, Duration) {
        while self.step() {}
        (self.server.closed().unwrap(), self.elapsed())
    }

    /// Steps until the script is over and only a deadline is left to wait for.
    pub(crate) fn run_script(&mut self) {
        while !self.script.is_empty() {
            assert!(self.step(), "closed early: {:?}", self.server.closed());
        }
        turn(&mut self.server, &mut self.application, &mut self.socket, self.now);
        while self.server.wants_read() && self.read() {
            turn(&mut self.server, &mut self.application, &mut self.socket, self.now);
        }
    }

    fn read(&mut self) -> bool {
        if !self.arrived.is_empty() {
            let (front, _) = self.arrived.as_slices();
            let data = front[..front.len().min(16 * 1024)].to_vec();
            self.arrived.drain(..data.len());
            self.server.handle_input(&data, self.now);
            return true;
        }
        let eof = std::mem::take(&mut self.eof);
        if eof {
            self.server.handle_eof(self.now);
        }
        eof
    }

    /// Checks at each deadline of each test that nothing happens a nanosecond before it, and that
    /// no deadline is in the past after it.
    fn time_out(&mut self, at: Instant) {
        assert!(at > self.now, "a deadline in the past");
        self.server.handle_timeout(at.checked_sub(Duration::from_nanos(1)).unwrap());
        assert_eq!(self.server.closed(), None, "closed before the deadline");
        assert_eq!(self.server.poll_timeout(), Some(at), "an early call moved the deadline");
        self.now = at;
        self.server.handle_timeout(at);
        let closed = self.server.closed();
        assert!(closed.is_some(), "nothing happened at the deadline");
        self.server.handle_timeout(at);
        assert_eq!(self.server.closed(), closed, "once is enough");
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Send(bytes) => self.arrived.extend(bytes),
            Event::Eof => self.eof = true,
            Event::Reset => self.server.handle_lost(self.now),
            Event::Take(n) => self.socket.room = self.socket.room.saturating_add(n),
            Event::Drain => self.server.drain(self.now),
        }
    }
}
