//! The drivers, made of numbers: the steps of the three `drive.rs`, in their order.

use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use zen_proto::CloseReason;
use zen_server::Session;

use crate::service::Simulated;
use crate::shape::{Kind, Questions, Shape};
use crate::socket::Socket;
use crate::world::World;

/// As in `zen-server-sync`.
const LOOKS: usize = 128;

/// The same. A wait that may be longer ends at a stop too.
const QUIET: Duration = Duration::from_millis(100);
const STOP_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Whether another thread has woken the driver.
#[derive(Debug, Default)]
pub(crate) struct Woken(pub(crate) AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Wait,
    Again,
    Over(CloseReason),
}

/// Whether a look has come to the end of what there was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Whole,
    /// The turn was over: its questions, or its time.
    CutByTurn,
    /// It has read as much as one look may.
    CutByReads,
}

/// The system call that a thread is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blocked {
    Nowhere,
    Writing,
    Reading,
}

pub(crate) struct Connection {
    pub(crate) key: usize,
    pub(crate) world: Rc<World>,
    pub(crate) shape: Rc<Shape>,
    pub(crate) session: Session<Questions>,
    service: Simulated,
    pub(crate) socket: Socket,
    pub(crate) now: Instant,
    readable: bool,
    writable: bool,
    peer_closed: bool,
    urgent: bool,
    blocked: Blocked,
    until: Option<Instant>,
    quiet: bool,
    looks: usize,
    woken: Arc<Woken>,
    was_woken: bool,
    waker: Waker,
    pub(crate) queued: bool,
    /// The most heap that the conversation may own.
    pub(crate) bound: usize,
    /// The socket had no room when a look was judged.
    pub(crate) was_full: bool,
    /// A look that was cut by its reads was judged.
    pub(crate) was_cut: bool,
    /// How much had been read when the conversation began to drain.
    pub(crate) read_at_drain: Option<usize>,
}

impl Connection {
    pub(crate) fn new(
        key: usize,
        world: &Rc<World>,
        shape: &Rc<Shape>,
        socket: Socket,
        (mut session, mut service): (Session<Questions>, Simulated),
    ) -> Self {
        let now = world.now();
        let peer = zen_proto::Peer::new(zen_proto::Address::Unknown, zen_proto::Address::Unknown, key as u64);
        session.open(&mut service, &peer, now);
        let woken = Arc::new(Woken::default());
        world.told.borrow_mut()[key].woken = Some(Arc::clone(&woken));
        Self {
            key,
            world: Rc::clone(world),
            shape: Rc::clone(shape),
            session,
            service,
            socket,
            now,
            readable: shape.kind == Kind::Task,
            writable: true,
            peer_closed: false,
            urgent: false,
            blocked: Blocked::Nowhere,
            until: None,
            quiet: false,
            looks: 0,
            waker: Waker::from(Arc::clone(&woken)),
            woken,
            was_woken: false,
            queued: true,
            bound: shape.memory_bound(),
            was_full: false,
            was_cut: false,
            read_at_drain: None,
        }
    }

    /// When the driver has to be called, if nothing happens before.
    pub(crate) fn alarm(&self) -> Option<Instant> {
        if self.shape.kind == Kind::Thread { self.until } else { self.session.poll_timeout() }
    }

    /// Whether something has happened that the system tells a driver of.
    pub(crate) fn take_event(&mut self) -> bool {
        self.socket.advance();
        let woken = self.woken.0.swap(false, Ordering::SeqCst);
        let changed = std::mem::take(&mut self.socket.changed);
        if changed && self.shape.kind == Kind::Loop {
            self.readable |= self.socket.is_readable();
            self.writable |= self.socket.is_writable();
            self.peer_closed |= self.socket.fin || self.socket.reset;
            self.urgent |= std::mem::take(&mut self.socket.urgent);
        }
        self.was_woken |= woken;
        woken || changed
    }

    /// An event without a cause.
    pub(crate) fn pretend(&mut self) {
        (self.readable, self.writable) = (true, true);
    }

