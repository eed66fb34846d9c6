//! The command line of `zen floor`.

use clap::Args;

use super::help::DEFAULT_ADDRESS;
use crate::resolve::Address;

/// Give every question the same answer, without protocol or limits: the least that a server can
/// cost
#[derive(Debug, Args)]
pub(crate) struct FloorArgs {
    /// Where to listen, HOST:PORT; port 0 picks a free one
    #[arg(value_name = "ADDR", env = "ZEN_ADDR", hide_env = true, default_value = DEFAULT_ADDRESS)]
    pub(crate) address: Address,
}
