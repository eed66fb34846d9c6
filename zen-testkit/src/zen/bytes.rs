//! Bytes that are not text: a question may hold any bytes, and one byte ends it.

use super::{COMPLEX, SIMPLE, UNKNOWN, join};
use crate::transcript::Transcript;

pub(super) fn transcripts() -> impl Iterator<Item = Transcript> {
    let strange: [(&str, &[u8]); 12] = [
        ("zero bytes", b"\0\0\0?"),
        ("all bits set", b"\xff\xff\xff?"),
        ("UTF-8 text", b"Sch\xc3\xb6n ist besser als?"),
        ("UTF-8 cut short before the question mark", b"Sch\xc3?"),
        ("an overlong question mark, and a plain one", b"\xc0\xbf?"),
        ("a full-width question mark, and a plain one", b"\xef\xbc\x9f?"),
        ("an inverted question mark, and a plain one", b"\xc2\xbf?"),
        ("a Greek question mark, and a plain one", b"\xcd\xbe?"),
        ("a question mark with its high bit set, and a plain one", b"\xbf?"),
        ("a surrogate", b"\xed\xa0\x80?"),
        ("an escape sequence", b"\x1b[31mred?"),
        ("a request of another protocol", b"GET /?"),
    ];
    let strange = strange.into_iter().map(|(what, question)| {
        Transcript::new(format!("bytes: {what}")).ask(question, UNKNOWN).still_serves()
    });
    strange.chain(every_byte())
}

fn every_byte() -> Vec<Transcript> {
    // After an `x`, because some of these bytes are white space.
    let singles: Vec<u8> =
        (0..=255).filter(|byte| *byte != b'?').flat_map(|byte| [b'x', byte, b'?']).collect();
    let rising: Vec<u8> = (0..=255).filter(|byte| *byte != b'?').collect();
    let falling: Vec<u8> = rising.iter().rev().copied().collect();
    // In pieces, so that each question fits within a limit of 64 bytes.
    let pieces: Vec<u8> =
        rising.chunks(32).chain(falling.chunks(32)).flat_map(|piece| join(&[b"x", piece, b"?"])).collect();
    let number = rising.len().div_ceil(32) * 2;
    vec![
        Transcript::new("bytes: every one in a question of its own")
            .send(&singles)
            .expect(&UNKNOWN.repeat(255))
            .still_serves(),
        Transcript::new("bytes: every one, 32 in a question")
            .send(&pieces)
            .expect(&UNKNOWN.repeat(number))
            .still_serves(),
        Transcript::new("bytes: every one, byte by byte")
            .send_byte_by_byte(&pieces)
            .expect(&UNKNOWN.repeat(number))
            .still_serves(),
        Transcript::new("bytes: a strange question between two known ones")
            .send(&join(&[SIMPLE, b"\0\xff\n?", SIMPLE]))
            .expect(&join(&[COMPLEX, UNKNOWN, COMPLEX]))
            .still_serves(),
    ]
}
