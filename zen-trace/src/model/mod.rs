//! The model: what theory predicts for a server, from what one question costs it.

mod mean_value;
mod station;

pub use self::mean_value::{ClosedNetwork, Steady};
pub use self::station::{Demand, Station};
