//! Clients that do not ask as clients should: what they do, and what becomes of them.

use std::time::Duration;

use super::Generator;
use crate::generator::client::{Broken, Client, Role};
use crate::generator::herd::FLOOD_QUESTIONS;
use crate::generator::load::{Nanos, nanos};
use crate::results::Group;
use crate::scenario::Company;

/// How often a trickler sends a byte.
const TRICKLE: Duration = Duration::from_millis(100);
/// How often a non-reader sends more questions, and how many: some 3 000 a second.
const FLOOD: Duration = Duration::from_millis(20);
/// How long a trickler or a non-reader that has been thrown out waits before it comes again.
const COME_AGAIN: Duration = Duration::from_millis(200);
/// Quiet connections on their way in at once: well below what servers let wait in their backlogs.
const JOINING: usize = 128;

impl Generator<'_> {
    /// Connects those who disturb.
    pub(super) fn bring_company(&mut self) {
        let Company { tricklers, non_readers, .. } = self.load.scenario.company;
        for slot in 0..tricklers + non_readers {
            self.connect(slot);
        }
    }

    /// Brings as many quiet connections on their way as may be.
    pub(super) fn let_herd_in(&mut self, now: Nanos) {
        if self.herd.started == 0 {
            self.herd.last_joined = now;
        }
        while self.herd.joining < JOINING && self.herd.started < self.herd.size {
            let slot = self.herd.first + self.herd.started;
            self.herd.started += 1;
            self.herd.joining += 1;
            self.connect(slot);
        }
    }

    /// A quiet connection has had its answer.
    pub(super) fn join_herd(&mut self, now: Nanos) {
        self.herd.last_joined = now;
        self.herd.joining -= 1;
    }

    /// A quiet connection could not be made, or has been ended. It does not come again: the herd is counted.
    fn leave_herd(&mut self, had_joined: bool) {
        if !had_joined {
            self.herd.joining -= 1;
        }
    }

    /// What a client that is no good one does when it is connected, and whenever it wakes.
    pub(super) fn misbehave(&mut self, slot: usize, now: Nanos) -> Result<(), Broken> {
        let client = &mut self.clients[slot];
        match client.role {
            Role::Good => Ok(()),
            Role::Trickler => {
                let outcome = client.trickle(&self.tape, now);
                self.wake_later(slot, now + nanos(TRICKLE));
                outcome
            }
            Role::NonReader => {
                let outcome = client.flood(&self.tape, FLOOD_QUESTIONS);
                self.wake_later(slot, now + nanos(FLOOD));
                outcome
            }
            Role::Quiet => client.ask(&self.tape, now),
        }
    }

    /// What a client that is no good one does when it has been connected or answered.
    pub(super) fn go_on_misbehaving(&mut self, slot: usize, now: Nanos) -> Result<(), Broken> {
        let client = &mut self.clients[slot];
        if client.role == Role::Quiet && client.has_asked() {
            if client.in_flight() == 0 && !client.has_joined {
                client.has_joined = true;
                self.join_herd(now);
            }
            return Ok(());
        }
        // An answered trickler goes on in its own time.
        if client.wakes_at.is_some() { Ok(()) } else { self.misbehave(slot, now) }
    }

    /// What becomes of a client that is no good one and has lost its connection, or did not get one.
    pub(super) fn come_again(&mut self, slot: usize, ended_by_server: bool) {
        let count = u64::from(ended_by_server);
        let had_joined = self.clients[slot].has_joined;
        match self.clients[slot].role {
            Role::Good => return,
            Role::Trickler => self.ended.tricklers += count,
            Role::NonReader => self.ended.non_readers += count,
            Role::Quiet => {
                self.ended.quiet += count;
                self.leave_herd(had_joined);
                return;
            }
        }
        let at = self.now() + nanos(COME_AGAIN);
        self.wake_later(slot, at);
    }

    /// Each kind of client, when there is more than the good kind.
    pub(super) fn groups(&self) -> Vec<Group> {
        if self.load.scenario.company.connections() == 0 {
            return Vec::new();
        }
        let kinds = [
            (Role::Good, "good", self.tally.failures.closed_early),
            (Role::Trickler, "trickler", self.ended.tricklers),
            (Role::NonReader, "non-reader", self.ended.non_readers),
            (Role::Quiet, "quiet", self.ended.quiet),
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

    /// How many quiet connections are open and have been answered, where there are to be any.
    pub(super) fn connections_held(&self) -> Option<usize> {
        let held = |client: &&Client| client.role == Role::Quiet && client.connected && client.has_joined;
        (self.load.scenario.company.quiet > 0).then(|| self.clients.iter().filter(held).count())
    }
}
