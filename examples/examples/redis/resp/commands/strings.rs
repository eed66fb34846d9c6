//! The commands on one or several values.

use super::{NOT_AN_INTEGER, SYNTAX, invalid_expire};
use crate::resp::keyspace::Keyspace;
use crate::resp::number;
use crate::resp::reply::Reply;
use crate::resp::session::Session;
use crate::resp::shared::Data;

/// The longest value, in bytes.
const VALUE_LIMIT: usize = 512 * 1024 * 1024;

#[inline]
pub(super) fn get(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    reply.bulk_or_nil(session.keyspace(data).get(words[1]));
}

pub(super) fn set(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    let (keys, key, value) = (session.keyspace(data), words[1], words[2]);
    if words.len() == 3 {
        keys.set(key, value);
        return reply.ok();
    }
    let options = match SetOptions::parse(&words[3..], keys) {
        Ok(options) => options,
        Err(error) => return reply.error(error),
    };
    let old = keys.get(key);
    let refused = options.only_if_there.is_some_and(|there| there != old.is_some());
    if options.get {
        reply.bulk_or_nil(old);
    } else if refused {
        reply.nil();
    }
    if refused {
        return;
    }
    if options.keep_ttl {
        keys.set_value(key, value);
    } else {
        keys.set(key, value);
        keys.expire(key, options.expires);
    }
    if !options.get {
        reply.ok();
    }
}

/// What may follow a SET.
#[derive(Default)]
struct SetOptions {
    /// XX, or NX if false.
    only_if_there: Option<bool>,
    get: bool,
    keep_ttl: bool,
    /// In milliseconds since 1970.
    expires: Option<i64>,
}

impl SetOptions {
    fn parse(mut words: &[&[u8]], keys: &Keyspace) -> Result<Self, String> {
        let mut options = Self::default();
        // The name of the option that says when the key expires, and its argument.
        let mut expiry: Option<(String, &[u8])> = None;
        while let [word, rest @ ..] = words {
            words = rest;
            let option = String::from_utf8_lossy(word).to_ascii_lowercase();
            match (&*option, rest) {
                ("nx", _) if options.only_if_there != Some(true) => options.only_if_there = Some(false),
                ("xx", _) if options.only_if_there != Some(false) => options.only_if_there = Some(true),
                ("get", _) => options.get = true,
                ("keepttl", _) if expiry.is_none() => options.keep_ttl = true,
                ("ex" | "px" | "exat" | "pxat", [argument, rest @ ..])
                    if !options.keep_ttl && expiry.as_ref().is_none_or(|(known, _)| *known == option) =>
                {
                    expiry = Some((option, argument));
                    words = rest;
                }
                _ => return Err(SYNTAX.to_owned()),
            }
        }
        if let Some((option, argument)) = expiry {
            let number = number::parse(argument).ok_or(NOT_AN_INTEGER)?;
            let unit = if option.starts_with('p') { 1 } else { 1000 };
            let base = if option.ends_with("at") { 0 } else { keys.now() };
            let expires = number.checked_mul(unit).and_then(|after| after.checked_add(base));
            options.expires = Some(expires.filter(|_| number > 0).ok_or_else(|| invalid_expire("set"))?);
        }
        Ok(options)
    }
}

pub(super) fn mget(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    let keys = session.keyspace(data);
    reply.array(words.len() - 1);
    for key in &words[1..] {
        reply.bulk_or_nil(keys.get(key));
    }
}

pub(super) fn mset(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    let (pairs, rest) = words[1..].as_chunks::<2>();
    if !rest.is_empty() {
        return reply.error("ERR wrong number of arguments for 'mset' command");
    }
    let keys = session.keyspace(data);
    for [key, value] in pairs {
        keys.set(key, value);
    }
    reply.ok();
}

pub(super) fn append(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    let (keys, key, more) = (session.keyspace(data), words[1], words[2]);
    match keys.entry(key) {
        Some(entry) if entry.value.len() + more.len() > VALUE_LIMIT => {
            reply.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
        }
        Some(entry) => {
            entry.value.extend_from_slice(more);
            reply.count(entry.value.len());
        }
        None => {
            keys.set(key, more);
            reply.count(more.len());
        }
    }
}

pub(super) fn strlen(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    reply.count(session.keyspace(data).get(words[1]).map_or(0, <[u8]>::len));
}

pub(super) fn incr(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    add(session.keyspace(data), words[1], 1, reply);
}

pub(super) fn decr(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    add(session.keyspace(data), words[1], -1, reply);
}

pub(super) fn incrby(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    match number::parse(words[2]) {
        Some(number) => add(session.keyspace(data), words[1], number, reply),
        None => reply.error(NOT_AN_INTEGER),
    }
}

pub(super) fn decrby(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    match number::parse(words[2]).map(i64::checked_neg) {
        Some(Some(number)) => add(session.keyspace(data), words[1], number, reply),
        Some(None) => reply.error("ERR decrement would overflow"),
        None => reply.error(NOT_AN_INTEGER),
    }
}

fn add(keys: &mut Keyspace, key: &[u8], number: i64, reply: &mut Reply<'_>) {
    let entry = keys.entry(key);
    let Some(before) = entry.as_ref().map_or(Some(0), |entry| number::parse(&entry.value)) else {
        return reply.error(NOT_AN_INTEGER);
    };
    let Some(sum) = before.checked_add(number) else {
        return reply.error("ERR increment or decrement would overflow");
    };
    let mut digits = itoa::Buffer::new();
    let text = digits.format(sum).as_bytes();
    match entry {
        Some(entry) => {
            entry.value.clear();
            entry.value.extend_from_slice(text);
        }
        None => keys.set(key, text),
    }
    reply.integer(sum);
}
