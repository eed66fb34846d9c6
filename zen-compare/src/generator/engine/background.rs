//! The background connections: what they do, and what happens when they lose their connection.

use std::time::Duration;

use super::Generator;
use crate::generator::client::{Client, ConversationFailure, Role};
use crate::generator::flood;
use crate::generator::load::{Nanos, nanos};
use crate::results::Group;
use crate::scenario::BackgroundConnections;

/// How often a trickler sends a byte.
const TRICKLE: Duration = Duration::from_millis(100);
/// How long a trickler or a non-reader that has lost its connection waits before it connects again.
const COME_AGAIN: Duration = Duration::from_millis(200);
/// The most idle connections that are joining at once: well below what servers let wait in their
/// backlogs.
const JOINING: usize = 128;

impl Generator<'_> {
    /// Connects the tricklers and the non-readers.
    pub(super) fn connect_background(&mut self) {
        let BackgroundConnections { tricklers, non_readers, .. } = self.load.scenario.background;
        for slot in 0..tricklers + non_readers {
            self.connect(slot);
        }
    }

    /// Starts as many idle connections as may be joining at once.
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

    /// Notes that an idle connection has had its answer.
    pub(super) fn join_idle_connections(&mut self, now: Nanos) {
        self.idle.last_joined = now;
        self.idle.joining -= 1;
    }

    /// Notes that an idle connection could not be made, or was ended. It is not made again, because
    /// the idle connections that a server holds are counted.
    fn leave_idle_connections(&mut self, had_joined: bool) {
        if !had_joined {
            self.idle.joining -= 1;
        }
    }

    /// What a background connection does when it is established, and whenever it wakes.
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
                let outcome = client.flood(&self.encoded, self.flood);
                self.wake_later(slot, now + nanos(flood::INTERVAL));
                outcome
            }
            Role::Idle => client.ask(&self.encoded, now),
        }
    }

    /// What a background connection does after it was established or answered.
    pub(super) fn go_on_misbehaving(&mut self, slot: usize, now: Nanos) -> Result<(), ConversationFailure> {
        let client = &mut self.clients[slot];
        if client.role == Role::Idle && client.has_asked() {
            if client.in_flight() == 0 && !client.has_joined {
                client.has_joined = true;
                self.join_idle_connections(now);
            }
            return Ok(());
        }
        // A trickler that has been answered goes on at its own pace.
        if client.wakes_at.is_some() { Ok(()) } else { self.misbehave(slot, now) }
    }

    /// Notes that a background connection was lost, or was not made. Tricklers and non-readers try
    /// again later.
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

    /// Each kind of client, when there are other clients than the measured ones.
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

    /// How many idle connections are open and have been answered; `None` when the scenario has
    /// none.
    pub(super) fn connections_held(&self) -> Option<usize> {
        let held = |client: &&Client| client.role == Role::Idle && client.connected && client.has_joined;
        (self.load.scenario.background.idle > 0).then(|| self.clients.iter().filter(held).count())
    }
}
