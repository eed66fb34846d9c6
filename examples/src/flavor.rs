//! The flavors, and the one function that makes a server of any of them.

use std::io;
use std::str::FromStr;
use std::sync::Arc;

use zen_proto::{Framing, Service};
use zen_server::rustls::ServerConfig;
use zen_server::{Counters, Listener, Options, OptionsError, RunServer, StopHandle};

/// A server architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// One conversation at a time.
    Blocking,
    /// A thread for each conversation.
    Threaded,
    /// A fixed number of threads.
    Pool,
    /// One event loop.
    Mio,
    /// Several event loops.
    MioMulti,
    /// tokio on one thread.
    Async,
    /// tokio on several threads.
    AsyncMulti,
}

/// No flavor has this name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no flavor {0:?}; choose blocking, threaded, pool, mio, mio-multi, async or async-multi")]
pub struct UnknownFlavor(String);

impl Flavor {
    /// Every flavor.
    pub const ALL: [Self; 7] = [
        Self::Blocking,
        Self::Threaded,
        Self::Pool,
        Self::Mio,
        Self::MioMulti,
        Self::Async,
        Self::AsyncMulti,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
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
}

impl FromStr for Flavor {
    type Err = UnknownFlavor;

    fn from_str(name: &str) -> Result<Self, UnknownFlavor> {
        let found = Self::ALL.into_iter().find(|flavor| flavor.name() == name);
        found.ok_or_else(|| UnknownFlavor(name.to_owned()))
    }
}

/// A server that is ready to run, whatever its flavor.
pub struct Serving {
    /// Drains the server.
    pub stop: StopHandle,
    /// What the server has done.
    pub counters: Arc<Counters>,
    /// Serves until the server is drained.
    pub run: Box<dyn FnOnce() -> io::Result<()> + Send>,
}

/// What lies between a server's sockets and its conversations.
#[derive(Debug, Clone, Default)]
pub enum Layer {
    /// Nothing.
    #[default]
    Plain,
    /// TLS from the first byte.
    Tls(Arc<ServerConfig>),
    /// Nothing until the service starts TLS.
    StartTls(Arc<ServerConfig>),
}

/// A server of `flavor` for any protocol. To change the flavor is to change one line.
///
/// # Errors
/// [`OptionsError`] says which option is wrong and what to do.
pub fn serve<S, F>(
    flavor: Flavor,
    listener: impl Into<Listener>,
    service: S,
    framing: F,
    options: Options,
) -> Result<Serving, OptionsError>
where
    S: Service<F> + Clone + Send + 'static,
    F: Framing + Clone + Send + 'static,
{
    serve_over(Layer::Plain, flavor, listener, service, framing, options)
}

/// The same, over a layer.
///
/// # Errors
/// As for [`serve`].
pub fn serve_over<S, F>(
    layer: Layer,
    flavor: Flavor,
    listener: impl Into<Listener>,
    service: S,
    framing: F,
    options: Options,
) -> Result<Serving, OptionsError>
where
    S: Service<F> + Clone + Send + 'static,
    F: Framing + Clone + Send + 'static,
{
    Ok(match flavor {
        Flavor::Blocking => {
            ready(zen_server_sync::Server::blocking(listener, service, options)?.with_framing(framing), layer)
        }
        Flavor::Threaded => {
            ready(zen_server_sync::Server::threaded(listener, service, options)?.with_framing(framing), layer)
        }
        Flavor::Pool => {
            ready(zen_server_sync::Server::pool(listener, service, options)?.with_framing(framing), layer)
        }
        Flavor::Mio => {
            ready(zen_server_mio::Server::single(listener, service, options)?.with_framing(framing), layer)
        }
        Flavor::MioMulti => {
            ready(zen_server_mio::Server::multi(listener, service, options)?.with_framing(framing), layer)
        }
        Flavor::Async => {
            ready(zen_server_async::Server::single(listener, service, options)?.with_framing(framing), layer)
        }
        Flavor::AsyncMulti => {
            ready(zen_server_async::Server::multi(listener, service, options)?.with_framing(framing), layer)
        }
    })
}

fn ready(server: impl RunServer + Send + 'static, layer: Layer) -> Serving {
    match layer {
        Layer::Plain => running(server),
        Layer::Tls(config) => running(server.with_tls(config)),
        Layer::StartTls(config) => running(server.with_start_tls(config)),
    }
}

fn running(server: impl RunServer + Send + 'static) -> Serving {
    Serving { stop: server.stop_handle(), counters: server.counters(), run: Box::new(|| server.run()) }
}
