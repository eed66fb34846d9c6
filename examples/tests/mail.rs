//! The mail server under every flavor: transcripts with every cut, and the clients of the world.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

mod built;
mod certificate;
mod program;
mod serving;
#[path = "../examples/mail/smtp/mod.rs"]
mod smtp;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use certificate::Certificate;
use examples::{Flavor, Layer};
use program::Program;
use serving::Running;
use smtp::{MAIL_SIZE, Mail, Session, Sink, SmtpFraming, Undelivered};
use zen_proto::Limits;
use zen_server::{Options, tls_config};
use zen_testkit::peers::require_program;
use zen_testkit::{Exchanges, Suite, Transcript};

with_every_flavor!(
    every_command_has_its_reply,
    every_mistake_has_its_reply,
    the_exchanges_hold,
    a_mail_beyond_the_limit_is_refused_and_the_session_goes_on,
    what_ends_a_session_says_so_first,
    half_a_mail_is_no_mail,
    a_stop_and_a_deadline_say_421,
    curl_sends_mail,
    smtplib_sends_mail,
    swaks_sends_mail,
    curl_starts_tls,
    smtplib_starts_tls,
    swaks_starts_tls,
    what_is_said_in_plain_text_counts_for_nothing_under_tls,
);

/// A mail as a sink keeps it: client, sender, recipients, content.
type Kept = (String, String, Vec<String>, Vec<u8>);

/// Keeps mails in memory. It knows everybody but `nobody@…`, and takes none from `later@…` or
/// `never@…`.
#[derive(Debug, Clone, Default)]
struct Memory(Arc<Mutex<Vec<Kept>>>);

impl Sink for Memory {
    fn knows(&self, recipient: &str) -> bool {
        !recipient.starts_with("nobody@")
    }

    fn deliver(&mut self, mail: &Mail<'_>) -> Result<(), Undelivered> {
        match mail.sender.split('@').next() {
            Some("later") => return Err(Undelivered::Later),
            Some("never") => return Err(Undelivered::Never),
            _ => {}
        }
        let kept = (mail.client.into(), mail.sender.into(), mail.recipients.to_vec(), mail.content.into());
        self.0.lock().unwrap().push(kept);
        Ok(())
    }
}

