//! Runs the tests that all flavors have to pass against every flavor of this crate.

use zen_testkit::flavor_tests;

flavor_tests!(mio, 1000, zen_server_mio::Server::single);
flavor_tests!(mio_multi, 1000, zen_server_mio::Server::multi);
