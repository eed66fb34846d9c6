//! How the bytes of a client are cut into command lines and mails.

use std::borrow::Cow;

use zen_proto::{Decoded, Ending, Framing, Output, Unsendable};

/// The longest command line, its line end included, in bytes. RFC 5321 asks for 512, and the
/// parameters of SIZE and 8BITMIME for 43 more.
pub(crate) const COMMAND_LINE: usize = 1000;

/// The largest mail that is taken unless [`SmtpFraming::new`] is told another, in bytes.
pub(crate) const MAIL_SIZE: usize = 10 * 1024 * 1024;

/// The line that ends a mail.
const END_OF_MAIL: &[u8] = b".\r\n";

/// What a client sends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received<'a> {
    /// A command line, without its line end.
    Command(&'a [u8]),
    /// A command line that was longer than [`COMMAND_LINE`], and was discarded.
    CommandTooLong,
    /// A mail: header and body, without the dots that the client has put before lines that begin
    /// with one. It borrows from the input unless there are such lines.
    Mail(Cow<'a, [u8]>),
    /// A mail that was larger than the limit, and was discarded.
    MailTooLarge,
}

/// Why the bytes of a client can never become a mail.
///
/// Line ends decide where a mail ends. Servers that disagree about them can be made to see two
/// mails where there is one ("SMTP smuggling"), so only CRLF is a line end in a mail, and CR and LF
/// may not stand alone in it, as RFC 5321 has it (2.3.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BareLineEnd {
    #[error("a carriage return without its line feed")]
    CarriageReturn,
    #[error("a line feed without its carriage return")]
    LineFeed,
}

/// The framing of SMTP. It cuts command lines until the service expects a mail, then a mail, then
/// command lines again.
///
/// A command line ends with LF, whether or not a CR precedes it, so that a person may type
/// commands. See [`BareLineEnd`] for mails. Lines in mails may be of any length.
///
/// What is too long is discarded as it arrives, up to its end, and the conversation goes on. A
/// deadline bounds how long that takes.
#[derive(Debug, Clone)]
pub(crate) struct SmtpFraming {
    mail_size: usize,
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    Commands {
        /// How much of the input holds no line end.
        scanned: usize,
        /// The line is longer than the limit, and its beginning was discarded.
        too_long: bool,
    },
    Mail(Lines),
}

/// How far a mail has been looked at. Positions count from the first byte of the input.
#[derive(Debug, Clone, Default)]
struct Lines {
    /// Where the line begins that is not whole yet.
    line: usize,
    /// The beginning of that line was discarded.
    inside: bool,
    /// How much of the input was looked at.
    scanned: usize,
    /// How many dots will be taken out.
    dots: usize,
    /// The mail is larger than the limit, so that nothing of it is kept.
    too_large: bool,
}

impl SmtpFraming {
    /// Takes mails of up to `mail_size` bytes.
    pub(crate) const fn new(mail_size: usize) -> Self {
        Self { mail_size, state: COMMANDS }
    }

    pub(crate) const fn mail_size(&self) -> usize {
        self.mail_size
    }

    /// The next message is a mail.
    pub(crate) fn expect_mail(&mut self) {
        self.state = State::Mail(Lines::default());
    }

    pub(crate) const fn is_in_mail(&self) -> bool {
        matches!(self.state, State::Mail(_))
    }

    /// A mail as long as allowed may have a dot before each of its lines, the shortest of which are
    /// of three bytes; then comes its last line.
    const fn mail_on_the_wire(&self) -> usize {
        self.mail_size.saturating_add(self.mail_size / 3 + 8)
    }
}

const COMMANDS: State = State::Commands { scanned: 0, too_long: false };

