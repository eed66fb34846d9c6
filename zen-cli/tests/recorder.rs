//! The recorder on real servers of every flavor: where all of their time has gone, and what
//! recording it takes.

// Tests say what they expect by panicking, in their helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use zen_proto::Address;
use zen_proto::aphorism::Aphorisms;
use zen_server::{ConversationId, Observer, Options, RunServer, Source, Step};
use zen_testkit::flavor::Running;
use zen_trace::Recorder;
use zen_trace::phases::{Division, ServerPhases};

const FLAVORS: [&str; 7] = ["blocking", "threaded", "pool", "mio", "mio-multi", "async", "async-multi"];

/// As many as make some of them wait for each other in every flavor that has fewer threads.
const CLIENTS: usize = 8;
const QUESTIONS: usize = 3;

/// Runs a server of the flavor while the clients are there.
fn serve_clients(flavor: &str, observer: impl Observer) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let options = Options::default().with_nodelay(true);
    macro_rules! serve {
        ($($name:literal => $new:path),+ $(,)?) => {
            match flavor {
                $($name => run($new(listener, Aphorisms, options).unwrap().with_observer(observer), address),)+
                _ => panic!("no flavor {flavor}"),
            }
        };
    }
    serve! {
        "blocking" => zen_server_sync::Server::blocking,
        "threaded" => zen_server_sync::Server::threaded,
        "pool" => zen_server_sync::Server::pool,
        "mio" => zen_server_mio::Server::single,
        "mio-multi" => zen_server_mio::Server::multi,
        "async" => zen_server_async::Server::single,
        "async-multi" => zen_server_async::Server::multi,
    }
}

fn run(server: impl RunServer + Send + 'static, address: SocketAddr) {
    let server = Running::serve(&Address::Ip(address), server);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| be_client(address));
        }
    });
    server.stop.stop();
    server.join().unwrap();
}

/// A client that thinks before each question.
fn be_client(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut answer = [0; 8];
    for _ in 0..QUESTIONS {
        thread::sleep(Duration::from_millis(5));
        stream.write_all(b"Simple is better than?").unwrap();
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"Complex.");
    }
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(stream.read(&mut answer).unwrap(), 0);
}

/// Whether the parts make up the wall clock, within 1 %.
fn adds_up(total_ns: u64, wall_ns: u64) -> bool {
    total_ns.abs_diff(wall_ns) <= wall_ns / 100
}

/// The division without its longest part.
fn without_longest(division: &Division) -> u64 {
    let longest = division.waiting_ns.values().copied().chain([division.computing_ns]).max();
    division.total_ns() - longest.unwrap_or(0)
}

#[test]
fn the_phases_of_every_flavor_sum_to_the_wall_clock() {
    for flavor in FLAVORS {
        let recorder = Recorder::new(100_000);
        serve_clients(flavor, recorder.clone());
        let recording = recorder.recording(flavor);
        let server = ServerPhases::new(&recording);
        assert_eq!(recording.threads.iter().map(|thread| thread.lost).sum::<u64>(), 0, "{flavor}");
        assert_eq!(server.conversations.len(), CLIENTS, "{flavor}");
        let threads = recording.threads.iter().zip(&server.threads).map(|(thread, lane)| {
            let wall = thread.ended_ns - thread.started_ns;
            (thread.name.clone(), wall, &lane.phases, &lane.division)
        });
        let conversations = recording.conversations.iter().zip(&server.conversations).map(|(known, lane)| {
            assert_eq!((known.number, lane.questions), (lane.number, QUESTIONS as u64), "{flavor}");
            let wall = known.closed_ns.unwrap() - known.opened_ns.unwrap();
            (format!("conversation {}", known.number), wall, &lane.phases, &lane.division)
        });
        for (name, wall, phases, division) in threads.chain(conversations) {
            let name = format!("{flavor}, {name}");
            let drawn: u64 = phases.iter().map(|phase| phase.to_ns - phase.from_ns).sum();
            assert!(adds_up(drawn, wall), "{name}: phases of {drawn} ns in {wall} ns: {phases:?}");
            assert!(adds_up(division.total_ns(), wall), "{name}: {division:?} in {wall} ns");
            let rest = without_longest(division);
            assert!(!adds_up(rest, wall), "{name}: a phase that is left out is missed: {division:?}");
        }
        // Each thread's computing is what its CPU clock says, except that a step's two clocks are
        // read one after the other.
        for (thread, lane) in recording.threads.iter().zip(&server.threads) {
            let (computed, cpu) = (lane.division.computing_ns, thread.cpu_ns);
            let steps = u32::try_from(thread.steps.len()).unwrap();
            let reading = Duration::from_secs_f64(recording.cost_per_step_ns / 1e9) * steps;
            let apart = Duration::from_nanos(computed.abs_diff(cpu));
            let most = Duration::from_nanos(cpu / 100) + reading;
            assert!(apart <= most, "{flavor}, {}: {computed} of {cpu} ns", thread.name);
        }
    }
}

thread_local! {
    /// Whether this thread has taken a step.
    static STARTED: Cell<bool> = const { Cell::new(false) };
}

/// A recorder, and how much memory it takes while it records.
#[derive(Clone)]
struct Counted {
    recorder: Recorder,
    steps: Arc<AtomicU64>,
    /// Allocations in the first step of a thread, which takes some memory for itself.
    first: Arc<AtomicU64>,
    /// Allocations in all others, and for conversations.
    later: Arc<AtomicU64>,
}

impl Counted {
    fn new(steps: usize) -> Self {
        let recorder = Recorder::new(steps);
        Self { recorder, steps: Arc::default(), first: Arc::default(), later: Arc::default() }
    }

    fn count(&self, record: impl FnOnce()) {
        let allocations = allocation_counter::measure(record).count_total;
        let counter = if STARTED.replace(true) { &self.later } else { &self.first };
        counter.fetch_add(allocations, SeqCst);
    }
}

impl Observer for Counted {
    fn add_sources(&self, sources: &'static [Source]) {
        self.recorder.add_sources(sources);
    }

    fn for_conversation(&self, id: ConversationId, remote: &Address) -> Self {
        let mut recorder = None;
        self.count(|| recorder = Some(self.recorder.for_conversation(id, remote)));
        Self { recorder: recorder.expect("made"), ..self.clone() }
    }

    fn step(&self, step: Step) {
        self.count(|| self.recorder.step(step));
        self.steps.fetch_add(1, SeqCst);
    }
}

#[test]
fn recording_allocates_nothing_and_loses_nothing_silently() {
    // With room for all of it, and with hardly any.
    for (flavor, room) in FLAVORS.into_iter().flat_map(|flavor| [(flavor, 100_000), (flavor, 64)]) {
        let counted = Counted::new(room);
        serve_clients(flavor, counted.clone());
        assert!(counted.first.load(SeqCst) > 0, "{flavor}: allocations are not counted");
        assert_eq!(counted.later.load(SeqCst), 0, "{flavor} with room for {room} steps");
        let threads = counted.recorder.recording(flavor).threads;
        let recorded: usize = threads.iter().map(|thread| thread.steps.len()).sum();
        let lost: u64 = threads.iter().map(|thread| thread.lost).sum();
        assert_eq!(recorded as u64 + lost, counted.steps.load(SeqCst), "{flavor}");
        assert_eq!(lost > 0, room == 64, "{flavor}: {lost} of {recorded} steps are lost");
    }
}
