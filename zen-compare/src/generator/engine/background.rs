//! Clients that do not ask as clients should: what they do, and what becomes of them.

use std::time::Duration;

use super::Generator;
use crate::generator::client::{Client, ConversationFailure, Role};
use crate::generator::idle_connections::FLOOD_QUESTIONS;
use crate::generator::load::{Nanos, nanos};
use crate::results::Group;
use crate::scenario::BackgroundConnections;

/// How often a trickler sends a byte.
const TRICKLE: Duration = Duration::from_millis(100);
/// How often a non-reader sends more questions, and how many: some 3 000 a second.
const FLOOD: Duration = Duration::from_millis(20);
/// How long a trickler or a non-reader that has been thrown out waits before it comes again.
const COME_AGAIN: Duration = Duration::from_millis(200);
/// Idle connections on their way in at once: well below what servers let wait in their backlogs.
const JOINING: usize = 128;

impl Generator<'_> {
    /// Connects those who disturb.
    pub(super) fn connect_background(&mut self) {
        let BackgroundConnections { tricklers, non_readers, .. } = self.load.scenario.background;
        for slot in 0..tricklers + non_readers {
            self.connect(slot);
        }
    }

    /// Brings as many idle connections on their way as may be.
    pub(super) fn let_idle_connections_in(&mut self, now: Nanos) {
        if self.idle.started == 0 {
            self.idle.last_joined = now;
        }
        while self.idle.joining < JOINING && self.idle.started < self.idle.size {
            let slot = self.idle.first + self.idle.started;
            self.idle.started += 1;
            self.idle.joining += 1;
            self.connect(slot);
        }
    }

    /// A idle connection has had its answer.
    pub(super) fn join_idle_connections(&mut self, now: Nanos) {
        self.idle.last_joined = now;
        self.idle.joining -= 1;
    }

    /// A idle connection could not be made, or has been ended. It does not come again: the idle connections is counted.
    fn leave_idle_connections(&mut self, had_joined: bool) {
        if !had_joined {
            self.idle.joining -= 1;
        }
    }

    /// What a client that is no measured one does when it is connected, and whenever it wakes.
    pub(super) fn misbehave(&mut self, slot: usize, now: Nanos) -> Result<(), ConversationFailure> {
        let client = &mut self.clients[slot];
        match client.role {
            Role::Measured => Ok(()),
            Role::Trickler => {
                let outcome = client.trickle(&self.encoded, now);
                self.wake_later(slot, now + nanos(TRICKLE));
                outcome
            }
            Role::NonReader => {
                let outcome = client.flood(&self.encoded, FLOOD_QUESTIONS);
                self.wake_later(slot, now + nanos(FLOOD));
                outcome
            }
            Role::Idle => client.ask(&self.encoded, now),
        }
    }

    /// What a client that is no measured one does when it has been connected or answered.
    pub(super) fn go_on_misbehaving(&mut self, slot: usize, now: Nanos) -> Result<(), ConversationFailure> {
        let client = &mut self.clients[slot];
        if client.role == Role::Idle && client.has_asked() {
            if client.in_flight() == 0 && !client.has_joined {
                client.has_joined = true;
                self.join_idle_connections(now);
            }
            return Ok(());
        }
        // An answered trickler goes on in its own time.
        if client.wakes_at.is_some() { Ok(()) } else { self.misbehave(slot, now) }
    }

    /// What becomes of a client that is no measured one and has lost its connection, or did not get one.
    pub(super) fn come_again(&mut self, slot: usize, ended_by_server: bool) {
        let count = u64::from(ended_by_server);
        let had_joined = self.clients[slot].has_joined;
        match self.clients[slot].role {
            Role::Measured => return,
            Role::Trickler => self.ended.tricklers += count,
            Role::NonReader => self.ended.non_readers += count,
            Role::Idle => {
                self.ended.idle += count;
                self.leave_idle_connections(had_joined);
                return;
            }
        }
        let at = self.now() + nanos(COME_AGAIN);
        self.wake_later(slot, at);
    }

    /// Each kind of client, when there is more than the measured kind.
    pub(super) fn groups(&self) -> Vec<Group> {
        if self.load.scenario.background.connections() == 0 {
            return Vec::new();
        }
        let kinds = [
            (Role::Measured, "good", self.result.failures.closed_early),
            (Role::Trickler, "trickler", self.ended.tricklers),
            (Role::NonReader, "non-reader", self.ended.non_readers),
            (Role::Idle, "quiet", self.ended.idle),
        ];
        let groups = kinds.into_iter().map(|(role, name, ended_by_server)| {
            let all = || self.clients.iter().filter(move |client| client.role == role);
            Group {
                name: name.into(),
                clients: all().count(),
                served: all().filter(|client| client.served > 0).count(),
                answers: all().map(|client| client.served).sum(),
                ended_by_server,
                open: all().filter(|client| client.connected).count(),
            }
        });
        groups.filter(|group| group.clients > 0).collect()
    }

    /// How many idle connections are open and have been answered, where there are to be any.
    pub(super) fn connections_held(&self) -> Option<usize> {
        let held = |client: &&Client| client.role == Role::Idle && client.connected && client.has_joined;
        (self.load.scenario.background.idle > 0).then(|| self.clients.iter().filter(held).count())
    }
}
