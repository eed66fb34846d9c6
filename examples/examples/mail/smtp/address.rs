//! Addresses and domains: what RFC 5321 allows, and where they end.

/// The longest local part and the longest domain, in bytes.
const LOCAL_PART: usize = 64;
const DOMAIN: usize = 255;

/// Reads `<address>` at the front of `text`, and returns the address and what is behind it. A route
/// before the address (`<@relay:a@b>`) is skipped, as the standard asks.
pub(crate) fn path(text: &str) -> Option<(&str, &str)> {
    let inside = skip_route(text.strip_prefix('<')?)?;
    let local = local_part(inside)?;
    let rest = inside[local..].strip_prefix('@')?;
    let domain = rest.find('>')?;
    let address = &inside[..local + 1 + domain];
    (local <= LOCAL_PART && is_host(&rest[..domain])).then(|| (address, &rest[domain + 1..]))
}

/// The same, where there may be none: `<>`.
pub(crate) fn path_or_none(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("<>").map(|rest| ("", rest)).or_else(|| path(text))
}

/// The same for a recipient: `<Postmaster>` needs no domain.
pub(crate) fn recipient(text: &str) -> Option<(&str, &str)> {
    const POSTMASTER: &str = "postmaster";
    let (name, rest) = text.strip_prefix('<')?.split_once('>')?;
    if name.eq_ignore_ascii_case(POSTMASTER) { Some((name, rest)) } else { path(text) }
}

/// Whether a client may call itself so: a domain, or an address literal like `[127.0.0.1]`.
pub(crate) fn is_host(text: &str) -> bool {
    if let Some(literal) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return is_address_literal(literal);
    }
    text.len() <= DOMAIN && text.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    // An underscore is not allowed in a domain, but is found in many a host's name.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=63).contains(&label.len())
        && label.bytes().all(allowed)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn is_address_literal(text: &str) -> bool {
    match text.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => text[5..].parse::<std::net::Ipv6Addr>().is_ok(),
        _ => text.parse::<std::net::Ipv4Addr>().is_ok(),
    }
}

fn skip_route(text: &str) -> Option<&str> {
    if !text.starts_with('@') {
        return Some(text);
    }
    let (route, rest) = text.split_once(':')?;
    let is_hop = |hop: &str| hop.strip_prefix('@').is_some_and(is_host);
    route.split(',').all(is_hop).then_some(rest)
}

/// How long the local part is that `text` begins with: atoms with dots between them, or a quoted
/// string.
fn local_part(text: &str) -> Option<usize> {
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted_string(quoted).map(|length| length + 1);
    }
    let length = text.find(['@', '>'])?;
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atom_byte);
    text[..length].split('.').all(is_atom).then_some(length)
}

fn is_atom_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// How long the quoted string is, from behind its first quote to behind its last.
fn quoted_string(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(at + 1),
            b'\\' => {
                bytes.next().filter(|(_, escaped)| matches!(escaped, b' '..=b'~'))?;
            }
            b' '..=b'~' => {}
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_standard_allows_is_an_address() {
        for (text, address) in [
            ("<a@b>", "a@b"),
            ("<a.b+c=d@example.org>", "a.b+c=d@example.org"),
            ("<@x.org,@y.org:a@b>", "a@b"),
            (r#"<"a b>\"@"@b>"#, r#""a b>\"@"@b"#),
            ("<a@[127.0.0.1]>", "a@[127.0.0.1]"),
            ("<a@[IPv6:::1]>", "a@[IPv6:::1]"),
        ] {
            assert_eq!(path(text), Some((address, "")), "{text}");
            assert_eq!(path(&format!("{text} SIZE=1")), Some((address, " SIZE=1")), "{text}");
        }
    }

    #[test]
    fn nothing_else_is_an_address() {
        let long = format!("<{}@b>", "a".repeat(65));
        let long_domain = format!("<a@{}b>", "b.".repeat(128));
        for text in [
            "",
            "<",
            "<>",
            "<a>",
            "<a@>",
            "<@b>",
            "a@b",
            "<a@b",
            "<a@b c>",
            "<a b@c>",
            "<.a@b>",
            "<a..b@c>",
            "<a.@b>",
            "<a@-b>",
            "<a@b.>",
            "<a@b..c>",
            "<a@[1.2.3]>",
            "<a@[x]>",
            "<a@[IPv6:1]>",
            "<\"a@b>",
            "<\"a\u{1}\"@b>",
            "<a@b@c>",
            "<@x:>",
            "<@x a@b>",
            "<ä@b>",
            "<a@ä>",
            &long,
            &long_domain,
        ] {
            assert_eq!(path(text), None, "{text}");
        }
    }

    #[test]
    fn a_sender_may_be_missing_and_the_postmaster_needs_no_domain() {
        assert_eq!(path_or_none("<> BODY=7BIT"), Some(("", " BODY=7BIT")));
        assert_eq!(path_or_none("<a>"), None);
        assert_eq!(recipient("<PostMaster>"), Some(("PostMaster", "")));
        assert_eq!(recipient("<a@b>"), Some(("a@b", "")));
        assert_eq!(recipient("<>"), None);
    }
}
