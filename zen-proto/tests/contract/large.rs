//! Large messages: their deadlines judge how they advance, and their memory is taken as they come.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use zen_proto::{Answer, CloseReason, Conversation, Decoded, DelimiterFraming, Framing, Limits};

const MIB: usize = 1024 * 1024;
const BLOB: usize = 50 * MIB;
/// How many bytes a second a healthy peer moves.
const HEALTHY: usize = 20 * MIB;
const TICK: Duration = Duration::from_millis(10);

/// A length in eight bytes, and as many bytes behind it.
#[derive(Debug, Default)]
struct Blobs;

impl Framing for Blobs {
    type Message<'a> = &'a [u8];
    type Error = Infallible;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<&'a [u8], Infallible> {
        let Some((header, rest)) = input.split_first_chunk::<8>() else {
            return Decoded::Partial { start: 0, end: 8 };
        };
        let length = usize::try_from(u64::from_be_bytes(*header)).unwrap_or(usize::MAX);
        match rest.get(..length) {
            Some(message) => Decoded::Whole { start: 0, end: 8 + length, message },
            None => Decoded::Partial { start: 0, end: length.saturating_add(8) },
        }
    }

    fn message_limit(&self, configured: Option<usize>) -> usize {
        configured.unwrap_or(1024 * MIB)
    }
}

fn header(length: usize) -> [u8; 8] {
    (length as u64).to_be_bytes()
}

/// Answers with this many bytes at once.
fn blob(length: usize) -> impl FnMut(&[u8], &mut Answer<'_>) {
    move |_, answer| answer.put(&vec![b'x'; length])
}

/// A peer that reads this many bytes at each tick. When, and why, the conversation ends; `None` if
/// everything is read.
fn read(length: usize, mut taken: impl FnMut(Duration) -> usize) -> Option<(Duration, CloseReason)> {
    let start = Instant::now();
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), Limits::default(), start);
    conversation.handle_input(b"?", start);
    conversation.answer_with(&mut blob(length), start);
    let mut now = start;
    while !conversation.transmit().is_empty() {
        now += TICK;
        conversation.handle_timeout(now);
        if let Some(reason) = conversation.closed() {
            return Some((now - start, reason));
        }
        conversation.handle_sent(taken(now - start).min(conversation.transmit().len()), now);
    }
    None
}

#[test]
fn a_healthy_reader_of_a_large_answer_is_not_cut_off() {
    assert_eq!(read(BLOB, |_| HEALTHY / 100), None);
    // At the least rate it takes 53 minutes.
    assert_eq!(read(BLOB, |_| 164), None);
}

#[test]
fn a_sipping_reader_of_a_large_answer_is() {
    let (when, reason) = read(BLOB, |_| 1).unwrap();
    assert_eq!(reason, CloseReason::WriteDeadline);
    assert_eq!(when, Duration::from_secs(30));
    // A little below the least rate, it takes long to be found out.
    let (when, reason) = read(BLOB, |_| 150).unwrap();
    assert_eq!(reason, CloseReason::WriteDeadline);
    assert!(when < Duration::from_secs(600), "{when:?}");
}

#[test]
fn a_reader_that_stops_in_a_large_answer_saves_no_time_by_being_fast_before() {
    let (when, reason) =
        read(BLOB, |elapsed| if elapsed < Duration::from_secs(2) { HEALTHY / 100 } else { 1 }).unwrap();
    assert_eq!(reason, CloseReason::WriteDeadline);
    assert!(when < Duration::from_secs(33), "{when:?}");
}

#[test]
fn what_was_written_behind_a_large_answer_is_not_late_with_it() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), Limits::default(), start);
    conversation.handle_input(b"a?b?", start);
    let first = conversation.poll_question().unwrap();
    let second = conversation.poll_question().unwrap();
    conversation.answer(first.ticket, &vec![b'x'; 4 * MIB], at(1)).unwrap();
    conversation.answer(second.ticket, b"B.", at(2)).unwrap();
    // The peer reads 64 KiB a second, which takes 64 seconds.
    for second in 3..=66 {
        conversation.handle_timeout(at(second));
        assert_eq!(conversation.closed(), None, "after {second} seconds");
        conversation.handle_sent(64 * 1024, at(second));
    }
    conversation.handle_timeout(at(67));
    assert_eq!(conversation.transmit(), b"B.");
    assert_eq!(conversation.closed(), None);
    let deadline = conversation.poll_timeout().unwrap();
    assert!(deadline > at(67) && deadline <= at(66 + 30), "it has a clock of its own");
}

#[test]
fn small_answers_are_not_saved_by_a_large_one_that_was_sent_before() {
    let start = Instant::now();
    let mut conversation = Conversation::new(DelimiterFraming::new(b'?'), Limits::default(), start);
    for length in [MIB, 10] {
        conversation.handle_input(b"?", start);
        conversation.answer_with(&mut blob(length), start);
        if length == MIB {
            conversation.handle_sent(MIB, start);
        }
    }
    assert_eq!(conversation.poll_timeout(), Some(start + Limits::default().write_deadline));
}

