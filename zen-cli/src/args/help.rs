//! What the help of every command has in common, and the default address.

/// Where `serve` listens and `ask` connects when nothing else is said.
pub(crate) const DEFAULT_ADDRESS: &str = "127.0.0.1:1060";

/// Examples first: they answer most of what help is opened for.
pub(crate) const TEMPLATE: &str =
    "{about}\n\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}\n";

pub(crate) const VARIABLES: &str =
    "Every option has an environment variable: ZEN_IDLE_DEADLINE is --idle-deadline.";
