//! Accepting: what every server does with the result of an accept.

use std::io;
use std::os::fd::AsFd;
use std::time::Instant;

use socket2::SockRef;
use zen_proto::{Address, Peer};

use crate::{AcceptTrouble, Admission, ConversationId, LocalAddress, Observer, Setup, Step};

impl<S, F, O: Observer> Setup<S, F, O> {
    /// A connection from `remote` was accepted: counts it, and sets the socket options that
    /// [`Options`](crate::Options) ask for. Returns what its service is told of the peer, and the
    /// observer of the conversation, which was told that it is [`Accepted`](Step::Accepted).
    ///
    /// ```
    /// use std::net::{TcpListener, TcpStream};
    /// use zen_proto::aphorism::{Aphorisms, framing};
    /// use zen_server::{Admission, LocalAddress, Options, Setup, defaults};
    ///
    /// let setup = Setup::new(Aphorisms, framing(), Options::default(), defaults::CONNECTIONS)?;
    /// let mut admission = Admission::new(setup.connections);
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let local = LocalAddress::new(&listener.try_clone()?.into());
    /// # let _client = TcpStream::connect(listener.local_addr()?)?;
    /// let (stream, remote) = listener.accept()?;
    /// let remote = remote.into();
    /// let (peer, _observer) = setup.handle_accepted(&mut admission, &stream, remote, &local);
    /// assert_eq!((peer.connection, admission.open()), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn handle_accepted(
        &self,
        admission: &mut Admission,
        stream: &impl AsFd,
        remote: Address,
        local: &LocalAddress,
    ) -> (Peer, O) {
        let number = self.counters.count_accepted();
        let observer = self.observer.for_conversation(ConversationId::new(number), &remote);
        observer.step(Step::Accepted);
        admission.handle_accepted();
        if self.options.nodelay && matches!(remote, Address::Ip(_)) {
            // This fails only on a connection that is broken already, and then the first read says
            // so.
            let _ = SockRef::from(stream).set_tcp_nodelay(true);
        }
        let peer = Peer::new(remote, local.resolve(stream), number).with_tls(self.layers.offer());
        (peer, observer)
    }

    /// Accepting failed: counts it, pauses accepting as [`Admission::handle_error`] says, and logs
    /// it when a line is due.
    ///
    /// "Would block" and "interrupted" are no failures, and change nothing.
    ///
    /// ```
    /// use std::io;
    /// use std::time::Instant;
    /// use zen_proto::aphorism::{Aphorisms, framing};
    /// use zen_server::{Admission, Options, Setup, defaults};
    ///
    /// let setup = Setup::new(Aphorisms, framing(), Options::default(), defaults::CONNECTIONS)?;
    /// let mut admission = Admission::new(setup.connections);
    /// // EMFILE: the process has no descriptor left.
    /// let error = io::Error::from_raw_os_error(24);
    /// setup.handle_accept_error(&mut admission, &error, Instant::now());
    /// assert!(!admission.wants_accept(), "accepting pauses");
    /// assert_eq!(setup.counters.snapshot().accept_errors, 1);
    /// # Ok::<(), zen_server::OptionsError>(())
    /// ```
    pub fn handle_accept_error(&self, admission: &mut Admission, error: &io::Error, now: Instant) {
        if let Some(trouble) = admission.handle_error(error, now) {
            self.report(error, &trouble);
        }
    }

    /// The system refused what a connection needs, as in [`Admission::handle_exhausted`]: counts
    /// it, pauses accepting, and logs it when a line is due.
    ///
    /// ```
    /// use std::io;
    /// use std::time::Instant;
    /// use zen_proto::aphorism::{Aphorisms, framing};
    /// use zen_server::{Admission, Options, Setup, defaults};
    ///
    /// let setup = Setup::new(Aphorisms, framing(), Options::default(), defaults::CONNECTIONS)?;
    /// let mut admission = Admission::new(setup.connections);
    /// // A thread for the connection could not be started.
    /// setup.handle_exhausted(&mut admission, &io::ErrorKind::WouldBlock.into(), Instant::now());
    /// assert!(!admission.wants_accept(), "accepting pauses");
    /// assert_eq!(setup.counters.snapshot().accept_errors, 1);
    /// # Ok::<(), zen_server::OptionsError>(())
    /// ```
    pub fn handle_exhausted(&self, admission: &mut Admission, error: &io::Error, now: Instant) {
        let trouble = admission.handle_exhausted(now);
        self.report(error, &trouble);
    }

    fn report(&self, error: &io::Error, trouble: &AcceptTrouble) {
        self.counters.count_accept_error();
        if let Some(failures) = trouble.unlogged {
            tracing::warn!(%error, failures, pause = ?trouble.pause, "cannot accept");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::{TcpListener, TcpStream};

    use zen_proto::aphorism::{self, Aphorisms};

    use super::*;
    use crate::Options;

    fn setup(nodelay: bool) -> Setup<Aphorisms, zen_proto::DelimiterFraming> {
        let options = Options::default().with_nodelay(nodelay);
        Setup::new(Aphorisms, aphorism::framing(), options, 1).expect("good options")
    }

    #[test]
    fn an_accepted_connection_sends_at_once_if_it_is_to() {
        for nodelay in [true, false] {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
            let _client = TcpStream::connect(listener.local_addr().expect("an address")).expect("connects");
            let (stream, remote) = listener.accept().expect("accepts");
            let (setup, mut admission) = (setup(nodelay), Admission::new(1));
            let address = listener.local_addr().expect("an address").into();
            let local = LocalAddress::new(&listener.into());
            let (peer, _) = setup.handle_accepted(&mut admission, &stream, remote.into(), &local);
            assert_eq!(peer, Peer::new(remote.into(), address, 1));
            assert_eq!(stream.nodelay().expect("an option"), nodelay);
            assert_eq!((setup.counters.snapshot().accepted, admission.open()), (1, 1));
        }
    }

    #[test]
    fn only_failures_are_counted() {
        let (setup, mut admission) = (setup(true), Admission::new(1));
        let now = Instant::now();
        for kind in [ErrorKind::Interrupted, ErrorKind::WouldBlock] {
            setup.handle_accept_error(&mut admission, &kind.into(), now);
        }
        assert_eq!(setup.counters.snapshot().accept_errors, 0);
        assert!(admission.wants_accept());
        setup.handle_accept_error(&mut admission, &ErrorKind::ConnectionAborted.into(), now);
        assert_eq!(setup.counters.snapshot().accept_errors, 1);
        assert!(admission.wants_accept());
        setup.handle_exhausted(&mut admission, &ErrorKind::WouldBlock.into(), now);
        assert_eq!(setup.counters.snapshot().accept_errors, 2);
        assert!(!admission.wants_accept());
    }
}