impl Framing for SmtpFraming {
    type Message<'a> = Received<'a>;
    type Error = BareLineEnd;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Decoded<Received<'a>, BareLineEnd> {
        match &mut self.state {
            State::Commands { scanned, too_long } => decode_command(input, scanned, too_long),
            State::Mail(lines) => {
                let decoded = lines.decode(input, self.mail_size);
                if matches!(decoded, Decoded::Whole { .. }) {
                    self.state = COMMANDS;
                }
                decoded
            }
        }
    }

    /// Every reply ends with a line end.
    fn end(&mut self, output: &mut Output<'_>, _start: usize) -> Result<(), Unsendable> {
        output.put(b"\r\n");
        Ok(())
    }

    /// The SIZE that the client is told is what the operator's limit leaves for a mail, also for
    /// one that needs a dot before each of its lines.
    fn configure(&mut self, message_limit: Option<usize>) {
        if let Some(limit) = message_limit {
            self.mail_size = self.mail_size.min(limit.saturating_sub(8) / 4 * 3);
        }
    }

    /// A service that has failed cannot speak, so this does.
    fn last_words(&mut self, ending: &Ending<'_, BareLineEnd>, output: &mut Output<'_>) {
        if matches!(ending, Ending::Failed) {
            output.put(b"421 4.3.0 internal error, closing\r\n");
        }
    }

    fn message_limit(&self, configured: Option<usize>) -> usize {
        let limit = if self.is_in_mail() { self.mail_on_the_wire() } else { COMMAND_LINE };
        configured.map_or(limit, |configured| configured.min(limit))
    }

    /// The mail as it came, and a copy of it without the dots.
    fn memory_bound(&self, configured: Option<usize>) -> usize {
        let wire = self.mail_on_the_wire();
        let kept = configured.map_or(wire, |configured| configured.min(wire)).max(COMMAND_LINE);
        kept.saturating_add(self.mail_size.min(kept))
    }
}

fn decode_command<'a>(
    input: &'a [u8],
    scanned: &mut usize,
    too_long: &mut bool,
) -> Decoded<Received<'a>, BareLineEnd> {
    let Some(at) = memchr::memchr(b'\n', &input[*scanned..]) else {
        if *too_long || input.len() >= COMMAND_LINE {
            (*scanned, *too_long) = (0, true);
            return Decoded::nothing(input.len());
        }
        *scanned = input.len();
        return Decoded::partial(input.len() + 1);
    };
    let (line_feed, end) = (*scanned + at, *scanned + at + 1);
    *scanned = 0;
    if std::mem::take(too_long) || end > COMMAND_LINE {
        return Decoded::Whole { start: line_feed, end, message: Received::CommandTooLong };
    }
    let line = &input[..line_feed];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Decoded::whole(end, Received::Command(line))
}

