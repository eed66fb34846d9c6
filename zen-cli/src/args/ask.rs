//! The command line of `zen ask`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::help::{DEFAULT_ADDRESS, TEMPLATE};
use crate::escape::escaped;
use crate::failure::Failure;
use crate::listen::Place;
use crate::units;

/// Ask a server, and print each question with its answer
#[derive(Debug, Args)]
#[command(
    args_override_self = true,
    help_template = TEMPLATE,
    before_help = "\
Examples:
  zen ask                                   the three questions, in random order
  zen ask 'Simple is better than?'          one question, to 127.0.0.1:1060
  zen ask localhost:4000                    the three questions, to another server
  zen ask localhost:4000 'Why?' 'What?'     two questions over one connection
  zen ask unix:/run/user/1000/zen           the three questions, over a Unix socket
  zen ask zen.example:1061 --tls            over TLS, if the system trusts the server's certificate
  zen ask --json | jq -r .answer            one JSON object a line",
    after_help = "\
A word with a ? in it is a question; the first word may be an address instead. Quote questions:
the shell gives blanks and ? meanings of its own. Unprintable bytes are shown escaped, as \\x1b.
Every option has an environment variable: ZEN_TIMEOUT is --timeout; ZEN_ADDR is the address.",
)]
pub(crate) struct AskArgs {
    /// Where to connect [default: 127.0.0.1:1060], and what to ask [default: the three questions]
    #[arg(value_name = "ADDR|QUESTION")]
    pub(crate) words: Vec<String>,

    /// The address when `words` has none. It is an option because only options and positional
    /// arguments can have variables.
    #[arg(long = "addr", value_name = "ADDR", env = "ZEN_ADDR", hide = true, default_value = DEFAULT_ADDRESS)]
    pub(crate) address: Place,

    /// Longest time for connecting, and for each answer
    #[arg(long, short, value_name = "TIME", env = "ZEN_TIMEOUT", hide_env = true)]
    #[arg(value_parser = units::duration, default_value = "10s")]
    pub(crate) timeout: Duration,

    /// Speak TLS, with a server whose certificate the system trusts
    #[arg(long, env = "ZEN_TLS", hide_env = true, value_parser = units::switch)]
    pub(crate) tls: bool,

    /// Trust the certificates in this PEM file instead
    #[arg(long, value_name = "FILE", env = "ZEN_TLS_CA", hide_env = true, requires = "tls")]
    pub(crate) tls_ca: Option<PathBuf>,

    /// The name that the certificate must be for [default: the host of ADDR]
    #[arg(long, value_name = "NAME", env = "ZEN_TLS_NAME", hide_env = true, requires = "tls")]
    pub(crate) tls_name: Option<String>,

    /// Print one JSON object a line
    #[arg(long, env = "ZEN_JSON", hide_env = true, value_parser = units::switch)]
    pub(crate) json: bool,
}

impl AskArgs {
    /// Where to connect, and the questions from the command line; when there are none, the three.
    pub(crate) fn understood(&self) -> Result<(Place, Vec<String>), Failure> {
        let (address, questions) = understood(&self.words)?;
        Ok((address.unwrap_or_else(|| self.address.clone()), questions))
    }
}

/// The address and the questions from the words of the command line.
fn understood(words: &[String]) -> Result<(Option<Place>, Vec<String>), Failure> {
    let (address, words) = match words.split_first() {
        Some((first, rest)) if !first.contains('?') => {
            let address = first.parse().map_err(|_| neither(first))?;
            (Some(address), rest)
        }
        _ => (None, words),
    };
    let questions = words.iter().map(|word| question(word)).collect::<Result<_, _>>()?;
    Ok((address, questions))
}

/// A question, without the white space around it, which carries no meaning.
fn question(word: &str) -> Result<String, Failure> {
    let question = word.trim();
    let shown = escaped(question.as_bytes());
    match question.split_once('?') {
        Some((_, "")) => Ok(question.to_owned()),
        Some(_) => Err(Failure::Usage(format!(
            "'{shown}' goes on after its '?'; a question ends there, so write each in quotes of its own"
        ))),
        None => Err(Failure::Usage(format!(
            "'{shown}' is not a question: it must end with '?'; write each question in quotes of its own"
        ))),
    }
}

fn neither(word: &str) -> Failure {
    Failure::Usage(format!(
        "'{}' is neither an address (HOST:PORT or unix:PATH) nor a question (ending in '?', in quotes)",
        escaped(word.as_bytes())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &[&str]) -> Result<(Option<String>, Vec<String>), String> {
        let line: Vec<String> = line.iter().map(|&word| word.to_owned()).collect();
        match understood(&line) {
            Ok((address, questions)) => Ok((address.map(|address| address.to_string()), questions)),
            Err(Failure::Usage(line)) => Err(line),
            Err(other) => panic!("not the user's mistake: {other:?}"),
        }
    }

    #[test]
    fn addresses_and_questions_are_distinguished() {
        assert_eq!(words(&[]), Ok((None, vec![])));
        assert_eq!(words(&["h:1"]), Ok((Some("h:1".into()), vec![])));
        assert_eq!(words(&["Why?"]), Ok((None, vec!["Why?".into()])));
        assert_eq!(words(&["unix:/a", "Why?"]), Ok((Some("unix:/a".into()), vec!["Why?".into()])));
        assert_eq!(words(&["h:1?"]), Ok((None, vec!["h:1?".into()])));
        assert_eq!(
            words(&["h:1", " Why?\n", "?"]),
            Ok((Some("h:1".into()), vec!["Why?".into(), "?".into()]))
        );
    }

    #[test]
    fn a_word_that_is_neither_is_refused() {
        for (line, says) in [
            (&["Simple", "is", "better", "than?"][..], "neither an address"),
            (&[""], "neither an address"),
            (&["Why?", "h:1"], "not a question"),
            (&["h:1", ""], "not a question"),
            (&["Why? What?"], "goes on after"),
        ] {
            let error = words(line).expect_err(says);
            assert!(error.contains(says), "{line:?}: {error}");
        }
    }
}
