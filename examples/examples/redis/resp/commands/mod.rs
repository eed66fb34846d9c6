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
    /// The same, to be compared at once.
    key: Key,
    /// How many words it has, its name included; at least that many when negative.
    pub(crate) arity: i8,
    /// What COMMAND INFO says of it, separated by spaces.
    pub(crate) flags: &'static str,
    /// Which words are keys: the first, the last (counted from the end when negative), and the
    /// step.
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

    /// Whether this is the subcommand of that name.
    fn is_subcommand(&self, name: &[u8]) -> bool {
        self.name.split_once('|').is_some_and(|(_, own)| own.as_bytes().eq_ignore_ascii_case(name))
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
    let Some(mut spec) = named(name) else { return Err(unknown(words)) };
    if let [_, subcommand, ..] = words
        && !spec.subcommands.is_empty()
    {
        let found = spec.subcommands.iter().find(|spec| spec.is_subcommand(subcommand));
        spec = found.ok_or_else(|| unknown_subcommand(spec, subcommand))?;
    }
    if spec.takes(words.len()) { Ok(spec) } else { Err(wrong_number(spec)) }
}

/// The command of this name.
#[inline]
fn named(name: &[u8]) -> Option<&'static Spec> {
    let key = key(name)?;
    table::COMMANDS.iter().find(|spec| spec.key == key)
}

/// A name of at most 15 bytes as a number, whether its letters are small or capital.
type Key = u128;

/// The bit that makes a small letter of a capital one, in each byte of a name.
const SMALL: Key = Key::from_le_bytes([0x20; size_of::<Key>()]) >> 8;

#[inline]
fn key(name: &[u8]) -> Option<Key> {
    let letters = match (name, name.first_chunk(), name.last_chunk()) {
        ([first, second, third], ..) => u32::from_le_bytes([*first, *second, *third, 0]).into(),
        // The two overlap, or meet.
        (_, Some(first), Some(last)) if name.len() <= 8 => {
            let (first, last) = (u32::from_le_bytes(*first), u64::from(u32::from_le_bytes(*last)));
            (u64::from(first) | last << (8 * (name.len() - 4))).into()
        }
        _ => {
            let mut bytes = [0; size_of::<Key>()];
            // The last byte is the length's.
            bytes[..size_of::<Key>() - 1].get_mut(..name.len())?.copy_from_slice(name);
            Key::from_le_bytes(bytes)
        }
    };
    Some((letters | SMALL) + ((name.len() as Key) << (Key::BITS - 8)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_found_by_its_name_in_small_and_capital_letters() {
        for spec in table::COMMANDS {
            for name in [spec.name.to_owned(), spec.name.to_ascii_uppercase()] {
                let found = named(name.as_bytes()).map(|found| found.name);
                assert_eq!(found, Some(spec.name), "{name}");
                let longer = [name.as_bytes(), b"x"].concat();
                assert!(named(&longer).is_none(), "{name} with a letter more");
            }
        }
        for name in [&b""[..], b"g", b"ge", b"\0\0\0", b"sixteen letters.", b"more than sixteen letters"] {
            assert!(named(name).is_none(), "{name:?}");
        }
    }
}
