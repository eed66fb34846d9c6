//! The servers that take part: processes that are started, awaited and ended.

pub mod child;
mod contender;
mod counting;
pub mod floor;
mod running;
mod start_error;
mod stop;

pub use self::contender::Contender;
pub use self::running::{Running, Stopped};
pub use self::start_error::StartError;
pub use self::stop::StopFlag;
