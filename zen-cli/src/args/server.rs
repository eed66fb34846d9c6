//! The options that every flavor takes: `zen_server`'s options and `zen_proto`'s limits, as
//! command-line options.

use std::time::Duration;

use clap::Args;
use zen_proto::Limits;
use zen_server::Options;

use crate::units;

#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// Worker threads of pool, mio-multi and async-multi [default: 4 for pool, else one per core]
    #[arg(long, value_name = "N", env = "ZEN_WORKERS", hide_env = true)]
    #[arg(value_parser = units::count, help_heading = "Capacity")]
    pub(crate) workers: Option<usize>,

    /// Most connections open at once; more wait to be accepted [default: 10000, or what the
    /// open-file limit allows; threaded: 1000]
    #[arg(long, value_name = "N", env = "ZEN_CONNECTIONS", hide_env = true)]
    #[arg(value_parser = units::count, help_heading = "Capacity")]
    pub(crate) connections: Option<usize>,

    /// Connections that the system holds while they wait to be accepted
    #[arg(long, value_name = "N", env = "ZEN_BACKLOG", hide_env = true, default_value = "1024")]
    #[arg(value_parser = backlog, help_heading = "Capacity")]
    pub(crate) backlog: i32,

    /// Reads that one ready connection gets before the next one's turn
    #[arg(long, value_name = "N", env = "ZEN_TURN_BUDGET", hide_env = true, default_value = "16")]
    #[arg(value_parser = units::count, help_heading = "Capacity")]
    turn_budget: usize,

    /// Time that one ready connection is answered for before the next one's turn
    #[arg(long, value_name = "TIME", env = "ZEN_TURN_TIME", hide_env = true, default_value = "1ms")]
    #[arg(value_parser = units::deadline, help_heading = "Capacity")]
    turn_time: Duration,

    /// Questions that one ready connection is answered before the next one's turn
    #[arg(long, value_name = "N", env = "ZEN_TURN_QUESTIONS", hide_env = true, default_value = "1024")]
    #[arg(value_parser = units::count, help_heading = "Capacity")]
    turn_questions: usize,

    /// Send answers at once, rather than wait to fill a segment
    #[arg(long, value_name = "BOOL", env = "ZEN_NODELAY", hide_env = true, default_value = "true")]
    #[arg(action = clap::ArgAction::Set, value_parser = units::switch)]
    #[arg(help_heading = "Capacity", hide_possible_values = true)]
    nodelay: bool,

    /// The longest question [default: the protocol's own limit, 1KiB]
    #[arg(long, value_name = "SIZE", env = "ZEN_QUESTION_LENGTH", hide_env = true)]
    #[arg(value_parser = units::size, help_heading = "Limits of a conversation")]
    question_length: Option<usize>,

    /// Most questions that may wait for a deferred answer
    #[arg(long, value_name = "N", env = "ZEN_QUESTIONS_IN_FLIGHT", hide_env = true, default_value = "32")]
    #[arg(value_parser = units::count, help_heading = "Limits of a conversation")]
    questions_in_flight: usize,

    /// Unsent bytes at which answering and reading stop
    #[arg(
        long,
        value_name = "SIZE",
        env = "ZEN_OUTBOUND_HIGH_WATER",
        hide_env = true,
        default_value = "64KiB"
    )]
    #[arg(value_parser = units::size, help_heading = "Limits of a conversation")]
    outbound_high_water: usize,

    /// Unsent bytes at which they resume [default: a quarter of the high water]
    #[arg(long, value_name = "SIZE", env = "ZEN_OUTBOUND_LOW_WATER", hide_env = true)]
    #[arg(value_parser = units::size, help_heading = "Limits of a conversation")]
    outbound_low_water: Option<usize>,

    /// Most bytes that a closing conversation still reads and discards
    #[arg(long, value_name = "SIZE", env = "ZEN_LINGER_BYTES", hide_env = true, default_value = "256KiB")]
    #[arg(value_parser = units::size, help_heading = "Limits of a conversation")]
    linger_bytes: usize,

    /// Longest time for a question, from its first byte to its last
    #[arg(long, value_name = "TIME", env = "ZEN_QUESTION_DEADLINE", hide_env = true, default_value = "10s")]
    #[arg(value_parser = units::deadline, help_heading = "Deadlines")]
    question_deadline: Duration,

    /// Longest time without a question
    #[arg(long, value_name = "TIME", env = "ZEN_IDLE_DEADLINE", hide_env = true, default_value = "60s")]
    #[arg(value_parser = units::deadline, help_heading = "Deadlines")]
    idle_deadline: Duration,

    /// Longest time for the service to answer
    #[arg(long, value_name = "TIME", env = "ZEN_ANSWER_DEADLINE", hide_env = true, default_value = "30s")]
    #[arg(value_parser = units::deadline, help_heading = "Deadlines")]
    answer_deadline: Duration,

    /// Longest time that a byte may wait to be sent
    #[arg(long, value_name = "TIME", env = "ZEN_WRITE_DEADLINE", hide_env = true, default_value = "30s")]
    #[arg(value_parser = units::deadline, help_heading = "Deadlines")]
    write_deadline: Duration,

    /// Longest time that a closing conversation reads and discards
    #[arg(long, value_name = "TIME", env = "ZEN_LINGER_DEADLINE", hide_env = true, default_value = "2s")]
    #[arg(value_parser = units::deadline, help_heading = "Deadlines")]
    linger_deadline: Duration,

    /// Longest time for finishing what is owed when the server stops
    #[arg(long, value_name = "TIME", env = "ZEN_DRAIN_DEADLINE", hide_env = true, default_value = "15s")]
    #[arg(value_parser = units::deadline, help_heading = "Deadlines")]
    drain_deadline: Duration,
}

