//! What the commands do, under every flavor.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use examples::Flavor;

use crate::client::{Client, array};
use crate::{resp, start, start_with};

crate::with_every_flavor!(
    commands_do_what_they_say,
    keys_expire,
    a_transaction_is_run_as_one,
    a_scan_finds_all,
    a_request_of_a_browser_changes_nothing,
    a_long_command_is_refused_before_it_has_come,
    messages_reach_their_subscribers,
    a_subscriber_that_does_not_read_does_not_hold_the_others,
    counting_at_once_loses_nothing,
);

/// Replies, written as Rust writes bytes.
fn talk(client: &mut Client, lines: &[(&str, &str)]) {
    for (line, reply) in lines {
        assert_eq!(client.line(line), *reply, "{line}");
    }
}

fn commands_do_what_they_say(flavor: Flavor) {
    let server = start(flavor);
    let mut client = Client::connect(server.address);
    talk(
        &mut client,
        &[
            ("PING", r"+PONG\r\n"),
            ("ping hello", r"$5\r\nhello\r\n"),
            ("ECHO hello", r"$5\r\nhello\r\n"),
            ("SET a 1", r"+OK\r\n"),
            ("GET a", r"$1\r\n1\r\n"),
            ("GET none", r"$-1\r\n"),
            ("SET a 2 NX", r"$-1\r\n"),
            ("SET b 2 XX GET", r"$-1\r\n"),
            ("SET a 10 XX GET", r"$1\r\n1\r\n"),
            ("INCR a", r":11\r\n"),
            ("INCRBY a -20", r":-9\r\n"),
            ("DECR a", r":-10\r\n"),
            ("APPEND a x", r":4\r\n"),
            ("STRLEN a", r":4\r\n"),
            ("INCR a", r"-ERR value is not an integer or out of range\r\n"),
            ("MSET b 1 c 2", r"+OK\r\n"),
            ("MGET a none c", r"*3\r\n$4\r\n-10x\r\n$-1\r\n$1\r\n2\r\n"),
            ("EXISTS a a none", r":2\r\n"),
            ("TYPE a", r"+string\r\n"),
            ("TYPE none", r"+none\r\n"),
            ("KEYS [c-z]", r"*1\r\n$1\r\nc\r\n"),
            ("DBSIZE", r":3\r\n"),
            ("DEL a none b", r":2\r\n"),
            ("SELECT 1", r"+OK\r\n"),
            ("GET c", r"$-1\r\n"),
            ("SELECT 16", r"-ERR DB index is out of range\r\n"),
            ("SELECT 0", r"+OK\r\n"),
            ("GET c", r"$1\r\n2\r\n"),
            ("CONFIG GET databases", r"*2\r\n$9\r\ndatabases\r\n$2\r\n16\r\n"),
            ("CLIENT SETNAME me", r"+OK\r\n"),
            ("CLIENT GETNAME", r"$2\r\nme\r\n"),
            ("FLUSHALL", r"+OK\r\n"),
            ("DBSIZE", r":0\r\n"),
            ("NOPE 1 2", r"-ERR unknown command \'NOPE\', with args beginning with: \'1\' \'2\' \r\n"),
            ("GET", r"-ERR wrong number of arguments for \'get\' command\r\n"),
            ("HELLO 4", r"-NOPROTO unsupported protocol version\r\n"),
            ("QUIT", r"+OK\r\n"),
        ],
    );
    assert_eq!(client.rest(), b"");
}

