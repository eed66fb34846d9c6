//! Runs the tests of TLS against every flavor of this crate.

use zen_testkit::tls_tests;

tls_tests!(mio, 1000, zen_server_mio::Server::single);
tls_tests!(mio_multi, 1000, zen_server_mio::Server::multi);
