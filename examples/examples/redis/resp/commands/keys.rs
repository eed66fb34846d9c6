//! The commands on keys, whatever their values are.

use super::{NOT_AN_INTEGER, SYNTAX, invalid_expire};
use crate::resp::glob;
use crate::resp::keyspace::Keyspace;
use crate::resp::number;
use crate::resp::reply::Reply;
use crate::resp::session::Session;
use crate::resp::shared::Data;

pub(super) fn del(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    let keys = session.keyspace(data);
    reply.count(words[1..].iter().filter(|key| keys.remove(key)).count());
}

pub(super) fn exists(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    let keys = session.keyspace(data);
    reply.count(words[1..].iter().filter(|key| keys.get(key).is_some()).count());
}

/// All values are strings.
pub(super) fn kind(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    reply.simple(if session.keyspace(data).get(words[1]).is_some() { "string" } else { "none" });
}

pub(super) fn expire(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    expire_after(session.keyspace(data), 1000, words, reply);
}

pub(super) fn pexpire(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    expire_after(session.keyspace(data), 1, words, reply);
}

/// `unit` is that of the number, in milliseconds.
fn expire_after(keys: &mut Keyspace, unit: i64, words: &[&[u8]], reply: &mut Reply<'_>) {
    let condition = match Condition::parse(&words[3..]) {
        Ok(condition) => condition,
        Err(error) => return reply.error(error),
    };
    let Some(after) = number::parse(words[2]) else { return reply.error(NOT_AN_INTEGER) };
    let now = keys.now();
    let Some(expires) = after.checked_mul(unit).and_then(|after| after.checked_add(now)) else {
        return reply.error(invalid_expire(if unit == 1 { "pexpire" } else { "expire" }));
    };
    let allowed = keys.entry(words[1]).is_some_and(|entry| condition.allows(entry.expires(), expires));
    if allowed {
        // One in the past removes the key.
        keys.expire(words[1], Some(expires));
    }
    reply.integer(allowed.into());
}

/// When EXPIRE takes effect.
#[derive(Default)]
struct Condition {
    not_expiring: bool,
    expiring: bool,
    later: bool,
    sooner: bool,
}

impl Condition {
    fn parse(words: &[&[u8]]) -> Result<Self, Vec<u8>> {
        let mut condition = Self::default();
        for word in words {
            match &*word.to_ascii_lowercase() {
                b"nx" => condition.not_expiring = true,
                b"xx" => condition.expiring = true,
                b"gt" => condition.later = true,
                b"lt" => condition.sooner = true,
                _ => return Err([b"ERR Unsupported option ", *word].concat()),
            }
        }
        let Self { not_expiring, expiring, later, sooner } = condition;
        if not_expiring && (expiring || later || sooner) {
            return Err(b"ERR NX and XX, GT or LT options at the same time are not compatible".to_vec());
        }
        if later && sooner {
            return Err(b"ERR GT and LT options at the same time are not compatible".to_vec());
        }
        Ok(condition)
    }

    /// A key that does not expire counts as one that expires at the end of time.
    fn allows(&self, before: Option<i64>, expires: i64) -> bool {
        !(self.not_expiring && before.is_some()
            || self.expiring && before.is_none()
            || self.later && before.is_none_or(|before| expires <= before)
            || self.sooner && before.is_some_and(|before| expires >= before))
    }
}

pub(super) fn persist(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    let keys = session.keyspace(data);
    let expiring = keys.entry(words[1]).is_some_and(|entry| entry.expires().is_some());
    if expiring {
        keys.expire(words[1], None);
    }
    reply.integer(expiring.into());
}

pub(super) fn ttl(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    let left = time_left(session.keyspace(data), words[1]);
    reply.integer(if left < 0 { left } else { (left + 500) / 1000 });
}

pub(super) fn pttl(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    reply.integer(time_left(session.keyspace(data), words[1]));
}

/// In milliseconds; -1 for a key that does not expire, -2 for none.
fn time_left(keys: &mut Keyspace, key: &[u8]) -> i64 {
    let now = keys.now();
    match keys.entry(key).map(|entry| entry.expires()) {
        Some(Some(expires)) => (expires - now).max(0),
        Some(None) => -1,
        None => -2,
    }
}

pub(super) fn keys(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    let found = session.keyspace(data).matching(words[1]);
    reply.array(found.len());
    for key in found {
        reply.bulk(key);
    }
}

pub(super) fn scan(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    let Some(cursor) = cursor(words[1]) else { return reply.error("ERR invalid cursor") };
    let (mut count, mut pattern, mut strings) = (10, &b"*"[..], true);
    let (options, rest) = words[2..].as_chunks::<2>();
    for [option, argument] in options {
        match &*option.to_ascii_lowercase() {
            b"count" => match number::parse(argument) {
                Some(number) if number > 0 => count = usize::try_from(number).unwrap_or(usize::MAX),
                Some(_) => return reply.error(SYNTAX),
                None => return reply.error(NOT_AN_INTEGER),
            },
            b"match" => pattern = argument,
            b"type" => strings = argument.eq_ignore_ascii_case(b"string"),
            _ => return reply.error(SYNTAX),
        }
    }
    if !rest.is_empty() {
        return reply.error(SYNTAX);
    }
    let (next, found) = session.keyspace(data).scan(cursor, count);
    let found: Vec<_> = found.filter(|key| strings && glob::matches(pattern, key)).collect();
    reply.array(2);
    reply.bulk(itoa::Buffer::new().format(next).as_bytes());
    reply.array(found.len());
    for key in found {
        reply.bulk(key);
    }
}

/// A cursor as C's `strtoul` reads it, without the white space that it would skip.
fn cursor(text: &[u8]) -> Option<u64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [] => return Some(0),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let plain = digits.first().is_some_and(u8::is_ascii_digit);
    let number: u64 = str::from_utf8(digits).ok().filter(|_| plain)?.parse().ok()?;
    Some(if negative { number.wrapping_neg() } else { number })
}

pub(super) fn dbsize(data: &mut Data, session: &mut Session, _: &[&[u8]], reply: &mut Reply<'_>) {
    reply.count(session.keyspace(data).len());
}

pub(super) fn flushall(data: &mut Data, _: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    flush(&mut data.databases, words, reply);
}

pub(super) fn flushdb(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    flush(std::slice::from_mut(session.keyspace(data)), words, reply);
}

fn flush(databases: &mut [Keyspace], words: &[&[u8]], reply: &mut Reply<'_>) {
    match words {
        [_] => {}
        [_, how] if how.eq_ignore_ascii_case(b"sync") || how.eq_ignore_ascii_case(b"async") => {}
        _ => return reply.error(SYNTAX),
    }
    databases.iter_mut().for_each(Keyspace::clear);
    reply.ok();
}
