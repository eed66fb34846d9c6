//! What measured clients do next: connect, ask, think, keep to a schedule, hang up, try again.

use std::io;
use std::time::Duration;

use mio::{Interest, Token};

use super::Generator;
use crate::generator::client::{ConversationFailure, Role};
use crate::generator::connect::{Source, connect, connect_deaf};
use crate::generator::load::{Nanos, nanos};
use crate::generator::schedule::OpenLoop;

/// How long a measured client whose connection failed waits before it connects again.
const RETRY: Duration = Duration::from_millis(20);

impl Generator<'_> {
    /// Lets the clients go on whose alarms are due. Returns whether there were any.
    pub(super) fn wake_clients(&mut self, now: Nanos) -> bool {
        let mut any = false;
        while let Some((at, slot)) = self.alarms.due(now) {
            let client = &mut self.clients[slot];
            if client.wakes_at != Some(at) {
                continue;
            }
            any = true;
            client.wakes_at = None;
            if client.stream.is_none() {
                self.connect(slot);
                continue;
            }
            let outcome = match client.role {
                Role::Measured if client.open_loop.is_some() => self.keep_schedule(slot),
                Role::Measured => client.ask(&self.encoded, now),
                _ => self.misbehave(slot, now),
            };
            if let Err(failure) = outcome {
                self.give_up(slot, failure);
            }
        }
        any
    }

    pub(super) fn wake_later(&mut self, slot: usize, at: Nanos) {
        self.clients[slot].wakes_at = Some(at);
        self.alarms.set(at, slot);
    }

    pub(super) fn connect(&mut self, slot: usize) {
        match self.open(slot) {
            Ok(stream) => {
                let questions = match self.clients[slot].role {
                    Role::Measured => self.load.scenario.questions_per_conversation,
                    Role::Idle => Some(1),
                    Role::Trickler | Role::NonReader => None,
                };
                let greeting = self.load.workload.greeting().len();
                self.clients[slot].begin(stream, questions, greeting);
            }
            Err(error) => self.connect_failed(slot, &error),
        }
    }

    fn open(&mut self, slot: usize) -> io::Result<mio::net::TcpStream> {
        let server = self.load.server;
        let comes_and_goes = self.load.scenario.questions_per_conversation.is_some();
        let mut stream = match self.clients[slot].role {
            Role::Measured if comes_and_goes => connect(server, Source::InTurn(self.next_turn()))?,
            Role::Measured | Role::Trickler => connect(server, Source::Any)?,
            // Counted from the first of all clients: the numbers only have to be spread evenly.
            Role::Idle => connect(server, Source::IdleConnections(slot))?,
            Role::NonReader => connect_deaf(server)?,
        };
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(slot), both)?;
        Ok(stream)
    }

    fn next_turn(&mut self) -> usize {
        self.turns += 1;
        self.turns
    }

    pub(super) fn connect_failed(&mut self, slot: usize, error: &io::Error) {
        self.result.failures.connects += 1;
        self.result.failures.connect_error = Some(error.to_string());
        self.lose(slot, false);
    }

    /// Takes the client's next step after what happened at `since`: another conversation, a think
    /// time, or more questions.
    pub(super) fn go_on(&mut self, slot: usize, since: Nanos) -> Result<(), ConversationFailure> {
        let client = &mut self.clients[slot];
        if client.awaits_greeting() {
            return Ok(());
        }
        if client.role != Role::Measured {
            return self.go_on_misbehaving(slot, since);
        }
        if client.is_done() {
            if self.stages.window_is_open() {
                self.result.conversations += 1;
            }
            client.end();
            self.connect(slot);
        } else if let Some(open_loop) = &mut client.open_loop {
            open_loop.unblock(since);
            return self.keep_schedule(slot);
        } else if self.load.scenario.think.is_zero() {
            // Other clients may have asked before, so the question is written now, not at `since`.
            let now = self.now();
            self.clients[slot].ask(&self.encoded, now)?;
        } else if client.in_flight() == 0 {
            self.wake_later(slot, since + nanos(self.load.scenario.think));
        }
        Ok(())
    }

    /// Asks what is due on an open loop's connection, and sets the alarm for the next question.
    fn keep_schedule(&mut self, slot: usize) -> Result<(), ConversationFailure> {
        // Other clients may have been woken before, so the current time is read again.
        let now = self.now();
        let opened = self.stages.opened();
        let schedule = &mut self.result.schedule;
        let client = &mut self.clients[slot];
        let outcome = client.ask_due(&self.encoded, now, |due| {
            if let (Some(schedule), Some(opened)) = (&mut *schedule, opened)
                && due.at >= opened
            {
                schedule.due += 1;
                schedule.late += u64::from(due.late > 0);
                schedule.latest_ns = schedule.latest_ns.max(due.late);
            }
        });
        let next = client.open_loop.as_ref().and_then(OpenLoop::alarm);
        if let Some(next) = next.filter(|_| client.wakes_at != next) {
            self.wake_later(slot, next);
        }
        outcome
    }

    pub(super) fn give_up(&mut self, slot: usize, failure: ConversationFailure) {
        let measured = self.clients[slot].role == Role::Measured;
        let failures = &mut self.result.failures;
        match failure {
            // A server may well close the connection of a client that misbehaves.
            ConversationFailure::Closed => failures.closed_early += u64::from(measured),
            ConversationFailure::Wrong { expected, received } => {
                failures.wrong_answers += 1;
                failures.first_wrong.get_or_insert_with(|| {
                    (expected.escape_ascii().to_string(), received.escape_ascii().to_string())
                });
            }
        }
        self.lose(slot, true);
    }

    /// Notes that the client has lost its connection. Unless it is idle, it will try to get
    /// another.
    fn lose(&mut self, slot: usize, ended_by_server: bool) {
        self.clients[slot].end();
        if self.clients[slot].role == Role::Measured {
            let at = self.now() + nanos(RETRY);
            self.wake_later(slot, at);
        } else {
            self.come_again(slot, ended_by_server);
        }
    }
}