impl ServerArgs {
    /// The options in the form that the servers take.
    pub(crate) fn options(&self) -> Options {
        let limits = Limits::default()
            .with_question_length(self.question_length)
            .with_questions_in_flight(self.questions_in_flight)
            .with_outbound_high_water(self.outbound_high_water)
            // A user who lowers only the high water need not know that there is a low water.
            .with_outbound_low_water(self.outbound_low_water.unwrap_or(self.outbound_high_water / 4))
            .with_turn_time(self.turn_time)
            .with_turn_questions(self.turn_questions)
            .with_question_deadline(self.question_deadline)
            .with_idle_deadline(self.idle_deadline)
            .with_answer_deadline(self.answer_deadline)
            .with_write_deadline(self.write_deadline)
            .with_linger_deadline(self.linger_deadline)
            .with_linger_bytes(self.linger_bytes)
            .with_drain_deadline(self.drain_deadline);
        Options::default()
            .with_limits(limits)
            .with_connections(self.connections)
            .with_workers(self.workers)
            .with_nodelay(self.nodelay)
            .with_turn_budget(self.turn_budget)
    }
}

/// A backlog: the system accepts only positive ones.
fn backlog(text: &str) -> Result<i32, String> {
    match units::count(text)?.try_into() {
        Ok(0) => Err("no connection could wait to be accepted; give it a value of at least 1".to_owned()),
        Ok(backlog) => Ok(backlog),
        Err(_) => Err(format!("more than the system takes, which is {}", i32::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn options(line: &str) -> Options {
        let Command::Serve(serve) = Cli::try_parse_from(line.split(' ')).unwrap().command else {
            panic!("not serve: {line}")
        };
        serve.server.options()
    }

    #[test]
    fn the_defaults_are_those_of_the_core() {
        assert_eq!(options("zen serve"), Options::default());
    }

    #[test]
    fn every_option_sets_its_own_field() {
        let line = "zen serve --workers 3 --connections 77 --turn-budget 5 --turn-time 9ms --turn-questions 8 --nodelay false --question-length 2k \
                    --questions-in-flight 9 --outbound-high-water 8k --outbound-low-water 1k --linger-bytes 3k \
                    --question-deadline 1s --idle-deadline none --answer-deadline 3s --write-deadline 4s \
                    --linger-deadline 5s --drain-deadline 6s";
        let limits = Limits::default()
            .with_question_length(2048)
            .with_questions_in_flight(9)
            .with_outbound_high_water(8192)
            .with_outbound_low_water(1024)
            .with_question_deadline(Duration::from_secs(1))
            .with_idle_deadline(Duration::MAX)
            .with_answer_deadline(Duration::from_secs(3))
            .with_write_deadline(Duration::from_secs(4))
            .with_linger_deadline(Duration::from_secs(5))
            .with_linger_bytes(3072)
            .with_turn_time(Duration::from_millis(9))
            .with_turn_questions(8)
            .with_drain_deadline(Duration::from_secs(6));
        let expected = Options::default()
            .with_limits(limits)
            .with_connections(77)
            .with_workers(3)
            .with_nodelay(false)
            .with_turn_budget(5);
        assert_eq!(options(&line.split_whitespace().collect::<Vec<_>>().join(" ")), expected);
    }

    #[test]
    fn the_low_water_follows_the_high() {
        assert_eq!(options("zen serve --outbound-high-water 8k").limits.outbound_low_water, 2048);
    }
}
