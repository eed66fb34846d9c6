//! The byte layer between a socket and a conversation: none, or TLS.

#[cfg(feature = "tls")]
mod certificates;
#[cfg(feature = "tls")]
mod tls;

use std::sync::Arc;
use std::time::Instant;

#[cfg(feature = "tls")]
use rustls::ServerConfig;
use zen_proto::{CloseReason, Limits, Tls};

#[cfg(feature = "tls")]
pub use certificates::{TlsError, tls_config};

/// The layer of one session.
#[derive(Debug)]
pub(crate) enum Layer {
    /// The conversation's bytes are the socket's.
    Plain(Plain),
    #[cfg(feature = "tls")]
    Tls(Box<tls::Tls>),
}

/// No layer, and what may become of it.
#[derive(Debug)]
pub(crate) struct Plain {
    /// What TLS is made of, if the service may start it.
    #[cfg(feature = "tls")]
    pub(crate) start_tls: Option<Box<StartTls>>,
}

/// What TLS is made of when the service starts it.
#[cfg(feature = "tls")]
#[derive(Debug)]
pub(crate) struct StartTls {
    config: Arc<ServerConfig>,
    limits: Arc<Limits>,
}

/// What a server makes the layer of each session from.
#[derive(Debug, Clone, Default)]
pub(crate) enum Layers {
    #[default]
    Plain,
    /// TLS from the first byte.
    #[cfg(feature = "tls")]
    Tls(Arc<ServerConfig>),
    /// Plain text until the service starts TLS.
    #[cfg(feature = "tls")]
    StartTls(Arc<ServerConfig>),
}

impl Layers {
    /// The layer of a session that begins at `now`.
    #[cfg_attr(not(feature = "tls"), allow(unused_variables, clippy::unused_self, clippy::unnecessary_wraps))]
    pub(crate) fn begin(&self, limits: &Arc<Limits>, now: Instant) -> Result<Layer, CloseReason> {
        match self {
            Self::Plain => Ok(Layer::Plain(Plain {
                #[cfg(feature = "tls")]
                start_tls: None,
            })),
            #[cfg(feature = "tls")]
            Self::Tls(config) => Layer::tls(config, limits, now),
            #[cfg(feature = "tls")]
            Self::StartTls(config) => {
                let start_tls = StartTls { config: Arc::clone(config), limits: Arc::clone(limits) };
                Ok(Layer::Plain(Plain { start_tls: Some(Box::new(start_tls)) }))
            }
        }
    }

    /// What a service is told of it.
    pub(crate) fn offer(&self) -> Tls {
        match self {
            Self::Plain => Tls::Unavailable,
            #[cfg(feature = "tls")]
            Self::Tls(_) => Tls::Active,
            #[cfg(feature = "tls")]
            Self::StartTls(_) => Tls::Offered,
        }
    }
}

#[cfg(feature = "tls")]
impl StartTls {
    /// The layer that replaces plain text at `now`.
    pub(crate) fn begin(&self, now: Instant) -> Result<Layer, CloseReason> {
        Layer::tls(&self.config, &self.limits, now)
    }
}

#[cfg(feature = "tls")]
impl Layer {
    /// TLS whose handshake begins at `now`. It fails only if the configuration cannot serve.
    fn tls(config: &Arc<ServerConfig>, limits: &Limits, now: Instant) -> Result<Self, CloseReason> {
        let connection = rustls::ServerConnection::new(config.clone());
        let connection = connection.map_err(|_| CloseReason::ServiceFailed)?;
        Ok(Self::Tls(Box::new(tls::Tls::new(connection, limits, now))))
    }
}
