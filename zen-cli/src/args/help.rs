//! What the help of all commands shares, and the default address.

/// Where `serve` listens and `ask` connects when no address is given.
pub(crate) const DEFAULT_ADDRESS: &str = "127.0.0.1:1060";

/// The examples come first: they answer most of the questions for which help is opened.
pub(crate) const TEMPLATE: &str =
    "{about}\n\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}\n";

pub(crate) const VARIABLES: &str =
    "Every option has an environment variable: ZEN_IDLE_DEADLINE is --idle-deadline.";