impl Memory {
    fn take(&self) -> Vec<Kept> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn start(flavor: Flavor, mail_size: usize, limits: Limits) -> (Running, Memory, String) {
    start_over(Layer::Plain, flavor, mail_size, limits)
}

fn start_over(layer: Layer, flavor: Flavor, mail_size: usize, limits: Limits) -> (Running, Memory, String) {
    let memory = Memory::default();
    let options = Options::default().with_limits(limits);
    let (session, framing) = (Session::new(memory.clone()), SmtpFraming::new(mail_size));
    let running = Running::start_over(layer, flavor, session, framing, options);
    let host = host(running.address);
    (running, memory, host)
}

/// The same, with a certificate, so that TLS is offered.
fn start_with_tls(flavor: Flavor, name: &str) -> (Running, Memory, Certificate) {
    let certificate = Certificate::new(&format!("{name}-{}", flavor.name()));
    let config = tls_config(&certificate.path("cert.pem"), &certificate.path("key.pem")).unwrap();
    let (running, memory, _) = start_over(Layer::StartTls(config), flavor, MAIL_SIZE, Limits::default());
    (running, memory, certificate)
}

/// What the server calls itself, by its greeting.
fn host(address: SocketAddr) -> String {
    let mut greeting = String::new();
    BufReader::new(TcpStream::connect(address).unwrap()).read_line(&mut greeting).unwrap();
    let host = greeting.strip_prefix("220 ").unwrap().strip_suffix(" ESMTP zen\r\n").unwrap();
    assert_eq!(host, "[127.0.0.1]", "a host without a name is called by its address");
    host.to_owned()
}

/// A transcript of commands, each with its reply. Line ends are added.
fn session(name: &str, host: &str, steps: &[(&str, &str)]) -> Transcript {
    let greeting = format!("220 {host} ESMTP zen\r\n");
    steps.iter().fold(Transcript::new(name).expect(greeting.as_bytes()), |transcript, (command, reply)| {
        let reply = format!("{}\r\n", reply.replace("HOST", host));
        transcript.ask(format!("{command}\r\n").as_bytes(), reply.as_bytes())
    })
}

const QUIT: (&str, &str) = ("QUIT", "221 2.0.0 goodbye");
const HELO: (&str, &str) = ("HELO me.example", "250 HOST");
const EHLO: (&str, &str) = (
    "EHLO me.example",
    "250-HOST at your service, me.example\r\n250-PIPELINING\r\n250-SIZE 10485760\r\n\
     250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 HELP",
);
const MAIL: (&str, &str) = ("MAIL FROM:<a@b>", "250 2.1.0 sender accepted");
const RCPT: (&str, &str) = ("RCPT TO:<c@d>", "250 2.1.5 recipient accepted");
const DATA: (&str, &str) = ("DATA", "354 end with a dot on a line of its own");

fn every_command_has_its_reply(flavor: Flavor) {
    let (running, memory, host) = start(flavor, MAIL_SIZE, Limits::default());
    let session = |name: &str, steps: &[(&str, &str)]| session(name, &host, steps).ends();
    Suite::new([
        session(
            "one mail after another",
            &[
                EHLO,
                MAIL,
                RCPT,
                DATA,
                ("Subject: one\r\n\r\n..\r\n.", "250 2.0.0 mail accepted"),
                ("MAIL FROM:<> SIZE=10 BODY=8BITMIME", "250 2.1.0 sender accepted"),
                RCPT,
                ("RCPT TO:<Postmaster>", "250 2.1.5 recipient accepted"),
                DATA,
                ("zwölf\r\n.", "250 2.0.0 mail accepted"),
                QUIT,
            ],
        ),
        session(
            "a sink that refuses",
            &[
                EHLO,
                ("MAIL FROM:<later@b>", "250 2.1.0 sender accepted"),
                RCPT,
                DATA,
                (".", "451 4.3.0 not now; try again later"),
                ("MAIL FROM:<never@b>", "250 2.1.0 sender accepted"),
                RCPT,
                DATA,
                (".", "554 5.3.0 mail refused"),
                QUIT,
            ],
        ),
        session(
            "what takes no state",
            &[
                ("NOOP whatever", "250 2.0.0 done"),
                ("VRFY root", "252 2.5.0 cannot verify, but mail is accepted"),
                ("HELP", "214 2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT, as in RFC 5321"),
                QUIT,
            ],
        ),
    ])
    .run(running.address)
    .assert_passed();
    let me = || "me.example".to_owned();
    assert_eq!(
        memory.take(),
        [
            (me(), "a@b".into(), vec!["c@d".into()], b"Subject: one\r\n\r\n.\r\n".to_vec()),
            (me(), String::new(), vec!["c@d".into(), "Postmaster".into()], "zwölf\r\n".into()),
        ]
    );
}

fn every_mistake_has_its_reply(flavor: Flavor) {
    let (running, memory, host) = start(flavor, MAIL_SIZE, Limits::default());
    let long = "x".repeat(2000);
    let session = |name: &str, steps: &[(&str, &str)]| session(name, &host, steps).ends();
    Suite::new([
        session(
            "commands out of order",
            &[
                ("MAIL FROM:<a@b>", "503 5.5.1 say EHLO or HELO first"),
                HELO,
                ("RCPT TO:<a@b>", "503 5.5.1 say MAIL first"),
                ("DATA", "503 5.5.1 say MAIL first"),
                MAIL,
                ("MAIL FROM:<a@b>", "503 5.5.1 a mail has begun already"),
                ("DATA", "554 5.5.1 no valid recipients"),
                ("RCPT TO:<nobody@d>", "550 5.1.1 no such mailbox"),
                ("DATA", "554 5.5.1 no valid recipients"),
                RCPT,
                ("RSET", "250 2.0.0 reset"),
                ("DATA", "503 5.5.1 say MAIL first"),
                MAIL,
                HELO,
                ("RCPT TO:<a@b>", "503 5.5.1 say MAIL first"),
                QUIT,
            ],
        ),
        session(
            "lines that are no commands",
            &[
                ("", "500 5.5.1 command not recognized"),
                ("GET / HTTP/1.1", "500 5.5.1 command not recognized"),
                ("NOOP \u{7}", "500 5.5.2 a command is printable ASCII"),
                (&long, "500 5.5.2 line too long"),
                ("EXPN all", "502 5.5.1 command not implemented"),
                ("AUTH PLAIN", "502 5.5.1 command not implemented"),
                ("STARTTLS", "502 5.5.1 command not implemented"),
                ("EHLO", "501 5.5.4 syntax: EHLO host"),
                ("DATA 5", "501 5.5.4 syntax: DATA"),
                ("QUIT now", "501 5.5.4 syntax: QUIT"),
                QUIT,
            ],
        ),
        session(
            "addresses and parameters that are wrong",
            &[
                HELO,
                ("MAIL FROM:<a@b> SIZE=1", "555 5.5.4 parameter not recognized"),
                EHLO,
                ("MAIL FROM:a@b", "501 5.1.7 the sender's address is not valid"),
                ("MAIL TO:<a@b>", "501 5.5.4 syntax: MAIL FROM:<address>"),
                ("MAIL FROM:<a@b> SIZE=x", "501 5.5.4 syntax: SIZE=bytes"),
                ("MAIL FROM:<a@b> SIZE=10485761", "552 5.3.4 mail too large"),
                ("MAIL FROM:<a@b> SIZE=99999999999999999999999", "552 5.3.4 mail too large"),
                ("MAIL FROM:<a@b> BODY=TEXT", "501 5.5.4 syntax: BODY=7BIT or BODY=8BITMIME"),
                ("MAIL FROM:<a@b> RET=FULL", "555 5.5.4 parameter not recognized"),
                ("MAIL FROM:<a@b> SIZE=10485760", "250 2.1.0 sender accepted"),
                ("RCPT TO:<>", "501 5.1.3 the recipient's address is not valid"),
                ("RCPT TO:<c@d> NOTIFY=NEVER", "555 5.5.4 parameter not recognized"),
                QUIT,
            ],
        ),
    ])
    .run(running.address)
    .assert_passed();
    assert_eq!(memory.take(), []);
}

/// Two mails and what goes with them, sent at once: a client need not wait for any reply but the
/// one to `DATA`, and this one does not wait for that either.
const PIPELINE: &[u8] = b"EHLO me.example\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n\
    MAIL FROM:<x@y>\r\n..dot\r\n.\r\nRSET\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\n";

fn suite(host: &str) -> Suite {
    let taken = "250 2.0.0 mail accepted";
    let replies = [EHLO.1, MAIL.1, RCPT.1, DATA.1, taken, "250 2.0.0 reset", MAIL.1, RCPT.1, DATA.1, taken];
    let lines = |replies: &[&str]| (replies.join("\r\n") + "\r\n").replace("HOST", host);
    let too_long = [&[b'x'; 2000][..], b"\r\nNOOP\r\n"].concat();
    let in_mail = b"HELO me.example\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\na\n";
    let bare = "521 5.5.2 HOST does not take a line feed without its carriage return";
    Exchanges::new()
        .greets(lines(&["220 HOST ESMTP zen"]).as_bytes())
        .answers("two mails", PIPELINE, lines(&replies).as_bytes())
        .answers("a long line", &too_long, lines(&["500 5.5.2 line too long", "250 2.0.0 done"]).as_bytes())
        .closes("a goodbye", b"NOOP\r\nQUIT\r\n", lines(&["250 2.0.0 done", QUIT.1]).as_bytes())
        .closes("a bare line feed", in_mail, lines(&[HELO.1, MAIL.1, RCPT.1, DATA.1, bare]).as_bytes())
        .suite()
}

fn the_exchanges_hold(flavor: Flavor) {
    let (running, memory, host) = start(flavor, MAIL_SIZE, Limits::default());
    suite(&host).run(running.address).assert_passed();
    // None is there in part, wherever its client has left.
    let mails = memory.take();
    assert!(!mails.is_empty());
    let whole = [&b"MAIL FROM:<x@y>\r\n.dot\r\n"[..], b""];
    assert!(mails.iter().all(|mail| whole.contains(&&mail.3[..])), "{mails:?}");
}

#[test]
fn the_exchanges_hold_in_memory() {
    let server = || (SmtpFraming::new(MAIL_SIZE), Session::new(Memory::default()));
    suite("localhost").run_in_memory(&Limits::default(), server).assert_passed();
}

fn a_mail_beyond_the_limit_is_refused_and_the_session_goes_on(flavor: Flavor) {
    let (running, memory, host) = start(flavor, 3000, Limits::default());
    let line = format!("{}\r\n", "x".repeat(98));
    let (fits, too_large) = (format!("{}.", line.repeat(30)), format!("{}..\r\n.", line.repeat(30)));
    let far_too_large = format!("{}.", line.repeat(10_000));
    let refused = "552 5.3.4 mail too large";
    session(
        "large mails",
        &host,
        &[
            HELO,
            MAIL,
            RCPT,
            DATA,
            (&too_large, refused),
            ("DATA", "503 5.5.1 say MAIL first"),
            MAIL,
            RCPT,
            DATA,
            (&far_too_large, refused),
            MAIL,
            RCPT,
            DATA,
            (&fits, "250 2.0.0 mail accepted"),
            QUIT,
        ],
    )
    .ends()
    .run(running.address)
    .unwrap();
    let mails = memory.take();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].3.len(), 3000);
}

