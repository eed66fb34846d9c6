//! What all servers have in common, as traits: code for any architecture needs to know no more.

use std::io;
use std::sync::Arc;

use crate::{Counters, Observer, StopHandle};

/// A server, of whatever architecture. Every type named `Server` of the server crates is one;
/// [`server_methods!`](crate::server_methods) makes it so.
///
/// ```
/// use std::time::Duration;
/// use zen_server::Server;
///
/// /// Stops any server after a while, and prints how many questions it has answered by then.
/// fn stop_after(server: &impl Server, time: Duration) {
///     let (stop, counters) = (server.stop_handle(), server.counters());
///     std::thread::spawn(move || {
///         std::thread::sleep(time);
///         println!("{} questions", counters.snapshot().questions);
///         stop.stop();
///     });
/// }
/// ```
pub trait Server: Sized {
    /// The same server for the framing `G`.
    type WithFraming<G>: Server;

    /// The same server for another protocol.
    ///
    /// ```
    /// use zen_proto::DelimiterFraming;
    /// use zen_server::Server;
    ///
    /// /// Any server, for questions that end with a line feed.
    /// fn of_lines<R: Server>(server: R) -> R::WithFraming<DelimiterFraming> {
    ///     server.with_framing(DelimiterFraming::new(b'\n'))
    /// }
    /// ```
    fn with_framing<G>(self, framing: G) -> Self::WithFraming<G>;

    /// The same server with the observer `P`.
    type WithObserver<P: Observer>: Server;

    /// The same server, which reports the steps of its drivers.
    ///
    /// ```
    /// use zen_server::{Server, Silent};
    ///
    /// /// Any server, which reports to nobody. That is also the default.
    /// fn silenced<R: Server>(server: R) -> R::WithObserver<Silent> {
    ///     server.with_observer(Silent)
    /// }
    /// ```
    fn with_observer<P: Observer>(self, observer: P) -> Self::WithObserver<P>;

    /// The same server, with TLS between its sockets and its conversations from the first byte.
    ///
    /// ```
    /// use std::path::Path;
    /// use zen_server::{Server, TlsError, tls_config};
    ///
    /// /// Any server, over TLS if there is a certificate.
    /// fn secured<R: Server>(server: R, files: Option<(&Path, &Path)>) -> Result<R, TlsError> {
    ///     Ok(match files {
    ///         Some((certificate, key)) => server.with_tls(tls_config(certificate, key)?),
    ///         None => server,
    ///     })
    /// }
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    fn with_tls(self, config: impl Into<Arc<rustls::ServerConfig>>) -> Self;

    /// The same server, whose conversations begin in plain text and whose service may start TLS
    /// ([`Flow::StartTls`](zen_proto::Flow::StartTls)). This and `with_tls` replace each other.
    ///
    /// ```
    /// use std::path::Path;
    /// use zen_server::{Server, TlsError, tls_config};
    ///
    /// /// Any server, whose service may start TLS.
    /// fn securable<R: Server>(server: R, certificate: &Path, key: &Path) -> Result<R, TlsError> {
    ///     Ok(server.with_start_tls(tls_config(certificate, key)?))
    /// }
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    fn with_start_tls(self, config: impl Into<Arc<rustls::ServerConfig>>) -> Self;

    /// A handle that drains the server, from any thread.
    fn stop_handle(&self) -> StopHandle;

    /// What the server has done. It can be read while the server runs.
    fn counters(&self) -> Arc<Counters>;
}

/// A server that can run, because its service speaks its framing.
///
/// ```
/// use std::io;
/// use zen_server::{RunServer, Snapshot};
///
/// /// Runs any server until `stop_after` returns.
/// fn run_until<R>(server: R, stop_after: impl FnOnce()) -> io::Result<Snapshot>
/// where
///     R: RunServer + Send + 'static,
/// {
///     let (stop, counters) = (server.stop_handle(), server.counters());
///     let running = std::thread::spawn(|| server.run());
///     stop_after();
///     stop.stop();
///     running.join().unwrap()?;
///     Ok(counters.snapshot())
/// }
/// ```
pub trait RunServer: Server {
    /// Serves until the stop handle drains the server.
    ///
    /// # Errors
    /// When the system refuses what the server starts with.
    fn run(self) -> io::Result<()>;
}
