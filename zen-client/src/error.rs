//! What can go wrong for a client, and what to do about it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use zen_proto::{AskError, AskerError, LimitError, Unsendable};

/// Why a client could not connect, ask, or finish.
///
/// After [`Unsendable`](Self::Unsendable) and [`GaveUp`](Self::GaveUp) the client can still be
/// used. After any other error of a question the conversation is over, and asking again returns the
/// same error: connect again. [`keeps_connection`](Self::keeps_connection) tells the two kinds
/// apart.
///
/// `awaited` counts all questions without an answer, including those whose caller has stopped
/// waiting.
///
/// ```
/// use zen_client::{Client, ClientError, ClientOptions};
///
/// // A port on which nothing listens any more.
/// let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
/// match Client::connect(address, &ClientOptions::default()) {
///     Err(ClientError::Refused { address }) => println!("start the server on {address}"),
///     Err(error) => println!("{error}"),
///     Ok(_) => println!("somebody else listens there now"),
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A bound of the [`ClientOptions`](crate::ClientOptions) is zero.
    #[error(transparent)]
    Options(#[from] LimitError),
    /// The server's name has no address or could not be looked up.
    #[error("cannot find the server's address: {error}; check how it is spelled")]
    Resolve {
        /// What the system says.
        error: io::Error,
    },
    /// Nothing listens at the address.
    #[error("{address} refused the connection; check the address, and that a server runs there")]
    Refused {
        /// The address that failed last.
        address: SocketAddr,
    },
    /// No connection was made within
    /// [`ClientOptions::connect_timeout`](crate::ClientOptions::connect_timeout).
    #[error(
        "no connection to {address} within {timeout:?}; check that the server can be reached and is not full, or allow more time"
    )]
    ConnectTimedOut {
        /// The address that was tried last.
        address: SocketAddr,
        /// The time for all addresses together.
        timeout: Duration,
    },
    /// Connecting failed for another reason.
    #[error("cannot connect to {address}: {error}")]
    Connect {
        /// The address that failed last.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The framing cannot express this as a question. Nothing was sent.
    #[error("this question cannot be sent: {0}")]
    Unsendable(Unsendable),
    /// An answer did not come within
    /// [`ClientOptions::answer_timeout`](crate::ClientOptions::answer_timeout), and the call gave
    /// up. The connection is kept: the question's answer is discarded when it comes, and the next
    /// question gets its own, as long as the server keeps the [answer
    /// deadline](crate::ClientLimits::answer_deadline).
    #[error(
        "no answer within {timeout:?} ({awaited} outstanding); the connection is kept, and late answers are discarded"
    )]
    GaveUp {
        /// Questions without an answer.
        awaited: usize,
        /// The timeout.
        timeout: Duration,
    },
    /// An answer did not come within
    /// [`ClientLimits::answer_deadline`](crate::ClientLimits::answer_deadline).
    #[error(
        "no answer within {deadline:?} ({awaited} outstanding); the server is slow or stuck: allow more time, or connect again"
    )]
    AnswerTimedOut {
        /// Questions without an answer.
        awaited: usize,
        /// The deadline.
        deadline: Duration,
    },
    /// After `finish`, the server did not close within
    /// [`ClientLimits::answer_deadline`](crate::ClientLimits::answer_deadline).
    #[error("the server answered everything but did not close within {deadline:?}")]
    NotClosed {
        /// The deadline.
        deadline: Duration,
    },
    /// The server closed although it owed answers.
    #[error(
        "the server closed the connection with {awaited} answer(s) outstanding{}; connect again, or check the server's log",
        if *.partial { ", one of them partly received" } else { "" }
    )]
    ClosedEarly {
        /// Questions without an answer.
        awaited: usize,
        /// Whether the server closed in the middle of an answer.
        partial: bool,
    },
    /// An answer is longer than
    /// [`ClientLimits::answer_length`](crate::ClientLimits::answer_length).
    #[error("the server's answer is longer than {limit} bytes; if that is expected, raise the limit")]
    AnswerTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The server sent bytes that answer no question. A server that greets does so if its greeting
    /// is not expected ([`ClientOptions::greeting`](crate::ClientOptions::greeting)).
    #[error(
        "the server sent bytes that answer no question; check that it speaks this protocol, and whether it greets"
    )]
    Unasked,
    /// The server sent bytes that can never become an answer in this framing.
    #[error("the server sent bytes that are no answer: {reason}; check that it speaks this protocol")]
    Malformed {
        /// The framing's error, in its own words.
        reason: String,
    },
    /// The connection broke.
    #[error("the connection was lost with {awaited} answer(s) outstanding: {error}; connect again")]
    Lost {
        /// Questions without an answer.
        awaited: usize,
        /// What the system says.
        error: io::Error,
    },
    /// The server's certificate is not trusted.
    #[error("the server's certificate is not trusted: {reason}; name the CA that has issued it")]
    Untrusted {
        /// What is wrong with it.
        reason: String,
    },
    /// The server's certificate is for another name than the one asked for.
    #[error("the server's certificate is for another name: {reason}")]
    WrongName {
        /// Which names.
        reason: String,
    },
    /// The server does not speak TLS.
    #[error("the server does not speak TLS: {reason}")]
    NotTls {
        /// What it does instead.
        reason: String,
    },
    /// TLS failed in another way.
    #[error("TLS failed: {reason}")]
    Tls {
        /// What the library for TLS says.
        reason: String,
    },
    /// The connection ended without the server having said so, as TLS asks for: what it had still
    /// to say may have been cut off.
    #[error(
        "the connection was cut off with {awaited} answer(s) outstanding: it ended without close_notify; connect again"
    )]
    CutOff {
        /// Questions without an answer.
        awaited: usize,
    },
    /// A Unix socket cannot be connected to.
    #[error("cannot connect to unix:{}: {error}", path.display())]
    ConnectUnix {
        /// The socket's path.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The conversation failed in a way that this version has no variant for.
    #[error(transparent)]
    Failed(AskError),
    /// The socket could not be prepared.
    #[error("cannot {doing}: {error}")]
    Socket {
        /// What the client was doing.
        doing: &'static str,
        /// What the system says.
        error: io::Error,
    },
}

