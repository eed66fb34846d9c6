//! Runs the tests that all flavors have to pass against every flavor of this crate.

use zen_testkit::flavor_tests;

flavor_tests!(asynchronous, 1000, zen_server_async::Server::single);
flavor_tests!(asynchronous_multi, 1000, zen_server_async::Server::multi);