/// A peer that sends this many bytes of a large question at each tick. When, and why, the
/// conversation ends; `None` if it is answered.
fn send(length: usize, mut given: impl FnMut(Duration) -> usize) -> Option<(Duration, CloseReason)> {
    let start = Instant::now();
    let mut conversation = Conversation::new(Blobs, Limits::default(), start);
    let mut service = |_: &[u8], answer: &mut Answer<'_, Blobs>| answer.put(b"whole");
    let (mut now, mut left) = (start, length);
    let chunk = vec![b'x'; HEALTHY];
    conversation.handle_input(&header(length), now);
    conversation.answer_with(&mut service, now);
    while conversation.transmit().is_empty() {
        now += TICK;
        conversation.handle_timeout(now);
        if let Some(reason) = conversation.closed() {
            return Some((now - start, reason));
        }
        let n = given(now - start).min(left);
        left -= n;
        conversation.handle_input(&chunk[..n], now);
        conversation.answer_with(&mut service, now);
    }
    None
}

#[test]
fn a_healthy_sender_of_a_large_question_is_not_cut_off() {
    assert_eq!(send(BLOB, |_| HEALTHY / 100), None);
    assert_eq!(send(4 * MIB, |_| 164), None);
}

#[test]
fn a_trickling_sender_of_a_large_question_is() {
    let late = (Limits::default().question_deadline, CloseReason::QuestionDeadline);
    assert_eq!(send(BLOB, |_| 1), Some(late));
    let (when, reason) =
        send(BLOB, |elapsed| if elapsed < Duration::from_secs(2) { HEALTHY / 100 } else { 1 }).unwrap();
    assert_eq!(reason, CloseReason::QuestionDeadline);
    assert!(when < Duration::from_secs(13), "{when:?}");
}

#[test]
fn a_length_that_is_only_claimed_takes_no_memory() {
    let now = Instant::now();
    let mut conversation = Conversation::new(Blobs, Limits::default(), now);
    let mut service = |_: &[u8], answer: &mut Answer<'_, Blobs>| answer.put(b"whole");
    conversation.handle_input(&header(1023 * MIB), now);
    conversation.answer_with(&mut service, now);
    assert!(conversation.wants_read(), "the limit allows it");
    assert_eq!(conversation.heap_size(), 0);
    let mut come = 8;
    for more in [100, 1000, 10_000, 100_000, MIB] {
        conversation.handle_input(&vec![b'x'; more], now);
        conversation.answer_with(&mut service, now);
        come += more;
        assert!(conversation.heap_size() <= 8 * come, "{} for {come}", conversation.heap_size());
    }
}

#[test]
fn memory_for_a_large_message_is_taken_in_few_steps_and_within_the_bound() {
    let now = Instant::now();
    let chunk = vec![b'x'; 64 * 1024];
    for read in [1024, 16 * 1024, 64 * 1024] {
        let limits = Limits::default().with_question_length(MIB + 8);
        let bound = limits.memory_bound(&Blobs, read, 5);
        let mut conversation = Conversation::new(Blobs, limits, now);
        let mut service = |_: &[u8], answer: &mut Answer<'_, Blobs>| answer.put(b"whole");
        conversation.handle_input(&header(MIB), now);
        let (mut steps, mut size, mut left) = (0, 0, MIB);
        while left > 0 {
            conversation.answer_with(&mut service, now);
            conversation.handle_input(&chunk[..read.min(left)], now);
            left -= read.min(left);
            let heap = conversation.heap_size();
            assert!(heap <= bound, "{heap} > {bound}");
            steps += usize::from(heap != size);
            size = heap;
        }
        assert!(size < MIB + MIB / 4, "{size} bytes for a message of 1 MiB");
        assert!(steps <= 8, "{steps} steps with reads of {read} bytes");
        conversation.answer_with(&mut service, now);
        assert_eq!(conversation.transmit(), b"whole");
        // The memory is kept for the next large message, and given back when none follows.
        assert_eq!(conversation.heap_size(), size);
        conversation.handle_sent(5, now);
        let rest = conversation.poll_timeout().unwrap();
        assert_eq!(rest, now + Duration::from_secs(1));
        conversation.handle_timeout(now + Duration::from_millis(999));
        assert_eq!(conversation.heap_size(), size);
        conversation.handle_timeout(rest);
        assert_eq!((conversation.heap_size(), conversation.closed()), (0, None));
        assert!(conversation.poll_timeout().unwrap() > rest, "only the idle deadline is left");
    }
}

