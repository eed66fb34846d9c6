//! The Redis server under every flavor: its commands, the clients of the world, and the same
//! replies as Redis gives.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers panic when an expectation fails"
)]

mod built;
#[path = "redis/client.rs"]
mod client;
#[path = "redis/commands.rs"]
mod commands;
#[path = "redis/differential.rs"]
mod differential;
#[path = "redis/peers.rs"]
mod peers;
mod program;
#[path = "redis/protocol.rs"]
mod protocol;
#[path = "../examples/redis/resp/mod.rs"]
mod resp;
mod serving;

use std::sync::Arc;

use examples::Flavor;
use resp::{Redis, Resp, Shared, SystemClock};
use serving::Running;
use zen_proto::Limits;
use zen_server::Options;

fn start(flavor: Flavor) -> Running {
    start_with(flavor, resp::limits())
}

fn start_with(flavor: Flavor, limits: Limits) -> Running {
    Running::start(flavor, redis(), Resp::default(), Options::default().with_limits(limits))
}

fn redis() -> Redis {
    Redis::new(Arc::new(Shared::new(SystemClock)))
}
