//! Runs the tests of TLS against every flavor of this crate.

use zen_testkit::tls_tests;

tls_tests!(blocking, 1, zen_server_sync::Server::blocking);
tls_tests!(threaded, 1000, zen_server_sync::Server::threaded);
tls_tests!(pool, 4, zen_server_sync::Server::pool);
