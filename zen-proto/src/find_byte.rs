//! Where a byte is first: a search for short messages.

use std::num::NonZeroU64;

/// Where `byte` is first in `bytes`; their length if it is nowhere.
///
/// Most messages are short. For these a call of `memchr` costs as much as everything else that is
/// done for a message, so the first bytes are looked at here, and `memchr` looks at the others.
#[inline]
pub(crate) fn find_byte(byte: u8, bytes: &[u8]) -> usize {
    if let Some(near) = bytes.first_chunk::<32>() {
        let (blocks, _) = near.as_chunks::<16>();
        if let Some(found) = find_in(byte, &blocks[0]) {
            return found;
        }
        if let Some(found) = find_in(byte, &blocks[1]) {
            return 16 + found;
        }
    }
    find_further(byte, bytes)
}

/// The same, where the first 32 bytes do not hold the byte, or there are fewer.
#[inline(never)]
fn find_further(byte: u8, bytes: &[u8]) -> usize {
    let length = bytes.len();
    match (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
        // The two blocks overlap, and together they are all there is.
        (Some(first), Some(last)) if length < 32 => find_in(byte, first)
            .or_else(|| find_in(byte, last).map(|found| length - 16 + found))
            .unwrap_or(length),
        _ => memchr::memchr(byte, bytes).unwrap_or(length),
    }
}

/// Where `byte` is first in `block`, if it is there.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[inline]
fn find_in(byte: u8, block: &[u8; 16]) -> Option<usize> {
    // Other than `memchr::memchr`, this can be inlined. For as many bytes as one register holds,
    // three instructions are left of it.
    match memchr::arch::x86_64::sse2::memchr::One::new(byte) {
        Some(searcher) => searcher.find(block),
        None => find_in_words(byte, block),
    }
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
use find_in_words as find_in;

/// The same on any processor.
#[inline]
fn find_in_words(byte: u8, block: &[u8; 16]) -> Option<usize> {
    // Without a branch for each byte this compiles to one comparison of sixteen.
    #[allow(clippy::needless_bitwise_bool)]
    let found = block.iter().fold(false, |any, other| any | (*other == byte));
    let (words, _) = block.as_chunks::<8>();
    found.then(|| first_equal(byte, words[0]).unwrap_or_else(|| 8 + last_equal(byte, words[1])))
}

/// Where `byte` is first in `word`, if it is there.
#[inline]
fn first_equal(byte: u8, word: [u8; 8]) -> Option<usize> {
    NonZeroU64::new(equal_bytes(byte, word)).map(|equal| equal.trailing_zeros() as usize / 8)
}

/// The same for a word that is known to hold the byte.
#[inline]
fn last_equal(byte: u8, word: [u8; 8]) -> usize {
    equal_bytes(byte, word).trailing_zeros() as usize / 8
}

/// The highest bit of the first byte of `word` that is equal, and of some behind it.
#[inline]
fn equal_bytes(byte: u8, word: [u8; 8]) -> u64 {
    // A byte that is equal becomes zero here, and a byte that is zero gets its highest bit set; so
    // may bytes above it, but none below. (Hacker's Delight, 6-1.)
    let equal = u64::from_le_bytes(word) ^ u64::from_ne_bytes([byte; 8]);
    equal.wrapping_sub(0x0101_0101_0101_0101) & !equal & 0x8080_8080_8080_8080
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_found_first_at_every_place_in_every_length() {
        for length in 0..100 {
            let mut bytes = vec![b'x'; length];
            assert_eq!(find_byte(b'?', &bytes), length);
            for at in (0..length).rev() {
                // All bytes behind it are equal already.
                bytes[at] = b'?';
                assert_eq!(find_byte(b'?', &bytes), at, "of {length}");
            }
            for at in 0..length {
                let mut one = vec![0x3e; length];
                one[at] = b'?';
                assert_eq!(find_byte(b'?', &one), at, "alone among {length}");
            }
        }
    }

    #[test]
    fn a_block_is_searched_alike_on_every_processor() {
        for first in 0..=16 {
            for filler in [b'>', 0, 0xff] {
                let mut block = [filler; 16];
                assert_eq!(find_in_words(b'?', &block), None);
                block[first.min(15)..].fill(b'?');
                let expected = Some(first.min(15));
                assert_eq!((find_in_words(b'?', &block), find_in(b'?', &block)), (expected, expected));
            }
        }
    }
}
