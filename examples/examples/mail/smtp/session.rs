//! The session: what a client has said so far, and what it is told.

use std::fmt::Write;
use std::net::IpAddr;

use zen_proto::{Address, Answer, CloseReason, Ending, Flow, Peer, Service, Tls};

use super::command::{BadCommand, Command};
use super::framing::{BareLineEnd, Received, SmtpFraming};
use super::sink::{Mail, Sink, Undelivered};

/// How many recipients a mail may have. The standard asks for 100.
const RECIPIENTS: usize = 100;

/// After this many refusals in a row the client is sent away.
const REFUSALS: u32 = 20;

type Reply<'a> = Answer<'a, SmtpFraming>;

/// One client's session. Received mails go to a sink.
#[derive(Debug, Clone)]
pub(crate) struct Session<K> {
    sink: K,
    /// What the server calls itself.
    host: String,
    /// Whether the session is under TLS, or can be.
    tls: Tls,
    /// What the client calls itself, once it has.
    client: Option<String>,
    /// The client knows extensions.
    extended: bool,
    transaction: Option<Transaction>,
    /// How many commands in a row were refused.
    refusals: u32,
}

/// A mail that is announced and has not come yet.
#[derive(Debug, Clone)]
struct Transaction {
    sender: String,
    recipients: Vec<String>,
}

impl<K: Sink> Session<K> {
    pub(crate) const fn new(sink: K) -> Self {
        Self {
            sink,
            host: String::new(),
            tls: Tls::Unavailable,
            client: None,
            extended: false,
            transaction: None,
            refusals: 0,
        }
    }

    fn obey(&mut self, command: Command<'_>, answer: &mut Reply<'_>) -> Flow {
        match command {
            Command::Hello { client, extended } => self.hello(client, extended, answer),
            Command::Mail { sender, parameters } => self.begin(sender, parameters, answer),
            Command::Recipient { recipient, parameters } => self.add(recipient, parameters, answer),
            Command::Data => self.expect_mail(answer),
            Command::Reset => {
                self.transaction = None;
                self.accept("250 2.0.0 reset", answer)
            }
            // Names are not disclosed. RFC 5321 has a reply for that.
            Command::Verify => self.accept("252 2.5.0 cannot verify, but mail is accepted", answer),
            Command::StartTls => self.start_tls(answer),
            Command::Nothing => self.accept("250 2.0.0 done", answer),
            Command::Help => self.accept(
                "214 2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT, as in RFC 5321",
                answer,
            ),
            Command::Quit => {
                self.accept("221 2.0.0 goodbye", answer);
                Flow::Close
            }
        }
    }

    fn hello(&mut self, client: &str, extended: bool, answer: &mut Reply<'_>) -> Flow {
        self.client = Some(client.to_owned());
        self.extended = extended;
        self.transaction = None;
        self.refusals = 0;
        let host = &self.host;
        // Writing an answer does not fail.
        let _ = if extended {
            let size = answer.framing_mut().mail_size();
            let tls = if self.tls == Tls::Offered { "250-STARTTLS\r\n" } else { "" };
            write!(
                answer,
                "250-{host} at your service, {client}\r\n250-PIPELINING\r\n250-SIZE {size}\r\n\
                 250-8BITMIME\r\n{tls}250-ENHANCEDSTATUSCODES\r\n250 HELP"
            )
        } else {
            write!(answer, "250 {host}")
        };
        Flow::Continue
    }

    fn begin(&mut self, sender: &str, parameters: &str, answer: &mut Reply<'_>) -> Flow {
        if self.client.is_none() {
            return self.refuse("503 5.5.1 say EHLO or HELO first", answer);
        }
        if self.transaction.is_some() {
            return self.refuse("503 5.5.1 a mail has begun already", answer);
        }
        if let Err(reply) = self.check(parameters, answer.framing_mut().mail_size()) {
            return self.refuse(reply, answer);
        }
        self.transaction = Some(Transaction { sender: sender.to_owned(), recipients: Vec::new() });
        self.accept("250 2.1.0 sender accepted", answer)
    }

