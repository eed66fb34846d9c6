//! `zen floor`: the lab's reference as a server of its own, for `zen compare` to load.

use zen_compare::child::end_with_the_lab;
use zen_compare::floor::Floor;

use crate::args::FloorArgs;
use crate::failure::Failure;
use crate::listen::{announce, listen};

/// As many as `serve` has, so that both stand in line alike.
const BACKLOG: i32 = 1024;

pub(crate) fn run(args: &FloorArgs) -> Result<(), Failure> {
    end_with_the_lab();
    let (listener, address) = listen(&args.address, BACKLOG)?;
    let failed = |error| Failure::Failed(format!("the floor failed: {error}"));
    let floor = Floor::new(listener).map_err(failed)?;
    announce(address)?;
    // Nothing is owed to anybody, so the first signal may end it as signals do.
    floor.run().map_err(failed)
}