fn keys_expire(flavor: Flavor) {
    let server = start(flavor);
    let mut client = Client::connect(server.address);
    talk(
        &mut client,
        &[
            ("SET a 1 EX 100", r"+OK\r\n"),
            ("TTL a", r":100\r\n"),
            ("PERSIST a", r":1\r\n"),
            ("TTL a", r":-1\r\n"),
            ("EXPIRE a 50", r":1\r\n"),
            ("EXPIRE a 60 LT", r":0\r\n"),
            ("TTL a", r":50\r\n"),
            ("SET a 2", r"+OK\r\n"),
            ("PTTL a", r":-1\r\n"),
            ("TTL none", r":-2\r\n"),
            ("SET b 1 PX 30", r"+OK\r\n"),
            ("PEXPIRE a -1", r":1\r\n"),
            ("GET a", r"$-1\r\n"),
        ],
    );
    let begun = Instant::now();
    while client.line("EXISTS b") == r":1\r\n" {
        assert!(begun.elapsed() < Duration::from_secs(10), "it does not expire");
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(client.line("DBSIZE"), r":0\r\n");
}

fn a_transaction_is_run_as_one(flavor: Flavor) {
    let server = start(flavor);
    let mut client = Client::connect(server.address);
    talk(
        &mut client,
        &[
            ("MULTI", r"+OK\r\n"),
            ("SET a 1", r"+QUEUED\r\n"),
            ("INCR a", r"+QUEUED\r\n"),
            ("SELECT 2", r"+QUEUED\r\n"),
            ("GET a", r"+QUEUED\r\n"),
            ("MULTI", r"-ERR MULTI calls can not be nested\r\n"),
            ("EXEC", r"*4\r\n+OK\r\n:2\r\n+OK\r\n$-1\r\n"),
            ("EXEC", r"-ERR EXEC without MULTI\r\n"),
            ("MULTI", r"+OK\r\n"),
            ("SET a", r"-ERR wrong number of arguments for \'set\' command\r\n"),
            ("EXEC", r"-EXECABORT Transaction discarded because of previous errors.\r\n"),
            ("MULTI", r"+OK\r\n"),
            ("SET a 3", r"+QUEUED\r\n"),
            ("DISCARD", r"+OK\r\n"),
            ("GET a", r"$-1\r\n"),
        ],
    );
}

fn a_scan_finds_all(flavor: Flavor) {
    let server = start(flavor);
    let mut client = Client::connect(server.address);
    let keys: BTreeSet<_> = (0..200).map(|n| format!("key:{n}")).collect();
    for key in &keys {
        assert_eq!(client.ask(&["SET", key, "x"]), b"+OK\r\n");
    }
    let (mut cursor, mut found) = ("0".to_owned(), BTreeSet::new());
    loop {
        let reply = String::from_utf8(client.ask(&["SCAN", &cursor, "COUNT", "30"])).unwrap();
        let mut texts = reply.lines().filter(|line| !line.starts_with(['*', '$'])).map(str::to_owned);
        cursor = texts.next().unwrap();
        found.extend(texts);
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(found, keys);
}

fn a_request_of_a_browser_changes_nothing(flavor: Flavor) {
    let server = start(flavor);
    let mut client = Client::connect(server.address);
    client.send(b"POST / HTTP/1.1\r\nSET a 1\r\n");
    assert_eq!(client.rest(), b"");
    assert_eq!(Client::connect(server.address).line("GET a"), r"$-1\r\n");
}

fn a_long_command_is_refused_before_it_has_come(flavor: Flavor) {
    let server = start_with(flavor, resp::limits().with_question_length(1000));
    for input in [&b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2000\r\n"[..], b"*1000\r\n", b"*2\r\n$500\r\n"] {
        let mut client = Client::connect(server.address);
        client.send(b"PING\r\n");
        client.send(input);
        let whole = input.ends_with(b"$500\r\n");
        if whole {
            // It is short enough so far.
            client.send(&[b'x'; 500]);
            client.send(b"\r\n$600\r\n");
        }
        let expected: &[u8] = b"+PONG\r\n-ERR Protocol error: invalid bulk length\r\n";
        assert_eq!(client.rest(), expected, "{}", input.escape_ascii());
    }
}

fn messages_reach_their_subscribers(flavor: Flavor) {
    if flavor == Flavor::Blocking {
        // It serves one client at a time, so a subscriber is alone.
        return;
    }
    let server = start(flavor);
    let [mut first, mut second, mut publisher] = [(); 3].map(|()| Client::connect(server.address));
    talk(&mut first, &[("SUBSCRIBE news", r"*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n")]);
    second.send(&array(&["HELLO", "3"]));
    assert!(second.reply().starts_with(b"%7\r\n"));
    second.send(&array(&["SUBSCRIBE", "news", "weather"]));
    assert_eq!(second.reply(), b">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    assert_eq!(second.reply(), b">3\r\n$9\r\nsubscribe\r\n$7\r\nweather\r\n:2\r\n");
    talk(
        &mut publisher,
        &[
            ("PUBLISH news one", r":2\r\n"),
            ("PUBLISH weather rain", r":1\r\n"),
            ("PUBLISH sports goal", r":0\r\n"),
        ],
    );
    assert_eq!(first.reply(), b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$3\r\none\r\n");
    assert_eq!(second.reply(), b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$3\r\none\r\n");
    assert_eq!(second.reply(), b">3\r\n$7\r\nmessage\r\n$7\r\nweather\r\n$4\r\nrain\r\n");
    let only = r"only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context";
    talk(
        &mut first,
        &[
            ("GET a", &format!(r"-ERR Can\'t execute \'get\': {only}\r\n")),
            ("PING", r"*2\r\n$4\r\npong\r\n$0\r\n\r\n"),
            ("UNSUBSCRIBE news", r"*3\r\n$11\r\nunsubscribe\r\n$4\r\nnews\r\n:0\r\n"),
            ("GET a", r"$-1\r\n"),
        ],
    );
    talk(&mut second, &[("GET a", r"_\r\n")]);
    drop(second);
    // The server notices in a while that it has gone.
    let begun = Instant::now();
    while publisher.line("PUBLISH news two") != r":0\r\n" {
        assert!(begun.elapsed() < Duration::from_secs(10), "it stays subscribed");
    }
}

fn a_subscriber_that_does_not_read_does_not_hold_the_others(flavor: Flavor) {
    if flavor == Flavor::Blocking {
        // As above.
        return;
    }
    let server = start(flavor);
    let [mut sleeper, mut publisher] = [(); 2].map(|()| Client::connect(server.address));
    assert!(sleeper.line("SUBSCRIBE news").ends_with(r":1\r\n"));
    let message = "x".repeat(100_000);
    // What the system and the server keep for it is full at some point, and then it misses
    // messages.
    let begun = Instant::now();
    while publisher.ask(&["PUBLISH", "news", &message]) == b":1\r\n" {
        assert!(begun.elapsed() < Duration::from_secs(20), "everything is kept");
    }
    assert_eq!(publisher.line("PING"), r"+PONG\r\n");
    // What was kept is delivered whole.
    let whole =
        [&b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$100000\r\n"[..], message.as_bytes(), b"\r\n"].concat();
    for _ in 0..10 {
        assert!(sleeper.reply() == whole, "a message is damaged");
    }
}

fn counting_at_once_loses_nothing(flavor: Flavor) {
    let server = start(flavor);
    let clients = if flavor == Flavor::Blocking { 1 } else { 4 };
    let counting: Vec<_> = (0..clients)
        .map(|_| {
            let mut client = Client::connect(server.address);
            thread::spawn(move || {
                for _ in 0..50 {
                    client.send(&array(&["INCR", "n"]).repeat(20));
                    (0..20).for_each(|_| assert_eq!(client.reply()[0], b':'));
                }
            })
        })
        .collect();
    for thread in counting {
        thread.join().unwrap();
    }
    let count = Client::connect(server.address).line("GET n");
    assert_eq!(count, format!(r"$4\r\n{}\r\n", 1000 * clients));
}