impl ClientError {
    /// Whether the client can still be used after this error.
    ///
    /// ```
    /// use std::time::Duration;
    /// use zen_client::ClientError;
    ///
    /// let gave_up = ClientError::GaveUp { awaited: 1, timeout: Duration::from_secs(1) };
    /// assert!(gave_up.keeps_connection(), "ask the next question");
    /// let late = ClientError::AnswerTimedOut { awaited: 1, deadline: Duration::from_secs(30) };
    /// assert!(!late.keeps_connection(), "connect again");
    /// ```
    pub const fn keeps_connection(&self) -> bool {
        matches!(self, Self::Unsendable(_) | Self::GaveUp { .. })
    }

    /// Makes the error of a socket that could not be prepared.
    pub(crate) fn socket(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| Self::Socket { doing, error }
    }

    /// The server has not taken part in a handshake.
    pub(crate) fn no_handshake(within: Duration) -> Self {
        Self::NotTls { reason: format!("there was no handshake within {within:?}") }
    }

    /// An error of asking, with the system's error if the connection broke.
    pub(crate) fn new(error: AskError, lost: Option<&Lost>) -> Self {
        match error {
            AskError::Unsendable(error) => Self::Unsendable(error),
            AskError::Failed(AskerError::TimedOut { awaited: 0, deadline }) => Self::NotClosed { deadline },
            AskError::Failed(AskerError::TimedOut { awaited, deadline }) => {
                Self::AnswerTimedOut { awaited, deadline }
            }
            AskError::Failed(AskerError::ClosedEarly { awaited, partial }) => {
                Self::ClosedEarly { awaited, partial }
            }
            AskError::Failed(AskerError::AnswerTooLong { limit }) => Self::AnswerTooLong { limit },
            AskError::Failed(AskerError::Unasked) => Self::Unasked,
            AskError::Failed(AskerError::Malformed { reason }) => Self::Malformed { reason },
            AskError::Failed(AskerError::Lost { awaited }) => match lost {
                None => Self::Lost { awaited, error: io::ErrorKind::BrokenPipe.into() },
                Some(lost) => lost.to_error(awaited),
            },
            error => Self::Failed(error),
        }
    }
}

/// Why the connection cannot be used any more.
#[derive(Debug)]
#[cfg_attr(not(feature = "tls"), allow(dead_code))]
pub(crate) enum Lost {
    /// The system says so.
    System(io::Error),
    Untrusted(String),
    WrongName(String),
    NotTls(String),
    Tls(String),
    CutOff,
}

impl Lost {
    pub(crate) fn to_error(&self, awaited: usize) -> ClientError {
        match self {
            Self::System(error) => ClientError::Lost { awaited, error: copy_error(error) },
            Self::Untrusted(reason) => ClientError::Untrusted { reason: reason.clone() },
            Self::WrongName(reason) => ClientError::WrongName { reason: reason.clone() },
            Self::NotTls(reason) => ClientError::NotTls { reason: reason.clone() },
            Self::Tls(reason) => ClientError::Tls { reason: reason.clone() },
            Self::CutOff => ClientError::CutOff { awaited },
        }
    }
}

/// A copy of the error: [`io::Error`] is not `Clone`, and a failed client reports the reason every
/// time.
pub(crate) fn copy_error(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}
