//! `zen floor`: the lab's floor as a server of its own, for `zen compare` to load.

use zen_compare::child::end_with_the_lab;
use zen_compare::floor::Floor;

use crate::args::FloorArgs;
use crate::failure::Failure;
use crate::listen::{announce, listen};

/// The same as `serve` has, so that connections wait alike for both.
const BACKLOG: i32 = 1024;

pub(crate) fn run(args: &FloorArgs) -> Result<(), Failure> {
    end_with_the_lab();
    let (listener, address) = listen(&args.address, BACKLOG)?;
    let failed = |error| Failure::Failed(format!("the floor failed: {error}"));
    let floor = Floor::new(listener).map_err(failed)?;
    announce(&address)?;
    // The floor owes no answers, so the first signal may end it in the default way.
    floor.run().map_err(failed)
}
