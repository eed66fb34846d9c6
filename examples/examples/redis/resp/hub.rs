//! The hub: who has subscribed to what.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use zen_proto::{Output, Pusher};

use crate::resp::reply::{Reply, Version};

/// The subscribers of each channel.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    channels: Mutex<Channels>,
}

/// By the channel's name, and the subscriber's number.
type Channels = HashMap<Vec<u8>, BTreeMap<u64, Subscriber>>;

/// How a subscriber is sent messages.
#[derive(Debug)]
struct Subscriber {
    pusher: Pusher,
    version: Version,
}

impl Hub {
    /// Subscribes the client of this number, or says anew how it is sent messages.
    pub(crate) fn subscribe(&self, channel: &[u8], client: u64, pusher: Pusher, version: Version) {
        self.lock().entry(channel.to_vec()).or_default().insert(client, Subscriber { pusher, version });
    }

    pub(crate) fn unsubscribe(&self, channel: &[u8], client: u64) {
        let mut channels = self.lock();
        if let Some(subscribers) = channels.get_mut(channel) {
            subscribers.remove(&client);
            if subscribers.is_empty() {
                channels.remove(channel);
            }
        }
    }

    /// Sends `message` to the subscribers of `channel`, and returns how many there are. One that
    /// does not keep up misses it: see [`PushError::Full`](zen_proto::PushError::Full).
    pub(crate) fn publish(&self, channel: &[u8], message: &[u8]) -> usize {
        let channels = self.lock();
        let Some(subscribers) = channels.get(channel) else { return 0 };
        let [two, three] = [Version::Two, Version::Three].map(|version| {
            let mut text = Vec::new();
            let mut reply = Reply::new(Output::from(&mut text), version);
            reply.push(3);
            for part in [b"message", channel, message] {
                reply.bulk(part);
            }
            text
        });
        let sent = subscribers.values().filter(|subscriber| {
            let text = if subscriber.version == Version::Two { &two } else { &three };
            subscriber.pusher.push(&text[..]).is_ok()
        });
        sent.count()
    }

    /// No change leaves anything half done, so a thread that panicked has done no harm.
    fn lock(&self) -> MutexGuard<'_, Channels> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
