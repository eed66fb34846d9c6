//! The event loop: it waits for events, and moves bytes.

mod background;
mod join;
mod steps;
mod window;

use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use mio::event::Event;
use mio::{Events, Poll, Token};

use super::alarms::{Alarms, TIMER};
use super::client::{Client, ConversationFailure, Role};
use super::clock::Clock;
use super::connect::room_for_connections;
use super::encoded_questions::EncodedQuestions;
use super::flood;
use super::idle_connections::{Ended, IdleConnections};
use super::load::{Load, Moment, Nanos};
use super::load_result::LoadResult;
use super::ramp::Arrival;
use super::stages::Stages;
use crate::scenario::BackgroundConnections;

/// Bytes per read: several times what 64 answers amount to.
const READ_BUFFER: usize = 64 * 1024;

pub(super) struct Generator<'a> {
    pub(super) load: &'a Load<'a>,
    pub(super) poll: Poll,
    pub(super) encoded: EncodedQuestions,
    /// First the tricklers and the non-readers, then the idle connections, then the measured
    /// clients.
    pub(super) clients: Vec<Client>,
    pub(super) first_measured: usize,
    pub(super) alarms: Alarms,
    clock: Clock,
    pub(super) stages: Stages,
    pub(super) arrival: Arrival,
    pub(super) idle: IdleConnections,
    /// How many questions a non-reader sends at a time.
    pub(super) flood: usize,
    pub(super) ended: Ended,
    pub(super) answers: u64,
    /// The clients that were answered in this round of events, and when.
    heard: Vec<(usize, Nanos)>,
    /// How many connections were made for conversations that come and go.
    pub(super) turns: usize,
    pub(super) result: LoadResult,
}

