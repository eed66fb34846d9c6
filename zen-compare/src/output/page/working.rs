//! How the servers work: the time line of a short trace, and a sentence for each of them.

use zen_trace::page::time_line;
use zen_trace::{Sums, Trace};

use super::identity::Identities;

/// What the section shows.
pub(super) struct Working {
    /// The contender's index if the server is one, its name, and what is said of it.
    pub(super) sentences: Vec<(Option<usize>, String, String)>,
    /// The time line, as markup.
    pub(super) lanes: String,
}

impl Working {
    /// `None` for a trace of nothing.
    pub(super) fn new(trace: &Trace, identities: &Identities) -> Option<Self> {
        let servers = Sums::new(trace).servers;
        if servers.is_empty() {
            return None;
        }
        let sentences = servers.into_iter().map(|server| {
            let index = identities.get(&server.name).map(|identity| identity.index);
            let sentence = server.how_it_works();
            (index, server.name, sentence)
        });
        Some(Self { sentences: sentences.collect(), lanes: time_line(trace) })
    }
}
