//! The clients of the world: `redis-cli`, `redis-benchmark`, and the packages that programs in
//! Python and JavaScript use.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use examples::Flavor;
use zen_testkit::peers::require_program;

use crate::client::Client;
use crate::program::Program;
use crate::start;

crate::with_every_flavor!(redis_cli_works, redis_benchmark_works, redis_of_pypi_works, ioredis_of_npm_works);

/// Runs a program that must succeed, and returns what it printed.
fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {printed}{complaints}", output.status);
    printed
}

fn redis_cli_works(flavor: Flavor) {
    let Some(program) = require_program("redis-cli") else { return };
    // As its users start it.
    let server = Program::start("redis", &["127.0.0.1:0", "--flavor", flavor.name()]);
    let port = server.address.port().to_string();
    let cli = |arguments: &[&str]| run(Command::new(&program).args(["-p", &port]).args(arguments));
    assert_eq!(cli(&["set", "a", "hello world", "EX", "100"]), "OK\n");
    assert_eq!(cli(&["get", "a"]), "hello world\n");
    assert_eq!(cli(&["incr", "n"]), "1\n");
    assert_eq!(cli(&["-3", "hello"]).lines().next(), Some("server redis"));
    assert_eq!(cli(&["--scan", "--pattern", "n*"]), "n\n");
    assert!(cli(&["incr", "a"]).starts_with("ERR value is not an integer"));
    let mut piped = Command::new(&program)
        .args(["-p", &port, "--pipe"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    piped.stdin.take().unwrap().write_all(&b"SET p 1\r\nINCR p\r\n".repeat(1000)).unwrap();
    let output = piped.wait_with_output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.ends_with("errors: 0, replies: 2000\n"), "{printed}");
    if flavor != Flavor::Blocking {
        let mut subscriber = Command::new(&program);
        subscriber.args(["-p", &port, "subscribe", "news"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut subscriber = subscriber.spawn().unwrap();
        let mut publisher = Client::connect(server.address);
        let begun = Instant::now();
        while publisher.line("PUBLISH news hello") != r":1\r\n" {
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not subscribe");
            thread::sleep(Duration::from_millis(5));
        }
        let printed = BufReader::new(subscriber.stdout.take().unwrap()).lines().map(Result::unwrap);
        let expected = ["subscribe", "news", "1", "message", "news", "hello"];
        assert_eq!(printed.take(6).collect::<Vec<_>>(), expected);
        drop(publisher);
        // It ends, with an error, when the server drains.
        assert_eq!(server.end(), [""; 0]);
        assert!(!subscriber.wait().unwrap().success());
    }
}

fn redis_benchmark_works(flavor: Flavor) {
    let Some(program) = require_program("redis-benchmark") else { return };
    let server = start(flavor);
    let clients = match flavor {
        Flavor::Blocking => "1",
        Flavor::Pool => "4",
        _ => "20",
    };
    for depth in ["1", "16"] {
        let printed = run(Command::new(&program)
            .args(["-p", &server.address.port().to_string(), "-n", "2000", "-c", clients, "-P", depth])
            .args(["-r", "100", "-t", "ping,set,get,incr,mset", "--csv"]));
        for test in ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"] {
            let row = printed.lines().find(|line| line.starts_with(&format!("\"{test}\",\"")));
            assert!(row.is_some(), "no {test} in:\n{printed}");
        }
    }
}

/// Where `.ci/run` installs packages of other languages.
fn packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers")
}

/// Whether a program's package is there, which this command finds out. Says so if it is not.
fn is_installed(what: &str, check: &mut Command) -> bool {
    let output = check.stdin(Stdio::null()).output();
    let there = output.is_ok_and(|output| output.status.success());
    if !there {
        let required = std::env::var_os("ZEN_REQUIRE_PEERS").is_some_and(|value| value == "1");
        assert!(!required, "{what} not found, although ZEN_REQUIRE_PEERS=1 requires it");
        // Not `eprintln!`, which the harness captures.
        let _ = writeln!(std::io::stderr(), "skipped: {what} not found");
    }
    there
}

/// Runs a script that uses a client of Redis, with the server's port and whether it serves one
/// client at a time.
fn drive(flavor: Flavor, interpreter: &mut Command, script: &str) {
    let server = start(flavor);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/redis").join(script);
    interpreter.arg(script).arg(server.address.port().to_string());
    if flavor == Flavor::Blocking {
        interpreter.arg("alone");
    }
    assert_eq!(run(interpreter), "fine\n");
}

fn redis_of_pypi_works(flavor: Flavor) {
    let own = packages().join("python/bin/python3");
    let python = if own.exists() { own.as_os_str() } else { OsStr::new("python3") };
    if is_installed("PyPI redis", Command::new(python).args(["-c", "import redis"])) {
        drive(flavor, &mut Command::new(python), "client.py");
    }
}

fn ioredis_of_npm_works(flavor: Flavor) {
    let node = || {
        let mut command = Command::new("node");
        command.env("NODE_PATH", packages().join("node_modules"));
        command
    };
    if is_installed("npm ioredis", node().args(["-e", "require('ioredis')"])) {
        drive(flavor, &mut node(), "client.js");
    }
}