#[test]
fn large_messages_that_follow_each_other_share_their_memory() {
    let start = Instant::now();
    let mut conversation = Conversation::new(Blobs, Limits::default().with_question_length(MIB + 8), start);
    let mut service = |_: &[u8], answer: &mut Answer<'_, Blobs>| answer.put(b"whole");
    let chunk = vec![b'x'; 64 * 1024];
    let mut sizes = Vec::new();
    for millis in 0..5 {
        let now = start + Duration::from_millis(900 * millis);
        conversation.handle_timeout(now);
        conversation.handle_input(&header(MIB), now);
        for _ in 0..MIB / chunk.len() {
            conversation.answer_with(&mut service, now);
            conversation.handle_input(&chunk, now);
        }
        conversation.answer_with(&mut service, now);
        conversation.handle_sent(5, now);
        sizes.push(conversation.heap_size());
    }
    assert!(sizes[0] > MIB && sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
}

/// The text of a message, which no other has.
fn text(first: u8, length: usize) -> impl Iterator<Item = u8> {
    (0..=250).cycle().take(length).map(move |byte: u8| first.wrapping_add(byte))
}

/// Reads as a driver does with `scratch` bytes of its own: in place if there is room. Returns how
/// many bytes were read, and whether in place.
fn read_once(
    conversation: &mut Conversation<Blobs>,
    input: &mut &[u8],
    scratch: usize,
    now: Instant,
) -> (usize, bool) {
    let mut own = vec![0; scratch];
    let (n, in_place) = match conversation.input_room() {
        Some(room) => (std::io::Read::read(input, room).unwrap(), true),
        None => (std::io::Read::read(input, &mut own).unwrap(), false),
    };
    conversation.handle_read(n, &own, now);
    (n, in_place)
}

#[test]
fn a_large_message_is_read_in_place_between_small_ones() {
    let start = Instant::now();
    for scratch in [1, 700, 2 * 1024, 16 * 1024, 2 * MIB] {
        let limits = Limits::default().with_question_length(MIB + 8);
        let bound = limits.memory_bound(&Blobs, scratch, 32);
        let mut conversation = Conversation::new(Blobs, limits, start);
        let (mut seen, mut sent) = (Vec::new(), Vec::new());
        let (mut input, mut lengths) = (Vec::new(), Vec::new());
        for length in [5, 1000, MIB, 0, 300_000, MIB - 1, 17, 20_000, 40, MIB] {
            let first = u8::try_from(lengths.len()).unwrap();
            input.extend_from_slice(&header(length));
            input.extend(text(first, length));
            lengths.push(length);
        }
        let (mut left, mut in_place, mut reads) = (&input[..], 0, 0);
        while !left.is_empty() {
            assert!(conversation.wants_read());
            let (n, placed) = read_once(&mut conversation, &mut left, scratch, start);
            in_place += if placed { n } else { 0 };
            reads += 1;
            let mut service = |message: &[u8], answer: &mut Answer<'_, Blobs>| {
                let first = u8::try_from(seen.len()).unwrap();
                let right = message.iter().copied().eq(text(first, message.len()));
                assert!(right, "message {first} with reads of {scratch}");
                seen.push(message.len());
                answer.put(b"k");
            };
            conversation.answer_with(&mut service, start);
            sent.extend_from_slice(conversation.transmit());
            conversation.handle_sent(conversation.transmit().len(), start);
            assert!(conversation.heap_size() <= bound, "{} > {bound}", conversation.heap_size());
        }
        assert_eq!((seen, sent.len()), (lengths, 10));
        assert_eq!(conversation.take_tally().bytes_in, input.len() as u64);
        if scratch == 2 * 1024 {
            assert!(in_place > 2 * MIB && reads < 100, "{in_place} bytes in place, {reads} reads");
        }
    }
}

#[test]
fn there_is_no_room_for_what_nobody_will_take() {
    let now = Instant::now();
    let mut conversation = Conversation::new(Blobs, Limits::default(), now);
    assert!(conversation.input_room().is_none(), "an idle conversation owns nothing");
    conversation.handle_input(&header(MIB), now);
    conversation.handle_input(&vec![0; 64 * 1024], now);
    let mut service = |_: &[u8], _: &mut Answer<'_, Blobs>| ();
    conversation.answer_with(&mut service, now);
    let room = conversation.input_room().map(|room| room.len());
    assert!(room.is_some_and(|room| room >= 16 * 1024), "{room:?}");
    conversation.drain(now);
    assert!(conversation.input_room().is_none());
    let owned = conversation.heap_size();
    conversation.handle_read(3, b"abc", now);
    assert_eq!((conversation.heap_size(), conversation.take_tally().bytes_in), (owned, 64 * 1024 + 11));
}

#[test]
#[should_panic(expected = "were read into less room")]
fn reporting_more_than_there_was_room_for_panics() {
    let now = Instant::now();
    let mut conversation = Conversation::new(Blobs, Limits::default(), now);
    conversation.handle_input(&header(MIB), now);
    conversation.handle_input(&vec![0; 64 * 1024], now);
    conversation.answer_with(&mut |_: &[u8], _: &mut Answer<'_, Blobs>| (), now);
    conversation.handle_read(MIB, &[], now);
}

#[test]
fn a_length_that_overflows_is_too_long() {
    let now = Instant::now();
    let mut conversation = Conversation::new(Blobs, Limits::default(), now);
    conversation.handle_input(&header(usize::MAX), now);
    conversation.answer_with(&mut |_: &[u8], _: &mut Answer<'_, Blobs>| {}, now);
    conversation.handle_eof(now);
    assert_eq!(conversation.closed(), Some(CloseReason::QuestionTooLong));
}
