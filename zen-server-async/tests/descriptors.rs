//! Out of descriptors: the servers wait until there are some again, and do not spin.

use zen_server_async::Server;
use zen_testkit::flavor::cases::waits_when_out_of_descriptors;
use zen_testkit::start_flavor;

/// There is only one test, because the limit is that of the whole process.
#[test]
fn every_flavor_waits_when_out_of_descriptors() {
    waits_when_out_of_descriptors(start_flavor!(Server::single));
    waits_when_out_of_descriptors(start_flavor!(Server::multi));
}
