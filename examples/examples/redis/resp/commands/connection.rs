//! The commands about the client itself.

use super::Run::Session as OfSession;
use super::table::subcommand;
use super::{NOT_AN_INTEGER, Spec};
use crate::resp::number;
use crate::resp::reply::{Reply, Version};
use crate::resp::session::Session;
use crate::resp::shared::DATABASES;

/// The version of Redis that this server answers like. Clients choose by it what they ask for.
pub(super) const VERSION: &str = "7.0.15";

/// The subcommands of CLIENT.
pub(super) const CLIENT: &[Spec] = &[
    subcommand("client|id", 2, OfSession(id)),
    subcommand("client|getname", 2, OfSession(get_name)),
    subcommand("client|setname", 3, OfSession(set_name)),
    subcommand("client|info", 2, OfSession(info)),
];

/// What a name must not hold.
const BAD_NAME: &str = "ERR Client names cannot contain spaces, newlines or special characters.";

pub(super) fn ping(session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    let text = match words {
        [_] => None,
        [_, text] => Some(*text),
        _ => return reply.error("ERR wrong number of arguments for 'ping' command"),
    };
    if session.is_subscriber() {
        reply.array(2);
        reply.bulk(b"pong");
        reply.bulk(text.unwrap_or_default());
    } else if let Some(text) = text {
        reply.bulk(text);
    } else {
        reply.pong();
    }
}

pub(super) fn echo(_: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    reply.bulk(words[1]);
}

pub(super) fn select(session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    let Some(number) = number::parse(words[1]).filter(|number| i32::try_from(*number).is_ok()) else {
        return reply.error(NOT_AN_INTEGER);
    };
    match usize::try_from(number) {
        Ok(database) if database < DATABASES => {
            session.database = database;
            reply.ok();
        }
        _ => reply.error("ERR DB index is out of range"),
    }
}

/// Back to how the client was when it connected.
pub(super) fn reset(session: &mut Session, _: &[&[u8]], reply: &mut Reply<'_>) {
    session.unsubscribe_all();
    session.transaction = None;
    session.database = 0;
    session.name.clear();
    session.version = Version::Two;
    reply.simple("RESET");
}

pub(super) fn hello(session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    let mut version = session.version;
    if let Some(word) = words.get(1) {
        version = match number::parse(word) {
            Some(2) => Version::Two,
            Some(3) => Version::Three,
            Some(_) => return reply.error("NOPROTO unsupported protocol version"),
            None => return reply.error("ERR Protocol version is not an integer or out of range"),
        }
    }
    let (mut options, mut name) = (words.get(2..).unwrap_or_default(), None);
    while let [option, rest @ ..] = options {
        options = match (&*option.to_ascii_lowercase(), rest) {
            // There is one user, whose password is never asked for.
            (b"auth", [b"default", _, rest @ ..]) => rest,
            (b"auth", [_, _, ..]) => {
                return reply.error("WRONGPASS invalid username-password pair or user is disabled.");
            }
            (b"setname", [given, rest @ ..]) => {
                if !is_name(given) {
                    return reply.error(BAD_NAME);
                }
                name = Some(*given);
                rest
            }
            _ => return reply.error([b"ERR Syntax error in HELLO option '", *option, b"'"].concat()),
        };
    }
    if let Some(name) = name {
        session.name = name.to_vec();
    }
    session.version = version;
    session.channels.iter().for_each(|channel| session.join(channel));
    reply.switch(version);
    reply.map(7);
    for (key, value) in [("server", "redis"), ("version", VERSION)] {
        reply.bulk(key.as_bytes());
        reply.bulk(value.as_bytes());
    }
    reply.bulk(b"proto");
    reply.integer(if version == Version::Two { 2 } else { 3 });
    reply.bulk(b"id");
    id(session, words, reply);
    for (key, value) in [("mode", "standalone"), ("role", "master")] {
        reply.bulk(key.as_bytes());
        reply.bulk(value.as_bytes());
    }
    reply.bulk(b"modules");
    reply.array(0);
}

fn id(session: &mut Session, _: &[&[u8]], reply: &mut Reply<'_>) {
    reply.integer(i64::try_from(session.id).unwrap_or(i64::MAX));
}

fn get_name(session: &mut Session, _: &[&[u8]], reply: &mut Reply<'_>) {
    reply.bulk_or_nil(Some(&session.name[..]).filter(|name| !name.is_empty()));
}

fn set_name(session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    if !is_name(words[2]) {
        return reply.error(BAD_NAME);
    }
    session.name = words[2].to_vec();
    reply.ok();
}

/// Printable, and without spaces.
fn is_name(name: &[u8]) -> bool {
    name.iter().all(u8::is_ascii_graphic)
}

fn info(session: &mut Session, _: &[&[u8]], reply: &mut Reply<'_>) {
    let line = format!(
        "id={} addr={} laddr={} name={} db={} sub={} psub=0 multi={} resp={}\n",
        session.id,
        session.peer.remote,
        session.peer.local,
        String::from_utf8_lossy(&session.name),
        session.database,
        session.channels.len(),
        session.transaction.as_ref().map_or(-1, |transaction| transaction.queue.len().cast_signed()),
        if session.version == Version::Two { 2 } else { 3 },
    );
    reply.text(&line);
}
