//! The command line of `zen completions`.

use clap::Args;
use clap_complete::Shell;

use super::help::TEMPLATE;

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(
    args_override_self = true,
    help_template = TEMPLATE,
    before_help = "\
Examples:
  source <(zen completions bash)                                    for this bash session
  zen completions fish > ~/.config/fish/completions/zen.fish        for every new fish session
  zen completions zsh > \"${fpath[1]}/_zen\"                          for every new zsh session",
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: Shell,
}
