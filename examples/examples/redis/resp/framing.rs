//! RESP2, the serialization protocol of Redis: how commands are cut from the stream.
//!
//! A command is an array of bulk strings (`*2\r\n$3\r\nGET\r\n$1\r\na\r\n`) or words on a line
//! (`GET a\r\n`). The service writes its replies whole, so the framing adds nothing to them.

use memchr::{memchr, memchr2};
use smallvec::SmallVec;
use zen_proto::{Decoded, Ending, Framing, Output};

use crate::resp::{inline, number};

/// The longest command that is accepted unless the server's operator says otherwise, in bytes.
pub(crate) const MESSAGE_LIMIT: usize = 64 * 1024 * 1024;

/// The longest bulk string of the protocol, in bytes.
const BULK_LIMIT: usize = 512 * 1024 * 1024;

/// The longest inline command, and the longest line that holds a length, in bytes.
const LINE_LIMIT: usize = 64 * 1024;

/// The fewest bytes that a bulk string takes: `$0\r\n\r\n`.
const SHORTEST_BULK: usize = 6;

/// A command's words, its name first. There is at least one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request<'a> {
    /// As they lie in the input. No memory is allocated for this many.
    Borrowed(Words<'a>),
    /// Words that were quoted, with their escapes replaced.
    Owned(Vec<Vec<u8>>),
}

/// Words that lie in the input.
pub(crate) type Words<'a> = SmallVec<[&'a [u8]; 6]>;

/// Why input is not RESP. Displayed as Redis words it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProtocolError {
    #[error("invalid multibulk length")]
    ArrayLength,
    #[error("too big mbulk count string")]
    ArrayLine,
    #[error("expected '$', got '{}'", char::from(*.0))]
    NoBulk(u8),
    #[error("invalid bulk length")]
    BulkLength,
    #[error("too big bulk count string")]
    BulkLine,
    #[error("too big inline request")]
    InlineLength,
    #[error("unbalanced quotes in request")]
    Quotes,
}

/// The framing. It remembers how far it has looked into a command that is not whole yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resp {
    seen: Option<Seen>,
    /// The longest command that the server's operator allows, if that was said.
    operators_limit: Option<usize>,
}

impl Resp {
    /// The longest bulk string that is accepted, in bytes: Redis's own limit, or the operator's.
    pub(crate) fn bulk_limit(&self) -> usize {
        self.operators_limit.map_or(BULK_LIMIT, |limit| limit.min(BULK_LIMIT))
    }
}

/// How much of a command was looked at: everything before `at`. So many bulk strings come after it.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at: usize,
    missing: usize,
}

/// Why there is no command.
enum Stop {
    /// It is not whole, and ends here at the earliest.
    Partial(usize),
    Malformed(ProtocolError),
}

impl Framing for Resp {
    type Message<'a> = Request<'a>;
    type Error = ProtocolError;

    #[inline]
    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<Request<'a>, ProtocolError> {
        let mut start = 0;
        loop {
            let (rest, mut words) = (&input[start..], Words::new());
            let found = match rest.first() {
                None => return Decoded::nothing(start),
                Some(b'*') => self.array(rest, &mut words),
                Some(_) => match self.line(rest) {
                    Ok((Line::Quoted(words), end)) => {
                        let message = Request::Owned(words);
                        return Decoded::Whole { start, end: start + end, message };
                    }
                    Ok((Line::Plain(line), end)) => {
                        words.extend(inline::words(line));
                        Ok(end)
                    }
                    Err(stop) => Err(stop),
                },
            };
            match found {
                // An array of no words, or an empty line: there is nothing to answer.
                Ok(end) if words.is_empty() => {
                    if end > self.message_limit(self.operators_limit) {
                        return Decoded::Partial { start, end: start + end };
                    }
                    start += end;
                }
                Ok(end) => {
                    let message = Request::Borrowed(words);
                    return Decoded::Whole { start, end: start + end, message };
                }
                Err(Stop::Partial(end)) => return Decoded::Partial { start, end: start + end },
                Err(Stop::Malformed(error)) => return Decoded::Malformed(error),
            }
        }
    }

    fn configure(&mut self, message_limit: Option<usize>) {
        self.operators_limit = message_limit;
    }

    fn message_limit(&self, configured: Option<usize>) -> usize {
        configured.unwrap_or(MESSAGE_LIMIT)
    }

    /// The message, and the list of its words at their shortest.
    fn memory_bound(&self, configured: Option<usize>) -> usize {
        let limit = self.message_limit(configured);
        limit.saturating_add(limit / SHORTEST_BULK * size_of::<&[u8]>())
    }

    fn last_words(&mut self, ending: &Ending<'_, ProtocolError>, output: &mut Output<'_>) {
        let error = match ending {
            Ending::Malformed(error) => (*error).clone(),
            Ending::TooLong { .. } => ProtocolError::BulkLength,
            Ending::Failed => return output.put(b"-ERR internal error\r\n"),
            // Redis closes without a word when it stops, or when a client is late.
            _ => return,
        };
        output.put(format!("-ERR Protocol error: {error}\r\n").as_bytes());
    }
}

