//! How many instructions a question costs: `cargo bench -p zen-server-async --bench instructions`.
//! Needs valgrind.
#![allow(clippy::expect_used, reason = "nothing can be measured when an expectation fails")]

use zen_server_async::Server;
use zen_testkit::count_instructions;

count_instructions! { "async" => Server::single, "async-multi" => Server::multi }
