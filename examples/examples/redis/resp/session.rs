//! The session: what the server knows of one client.

use std::collections::BTreeSet;
use std::sync::Arc;

use zen_proto::{Peer, Pusher};

use crate::resp::commands::Spec;
use crate::resp::keyspace::Keyspace;
use crate::resp::reply::Version;
use crate::resp::shared::{Data, Shared};

/// The most that the queued commands of one transaction may take, in bytes.
const QUEUE_LIMIT: usize = crate::resp::framing::MESSAGE_LIMIT;

/// One client.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) shared: Arc<Shared>,
    pub(crate) peer: Peer,
    /// The client's number.
    pub(crate) id: u64,
    /// The longest bulk string that is taken from it, in bytes.
    pub(crate) bulk_limit: usize,
    /// The version of the protocol that it speaks.
    pub(crate) version: Version,
    /// What it calls itself.
    pub(crate) name: Vec<u8>,
    /// Which database it has selected.
    pub(crate) database: usize,
    /// The channels it has subscribed to.
    pub(crate) channels: BTreeSet<Vec<u8>>,
    /// How messages are sent to it. Made with the first subscription.
    pub(crate) pusher: Option<Pusher>,
    pub(crate) transaction: Option<Transaction>,
}

/// Commands that are queued until EXEC.
#[derive(Clone, Default)]
pub(crate) struct Transaction {
    pub(crate) queue: Vec<(&'static Spec, Vec<Vec<u8>>)>,
    bytes: usize,
    /// A command was refused, so EXEC will be too.
    pub(crate) spoiled: bool,
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            peer: Peer::default(),
            id: 0,
            bulk_limit: 0,
            version: Version::Two,
            name: Vec::new(),
            database: 0,
            channels: BTreeSet::new(),
            pusher: None,
            transaction: None,
        }
    }

    /// The database it has selected.
    #[inline]
    pub(crate) fn keyspace<'a>(&self, data: &'a mut Data) -> &'a mut Keyspace {
        &mut data.databases[self.database]
    }

    /// Whether what it is sent now is mostly messages, from which the second version of the
    /// protocol cannot tell most replies.
    #[inline]
    pub(crate) fn is_subscriber(&self) -> bool {
        !self.channels.is_empty() && self.version == Version::Two
    }

    /// A command was refused while a transaction was being queued.
    pub(crate) fn spoil(&mut self) {
        if let Some(transaction) = &mut self.transaction {
            transaction.spoiled = true;
        }
    }

    /// Has the messages of `channel` sent to it, in its version of the protocol.
    pub(crate) fn join(&self, channel: &[u8]) {
        if let Some(pusher) = &self.pusher {
            self.shared.hub.subscribe(channel, self.id, pusher.clone(), self.version);
        }
    }

    pub(crate) fn unsubscribe_all(&mut self) {
        for channel in std::mem::take(&mut self.channels) {
            self.shared.hub.unsubscribe(&channel, self.id);
        }
    }
}

impl Transaction {
    /// Keeps a command for EXEC. False when there is no room for it.
    pub(crate) fn push(&mut self, spec: &'static Spec, words: &[&[u8]]) -> bool {
        let cost = |word: &&[u8]| word.len() + size_of::<Vec<u8>>();
        self.bytes += words.iter().map(cost).sum::<usize>();
        let fits = self.bytes <= QUEUE_LIMIT;
        if fits {
            self.queue.push((spec, words.iter().map(|word| word.to_vec()).collect()));
        }
        fits
    }
}