    /// Checks the parameters of `MAIL`.
    fn check(&self, parameters: &str, mail_size: usize) -> Result<(), &'static str> {
        const NOT_RECOGNIZED: &str = "555 5.5.4 parameter not recognized";
        for parameter in parameters.split_ascii_whitespace() {
            let (keyword, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match keyword.to_ascii_uppercase().as_str() {
                _ if !self.extended => return Err(NOT_RECOGNIZED),
                "SIZE" if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) => {
                    return Err("501 5.5.4 syntax: SIZE=bytes");
                }
                // A number that is too long to be one is too large as well.
                "SIZE" if value.parse::<usize>().map_or(true, |size| size > mail_size) => {
                    return Err(TOO_LARGE);
                }
                "SIZE" => {}
                "BODY" if ["7BIT", "8BITMIME"].iter().any(|body| body.eq_ignore_ascii_case(value)) => {}
                "BODY" => return Err("501 5.5.4 syntax: BODY=7BIT or BODY=8BITMIME"),
                _ => return Err(NOT_RECOGNIZED),
            }
        }
        Ok(())
    }

    fn add(&mut self, recipient: &str, parameters: &str, answer: &mut Reply<'_>) -> Flow {
        let known = self.sink.knows(recipient);
        let Some(transaction) = &mut self.transaction else {
            return self.refuse("503 5.5.1 say MAIL first", answer);
        };
        if !parameters.is_empty() {
            return self.refuse("555 5.5.4 parameter not recognized", answer);
        }
        if transaction.recipients.len() == RECIPIENTS {
            return self.refuse("452 4.5.3 too many recipients", answer);
        }
        if !known {
            return self.refuse("550 5.1.1 no such mailbox", answer);
        }
        transaction.recipients.push(recipient.to_owned());
        self.accept("250 2.1.5 recipient accepted", answer)
    }

    fn expect_mail(&mut self, answer: &mut Reply<'_>) -> Flow {
        match &self.transaction {
            None => self.refuse("503 5.5.1 say MAIL first", answer),
            Some(transaction) if transaction.recipients.is_empty() => {
                self.refuse("554 5.5.1 no valid recipients", answer)
            }
            Some(_) => {
                answer.framing_mut().expect_mail();
                self.accept("354 end with a dot on a line of its own", answer)
            }
        }
    }

    fn deliver(&mut self, content: &[u8], answer: &mut Reply<'_>) -> Flow {
        let Some(Transaction { sender, recipients }) = self.transaction.take() else {
            return self.refuse("503 5.5.1 say MAIL first", answer);
        };
        let client = self.client.as_deref().unwrap_or_default();
        let mail = Mail { client, sender: &sender, recipients: &recipients, content };
        match self.sink.deliver(&mail) {
            Ok(()) => self.accept("250 2.0.0 mail accepted", answer),
            Err(Undelivered::Later) => self.refuse("451 4.3.0 not now; try again later", answer),
            Err(Undelivered::Never) => self.refuse("554 5.3.0 mail refused", answer),
        }
    }

    fn start_tls(&mut self, answer: &mut Reply<'_>) -> Flow {
        match self.tls {
            Tls::Unavailable => self.refuse(&BadCommand::NotImplemented.to_string(), answer),
            Tls::Active => self.refuse("503 5.5.1 TLS has started already", answer),
            Tls::Offered => {
                self.accept("220 2.0.0 ready to start TLS", answer);
                Flow::StartTls
            }
        }
    }

    fn accept(&mut self, reply: &str, answer: &mut Reply<'_>) -> Flow {
        self.refusals = 0;
        answer.put(reply.as_bytes());
        Flow::Continue
    }

    fn refuse(&mut self, reply: &str, answer: &mut Reply<'_>) -> Flow {
        self.refusals += 1;
        answer.put(reply.as_bytes());
        if self.refusals < REFUSALS {
            return Flow::Continue;
        }
        let _ = write!(answer, "\r\n421 4.7.0 {} too many errors", self.host);
        Flow::Close
    }
}

const TOO_LARGE: &str = "552 5.3.4 mail too large";

impl<K: Sink> Service<SmtpFraming> for Session<K> {
    fn open(&mut self, peer: &Peer, answer: &mut Reply<'_>) -> Flow {
        self.host = match &peer.local {
            Address::Ip(local) => literal(local.ip()),
            _ => "localhost".to_owned(),
        };
        self.tls = peer.tls;
        let _ = write!(answer, "220 {} ESMTP zen", self.host);
        Flow::Continue
    }

    fn answer(&mut self, received: Received<'_>, answer: &mut Reply<'_>) -> Flow {
        match received {
            Received::Command(line) => match Command::parse(line) {
                Ok(command) => self.obey(command, answer),
                Err(error) => self.refuse(&error.to_string(), answer),
            },
            Received::CommandTooLong => self.refuse("500 5.5.2 line too long", answer),
            Received::Mail(content) => self.deliver(&content, answer),
            Received::MailTooLarge => {
                self.transaction = None;
                self.refuse(TOO_LARGE, answer)
            }
        }
    }

    /// Nothing that was said in plain text counts (RFC 3207, 4.2).
    fn tls_started(&mut self, _answer: &mut Reply<'_>) -> Flow {
        self.tls = Tls::Active;
        self.client = None;
        self.extended = false;
        self.transaction = None;
        self.refusals = 0;
        Flow::Silent
    }

    fn last_words(&mut self, ending: Ending<'_, BareLineEnd>, answer: &mut Reply<'_>) -> Flow {
        let host = &self.host;
        let _ = match ending {
            Ending::Malformed(error) => write!(answer, "521 5.5.2 {host} does not take {error}"),
            Ending::TooLong { .. } if answer.framing_mut().is_in_mail() => write!(answer, "{TOO_LARGE}"),
            Ending::TooLong { .. } => write!(answer, "500 5.5.2 line too long"),
            Ending::Deadline(CloseReason::AnswerDeadline) => {
                write!(answer, "421 4.3.0 {host} cannot answer now")
            }
            Ending::Deadline(_) => write!(answer, "421 4.4.2 {host} has waited too long"),
            Ending::Drained => write!(answer, "421 4.3.2 {host} is shutting down"),
            _ => return Flow::Silent,
        };
        Flow::Close
    }
}

/// A host without a name is called by its address.
fn literal(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[IPv6:{address}]"),
    }
}
