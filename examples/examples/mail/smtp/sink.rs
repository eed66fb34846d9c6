//! The sink: where mails go.

/// A mail, and what its client has said about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mail<'a> {
    /// What the client calls itself.
    pub(crate) client: &'a str,
    /// Where to send a notice if it cannot be delivered; empty for a mail that is such a notice.
    pub(crate) sender: &'a str,
    /// Whom it is for. There is at least one.
    pub(crate) recipients: &'a [String],
    /// Header and body; each line ends with CRLF.
    pub(crate) content: &'a [u8],
}

/// Why a mail was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undelivered {
    /// The client should try again.
    Later,
    /// The client should not try again.
    Never,
}

/// Takes mails. Each conversation has a clone of its own.
pub(crate) trait Sink: Clone {
    /// Whether mail for `recipient` is taken at all.
    fn knows(&self, recipient: &str) -> bool;

    /// Takes the mail. Once this returns, the client is told that the server has it.
    fn deliver(&mut self, mail: &Mail<'_>) -> Result<(), Undelivered>;
}
