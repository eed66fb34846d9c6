//! The model: what theory predicts for a server, from what one question costs it.

mod mean_value;
mod station;
mod sweep;

pub use self::mean_value::{ClosedNetwork, Steady};
pub use self::station::{Demand, Station};
pub use self::sweep::{Measured, NOTABLE, Point, SWEEP_SCHEMA, ServerSweep, Sweep};
