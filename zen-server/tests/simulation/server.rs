//! The server: accepts, drives each connection when it is told to, and stops.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use zen_proto::CloseReason;
use zen_server::{Admission, Setup};

use crate::checks::{check_world, earliest, flawless};
use crate::driver::{Connection, Turn};
use crate::faults::{Counts, Fault};
use crate::peer::Plan;
use crate::service::Simulated;
use crate::shape::{Kind, Questions, Shape};
use crate::socket::Socket;
use crate::world::World;

struct Server {
    world: Rc<World>,
    shape: Rc<Shape>,
    setup: Setup<Simulated, Questions>,
    admission: Admission,
    /// Peers that are still to connect, the first one first.
    coming: VecDeque<(usize, Plan)>,
    connections: Vec<Connection>,
    /// The loop's time.
    now: Instant,
    /// No connection is accepted before.
    pause: Option<Instant>,
}

/// Lives through one seed, and panics if a promise is broken.
pub(crate) fn live(seed: u64, start: Instant, shows: bool) -> Counts {
    let world = Rc::new(World::new(seed, start, shows));
    let kind = [Kind::Thread, Kind::Loop, Kind::Task][(seed % 3) as usize];
    let shape = Rc::new(Shape::new(kind, &world.numbers));
    let mut plans: Vec<Plan> = (0..shape.peers).map(|_| Plan::new(&world, &shape)).collect();
    plans.sort_by_key(|plan| plan.connects);
    world.told.borrow_mut().resize_with(plans.len(), Default::default);
    world.show(|| format!("{shape:?}"));
    let service = Simulated::new(&world, shape.limits.answer_deadline, flawless(&plans));
    let setup = Setup::new(service, Questions::default(), shape.options(), shape.cap);
    let Ok(mut setup) = setup else { panic!("the options are not valid") };
    setup.stop = world.stop.clone();
    let mut server = Server {
        admission: Admission::new(setup.connections),
        coming: plans.into_iter().enumerate().collect(),
        connections: Vec::new(),
        now: world.now(),
        pause: None,
        world: Rc::clone(&world),
        shape,
        setup,
    };
    server.run();
    check_world(&world, server.admission.open());
    assert!(server.coming.is_empty() || world.stop.is_stopped(), "a peer was never accepted");
    world.counts().clone()
}

impl Server {
    fn run(&mut self) {
        loop {
            self.world.step(false);
            self.now = self.world.now();
            let stopped = self.world.stop.is_stopped();
            let begins = stopped && !self.admission.is_draining();
            if begins {
                self.admission.drain();
            }
            if !stopped {
                self.accept();
            }
            if self.world.numbers.one_in(30) {
                self.world.push();
            }
            let driven = self.drive_ready(begins);
            let over = self.connections.is_empty() && (stopped || self.coming.is_empty());
            if over {
                return;
            }
            if !driven {
                self.wait();
            }
        }
    }

    /// Time passes until something happens, or longer.
    fn wait(&mut self) {
        let queue = self.coming.front().map(|(_, plan)| plan.connects);
        let accepts = self.admission.wants_accept();
        let connections = self.connections.iter().flat_map(|one| [one.socket.next(), one.alarm()]);
        let others = [self.world.next_answer(), self.admission.poll_timeout(), queue.filter(|_| accepts)];
        let next = earliest(connections.chain(others));
        let Some(next) = next else { panic!("connections are open, but no deadline runs") };
        self.world.pass_until(next);
        if self.world.numbers.one_in(12) {
            self.world.count(Fault::Jump);
            let most = self.world.numbers.choose(&[1, 1000, 100_000]);
            self.world.pass(self.world.numbers.time(Duration::from_millis(most)));
        }
    }

    fn accept(&mut self) {
        let now = self.now;
        self.admission.handle_timeout(now);
        let due = |coming: &VecDeque<(usize, Plan)>| coming.front().is_some_and(|(_, p)| p.connects <= now);
        if due(&self.coming) && !self.admission.wants_accept() && self.pause.is_none_or(|at| at <= now) {
            self.world.count(Fault::FullServer);
        }
        while self.admission.wants_accept() && due(&self.coming) {
            assert!(self.pause.is_none_or(|at| at <= now), "accepted during a pause");
            assert!(self.admission.open() < self.shape.cap, "more connections than the cap allows");
            if self.world.numbers.one_in(12) {
                self.fail_to_accept();
                continue;
            }
            if let Some((key, plan)) = self.coming.pop_front() {
                self.adopt(key, plan);
            }
        }
    }

    fn fail_to_accept(&mut self) {
        // ECONNABORTED, EPROTO is of the system; EMFILE, ENFILE, ENOBUFS, ENOMEM.
        let error = match self.world.numbers.within(0..3) {
            0 => ErrorKind::Interrupted.into(),
            1 => Error::from_raw_os_error(103),
            _ => Error::from_raw_os_error(self.world.numbers.choose(&[24, 23, 105, 12])),
        };
        let trouble = self.admission.handle_error(&error, self.now);
        match trouble.map(|trouble| trouble.pause) {
            None => {}
            Some(Duration::ZERO) => self.world.count(Fault::BrokenConnection),
            Some(pause) => {
                self.world.count(Fault::Exhausted);
                assert!(pause <= Duration::from_secs(1), "the pause is {pause:?}");
                assert!(!self.admission.wants_accept(), "no pause is made");
                self.pause = Some(self.now + pause);
            }
        }
    }

    fn adopt(&mut self, key: usize, mut plan: Plan) {
        self.admission.handle_accepted();
        self.world.counts().conversations += 1;
        // What a peer does counts from when it is accepted.
        let waited = self.world.now().saturating_duration_since(plan.connects);
        plan.script.iter_mut().for_each(|(at, _)| *at += waited);
        let socket = Socket::new(key, &self.world, plan, self.shape.limits.linger_deadline);
        match self.setup.begin(self.world.now()) {
            Ok(begun) => {
                self.connections.push(Connection::new(key, &self.world, &self.shape, socket, begun));
            }
            Err(reason) => {
                assert_eq!(reason, CloseReason::ServiceFailed);
                self.world.counts().count_ending(reason);
                self.admission.handle_closed();
            }
        }
    }

    /// Drives what is ready, in any order. Returns false if nothing was.
    fn drive_ready(&mut self, all: bool) -> bool {
        let (mut driven, first) = (false, self.world.numbers.within(0..8));
        let mut keys: Vec<usize> = self.connections.iter().map(|one| one.key).collect();
        let turn = first % keys.len().max(1);
        keys.rotate_left(turn);
        for key in keys {
            let Some(at) = self.connections.iter().position(|one| one.key == key) else { continue };
            let one = &mut self.connections[at];
            let mut ready = one.take_event() | std::mem::take(&mut one.queued) | all;
            ready |= one.alarm().is_some_and(|at| at <= self.world.now());
            ready |= self.shape.kind == Kind::Thread && one.is_thread_ready();
            if !ready && self.world.numbers.one_in(16) {
                self.world.count(Fault::SpuriousWakeUp);
                one.pretend();
                ready = true;
            }
            if !ready {
                continue;
            }
            driven = true;
            let turn = one.drive(self.now);
            self.now = self.now.max(one.now);
            match turn {
                Turn::Wait => {}
                Turn::Again => one.queued = true,
                Turn::Over(reason) => self.close(at, reason),
            }
        }
        driven
    }

    fn close(&mut self, at: usize, reason: CloseReason) {
        let connection = self.connections.remove(at);
        connection.check_end(reason);
        self.world.counts().count_ending(reason);
        drop(connection);
        self.admission.handle_closed();
    }
}
