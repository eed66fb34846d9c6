//! What the targets share: the same bytes, cut in two ways, must have the same consequences.
#![forbid(unsafe_code)]

use std::time::Instant;

use zen_proto::{CloseReason, Conversation, Framing, Limits, Peer, Service};

/// The fuzzer's bytes: some decide the cuts, the rest is what a peer sends.
#[derive(Debug)]
pub struct Input<'a> {
    cuts: &'a [u8],
    /// What a peer sends.
    pub sent: &'a [u8],
}

impl<'a> Input<'a> {
    /// The first four bytes decide.
    pub fn new(data: &'a [u8]) -> Option<Self> {
        let (cuts, sent) = data.split_at_checked(4)?;
        Some(Self { cuts, sent })
    }

    /// A number that the input decides.
    pub fn number(&self) -> usize {
        usize::from(self.cuts[0])
    }

    /// The pieces in which the bytes arrive.
    pub fn pieces(&self) -> impl Iterator<Item = &'a [u8]> {
        let (mut rest, mut cuts) = (self.sent, self.cuts.iter().cycle());
        std::iter::from_fn(move || {
            let n = (1 + cuts.next().map_or(0, |cut| usize::from(*cut))).min(rest.len());
            let (piece, behind) = rest.split_at(n);
            rest = behind;
            (n > 0).then_some(piece)
        })
    }
}

/// Holds a conversation over all of the bytes, and returns all that it says, and how it ends.
pub fn hold<'a, F: Framing>(
    framing: F,
    limits: &Limits,
    service: &mut impl Service<F>,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<u8>, CloseReason, u64) {
    let (now, mut said) = (Instant::now(), Vec::new());
    // No answer of a target is longer than what it is given, with some words around it.
    let bound = limits.memory_bound(&framing, 1 << 20, 1 << 22);
    let mut conversation = Conversation::new(framing, limits.clone(), now);
    conversation.open(service, &Peer::default(), now);
    for piece in pieces.map(Some).chain([None]) {
        match piece {
            Some(piece) => conversation.handle_input(piece, now),
            None => conversation.handle_eof(now),
        }
        loop {
            conversation.answer_with(service, now);
            let unsent = conversation.transmit().len();
            said.extend_from_slice(conversation.transmit());
            conversation.handle_sent(unsent, now);
            if !conversation.wants_answer() && unsent == 0 {
                break;
            }
        }
        assert!(conversation.heap_size() <= bound, "{} bytes of heap", conversation.heap_size());
        let _ = conversation.poll_shutdown();
    }
    let reason = conversation.closed().expect("the peer has closed, and nothing is owed");
    assert_eq!(conversation.heap_size(), 0);
    (said, reason, conversation.tally().questions)
}

/// Holds the conversation twice: with all bytes at once, and with the input's cuts.
pub fn same_answers<F: Framing, S: Service<F>>(
    input: &Input<'_>,
    limits: &Limits,
    begin: impl Fn() -> (F, S),
) {
    let (framing, mut service) = begin();
    let whole = hold(framing, limits, &mut service, [input.sent].into_iter());
    let (framing, mut service) = begin();
    let cut = hold(framing, limits, &mut service, input.pieces());
    assert_eq!(whole, cut, "the cuts matter");
}
