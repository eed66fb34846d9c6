//! A server's setup: everything besides the listener that its conversations share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use zen_proto::{CloseReason, Framing, Limits, Service};

use crate::layer::Layers;
use crate::{Counters, Options, OptionsError, Session, Silent, StopHandle, open_file_limit};

/// What every server is made of, whatever its architecture. You need it to write a server, not to
/// use one.
///
/// ```
/// use std::time::Instant;
/// use zen_proto::aphorism::{Aphorisms, framing};
/// use zen_server::{Options, Setup, defaults};
///
/// let setup = Setup::new(Aphorisms, framing(), Options::default(), defaults::CONNECTIONS)?;
/// let now = Instant::now();
/// let (mut session, mut service) = setup.begin(now).expect("neither clone panics");
/// session.handle_input(b"Simple is better than?", now);
/// session.answer_with(&mut service, now);
/// assert_eq!(session.transmit(), b"Complex.");
///
/// // A server's `with_framing` and `with_observer` only change its setup.
/// let lines = zen_proto::DelimiterFraming::new(b'\n');
/// let setup = setup.with_framing(lines).with_observer(zen_server::Silent);
/// # Ok::<(), zen_server::OptionsError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Setup<S, F, O = Silent> {
    /// Cloned for each conversation.
    pub service: S,
    /// Cloned for each conversation.
    pub framing: F,
    /// Shared by all conversations.
    pub limits: Arc<Limits>,
    /// The options as they were given.
    pub options: Options,
    /// How many connections may be open.
    pub connections: usize,
    /// What the server has done.
    pub counters: Arc<Counters>,
    /// Asks the server to drain.
    pub stop: StopHandle,
    /// What the drivers report their steps to.
    pub observer: O,
    pub(crate) layers: Layers,
}

impl<S, F> Setup<S, F> {
    /// Checks the options for a server that holds at most `default_connections` when the options do
    /// not say how many, in this process with its open-file limit.
    ///
    /// # Errors
    /// [`OptionsError`] says which option is wrong and what to do.
    pub fn new(
        service: S,
        framing: F,
        options: Options,
        default_connections: usize,
    ) -> Result<Self, OptionsError> {
        options.validate()?;
        Ok(Self {
            service,
            framing,
            limits: Arc::new(options.limits.clone()),
            connections: options.connection_cap(default_connections, open_file_limit())?,
            options,
            counters: Arc::default(),
            stop: StopHandle::default(),
            observer: Silent,
            layers: Layers::default(),
        })
    }
}

impl<S, F, O> Setup<S, F, O> {
    /// The same with another framing.
    pub fn with_framing<G>(self, framing: G) -> Setup<S, G, O> {
        let Self { service, framing: _, limits, options, connections, counters, stop, observer, layers } =
            self;
        Setup { service, framing, limits, options, connections, counters, stop, observer, layers }
    }

    /// The same, with an observer that the drivers report their steps to.
    pub fn with_observer<P>(self, observer: P) -> Setup<S, F, P> {
        let Self { service, framing, limits, options, connections, counters, stop, observer: _, layers } =
            self;
        Setup { service, framing, limits, options, connections, counters, stop, observer, layers }
    }

    /// The same, with TLS between the sockets and the conversations.
    ///
    /// ```
    /// use std::path::Path;
    /// use zen_server::{Setup, TlsError, tls_config};
    ///
    /// fn secured<S, F, O>(setup: Setup<S, F, O>) -> Result<Setup<S, F, O>, TlsError> {
    ///     Ok(setup.with_tls(tls_config(Path::new("cert.pem"), Path::new("key.pem"))?))
    /// }
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_tls(mut self, config: impl Into<Arc<rustls::ServerConfig>>) -> Self {
        self.layers = Layers::Tls(config.into());
        self
    }

    /// The same, with conversations in plain text whose service may start TLS.
    ///
    /// ```
    /// use std::path::Path;
    /// use zen_server::{Setup, TlsError, tls_config};
    ///
    /// fn secured<S, F, O>(setup: Setup<S, F, O>) -> Result<Setup<S, F, O>, TlsError> {
    ///     Ok(setup.with_start_tls(tls_config(Path::new("cert.pem"), Path::new("key.pem"))?))
    /// }
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_start_tls(mut self, config: impl Into<Arc<rustls::ServerConfig>>) -> Self {
        self.layers = Layers::StartTls(config.into());
        self
    }
}

impl<S: Service<F> + Clone, F: Framing + Clone, O> Setup<S, F, O> {
    /// A fresh session, and the service that answers in it. The driver [opens](Session::open) the
    /// session, on the thread that serves it.
    ///
    /// # Errors
    /// [`CloseReason::ServiceFailed`] when the service or the framing panicked while it was cloned:
    /// this conversation is over before it has begun. The server goes on.
    pub fn begin(&self, now: Instant) -> Result<(Session<F>, S), CloseReason> {
        let clones = || (self.framing.clone(), self.service.clone());
        let (framing, service) =
            catch_unwind(AssertUnwindSafe(clones)).map_err(|_| CloseReason::ServiceFailed)?;
        let layer = self.layers.begin(&self.limits, now)?;
        Ok((Session::new(framing, &self.limits, layer, now), service))
    }
}
