//! Servers within the program that runs the lab: how the program becomes one of them, and how they
//! end with the lab.
//!
//! A program that compares servers of its own calls [`serve_if_asked`] first in its `main`. For
//! each [`Contender::own`](crate::server::contender::Contender::own), the lab starts the same
//! program once more, with a role in its environment. In that process, the call serves.

use std::fmt::Display;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::getppid;

use super::floor::Floor;
use crate::scenario::Workload;

/// The variable that names the role of a program started by the lab.
pub(crate) const ROLE: &str = "ZEN_COMPARE_ROLE";
/// The variable that holds the ID of the lab's process.
pub(crate) const PARENT: &str = "ZEN_COMPARE_PARENT";
/// The start of a floor's role. The delimiter and the answer follow it, in hexadecimal digits.
const FLOOR: &str = "floor:";
/// The role of a floor whose workload is its standard input, which has no bound, unlike a variable.
pub(crate) const FLOOR_OF_INPUT: &str = "floor-of-input";

/// Serves, if this process was started by the lab to do so: binds a listener on a free port of
/// 127.0.0.1, announces it, and hands it to `serve` with the name of the role. Returns `None` when
/// the process was not started by the lab. Returns `Some` when it has served, or has said on
/// standard error why it did not; the process should then exit with this code.
///
/// ```no_run
/// use std::error::Error;
/// use std::net::TcpListener;
/// use std::process::ExitCode;
///
/// fn serve(role: &str, listener: TcpListener) -> Result<(), Box<dyn Error>> {
///     match role {
///         "patient" => listener.incoming().try_for_each(|stream| Ok(drop(stream?))),
///         other => Err(format!("no such role: {other}").into()),
///     }
/// }
///
/// fn main() -> ExitCode {
///     if let Some(code) = zen_compare::child::serve_if_asked(serve) {
///         return code;
///     }
///     // … compare …
///     ExitCode::SUCCESS
/// }
/// ```
pub fn serve_if_asked<E: Display>(
    serve: impl FnOnce(&str, TcpListener) -> Result<(), E>,
) -> Option<ExitCode> {
    let role = std::env::var(ROLE).ok()?;
    end_with_the_lab();
    Some(match play(&role, serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{role}: {error}");
            ExitCode::FAILURE
        }
    })
}

/// Has the kernel kill this process when the thread that started it ends, for whatever reason, so
/// that a lab that is killed leaves no server behind. Does nothing in a process that was not
/// started by a lab. For contenders that do not use [`serve_if_asked`].
///
/// ```no_run
/// // The first line of a server that the lab starts.
/// zen_compare::child::end_with_the_lab();
/// ```
pub fn end_with_the_lab() {
    let Some(lab) = std::env::var(PARENT).ok().and_then(|lab| lab.parse::<i32>().ok()) else { return };
    let parent = getppid();
    // Where the kernel refuses, the only harm is that a lab that is killed leaves its servers
    // behind.
    let _ = set_pdeathsig(Signal::SIGKILL);
    // The parent may have ended a moment before. The process that adopts its children is not the
    // lab.
    if getppid() != parent || (parent.as_raw() == 1 && lab != 1) {
        std::process::exit(1);
    }
}

/// The role of a floor that answers `answer` to each byte `delimiter`.
pub(crate) fn floor_role(delimiter: u8, answer: &[u8]) -> String {
    let bytes = std::iter::once(&delimiter).chain(answer);
    bytes.fold(FLOOR.to_owned(), |role, byte| format!("{role}{byte:02x}"))
}

fn play<E: Display>(
    role: &str,
    serve: impl FnOnce(&str, TcpListener) -> Result<(), E>,
) -> Result<(), String> {
    if role == FLOOR_OF_INPUT {
        // Read before the address is announced, since the lab's clients come then.
        let mut input = Vec::new();
        io::stdin().read_to_end(&mut input).map_err(|error| error.to_string())?;
        let workload: Workload = serde_json::from_slice(&input).map_err(|error| error.to_string())?;
        let floor = announced().and_then(|listener| Floor::for_workload(listener, &workload));
        return floor.and_then(Floor::run).map_err(|error| error.to_string());
    }
    let listener = announced().map_err(|error| format!("cannot listen: {error}"))?;
    let Some(bytes) = role.strip_prefix(FLOOR) else {
        return serve(role, listener).map_err(|error| error.to_string());
    };
    let bytes = from_hexadecimal(bytes).ok_or("the role of the floor is malformed")?;
    let (delimiter, answer) = bytes.split_first().ok_or("the role of the floor is empty")?;
    let floor = Floor::answering(listener, *delimiter, answer).and_then(Floor::run);
    floor.map_err(|error| error.to_string())
}

/// A listener whose address was announced to the lab.
fn announced() -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut out = io::stdout();
    writeln!(out, "listening on {}", listener.local_addr()?)?;
    out.flush()?;
    Ok(listener)
}

fn from_hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    let pairs = digits.chunks_exact(2);
    let whole = pairs.remainder().is_empty();
    let bytes = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    bytes.collect::<Option<_>>().filter(|_| whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floors_role_says_what_it_answers() {
        let role = floor_role(b'\n', b"PONG\r\n");
        assert_eq!(role, "floor:0a504f4e470d0a");
        assert_eq!(from_hexadecimal(role.strip_prefix(FLOOR).unwrap()).unwrap(), b"\nPONG\r\n");
        for broken in ["0", "0g", "é"] {
            assert_eq!(from_hexadecimal(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_process_that_was_not_asked_does_not_serve() {
        assert!(serve_if_asked(|_, _| -> Result<(), String> { panic!("it was not asked") }).is_none());
    }
}