fn what_ends_a_session_says_so_first(flavor: Flavor) {
    let limits = Limits::default().with_question_length(100);
    let (running, memory, host) = start(flavor, MAIL_SIZE, limits);
    let in_mail = [HELO, MAIL, RCPT, DATA];
    let session = |name: &str, steps: &[(&str, &str)], last: (&str, &str)| {
        let last = (last.0, last.1.replace("HOST", &host) + "\r\n");
        session(name, &host, steps).send(last.0.as_bytes()).expect(last.1.as_bytes()).ends()
    };
    let (line, lines) = (format!("NOOP {}", "x".repeat(100)), "x\r\n".repeat(100) + ".");
    let (goodbye, too_large) =
        (("QUIT\r\n", QUIT.1), [&in_mail[..], &[(&lines, "552 5.3.4 mail too large")]].concat());
    let wrong = [("WRONG", "500 5.5.1 command not recognized"); 19];
    Suite::new([
        session(
            "a bare LF",
            &in_mail,
            ("a\n.\r\n", "521 5.5.2 HOST does not take a line feed without its carriage return"),
        ),
        session(
            "a bare CR",
            &in_mail,
            ("a\rb", "521 5.5.2 HOST does not take a carriage return without its line feed"),
        ),
        session("the operator's limit, in a mail", &too_large, goodbye),
        session("the operator's limit, in a line", &[], (&line, "500 5.5.2 line too long")),
        session(
            "many errors",
            &wrong,
            ("WRONG\r\n", "500 5.5.1 command not recognized\r\n421 4.7.0 HOST too many errors"),
        ),
    ])
    .run(running.address)
    .assert_passed();
    assert_eq!(memory.take(), []);
}

