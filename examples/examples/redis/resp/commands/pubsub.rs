//! Publish and subscribe.

use crate::resp::reply::Reply;
use crate::resp::session::Session;

pub(super) fn publish(session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    reply.count(session.shared.hub.publish(words[1], words[2]));
}

pub(super) fn subscribe(session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    for channel in &words[1..] {
        if session.channels.insert(channel.to_vec()) {
            session.join(channel);
        }
        confirm("subscribe", Some(channel), session, reply);
    }
}

/// Without a channel, from all of them.
pub(super) fn unsubscribe(session: &mut Session, words: &[&[u8]], reply: &mut Reply<'_>) {
    if let [_] = words {
        let all = std::mem::take(&mut session.channels);
        if all.is_empty() {
            confirm("unsubscribe", None, session, reply);
        }
        session.channels.clone_from(&all);
        for channel in &all {
            leave(channel, session, reply);
        }
    }
    for channel in &words[1..] {
        leave(channel, session, reply);
    }
}

fn leave(channel: &[u8], session: &mut Session, reply: &mut Reply<'_>) {
    if session.channels.remove(channel) {
        session.shared.hub.unsubscribe(channel, session.id);
    }
    confirm("unsubscribe", Some(channel), session, reply);
}

fn confirm(what: &str, channel: Option<&[u8]>, session: &Session, reply: &mut Reply<'_>) {
    reply.push(3);
    reply.bulk(what.as_bytes());
    reply.bulk_or_nil(channel);
    reply.count(session.channels.len());
}
