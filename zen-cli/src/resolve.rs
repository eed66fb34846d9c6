//! Addresses: `HOST:PORT` as the user writes it, and the socket addresses that it stands for.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::escape::escaped;
use crate::failure::Failure;
use crate::units;

/// A host, by name or number, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    host: String,
    port: u16,
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let advice = "an address is HOST:PORT, such as 127.0.0.1:1060, localhost:1060 or [::1]:1060";
        let (host, port) = text.rsplit_once(':').ok_or(advice)?;
        let numeric = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match numeric {
            Some(host) => host,
            None if host.contains([':', '[', ']']) => return Err(advice.into()),
            None => host,
        };
        if host.is_empty() || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(advice.into());
        }
        if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("the port is missing; {advice}"));
        }
        let port = port.parse().map_err(|_| "a port is a number from 0 to 65535")?;
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = escaped(self.host.as_bytes());
        if self.host.contains(':') {
            write!(f, "[{host}]:{}", self.port)
        } else {
            write!(f, "{host}:{}", self.port)
        }
    }
}

impl Address {
    /// The host as it was written, without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The socket addresses that this stands for, at least one, found `within` this time.
    pub(crate) fn resolve(&self, within: Duration) -> Result<Vec<SocketAddr>, Failure> {
        let (found, finding) = mpsc::channel();
        let (host, port) = (self.host.clone(), self.port);
        // The system's resolver cannot be interrupted. If it takes too long, the thread that waits
        // for it is left behind.
        thread::spawn(move || {
            let addresses = (host.as_str(), port).to_socket_addrs().map(Vec::from_iter);
            // The receiver may have given up.
            let _ = found.send(addresses);
        });
        let advice = "check the name, or give a number such as 127.0.0.1";
        match finding.recv_timeout(within) {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            Ok(_) => Err(Failure::Failed(format!("{self}: no such host; {advice}"))),
            Err(_) => Err(Failure::Failed(format!(
                "{self}: the host was not found within {}; {advice}",
                units::written(within)
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_as_it_was_written() {
        for text in ["127.0.0.1:1060", "localhost:0", "[::1]:65535", "host-1.example:80"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_bad_address_comes_with_advice() {
        for (text, says) in [
            ("localhost", "HOST:PORT"),
            ("1060", "HOST:PORT"),
            (":1060", "HOST:PORT"),
            ("::1:1060", "HOST:PORT"),
            ("[::1:1060", "HOST:PORT"),
            ("a b:1", "HOST:PORT"),
            ("localhost:", "port is missing"),
            ("localhost:http", "port is missing"),
            ("localhost:-1", "port is missing"),
            ("localhost:65536", "0 to 65535"),
        ] {
            let error = text.parse::<Address>().expect_err(text);
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn numbers_resolve_to_themselves() {
        let address: Address = "[::1]:9".parse().unwrap();
        let found = address.resolve(Duration::from_secs(20)).unwrap();
        assert_eq!(found, ["[::1]:9".parse::<SocketAddr>().unwrap()]);
    }
}
