//! Every flavor of this crate against the tests that all flavors have to pass.

use zen_testkit::flavor_tests;

flavor_tests!(asynchronous, 1000, zen_server_async::Server::single);
flavor_tests!(asynchronous_multi, 1000, zen_server_async::Server::multi);
