//! A server of Redis's protocol with the commands of a cache: strings that expire, transactions,
//! and publish and subscribe. README.md beside this file says what it answers and how fast it is.
//!
//! ```sh
//! cargo run --release -p examples --example redis -- 127.0.0.1:6390 --flavor mio
//! redis-cli -p 6390 set greeting hello
//! cargo run --release -p examples --example redis -- --compare
//! ```
//!
//! | file | its idea |
//! |---|---|
//! | `resp/framing.rs`, `resp/inline.rs` | how commands are cut from the stream |
//! | `resp/service.rs`, `resp/session.rs` | which command a request is, and what is known of its client |
//! | `resp/commands/` | what the commands do, and the table that lists them |
//! | `resp/keyspace.rs` | a database whose keys expire |
//! | `resp/hub.rs` | who has subscribed to what |
//! | `resp/reply.rs` | how replies are written |
//! | `lab.rs` | what the lab asks to compare the flavors |

mod lab;
mod resp;

use std::process::ExitCode;
use std::sync::Arc;

use examples::{Failure, compare_if_asked};
use zen_server::Options;

use resp::{Redis, Resp, Shared, SystemClock};

fn main() -> Result<ExitCode, Failure> {
    if let Some(code) = compare_if_asked(lab::lab)? {
        return Ok(code);
    }
    let service = Redis::new(Arc::new(Shared::new(SystemClock)));
    examples::main_with(service, Resp::default(), Options::default().with_limits(resp::limits()))?;
    Ok(ExitCode::SUCCESS)
}
