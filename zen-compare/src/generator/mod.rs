//! The load: one thread, one event loop, any number of clients, every answer checked.
//!
//! The generator has to be cheaper per question than any server it loads, or it measures itself. So per question
//! there is one read, one write, one look at the clock, a comparison of bytes and a histogram bucket, and nothing
//! is allocated: questions and answers lie ready on a tape. Connections are registered once
//! (edge-triggered), and a short read spares the read that would only say `WouldBlock`.
//!
//! It ends when its time is over, whatever the server does: a client that is never answered is a finding.

mod client;
mod tally;
mod tape;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use self::client::{Broken, Client, Nanos};
pub use self::tally::{Failures, Tally};
use self::tape::Tape;
use crate::progress::Progress;
use crate::sample::ThreadUsage;
use crate::scenario::Scenario;
use crate::workload::Workload;

/// Bytes taken per read: several times what 64 answers amount to.
const READ_BUFFER: usize = 64 * 1024;
/// How long a client whose connection failed waits before it connects again.
const RETRY: Duration = Duration::from_millis(20);
/// How often the witness is called while the load goes on.
const PASSING: Duration = Duration::from_millis(100);
/// The most time between [`Moment::Settling`] and [`Moment::Opens`].
const SETTLE: Duration = Duration::from_millis(100);
/// How much a warm-up grows at a time while the answers do not come at a steady pace.
const WARM_ON: Duration = Duration::from_millis(50);

/// What to do to which server.
#[derive(Debug, Clone)]
pub struct Load<'a> {
    /// Where the server listens.
    pub server: SocketAddr,
    /// How the clients behave.
    pub scenario: &'a Scenario,
    /// What they ask.
    pub workload: &'a Workload,
    /// How long the load goes on before it is measured.
    pub warmup: Duration,
    /// How long it is measured.
    pub window: Duration,
    /// Decides the order of the questions. The same seed asks the same questions.
    pub seed: u64,
    /// For those who watch from another thread, and decide when the load has warmed up.
    pub progress: Option<&'a Progress>,
}

/// The moments of a load at which its witness is called, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Shortly before the window opens: the time for samples that take long, as the load stands still meanwhile.
    Settling,
    /// The window opens. The witness should be quick.
    Opens,
    /// Every tenth of a second throughout, from the start on.
    Passing,
    /// The window has closed.
    Closes,
}

/// Loads a server for `warmup + window` and tells what happened.
///
/// The witness is called on this thread at each [`Moment`]; when it breaks, the load ends early and the tally is
/// of what there was.
///
/// # Errors
/// When the event loop itself fails. Whatever the server does is in the tally instead.
pub fn generate(load: &Load<'_>, witness: &mut dyn FnMut(Moment) -> ControlFlow<()>) -> io::Result<Tally> {
    Generator::new(load)?.run(witness)
}

struct Generator<'a> {
    load: &'a Load<'a>,
    poll: Poll,
    tape: Tape,
    clients: Vec<Client>,
    /// Which client wakes when; entries whose time is no longer the client's are ignored.
    timers: BinaryHeap<Reverse<(Nanos, usize)>>,
    began: Instant,
    stage: Stage,
    /// When the stage ends.
    stage_ends: Nanos,
    /// When the warm-up ends at the earliest, to leave time for settling.
    warmup_ends: Nanos,
    next_passing: Nanos,
    opened: Nanos,
    usage_opened: ThreadUsage,
    answers: u64,
    answers_settling: u64,
    tally: Tally,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    WarmingUp,
    Settling,
    Open,
}

impl<'a> Generator<'a> {
    fn new(load: &'a Load<'a>) -> io::Result<Self> {
        let scenario = load.scenario;
        let mut random = fastrand::Rng::with_seed(load.seed);
        let tape = Tape::new(load.workload, scenario.depth, random.u64(..));
        let warmup_ends = nanos(load.warmup.saturating_sub(SETTLE.min(load.warmup / 2)));
        let clients = (0..scenario.clients)
            .map(|_| Client::new(scenario.depth, Tape::random_position(&mut random)))
            .collect();
        Ok(Self {
            load,
            poll: Poll::new()?,
            tape,
            clients,
            timers: BinaryHeap::with_capacity(2 * scenario.clients),
            began: Instant::now(),
            stage: Stage::WarmingUp,
            stage_ends: warmup_ends,
            warmup_ends,
            next_passing: 0,
            opened: 0,
            usage_opened: ThreadUsage::default(),
            answers: 0,
            answers_settling: 0,
            tally: Tally::new(),
        })
    }

