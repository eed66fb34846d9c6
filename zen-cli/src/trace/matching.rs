//! Which conversation of the server was which client's: the one whose peer has the client's port.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use zen_trace::recording::{Conversation, Recording};

use super::clients::ClientConversation;

/// Puts what the clients did into the conversations that they had. A client whose connection the
/// server never accepted gets a conversation of its own, behind the others.
pub(super) fn add_clients(recording: &mut Recording, clients: &[ClientConversation]) {
    // A port may be used again, so a client's second connection from it is the second conversation.
    let mut by_peer: HashMap<SocketAddr, VecDeque<usize>> = HashMap::new();
    for (index, conversation) in recording.conversations.iter().enumerate() {
        if let Some(peer) = conversation.peer {
            by_peer.entry(peer).or_default().push_back(index);
        }
    }
    let last = recording.conversations.iter().map(|conversation| conversation.number).max().unwrap_or(0);
    let mut numbers = last + 1..;
    for client in clients {
        let known = client.address.and_then(|address| by_peer.get_mut(&address)?.pop_front());
        let index = known.unwrap_or_else(|| {
            // There are as many numbers as there can be connections.
            let mut conversation = Conversation::new(numbers.next().unwrap_or(u64::MAX));
            conversation.peer = client.address;
            recording.conversations.push(conversation);
            recording.conversations.len() - 1
        });
        recording.conversations[index].client_spans.clone_from(&client.spans);
    }
}

#[cfg(test)]
mod tests {
    use zen_trace::recording::{ClientSpan, ClientSpanKind};

    use super::*;

    fn accepted(number: u64, port: u16, opened_ns: u64) -> Conversation {
        let mut conversation = Conversation::new(number);
        conversation.peer = Some(([127, 0, 0, 1], port).into());
        conversation.opened_ns = Some(opened_ns);
        conversation
    }

    fn client(port: u16, from_ns: u64) -> ClientConversation {
        let span = ClientSpan::new(from_ns, from_ns + 1, ClientSpanKind::Connecting);
        ClientConversation { address: Some(([127, 0, 0, 1], port).into()), spans: vec![span] }
    }

    #[test]
    fn clients_are_found_by_their_ports_and_not_by_their_order() {
        let mut recording = Recording::new("pool");
        recording.conversations = vec![accepted(1, 500, 10), accepted(2, 400, 11), accepted(3, 500, 30)];
        // The clients connect in another order; the last two connect from one port, and the server
        // never accepts the one from port 600.
        add_clients(&mut recording, &[client(400, 5), client(600, 6), client(500, 7), client(500, 25)]);
        let found = recording.conversations.iter().map(|it| (it.number, it.client_spans[0].from_ns));
        assert_eq!(found.collect::<Vec<_>>(), [(1, 7), (2, 5), (3, 25), (4, 6)]);
        assert_eq!(recording.conversations[3].opened_ns, None);
    }
}
