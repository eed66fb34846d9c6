//! White space before a question is skipped, so that a person typing into `nc` gets answers.

use super::{BEAUTIFUL, COMPLEX, SIMPLE, UGLY, UNKNOWN, join};
use crate::transcript::Transcript;

/// All ASCII white space, as C's `isspace` defines it.
const KINDS: [(&str, u8); 6] = [
    ("space", b' '),
    ("tab", b'\t'),
    ("line feed", b'\n'),
    ("vertical tab", 0x0b),
    ("form feed", 0x0c),
    ("carriage return", b'\r'),
];

pub(super) fn transcripts() -> impl Iterator<Item = Transcript> {
    KINDS.into_iter().flat_map(|(kind, byte)| every_position(kind, byte)).chain(mixtures())
}

fn every_position(kind: &str, byte: u8) -> [Transcript; 6] {
    let space = &[byte][..];
    [
        Transcript::new(format!("{kind} before the first question"))
            .ask(&join(&[space, SIMPLE]), COMPLEX)
            .still_serves(),
        Transcript::new(format!("{kind} between two questions"))
            .send(&join(&[SIMPLE, space, BEAUTIFUL]))
            .expect(&join(&[COMPLEX, UGLY]))
            .still_serves(),
        Transcript::new(format!("{kind} after the last question"))
            .send(&join(&[SIMPLE, space]))
            .expect(COMPLEX)
            .finish_and_end(),
        Transcript::new(format!("{kind} in a segment of its own"))
            .send(space)
            .send(SIMPLE)
            .send(space)
            .expect(COMPLEX)
            .send(space)
            .ask(BEAUTIFUL, UGLY)
            .still_serves(),
        Transcript::new(format!("{kind} and nothing else")).send(space).finish_and_end(),
        Transcript::new(format!("{kind} inside a question belongs to it"))
            .ask(&join(&[b"Simple is better than", space, b"?"]), UNKNOWN)
            .still_serves(),
    ]
}

fn mixtures() -> Vec<Transcript> {
    let kinds: Vec<u8> = KINDS.iter().map(|(_, byte)| *byte).collect();
    let mut all = vec![
        Transcript::new("typed into nc, lines ending in LF")
            .ask(b"Beautiful is better than?\n", UGLY)
            .ask(b"Simple is better than?\n", COMPLEX)
            .finish_and_end(),
        Transcript::new("typed into telnet, lines ending in CR LF")
            .ask(b"Beautiful is better than?\r\n", UGLY)
            .ask(b"Simple is better than?\r\n", COMPLEX)
            .finish_and_end(),
        Transcript::new("pasted into nc at once")
            .send(b"Beautiful is better than?\r\nSimple is better than?\r\nwhy?\r\n")
            .expect(&join(&[UGLY, COMPLEX, UNKNOWN]))
            .finish_and_end(),
        Transcript::new("all kinds of white space before a question")
            .ask(&join(&[&kinds, SIMPLE]), COMPLEX)
            .still_serves(),
        Transcript::new("all kinds of white space, byte by byte")
            .send_byte_by_byte(&join(&[&kinds, SIMPLE, &kinds, BEAUTIFUL, &kinds]))
            .expect(&join(&[COMPLEX, UGLY]))
            .still_serves(),
        Transcript::new("white space between empty questions")
            .send(b" ? ?\n?\t?\r\n?")
            .expect(&join(&[UNKNOWN; 5]))
            .still_serves(),
        Transcript::new("white space around an unfinished question")
            .send(b" \r\n Simple \r\n")
            .finish_and_end(),
    ];
    for byte in [0x00, 0x08, 0x0e, 0x1c, 0x1f, 0x7f, 0x85, 0xa0] {
        all.push(
            Transcript::new(format!("byte {byte:#04x} is not white space"))
                .ask(&join(&[&[byte], SIMPLE]), UNKNOWN)
                .still_serves(),
        );
    }
    all
}