fn half_a_mail_is_no_mail(flavor: Flavor) {
    let (running, memory, host) = start(flavor, MAIL_SIZE, Limits::default());
    let half = session("half a mail", &host, &[EHLO, MAIL, RCPT, DATA]).send(b"half a mail\r\n");
    half.finish_and_end().run(running.address).unwrap();
    session("half a command", &host, &[EHLO]).send(b"QUI").finish_and_end().run(running.address).unwrap();
    assert_eq!(memory.take(), []);
}

fn a_stop_and_a_deadline_say_421(flavor: Flavor) {
    let moment = Duration::from_millis(300);
    let limits = Limits::default().with_idle_deadline(moment).with_question_deadline(moment);
    let (running, _memory, host) = start(flavor, 1000, limits);
    let waited = format!("421 4.4.2 {host} has waited too long\r\n");
    Suite::new([
        session("nothing is said", &host, &[HELO]).expect(waited.as_bytes()).ends(),
        session("half a command", &host, &[HELO]).send(b"NOO").expect(waited.as_bytes()).ends(),
        session("half a mail", &host, &[HELO, MAIL, RCPT, DATA])
            .send(b"a\r\n")
            .expect(waited.as_bytes())
            .ends(),
        session("a line without end", &host, &[HELO]).send(&[b'x'; 5000]).expect(waited.as_bytes()).ends(),
        session("a mail without end", &host, &[HELO, MAIL, RCPT, DATA])
            .send(&b"x\r\n".repeat(5000))
            .expect(waited.as_bytes())
            .ends(),
    ])
    .run(running.address)
    .assert_passed();

    let (running, memory, host) = start(flavor, MAIL_SIZE, Limits::default());
    let mut client = TcpStream::connect(running.address).unwrap();
    let begun = "HELO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhalf";
    client.write_all(begun.as_bytes()).unwrap();
    let mut replies = BufReader::new(client).lines().map(Result::unwrap);
    assert!(replies.any(|reply| reply.starts_with("354 ")));
    running.stop.stop();
    assert_eq!(replies.collect::<Vec<_>>(), [format!("421 4.3.2 {host} is shutting down")]);
    assert_eq!(memory.take(), []);
}

