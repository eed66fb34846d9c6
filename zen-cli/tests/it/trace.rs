//! `zen trace`: servers of every flavor, and one of the book's kind, under clients that think.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use nix::sys::signal::Signal;
use serde_json::Value;
use zen_server::Step;
use zen_testkit::peers::Python;
use zen_trace::outside::Watch;
use zen_trace::recording::{ClientSpanKind, SwitchKind, Trace};

use crate::running::{Ended, FLAVORS, Running, run, until, zen};

/// The book's single-threaded server, with nothing but the standard library.
const BOOKS_SERVER: &str = "\
import socket, sys

ANSWERS = {b'Beautiful is better than?': b'Ugly.',
           b'Explicit is better than?': b'Implicit.',
           b'Simple is better than?': b'Complex.'}

def recv_until(sock, suffix):
    message = sock.recv(4096)
    if not message:
        raise EOFError('socket closed')
    while not message.endswith(suffix):
        data = sock.recv(4096)
        if not data:
            raise IOError('received {!r} then socket closed'.format(message))
        message += data
    return message

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(('127.0.0.1', int(sys.argv[1])))
listener.listen(64)
while True:
    sock, address = listener.accept()
    try:
        while True:
            sock.sendall(ANSWERS.get(recv_until(sock, b'?'), b'Error: unknown aphorism.'))
    except EOFError:
        sock.close()
";

/// A folder of the test's own, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("trace-{name}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn sums(ended: &Ended) -> Vec<Value> {
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    json["servers"].as_array().unwrap().clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("not a number: {value}"))
}

/// The waiting of a sum, all causes together.
fn waiting(sum: &Value) -> f64 {
    sum["waiting_ns"].as_object().unwrap().values().map(number).sum()
}

#[test]
fn the_page_is_replayed() {
    let mut command = zen(&["trace", "--think", "20ms"]);
    command.env("LC_ALL", "C.UTF-8").env("TERM", "xterm");
    let traced = run(command);
    assert_eq!((traced.status.code(), traced.stderr.as_str()), (Some(0), ""), "{}", traced.stdout);
    for part in [
        "acceptor.rs:",
        "session.answer_with(",
        "waiting for its question",
        "blocking",
        "occupied",
        "7 percent occupied",
    ] {
        assert!(traced.stdout.contains(part), "{part} is missing:\n{}", traced.stdout);
    }
}

#[test]
fn the_phases_of_every_flavor_sum_to_the_wall_clock() {
    let traced = run(zen(&["trace", "--flavor", "all", "--clients", "8", "--think", "10ms", "--json", "-"]));
    let servers = sums(&traced);
    let names: Vec<_> = servers.iter().map(|server| server["name"].as_str().unwrap()).collect();
    assert_eq!(names, FLAVORS);
    for server in &servers {
        let name = &server["name"];
        assert_eq!((&server["questions"], &server["conversations"]), (&24.into(), &8.into()), "{name}");
        assert!(number(&server["occupancy"]) > 0.0 && number(&server["occupancy_bound"]) > 0.0, "{name}");
        assert_eq!(server["lost"], 0, "{name}");
        let each = ["per_thread", "per_conversation"].map(|each| server[each].as_array().unwrap());
        for sum in each.into_iter().flatten() {
            let (parts, wall) = (number(&sum["computing_ns"]) + waiting(sum), number(&sum["wall_ns"]));
            assert!((parts - wall).abs() <= 0.01 * wall, "{name}: {parts} of {wall}: {sum}");
        }
        // Each client thinks three times 10 ms, the first time perhaps while it stands in line.
        for conversation in each[1] {
            // On a busy machine a part of the wait is that for a CPU: the system says how long that
            // was for the whole thread, and not where.
            let causes = ["question", "cpu"].map(|cause| &conversation["waiting_ns"][cause]);
            let waits: f64 = causes.iter().filter_map(|waited| waited.as_f64()).sum();
            assert!(waits >= 15e6, "{name}: {conversation}");
        }
    }
    let line = |server: &Value| {
        let lines = server["per_conversation"].as_array().unwrap().iter().map(|c| number(&c["in_line_ns"]));
        lines.fold(0.0, f64::max)
    };
    // Seven conversations come before the last one of `blocking`; `pool` serves four at a time.
    assert!(line(&servers[0]) >= 130e6, "{}", line(&servers[0]));
    assert!(line(&servers[2]) >= 15e6, "{}", line(&servers[2]));
}

