//! A `tokio_util` codec as a framing.

use std::error::Error;

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};
use zen_proto::{Decoded, Framing, Output, Unsendable};

/// A codec, which is a [`Decoder`] and an [`Encoder`], as a [`Framing`]: a protocol that has a
/// codec already can be served without writing another.
///
/// The messages are the codec's items. A service writes an answer's bytes; `outgoing` makes of them
/// what the encoder takes.
///
/// Memory: the codec reads from a buffer of its own, so a message that is not whole yet is held
/// twice. A limit of the codec's own (such as
/// [`LengthDelimitedCodec`](tokio_util::codec::LengthDelimitedCodec)'s) is an error of the codec,
/// and [`Limits::question_length`](zen_proto::Limits::question_length) holds besides.
///
/// ```
/// use bytes::BytesMut;
/// use tokio_util::codec::LengthDelimitedCodec;
/// use zen_server_async::{Answer, CodecFraming, Options, Server};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
/// let framing = CodecFraming::new(LengthDelimitedCodec::new());
/// let echo = |message: BytesMut, answer: &mut Answer<'_, CodecFraming<LengthDelimitedCodec>>| {
///     answer.put(&message);
/// };
/// let server = Server::single(listener, echo, Options::default())?.with_framing(framing);
/// # Ok(())
/// # }
/// ```
///
/// A codec whose encoder takes text, and that a service can reach:
///
/// ```
/// use tokio_util::codec::LinesCodec;
/// use zen_server_async::{Answer, CodecFraming};
///
/// type Lines = CodecFraming<LinesCodec, fn(&[u8]) -> String>;
///
/// let framing: Lines =
///     CodecFraming::with_outgoing(LinesCodec::new(), |text| String::from_utf8_lossy(text).into());
///
/// /// Says how long a line may be, and doubles it.
/// fn service(_: String, answer: &mut Answer<'_, Lines>) {
///     let lines = answer.framing_mut().codec_mut();
///     let longest = lines.max_length();
///     *lines = LinesCodec::new_with_max_length(longest.saturating_mul(2));
///     answer.put(longest.to_string().as_bytes());
/// }
/// ```
#[derive(Debug, Clone)]
pub struct CodecFraming<C, M = fn(&[u8]) -> Bytes> {
    codec: C,
    outgoing: M,
    /// What the codec has not consumed of the input.
    buffer: BytesMut,
    /// How much of the input the codec was given.
    given: usize,
}

impl<C> CodecFraming<C> {
    /// A framing with an encoder of [`Bytes`].
    pub fn new(codec: C) -> Self {
        Self::with_outgoing(codec, Bytes::copy_from_slice)
    }
}

impl<C, M> CodecFraming<C, M> {
    /// A framing whose encoder takes what `outgoing` makes of an answer's bytes.
    pub fn with_outgoing(codec: C, outgoing: M) -> Self {
        Self { codec, outgoing, buffer: BytesMut::new(), given: 0 }
    }

    /// The codec, whose state a service may switch. Its buffer may hold bytes of the next message.
    pub fn codec_mut(&mut self) -> &mut C {
        &mut self.codec
    }
}

impl<C, M, T> Framing for CodecFraming<C, M>
where
    C: Decoder<Error: Error + Send> + Encoder<T, Error: Error + Send>,
    M: FnMut(&[u8]) -> T,
{
    type Message<'a> = C::Item;
    type Error = <C as Decoder>::Error;

    fn decode(&mut self, input: &[u8]) -> Decoded<C::Item, Self::Error> {
        self.buffer.extend_from_slice(&input[self.given..]);
        self.given = input.len();
        match self.codec.decode(&mut self.buffer) {
            Ok(Some(message)) => {
                let end = self.given - self.buffer.len();
                self.given = self.buffer.len();
                Decoded::whole(end, message)
            }
            // How much is missing is the codec's secret: a byte at least.
            Ok(None) => Decoded::partial(input.len() + 1),
            Err(error) => Decoded::Malformed(error),
        }
    }

    fn end(&mut self, output: &mut Output<'_>, start: usize) -> Result<(), Unsendable> {
        let message = (self.outgoing)(output.tail_mut(start));
        let mut wire = BytesMut::new();
        let encoded = self.codec.encode(message, &mut wire);
        encoded.map_err(|_| Unsendable::new("the codec cannot encode this message"))?;
        output.truncate(start);
        output.put(&wire);
        Ok(())
    }

    fn memory_bound(&self, configured: Option<usize>) -> usize {
        self.message_limit(configured).saturating_mul(2)
    }
}
