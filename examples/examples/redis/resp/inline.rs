//! Inline commands: words on a line, as a person types them. Quotes may hold spaces and escapes.

/// The words of a line that has no quotes.
pub(crate) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| is_space(*byte)).filter(|word| !word.is_empty())
}

/// The words of a line; `None` when its quotes do not balance.
///
/// In double quotes, `\n \r \t \b \a` and `\xHH` are escapes, and a backslash makes any other byte
/// stand for itself. In single quotes, only `\'` is one.
pub(crate) fn quoted_words(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (mut words, mut rest) = (Vec::new(), line.trim_ascii_start());
    while !rest.is_empty() {
        let mut word = Vec::new();
        rest = take_word(rest, &mut word)?;
        words.push(word);
        while let [space, after @ ..] = rest
            && is_space(*space)
        {
            rest = after;
        }
    }
    Some(words)
}

/// C's `isspace`, and the zero byte, at which Redis stops.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\x0b' | b'\x0c' | b'\r' | b'\0')
}

/// Takes one word, and returns what comes after it. A closing quote must be followed by a space.
fn take_word<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        rest = match rest {
            [] => return Some(rest),
            [space, ..] if is_space(*space) => return Some(rest),
            [quote @ (b'"' | b'\''), inside @ ..] => {
                let after = take_quoted(*quote, inside, word)?;
                return after.first().is_none_or(|byte| is_space(*byte)).then_some(after);
            }
            [byte, after @ ..] => {
                word.push(*byte);
                after
            }
        }
    }
}

fn take_quoted<'a>(quote: u8, mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, after) = match (quote, rest) {
            (_, []) => return None,
            (_, [byte, after @ ..]) if *byte == quote => return Some(after),
            (b'"', [b'\\', b'x', high, low, after @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                (16 * hex(*high) + hex(*low), after)
            }
            (b'"', [b'\\', escaped, after @ ..]) => (unescaped(*escaped), after),
            (b'\'', [b'\\', b'\'', after @ ..]) => (b'\'', after),
            (_, [byte, after @ ..]) => (*byte, after),
        };
        word.push(byte);
        rest = after;
    }
}

fn unescaped(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit.to_ascii_lowercase() - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::{quoted_words, words};

    #[test]
    fn words_are_split_at_spaces_of_any_kind() {
        assert_eq!(words(b"  set\ta  1 ").collect::<Vec<_>>(), [b"set", &b"a"[..], b"1"]);
        assert_eq!(words(b" \t ").count(), 0);
    }

    #[test]
    fn quotes_hold_spaces_and_escapes() {
        let line = br#" set "a b" 'c"d' "\x41\n\q\"" 'it\'s' '\n' "" mid"dle" "#;
        let expected: [&[u8]; 8] = [b"set", b"a b", b"c\"d", b"A\nq\"", b"it's", b"\\n", b"", b"middle"];
        assert_eq!(quoted_words(line).expect("balanced"), expected);
        for wrong in [&b"\"abc"[..], b"'abc", b"\"a\"b", b"'a'b", b"\"a\\\"", b"'"] {
            assert_eq!(quoted_words(wrong), None, "{}", wrong.escape_ascii());
        }
    }
}
