//! Redis's protocol and commands, for a server of any flavor.

mod clock;
mod commands;
mod framing;
mod glob;
mod hub;
mod inline;
mod keyspace;
mod number;
mod reply;
mod service;
mod session;
mod shared;

use std::time::Duration;

use zen_proto::Limits;

pub(crate) use clock::SystemClock;
pub(crate) use framing::Resp;
pub(crate) use service::Redis;
pub(crate) use shared::Shared;

/// The limits that clients of Redis expect: one that is idle stays connected, since a subscriber
/// may wait for days. What is published to one that does not read is dropped once a megabyte waits.
pub(crate) fn limits() -> Limits {
    Limits::default().with_idle_deadline(Duration::MAX).with_pushed_bytes(1024 * 1024)
}
