//! The model: what theory predicts for a server, from what one question costs it.

mod curve;
mod difference;
mod mean_value;
mod station;
mod sweep;

pub use self::curve::{Curve, Predicted};
pub use self::difference::{Difference, Reason};
pub use self::mean_value::{ClosedNetwork, Steady};
pub use self::station::{Demand, Station};
pub use self::sweep::{Measured, NOTABLE, Point, SWEEP_SCHEMA, ServerSweep, Sweep};

pub(crate) use self::curve::place;
pub(crate) use self::difference::thinking;