#[test]
fn every_file_is_written() {
    let folder = Folder::new("files");
    let (out, json) = (folder.path("out"), folder.path("sums.json"));
    let traced = run(zen(&["trace", "--flavor", "mio", "--think", "1ms", "--out", &out, "--json", &json]));
    assert_eq!(traced.status.code(), Some(0), "{}", traced.stderr);
    for (file, start) in [("steps.json", "{\"schema\":\"zen-trace/1\""), ("timeline.html", "<!doctype html>")]
    {
        let text = fs::read_to_string(folder.0.join("out").join(file)).unwrap();
        assert!(text.to_lowercase().starts_with(start), "{file}: {}", &text[..80]);
    }
    assert!(fs::metadata(folder.0.join("out/trace.pftrace")).unwrap().len() > 1000);
    let sums: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert_eq!(sums["servers"][0]["questions"], 3);
    assert!(traced.stderr.contains("trace.pftrace"), "{}", traced.stderr);
}

#[test]
fn the_books_server_is_seen_from_outside() {
    if Python::require().is_none() {
        return;
    }
    let folder = Folder::new("book");
    let script = folder.path("server.py");
    fs::write(&script, BOOKS_SERVER).unwrap();
    let book = format!("book=python3 {script} {{port}}");
    let traced = run(zen(&[
        "trace",
        "--flavor",
        "blocking",
        "--against",
        &book,
        "--clients",
        "3",
        "--think",
        "20ms",
        "--json",
        "-",
    ]));
    let servers = sums(&traced);
    assert_eq!(servers.len(), 2);
    let (ours, theirs) = (&servers[0], &servers[1]);
    assert_eq!((&ours["name"], &theirs["name"]), (&"blocking".into(), &"book".into()));
    assert_eq!((&theirs["questions"], &theirs["conversations"]), (&9.into(), &3.into()), "{theirs}");
    // Nobody knows for which conversation it computes, and by how much the whole can be wrong is
    // said.
    for conversation in theirs["per_conversation"].as_array().unwrap() {
        assert_eq!(
            (&conversation["occupancy"], &conversation["occupancy_bound"]),
            (&Value::Null, &Value::Null)
        );
    }
    let error = number(&theirs["occupancy_bound"]) * number(&theirs["wall_ns"]);
    assert!(error >= 10_000.0, "a few switches, or the sampling period: {error} ns");
    // Both wait for their clients for nearly all of the time: one conversation after the other.
    for server in [ours, theirs] {
        let occupancy = number(&server["occupancy"]);
        assert!(occupancy > 0.0 && occupancy < 0.5, "{server}");
        assert!(number(&server["wall_ns"]) >= 120e6, "{server}");
    }
}

#[test]
fn a_server_that_fails_leaves_the_others_in() {
    let traced = run(zen(&["trace", "--flavor", "mio", "--against", "gone=false {port}", "--think", "1ms"]));
    assert_eq!(traced.status.code(), Some(1));
    assert!(traced.stderr.contains("zen: gone: it ended at once (exit status 1)"), "{}", traced.stderr);
    assert!(traced.stdout.contains("mio"), "{}", traced.stdout);
}

/// A Python server that binds the port that it is told, and then does as `then` says with
/// `listener`.
fn strange(folder: &Folder, name: &str, then: &str) -> String {
    let script = folder.path(&format!("{name}.py"));
    let bind = "import socket, sys, time\n\
                listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n";
    fs::write(&script, format!("{bind}{then}\n")).unwrap();
    format!("{name}=python3 {script} {{port}}")
}