    pub(crate) fn drive(&mut self, now: Instant) -> Turn {
        self.world.told.borrow_mut()[self.key].waits = false;
        self.socket.was_full = false;
        let turn = match self.shape.kind {
            Kind::Thread => self.drive_thread(),
            Kind::Loop => {
                self.now = now;
                self.drive_ready()
            }
            Kind::Task => {
                self.now = self.world.now();
                (self.readable, self.writable) = (true, true);
                self.drive_ready()
            }
        };
        self.world.show(|| format!("[{}] {turn:?}", self.key));
        self.check();
        if turn == Turn::Wait {
            // A thread that waits for room is not woken, and registers before its next wait.
            let waits = self.blocked != Blocked::Writing;
            self.world.told.borrow_mut()[self.key].waits = waits;
            self.check_wait();
        }
        turn
    }

    fn is_due(&self) -> bool {
        self.session.is_due(self.world.stop.is_stopped(), self.now)
    }

    /// Whether the call that the thread is in would return.
    pub(crate) fn is_thread_ready(&self) -> bool {
        let polls = self.quiet || self.session.expects_wake();
        let over = self.until.is_some_and(|until| until <= self.world.now());
        match self.blocked {
            Blocked::Nowhere => true,
            Blocked::Writing => over || self.socket.is_writable(),
            Blocked::Reading => {
                let reads = !polls || self.session.wants_read();
                let stops = polls && !self.session.is_draining() && self.world.stop.is_stopped();
                over || stops || (reads && self.socket.is_readable())
            }
        }
    }

    /// A thread goes on where it was blocked. One that `woken` ends only a wait in `poll`.
    fn drive_thread(&mut self) -> Turn {
        loop {
            let turn = match self.blocked {
                Blocked::Nowhere => {
                    self.answer();
                    if !self.session.transmit().is_empty() {
                        let most = self.world.now() + STOP_CHECK_INTERVAL;
                        self.until = self.session.poll_timeout().map(|at| at.min(most)).or(Some(most));
                        self.blocked = Blocked::Writing;
                        continue;
                    }
                    self.end_turn()
                }
                Blocked::Writing => {
                    if !self.is_thread_ready() {
                        return Turn::Wait;
                    }
                    self.blocked = Blocked::Nowhere;
                    self.write();
                    self.end_turn()
                }
                Blocked::Reading => {
                    let woken = self.session.expects_wake() && self.was_woken;
                    if !woken && !self.is_thread_ready() {
                        return Turn::Wait;
                    }
                    self.was_woken = false;
                    self.blocked = Blocked::Nowhere;
                    self.read_or_time_out();
                    continue;
                }
            };
            match turn {
                Turn::Over(_) => return turn,
                _ if self.is_due() => {
                    let looked = self.now;
                    if self.looks < LOOKS && self.look() {
                        self.looks += 1;
                    } else if self.session.is_due(self.world.stop.is_stopped(), looked) {
                        self.judge(if self.looks < LOOKS { Look::Whole } else { Look::CutByReads }, looked);
                    }
                }
                Turn::Again => self.looks = 0,
                Turn::Wait => {
                    self.looks = 0;
                    self.blocked = Blocked::Reading;
                    let most = (!self.quiet && !self.session.expects_wake()).then(|| self.now + QUIET);
                    self.until = self.session.poll_timeout().into_iter().chain(most).min();
                }
            }
        }
    }

    /// Reads and writes what a thread does not have to wait for. Returns false if nothing has come.
    fn look(&mut self) -> bool {
        if !self.session.transmit().is_empty() && self.session.poll_timeout().is_some_and(|at| at <= self.now)
        {
            self.write();
        }
        if !self.session.wants_read() {
            return false;
        }
        self.world.step(true);
        self.socket.look() && {
            self.read();
            true
        }
    }

    fn read_or_time_out(&mut self) {
        let polls = self.quiet || self.session.expects_wake();
        self.quiet = false;
        if (!polls || self.session.wants_read()) && self.socket.is_readable() {
            self.read();
        } else {
            self.quiet = true;
            self.now = self.world.now();
        }
    }

