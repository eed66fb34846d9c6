//! The reply: what a command answers with, in the version of RESP that the client speaks.

use zen_proto::Output;

/// A version of RESP. A client speaks the second until it asks for the third by HELLO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Version {
    #[default]
    Two,
    /// Has a type of its own for maps, sets, texts, nothing, and what is pushed.
    Three,
}

/// Where a command writes its reply.
#[derive(Debug)]
pub(crate) struct Reply<'a> {
    output: Output<'a>,
    version: Version,
}

impl<'a> Reply<'a> {
    #[inline]
    pub(crate) fn new(output: Output<'a>, version: Version) -> Self {
        Self { output, version }
    }

    pub(crate) fn switch(&mut self, version: Version) {
        self.version = version;
    }

    #[inline]
    pub(crate) fn ok(&mut self) {
        self.output.put(b"+OK\r\n");
    }

    #[inline]
    pub(crate) fn pong(&mut self) {
        self.output.put(b"+PONG\r\n");
    }

    /// A line of text that says how it went.
    pub(crate) fn simple(&mut self, text: &str) {
        self.output.put(b"+");
        self.output.put(text.as_bytes());
        self.output.put(b"\r\n");
    }

    /// An error, its kind first, as in `ERR syntax error`. Line ends in it become spaces.
    pub(crate) fn error(&mut self, text: impl AsRef<[u8]>) {
        let line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        self.output.put(b"-");
        for (n, part) in text.as_ref().split(line_end).enumerate() {
            self.output.put(if n > 0 { b" " } else { b"" });
            self.output.put(part);
        }
        self.output.put(b"\r\n");
    }

    #[inline]
    pub(crate) fn integer(&mut self, number: i64) {
        self.header(b':', number);
    }

    /// The same for a length or a count.
    #[inline]
    pub(crate) fn count(&mut self, count: usize) {
        self.integer(i64::try_from(count).unwrap_or(i64::MAX));
    }

    #[inline]
    pub(crate) fn bulk(&mut self, bytes: &[u8]) {
        // Most are short, and one write costs less than five.
        if let Some(whole) = short_bulk(bytes, &mut [0; SHORT + 7]) {
            self.output.put(whole);
        } else {
            self.many(b'$', bytes.len());
            self.output.put(bytes);
            self.output.put(b"\r\n");
        }
    }

    /// There is no such thing.
    #[inline]
    pub(crate) fn nil(&mut self) {
        self.output.put(self.choose(b"$-1\r\n", b"_\r\n"));
    }

    #[inline]
    pub(crate) fn bulk_or_nil(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.bulk(bytes),
            None => self.nil(),
        }
    }

    /// A text for people to read.
    pub(crate) fn text(&mut self, text: &str) {
        match self.version {
            Version::Two => self.bulk(text.as_bytes()),
            Version::Three => {
                self.many(b'=', 4 + text.len());
                self.output.put(b"txt:");
                self.output.put(text.as_bytes());
                self.output.put(b"\r\n");
            }
        }
    }

    /// An array of this many replies, which come next.
    pub(crate) fn array(&mut self, length: usize) {
        self.many(b'*', length);
    }

    /// A set of this many replies.
    pub(crate) fn set(&mut self, length: usize) {
        self.many(self.choose(b'*', b'~'), length);
    }

    /// A map of this many pairs of replies.
    pub(crate) fn map(&mut self, length: usize) {
        self.many(self.choose(b'*', b'%'), self.choose(2 * length, length));
    }

    /// An array that is no reply to a question.
    pub(crate) fn push(&mut self, length: usize) {
        self.many(self.choose(b'*', b'>'), length);
    }

    #[inline]
    fn choose<T>(&self, two: T, three: T) -> T {
        match self.version {
            Version::Two => two,
            Version::Three => three,
        }
    }

    #[inline]
    fn many(&mut self, kind: u8, length: usize) {
        self.header(kind, i64::try_from(length).unwrap_or(i64::MAX));
    }

    /// A kind of reply and its number.
    #[inline]
    fn header(&mut self, kind: u8, number: i64) {
        let mut digits = itoa::Buffer::new();
        self.output.put(&[kind]);
        self.output.put(digits.format(number).as_bytes());
        self.output.put(b"\r\n");
    }
}

/// How long a bulk string may be to be written at once, in bytes.
const SHORT: usize = 99;

/// A bulk string as it goes on the wire, put together in `room`, if it is short.
#[inline]
fn short_bulk<'a>(bytes: &[u8], room: &'a mut [u8; SHORT + 7]) -> Option<&'a [u8]> {
    let length = u8::try_from(bytes.len()).ok().filter(|length| usize::from(*length) <= SHORT)?;
    let (tens, ones) = (length / 10, length % 10);
    let (header, rest) = room.split_at_mut(5);
    header.copy_from_slice(&[b'$', b'0' + tens, b'0' + ones, b'\r', b'\n']);
    let start = usize::from(tens == 0);
    header[start] = b'$';
    rest[..bytes.len()].copy_from_slice(bytes);
    rest[bytes.len()..bytes.len() + 2].copy_from_slice(b"\r\n");
    Some(&room[start..5 + bytes.len() + 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bulk_string_of_any_length_is_written_whole() {
        for length in [0, 1, 9, 10, 98, 99, 100, 101, 1000, 100_000] {
            let (mut bytes, text) = (Vec::new(), "x".repeat(length));
            Reply::new(Output::from(&mut bytes), Version::Two).bulk(text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&bytes), format!("${length}\r\n{text}\r\n"));
        }
    }
}
