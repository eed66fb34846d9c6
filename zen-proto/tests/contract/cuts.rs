//! Every short string, and every way to cut it.

/// Calls `check` with every string of up to `longest` symbols. `longest` is at most 8.
pub(crate) fn every_string(symbols: [u8; 4], longest: usize, mut check: impl FnMut(&[u8])) {
    let mut string = [0; 8];
    for length in 0..=longest {
        for number in 0..4_usize.pow(u32::try_from(length).unwrap()) {
            for (place, byte) in string[..length].iter_mut().enumerate() {
                *byte = symbols[number >> (2 * place) & 3];
            }
            check(&string[..length]);
        }
    }
}

/// Calls `take` with each segment of `string`, which is cut behind byte `i` where bit `i` of `cuts`
/// is set.
pub(crate) fn segments<'a>(string: &'a [u8], cuts: usize, mut take: impl FnMut(&'a [u8])) {
    let mut from = 0;
    for to in 1..=string.len() {
        if to == string.len() || cuts >> (to - 1) & 1 == 1 {
            take(&string[from..to]);
            from = to;
        }
    }
}

/// How many ways there are to cut a string.
pub(crate) fn ways(string: &[u8]) -> usize {
    1 << string.len().saturating_sub(1)
}

#[test]
fn the_enumeration_is_complete() {
    let mut strings = std::collections::HashSet::new();
    every_string(*b"abcd", 4, |string| {
        strings.insert(string.to_vec());
    });
    assert_eq!(strings.len(), 1 + 4 + 16 + 64 + 256);
    let mut cuts = std::collections::HashSet::new();
    for way in 0..ways(b"abcdefgh") {
        let mut segmented = Vec::new();
        segments(b"abcdefgh", way, |segment| segmented.push(segment));
        assert_eq!(segmented.concat(), b"abcdefgh");
        cuts.insert(segmented);
    }
    assert_eq!(cuts.len(), 128);
}
