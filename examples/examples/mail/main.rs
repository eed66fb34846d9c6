//! A mail server that takes every mail and prints a line about each: SMTP (RFC 5321) with
//! PIPELINING, SIZE, 8BITMIME, STARTTLS and enhanced status codes.
//!
//! ```sh
//! cargo run --release -p examples --example mail -- 127.0.0.1:2525 --flavor threaded
//! curl smtp://127.0.0.1:2525 --crlf --mail-from me@here --mail-rcpt you@there -T letter.txt
//! cargo run --release -p examples --example mail -- --compare
//! ```
//!
//! With `--tls-cert FILE --tls-key FILE` it offers STARTTLS.
//!
//! | file | its idea |
//! |---|---|
//! | `smtp/framing.rs` | command lines and mails, in two states of one framing |
//! | `smtp/command.rs`, `smtp/address.rs` | what a line says, and what is wrong with it |
//! | `smtp/session.rs` | the service: greeting, commands in their order, last words |
//! | `smtp/sink.rs` | where mails go |
//! | `lab.rs` | what the lab asks to compare the flavors |

mod lab;
mod smtp;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use examples::{Failure, compare_if_asked, main_with_start_tls};
use smtp::{MAIL_SIZE, Mail, Session, Sink, SmtpFraming, Undelivered};
use zen_proto::Limits;
use zen_server::Options;

/// Prints a line about each mail, and forgets it.
#[derive(Debug, Clone)]
struct Printer;

impl Sink for Printer {
    fn knows(&self, _recipient: &str) -> bool {
        true
    }

    fn deliver(&mut self, mail: &Mail<'_>) -> Result<(), Undelivered> {
        let Mail { client, sender, recipients, content } = mail;
        if content.is_empty() {
            return Err(Undelivered::Never);
        }
        let (recipients, size) = (recipients.join(">,<"), content.len());
        let line = format!("{size} bytes from <{sender}> to <{recipients}> by {client}\n");
        // One write, so that lines of conversations on several threads do not mix.
        io::stdout().lock().write_all(line.as_bytes()).map_err(|_| Undelivered::Later)
    }
}

fn main() -> Result<ExitCode, Failure> {
    if let Some(code) = compare_if_asked(lab::lab)? {
        return Ok(code);
    }
    // RFC 5321 gives clients five minutes for a command (4.5.3.2.7), and they expect it.
    let limits = Limits::default()
        .with_idle_deadline(Duration::from_secs(300))
        .with_question_deadline(Duration::from_secs(300));
    let options = Options::default().with_limits(limits);
    main_with_start_tls(Session::new(Printer), SmtpFraming::new(MAIL_SIZE), options)?;
    Ok(ExitCode::SUCCESS)
}