#[test]
fn the_program_prints_a_line_about_each_mail() {
    let program = Program::start("mail", &["127.0.0.1:0", "--flavor", "threaded"]);
    let host = host(program.address);
    let mails =
        [HELO, MAIL, RCPT, ("RCPT TO:<e@f>", RCPT.1), DATA, ("a letter\r\n.", "250 2.0.0 mail accepted")];
    let empty = [MAIL, RCPT, DATA, (".", "554 5.3.0 mail refused"), QUIT];
    session("program", &host, &[&mails[..], &empty[..]].concat()).ends().run(program.address).unwrap();
    assert_eq!(program.end(), ["10 bytes from <a@b> to <c@d>,<e@f> by me.example"]);
}

/// What the clients below send: two lines that begin with a dot, and 8-bit text.
const LETTER: &str = "From: me@here.example\r\nSubject: a letter\r\n\r\n.\r\n..two\r\nzw\u{f6}lf\r\n";

/// Runs a client, which must succeed and say nothing wrong, and checks that the letter has come.
fn send(memory: &Memory, command: &mut Command, input: &str) {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&said));
    let mails = memory.take();
    assert_eq!(mails.len(), 1, "{}", String::from_utf8_lossy(&said));
    let (_, sender, recipients, content) = &mails[0];
    assert_eq!(sender, "me@here.example");
    assert_eq!(recipients[..], ["you@there.example", "them@there.example"]);
    assert_eq!(String::from_utf8_lossy(content), LETTER);
}

fn curl_sends_mail(flavor: Flavor) {
    let Some(curl) = require_program("curl") else { return };
    let (running, memory, _host) = start(flavor, MAIL_SIZE, Limits::default());
    let mut command = Command::new(curl);
    command
        .args(["--silent", "--show-error", "--max-time", "20", "--noproxy", "*"])
        .arg(format!("smtp://{}/me.example", running.address))
        .args(["--mail-from", "me@here.example", "--mail-rcpt", "you@there.example"])
        .args(["--mail-rcpt", "them@there.example", "--upload-file", "-"]);
    send(&memory, &mut command, LETTER);
}

fn smtplib_sends_mail(flavor: Flavor) {
    let Some(python) = require_program("python3") else { return };
    let (running, memory, _host) = start(flavor, MAIL_SIZE, Limits::default());
    let script = r#"
import smtplib, sys
with smtplib.SMTP(sys.argv[1], int(sys.argv[2]), timeout=20) as client:
    client.ehlo()
    assert client.has_extn("pipelining") and client.has_extn("8bitmime"), client.esmtp_features
    assert client.esmtp_features["size"] == "10485760", client.esmtp_features
    assert client.verify("you@there.example")[0] == 252
    try:
        client.sendmail("me@here.example", "nobody@there.example", b"")
    except smtplib.SMTPRecipientsRefused as error:
        assert error.recipients == {"nobody@there.example": (550, b"5.1.1 no such mailbox")}, error.recipients
    else:
        raise AssertionError("nobody is somebody")
    to = ["you@there.example", "them@there.example", "nobody@there.example"]
    refused = client.sendmail("me@here.example", to, sys.stdin.buffer.read(), ["BODY=8BITMIME"])
    assert list(refused) == ["nobody@there.example"], refused
"#;
    let (host, port) = (running.address.ip().to_string(), running.address.port().to_string());
    send(&memory, Command::new(python).args(["-I", "-c", script, &host, &port]), LETTER);
}

fn swaks_sends_mail(flavor: Flavor) {
    let Some(swaks) = require_program("swaks") else { return };
    let (running, memory, _host) = start(flavor, MAIL_SIZE, Limits::default());
    let mut command = Command::new(swaks);
    command
        .args(["--server", &running.address.ip().to_string(), "--port", &running.address.port().to_string()])
        .args(["--ehlo", "me.example", "--from", "me@here.example", "--timeout", "20s", "--pipeline"])
        .args(["--to", "you@there.example,them@there.example", "--data", "-"]);
    // swaks ends the last line itself.
    send(&memory, &mut command, LETTER.trim_end());
}

// These clients refuse to send in plain text, or to a server whose certificate they do not trust.

