//! `zen clients`: clients of the book's kind, in a process of their own, which note what they do.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, BufRead, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use zen_client::{Client, ClientOptions};
use zen_compare::child::end_with_the_lab;
use zen_proto::aphorism;
use zen_trace::recording::{ClientSpan, ClientSpanKind};

use crate::args::ClientsArgs;
use crate::failure::Failure;

/// The line that says that the process has started.
pub(super) const READY: &str = "ready";

/// What all clients did.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct ClientRecords {
    /// In the order in which the connections were made.
    pub(super) conversations: Vec<ClientConversation>,
    /// How many questions were answered.
    pub(super) answers: u64,
    /// When the first client began, and the last one ended.
    pub(super) from_ns: u64,
    pub(super) to_ns: u64,
    /// Why a client failed, if one did.
    pub(super) failure: Option<String>,
    /// What clients are doing in their conversations, and since when.
    #[serde(skip)]
    doing: BTreeMap<usize, (u64, ClientSpanKind)>,
}

/// One connection of a client.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ClientConversation {
    /// The client's own address, by which the server knows it; `None` if the system does not say.
    pub(super) address: Option<SocketAddr>,
    /// What the client did, in the order of time.
    pub(super) spans: Vec<ClientSpan>,
}

/// What the threads of the clients share.
struct Crowd {
    address: SocketAddr,
    options: ClientOptions,
    think: Duration,
    conversations: usize,
    questions: usize,
    records: Mutex<ClientRecords>,
}

pub(crate) fn run(args: &ClientsArgs) -> Result<(), Failure> {
    end_with_the_lab();
    // The clock of the trace must not run while this process starts.
    Failure::from_output(writeln!(io::stdout(), "{READY}"))?;
    let mut address = String::new();
    let read = io::stdin().lock().read_line(&mut address);
    read.map_err(|error| Failure::Failed(format!("cannot read the server's address: {error}")))?;
    // Without one, there is no server to meet.
    let Ok(address) = address.trim().parse() else { return Ok(()) };
    let from_ns = now();
    let crowd = Arc::new(Crowd {
        address,
        options: ClientOptions::default(),
        think: args.think,
        conversations: args.conversations,
        questions: args.questions,
        records: Mutex::new(ClientRecords { from_ns, ..ClientRecords::default() }),
    });
    print_on_signal(&crowd)?;
    if let Some(after) = args.stop_after {
        let crowd = Arc::clone(&crowd);
        thread::spawn(move || {
            thread::sleep(after);
            crowd.print_and_exit();
        });
    }
    let clients: Vec<_> = (0..args.clients)
        .map(|index| {
            let crowd = Arc::clone(&crowd);
            let builder = thread::Builder::new().name(format!("client-{index}")).stack_size(256 * 1024);
            builder.spawn(move || crowd.be_client())
        })
        .collect();
    for client in clients {
        let client = client.map_err(|error| Failure::Failed(format!("cannot start a client: {error}")))?;
        // A client that panics leaves what it has noted.
        let _ = client.join();
    }
    crowd.print()
}

/// A client that waits cannot notice anything, so the first signal ends the process, which prints
/// what the clients have done until then.
fn print_on_signal(crowd: &Arc<Crowd>) -> Result<(), Failure> {
    let signals = Signals::new([SIGTERM, SIGINT]);
    let mut signals =
        signals.map_err(|error| Failure::Failed(format!("cannot listen for signals: {error}")))?;
    let crowd = Arc::clone(crowd);
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            crowd.print_and_exit();
        }
    });
    Ok(())
}

impl Crowd {
    fn records(&self) -> MutexGuard<'_, ClientRecords> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn print(&self) -> Result<(), Failure> {
        let mut records = self.records();
        records.to_ns = now();
        // A client that the end has interrupted did the same until then.
        let records = &mut *records;
        for (index, (from_ns, kind)) in std::mem::take(&mut records.doing) {
            records.conversations[index].spans.push(ClientSpan::new(from_ns, records.to_ns, kind));
        }
        // Numbers and names always serialize.
        let json = serde_json::to_string(records).unwrap_or_default();
        Failure::from_output(writeln!(io::stdout(), "{json}"))
    }

    /// The clients' threads may be anywhere; what they have noted is whole.
    fn print_and_exit(&self) -> ! {
        let code = i32::from(self.print().is_err());
        std::process::exit(code)
    }

    fn be_client(&self) {
        let mut order = RandomState::new().build_hasher().finish();
        for _ in 0..self.conversations {
            if let Err(error) = self.converse(&mut order) {
                self.records().failure.get_or_insert(error);
                return;
            }
        }
    }

    fn converse(&self, order: &mut u64) -> Result<(), String> {
        let from_ns = now();
        let connected = Client::connect(self.address, &self.options);
        let span = ClientSpan::new(from_ns, now(), ClientSpanKind::Connecting);
        let mut client = connected.map_err(|error| error.to_string())?;
        let address = client.local_addr().ok();
        let index = {
            let conversations = &mut self.records().conversations;
            conversations.push(ClientConversation { address, spans: vec![span] });
            conversations.len() - 1
        };
        let begin = |kind| {
            self.records().doing.insert(index, (now(), kind));
        };
        let end = || {
            let records = &mut *self.records();
            if let Some((from_ns, kind)) = records.doing.remove(&index) {
                records.conversations[index].spans.push(ClientSpan::new(from_ns, now(), kind));
            }
        };
        for _ in 0..self.questions {
            if !self.think.is_zero() {
                begin(ClientSpanKind::Thinking);
                thread::sleep(self.think);
                end();
            }
            let (question, _) = aphorism::TABLE[pick(order, aphorism::TABLE.len())];
            begin(ClientSpanKind::Waiting);
            let answer = client.ask(question).map_err(|error| error.to_string());
            end();
            answer?;
            self.records().answers += 1;
        }
        Ok(())
    }
}

/// The next question, at random (xorshift: any spread will do).
fn pick(state: &mut u64, of: usize) -> usize {
    *state = (*state).max(1);
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state % of as u64).unwrap_or(0)
}

/// The clock that all recordings share.
fn now() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from);
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
