//! The commands about the server: INFO, CONFIG and COMMAND.

use std::fmt::Write;
use std::sync::atomic::Ordering;

use super::Run::Session as OfSession;
use super::connection::VERSION;
use super::table::{COMMANDS, subcommand};
use super::{Spec, named};
use crate::resp::glob;
use crate::resp::reply::Reply;
use crate::resp::session::Session;
use crate::resp::shared::Data;

/// The subcommands of COMMAND.
pub(super) const COMMAND: &[Spec] = &[
    subcommand("command|count", 2, OfSession(command_count)),
    subcommand("command|info", -2, OfSession(command_info)),
    subcommand("command|docs", -2, OfSession(command_docs)),
];

/// The subcommands of CONFIG.
pub(super) const CONFIG: &[Spec] = &[subcommand("config|get", -3, OfSession(config_get))];

/// The setting that depends on the operator.
const BULK_LIMIT: &str = "proto-max-bulk-len";

/// The settings that clients ask for. None can be changed while the server runs.
const SETTINGS: &[(&str, &str)] = &[
    ("appendonly", "no"),
    ("databases", "16"),
    ("maxmemory", "0"),
    ("maxmemory-policy", "noeviction"),
    (BULK_LIMIT, ""),
    ("save", ""),
    ("timeout", "0"),
];

/// What stands in the table for a command that always has a subcommand.
pub(super) fn unreachable(_: &mut Session, _: &[&[u8]], reply: &mut Reply<'_>) {
    reply.error(super::SYNTAX);
}

pub(super) fn info(data: &mut Data, session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    let wanted = |section: &str| {
        let named = |word: &&[u8]| section.as_bytes().eq_ignore_ascii_case(word);
        let all = |word: &&[u8]| {
            [&b"all"[..], b"default", b"everything"].iter().any(|all| all.eq_ignore_ascii_case(word))
        };
        words.len() == 1 || words[1..].iter().any(|word| named(word) || all(word))
    };
    let mut text = String::new();
    let mut section = |name: &str, lines: &[(String, String)]| {
        if wanted(name) {
            let before = if text.is_empty() { "" } else { "\r\n" };
            // Writing into a string does not fail.
            let _ = write!(text, "{before}# {name}\r\n");
            for (key, value) in lines {
                let _ = write!(text, "{key}:{value}\r\n");
            }
        }
    };
    let line = |key: &str, value: String| (key.to_owned(), value);
    let uptime = (data.databases[0].now() - session.shared.started) / 1000;
    section(
        "Server",
        &[
            line("redis_version", VERSION.to_owned()),
            line("redis_mode", "standalone".to_owned()),
            line("process_id", std::process::id().to_string()),
            line("uptime_in_seconds", uptime.max(0).to_string()),
        ],
    );
    section(
        "Clients",
        &[line("connected_clients", session.shared.clients.load(Ordering::Relaxed).to_string())],
    );
    section("Persistence", &[line("loading", "0".to_owned())]);
    section("Replication", &[line("role", "master".to_owned()), line("connected_slaves", "0".to_owned())]);
    let mut databases = Vec::new();
    for (n, keys) in data.databases.iter_mut().enumerate() {
        let (count, expiring) = (keys.len(), keys.expiring());
        if count > 0 {
            databases.push(line(&format!("db{n}"), format!("keys={count},expires={expiring},avg_ttl=0")));
        }
    }
    section("Keyspace", &databases);
    reply.text(&text);
}

fn config_get(session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    let patterns: Vec<_> = words[2..].iter().map(|word| word.to_ascii_lowercase()).collect();
    let matches = |name: &str| patterns.iter().any(|pattern| glob::matches(pattern, name.as_bytes()));
    let found: Vec<_> = SETTINGS.iter().filter(|(name, _)| matches(name)).collect();
    reply.map(found.len());
    for (name, value) in found {
        reply.bulk(name.as_bytes());
        if *name == BULK_LIMIT {
            reply.bulk(session.bulk_limit.to_string().as_bytes());
        } else {
            reply.bulk(value.as_bytes());
        }
    }
}

pub(super) fn command(_: &mut Session, _: &[&[u8]], reply: &mut Reply<'_>) {
    reply.array(COMMANDS.len());
    for spec in COMMANDS {
        describe(spec, reply);
    }
}

fn command_count(_: &mut Session, _: &[&[u8]], reply: &mut Reply<'_>) {
    reply.count(COMMANDS.len());
}

fn command_info(session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    let names = &words[2..];
    if names.is_empty() {
        return command(session, words, reply);
    }
    reply.array(names.len());
    for name in names {
        match named(name) {
            Some(spec) => describe(spec, reply),
            None => reply.nil(),
        }
    }
}

/// No documentation is kept. `redis-cli` then completes nothing.
fn command_docs(_: &mut Session, _: &[&[u8]], reply: &mut Reply<'_>) {
    reply.map(0);
}

/// Its name, arity, flags and keys; then categories, tips, key specifications and subcommands, of
/// which nothing is said.
fn describe(spec: &Spec, reply: &mut Reply<'_>) {
    reply.array(10);
    reply.bulk(spec.name.as_bytes());
    reply.integer(spec.arity.into());
    let flags: Vec<_> = spec.flags.split_whitespace().collect();
    reply.set(flags.len());
    for flag in flags {
        reply.simple(flag);
    }
    for number in [spec.keys.0, spec.keys.1, spec.keys.2] {
        reply.integer(number.into());
    }
    for _ in 0..3 {
        reply.set(0);
    }
    reply.array(0);
}
