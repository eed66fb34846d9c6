use super::*;

fn borrowed<'a>(words: &[&'a [u8]]) -> Request<'a> {
    Request::Borrowed(words.iter().copied().collect())
}

/// A stream and the commands that it holds.
type Case = (&'static [u8], &'static [&'static [&'static [u8]]]);

const CASES: &[Case] = &[
    (b"*1\r\n$4\r\nPING\r\n", &[&[b"PING"]]),
    (b"*2\r\n$3\r\nGET\r\n$3\r\na\r\n\r\n*1\r\n$4\r\nPING\r\n", &[&[b"GET", b"a\r\n"], &[b"PING"]]),
    (b"*3\r\n$3\r\nSET\r\n$0\r\n\r\n$12\r\n\0\xff0123456789\r\n", &[&[b"SET", b"", b"\0\xff0123456789"]]),
    (b"PING\r\nGET a\n  SET\tb  1 \r\n", &[&[b"PING"], &[b"GET", b"a"], &[b"SET", b"b", b"1"]]),
    (b"\r\n\n*0\r\n*-1\r\n \r\nPING\r\n*0\r\n", &[&[b"PING"]]),
    (b"set 'a b' \"c\\n\"\r\nPING\r\n", &[&[b"set", b"a b", b"c\n"], &[b"PING"]]),
    // More words than lie in the request itself.
    (
        b"*8\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n$1\r\n5\r\n$1\r\n6\r\n$1\r\n7\r\n$1\r\n8\r\n",
        &[&[b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8"]],
    ),
];

fn owned(request: &Request<'_>) -> Vec<Vec<u8>> {
    match request {
        Request::Borrowed(words) => words.iter().map(|word| word.to_vec()).collect(),
        Request::Owned(words) => words.clone(),
    }
}

/// Decodes a stream that arrives in these pieces.
fn decoded(pieces: &[&[u8]]) -> Vec<Vec<Vec<u8>>> {
    let (mut framing, mut input, mut found) = (Resp::default(), Vec::new(), Vec::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            let (whole, done) = match framing.decode(&input) {
                Decoded::Whole { end, message, .. } => (Some(owned(&message)), end),
                Decoded::Partial { start, end } => {
                    assert!(start == end || end > input.len(), "what is not whole ends later");
                    (None, start)
                }
                other => panic!("{other:?}"),
            };
            input.drain(..done);
            let Some(whole) = whole else { break };
            found.push(whole);
        }
    }
    assert!(input.is_empty(), "left over: {}", input.escape_ascii());
    found
}

#[test]
fn every_cut_decodes_to_the_same_commands() {
    for (stream, commands) in CASES {
        let bytes: Vec<_> = stream.chunks(1).collect();
        assert_eq!(decoded(&bytes), *commands, "{}", stream.escape_ascii());
        for first in 0..=stream.len() {
            for second in first..=stream.len() {
                let pieces = [&stream[..first], &stream[first..second], &stream[second..]];
                assert_eq!(decoded(&pieces), *commands, "{} cut at {first}, {second}", stream.escape_ascii());
            }
        }
    }
}

#[test]
fn words_lie_in_the_input() {
    let (mut framing, stream) = (Resp::default(), b"*2\r\n$3\r\nGET\r\n$1\r\na\r\nmore");
    let message = borrowed(&[b"GET", b"a"]);
    assert_eq!(framing.decode(stream), Decoded::Whole { start: 0, end: 20, message });
    let Decoded::Whole { message: Request::Borrowed(words), .. } = framing.decode(stream) else { panic!() };
    assert!(!words.spilled());
    assert!(stream.as_ptr_range().contains(&words[1].as_ptr()));
}

#[test]
fn a_command_says_early_how_long_it_will_be() {
    for (input, end) in [
        (&b"*3\r\n"[..], 4 + 18),
        (b"*2\r\n$3\r\nGET\r\n", 13 + 6),
        (b"*2\r\n$1000000\r\n", 14 + 1_000_000 + 2 + 6),
        (b"*2\r\n$3\r\nGET\r\n$5\r\nab", 17 + 5 + 2),
        (b"PIN", 4),
    ] {
        let mut framing = Resp::default();
        let expected = Decoded::Partial { start: 0, end };
        assert_eq!(framing.decode(input), expected, "{}", input.escape_ascii());
        assert_eq!(framing.decode(input), expected, "{} again", input.escape_ascii());
    }
}

#[test]
fn malformed_input_gets_the_words_of_redis() {
    let long = |start: &[u8]| [start, &b"1".repeat(LINE_LIMIT + 1)].concat();
    for (input, words) in [
        (b"*abc\r\n".to_vec(), "invalid multibulk length"),
        (b"*01\r\n".to_vec(), "invalid multibulk length"),
        (b"*2147483648\r\n".to_vec(), "invalid multibulk length"),
        (b"*1\r\nPING\r\n".to_vec(), "expected '$', got 'P'"),
        (b"*1\r\n$-1\r\n".to_vec(), "invalid bulk length"),
        (b"*1\r\n$536870913\r\n".to_vec(), "invalid bulk length"),
        (b"*1\r\n$1x\r\n".to_vec(), "invalid bulk length"),
        (b"get \"a\r\n".to_vec(), "unbalanced quotes in request"),
        (long(b""), "too big inline request"),
        (long(b"*"), "too big mbulk count string"),
        (long(b"*1\r\n$"), "too big bulk count string"),
    ] {
        let Decoded::Malformed(error) = Resp::default().decode(&input) else {
            panic!("{} is taken", input.escape_ascii())
        };
        let mut output = Vec::new();
        Resp::default().last_words(&Ending::Malformed(&error), &mut Output::from(&mut output));
        assert_eq!(output, format!("-ERR Protocol error: {words}\r\n").into_bytes());
        let behind = [&input[..], b"\r\nPING\r\n"].concat();
        assert_eq!(Resp::default().decode(&behind), Decoded::Malformed(error.clone()));
        if input.len() < 32 {
            // The same, however it arrives.
            let mut framing = Resp::default();
            let ends: Vec<_> = (0..=input.len()).map(|n| framing.decode(&input[..n])).collect();
            assert!(ends.contains(&Decoded::Malformed(error)), "{}", input.escape_ascii());
        }
    }
}

#[test]
fn a_command_in_many_pieces_is_not_looked_at_from_its_start_each_time() {
    // A million words a word at a time would take hours if each piece cost a look at all before it.
    let mut input = b"*1000000\r\n".to_vec();
    let mut framing = Resp::default();
    for n in 0..1_000_000 {
        assert!(matches!(framing.decode(&input), Decoded::Partial { start: 0, .. }), "{n}");
        input.extend_from_slice(b"$1\r\na\r\n");
    }
    let Decoded::Whole { message, .. } = framing.decode(&input) else { panic!() };
    assert_eq!(owned(&message).len(), 1_000_000);
}

#[test]
fn what_is_too_long_is_not_called_malformed_whatever_the_cuts() {
    let limited = |limit| {
        let mut framing = Resp::default();
        framing.configure(Some(limit));
        framing
    };
    // A count that cannot be met, an array that cannot end in time, long lines: each with an error
    // behind, which a server that reads less at a time does not see.
    for (input, limit) in [
        (&b"*12000000\r\nx"[..], MESSAGE_LIMIT),
        (b"*2\r\n$5\r\nhello\r\nx", 20),
        (b"*1\r\n$00000000000000000000\r\n", 20),
        (b"*00000000000000000000\r\n", 20),
        (b"a \"unbalanced quotes here\n", 20),
        (b"                            \n", 20),
    ] {
        let decoded = limited(limit).decode(input);
        let Decoded::Partial { start: 0, end } = decoded else { panic!("{decoded:?}") };
        assert!(end > limit, "{end}");
    }
}
