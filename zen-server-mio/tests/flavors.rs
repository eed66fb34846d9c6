//! Every flavor of this crate against the tests that all flavors have to pass.

use zen_testkit::flavor_tests;

flavor_tests!(mio, 1000, zen_server_mio::Server::single);
flavor_tests!(mio_multi, 1000, zen_server_mio::Server::multi);
