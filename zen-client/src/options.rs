//! What a client is given besides an address.

use std::time::Duration;

use zen_proto::{ClientLimits, LimitError};

/// A client's options, the same for both clients.
///
/// ```
/// use std::time::Duration;
/// use zen_client::{ClientLimits, ClientOptions};
///
/// let impatient = ClientOptions {
///     limits: ClientLimits { answer_deadline: Duration::from_secs(2), ..ClientLimits::default() },
///     connect_timeout: Duration::from_millis(500),
///     ..ClientOptions::default()
/// };
/// assert!(impatient.validate().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientOptions {
    /// How long an answer may be, how many questions may wait for theirs, and for how long.
    pub limits: ClientLimits,
    /// How long connecting may take, all of the server's addresses together. Default 10 s.
    pub connect_timeout: Duration,
    /// Whether questions are sent at once rather than held back to fill a segment (`TCP_NODELAY`). Default true.
    pub nodelay: bool,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { limits: ClientLimits::default(), connect_timeout: Duration::from_secs(10), nodelay: true }
    }
}

impl ClientOptions {
    /// Checks that a client can work with these options. Connecting does so too.
    ///
    /// # Errors
    /// [`LimitError::Zero`] names the first bound that is zero.
    pub fn validate(&self) -> Result<(), LimitError> {
        if self.connect_timeout.is_zero() {
            return Err(LimitError::Zero { limit: "connect timeout" });
        }
        self.limits.validate()
    }
}
