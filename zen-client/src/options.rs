//! The options of a client.

use std::time::Duration;

use zen_proto::{ClientLimits, LimitError};

#[cfg(feature = "tls")]
use crate::ClientTls;

/// The options of a client, the same for both clients.
///
/// ```
/// use std::time::Duration;
/// use zen_client::{ClientLimits, ClientOptions};
///
/// let limits = ClientLimits::default().with_answer_deadline(Duration::from_secs(2));
/// let impatient = ClientOptions::default()
///     .with_limits(limits)
///     .with_connect_timeout(Duration::from_millis(500));
/// assert!(impatient.validate().is_ok());
///
/// // For a server that greets, and whose slow answers are not waited for. Short questions of a
/// // pipeline are sent together.
/// let greeted = ClientOptions::default()
///     .with_greeting(true)
///     .with_answer_timeout(Duration::from_millis(200))
///     .with_nodelay(false);
/// assert!(greeted.validate().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientOptions {
    /// How long an answer may be, how many questions may wait for their answers, and for how long.
    pub limits: ClientLimits,
    /// How long connecting may take, for all of the server's addresses together. Default 10 s.
    /// Zero is refused; with [`Duration::MAX`], the system alone decides.
    pub connect_timeout: Duration,
    /// Whether the server speaks first. Default false, as in zen's own protocol.
    ///
    /// If true, the server's first message is its greeting. It is due as soon as the connection is
    /// open, nothing is asked before it has come, and it is never taken for an answer.
    /// If false, a greeting that has arrived before the first question is
    /// [`ClientError::Unasked`](crate::ClientError::Unasked).
    pub greeting: bool,
    /// How long a call waits for one answer before it gives up, with
    /// [`ClientError::GaveUp`](crate::ClientError::GaveUp). Default `None`: until
    /// [`ClientLimits::answer_deadline`] has passed. Zero is refused here.
    ///
    /// The timeout ends the call and keeps the connection: the answer is discarded when it comes,
    /// and the next question gets its own. The deadline ends the connection.
    pub answer_timeout: Option<Duration>,
    /// Whether questions are sent at once instead of being held back to fill a segment
    /// (`TCP_NODELAY`). Default true.
    pub nodelay: bool,
    /// TLS, and whom to trust. Default none.
    #[cfg(feature = "tls")]
    pub tls: Option<ClientTls>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            limits: ClientLimits::default(),
            connect_timeout: Duration::from_secs(10),
            greeting: false,
            answer_timeout: None,
            nodelay: true,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

impl ClientOptions {
    /// Sets [`limits`](Self::limits).
    #[must_use]
    pub fn with_limits(mut self, limits: ClientLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets [`connect_timeout`](Self::connect_timeout).
    #[must_use]
    pub fn with_connect_timeout(mut self, connect_timeout: Duration) -> Self {
        self.connect_timeout = connect_timeout;
        self
    }

    /// Sets [`greeting`](Self::greeting).
    #[must_use]
    pub fn with_greeting(mut self, greeting: bool) -> Self {
        self.greeting = greeting;
        self
    }

    /// Sets [`answer_timeout`](Self::answer_timeout).
    #[must_use]
    pub fn with_answer_timeout(mut self, answer_timeout: impl Into<Option<Duration>>) -> Self {
        self.answer_timeout = answer_timeout.into();
        self
    }

    /// Sets [`nodelay`](Self::nodelay).
    #[must_use]
    pub fn with_nodelay(mut self, nodelay: bool) -> Self {
        self.nodelay = nodelay;
        self
    }

    /// Sets [`tls`](Self::tls).
    ///
    /// ```
    /// use zen_client::{ClientOptions, ClientTls, ClientTlsError};
    ///
    /// fn secured() -> Result<ClientOptions, ClientTlsError> {
    ///     Ok(ClientOptions::default().with_tls(ClientTls::trusting_the_system("zen.example")?))
    /// }
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_tls(mut self, tls: impl Into<Option<ClientTls>>) -> Self {
        self.tls = tls.into();
        self
    }

    /// Checks that a client can work with these options. Connecting does this too.
    ///
    /// # Errors
    /// [`LimitError::Zero`] names the first bound that is zero.
    pub fn validate(&self) -> Result<(), LimitError> {
        if self.connect_timeout.is_zero() {
            return Err(LimitError::Zero { limit: "connect timeout" });
        }
        if self.answer_timeout == Some(Duration::ZERO) {
            return Err(LimitError::Zero { limit: "answer timeout" });
        }
        self.limits.validate()
    }
}
