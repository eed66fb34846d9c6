//! Programs to start from. Run one with `cargo run -p examples --example NAME`:
//!
//! | name | what it shows |
//! |---|---|
//! | `ask` | asking from blocking code: one question, many at once, one that cannot be sent |
//! | `ask_async` | the same from async code, and giving up on an answer |
//! | `blob` | large messages, and replies that are made piece by piece |
//! | `change_flavor` | one service under every architecture, by changing one line |
//! | `embed` | a server inside your program: read its counters, stop it from another thread |
//! | `mail` | SMTP: a greeting, two states of one framing, a sink for mails |
//! | `own_lab` | the lab with two servers of your own and a protocol of your own |
//! | `own_loop` | the core in a loop of your own, without a server crate |
//! | `own_protocol` | a protocol of your own: its framing, its service, its server and client |
//! | `redis` | Redis's protocol: messages decoded without a copy, shared data, pushed messages |
//! | `slow_upstream` | answers that wait for another server: an `async fn`, and a pool of threads |
//!
//! This library holds what the servers of well-known protocols among them share: a command line
//! that chooses the address, the flavor and TLS, the signals that end a server, and the lab that
//! compares the flavors: `cargo run --release -p examples --example redis -- --compare`.
#![forbid(unsafe_code)]

/// The README's code, so that the tests compile it.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

mod command_line;
mod failure;
mod flavor;
mod lab;
mod listen;
mod signals;

pub use command_line::{CommandLine, UsageError};
pub use failure::Failure;
pub use flavor::{Flavor, Layer, Serving, UnknownFlavor, serve, serve_over};
pub use lab::{Lab, compare_if_asked};

use std::io::Write;
use std::sync::Arc;

use zen_proto::{Framing, Service};
use zen_server::rustls::ServerConfig;
use zen_server::{Options, tls_config};

use listen::{Listening, listen};

/// Serves on the address and with the flavor of this program's command line, until SIGTERM or
/// SIGINT drains the server. Prints `listening on HOST:PORT` or `listening on unix:PATH` once
/// clients can connect. With a certificate, it serves over TLS from the first byte.
///
/// # Errors
/// When the command line or a file of TLS is wrong, the address cannot be listened on, or the
/// system refuses what the server needs.
pub fn main_with<S, F>(service: S, framing: F, options: Options) -> Result<(), Failure>
where
    S: Service<F> + Clone + Send + 'static,
    F: Framing + Clone + Send + 'static,
{
    run(Layer::Tls, service, framing, options)
}

/// The same, for a service that starts TLS itself: with a certificate, it is offered.
///
/// # Errors
/// As for [`main_with`].
pub fn main_with_start_tls<S, F>(service: S, framing: F, options: Options) -> Result<(), Failure>
where
    S: Service<F> + Clone + Send + 'static,
    F: Framing + Clone + Send + 'static,
{
    run(Layer::StartTls, service, framing, options)
}

fn run<S, F>(
    over_tls: fn(Arc<ServerConfig>) -> Layer,
    service: S,
    framing: F,
    options: Options,
) -> Result<(), Failure>
where
    S: Service<F> + Clone + Send + 'static,
    F: Framing + Clone + Send + 'static,
{
    let CommandLine { address, flavor, tls } = CommandLine::parse(std::env::args().skip(1))?;
    let layer = match tls {
        Some((certificate, key)) => over_tls(tls_config(&certificate, &key)?),
        None => Layer::Plain,
    };
    let Listening { listener, path: _path } = listen(&address)?;
    println!("listening on {}", listener.local_address());
    std::io::stdout().flush()?;
    let serving = serve_over(layer, flavor, listener, service, framing, options)?;
    signals::stop_on_signal(serving.stop.clone())?;
    Ok((serving.run)()?)
}
