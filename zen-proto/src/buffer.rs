//! A byte queue that owns no heap memory while it is empty.

use smallvec::SmallVec;

/// The bytes kept inside the buffer itself. A question or an answer of zen's fits, so a conversation that asks and waits, asks and
/// waits never allocates.
const INLINE: usize = 64;

/// The first allocation, once the inline bytes do not do: small steps from 64 bytes up would each copy.
const FIRST_SPILL: usize = 1024;

/// Bytes are appended at the end and consumed from the front.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: SmallVec<[u8; INLINE]>,
    /// How many bytes at the front are consumed already; less than `bytes.len()`, or both are 0.
    head: usize,
}

impl Buffer {
    #[inline]
    pub(crate) fn unread(&self) -> &[u8] {
        &self.bytes[self.head..]
    }

    pub(crate) fn unread_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.head..]
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.head
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.len() == self.head
    }

    #[inline]
    pub(crate) fn append(&mut self, data: &[u8]) {
        if data.len() > self.bytes.capacity() - self.bytes.len() {
            self.make_room(data.len());
        }
        self.bytes.extend_from_slice(data);
    }

    #[cold]
    fn make_room(&mut self, more: usize) {
        // Room for as many again as are moved makes a queue that is never empty linear. It is reckoned from what is unread, so
        // that the capacity stays within twice the content however little is consumed at a time.
        let unread = self.len();
        let roomy = (2 * unread).max(unread + more);
        if roomy <= self.bytes.capacity() {
            self.bytes.drain(..self.head);
        } else {
            let mut bytes = SmallVec::with_capacity(roomy.max(FIRST_SPILL));
            bytes.extend_from_slice(self.unread());
            self.bytes = bytes;
        }
        self.head = 0;
    }

    /// Drops `n` bytes from the front.
    #[inline]
    pub(crate) fn consume(&mut self, n: usize) {
        debug_assert!(n <= self.len());
        self.head += n;
        if self.head >= self.bytes.len() {
            self.clear();
        }
    }

    /// Drops bytes from the end until `len` are left.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.bytes.truncate(self.head + len);
        if self.is_empty() {
            self.clear();
        }
    }

    /// Drops all bytes, and the heap memory with them.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.head = 0;
        if self.bytes.spilled() {
            self.bytes = SmallVec::new();
        } else {
            self.bytes.clear();
        }
    }

    /// Heap memory owned, in bytes.
    pub(crate) fn heap(&self) -> usize {
        if self.bytes.spilled() { self.bytes.capacity() } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_buffer_owns_nothing() {
        let mut buffer = Buffer::default();
        buffer.append(&[7; 5000]);
        assert!(buffer.heap() >= 5000);
        buffer.consume(4999);
        assert_eq!(buffer.unread(), [7]);
        buffer.consume(1);
        assert_eq!(buffer.heap(), 0);
    }

    #[test]
    fn a_queue_that_is_never_empty_does_not_grow() {
        let mut buffer = Buffer::default();
        buffer.append(&[0; 100]);
        for round in 0..10_000_u32 {
            buffer.append(&round.to_le_bytes());
            buffer.consume(4);
        }
        assert_eq!(buffer.len(), 100);
        assert!(buffer.heap() <= 2 * FIRST_SPILL, "{}", buffer.heap());
        assert_eq!(buffer.unread()[96..], 9_999_u32.to_le_bytes());
    }

    #[test]
    fn truncate_keeps_the_front() {
        let mut buffer = Buffer::default();
        buffer.append(b"abcdef");
        buffer.consume(1);
        buffer.truncate(2);
        assert_eq!(buffer.unread(), b"bc");
    }
}
