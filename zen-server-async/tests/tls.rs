//! Runs the tests of TLS against every flavor of this crate.

use zen_testkit::tls_tests;

tls_tests!(asynchronous, 1000, zen_server_async::Server::single);
tls_tests!(asynchronous_multi, 1000, zen_server_async::Server::multi);
