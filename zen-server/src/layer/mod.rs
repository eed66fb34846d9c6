//! The byte layer between a socket and a conversation: none, or TLS.

#[cfg(feature = "tls")]
mod certificates;
#[cfg(feature = "tls")]
mod tls;

use std::time::Instant;

use zen_proto::{CloseReason, Limits};

#[cfg(feature = "tls")]
pub use certificates::{TlsError, tls_config};

/// The layer of one session.
#[derive(Debug)]
pub(crate) enum Layer {
    /// The conversation's bytes are the socket's.
    Plain,
    #[cfg(feature = "tls")]
    Tls(Box<tls::Tls>),
}

/// What a server makes the layer of each session from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layers {
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<std::sync::Arc<rustls::ServerConfig>>,
}

impl Layers {
    /// The layer of a session that begins at `now`.
    #[cfg_attr(not(feature = "tls"), allow(unused_variables, clippy::unused_self, clippy::unnecessary_wraps))]
    pub(crate) fn begin(&self, limits: &Limits, now: Instant) -> Result<Layer, CloseReason> {
        #[cfg(feature = "tls")]
        if let Some(config) = &self.tls {
            // It fails only if the configuration cannot serve.
            let connection = rustls::ServerConnection::new(config.clone());
            let connection = connection.map_err(|_| CloseReason::ServiceFailed)?;
            return Ok(Layer::Tls(Box::new(tls::Tls::new(connection, limits, now))));
        }
        Ok(Layer::Plain)
    }
}
