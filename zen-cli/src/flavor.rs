//! The seven flavors: a description of each, and the one function that makes a server of any of
//! them.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use clap::ValueEnum;
use zen_proto::Service;
use zen_proto::aphorism::{self, Aphorisms};
use zen_server::Server as _;
use zen_server::rustls::ServerConfig;
use zen_server::{Counters, Listener, Observer, Options, OptionsError, RunServer, StopHandle};
use zen_server_async::Deferred;

use crate::work::{Work, WorkKind, Working};

/// A server architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Flavor {
    /// One conversation at a time
    Blocking,
    /// A thread for each conversation
    Threaded,
    /// A fixed number of threads, one conversation each
    Pool,
    /// One event loop
    // The default: it serves many clients with little CPU time, and needs no choice of a number of
    // threads.
    #[default]
    Mio,
    /// Several event loops
    MioMulti,
    /// tokio on one thread
    Async,
    /// tokio on several threads
    AsyncMulti,
}

/// A description of a flavor.
pub(crate) struct About {
    pub(crate) package: &'static str,
    pub(crate) waits_in: &'static str,
    pub(crate) at_once: &'static str,
    pub(crate) choose_it_when: &'static str,
}

impl Flavor {
    /// The name on the command line and in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Blocking => "blocking",
            Self::Threaded => "threaded",
            Self::Pool => "pool",
            Self::Mio => "mio",
            Self::MioMulti => "mio-multi",
            Self::Async => "async",
            Self::AsyncMulti => "async-multi",
        }
    }

    /// Whether the number of its threads can be chosen.
    pub(crate) fn has_workers(self) -> bool {
        matches!(self, Self::Pool | Self::MioMulti | Self::AsyncMulti)
    }

    /// Whether its service may wait without making other clients wait.
    pub(crate) fn is_async(self) -> bool {
        matches!(self, Self::Async | Self::AsyncMulti)
    }

    /// Its row of the table.
    pub(crate) fn about(self) -> About {
        const CAP: &str = "up to the cap";
        const CORES: &str = "the same on several cores";
        let (package, waits_in, at_once, choose_it_when) = match self {
            Self::Blocking => ("zen-server-sync", "read", "1", "the book's first server; batch tools"),
            Self::Threaded => {
                ("zen-server-sync", "read, a thread each", CAP, "few clients, blocking handlers")
            }
            Self::Pool => ("zen-server-sync", "accept/read, N workers", "N", "bounded concurrency"),
            Self::Mio => ("zen-server-mio", "epoll_wait", CAP, "many clients, quick handlers, least CPU"),
            Self::MioMulti => ("zen-server-mio", "N × epoll_wait", CAP, CORES),
            Self::Async => ("zen-server-async", "tokio, one thread", CAP, "handlers that wait on other I/O"),
            Self::AsyncMulti => ("zen-server-async", "tokio, N threads", CAP, CORES),
        };
        About { package, waits_in, at_once, choose_it_when }
    }
}

/// A server that is ready to run, with what the caller needs of it, whichever flavor it has.
pub(crate) struct Server {
    pub(crate) stop: StopHandle,
    pub(crate) counters: Arc<Counters>,
    pub(crate) run: Box<dyn FnOnce() -> io::Result<()>>,
}

fn ready<R, O>(server: R, tls: Option<Arc<ServerConfig>>, observer: O) -> Server
where
    R: zen_server::Server,
    R::WithObserver<O>: RunServer + 'static,
    O: Observer,
{
    let server = server.with_observer(observer);
    match tls {
        Some(config) => running(server.with_tls(config)),
        None => running(server),
    }
}

fn running(server: impl RunServer + 'static) -> Server {
    Server { stop: server.stop_handle(), counters: server.counters(), run: Box::new(|| server.run()) }
}

/// A server of `flavor` that answers aphorisms on `listener`, after the work for each question, if
/// there is any; over TLS, if that is configured. It reports its steps to the observer.
pub(crate) fn server<O: Observer>(
    flavor: Flavor,
    listener: Listener,
    work: Option<Work>,
    tls: Option<Arc<ServerConfig>>,
    options: Options,
    observer: O,
) -> Result<Server, OptionsError> {
    match work {
        None => inline(flavor, listener, Aphorisms, tls, options, observer),
        Some(Work { kind: WorkKind::Sleep, time }) if flavor.is_async() => {
            let answer = Deferred::new(move |question: Bytes| async move {
                tokio::time::sleep(time).await;
                aphorism::answer(&question)
            });
            Ok(if flavor == Flavor::AsyncMulti {
                ready(zen_server_async::Server::multi(listener, answer, options)?, tls, observer)
            } else {
                ready(zen_server_async::Server::single(listener, answer, options)?, tls, observer)
            })
        }
        Some(work) => inline(flavor, listener, Working { work, service: Aphorisms }, tls, options, observer),
    }
}

/// The same, for a service that answers at once. Another flavor is a change of one line.
fn inline<S, O>(
    flavor: Flavor,
    listener: Listener,
    service: S,
    tls: Option<Arc<ServerConfig>>,
    options: Options,
    observer: O,
) -> Result<Server, OptionsError>
where
    S: Service + Clone + Send + 'static,
    O: Observer,
{
    Ok(match flavor {
        Flavor::Blocking => {
            ready(zen_server_sync::Server::blocking(listener, service, options)?, tls, observer)
        }
        Flavor::Threaded => {
            ready(zen_server_sync::Server::threaded(listener, service, options)?, tls, observer)
        }
        Flavor::Pool => ready(zen_server_sync::Server::pool(listener, service, options)?, tls, observer),
        Flavor::Mio => ready(zen_server_mio::Server::single(listener, service, options)?, tls, observer),
        Flavor::MioMulti => ready(zen_server_mio::Server::multi(listener, service, options)?, tls, observer),
        Flavor::Async => ready(zen_server_async::Server::single(listener, service, options)?, tls, observer),
        Flavor::AsyncMulti => {
            ready(zen_server_async::Server::multi(listener, service, options)?, tls, observer)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flavor_has_the_same_name_everywhere() {
        for flavor in Flavor::value_variants() {
            let value = flavor.to_possible_value().expect("no flavor is hidden");
            assert_eq!(value.get_name(), flavor.name());
        }
    }
}
