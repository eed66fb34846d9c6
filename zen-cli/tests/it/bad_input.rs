//! Bad input yields one clear line on standard error that says what to do, nothing on standard
//! output, and the right status.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::unistd::geteuid;

use crate::running::{run, zen};

/// Runs the command, which must end with one line and this status; returns the line.
fn refused(command: Command, status: i32) -> String {
    let shown = format!("{command:?}");
    let ended = run(command);
    assert_eq!(ended.status.code(), Some(status), "{shown}: {ended:?}");
    assert_eq!(ended.stdout, "", "{shown}");
    assert_eq!(ended.stderr.lines().count(), 1, "{shown}: {}", ended.stderr);
    let line = ended.stderr.strip_prefix("zen: ").and_then(|line| line.strip_suffix('\n'));
    line.unwrap_or_else(|| panic!("{shown}: {}", ended.stderr)).to_owned()
}

#[test]
fn usage_errors_say_what_to_write_instead() {
    for (line, says) in [
        ("serve --flavor threded", "unknown flavor 'threded': did you mean threaded?"),
        (
            "serve --flavor quantum",
            "choose one of blocking, threaded, pool, mio, mio-multi, async, async-multi",
        ),
        ("serve --flavor", "--flavor needs a value"),
        ("serve --flavour mio", "did you mean --flavor?"),
        ("serv", "did you mean serve?"),
        ("serve 127.0.0.1:0 127.0.0.1:0", "'127.0.0.1:0' is one argument too many"),
        ("serve --workers 0 --flavor pool", "worker count is zero"),
        ("serve --workers many --flavor pool", "--workers 'many': write a whole number"),
        ("serve --workers 2 --flavor mio", "choose pool, mio-multi or async-multi"),
        ("serve --workers 2 --flavor blocking", "leave it out"),
        ("serve --connections 0", "connection cap is zero"),
        ("serve --turn-budget 0", "turn budget is zero"),
        ("serve --backlog 0", "at least 1"),
        ("serve --backlog 4294967296", "more than the system takes"),
        ("serve --question-length 0", "question length limit is zero"),
        ("serve --questions-in-flight 0", "questions in flight limit is zero"),
        ("serve --outbound-high-water 0", "outbound high water limit is zero"),
        ("serve --linger-bytes 0", "linger bytes limit is zero"),
        ("serve --question-deadline 0s", "question deadline limit is zero"),
        ("serve --idle-deadline 0ms", "idle deadline limit is zero"),
        ("serve --answer-deadline 0s", "answer deadline limit is zero"),
        ("serve --write-deadline 0s", "write deadline limit is zero"),
        ("serve --linger-deadline 0s", "linger deadline limit is zero"),
        ("serve --drain-deadline 0s", "drain deadline limit is zero"),
        ("serve --idle-deadline 3", "write 3ms, 3s or 3m"),
        ("serve --outbound-high-water 8k --outbound-low-water 9k", "must be below the high water"),
        ("serve --question-length 1kB", "write a number of bytes"),
        ("serve --work 2", "write 2ms, 2s or 2m"),
        ("serve --work-kind think", "unknown work-kind 'think'"),
        ("serve --nodelay perhaps", "write true or false"),
        ("serve --log a=b=c", "--log 'a=b=c': choose one of error"),
        ("serve localhost", "an address is HOST:PORT"),
        ("serve localhost:http", "the port is missing"),
        ("serve localhost:65536", "from 0 to 65535"),
        ("ask Simple", "neither an address (HOST:PORT or unix:PATH) nor a question"),
        ("ask 127.0.0.1:9 Simple", "'Simple' is not a question: it must end with '?'"),
        ("ask a?b?", "goes on after its '?'"),
        ("ask --timeout 0s", "--timeout is zero"),
        ("compare --flavors mio,mi", "unknown flavor 'mi': did you mean mio?"),
        ("compare --flavors mio,mio", "two things are called `mio`"),
        ("compare --scenarios boo", "--scenarios 'boo': no such scenario; choose from book, think, saturate"),
        ("compare --quick --full", "--quick and --full cannot be used together; leave one out"),
        ("compare --think 1ms --scenarios book", "--scenarios and --think cannot be used together"),
        ("compare --scenarios book --clients 3", "--scenarios and --clients cannot be used together"),
        ("compare --self-test --quick", "--self-test and --quick cannot be used together"),
        ("compare --schema --json -", "--schema and --json cannot be used together"),
        ("compare --resume d --out e", "--resume and --out cannot be used together"),
        ("compare --fail-on-regression 5%", "--fail-on-regression means nothing without --baseline"),
        ("compare --work-kind sleep", "--work-kind means nothing without --work"),
        ("compare --baseline x --fail-on-regression ten", "write a percentage, such as 10%"),
        ("compare --baseline x --fail-on-regression=-1%", "write a percentage, such as 10%"),
        ("compare --think 40", "write 40ms, 40s or 40m"),
        ("compare --clients 0", "--clients is zero"),
        ("compare --seed x", "write a whole number"),
        ("compare --repetitions 99999999999", "write a smaller number"),
        ("compare --against x", "write NAME='COMMAND {port}'"),
        ("compare --against a\u{1b}[31m=true", "the name has control characters in it; write NAME="),
        ("compare --against x=", "write NAME='COMMAND {port}'"),
        ("compare --repetitions 0", "must not be zero"),
        ("compare --window 0s", "must not be zero"),
        ("compare --workers 0", "--workers is zero"),
        ("compare --server-cores 100000", "cannot give 100000 cores to the server"),
        ("compare --work 2", "write 2ms, 2s or 2m"),
        ("completions tcsh", "choose one of bash, elvish, fish, powershell, zsh"),
        ("completions", "<SHELL> is missing; see zen completions --help"),
    ] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let said = refused(zen(&arguments), 2);
        assert!(said.contains(says), "zen {line}\n{said}");
    }
}