    fn run(mut self, witness: &mut dyn FnMut(Moment) -> ControlFlow<()>) -> io::Result<Tally> {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; READ_BUFFER];
        self.began = Instant::now();
        for slot in 0..self.clients.len() {
            self.connect(slot);
        }
        loop {
            let now = self.now();
            if self.pass_time(now, witness).is_break() {
                break;
            }
            self.wake_clients(now);
            let until = self.stage_ends.min(self.next_passing);
            let until = self.timers.peek().map_or(until, |Reverse((at, _))| until.min(*at));
            // The clock again: waking clients may have taken long, and time must not be slept through twice.
            let timeout = Duration::from_nanos(until.saturating_sub(self.now()));
            match self.poll.poll(&mut events, Some(timeout)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                Err(_) => continue,
                Ok(()) => {}
            }
            for event in &events {
                self.on_event(event, &mut buffer);
            }
        }
        Ok(self.tally)
    }

    fn now(&self) -> Nanos {
        nanos(self.began.elapsed())
    }

    /// Lets the witness see the moments that have come. Breaks when the load is over.
    fn pass_time(
        &mut self,
        now: Nanos,
        witness: &mut dyn FnMut(Moment) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if now >= self.next_passing {
            self.next_passing = now + nanos(PASSING);
            if witness(Moment::Passing).is_break() {
                self.close();
                return ControlFlow::Break(());
            }
        }
        if now < self.stage_ends {
            return ControlFlow::Continue(());
        }
        match self.stage {
            Stage::WarmingUp => {
                let spent = Duration::from_nanos(now);
                let asked = Duration::from_nanos(self.warmup_ends);
                if self.load.progress.is_some_and(|progress| progress.wants_more_warmup(spent, asked)) {
                    self.stage_ends = now + nanos(WARM_ON);
                    return ControlFlow::Continue(());
                }
                self.stage = Stage::Settling;
                self.stage_ends = now + (nanos(self.load.warmup) - self.warmup_ends);
                self.answers_settling = self.answers;
                witness(Moment::Settling)
            }
            Stage::Settling => {
                let flow = witness(Moment::Opens);
                self.stage = Stage::Open;
                self.usage_opened = ThreadUsage::now();
                self.opened = self.now();
                self.stage_ends = self.opened + nanos(self.load.window);
                flow
            }
            Stage::Open => {
                self.close();
                let _ = witness(Moment::Closes);
                ControlFlow::Break(())
            }
        }
    }

    /// Closes the window, if it was open, and draws up what the clients have seen.
    fn close(&mut self) {
        let now = self.now();
        if self.stage == Stage::Open {
            let usage = ThreadUsage::now();
            self.tally.window = Duration::from_nanos(now - self.opened);
            self.tally.generator_cpu = usage.cpu.saturating_sub(self.usage_opened.cpu);
            self.tally.generator_starved = usage.starved_since(&self.usage_opened);
        }
        self.tally.answers_since_settling = self.answers - self.answers_settling;
        self.tally.served = self.clients.iter().map(|client| client.served).collect();
        let waits =
            self.clients.iter().filter_map(Client::waiting_since).map(|since| now.saturating_sub(since));
        self.tally.waiting = waits.clone().count();
        self.tally.longest_wait = Duration::from_nanos(waits.max().unwrap_or(0));
    }

    fn wake_clients(&mut self, now: Nanos) {
        while let Some(&Reverse((at, slot))) = self.timers.peek() {
            if at > now {
                break;
            }
            self.timers.pop();
            let client = &mut self.clients[slot];
            if client.wakes_at != Some(at) {
                continue;
            }
            client.wakes_at = None;
            if client.stream.is_none() {
                self.connect(slot);
            } else if let Err(broken) = client.ask(&self.tape, now) {
                self.give_up(slot, broken);
            }
        }
    }

    fn wake_later(&mut self, slot: usize, at: Nanos) {
        self.clients[slot].wakes_at = Some(at);
        self.timers.push(Reverse((at, slot)));
    }

    fn connect(&mut self, slot: usize) {
        match self.open(slot) {
            Ok(stream) => self.clients[slot].begin(stream, self.load.scenario.questions_per_conversation),
            Err(error) => self.connect_failed(slot, &error),
        }
    }

    fn open(&self, slot: usize) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.load.server)?;
        // Questions are small, and what is measured is the server, not Nagle's patience.
        stream.set_nodelay(true)?;
        self.poll.registry().register(&mut stream, Token(slot), Interest::READABLE | Interest::WRITABLE)?;
        Ok(stream)
    }

    fn connect_failed(&mut self, slot: usize, error: &io::Error) {
        self.tally.failures.connects += 1;
        self.tally.failures.connect_error = Some(error.to_string());
        self.clients[slot].end();
        let at = self.now() + nanos(RETRY);
        self.wake_later(slot, at);
    }

    fn on_event(&mut self, event: &Event, buffer: &mut [u8]) {
        let Token(slot) = event.token();
        let Some(stream) = &self.clients[slot].stream else { return };
        if !self.clients[slot].connected {
            if event.is_error() {
                let error = stream.take_error().ok().flatten().unwrap_or(io::ErrorKind::NotConnected.into());
                return self.connect_failed(slot, &error);
            }
            if !event.is_writable() {
                return;
            }
            self.clients[slot].connected = true;
            if let Err(broken) = self.go_on(slot, None) {
                return self.give_up(slot, broken);
            }
        }
        if let Err(broken) = self.exchange(slot, event, buffer) {
            self.give_up(slot, broken);
        }
    }

    /// Moves the bytes that an event announces.
    fn exchange(&mut self, slot: usize, event: &Event, buffer: &mut [u8]) -> Result<(), Broken> {
        if event.is_writable() {
            self.clients[slot].flush(&self.tape)?;
        }
        if !event.is_readable() && !event.is_read_closed() {
            return Ok(());
        }
        let mut heard = None;
        // Ends: a client takes no more bytes than it has questions in flight.
        while let Some(count) = self.clients[slot].read(buffer)? {
            let now = self.now();
            heard = Some(now);
            self.hear(slot, &buffer[..count], now)?;
            // A short read has emptied the socket. Only an end of stream that was announced together with the
            // data would not be announced again.
            if count < buffer.len() && !event.is_read_closed() {
                break;
            }
        }
        if heard.is_some() { self.go_on(slot, heard) } else { Ok(()) }
    }

    fn hear(&mut self, slot: usize, received: &[u8], now: Nanos) -> Result<(), Broken> {
        let client = &mut self.clients[slot];
        let latency = &mut self.tally.latency;
        let recording = self.stage == Stage::Open;
        let mut answers = 0_u64;
        let outcome = client.hear(&self.tape, received, |asked, count| {
            let count = count as u64;
            answers += count;
            if recording {
                latency.saturating_record_n(now - asked, count);
            }
        });
        self.answers += answers;
        if let Some(progress) = self.load.progress {
            progress.set_answers(self.answers);
        }
        if recording {
            client.served += answers;
            self.tally.answers += answers;
        }
        outcome
    }

    /// The client's next step: another conversation, a thought, or more questions.
    fn go_on(&mut self, slot: usize, now: Option<Nanos>) -> Result<(), Broken> {
        let now = now.unwrap_or_else(|| self.now());
        let client = &mut self.clients[slot];
        if client.is_done() {
            if self.stage == Stage::Open {
                self.tally.conversations += 1;
            }
            client.end();
            self.connect(slot);
        } else if self.load.scenario.think.is_zero() {
            client.ask(&self.tape, now)?;
        } else if client.in_flight() == 0 {
            self.wake_later(slot, now + nanos(self.load.scenario.think));
        }
        Ok(())
    }

    fn give_up(&mut self, slot: usize, broken: Broken) {
        let failures = &mut self.tally.failures;
        match broken {
            Broken::Closed => failures.closed_early += 1,
            Broken::Wrong { expected, received } => {
                failures.wrong_answers += 1;
                failures.first_wrong.get_or_insert_with(|| {
                    (expected.escape_ascii().to_string(), received.escape_ascii().to_string())
                });
            }
        }
        self.clients[slot].end();
        let at = self.now() + nanos(RETRY);
        self.wake_later(slot, at);
    }
}

/// A duration as nanoseconds; 584 years are as good as for ever.
fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
