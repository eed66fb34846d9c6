//! The output: where a framing and a service write bytes for the peer.

use crate::buffer::Buffer;

/// Where bytes for the peer are written, behind those that already wait to be sent.
///
/// A test makes one from a vector:
///
/// ```
/// use zen_proto::Output;
///
/// let mut bytes = Vec::new();
/// Output::from(&mut bytes).put(b"hello");
/// assert_eq!(bytes, b"hello");
///
/// // What is written goes behind what is there, and may be taken back.
/// let mut output = Output::from(&mut bytes);
/// assert!(!output.is_empty() && output.len() == 5);
/// let start = output.len();
/// output.put(b", world");
/// output.truncate(start);
/// assert_eq!(bytes, b"hello");
/// ```
#[derive(Debug)]
pub struct Output<'a> {
    target: Target<'a>,
}

#[derive(Debug)]
enum Target<'a> {
    Buffer(&'a mut Buffer),
    Vec(&'a mut Vec<u8>),
}

impl<'a> Output<'a> {
    #[inline]
    pub(crate) fn new(buffer: &'a mut Buffer) -> Self {
        Self { target: Target::Buffer(buffer) }
    }

    /// The same output, for a shorter time.
    #[inline]
    pub(crate) fn reborrow(&mut self) -> Output<'_> {
        let target = match &mut self.target {
            Target::Buffer(buffer) => Target::Buffer(buffer),
            Target::Vec(vec) => Target::Vec(vec),
        };
        Output { target }
    }

    /// Appends bytes.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        match &mut self.target {
            Target::Buffer(buffer) => buffer.append(bytes),
            Target::Vec(vec) => vec.extend_from_slice(bytes),
        }
    }

    /// How many bytes wait to be sent, these included.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.target {
            Target::Buffer(buffer) => buffer.len(),
            Target::Vec(vec) => vec.len(),
        }
    }

    /// Whether no byte waits to be sent.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes from position `start` on (as [`len`](Self::len) counts), to be read or
    /// overwritten.
    ///
    /// ```
    /// use zen_proto::Output;
    ///
    /// // A header whose number is known once the text is written.
    /// let mut bytes = b"sent before".to_vec();
    /// let mut output = Output::from(&mut bytes);
    /// let start = output.len();
    /// output.put(&[0, b'z', b'e', b'n']);
    /// output.tail_mut(start)[0] = 3;
    /// assert_eq!(bytes, b"sent before\x03zen");
    /// ```
    ///
    /// # Panics
    /// If `start` is greater than [`len`](Self::len).
    pub fn tail_mut(&mut self, start: usize) -> &mut [u8] {
        match &mut self.target {
            Target::Buffer(buffer) => &mut buffer.unread_mut()[start..],
            Target::Vec(vec) => &mut vec[start..],
        }
    }

    /// Takes back the bytes from position `start` on (as [`len`](Self::len) counts). A framing
    /// takes back its own message only. If `start` is [`len`](Self::len) or more, nothing is taken
    /// back.
    pub fn truncate(&mut self, start: usize) {
        match &mut self.target {
            Target::Buffer(buffer) => buffer.truncate(start.min(buffer.len())),
            Target::Vec(vec) => vec.truncate(start),
        }
    }
}

impl<'a> From<&'a mut Vec<u8>> for Output<'a> {
    fn from(vec: &'a mut Vec<u8>) -> Self {
        Self { target: Target::Vec(vec) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_taken_back_behind_the_end() {
        let (mut buffer, mut vec) = (Buffer::default(), Vec::new());
        for mut output in [Output::new(&mut buffer), Output::from(&mut vec)] {
            // What was here before must not come back.
            output.put(b"a secret");
            output.truncate(1);
            output.truncate(8);
            assert_eq!((output.len(), &*output.tail_mut(0)), (1, &b"a"[..]));
        }
    }
}
