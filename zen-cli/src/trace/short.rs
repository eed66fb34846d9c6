//! A short trace of several flavors under the same clients, for the report of `zen compare`.

use std::time::Duration;

use zen_compare::StopFlag;
use zen_trace::Trace;

use super::QUESTIONS;
use super::crowd::Load;
use super::server::Traced;
use crate::flavor::Flavor;

/// How many clients there are: twice as many as `pool` has workers.
const CLIENTS: usize = 8;

/// How long a client thinks before each question, as in the book.
const THINK: Duration = Duration::from_millis(40);

/// About how long it takes to start and end one server and its clients.
const AROUND_A_SERVER: Duration = Duration::from_millis(150);

/// About how long [`short`] takes.
pub(crate) fn expected_time(flavors: &[Flavor], workers: Option<usize>) -> Duration {
    let conversation = THINK.saturating_mul(u32::try_from(QUESTIONS).unwrap_or(u32::MAX));
    let of = |flavor: &Flavor| {
        let at_once = match flavor {
            Flavor::Blocking => 1,
            Flavor::Pool => workers.unwrap_or(zen_server::defaults::POOL_WORKERS),
            _ => CLIENTS,
        };
        let rounds = CLIENTS.div_ceil(at_once.max(1));
        conversation.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX)) + AROUND_A_SERVER
    };
    flavors.iter().map(of).sum()
}

/// Traces the flavors, one after the other. `workers` is what those with a choice are given.
///
/// # Errors
/// Why one of them could not be traced, or that the trace was interrupted: a part of the picture
/// would say something else than the whole.
pub(crate) fn short(flavors: &[Flavor], workers: Option<usize>, stop: &StopFlag) -> Result<Trace, String> {
    let load = Load {
        clients: CLIENTS,
        conversations: 1,
        questions: QUESTIONS,
        think: THINK,
        work: None,
        workers,
        stop_after: None,
    };
    let mut recordings = Vec::new();
    for flavor in flavors {
        let traced = Traced::Flavor(*flavor).trace(&load, stop);
        let traced = traced.map_err(|failure| failure.line().to_owned())?;
        if stop.is_stopped() {
            return Err("interrupted".to_owned());
        }
        if let Some(why) = traced.clients.failure {
            return Err(format!("{}: a client gave up: {why}", flavor.name()));
        }
        recordings.push(traced.recording);
    }
    Ok(Trace::new(recordings))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn the_stated_time_follows_from_who_stands_in_line() {
        let conversation = Duration::from_millis(120);
        let of = |flavor, workers| expected_time(&[flavor], workers);
        assert_eq!(of(Flavor::Blocking, None), conversation * 8 + AROUND_A_SERVER);
        assert_eq!(of(Flavor::Pool, None), conversation * 2 + AROUND_A_SERVER);
        assert_eq!(of(Flavor::Pool, Some(3)), conversation * 3 + AROUND_A_SERVER);
        assert_eq!(of(Flavor::MioMulti, Some(2)), conversation + AROUND_A_SERVER);
        let all = expected_time(Flavor::value_variants(), None);
        assert!(all < Duration::from_secs(5), "{all:?}");
    }
}