#[test]
fn a_strange_server_is_one_clear_line_and_the_others_are_shown() {
    if Python::require().is_none() {
        return;
    }
    let folder = Folder::new("strange");
    let answer =
        "listener.accept()\nclient, _ = listener.accept()\nclient.recv(99)\nclient.sendall(b'Ugly.')\n";
    let cases = [
        (
            strange(&folder, "dies", &format!("{answer}sys.exit(3)")),
            "the server ended before its clients were done (exit status 3)",
        ),
        (
            strange(&folder, "closes", "while True:\n    listener.accept()[0].close()"),
            "no question was answered: ",
        ),
        ("silent=sh -c 'exec sleep 600 > /dev/null'".to_owned(), "it closed its output before it said"),
        ("gone=false {port}".to_owned(), "it ended at once (exit status 1)"),
    ];
    for (against, says) in cases {
        let traced = run(zen(&["trace", "--flavor", "mio", "--against", &against, "--think", "1ms"]));
        assert_eq!(traced.status.code(), Some(1), "{against}: {}", traced.stderr);
        let name = against.split('=').next().unwrap();
        assert!(traced.stderr.starts_with(&format!("zen: {name}: {says}")), "{against}: {}", traced.stderr);
        assert_eq!(traced.stderr.lines().count(), 1, "{against}: {}", traced.stderr);
        assert!(traced.stdout.contains("mio"), "{against}: {}", traced.stdout);
    }
}

#[test]
fn what_is_not_known_of_a_server_from_outside_is_called_so() {
    if Python::require().is_none() {
        return;
    }
    let folder = Folder::new("outside");
    let script = folder.path("server.py");
    fs::write(&script, BOOKS_SERVER).unwrap();
    let book = format!("book=python3 {script} {{port}}");
    let mut command = zen(&["trace", "--against", &book, "--think", "20ms"]);
    command.env("LC_ALL", "C.UTF-8").env("TERM", "xterm");
    let traced = run(command);
    assert_eq!(traced.status.code(), Some(0), "{}", traced.stderr);
    let lines = |start: &str| -> Vec<&str> {
        traced.stdout.lines().filter(|line| line.trim_start().starts_with(start)).collect()
    };
    // In the time line and in the table.
    let conversation = lines("#1 ");
    assert_eq!(conversation.len(), 2, "{}", traced.stdout);
    assert!(conversation.iter().all(|line| line.ends_with(" not known")), "{}", traced.stdout);
    assert!(traced.stdout.contains("╌╌╌ blocked (cause not known)"), "{}", traced.stdout);
    assert!(!traced.stdout.contains("???"), "{}", traced.stdout);
    assert!(lines("book ").iter().all(|line| !line.contains(" 0 %")), "{}", traced.stdout);
}

#[test]
fn a_plain_terminal_gets_ascii() {
    let mut command = zen(&["trace", "--think", "1ms"]);
    command.env("TERM", "dumb");
    let traced = run(command);
    assert_eq!(traced.status.code(), Some(0), "{}", traced.stderr);
    assert!(traced.stdout.is_ascii(), "{}", traced.stdout);
}

