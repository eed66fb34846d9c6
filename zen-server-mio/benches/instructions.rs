//! How many instructions a question costs: `cargo bench -p zen-server-mio --bench instructions`.
//! Needs valgrind.
#![allow(clippy::expect_used, reason = "nothing can be measured when an expectation fails")]

use zen_server_mio::Server;
use zen_testkit::count_instructions;

count_instructions! { "mio" => Server::single, "mio-multi" => Server::multi }
