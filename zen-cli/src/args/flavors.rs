//! The command line of `zen flavors`.

use clap::Args;

use super::help::TEMPLATE;
use crate::units;

/// List the flavors, and when to choose each
#[derive(Debug, Args)]
#[command(
    args_override_self = true,
    help_template = TEMPLATE,
    before_help = "\
Examples:
  zen flavors
  zen flavors --json | jq -r '.[].flavor'",
    after_help = "Every option has an environment variable: ZEN_JSON=true is --json.",
)]
pub(crate) struct FlavorsArgs {
    /// Print a JSON array
    #[arg(long, env = "ZEN_JSON", hide_env = true, value_parser = units::switch)]
    pub(crate) json: bool,
}
