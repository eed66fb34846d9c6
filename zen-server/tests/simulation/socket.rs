//! A socket of numbers: what the peer has sent so far, and how much more it takes.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::faults::Fault;
use crate::peer::{Act, Plan};
use crate::shape::Kind;
use crate::world::World;

pub(crate) struct Socket {
    key: usize,
    world: Rc<World>,
    pub(crate) plan: Plan,
    /// The kernel's buffer, and when each part of the input has come.
    inbound: VecDeque<u8>,
    /// How many bytes have come in all, and how many were read.
    pub(crate) came: usize,
    pub(crate) taken: usize,
    /// How many had come when the driver looked last.
    seen: usize,
    /// A read stops here, as it does at urgent data.
    marks: VecDeque<usize>,
    pub(crate) fin: bool,
    pub(crate) reset: bool,
    room: usize,
    /// Room that there will be in a moment.
    later: Option<(Instant, usize)>,
    /// Since the driver was called, the socket took not all at once although the peer reads.
    pub(crate) was_full: bool,
    pub(crate) received: Vec<u8>,
    /// The server has sent FIN.
    pub(crate) shut: bool,
    /// Something has changed since the driver was told last.
    pub(crate) changed: bool,
    pub(crate) urgent: bool,
    linger: Duration,
}

/// So much room that it never ends.
const MUCH: usize = usize::MAX / 2;

impl Socket {
    pub(crate) fn new(key: usize, world: &Rc<World>, plan: Plan, linger: Duration) -> Self {
        let room = if plan.reads { MUCH } else { 30 };
        if !plan.reads {
            world.count(Fault::StalledReader);
        }
        Self {
            key,
            world: Rc::clone(world),
            plan,
            inbound: VecDeque::new(),
            came: 0,
            taken: 0,
            seen: 0,
            marks: VecDeque::new(),
            fin: false,
            reset: false,
            room,
            later: None,
            was_full: false,
            received: Vec::new(),
            shut: false,
            changed: true,
            urgent: false,
            linger,
        }
    }

    /// When something happens next.
    pub(crate) fn next(&self) -> Option<Instant> {
        let acts = self.plan.script.front().map(|(at, _)| *at);
        acts.into_iter().chain(self.later.map(|(at, _)| at)).min()
    }