    /// The event loop and the task.
    fn drive_ready(&mut self) -> Turn {
        if !self.is_due() {
            return self.take_turns().0;
        }
        let looked = self.now;
        (self.readable, self.writable, self.urgent) = (true, true, true);
        self.write_ready();
        let (turn, look) = if self.may_read() { self.take_turns() } else { (Turn::Again, Look::Whole) };
        if matches!(turn, Turn::Over(_)) || !self.session.is_due(self.world.stop.is_stopped(), looked) {
            return turn;
        }
        self.judge(look, looked);
        Turn::Again
    }

    fn take_turns(&mut self) -> (Turn, Look) {
        let (mut reads, mut turned) = (0, false);
        let until = self.session.turn_until(self.now);
        loop {
            let over = turned && until.is_some_and(|until| until <= self.now);
            if (over || reads == self.shape.turn_budget) && self.may_read() {
                return (Turn::Again, if over { Look::CutByTurn } else { Look::CutByReads });
            }
            let came = self.may_read() && self.read();
            if turned && !came {
                return (Turn::Wait, Look::Whole);
            }
            reads += usize::from(came);
            match self.turn() {
                Turn::Wait => turned = true,
                Turn::Again => return (Turn::Again, Look::CutByTurn),
                over @ Turn::Over(_) => return (over, Look::Whole),
            }
        }
    }

    fn turn(&mut self) -> Turn {
        self.answer();
        self.write_ready();
        self.end_turn()
    }

    fn answer(&mut self) {
        let world = Rc::clone(&self.world);
        self.now = self.session.answer_in_turn(&mut self.service, self.now, || world.now());
        self.check();
    }

    fn end_turn(&mut self) -> Turn {
        let waits = self.shape.kind == Kind::Thread && !self.session.transmit().is_empty();
        if self.session.wants_answer() || waits {
            return Turn::Again;
        }
        if self.session.poll_shutdown() && self.socket.shutdown().is_err() {
            self.session.handle_lost(self.now);
        }
        if let Some(reason) = self.session.poll_closed(&mut self.service) {
            return Turn::Over(reason);
        }
        if self.session.expects_wake() && self.session.register_waker(&self.waker) {
            return Turn::Again;
        }
        Turn::Wait
    }

    fn write_ready(&mut self) {
        while self.writable && !self.session.transmit().is_empty() {
            self.write();
        }
    }

    fn write(&mut self) {
        let unsent = self.session.transmit();
        let asked = unsent.len();
        let written = self.socket.write(self.shape.kind, unsent);
        if self.shape.kind == Kind::Thread {
            self.now = self.world.now();
        }
        match written {
            Ok(n) => {
                // A task asks again until there is no room.
                self.writable = n == asked || self.shape.kind == Kind::Task;
                self.session.handle_sent(n, self.now);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable = false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.session.handle_lost(self.now),
        }
        self.check();
    }

    fn may_read(&self) -> bool {
        self.readable && self.session.wants_read()
    }

    /// Reads once. Returns false if nothing has come.
    fn read(&mut self) -> bool {
        let mut scratch = vec![0; self.shape.scratch];
        let (asked, read) = match self.session.input_room() {
            Some(room) => (room.len(), self.socket.read(self.shape.kind, room)),
            None => (scratch.len(), self.socket.read(self.shape.kind, &mut scratch)),
        };
        if self.shape.kind == Kind::Thread {
            self.now = self.world.now();
        }
        self.handle_read(read, asked, &scratch)
    }

    fn handle_read(&mut self, read: io::Result<usize>, asked: usize, scratch: &[u8]) -> bool {
        let kind = self.shape.kind;
        match read {
            Ok(0) => {
                self.readable &= kind != Kind::Loop;
                self.session.handle_eof(self.now);
            }
            Ok(n) => {
                if kind == Kind::Loop {
                    self.readable = n == asked || self.peer_closed || self.urgent;
                }
                self.session.handle_read(n, scratch, self.now);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                (self.readable, self.urgent) = (false, false);
                return false;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.session.handle_lost(self.now),
        }
        self.check();
        true
    }
}