/// What a line is.
enum Line<'a> {
    /// To be split at its spaces.
    Plain(&'a [u8]),
    /// The words of a line with quotes.
    Quoted(Vec<Vec<u8>>),
}

impl Resp {
    /// Takes the words of an array, and returns where it ends.
    #[inline]
    fn array<'a>(&mut self, input: &'a [u8], words: &mut Words<'a>) -> Result<usize, Stop> {
        if self.seen.is_some() {
            self.look_further(input)?;
        }
        let header = array_header(input);
        let (count, mut at) = header.map_err(|stop| self.too_long_at(line_end(input, 0), stop))?;
        for missing in (1..=count).rev() {
            let (word, next) = match bulk(input, at, missing) {
                Ok(found) => found,
                Err(stop) => {
                    self.seen = Some(Seen { at, missing });
                    return Err(self.too_long_before(input, at, missing, stop));
                }
            };
            words.push(word);
            at = next;
        }
        Ok(at)
    }

    /// A command that is too long with so many bulk strings missing is that, whatever comes at
    /// `at`: how the bytes were cut must not matter.
    #[cold]
    fn too_long_before(&self, input: &[u8], at: usize, missing: usize, stop: Stop) -> Stop {
        let least = at.saturating_add(missing.saturating_mul(SHORTEST_BULK));
        let line = if input.get(at) == Some(&b'$') { line_end(input, at) } else { 0 };
        self.too_long_at(least.max(line), stop)
    }

    /// What takes so many bytes at least is too long, rather than malformed, if the limit is less.
    #[cold]
    fn too_long_at(&self, least: usize, stop: Stop) -> Stop {
        match stop {
            Stop::Malformed(_) if least > self.message_limit(self.operators_limit) => Stop::Partial(least),
            stop => stop,
        }
    }

    /// Looks at what has come since a command was found not to be whole. It is decoded once it is,
    /// so one that arrives in many pieces is looked at twice, and not once for each piece.
    #[cold]
    fn look_further(&mut self, input: &[u8]) -> Result<(), Stop> {
        let Some(Seen { at, missing }) = &mut self.seen else { return Ok(()) };
        while *missing > 0 {
            match bulk(input, *at, *missing) {
                Ok((_, next)) => *at = next,
                Err(stop) => {
                    let (at, missing) = (*at, *missing);
                    return Err(self.too_long_before(input, at, missing, stop));
                }
            }
            *missing -= 1;
        }
        self.seen = None;
        Ok(())
    }

    #[inline]
    fn line<'a>(&mut self, input: &'a [u8]) -> Result<(Line<'a>, usize), Stop> {
        let seen = self.seen.take().map_or(0, |seen| seen.at);
        let found = memchr(b'\n', &input[seen..]).map(|length| seen + length);
        // Also when the end of the line has come: how the bytes were cut must not matter.
        if found.unwrap_or(input.len()) > LINE_LIMIT {
            let least = found.unwrap_or(input.len()) + 1;
            return Err(self.too_long_at(least, Stop::Malformed(ProtocolError::InlineLength)));
        }
        let Some(length) = found else {
            self.seen = Some(Seen { at: input.len(), missing: 0 });
            return Err(Stop::Partial(input.len() + 1));
        };
        let line = &input[..length];
        if memchr2(b'"', b'\'', line).is_none() {
            return Ok((Line::Plain(line), length + 1));
        }
        let words = inline::quoted_words(line);
        let words =
            words.ok_or_else(|| self.too_long_at(length + 1, Stop::Malformed(ProtocolError::Quotes)))?;
        Ok((Line::Quoted(words), length + 1))
    }
}

