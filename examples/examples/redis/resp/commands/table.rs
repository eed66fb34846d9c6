//! The table of the commands, those given most often first.

use super::Run::{AtOnce, Close, Data, Discard, Exec, Multi, Session};
use super::{Key, Run, SMALL, Spec, connection, keys, pubsub, server, strings};

/// Every command.
#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    command("get",         2, "readonly fast",             (1, 1, 1),  Data(strings::get)),
    command("set",        -3, "write denyoom",             (1, 1, 1),  Data(strings::set)),
    command("ping",       -1, "fast",                      (0, 0, 0),  Session(connection::ping)),
    command("incr",        2, "write denyoom fast",        (1, 1, 1),  Data(strings::incr)),
    command("del",        -2, "write",                     (1, -1, 1), Data(keys::del)),
    command("exists",     -2, "readonly fast",             (1, -1, 1), Data(keys::exists)),
    command("mget",       -2, "readonly fast",             (1, -1, 1), Data(strings::mget)),
    command("mset",       -3, "write denyoom",             (1, -1, 2), Data(strings::mset)),
    command("expire",     -3, "write fast",                (1, 1, 1),  Data(keys::expire)),
    command("publish",     3, "pubsub loading stale fast", (0, 0, 0),  Session(pubsub::publish)),
    command("append",      3, "write denyoom fast",        (1, 1, 1),  Data(strings::append)),
    command("command",    -1, "loading stale",             (0, 0, 0),  Session(server::command)).with(server::COMMAND),
    command("client",     -2, "",                          (0, 0, 0),  Session(server::unreachable)).with(connection::CLIENT),
    command("config",     -2, "",                          (0, 0, 0),  Session(server::unreachable)).with(server::CONFIG),
    command("dbsize",      1, "readonly fast",             (0, 0, 0),  Data(keys::dbsize)),
    command("decr",        2, "write denyoom fast",        (1, 1, 1),  Data(strings::decr)),
    command("decrby",      3, "write denyoom fast",        (1, 1, 1),  Data(strings::decrby)),
    command("discard",     1, "noscript loading stale fast", (0, 0, 0), Discard),
    command("echo",        2, "fast",                      (0, 0, 0),  Session(connection::echo)),
    command("exec",        1, "noscript loading stale",    (0, 0, 0),  Exec),
    command("flushall",   -1, "write",                     (0, 0, 0),  Data(keys::flushall)),
    command("flushdb",    -1, "write",                     (0, 0, 0),  Data(keys::flushdb)),
    command("hello",      -1, "noscript loading stale fast", (0, 0, 0), Session(connection::hello)),
    // A browser that is lured into talking to this port begins like this. It must not get through
    // to the commands behind, so its conversation ends.
    command("host:",      -1, "",                          (0, 0, 0),  Close(b"")),
    command("incrby",      3, "write denyoom fast",        (1, 1, 1),  Data(strings::incrby)),
    command("info",       -1, "loading stale",             (0, 0, 0),  Data(server::info)),
    command("keys",        2, "readonly",                  (0, 0, 0),  Data(keys::keys)),
    command("multi",       1, "noscript loading stale fast", (0, 0, 0), Multi),
    command("persist",     2, "write fast",                (1, 1, 1),  Data(keys::persist)),
    command("pexpire",    -3, "write fast",                (1, 1, 1),  Data(keys::pexpire)),
    command("post",       -1, "",                          (0, 0, 0),  Close(b"")),
    command("pttl",        2, "readonly fast",             (1, 1, 1),  Data(keys::pttl)),
    command("quit",       -1, "noscript loading stale fast", (0, 0, 0), Close(b"+OK\r\n")),
    command("reset",       1, "noscript loading stale fast", (0, 0, 0), AtOnce(connection::reset)),
    command("scan",       -2, "readonly",                  (0, 0, 0),  Data(keys::scan)),
    command("select",      2, "loading stale fast",        (0, 0, 0),  Session(connection::select)),
    command("strlen",      2, "readonly fast",             (1, 1, 1),  Data(strings::strlen)),
    command("subscribe",  -2, "pubsub noscript loading stale", (0, 0, 0), Session(pubsub::subscribe)),
    command("ttl",         2, "readonly fast",             (1, 1, 1),  Data(keys::ttl)),
    command("type",        2, "readonly fast",             (1, 1, 1),  Data(keys::kind)),
    command("unsubscribe", -1, "pubsub noscript loading stale", (0, 0, 0), Session(pubsub::unsubscribe)),
];

/// A row of the table.
pub(super) const fn command(
    name: &'static str,
    arity: i8,
    flags: &'static str,
    keys: (i8, i8, i8),
    run: Run,
) -> Spec {
    Spec { name, key: key(name), arity, flags, keys, run, subcommands: &[] }
}

/// A subcommand. Most say nothing of keys.
pub(super) const fn subcommand(name: &'static str, arity: i8, run: Run) -> Spec {
    command(name, arity, "", (0, 0, 0), run)
}

/// See [`super::key`]. A subcommand's name, which is not looked up by its key, may be longer.
const fn key(name: &str) -> Key {
    let (mut bytes, mut at) = ([0; size_of::<Key>()], 0);
    while at < name.len() && at < bytes.len() - 1 {
        bytes[at] = name.as_bytes()[at];
        at += 1;
    }
    (Key::from_le_bytes(bytes) | SMALL) + ((name.len() as Key) << (Key::BITS - 8))
}

impl Spec {
    /// The same command with subcommands.
    const fn with(mut self, subcommands: &'static [Self]) -> Self {
        self.subcommands = subcommands;
        self
    }
}
