//! A byte queue that owns no heap memory while it is empty, unless large messages come one after
//! the other.

/// How many bytes the buffer keeps inside itself. A question or an answer of zen's fits, so a
/// conversation with one question at a time never allocates.
const INLINE: usize = 32;

/// The size of the first allocation, in bytes. Smaller steps would each copy what is buffered.
const FIRST_SPILL: usize = 512;

/// How many bytes a driver is expected to read at a time.
const READ: usize = 16 * 1024;

/// How many bytes a driver may read at a time into [room](Buffer::room) of the buffer.
const LONGEST_READ: usize = 128 * 1024;

/// Allocations of at least this many bytes are requested zeroed.
const ZEROED: usize = 128 * 1024;

/// From how many bytes on the heap memory is kept when the buffer becomes empty, until it is
/// [released](Buffer::release). To have so much anew for each message costs more than to read it:
/// the system takes the pages back, and hands out others that it must zero.
const KEPT: usize = 256 * 1024;

/// Bytes are appended at the end and consumed from the front.
#[derive(Debug)]
pub(crate) struct Buffer {
    /// Holds the bytes once they do not fit inline. Empty until then.
    heap: Box<[u8]>,
    inline: [u8; INLINE],
    /// Where the unread bytes begin.
    head: usize,
    /// Where the unread bytes end. The two are equal only when both are 0.
    tail: usize,
}

impl Default for Buffer {
    fn default() -> Self {
        Self { heap: Box::default(), inline: [0; INLINE], head: 0, tail: 0 }
    }
}

impl Buffer {
    #[inline]
    pub(crate) fn unread(&self) -> &[u8] {
        let all = if self.is_inline() { &self.inline[..] } else { &self.heap[..] };
        &all[self.head..self.tail]
    }

    #[inline]
    pub(crate) fn unread_mut(&mut self) -> &mut [u8] {
        let all = if self.is_inline() { &mut self.inline[..] } else { &mut self.heap[..] };
        &mut all[self.head..self.tail]
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.tail - self.head
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.tail == 0
    }

    #[inline]
    pub(crate) fn append(&mut self, data: &[u8]) {
        let end = self.tail.wrapping_add(data.len());
        if let Some(room) = self.heap.get_mut(self.tail..end) {
            room.copy_from_slice(data);
            self.tail = end;
        } else {
            self.append_inline(data);
        }
    }

    #[inline(never)]
    fn append_inline(&mut self, data: &[u8]) {
        if self.is_inline()
            && let Some(room) = self.inline[self.tail..].get_mut(..data.len())
        {
            // The copy comes last, so that it compiles to a jump.
            self.tail += data.len();
            room.copy_from_slice(data);
        } else {
            self.append_beyond(data);
        }
    }

    #[inline(never)]
    fn append_beyond(&mut self, data: &[u8]) {
        // Making room for as many bytes again as are moved keeps the total cost linear for a
        // queue that is never empty. The room is computed from the unread bytes, so the
        // capacity stays within twice the content even if little is consumed at a time.
        let unread = self.len();
        self.make_room((2 * unread).max(unread + data.len()));
        self.append(data);
    }

    /// Whether the heap memory has so much room at its end that a driver may as well read there.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.tail + READ <= self.heap.len()
    }

    /// That room, or as much of it as one read may take.
    #[inline]
    pub(crate) fn room(&mut self) -> Option<&mut [u8]> {
        let end = self.heap.len().min(self.tail + LONGEST_READ);
        if self.has_room() { self.heap.get_mut(self.tail..end) } else { None }
    }

    /// Takes in the first `n` bytes of the room.
    #[inline]
    pub(crate) fn fill(&mut self, n: usize) {
        assert!(n <= self.heap.len() - self.tail, "{n} bytes were read into less room");
        self.tail += n;
    }

    #[inline]
    fn is_inline(&self) -> bool {
        self.heap.is_empty()
    }

    /// Makes room for `roomy` unread bytes in all, which are more than there are.
    #[cold]
    fn make_room(&mut self, roomy: usize) {
        let unread = self.len();
        if roomy <= self.heap.len() {
            self.heap.copy_within(self.head..self.tail, 0);
        } else if self.is_inline() && roomy <= INLINE {
            self.inline.copy_within(self.head..self.tail, 0);
        } else {
            let capacity = roomy.max(FIRST_SPILL);
            // The system hands out large allocations zeroed at no cost. For small ones the
            // allocator is faster when it need not zero them.
            let mut heap = if capacity < ZEROED { Vec::with_capacity(capacity) } else { vec![0; capacity] };
            if heap.is_empty() {
                heap.extend_from_slice(self.unread());
                heap.resize(capacity, 0);
            } else {
                heap[..unread].copy_from_slice(self.unread());
            }
            self.heap = heap.into_boxed_slice();
        }
        self.head = 0;
        self.tail = unread;
    }

    /// Makes room for a message of `len` bytes that has begun, in fewer steps than by doubling.
    #[inline]
    pub(crate) fn reserve(&mut self, len: usize) {
        if len > INLINE.max(self.heap.len()) {
            self.reserve_for(len);
        }
    }

    #[cold]
    fn reserve_for(&mut self, len: usize) {
        // While the next read fits, nothing is gained by moving what is buffered.
        if self.has_room() {
            return;
        }
        // The beginning of the next message may follow a large one. A length is only a claim until
        // its bytes have come, so it is trusted up to eight times what has come.
        let wanted = len.saturating_add((len / 4).min(READ));
        let room = wanted.min(self.len().saturating_mul(8));
        if room > FIRST_SPILL.max(self.heap.len()) {
            self.make_room(room);
        }
    }

    /// Drops `n` bytes from the front.
    #[inline]
    pub(crate) fn consume(&mut self, n: usize) {
        debug_assert!(n <= self.len());
        self.head += n;
        if self.head >= self.tail {
            self.clear();
        }
    }

    /// Drops bytes from the end until `len` are left.
    #[inline]
    pub(crate) fn truncate(&mut self, len: usize) {
        debug_assert!(len <= self.len());
        self.tail = self.head + len;
        if len == 0 {
            self.clear();
        }
    }

    /// Drops all bytes, and the heap memory with them unless it is large.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.head = 0;
        self.tail = 0;
        if !self.is_inline() && self.heap.len() < KEPT {
            self.heap = Box::default();
        }
    }

    /// Whether the buffer is empty and has kept its heap memory.
    #[inline]
    pub(crate) fn is_kept(&self) -> bool {
        self.is_empty() && !self.is_inline()
    }

    /// Drops the heap memory that an empty buffer has kept.
    pub(crate) fn release(&mut self) {
        if self.is_kept() {
            self.heap = Box::default();
        }
    }

    /// Heap memory owned, in bytes.
    pub(crate) fn heap(&self) -> usize {
        self.heap.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_memory_is_kept_until_it_is_released() {
        let mut buffer = Buffer::default();
        buffer.append(&vec![7; KEPT]);
        let owned = buffer.heap();
        buffer.release();
        assert_eq!(buffer.heap(), owned, "it is in use");
        buffer.consume(KEPT);
        assert!(buffer.is_kept());
        buffer.append(&[8; 100]);
        assert_eq!((buffer.heap(), buffer.unread()), (owned, &[8; 100][..]));
        buffer.consume(100);
        buffer.release();
        assert_eq!(buffer.heap(), 0);
        assert!(!buffer.is_kept());
    }

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
