//! Decoding one message, with what a framing says held against its contract and the limit.

use crate::framing::{Decoded, Framing};

/// Why the input begins with no message.
#[derive(Debug)]
pub(crate) enum Missing<E> {
    /// None has begun.
    Nothing,
    /// One has begun, and will be at least this many bytes long.
    Begun(usize),
    /// It is longer than the limit, which is this.
    TooLong(usize),
    Malformed(E),
    /// The framing broke its contract.
    Broken,
}

/// A whole message and where it ends in the input. Otherwise how many bytes belong to none, and why
/// there is none.
pub(crate) type Next<M, E> = Result<(M, usize), (usize, Missing<E>)>;

/// The message that `input` begins with.
// If this were not inlined into the loop that answers, a question would cost a third more
// instructions.
#[allow(clippy::inline_always)]
#[inline(always)]
pub(crate) fn next_message<'a, F: Framing>(
    framing: &mut F,
    input: &'a [u8],
    limit: usize,
) -> Next<F::Message<'a>, F::Error> {
    if input.is_empty() {
        return Err((0, Missing::Nothing));
    }
    match framing.decode(input) {
        // A message of no bytes would be decoded for ever.
        Decoded::Whole { start, end, message }
            if start < end && end <= input.len() && end - start <= limit =>
        {
            Ok((message, end))
        }
        Decoded::Whole { start, end, .. } => Err((0, overlong(start < end && end <= input.len(), limit))),
        Decoded::Partial { start, end } => partial(start, end, input.len(), limit),
        Decoded::Malformed(error) => Err((0, Missing::Malformed(error))),
    }
}

#[cold]
fn overlong<E>(kept: bool, limit: usize) -> Missing<E> {
    if kept { Missing::TooLong(limit) } else { Missing::Broken }
}

#[inline(never)]
fn partial<M, E>(start: usize, end: usize, input: usize, limit: usize) -> Next<M, E> {
    let Some(kept) = input.checked_sub(start).filter(|_| start <= end) else {
        return Err((0, Missing::Broken));
    };
    // A message that is not whole is at least a byte longer than what has come of it, whatever the
    // framing says. So no framing can make the input grow beyond the limit.
    let length = if start == end { kept } else { (end - start).max(kept + 1) };
    Err(if length > limit {
        (0, Missing::TooLong(limit))
    } else if start == end || kept == 0 {
        // Whatever the framing says: no message has begun before its first byte has come.
        (start, Missing::Nothing)
    } else {
        (start, Missing::Begun(length))
    })
}
