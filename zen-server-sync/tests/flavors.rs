//! Runs the tests that all flavors have to pass against every flavor of this crate.

use zen_testkit::flavor_tests;

flavor_tests!(blocking, 1, zen_server_sync::Server::blocking);
flavor_tests!(threaded, 1000, zen_server_sync::Server::threaded);
flavor_tests!(pool, 4, zen_server_sync::Server::pool);
