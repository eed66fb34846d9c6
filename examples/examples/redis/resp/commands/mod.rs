//! The commands: which there are, and how a request finds its own.

mod connection;
mod keys;
mod pubsub;
mod server;
mod strings;
mod table;

use crate::resp::reply::Reply;
use crate::resp::session::Session;
use crate::resp::shared::Data;

/// A command that reads or changes what the server knows of the client.
///
/// It is also run while the data is locked, in a transaction, so it must not lock the data itself.
pub(crate) type SessionCommand = fn(&mut Session, &[&[u8]], &mut Reply<'_>);

/// A command that reads or changes the data.
pub(crate) type DataCommand = fn(&mut Data, &mut Session, &[&[u8]], &mut Reply<'_>);

/// A command.
pub(crate) struct Spec {
    /// In lower case. That of a subcommand has its command's in front, as in `client|id`.
    pub(crate) name: &'static str,
    /// How many words it has, its name included; at least so many when negative.
    pub(crate) arity: i8,
    /// What COMMAND INFO says of it, separated by spaces.
    pub(crate) flags: &'static str,
    /// Which words are keys: the first, the last (counted from the end when negative), and the step.
    pub(crate) keys: (i8, i8, i8),
    pub(crate) run: Run,
    pub(crate) subcommands: &'static [Spec],
}

/// How a command is run.
pub(crate) enum Run {
    Session(SessionCommand),
    Data(DataCommand),
    /// The same as `Session`, and never queued.
    AtOnce(SessionCommand),
    Multi,
    Exec,
    Discard,
    /// Ends the conversation, with these last words.
    Close(&'static [u8]),
}

impl Spec {
    /// Whether a client may give it while it is subscribed.
    pub(crate) fn is_for_subscribers(&self) -> bool {
        matches!(self.name, "subscribe" | "unsubscribe" | "ping" | "quit" | "reset")
    }

    fn takes(&self, words: usize) -> bool {
        let least = usize::from(self.arity.unsigned_abs());
        if self.arity < 0 { words >= least } else { words == least }
    }
}

/// The command of a request, or Redis's own words for why there is none, without their `ERR`.
#[inline]
pub(crate) fn find(words: &[&[u8]]) -> Result<&'static Spec, Vec<u8>> {
    let name = words.first().copied().unwrap_or_default();
    let Some(mut spec) = named(table::COMMANDS, name) else { return Err(unknown(words)) };
    if let [_, subcommand, ..] = words
        && !spec.subcommands.is_empty()
    {
        let found = spec.subcommands.iter().find(|spec| is_named(spec.subname(), subcommand));
        spec = found.ok_or_else(|| unknown_subcommand(spec, subcommand))?;
    }
    if spec.takes(words.len()) { Ok(spec) } else { Err(wrong_number(spec)) }
}

#[inline]
fn named(specs: &'static [Spec], name: &[u8]) -> Option<&'static Spec> {
    specs.iter().find(|spec| is_named(spec.name, name))
}

#[inline]
fn is_named(name: &str, given: &[u8]) -> bool {
    name.as_bytes().eq_ignore_ascii_case(given)
}

impl Spec {
    /// The name of a subcommand without its command's.
    fn subname(&self) -> &'static str {
        self.name.split_once('|').map_or(self.name, |(_, name)| name)
    }
}

/// Redis repeats at most 128 bytes of the name, and of the other words together.
#[cold]
fn unknown(words: &[&[u8]]) -> Vec<u8> {
    const MOST: usize = 128;
    let (name, arguments) = words.split_first().map_or((&[][..], &[][..]), |(name, rest)| (*name, rest));
    let mut shown = Vec::new();
    for argument in arguments {
        if shown.len() >= MOST {
            break;
        }
        let most = argument.len().min(MOST - shown.len());
        shown.extend_from_slice(&[b"'", &argument[..most], b"' "].concat());
    }
    let name = &name[..name.len().min(MOST)];
    [b"unknown command '", name, b"', with args beginning with: ", &shown].concat()
}

#[cold]
fn unknown_subcommand(spec: &Spec, subcommand: &[u8]) -> Vec<u8> {
    let shown = &subcommand[..subcommand.len().min(128)];
    let command = spec.name.to_ascii_uppercase();
    [b"unknown subcommand '", shown, b"'. Try ", command.as_bytes(), b" HELP."].concat()
}

#[cold]
fn wrong_number(spec: &Spec) -> Vec<u8> {
    format!("wrong number of arguments for '{}' command", spec.name).into_bytes()
}

// What several commands say.

const SYNTAX: &str = "ERR syntax error";
const NOT_AN_INTEGER: &str = "ERR value is not an integer or out of range";

fn invalid_expire(command: &str) -> String {
    format!("ERR invalid expire time in '{command}' command")
}
