//! The same replies, byte by byte, as Redis itself gives.
//!
//! Three things differ by their nature, and are compared as far as they can be: in what order KEYS
//! and SCAN find keys, how many milliseconds a key has left, and what number a client has.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use examples::Flavor;
use fastrand::Rng;
use zen_testkit::peers::require_program;

use crate::client::{Client, array};
use crate::start;

/// How many random sequences of commands are compared.
const SEQUENCES: u64 = 1000;

/// A Redis that keeps nothing, on a port of its own. Dropping it ends the process.
struct RealRedis {
    child: Child,
    address: SocketAddr,
}

impl RealRedis {
    fn start() -> Option<Self> {
        let program = require_program("redis-server")?;
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(program);
        command.args(["--port", &address.port().to_string(), "--bind", "127.0.0.1"]);
        command.args(["--save", "", "--appendonly", "no", "--daemonize", "no"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        // From here on, a panic ends the process.
        let redis = Self { child, address };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "redis-server does not listen");
            thread::sleep(Duration::from_millis(10));
        }
        Some(redis)
    }
}

impl Drop for RealRedis {
    fn drop(&mut self) {
        // Both fail only if the process has already ended and been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn chosen_input_gets_the_replies_of_redis() {
    let Some(redis) = RealRedis::start() else { return };
    for flavor in Flavor::ALL {
        let server = start(flavor);
        for input in include_str!("inputs.txt").lines() {
            let bytes = unescaped(input);
            let replies = [redis.address, server.address].map(|address| {
                let mut client = Client::connect(address);
                // In one piece, so that Redis has read all of it when it closes.
                client.send(&[b"FLUSHALL\r\n", &bytes[..], b"\r\nQUIT\r\n"].concat());
                let replies = if address == redis.address { client.rest_of_redis() } else { client.rest() };
                without_id(&replies).escape_ascii().to_string()
            });
            assert_eq!(replies[1], replies[0], "{}: the replies to {input}", flavor.name());
        }
    }
}

#[test]
fn random_commands_get_the_replies_of_redis() {
    let Some(redis) = RealRedis::start() else { return };
    for (n, flavor) in (0..).zip(Flavor::ALL) {
        let server = start(flavor);
        for seed in (0..SEQUENCES).filter(|seed| seed % Flavor::ALL.len() as u64 == n) {
            let commands = Sequence::new(seed).commands();
            let addresses = [redis.address, server.address];
            let begun = Instant::now();
            let same = compare(&commands, addresses);
            // After half a second, a number of seconds may be rounded otherwise.
            if same.is_err() && begun.elapsed() > Duration::from_millis(400) {
                compare(&commands, addresses)
            } else {
                same
            }
            .unwrap_or_else(|difference| panic!("{}, seed {seed}: {difference}", flavor.name()));
        }
    }
}

/// Gives the commands to both, one by one, and then all at once if the order of their replies'
/// parts is certain.
fn compare(commands: &[Vec<Vec<u8>>], addresses: [SocketAddr; 2]) -> Result<(), String> {
    let mut clients = addresses.map(Client::connect);
    for client in &mut clients {
        client.ask(&["FLUSHALL"]);
    }
    for (n, command) in commands.iter().enumerate() {
        let [theirs, ours] = clients.each_mut().map(|client| without_id(&client.ask(command)));
        if ours != theirs && !is_nearly_same(&command[0], &ours, &theirs) {
            let before: Vec<_> = commands[..n].iter().map(|command| shown(command)).collect();
            let (ours, theirs) = (ours.escape_ascii(), theirs.escape_ascii());
            return Err(format!("{}\nours:   {ours}\ntheirs: {theirs}\nafter {before:#?}", shown(command)));
        }
    }
    // A flavor may serve one client at a time.
    drop(clients);
    if commands.iter().any(|command| LOOSE.iter().any(|name| command[0].eq_ignore_ascii_case(name))) {
        return Ok(());
    }
    let all: Vec<_> = commands.iter().flat_map(|command| array(command)).collect();
    let [theirs, ours] = addresses.map(|address| {
        let mut client = Client::connect(address);
        client.send(&array(&["FLUSHALL"]));
        let cut = all.len() / 3;
        client.send(&all[..cut]);
        client.send(&all[cut..]);
        client.send(&array(&["QUIT"]));
        without_id(&client.rest()).escape_ascii().to_string()
    });
    if ours == theirs { Ok(()) } else { Err(format!("all at once\nours:   {ours}\ntheirs: {theirs}")) }
}

/// Commands whose replies are compared as far as they can be.
const LOOSE: [&[u8]; 3] = [b"keys", b"scan", b"pttl"];

fn is_nearly_same(name: &[u8], ours: &[u8], theirs: &[u8]) -> bool {
    if name.eq_ignore_ascii_case(b"pttl") {
        let number = |reply: &[u8]| str::from_utf8(&reply[1..]).unwrap().trim_end().parse::<u64>().ok();
        return number(ours).zip(number(theirs)).is_some_and(|(a, b)| a.abs_diff(b) < 1000);
    }
    // The same lines, in any order.
    let lines = |reply: &[u8]| {
        let mut lines: Vec<_> = reply.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        lines.sort();
        lines
    };
    LOOSE.iter().any(|loose| name.eq_ignore_ascii_case(loose)) && lines(ours) == lines(theirs)
}

/// A reply without the client's number, which HELLO gives.
fn without_id(reply: &[u8]) -> Vec<u8> {
    let label = b"$2\r\nid\r\n:";
    let Some(at) = reply.windows(label.len()).position(|window| window == label) else {
        return reply.to_vec();
    };
    let (before, after) = reply.split_at(at + label.len());
    let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    [before, &without_id(&after[digits..])].concat()
}

fn shown(command: &[Vec<u8>]) -> String {
    command
        .iter()
        .map(|word| word[..word.len().min(80)].escape_ascii().to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Bytes as `escape_ascii` writes them.
fn unescaped(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [byte, after @ ..] = rest {
        let (byte, after) = match rest {
            [b'\\', b'r', after @ ..] => (b'\r', after),
            [b'\\', b'n', after @ ..] => (b'\n', after),
            [b'\\', other, after @ ..] => (*other, after),
            _ => (*byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
    bytes
}

/// Makes commands, of which many make sense.
struct Sequence {
    random: Rng,
    /// A transaction may be under way, and its replies come as one.
    queueing: bool,
}

const KEYS: &[&str] = &["a", "a", "b", "b", "c", "d", "", "k\u{e9}y", "x*y", "a[b"];
const VALUES: &[&str] = &["", "1", "10", "-5", "text", "9223372036854775807", " 1", "01", "1\r\n2", "1.5"];
const NUMBERS: &[&str] =
    &["0", "1", "-1", "10", "-7", "9223372036854775807", "-9223372036854775808", "x", "", "01", "+1", " 1"];
const SECONDS: &[&str] =
    &["100", "1000", "5000", "100", "-1", "0", "x", "9223372036854775807", "-9223372036854775808"];
const MILLISECONDS: &[&str] = &["100000", "1000000", "-1", "x", "9223372036854775807", "0"];
const PATTERNS: &[&str] =
    &["*", "a*", "?", "[ab]", "[^a]*", "\\a", "x\\*y", "a\\[b", "[a-c]", "[c-a]", "nothing", ""];
const SET_OPTIONS: &[&str] = &["NX", "XX", "GET", "KEEPTTL", "EX", "PX", "what"];
const EXPIRE_OPTIONS: &[&str] = &["NX", "XX", "GT", "LT", "gt", "what"];
const WRONG: &[&str] = &[
    "NOPE",
    "NOPE a b",
    "CLIENT",
    "CLIENT what",
    "CLIENT ID x",
    "CONFIG GET",
    "CONFIG what",
    "COMMAND what",
    "HELLO x",
    "HELLO 9",
    "HELLO 2 what",
    "HELLO 2 SETNAME",
    "HELLO 2 AUTH a b",
    "SELECT x",
    "SELECT 99",
    "SELECT -1",
    "PING a b",
    "QUITE",
    "SCAN x",
    "SCAN 0 COUNT 0",
    "SCAN 0 COUNT",
    "SCAN 0 what 1",
    "FLUSHALL what",
    "INFO what",
    "CLIENT SETNAME a\nb",
    "EXEC x",
    "DISCARD x",
    "MSET a",
];

impl Sequence {
    fn new(seed: u64) -> Self {
        Self { random: Rng::with_seed(seed), queueing: false }
    }

    fn commands(mut self) -> Vec<Vec<Vec<u8>>> {
        let count = self.random.usize(5..60);
        let mut commands: Vec<_> = (0..count).map(|_| self.command()).collect();
        if self.random.bool() {
            commands.insert(0, words("HELLO 3"));
        }
        commands
    }

    fn command(&mut self) -> Vec<Vec<u8>> {
        let mut command = match self.random.u8(0..40) {
            0..=3 => self.with("GET", &[KEYS]),
            4..=6 => self.with("SET", &[KEYS, VALUES]),
            7..=9 => self.set(),
            10 => self.with("DEL", &[KEYS, KEYS]),
            11 => self.with("EXISTS", &[KEYS, KEYS, KEYS]),
            12 => self.with("INCR", &[KEYS]),
            13 => self.with("INCRBY", &[KEYS, NUMBERS]),
            14 => self.with("DECR", &[KEYS]),
            15 => self.with("DECRBY", &[KEYS, NUMBERS]),
            16 => self.with("APPEND", &[KEYS, VALUES]),
            17 => self.with("STRLEN", &[KEYS]),
            18 | 19 => self.expire(),
            20 => self.with("TTL", &[KEYS]),
            21 => self.with("PERSIST", &[KEYS]),
            22 => self.with("MGET", &[KEYS, KEYS, KEYS]),
            23 => self.with("MSET", &[KEYS, VALUES, KEYS, VALUES]),
            24 => self.with("TYPE", &[KEYS]),
            25 => self.with("SELECT", &[&["0", "1", "2"]]),
            26 => self.with("PING", &[VALUES]),
            27 => self.with("ECHO", &[VALUES]),
            28 => self.pick(&[words("DBSIZE"), words("DBSIZE"), words("FLUSHALL"), words("FLUSHDB ASYNC")]),
            29 => self.with("SUBSCRIBE", &[&["channel"]]),
            30 | 31 => self.pick(&[words("UNSUBSCRIBE"), words("UNSUBSCRIBE channel"), words("RESET")]),
            32 => self.with("PUBLISH", &[&["nobody"], VALUES]),
            33 => words("MULTI"),
            34 | 35 => self.pick(&[words("EXEC"), words("EXEC"), words("DISCARD")]),
            36 => self.pick(&[words("CLIENT GETNAME"), words("CLIENT SETNAME me"), words("CONFIG GET save")]),
            37 => words(self.random.choice(WRONG).unwrap()),
            _ if self.queueing => self.with("GET", &[KEYS]),
            38 => self.with("PTTL", &[KEYS]),
            _ if self.random.bool() => self.with("KEYS", &[PATTERNS]),
            _ => {
                let pattern = self.random.choice(PATTERNS).unwrap();
                [&b"SCAN"[..], b"0", b"MATCH", pattern.as_bytes(), b"COUNT", b"1000"]
                    .map(<[u8]>::to_vec)
                    .into()
            }
        };
        match &command[0][..] {
            b"MULTI" => self.queueing = true,
            b"EXEC" | b"DISCARD" | b"RESET" if command.len() == 1 => self.queueing = false,
            b"SUBSCRIBE" | b"UNSUBSCRIBE" => {}
            // Now and then a word is missing or one too many.
            _ if self.random.u8(0..30) == 0 && command.len() > 1 => {
                command.pop();
            }
            _ if self.random.u8(0..30) == 0 => command.push(b"more".to_vec()),
            _ => {}
        }
        if self.random.bool() {
            command[0].make_ascii_lowercase();
        }
        command
    }

    fn set(&mut self) -> Vec<Vec<u8>> {
        let mut command = self.with("SET", &[KEYS, VALUES]);
        for _ in 0..self.random.u8(1..4) {
            let option = *self.random.choice(SET_OPTIONS).unwrap();
            command.push(option.into());
            let argument = match option {
                "EX" => SECONDS,
                "PX" => MILLISECONDS,
                _ => continue,
            };
            command.push((*self.random.choice(argument).unwrap()).into());
        }
        command
    }

    fn expire(&mut self) -> Vec<Vec<u8>> {
        let mut command = if self.random.bool() {
            self.with("EXPIRE", &[KEYS, SECONDS])
        } else {
            self.with("PEXPIRE", &[KEYS, MILLISECONDS])
        };
        for _ in 0..self.random.u8(0..6).saturating_sub(3) {
            command.push((*self.random.choice(EXPIRE_OPTIONS).unwrap()).into());
        }
        command
    }

    /// The command with one word of each kind.
    fn with(&mut self, name: &str, kinds: &[&[&str]]) -> Vec<Vec<u8>> {
        let mut command = vec![name.into()];
        command.extend(kinds.iter().map(|kind| Vec::from(*self.random.choice(*kind).unwrap())));
        command
    }

    fn pick(&mut self, commands: &[Vec<Vec<u8>>]) -> Vec<Vec<u8>> {
        self.random.choice(commands).unwrap().clone()
    }
}

fn words(line: &str) -> Vec<Vec<u8>> {
    line.split(' ').map(Vec::from).collect()
}
