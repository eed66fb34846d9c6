//! Out of descriptors: the servers wait until there are some again, and do not spin.

use zen_server_sync::Server;
use zen_testkit::flavor::cases::waits_when_out_of_descriptors;
use zen_testkit::start_flavor;

/// In the other flavors accept has its descriptor before it waits, and is not called again while
/// the connection is open.
#[test]
fn threaded_waits_when_out_of_descriptors() {
    waits_when_out_of_descriptors(start_flavor!(Server::threaded));
}
