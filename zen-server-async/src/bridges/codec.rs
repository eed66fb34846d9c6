//! A framing as a `tokio_util` codec.

use std::error::Error;
use std::fmt;
use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};
use zen_proto::{ByteFraming, Decoded, Framing, Output, Unsendable};

/// A [`Framing`] as a [`Decoder`] and an [`Encoder`], for code that reads and writes with
/// [`tokio_util::codec::Framed`]: the framing of your server serves your own client, proxy or test.
///
/// ```
/// use bytes::BytesMut;
/// use tokio_util::codec::{Decoder, Encoder};
/// use zen_server_async::{Codec, aphorism};
///
/// let mut codec = Codec::new(aphorism::client_framing());
/// let mut wire = BytesMut::new();
/// codec.encode("Why?", &mut wire)?;
/// assert_eq!(wire, "Why?");
///
/// let mut received = BytesMut::from("Because.Unle");
/// assert_eq!(codec.decode(&mut received)?.as_deref(), Some(&b"Because."[..]));
/// assert_eq!(codec.decode(&mut received)?, None);
///
/// // Items of another type, no more than 64 bytes of which are decoded, in another state.
/// let mut lengths = Codec::with_items(aphorism::client_framing(), <[u8]>::len).with_longest(64);
/// *lengths.framing_mut() = aphorism::framing();
/// assert_eq!(lengths.decode(&mut BytesMut::from("Why?"))?, Some(4));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Codec<F, M = fn(&[u8]) -> Bytes> {
    framing: F,
    item: M,
    longest: Option<usize>,
    /// Where a message is written before it goes on the wire.
    text: Vec<u8>,
}

impl<F: ByteFraming> Codec<F> {
    /// A codec whose items are the messages' bytes.
    pub fn new(framing: F) -> Self {
        Self::with_items(framing, Bytes::copy_from_slice)
    }
}

impl<F: Framing, M> Codec<F, M> {
    /// A codec whose items are what `item` makes of the decoded messages.
    pub fn with_items(framing: F, item: M) -> Self {
        Self { framing, item, longest: None, text: Vec::new() }
    }

    /// Sets the longest message that is decoded, in bytes on the wire. By default what the framing
    /// says ([`Framing::message_limit`]).
    #[must_use]
    pub fn with_longest(mut self, bytes: usize) -> Self {
        self.longest = Some(bytes);
        self
    }

    /// The framing, whose state may be switched.
    pub fn framing_mut(&mut self) -> &mut F {
        &mut self.framing
    }
}

impl<F, M, T> Decoder for Codec<F, M>
where
    F: Framing,
    M: FnMut(F::Message<'_>) -> T,
{
    type Item = T;
    type Error = CodecError<F::Error>;

    fn decode(&mut self, source: &mut BytesMut) -> Result<Option<T>, Self::Error> {
        if source.is_empty() {
            return Ok(None);
        }
        let (limit, received) = (self.framing.message_limit(self.longest), source.len());
        let (item, consumed, length) = match self.framing.decode(source) {
            Decoded::Whole { start, end, message } if start < end && end <= received => {
                (Some((self.item)(message)), end, end - start)
            }
            Decoded::Partial { start, end } if start <= end && start <= received => {
                (None, start, end - start)
            }
            Decoded::Malformed(error) => return Err(CodecError::Malformed(error)),
            _ => return Err(CodecError::Broken),
        };
        if length > limit {
            return Err(CodecError::TooLong { limit });
        }
        source.advance(consumed);
        if item.is_none() {
            source.reserve(length.saturating_sub(source.len()));
        }
        Ok(item)
    }
}

impl<F, M, Q> Encoder<Q> for Codec<F, M>
where
    F: Framing,
    Q: AsRef<[u8]>,
{
    type Error = CodecError<F::Error>;

    fn encode(&mut self, message: Q, wire: &mut BytesMut) -> Result<(), Self::Error> {
        self.text.clear();
        self.framing.begin(&mut Output::from(&mut self.text));
        self.text.extend_from_slice(message.as_ref());
        self.framing.end(&mut Output::from(&mut self.text), 0).map_err(CodecError::Unsendable)?;
        wire.extend_from_slice(&self.text);
        Ok(())
    }
}

/// Why a [`Codec`] cannot go on. `E` is the framing's error.
///
/// ```
/// use bytes::BytesMut;
/// use tokio_util::codec::Decoder;
/// use zen_server_async::{Codec, CodecError, aphorism};
///
/// let mut codec = Codec::new(aphorism::framing()).with_longest(4);
/// let error = codec.decode(&mut BytesMut::from("Why me?")).unwrap_err();
/// assert!(matches!(error, CodecError::TooLong { limit: 4 }));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum CodecError<E> {
    /// The bytes can never become a message.
    Malformed(E),
    /// A message is longer than the limit.
    TooLong {
        /// The limit, in bytes on the wire.
        limit: usize,
    },
    /// The framing cannot write this message. Nothing was written, and the next one may be.
    Unsendable(Unsendable),
    /// The framing has decoded a message outside its input.
    Broken,
    /// The connection failed.
    Io(io::Error),
}

impl<E: fmt::Display> fmt::Display for CodecError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(f),
            Self::TooLong { limit } => write!(f, "a message is longer than {limit} bytes"),
            Self::Unsendable(error) => write!(f, "this message cannot be sent: {error}"),
            Self::Broken => f.write_str("the framing decoded a message outside its input"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for CodecError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            Self::Unsendable(error) => Some(error),
            Self::Io(error) => Some(error),
            Self::TooLong { .. } | Self::Broken => None,
        }
    }
}

impl<E> From<io::Error> for CodecError<E> {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
