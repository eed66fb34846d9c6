//! Whole numbers as Redis reads them: no sign but one minus, no leading zero, no space.

/// The number that is written in `text`.
pub(crate) fn parse(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [] => return None,
        [b'0', ..] => return (text == b"0").then_some(0),
        _ => {}
    }
    let mut magnitude: u64 = 0;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn only_the_canonical_text_is_a_number() {
        for number in [0, 1, -1, 10, 1_234_567, i64::MAX, i64::MIN] {
            assert_eq!(parse(number.to_string().as_bytes()), Some(number));
        }
        let wrong = ["", "-", "+1", " 1", "1 ", "01", "-0", "-01", "1x", "9223372036854775808"];
        for text in wrong.into_iter().chain(["-9223372036854775809", "99999999999999999999", "--1"]) {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
