//! The sink: where mails go.

/// A mail, and what was said about it before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mail<'a> {
    /// What the client calls itself.
    pub(crate) client: &'a str,
    /// Whom to tell if it cannot be delivered; empty for a mail that is itself such news.
    pub(crate) sender: &'a str,
    /// Whom it is for; one at least.
    pub(crate) recipients: &'a [String],
    /// Header and body; each line ends with CRLF.
    pub(crate) content: &'a [u8],
}

/// Why a mail was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undelivered {
    /// The client should try again.
    Later,
    /// The client should not.
    Never,
}

/// Takes mails. Each conversation has a clone of its own.
pub(crate) trait Sink: Clone {
    /// Whether mail for `recipient` is taken at all.
    fn knows(&self, recipient: &str) -> bool;

    /// Takes the mail. The client is told that it is in good hands once this returns.
    fn deliver(&mut self, mail: &Mail<'_>) -> Result<(), Undelivered>;
}