#[test]
fn bad_input_is_one_clear_line_before_anything_runs() {
    let folder = Folder::new("bad");
    let file = folder.path("file");
    fs::write(&file, "").unwrap();
    let inside = format!("{file}/inside");
    let cases: [(&[&str], i32, &str); 7] = [
        (&["--flavor", "mia"], 2, "unknown flavor 'mia': did you mean mio?"),
        (&["--clients", "0"], 2, "--clients"),
        (&["--think", "soon"], 2, "--think 'soon'"),
        (&["--against", "nameless"], 2, "the name is missing"),
        (&["--sweep", "--against", "x=y {port}"], 2, "cannot be used together"),
        (&["--out", &inside], 1, "cannot write to"),
        (&["--json", &inside], 1, "cannot write to"),
    ];
    for (arguments, status, says) in cases {
        let mut command = zen(&["trace"]);
        command.args(arguments);
        let refused = run(command);
        assert_eq!(refused.status.code(), Some(status), "{arguments:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(says), "{arguments:?}: {}", refused.stderr);
        assert_eq!((refused.stderr.lines().count(), refused.stdout.as_str()), (1, ""), "{arguments:?}");
    }
}

#[test]
fn ctrl_c_shows_what_there_is() {
    use std::process::Stdio;
    let folder = Folder::new("interrupted");
    let (out, json) = (folder.path("out"), folder.path("sums.json"));
    let mut command = zen(&["trace", "--flavor", "all", "--think", "60s", "--out", &out, "--json", &json]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let mut tracing = Running::new(child);
    let processes = || fs::read_to_string(&children).unwrap_or_default();
    until("a server and the clients", || (processes().split_whitespace().count() == 2).then_some(()));
    // The picture must not show how the clients start.
    let first = processes().split_whitespace().next().unwrap().to_owned();
    let words = fs::read_to_string(format!("/proc/{first}/cmdline")).unwrap();
    assert_eq!(words.split('\0').nth(1), Some("clients"), "{words}");
    tracing.signal(Signal::SIGINT);
    let status = tracing.wait();
    let (stdout, stderr) = (tracing.stdout.end(), tracing.stderr.end());
    assert_eq!(status.code(), Some(1), "as zen compare does: {stderr}");
    assert!(stderr.contains("interrupted; what was traced until then is shown"), "{stderr}");
    assert!(stdout.contains("blocking") && !stdout.contains("mio-multi"), "{stdout}");
    // The files are whole.
    let trace = Trace::read_json(fs::File::open(folder.path("out/steps.json")).unwrap()).unwrap();
    assert_eq!(trace.servers.len(), 1);
    let sums: Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    assert_eq!(sums["servers"][0]["name"], "blocking");
    let page = fs::read_to_string(folder.path("out/timeline.html")).unwrap();
    assert!(page.trim_end().ends_with("</html>"), "{}", &page[page.len() - 80..]);
    let mut again = Vec::new();
    trace.write_perfetto(&mut again).unwrap();
    assert!(fs::read(folder.path("out/trace.pftrace")).unwrap() == again, "not the whole trace");
}

#[test]
fn each_conversation_has_its_own_client() {
    let folder = Folder::new("matched");
    let out = folder.path("out");
    let load = ["--clients", "8", "--conversations", "3", "--think", "1ms"];
    let mut command = zen(&["trace", "--flavor", "pool,mio-multi", "--out", &out]);
    command.args(load);
    let traced = run(command);
    assert_eq!(traced.status.code(), Some(0), "{}", traced.stderr);
    let trace = Trace::read_json(fs::File::open(folder.path("out/steps.json")).unwrap()).unwrap();
    for server in &trace.servers {
        assert_eq!(server.conversations.len(), 24, "{}", server.name);
        for conversation in &server.conversations {
            // What the server reads, this very client has sent, and waits for the answer.
            let waits = |at: u64| {
                let spans = conversation.client_spans.iter();
                let mut waits = spans.filter(|span| span.kind == ClientSpanKind::Waiting);
                waits.any(|span| span.from_ns <= at && at <= span.to_ns)
            };
            let steps = server.threads.iter().flat_map(|thread| &thread.steps);
            let reads: Vec<u64> = steps
                .filter(|it| it.conversation == Some(conversation.number))
                .filter(|it| matches!(it.step, Step::Read(1..)))
                .map(|it| it.wall_ns)
                .collect();
            assert_eq!(reads.len(), 3, "{}: {conversation:?}", server.name);
            assert!(reads.iter().all(|&at| waits(at)), "{}: {reads:?}: {conversation:?}", server.name);
        }
    }
}

#[test]
fn the_switches_of_our_own_servers_are_recorded_too() {
    if let Err(why) = Watch::start_switches(std::process::id()).map(Watch::finish) {
        // Not `eprintln!`, which the harness captures.
        let _ = writeln!(std::io::stderr(), "skipped: {why}");
        return;
    }
    let folder = Folder::new("switches");
    let out = folder.path("out");
    let traced = run(zen(&["trace", "--flavor", "all", "--clients", "8", "--think", "2ms", "--out", &out]));
    assert_eq!(traced.status.code(), Some(0), "{}", traced.stderr);
    let trace = Trace::read_json(fs::File::open(folder.path("out/steps.json")).unwrap()).unwrap();
    for server in &trace.servers {
        for thread in server.threads.iter().filter(|thread| thread.steps.len() > 20) {
            let (name, switches) = (format!("{}, {}", server.name, thread.name), &thread.switches);
            assert!(switches.iter().any(|it| it.kind == SwitchKind::In), "{name}: {switches:?}");
            assert!(switches.iter().any(|it| it.kind == SwitchKind::OutBlocked), "{name}: {switches:?}");
            assert!(switches.is_sorted_by_key(|it| it.wall_ns), "{name}: {switches:?}");
        }
    }
}

#[test]
fn who_was_never_served_is_said_and_does_not_pass_for_served() {
    use std::process::Stdio;
    let load = ["--clients", "3", "--think", "30s", "--json", "-"];
    let mut command = zen(&["trace"]);
    let child = command.args(load).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let process = child.id();
    let mut tracing = Running::new(child);
    // The clients think, so what has arrived at the server is all in line but one.
    until("all clients are connected", || {
        let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).ok()?;
        // The connections of the whole machine, by inode; 01 is an established one.
        let table = fs::read_to_string("/proc/net/tcp").ok()?;
        let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let established = rows.filter(|row| row.len() > 9 && row[3] == "01");
        let established: Vec<String> = established.map(|row| format!("socket:[{}]", row[9])).collect();
        let connections = |child: &str| {
            let files = fs::read_dir(format!("/proc/{child}/fd")).into_iter().flatten().flatten();
            let targets = files.filter_map(|file| fs::read_link(file.path()).ok());
            targets.filter(|target| established.iter().any(|it| **it == *target.to_string_lossy())).count()
        };
        let is = |child: &str, word: &str| {
            let words = fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
            words.split('\0').nth(1) == Some(word)
        };
        let mut children = children.split_whitespace();
        let has_one = |child: &str| is(child, "traced") && connections(child) == 1;
        let are_there = |child: &str| is(child, "clients") && connections(child) == 3;
        let (server, clients) = (children.clone().any(has_one), children.any(are_there));
        (server && clients).then_some(())
    });
    tracing.signal(Signal::SIGINT);
    let status = tracing.wait();
    let (stdout, stderr) = (tracing.stdout.end(), tracing.stderr.end());
    let json: Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{status}: {stdout}{stderr}"));
    let conversations = json["servers"][0]["per_conversation"].as_array().unwrap();
    let accepted: Vec<_> = conversations.iter().map(|c| c["accepted"] == true).collect();
    assert_eq!(accepted, [true, false, false], "{stdout}");
    for starved in &conversations[1..] {
        assert_eq!(starved["waiting_ns"]["accept"], starved["wall_ns"], "{starved}");
        assert_eq!(starved["computing_ns"], 0, "{starved}");
    }
}

#[test]
fn a_sweep_stands_beside_theory() {
    // Without the time limit of the others, since it takes many runs; each is bounded by itself.
    let folder = Folder::new("sweep");
    let out = folder.path("out");
    let swept = zen(&["trace", "--sweep", "--flavor", "mio", "--json", "-", "--out", &out]).output().unwrap();
    assert!(swept.status.success(), "{}", String::from_utf8_lossy(&swept.stderr));
    let json: Value = serde_json::from_slice(&swept.stdout).unwrap();
    let servers = json["servers"].as_array().unwrap();
    let points = servers[0]["points"].as_array().unwrap();
    assert_eq!(points.len(), 15);
    for point in points {
        let measured = &point["measured"];
        let (throughput, predicted) =
            (number(&measured["throughput"]), number(&point["predicted_throughput"]));
        assert!(throughput > 0.0 && predicted > 0.0, "{point}");
        let off = (throughput / predicted - 1.0).abs();
        let reasons = point["reasons"].as_array().unwrap();
        assert!(off <= 0.1 || !reasons.is_empty(), "a difference without a reason: {point}");
    }
    // The page shows the same, and the file beside it is what was printed.
    let page = fs::read_to_string(folder.0.join("out/sweep.html")).unwrap();
    assert_eq!(page.matches("<path class=\"dot ").count(), 3 + 2 * 15, "the legend, and two charts");
    let saved: Value = serde_json::from_slice(&fs::read(folder.0.join("out/sweep.json")).unwrap()).unwrap();
    assert_eq!(saved, json);
    // The first point is the one that theory takes the cost of a question from.
    assert!(
        (number(&points[0]["predicted_throughput"]) / number(&points[0]["measured"]["throughput"]) - 1.0)
            .abs()
            < 0.01
    );
}
