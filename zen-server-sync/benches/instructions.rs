//! How many instructions a question costs: `cargo bench -p zen-server-sync --bench instructions`.
//! Needs valgrind.
#![allow(clippy::expect_used, reason = "nothing can be measured when an expectation fails")]

use zen_server_sync::Server;
use zen_testkit::count_instructions;

count_instructions! { "blocking" => Server::blocking, "threaded" => Server::threaded, "pool" => Server::pool }