#[test]
fn a_bad_variable_is_named() {
    for (name, value, line, says) in [
        (
            "ZEN_FLAVOR",
            "pol",
            "serve",
            "unknown flavor 'pol' (from the variable ZEN_FLAVOR): did you mean pool?",
        ),
        ("ZEN_WORK", "2", "serve", "--work '2' (from the variable ZEN_WORK): the unit is missing"),
        ("ZEN_ADDR", "here", "serve", "ADDR 'here' (from the variable ZEN_ADDR): an address is HOST:PORT"),
        ("ZEN_JSON", "perhaps", "flavors", "(from the variable ZEN_JSON): write true or false"),
        ("ZEN_IDLE_DEADLINE", "5s", "serve --work 2", "--work '2': the unit is missing"),
    ] {
        let mut command = zen(&line.split(' ').collect::<Vec<_>>());
        command.env(name, value);
        let said = refused(command, 2);
        assert!(said.contains(says), "{name}={value}\n{said}");
    }
}

#[test]
fn typed_text_is_escaped_in_errors() {
    for (arguments, says) in [
        (&["serve", "\u{1b}[31m"][..], r"'\x1b[31m'"),
        (&["ask", "\u{1b}[31m"], r"'\x1b[31m'"),
        (&["serve", "--flavor", "a\nb"], r"'a\nb'"),
        (&["\u{1b}c"], r"'\x1bc'"),
        (&["serve", "--log", "\u{1b}[=\n="], r"\x1b[=\n="),
    ] {
        let said = refused(zen(arguments), 2);
        assert!(said.contains(says), "{said:?}");
    }
}

#[test]
fn compare_reports_what_it_cannot_start_or_save_before_it_begins() {
    let said = refused(zen(&["compare", "--against", "mine=/nonexistent/server {port}"]), 1);
    assert!(said.contains("--against mine: /nonexistent/server cannot be run"), "{said}");
    let said = refused(zen(&["compare", "--json", "/nonexistent/report.json"]), 1);
    assert!(said.starts_with("cannot save to /nonexistent/report.json: "), "{said}");
}

#[test]
fn a_port_in_use_is_reported() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    let said = refused(zen(&["serve", &address]), 1);
    assert!(said.starts_with(&format!("cannot listen on {address}: the port is in use; ")), "{said}");
}

#[test]
fn an_address_of_another_machine_is_reported() {
    // An address from a block that is reserved for documentation: no machine has it.
    let said = refused(zen(&["serve", "192.0.2.1:1060"]), 1);
    assert!(said.contains("this machine has no such address"), "{said}");
}

#[test]
fn a_host_that_does_not_exist_is_reported() {
    // The name is longer than a label can be, so no name server needs to be asked.
    let host = format!("{}:1060", "x".repeat(70));
    for command in ["serve", "ask"] {
        let said = refused(zen(&[command, &host]), 1);
        assert!(said.contains("check the name"), "{said}");
    }
}

/// The binary, run by a shell that first lowers the open-file limit.
fn with_open_files(limit: u32, arguments: &[&str]) -> Command {
    let binary = zen(&[]);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -n {limit} && exec \"$0\" \"$@\"")]).arg(binary.get_program());
    for (name, _) in binary.get_envs() {
        shell.env_remove(name);
    }
    shell.args(arguments);
    shell
}

#[test]
fn more_connections_than_descriptors_are_refused() {
    let over = with_open_files(100, &["serve", "127.0.0.1:0", "--connections", "69"]);
    let said = refused(over, 2);
    assert!(said.contains("lower the cap to 68 or raise the limit (ulimit -n)"), "{said}");

    let none = with_open_files(32, &["serve", "127.0.0.1:0"]);
    let said = refused(none, 1);
    assert!(said.contains("raise the limit (ulimit -n)"), "{said}");
}

#[test]
fn a_privileged_port_is_reported() {
    let first_free = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    let first_free: u16 = first_free.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(1024);
    if first_free < 2 {
        eprintln!("SKIPPED: on this system no port is privileged");
        return;
    }
    let mut command = zen(&["serve", "127.0.0.1:1"]);
    let directory = std::env::temp_dir().join(format!("zen-privileged-{}", std::process::id()));
    if geteuid().is_root() {
        // A user without rights may not be able to read the build directory.
        std::fs::create_dir(&directory).unwrap();
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o755)).unwrap();
        let copy = directory.join("zen");
        std::fs::copy(env!("CARGO_BIN_EXE_zen"), &copy).unwrap();
        command = Command::new(copy);
        command.env_clear().args(["serve", "127.0.0.1:1"]).uid(65_534).gid(65_534);
    }
    let said = refused(command, 1);
    // The directory may never have been created.
    let _ = std::fs::remove_dir_all(&directory);
    assert!(said.contains("this port needs privileges; choose one from 1024 up"), "{said}");
}