impl<'a> Generator<'a> {
    pub(super) fn new(load: &'a Load<'a>) -> io::Result<Self> {
        let scenario = load.scenario;
        let result = match scenario.arrivals {
            None => LoadResult::new(),
            Some(arrivals) => {
                let unknown = "the open loop's rate is a share of a capacity that is not known";
                let rate = arrivals.rate.per_second(load.capacity);
                LoadResult::open_loop(
                    rate.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, unknown))?,
                )
            }
        };
        let BackgroundConnections { tricklers, non_readers, idle: wanted } = scenario.background;
        let others = scenario.clients + tricklers + non_readers;
        let room = if wanted == 0 { 0 } else { room_for_connections()?.saturating_sub(others) };
        let idle = wanted.min(room);
        let roles = [
            (Role::Trickler, tricklers),
            (Role::NonReader, non_readers),
            (Role::Idle, idle),
            (Role::Measured, scenario.clients),
        ];
        let mut random = fastrand::Rng::with_seed(load.seed);
        let flood = if non_readers > 0 { flood::count(load.workload) } else { 0 };
        let longest_write = scenario.depth.max(flood);
        let encoded = EncodedQuestions::new(load.workload, longest_write, random.u64(..));
        let roles = roles.iter().flat_map(|&(role, count)| std::iter::repeat_n(role, count));
        let clients: Vec<Client> = roles
            .map(|role| {
                let depth = if role == Role::Measured { scenario.depth } else { 1 };
                Client::new(role, depth, encoded.random_position(&mut random))
            })
            .collect();
        let poll = Poll::new()?;
        Ok(Self {
            load,
            alarms: Alarms::new(poll.registry(), 2 * clients.len())?,
            poll,
            encoded,
            first_measured: clients.len() - scenario.clients,
            clients,
            clock: Clock::start(),
            stages: Stages::new(load),
            arrival: Arrival::default(),
            idle: IdleConnections::new(tricklers + non_readers, idle),
            flood,
            ended: Ended::default(),
            answers: 0,
            heard: Vec::new(),
            turns: 0,
            result: LoadResult { idle_cut_to: IdleConnections::cut(wanted, room), ..result },
        })
    }

    pub(super) fn run(
        mut self,
        on_moment: &mut dyn FnMut(Moment) -> ControlFlow<()>,
    ) -> io::Result<LoadResult> {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; READ_BUFFER];
        self.clock = Clock::start();
        // Tricklers and non-readers come before the clients that they disturb. Idle connections
        // come last: they are there to be held while others are served, and must not use up what a
        // server admits before the others come.
        self.connect_background();
        self.start_measured_clients();
        loop {
            let now = self.now();
            if self.pass_time(now, on_moment).is_break() {
                break;
            }
            // Reads the clock again: waking clients may have taken long, and that time must not be
            // slept through once more.
            let now = if self.wake_clients(now) { self.now() } else { now };
            let due = self.alarms.arm(now)?;
            let left = if due { 0 } else { self.stages.next_moment().saturating_sub(now) };
            match self.poll.poll(&mut events, Some(Duration::from_nanos(left))) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                Err(_) => continue,
                Ok(()) => {}
            }
            for event in &events {
                self.on_event(event, &mut buffer);
            }
            self.go_on_from_heard();
        }
        Ok(self.result)
    }

    pub(super) fn now(&self) -> Nanos {
        self.clock.now()
    }

    fn on_event(&mut self, event: &Event, buffer: &mut [u8]) {
        if event.token() == TIMER {
            return;
        }
        let Token(slot) = event.token();
        let client = &mut self.clients[slot];
        let Some(stream) = &client.stream else { return };
        if !client.connected {
            if event.is_error() {
                let error = stream.take_error().ok().flatten().unwrap_or(io::ErrorKind::NotConnected.into());
                return self.connect_failed(slot, &error);
            }
            if !event.is_writable() {
                return;
            }
            client.connected = true;
            if client.role == Role::Measured && !client.has_joined {
                client.has_joined = true;
                self.arrival.connected(self.clock.now());
            }
            if let Err(failure) = self.go_on(slot, self.now()) {
                return self.give_up(slot, failure);
            }
        }
        if let Err(failure) = self.exchange(slot, event, buffer) {
            self.give_up(slot, failure);
        }
    }

    /// Moves the bytes that an event announces.
    fn exchange(&mut self, slot: usize, event: &Event, buffer: &mut [u8]) -> Result<(), ConversationFailure> {
        let client = &mut self.clients[slot];
        if client.role == Role::NonReader {
            let over = event.is_read_closed() || event.is_error();
            return if over { Err(ConversationFailure::Closed) } else { client.flush(&self.encoded) };
        }
        // A trickler sends its next byte when its alarm is due.
        if event.is_writable() && client.has_unsent() && client.role != Role::Trickler {
            client.flush(&self.encoded)?;
        }
        if !event.is_readable() && !event.is_read_closed() {
            return Ok(());
        }
        let mut heard = None;
        // This ends, because a client takes no more bytes than it has questions in flight.
        while let Some(count) = self.clients[slot].read(buffer)? {
            let now = self.now();
            heard = Some(now);
            self.hear(slot, &buffer[..count], now)?;
            // A short read has emptied the socket. Only an end of stream that was announced
            // together with the data would not be announced again.
            if count < buffer.len() && !event.is_read_closed() {
                break;
            }
        }
        if let Some(at) = heard {
            self.heard.push((slot, at));
        }
        Ok(())
    }

    /// Lets the clients that were answered take their next steps. This comes after all answers have
    /// been read, as a write takes far longer than a read, and an answer that has arrived should
    /// not grow older while others ask.
    fn go_on_from_heard(&mut self) {
        let mut heard = std::mem::take(&mut self.heard);
        for (slot, at) in heard.drain(..) {
            if let Err(failure) = self.go_on(slot, at) {
                self.give_up(slot, failure);
            }
        }
        self.heard = heard;
    }

    fn hear(&mut self, slot: usize, received: &[u8], now: Nanos) -> Result<(), ConversationFailure> {
        let client = &mut self.clients[slot];
        let mut received = received;
        if client.awaits_greeting() {
            received = client.hear_greeting(self.load.workload.greeting(), received)?;
            if received.is_empty() {
                return Ok(());
            }
        }
        let measured = client.role == Role::Measured;
        let recording = self.stages.window_is_open();
        let LoadResult { latency, uncorrected, .. } = &mut self.result;
        let mut answers = 0_u64;
        let outcome = client.hear(&self.encoded, received, |asked, count| {
            let count = count as u64;
            answers += count;
            if recording && measured {
                latency.saturating_record_n(now.saturating_sub(asked.due), count);
                if let Some(uncorrected) = uncorrected {
                    uncorrected.saturating_record_n(now.saturating_sub(asked.sent), count);
                }
            }
        });
        if recording {
            client.served += answers;
        }
        if measured {
            self.answers += answers;
            if recording {
                self.result.answers += answers;
            }
            if let Some(progress) = self.load.progress {
                progress.set_answers(self.answers);
            }
        }
        outcome
    }
}