fn curl_starts_tls(flavor: Flavor) {
    let Some(curl) = require_program("curl") else { return };
    let (running, memory, certificate) = start_with_tls(flavor, "curl");
    let mut command = Command::new(curl);
    command
        .args(["--silent", "--show-error", "--max-time", "20", "--noproxy", "*", "--ssl-reqd", "--cacert"])
        .arg(certificate.path("cert.pem"))
        .arg(format!("smtp://{}/me.example", running.address))
        .args(["--mail-from", "me@here.example", "--mail-rcpt", "you@there.example"])
        .args(["--mail-rcpt", "them@there.example", "--upload-file", "-"]);
    send(&memory, &mut command, LETTER);
}

fn smtplib_starts_tls(flavor: Flavor) {
    let Some(python) = require_program("python3") else { return };
    let (running, memory, certificate) = start_with_tls(flavor, "smtplib");
    let script = r#"
import smtplib, ssl, sys
with smtplib.SMTP(sys.argv[1], int(sys.argv[2]), timeout=20) as client:
    client.ehlo()
    assert client.has_extn("starttls"), client.esmtp_features
    client.starttls(context=ssl.create_default_context(cafile=sys.argv[3]))
    assert client.mail("me@here.example")[0] == 503, "the EHLO in plain text still counts"
    client.ehlo()
    assert not client.has_extn("starttls"), client.esmtp_features
    assert client.docmd("STARTTLS") == (503, b"5.5.1 TLS has started already")
    to = ["you@there.example", "them@there.example"]
    client.sendmail("me@here.example", to, sys.stdin.buffer.read(), ["BODY=8BITMIME"])
"#;
    let (host, port) = (running.address.ip().to_string(), running.address.port().to_string());
    let mut command = Command::new(python);
    command.args(["-I", "-c", script, &host, &port]).arg(certificate.path("cert.pem"));
    send(&memory, &mut command, LETTER);
}

fn swaks_starts_tls(flavor: Flavor) {
    let Some(swaks) = require_program("swaks").filter(|swaks| has_tls(swaks)) else { return };
    let (running, memory, certificate) = start_with_tls(flavor, "swaks");
    let (host, port) = (running.address.ip().to_string(), running.address.port().to_string());
    let mut command = Command::new(swaks);
    command
        .args(["--server", &host, "--port", &port, "-tls", "--tls-verify", "--tls-ca-path"])
        .arg(certificate.path("cert.pem"))
        .args(["--ehlo", "me.example", "--from", "me@here.example", "--timeout", "20s", "--pipeline"])
        .args(["--to", "you@there.example,them@there.example", "--data", "-"]);
    send(&memory, &mut command, LETTER.trim_end());
}

/// Whether swaks has the Perl module that it needs for TLS. If not, this says so.
fn has_tls(swaks: &Path) -> bool {
    let output = Command::new(swaks).arg("--support").output().unwrap();
    let has_tls = String::from_utf8_lossy(&output.stdout).contains("=== TLS supported");
    if !has_tls {
        let required = std::env::var_os("ZEN_REQUIRE_PEERS").is_some_and(|value| value == "1");
        assert!(!required, "swaks lacks Net::SSLeay, although ZEN_REQUIRE_PEERS=1 requires it");
        // Not `eprintln!`, which the harness captures.
        let _ = writeln!(std::io::stderr(), "skipped: swaks lacks Net::SSLeay");
    }
    has_tls
}

/// Somebody between client and server may have said it.
fn what_is_said_in_plain_text_counts_for_nothing_under_tls(flavor: Flavor) {
    let (running, memory, _certificate) = start_with_tls(flavor, "injection");
    let injected = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\ninjected\r\n.\r\n";
    for cut in [0, injected.len()] {
        let mut client = TcpStream::connect(running.address).unwrap();
        let mut replies = BufReader::new(client.try_clone().unwrap());
        let ready = |line: &str| line.starts_with("220 2.0.0 ");
        let (with, after) = injected.split_at(cut);
        client.write_all(format!("EHLO me.example\r\nSTARTTLS\r\n{with}").as_bytes()).unwrap();
        let mut line = String::new();
        while !ready(&line) {
            line.clear();
            assert!(replies.read_line(&mut line).unwrap() > 0, "TLS is not offered");
        }
        client.write_all(after.as_bytes()).unwrap();
        let mut rest = Vec::new();
        replies.read_to_end(&mut rest).unwrap();
        // In a segment of its own, what is injected is no handshake: then an alert comes.
        assert!(matches!(rest[..], [] | [21, 3, ..]), "{rest:?}");
    }
    assert_eq!(memory.take(), []);
}