    /// Everything that has happened by now.
    pub(crate) fn advance(&mut self) {
        let now = self.world.now();
        if let Some((at, room)) = self.later
            && at <= now
        {
            (self.later, self.changed) = (None, true);
            self.room += room;
        }
        while self.plan.script.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, act)) = self.plan.script.pop_front() {
                self.act(act);
            }
        }
    }

    fn act(&mut self, act: Act) {
        if self.reset || (self.fin && matches!(act, Act::Send(_) | Act::Urgent | Act::Close)) {
            return;
        }
        self.world.show(|| format!("[{}] the peer: {act:?}", self.key));
        self.changed = true;
        match act {
            Act::Send(bytes) => {
                self.came += bytes.len();
                self.inbound.extend(bytes);
            }
            Act::Urgent => {
                self.world.count(Fault::Urgent);
                self.marks.push_back(self.came);
                self.urgent = true;
            }
            Act::Read(n) => self.room = self.room.saturating_add(n).min(MUCH),
            Act::Close => {
                self.world.count(Fault::EndOfInput);
                self.fin = true;
            }
            Act::Reset => {
                self.world.count(Fault::Reset);
                self.reset = true;
                self.inbound.clear();
            }
        }
    }

    pub(crate) fn is_readable(&self) -> bool {
        !self.inbound.is_empty() || self.fin || self.reset
    }

    pub(crate) fn is_writable(&self) -> bool {
        self.room > 0 || self.reset
    }

    /// Whether there is something to read, as `poll` says it.
    pub(crate) fn look(&mut self) -> bool {
        self.advance();
        self.seen = self.came;
        self.is_readable()
    }

    /// Whether more than white space lies here that had come when the driver looked last.
    pub(crate) fn holds_text(&self) -> bool {
        let unread = self.seen.saturating_sub(self.taken);
        self.inbound.iter().take(unread).any(|byte| !byte.is_ascii_whitespace())
    }

    pub(crate) fn read(&mut self, kind: Kind, buffer: &mut [u8]) -> io::Result<usize> {
        self.world.step(true);
        self.look();
        let numbers = &self.world.numbers;
        if kind != Kind::Task && numbers.one_in(40) {
            self.world.count(Fault::Interrupted);
            return Err(ErrorKind::Interrupted.into());
        }
        if self.reset {
            return Err(ErrorKind::ConnectionReset.into());
        }
        if self.inbound.is_empty() {
            if self.fin {
                return Ok(0);
            }
            self.world.count(Fault::NothingToRead);
            return Err(ErrorKind::WouldBlock.into());
        }
        let mut n = self.inbound.len().min(buffer.len());
        self.marks.retain(|mark| *mark > self.taken);
        if let Some(mark) = self.marks.front() {
            n = n.min(mark - self.taken);
        }
        // An event loop may take a short read for the end of what has come. That holds for sockets
        // without urgent data.
        if n > 1 && kind != Kind::Loop && numbers.one_in(6) {
            n = numbers.within(1..n);
        }
        if n < buffer.len() {
            self.world.count(Fault::ShortRead);
        }
        for (byte, read) in buffer.iter_mut().zip(self.inbound.drain(..n)) {
            *byte = read;
        }
        self.taken += n;
        self.world
            .show(|| format!("[{}] read {:?}", self.key, String::from_utf8_lossy(&buffer[..n.min(200)])));
        Ok(n)
    }

    pub(crate) fn write(&mut self, kind: Kind, bytes: &[u8]) -> io::Result<usize> {
        self.world.step(true);
        self.advance();
        assert!(!self.shut, "a write after FIN");
        let numbers = &self.world.numbers;
        if kind != Kind::Task && numbers.one_in(40) {
            self.world.count(Fault::Interrupted);
            // One look writes once.
            self.was_full = true;
            return Err(ErrorKind::Interrupted.into());
        }
        if self.reset {
            return Err(ErrorKind::BrokenPipe.into());
        }
        if self.room == 0 {
            self.world.count(Fault::NoRoom);
            self.was_full = true;
            return Err(ErrorKind::WouldBlock.into());
        }
        let mut n = bytes.len().min(self.room);
        if n > 1 && self.later.is_none() && numbers.one_in(6) {
            // The socket is full for a moment.
            self.was_full = true;
            n = numbers.within(1..n);
            let soon = self.world.now() + numbers.time(Duration::from_millis(1));
            (self.later, self.room) = (Some((soon, self.room - n)), n);
        }
        if n < bytes.len() {
            self.world.count(Fault::ShortWrite);
        }
        self.room -= n;
        if self.plan.reads && self.later.is_none() {
            self.room = MUCH;
        }
        self.received.extend_from_slice(&bytes[..n]);
        self.world.show(|| format!("[{}] wrote {:?}", self.key, String::from_utf8_lossy(&bytes[..n])));
        Ok(n)
    }

    pub(crate) fn shutdown(&mut self) -> io::Result<()> {
        self.world.step(true);
        self.advance();
        assert!(!self.shut, "FIN is sent once");
        self.shut = true;
        if self.reset || self.world.numbers.one_in(100) {
            self.world.count(Fault::LostShutdown);
            return Err(ErrorKind::NotConnected.into());
        }
        if self.plan.follows {
            let at = self.world.now() + self.world.numbers.time(self.linger / 2);
            let behind = self.plan.script.iter().take_while(|(when, _)| *when <= at).count();
            self.plan.script.insert(behind, (at, Act::Close));
        }
        Ok(())
    }
}
