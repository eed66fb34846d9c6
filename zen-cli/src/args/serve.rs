//! The command line of `zen serve`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::help::{DEFAULT_ADDRESS, TEMPLATE};
use super::server::ServerArgs;
use crate::flavor::Flavor;
use crate::listen::Place;
use crate::units;
use crate::work::WorkKind;

/// Answer questions with the architecture of your choice
#[derive(Debug, Args)]
#[command(
    args_override_self = true,
    help_template = TEMPLATE,
    before_help = "\
Examples:
  zen serve                                     flavor mio on 127.0.0.1:1060
  zen serve 0.0.0.0:1060 --flavor async-multi   every interface, several cores
  zen serve 127.0.0.1:0                         the system picks the port; the first line says which
  zen serve unix:/run/user/1000/zen             a Unix socket
  zen serve --flavor pool --workers 8 --work 2ms --work-kind sleep
  zen serve --idle-deadline 5s --question-length 64k --connections 500",
    after_help = "\
TIME is 250us, 2ms, 10s, 1m30s…, SIZE is 1024, 64k, 1MiB…; a deadline of none never passes.
The first SIGTERM or SIGINT drains the server, which then exits with 0; the second exits at once.
Every option has an environment variable: ZEN_IDLE_DEADLINE is --idle-deadline.",
)]
pub(crate) struct ServeArgs {
    /// Where to listen: HOST:PORT, where port 0 picks a free one, or unix:PATH
    #[arg(value_name = "ADDR", env = "ZEN_ADDR", hide_env = true, default_value = DEFAULT_ADDRESS)]
    pub(crate) address: Place,

    /// The architecture: blocking, threaded, pool, mio, mio-multi, async or async-multi (see `zen
    /// flavors`)
    #[arg(
        long,
        short,
        value_name = "NAME",
        env = "ZEN_FLAVOR",
        hide_env = true,
        value_enum,
        default_value_t
    )]
    #[arg(hide_possible_values = true)]
    pub(crate) flavor: Flavor,

    /// Serve over TLS, with the certificate chain in this PEM file
    #[arg(long, value_name = "FILE", env = "ZEN_TLS_CERT", hide_env = true, requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// The certificate's private key, in this PEM file
    #[arg(long, value_name = "FILE", env = "ZEN_TLS_KEY", hide_env = true, requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Log level on standard error: error, warn, info, debug, trace or off
    #[arg(long, value_name = "LEVEL", env = "ZEN_LOG", hide_env = true, default_value = "info")]
    pub(crate) log: String,

    #[command(flatten)]
    pub(crate) server: ServerArgs,

    /// Work for each answer [default: none]
    #[arg(long, value_name = "TIME", env = "ZEN_WORK", hide_env = true, value_parser = units::duration)]
    #[arg(help_heading = "Work")]
    pub(crate) work: Option<Duration>,

    /// What the work does: spin burns CPU time, sleep waits (the async flavors await it)
    #[arg(long, value_name = "KIND", env = "ZEN_WORK_KIND", hide_env = true, value_enum, default_value_t)]
    #[arg(hide_possible_values = true, help_heading = "Work")]
    pub(crate) work_kind: WorkKind,
}
