//! The byte layer between a socket and the asker: none, or TLS.

use std::time::Instant;

use zen_proto::{Asker, Framing};

use crate::error::Lost;
use crate::{ClientError, ClientOptions};

#[cfg(feature = "tls")]
use crate::tls::Tls;

/// What a wire's bytes go through. The wire moves the bytes of the socket; the layer says which.
#[derive(Debug)]
pub(crate) enum Layer {
    /// The asker's bytes are the socket's.
    Plain,
    #[cfg(feature = "tls")]
    Tls(Box<Tls>),
}

impl Layer {
    /// The layer of a connection with these options.
    #[cfg_attr(not(feature = "tls"), allow(unused_variables, clippy::unnecessary_wraps))]
    pub(crate) fn new(options: &ClientOptions) -> Result<Self, ClientError> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &options.tls {
            return Tls::new(tls).map(|tls| Self::Tls(Box::new(tls)));
        }
        Ok(Self::Plain)
    }

    /// Whether nothing can be asked yet.
    pub(crate) fn is_handshaking(&self) -> bool {
        match self {
            Self::Plain => false,
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.is_handshaking(),
        }
    }

    /// Makes what is to be sent ready. Call this before [`transmit`](Self::transmit) if anything
    /// was asked since.
    #[cfg_attr(not(feature = "tls"), allow(unused_variables, clippy::needless_pass_by_ref_mut))]
    pub(crate) fn prepare<F: Framing>(&mut self, asker: &mut Asker<F>) {
        match self {
            Self::Plain => {}
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.prepare(asker),
        }
    }

    pub(crate) fn transmit<'a, F: Framing>(&'a self, asker: &'a Asker<F>) -> &'a [u8] {
        match self {
            Self::Plain => asker.transmit(),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.transmit(),
        }
    }

    pub(crate) fn handle_sent<F: Framing>(&mut self, asker: &mut Asker<F>, n: usize, now: Instant) {
        match self {
            Self::Plain => asker.handle_sent(n, now),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.handle_sent(asker, n, now),
        }
    }

    /// The error is the reason why the layer cannot go on.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unnecessary_wraps))]
    pub(crate) fn handle_input<F: Framing>(
        &mut self,
        asker: &mut Asker<F>,
        data: &[u8],
        now: Instant,
    ) -> Result<(), Lost> {
        match self {
            Self::Plain => {
                asker.handle_input(data, now);
                Ok(())
            }
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.handle_input(asker, data, now),
        }
    }

    /// The error is the reason why this is no regular end.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unnecessary_wraps))]
    pub(crate) fn handle_eof<F: Framing>(&mut self, asker: &mut Asker<F>, now: Instant) -> Result<(), Lost> {
        match self {
            Self::Plain => {
                asker.handle_eof(now);
                Ok(())
            }
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.handle_eof(asker, now),
        }
    }

    pub(crate) fn wants_read<F: Framing>(&self, asker: &Asker<F>) -> bool {
        asker.wants_read() || (self.is_handshaking() && asker.failed().is_none())
    }

    /// What the server is still to be sent when the client goes without waiting, so that this is
    /// not taken for a cut.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self, clippy::needless_pass_by_ref_mut))]
    pub(crate) fn announce_end(&mut self) -> &[u8] {
        match self {
            // FIN says it.
            Self::Plain => &[],
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.announce_end(),
        }
    }

    pub(crate) fn poll_shutdown<F: Framing>(&mut self, asker: &mut Asker<F>) -> bool {
        match self {
            Self::Plain => asker.poll_shutdown(),
            #[cfg(feature = "tls")]
            Self::Tls(tls) => tls.poll_shutdown(asker),
        }
    }
}
