//! A client that sees every byte of a reply.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// Sends bytes as they are. That the server may have closed already shows in the reply.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// The next reply, as it came: whole, with all that it contains.
    pub(crate) fn reply(&mut self) -> Vec<u8> {
        let mut reply = Vec::new();
        self.stream.read_until(b'\n', &mut reply).unwrap();
        let number = || str::from_utf8(&reply[1..]).unwrap().trim_end().parse::<i64>().unwrap();
        match reply.first() {
            Some(b'$' | b'=') if number() >= 0 => {
                let mut bytes = vec![0; usize::try_from(number()).unwrap() + 2];
                self.stream.read_exact(&mut bytes).unwrap();
                reply.extend(bytes);
            }
            Some(kind @ (b'*' | b'~' | b'>' | b'%')) => {
                let parts = number() * if *kind == b'%' { 2 } else { 1 };
                for _ in 0..parts {
                    reply.extend(self.reply());
                }
            }
            _ => {}
        }
        reply
    }

    /// Gives a command and takes its reply.
    pub(crate) fn ask(&mut self, words: &[impl AsRef<[u8]>]) -> Vec<u8> {
        self.send(&array(words));
        self.reply()
    }

    /// The same with a line of words. The reply is as readable as bytes can be.
    pub(crate) fn line(&mut self, line: &str) -> String {
        let words: Vec<_> = line.split(' ').collect();
        self.ask(&words).escape_ascii().to_string()
    }

    /// All that comes until the server closes.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let end = self.stream.read_to_end(&mut rest);
        end.unwrap_or_else(|error| panic!("{error} after {}", rest.escape_ascii()));
        rest
    }

    /// The same from Redis itself. It closes without reading what is left, and the system then
    /// resets the connection.
    pub(crate) fn rest_of_redis(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => {
                panic!("{error} after {}", rest.escape_ascii())
            }
            _ => rest,
        }
    }
}

/// A command as clients send it.
pub(crate) fn array(words: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        let word = word.as_ref();
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}