/// Where the line that begins at `at` ends, or the input.
#[cold]
fn line_end(input: &[u8], at: usize) -> usize {
    memchr(b'\r', &input[at..]).map_or(input.len(), |length| at + length + 2)
}

/// How many bulk strings follow, and where.
#[inline]
fn array_header(input: &[u8]) -> Result<(usize, usize), Stop> {
    let (count, at) = length(input, 1, &ProtocolError::ArrayLine, &ProtocolError::ArrayLength)?;
    // A negative count is an array of no words.
    match usize::try_from(count) {
        Ok(count) if count > i32::MAX as usize => Err(Stop::Malformed(ProtocolError::ArrayLength)),
        Ok(count) => Ok((count, at)),
        Err(_) => Ok((0, at)),
    }
}

/// The bulk string that begins at `at`, and where it ends. `missing` bulk strings are missing, this
/// one included.
// Not inlined, this would cost the decoding of a GET a tenth more instructions.
#[allow(clippy::inline_always)]
#[inline(always)]
fn bulk(input: &[u8], at: usize, missing: usize) -> Result<(&[u8], usize), Stop> {
    let after = (missing - 1).saturating_mul(SHORTEST_BULK);
    match input.get(at) {
        Some(b'$') => {}
        Some(other) => return Err(Stop::Malformed(ProtocolError::NoBulk(*other))),
        None => return Err(Stop::Partial(at.saturating_add(SHORTEST_BULK).saturating_add(after))),
    }
    let (length, start) = length(input, at + 1, &ProtocolError::BulkLine, &ProtocolError::BulkLength)?;
    if !usize::try_from(length).is_ok_and(|length| length <= BULK_LIMIT) {
        return Err(Stop::Malformed(ProtocolError::BulkLength));
    }
    let end = start + usize::try_from(length).unwrap_or(usize::MAX);
    // The line end behind a bulk string is not looked at, as in Redis.
    if end + 2 > input.len() {
        return Err(Stop::Partial((end + 2).saturating_add(after)));
    }
    Ok((&input[start..end], end + 2))
}

/// The number on the line that begins at `at`, and where the next line begins.
#[inline]
fn length(
    input: &[u8],
    at: usize,
    too_long: &ProtocolError,
    invalid: &ProtocolError,
) -> Result<(i64, usize), Stop> {
    // Nearly every length has one digit or two.
    match input[at..] {
        [tens @ b'1'..=b'9', ones @ b'0'..=b'9', b'\r', _, ..] => {
            Ok((i64::from(10 * (tens - b'0') + (ones - b'0')), at + 4))
        }
        [ones @ b'0'..=b'9', b'\r', _, ..] => Ok((i64::from(ones - b'0'), at + 3)),
        _ => longer_length(input, at, too_long, invalid),
    }
}

#[inline(never)]
fn longer_length(
    input: &[u8],
    at: usize,
    too_long: &ProtocolError,
    invalid: &ProtocolError,
) -> Result<(i64, usize), Stop> {
    let line = &input[at..];
    let found = memchr(b'\r', line);
    if found.unwrap_or(line.len()) > LINE_LIMIT {
        return Err(Stop::Malformed(too_long.clone()));
    }
    match found {
        Some(length) if length + 1 < line.len() => {
            let number = number::parse(&line[..length]);
            let number = number.ok_or_else(|| Stop::Malformed(invalid.clone()))?;
            Ok((number, at + length + 2))
        }
        _ => Err(Stop::Partial(input.len() + 1)),
    }
}

#[cfg(test)]
mod tests;
