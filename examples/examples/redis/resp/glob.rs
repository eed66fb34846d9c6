//! Patterns with `*`, `?`, `[a-z]`, `[^a-z]` and `\`, as KEYS, SCAN and CONFIG GET take them.

/// Whether `text` matches `pattern`.
///
/// Only the last `*` is ever tried again, so no pattern takes more time than the product of the two
/// lengths.
pub(crate) fn matches(mut pattern: &[u8], mut text: &[u8]) -> bool {
    let mut last_star: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', rest @ ..] = pattern {
            pattern = rest;
            last_star = Some((rest, text));
        } else if pattern.is_empty() && text.is_empty() {
            return true;
        } else if let Some((byte, after)) = text.split_first()
            && let Some(rest) = one(pattern, *byte)
        {
            (pattern, text) = (rest, after);
        } else if let Some((rest, [_, after @ ..])) = last_star {
            (pattern, text) = (rest, after);
            last_star = Some((rest, after));
        } else {
            return false;
        }
    }
}

/// Matches one byte with what the pattern begins with, and returns what comes after that.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [] => None,
        [b'?', rest @ ..] => Some(rest),
        [b'[', class @ ..] => one_of(class, byte),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (*literal == byte).then_some(rest),
    }
}

/// The same with a class. One that is not closed ends with the pattern, as in Redis.
fn one_of(class: &[u8], byte: u8) -> Option<&[u8]> {
    let (negated, mut class) = match class {
        [b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut found = false;
    loop {
        class = match class {
            [b'\\', literal, rest @ ..] => {
                found |= *literal == byte;
                rest
            }
            [b']', rest @ ..] => return (found != negated).then_some(rest),
            [from, b'-', to, rest @ ..] => {
                found |= (*from.min(to)..=*from.max(to)).contains(&byte);
                rest
            }
            [literal, rest @ ..] => {
                found |= *literal == byte;
                rest
            }
            [] => return (found != negated).then_some(&[]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_redis() {
        let matching = ["foo", "*", "f*", "*o", "f*o*", "f?o**", "fo[^x]", "fo[a-z]", "fo[z-a]"];
        for pattern in matching.into_iter().chain(["fo[o", "fo\\o", "***foo", "fo[\\o]", "[f]oo"]) {
            assert!(matches(pattern.as_bytes(), b"foo"), "{pattern}");
        }
        for pattern in ["", "fo", "fooo", "foo?", "[", "foo\\", "b*", "*x*", "fo[^o]", "f\\*"] {
            assert!(!matches(pattern.as_bytes(), b"foo"), "{pattern}");
        }
        assert!(matches(b"", b"") && matches(b"*", b"") && !matches(b"?", b""));
    }

    #[test]
    fn many_stars_take_no_longer() {
        let pattern = b"a*".repeat(200);
        assert!(!matches(&[&pattern[..], b"b"].concat(), &b"a".repeat(20_000)));
    }
}