impl Lines {
    fn decode<'a>(&mut self, input: &'a [u8], mail_size: usize) -> Decoded<Received<'a>, BareLineEnd> {
        while let Some(at) = memchr::memchr2(b'\r', b'\n', &input[self.scanned..]) {
            let at = self.scanned + at;
            let end = match (input[at], input.get(at + 1)) {
                (b'\n', _) => return Decoded::Malformed(BareLineEnd::LineFeed),
                (_, Some(b'\n')) => at + 2,
                (_, Some(_)) => return Decoded::Malformed(BareLineEnd::CarriageReturn),
                (_, None) => {
                    self.scanned = at;
                    return self.partial(input, mail_size);
                }
            };
            if &input[self.line..end] == END_OF_MAIL && !self.inside {
                return self.whole(input, mail_size);
            }
            self.dots += usize::from(input[self.line] == b'.');
            (self.line, self.scanned, self.inside) = (end, end, false);
        }
        self.scanned = input.len();
        self.partial(input, mail_size)
    }

    /// `self.line` is where the last line begins, which is no part of the mail.
    fn whole<'a>(&self, input: &'a [u8], mail_size: usize) -> Decoded<Received<'a>, BareLineEnd> {
        let end = self.line + END_OF_MAIL.len();
        if self.too_large || self.line - self.dots > mail_size {
            return Decoded::Whole { start: self.line, end, message: Received::MailTooLarge };
        }
        let mail = &input[..self.line];
        let mail = if self.dots == 0 { mail.into() } else { self.without_dots(mail).into() };
        Decoded::whole(end, Received::Mail(mail))
    }

    fn without_dots(&self, mail: &[u8]) -> Vec<u8> {
        let mut plain = Vec::with_capacity(mail.len() - self.dots);
        for line in mail.split_inclusive(|byte| *byte == b'\n') {
            plain.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        plain
    }

    fn partial<'a>(&mut self, input: &[u8], mail_size: usize) -> Decoded<Received<'a>, BareLineEnd> {
        let begun = input.len() - self.line;
        // Two bytes may still become the last line, which does not count.
        let counted = if begun < END_OF_MAIL.len() { 0 } else { begun };
        // A line that is not whole may have its dot still, which does not count either.
        self.too_large |= (self.line + counted).saturating_sub(self.dots + 1) > mail_size;
        if self.too_large {
            return self.discard(input);
        }
        Decoded::partial(input.len() + 1)
    }

    /// Keeps no more than what may become the last line, and a CR that waits for its LF.
    fn discard<'a>(&mut self, input: &[u8]) -> Decoded<Received<'a>, BareLineEnd> {
        let begun = input.len() - self.line;
        let skip = if begun < END_OF_MAIL.len() {
            self.line
        } else {
            self.inside = true;
            self.scanned
        };
        self.line = 0;
        self.dots = 0;
        self.scanned -= skip;
        Decoded::nothing(skip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that `input` is decoded to, when it comes in pieces that end at `cuts`. A command
    /// `DATA` switches to mails, as the service does.
    fn decode(input: &[u8], cuts: &[usize], mail_size: usize) -> (Vec<String>, Option<BareLineEnd>) {
        let mut framing = SmtpFraming::new(mail_size);
        let (mut from, mut received) = (0, Vec::new());
        for to in cuts.iter().copied().chain([input.len()]) {
            while from < to {
                match framing.decode(&input[from..to]) {
                    Decoded::Partial { start, end } => {
                        assert!(start <= to - from && end - start <= framing.message_limit(None));
                        from += start;
                        break;
                    }
                    Decoded::Whole { start, end, message } => {
                        let expect_mail = message == Received::Command(b"DATA");
                        received.push(match message {
                            Received::Command(line) => line.escape_ascii().to_string(),
                            Received::Mail(mail) => format!("<{}>", mail.escape_ascii()),
                            other => format!("{other:?}"),
                        });
                        assert!(start < end && end <= to - from);
                        from += end;
                        if expect_mail {
                            framing.expect_mail();
                        }
                    }
                    Decoded::Malformed(error) => return (received, Some(error)),
                    _ => unreachable!("no other case exists yet"),
                }
            }
        }
        (received, None)
    }

    fn with_every_cut(input: &[u8], mail_size: usize, expected: &[&str], error: Option<BareLineEnd>) {
        let expected: Vec<_> = expected.iter().map(|line| (*line).to_owned()).collect();
        for first in 0..=input.len() {
            for second in first..=input.len() {
                let decoded = decode(input, &[first, second], mail_size);
                assert_eq!(decoded, (expected.clone(), error), "{} {first} {second}", input.escape_ascii());
            }
        }
        let byte_by_byte: Vec<_> = (0..input.len()).collect();
        assert_eq!(decode(input, &byte_by_byte, mail_size), (expected, error), "byte by byte");
    }

    #[test]
    fn commands_and_mails_are_cut_alike_however_they_arrive() {
        with_every_cut(
            b"NOOP\r\nDATA\r\na\r\n.\r\nQUIT\r\n",
            100,
            &["NOOP", "DATA", "<a\\r\\n>", "QUIT"],
            None,
        );
        with_every_cut(b"DATA\r\n.\r\nDATA\r\n\r\n.\r\n", 100, &["DATA", "<>", "DATA", "<\\r\\n>"], None);
        with_every_cut(b"a\nb\r\r\n\n", 100, &["a", "b\\r", ""], None);
    }

    #[test]
    fn the_dot_before_a_line_is_taken_out_and_no_other() {
        let mail = b"DATA\r\n..\r\n.x.\r\ny.\r\n. \r\n.\r\nx\n";
        with_every_cut(mail, 100, &["DATA", "<.\\r\\nx.\\r\\ny.\\r\\n \\r\\n>", "x"], None);
    }

    #[test]
    fn only_a_dot_between_two_whole_line_ends_ends_a_mail() {
        let (feed, carriage) = (Some(BareLineEnd::LineFeed), Some(BareLineEnd::CarriageReturn));
        with_every_cut(b"DATA\r\na\n.\r\n", 100, &["DATA"], feed);
        with_every_cut(b"DATA\r\na\r\n.\n", 100, &["DATA"], feed);
        with_every_cut(b"DATA\r\na\r.\r\n", 100, &["DATA"], carriage);
        with_every_cut(b"DATA\r\na\r\r\n", 100, &["DATA"], carriage);
    }

    #[test]
    fn a_mail_may_be_as_large_as_the_limit_and_is_discarded_beyond_it() {
        with_every_cut(b"DATA\r\nabc\r\n.\r\nx\n", 5, &["DATA", "<abc\\r\\n>", "x"], None);
        with_every_cut(b"DATA\r\n..\r\n..\r\n.\r\nx\n", 6, &["DATA", "<.\\r\\n.\\r\\n>", "x"], None);
        for mail in
            ["abcd\r\n", "..\r\n..\r\n", "a\r\nb\r\n", "abcdefghij.\r\n", "abcdefghijk\r\n.c\r\n..\r\n"]
        {
            let input = format!("DATA\r\n{mail}.\r\nx\n");
            with_every_cut(input.as_bytes(), 5, &["DATA", "MailTooLarge", "x"], None);
        }
        with_every_cut(b"DATA\r\nabcdefgh\r\n.\n", 5, &["DATA"], Some(BareLineEnd::LineFeed));
    }

    #[test]
    fn a_long_command_line_is_discarded_up_to_its_end() {
        let fits = [&[b'x'; COMMAND_LINE - 1][..], b"\n"].concat();
        assert_eq!(decode(&fits, &[COMMAND_LINE - 1], 5).0, ["x".repeat(COMMAND_LINE - 1)]);
        for length in [COMMAND_LINE, 3 * COMMAND_LINE] {
            let input = [&vec![b'x'; length][..], b"\nNOOP\r\n"].concat();
            for cuts in [vec![], vec![COMMAND_LINE - 1], vec![COMMAND_LINE], vec![500, length, length + 1]] {
                assert_eq!(decode(&input, &cuts, 5), (vec!["CommandTooLong".into(), "NOOP".into()], None));
            }
        }
    }

    #[test]
    fn an_operators_limit_is_the_size_that_the_client_is_told() {
        for (limit, size) in [(None, 1000), (Some(5000), 1000), (Some(108), 75), (Some(4), 0)] {
            let mut framing = SmtpFraming::new(1000);
            framing.configure(limit);
            assert_eq!(framing.mail_size(), size, "{limit:?}");
            assert!(limit.is_none_or(|limit| size == 0 || framing.mail_on_the_wire() <= limit));
        }
    }

    #[test]
    fn an_endless_mail_keeps_no_memory() {
        let mut framing = SmtpFraming::new(10);
        framing.expect_mail();
        let line = [b'.'; 1000];
        assert_eq!(framing.decode(&line), Decoded::nothing(1000));
        assert_eq!(framing.decode(&line), Decoded::nothing(1000));
        assert_eq!(framing.decode(b"\r"), Decoded::nothing(0));
    }
}
