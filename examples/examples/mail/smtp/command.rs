//! Commands: what a line says, and what is wrong with it.

use super::address;

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    /// The client says its name, and whether it knows extensions (`EHLO`).
    Hello {
        client: &'a str,
        extended: bool,
    },
    /// A mail begins.
    Mail {
        sender: &'a str,
        parameters: &'a str,
    },
    /// One recipient of the mail.
    Recipient {
        recipient: &'a str,
        parameters: &'a str,
    },
    Data,
    Reset,
    Verify,
    StartTls,
    Nothing,
    Help,
    Quit,
}

/// Why a line is no command, with the reply that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadCommand {
    #[error("500 5.5.1 command not recognized")]
    Unknown,
    #[error("500 5.5.2 a command is printable ASCII")]
    NotText,
    #[error("502 5.5.1 command not implemented")]
    NotImplemented,
    #[error("501 5.5.4 syntax: {0}")]
    Arguments(&'static str),
    #[error("501 5.1.7 the sender's address is not valid")]
    Sender,
    #[error("501 5.1.3 the recipient's address is not valid")]
    Recipient,
}

/// The commands of the standards that are not offered here.
const NOT_IMPLEMENTED: [&str; 9] = ["EXPN", "TURN", "SEND", "SOML", "SAML", "ETRN", "ATRN", "AUTH", "BDAT"];

impl<'a> Command<'a> {
    /// Reads a line without its line end.
    pub(crate) fn parse(line: &'a [u8]) -> Result<Self, BadCommand> {
        let line = str::from_utf8(line).ok().filter(|line| line.chars().all(is_text));
        let line = line.ok_or(BadCommand::NotText)?.trim_end();
        let (verb, arguments) = line.split_once(' ').unwrap_or((line, ""));
        let arguments = arguments.trim_start();
        let bare = |command, syntax| {
            if arguments.is_empty() { Ok(command) } else { Err(BadCommand::Arguments(syntax)) }
        };
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => hello(arguments, true),
            "HELO" => hello(arguments, false),
            "MAIL" => mail(arguments),
            "RCPT" => recipient(arguments),
            "DATA" => bare(Self::Data, "DATA"),
            "RSET" => bare(Self::Reset, "RSET"),
            "STARTTLS" => bare(Self::StartTls, "STARTTLS"),
            "QUIT" => bare(Self::Quit, "QUIT"),
            "NOOP" => Ok(Self::Nothing),
            "HELP" => Ok(Self::Help),
            "VRFY" if arguments.is_empty() => Err(BadCommand::Arguments("VRFY name")),
            "VRFY" => Ok(Self::Verify),
            verb if NOT_IMPLEMENTED.contains(&verb) => Err(BadCommand::NotImplemented),
            _ => Err(BadCommand::Unknown),
        }
    }
}

/// Characters outside ASCII count as text here: an address with one has an error of its own.
fn is_text(char: char) -> bool {
    !char.is_control() || char == '\t'
}

fn hello(client: &str, extended: bool) -> Result<Command<'_>, BadCommand> {
    if address::is_host(client) {
        Ok(Command::Hello { client, extended })
    } else {
        Err(BadCommand::Arguments(if extended { "EHLO host" } else { "HELO host" }))
    }
}

fn mail(arguments: &str) -> Result<Command<'_>, BadCommand> {
    let rest = after(arguments, "FROM:").ok_or(BadCommand::Arguments("MAIL FROM:<address>"))?;
    let (sender, parameters) =
        address::path_or_none(rest).and_then(with_parameters).ok_or(BadCommand::Sender)?;
    Ok(Command::Mail { sender, parameters })
}

fn recipient(arguments: &str) -> Result<Command<'_>, BadCommand> {
    let rest = after(arguments, "TO:").ok_or(BadCommand::Arguments("RCPT TO:<address>"))?;
    let (recipient, parameters) =
        address::recipient(rest).and_then(with_parameters).ok_or(BadCommand::Recipient)?;
    Ok(Command::Recipient { recipient, parameters })
}

/// What is behind the keyword. White space behind the colon is wrong, but so common that all take
/// it.
fn after<'a>(arguments: &'a str, keyword: &str) -> Option<&'a str> {
    let (found, rest) = arguments.split_at_checked(keyword.len())?;
    found.eq_ignore_ascii_case(keyword).then(|| rest.trim_start())
}

/// Behind an address comes nothing, or a space and the parameters.
fn with_parameters<'a>((address, rest): (&'a str, &'a str)) -> Option<(&'a str, &'a str)> {
    (rest.is_empty() || rest.starts_with(' ')).then(|| (address, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_and_keywords_are_of_any_case() {
        let expected = Command::Mail { sender: "a@b", parameters: "size=5 body=7bit" };
        assert_eq!(Command::parse(b"mAIL fROM: <a@b>  size=5 body=7bit "), Ok(expected));
        let expected = Command::Recipient { recipient: "a@b", parameters: "" };
        assert_eq!(Command::parse(b"rcpt to:<a@b>"), Ok(expected));
        let expected = Command::Hello { client: "x.org", extended: true };
        assert_eq!(Command::parse(b"Ehlo x.org"), Ok(expected));
    }

    #[test]
    fn each_mistake_has_its_reply() {
        use BadCommand::{Arguments, NotImplemented, NotText, Recipient, Sender, Unknown};
        for (line, error) in [
            (&b""[..], Unknown),
            (b"FOO bar", Unknown),
            (b" NOOP", Unknown),
            (b"NOOP\0", NotText),
            (b"NOOP\xff", NotText),
            (b"EXPN list", NotImplemented),
            (b"STARTTLS now", Arguments("STARTTLS")),
            (b"EHLO", Arguments("EHLO host")),
            (b"HELO a b", Arguments("HELO host")),
            (b"RSET now", Arguments("RSET")),
            (b"DATA now", Arguments("DATA")),
            (b"VRFY", Arguments("VRFY name")),
            (b"MAIL <a@b>", Arguments("MAIL FROM:<address>")),
            ("MAIL FROÄ:<a@b>".as_bytes(), Arguments("MAIL FROM:<address>")),
            (b"MAIL FROM:a@b", Sender),
            (b"MAIL FROM:<a@b>SIZE=1", Sender),
            ("MAIL FROM:<ä@b>".as_bytes(), Sender),
            (b"RCPT TO:<>", Recipient),
            (b"RCPT TO:<a b@c>", Recipient),
        ] {
            assert_eq!(Command::parse(line), Err(error), "{}", line.escape_ascii());
        }
    }
}
