//! The `zen` command: serves, asks, lists, compares and traces. It parses and prints; the work is
//! done by the other crates.
#![forbid(unsafe_code)]

mod args;
mod ask;
mod compare;
mod completions;
mod escape;
mod failure;
mod files;
mod flavor;
mod flavors;
mod floor;
mod listen;
mod logging;
mod resolve;
mod serve;
mod signals;
mod terminal;
mod trace;
mod units;
mod work;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory;

use args::{Cli, Command};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::understood(&arguments) {
        Ok(cli) => cli,
        Err(error) => return failure::from_clap(&error, Cli::command(), &arguments),
    };
    let done = match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Ask(args) => ask::run(&args),
        Command::Flavors(args) => flavors::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Trace(args) => trace::run(&args),
        Command::Traced(args) => serve::run_recorded(&args),
        Command::Clients(args) => trace::clients::run(&args),
        Command::Floor(args) => floor::run(&args),
        Command::Completions(args) => completions::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
