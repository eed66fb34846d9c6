//! The server's half of SMTP (RFC 5321), with PIPELINING, SIZE, 8BITMIME, STARTTLS
//! (RFC 3207) and enhanced status codes.

mod address;
mod command;
mod framing;
mod session;
mod sink;

pub(crate) use framing::{MAIL_SIZE, SmtpFraming};
pub(crate) use session::Session;
pub(crate) use sink::{Mail, Sink, Undelivered};
