//! TLS between a socket and the asker, by rustls, which does no I/O of its own: whom a client
//! trusts, and what becomes of its bytes.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, ClientConnection, Error, RootCertStore};
use zen_proto::{Asker, Framing};

use crate::ClientError;
use crate::error::Lost;

/// How much one record holds, in bytes: the most that TLS allows.
const RECORD: usize = 16 * 1024;

/// Whom a client trusts, and as whom the server has to show itself.
///
/// Equal values share their configuration.
///
/// ```no_run
/// use std::path::Path;
/// use zen_client::{Client, ClientOptions, ClientTls};
///
/// // A server whose certificate this company has issued itself.
/// let tls = ClientTls::trusting(Path::new("/etc/ssl/company.pem"), "zen.example")?;
/// let options = ClientOptions::default().with_tls(tls);
/// let mut client = Client::connect("zen.example:1060", &options)?;
/// client.ask("Simple is better than?")?;
///
/// // One that any browser would trust.
/// let tls = ClientTls::trusting_the_system("zen.example")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
    server: ServerName<'static>,
}

/// Why TLS cannot be used.
///
/// ```
/// use std::path::Path;
/// use zen_client::{ClientTls, ClientTlsError};
///
/// let error = ClientTls::trusting(Path::new("no-such.pem"), "zen.example").unwrap_err();
/// assert!(matches!(error, ClientTlsError::Unreadable { .. }));
/// assert!(error.to_string().starts_with("cannot read the CA certificates no-such.pem: "));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientTlsError {
    /// The server's name is neither a host's name nor an IP address.
    #[error("{0:?} is neither a host's name nor an IP address, so no certificate can be for it")]
    Name(String),
    /// The file of the certificates cannot be read, or is not PEM.
    #[error("cannot read the CA certificates {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The file has no certificate.
    #[error("there is no certificate in {}; it should be a PEM file", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The system has no certificates that can be used.
    #[error("the system trusts no certificates: {reason}; name a file with those of a CA")]
    NoSystemCertificates {
        /// Why.
        reason: String,
    },
    /// The library for TLS refuses the certificates.
    #[error("cannot trust the certificates: {0}")]
    Refused(Error),
}

impl ClientTls {
    /// Any configuration, for a server that has a certificate for this name or IP address.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use zen_client::{ClientTls, ClientTlsError};
    ///
    /// /// With a configuration that shows a certificate of the client's own, for instance.
    /// fn with(config: Arc<rustls::ClientConfig>) -> Result<ClientTls, ClientTlsError> {
    ///     ClientTls::new(config, "zen.example")
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ClientTlsError::Name`].
    pub fn new(config: impl Into<Arc<ClientConfig>>, server: &str) -> Result<Self, ClientTlsError> {
        let name = ServerName::try_from(server.to_owned());
        let server = name.map_err(|_| ClientTlsError::Name(server.to_owned()))?;
        Ok(Self { config: config.into(), server })
    }

    /// Trusts the certificates in this PEM file, and no others.
    ///
    /// # Errors
    /// [`ClientTlsError`] says what is wrong with the file or the name.
    pub fn trusting(certificates: &Path, server: &str) -> Result<Self, ClientTlsError> {
        let path = certificates.to_owned();
        let found =
            CertificateDer::pem_file_iter(certificates).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let found = found.map_err(|error| ClientTlsError::Unreadable {
            path: path.clone(),
            reason: match error {
                pem::Error::Io(error) => error.to_string(),
                other => other.to_string(),
            },
        })?;
        if found.is_empty() {
            return Err(ClientTlsError::Missing { path });
        }
        let mut roots = RootCertStore::empty();
        for certificate in found {
            roots.add(certificate).map_err(ClientTlsError::Refused)?;
        }
        Self::with_roots(roots, server)
    }

    /// Trusts the certificates that the system trusts.
    ///
    /// # Errors
    /// [`ClientTlsError::NoSystemCertificates`], or [`ClientTlsError::Name`].
    pub fn trusting_the_system(server: &str) -> Result<Self, ClientTlsError> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        // A system's store may hold certificates that rustls does not take. Those are not trusted.
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let reason = found.errors.first().map_or_else(|| "it has none".to_owned(), ToString::to_string);
            return Err(ClientTlsError::NoSystemCertificates { reason });
        }
        Self::with_roots(roots, server)
    }

    fn with_roots(roots: RootCertStore, server: &str) -> Result<Self, ClientTlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(ClientTlsError::Refused)?;
        Self::new(config.with_root_certificates(roots).with_no_client_auth(), server)
    }
}

impl PartialEq for ClientTls {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.config, &other.config) && self.server == other.server
    }
}

impl Eq for ClientTls {}

/// The TLS of one connection.
#[derive(Debug)]
pub(crate) struct Tls {
    connection: ClientConnection,
    /// Ciphertext. What was written of it stays until all is.
    out: Vec<u8>,
    written: usize,
    /// How much of the asker's text is in `out`.
    text: usize,
    peer_closed: bool,
    fin_due: bool,
}

impl Tls {
    pub(crate) fn new(tls: &ClientTls) -> Result<Self, ClientError> {
        let connection = ClientConnection::new(Arc::clone(&tls.config), tls.server.clone());
        let connection = connection.map_err(|error| ClientError::Tls { reason: error.to_string() })?;
        let mut tls =
            Self { connection, out: Vec::new(), written: 0, text: 0, peer_closed: false, fin_due: false };
        tls.take_records();
        Ok(tls)
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    pub(crate) fn transmit(&self) -> &[u8] {
        &self.out[self.written..]
    }

    /// The text of a record is sent once the whole record is.
    pub(crate) fn handle_sent<F: Framing>(&mut self, asker: &mut Asker<F>, n: usize, now: Instant) {
        self.written += n;
        if self.transmit().is_empty() {
            (self.out, self.written) = (Vec::new(), 0);
            asker.handle_sent(std::mem::take(&mut self.text), now);
            self.write_record(asker);
        }
    }

    pub(crate) fn handle_input<F: Framing>(
        &mut self,
        asker: &mut Asker<F>,
        mut data: &[u8],
        now: Instant,
    ) -> Result<(), Lost> {
        while !data.is_empty() {
            // No more is taken of what comes after the server's end.
            if !self.connection.read_tls(&mut data).is_ok_and(|n| n > 0) {
                break;
            }
            let state = self.connection.process_new_packets().map_err(|error| {
                // rustls has an alert ready, which tells the server why.
                self.take_records();
                Lost::by_tls(&error)
            })?;
            let mut text = self.connection.reader();
            while let Ok(read) = text.fill_buf()
                && !read.is_empty()
            {
                asker.handle_input(read, now);
                let read = read.len();
                text.consume(read);
            }
            if state.peer_has_closed() && !self.peer_closed {
                self.peer_closed = true;
                asker.handle_eof(now);
            }
        }
        self.write_record(asker);
        Ok(())
    }

    /// An end that was not announced may be the work of somebody who has cut the answers off.
    pub(crate) fn handle_eof<F: Framing>(&mut self, asker: &mut Asker<F>, now: Instant) -> Result<(), Lost> {
        if self.peer_closed {
            asker.handle_eof(now);
            Ok(())
        } else if self.is_handshaking() {
            Err(Lost::NotTls("it has closed the connection during the handshake".to_owned()))
        } else {
            Err(Lost::CutOff)
        }
    }

    /// Makes a record of what is to be sent, and a `close_notify` once all is.
    pub(crate) fn prepare<F: Framing>(&mut self, asker: &mut Asker<F>) {
        if asker.poll_shutdown() {
            self.fin_due = true;
            self.connection.send_close_notify();
        }
        self.write_record(asker);
    }

    /// FIN follows `close_notify`.
    pub(crate) fn poll_shutdown<F: Framing>(&mut self, asker: &mut Asker<F>) -> bool {
        self.prepare(asker);
        self.transmit().is_empty() && std::mem::take(&mut self.fin_due)
    }

    /// What is left to be written when the client goes: the record that is under way, and a
    /// `close_notify`. A handshake that is not complete is broken off without one.
    pub(crate) fn announce_end(&mut self) -> &[u8] {
        if self.is_handshaking() {
            return &[];
        }
        // Does nothing if it was announced before.
        self.connection.send_close_notify();
        self.take_records();
        self.transmit()
    }

    /// Makes a record of what the asker has to send, once the one before is written.
    fn write_record<F: Framing>(&mut self, asker: &Asker<F>) {
        if self.text == 0 && self.transmit().is_empty() && !self.is_handshaking() {
            let unsent = asker.transmit();
            // rustls takes a record at least, since it has handed out all that it had before.
            self.text = self.connection.writer().write(&unsent[..unsent.len().min(RECORD)]).unwrap_or(0);
        }
        self.take_records();
    }

    fn take_records(&mut self) {
        while self.connection.wants_write() {
            // Writing to memory does not fail.
            if self.connection.write_tls(&mut self.out).is_err() {
                break;
            }
        }
    }
}

impl Lost {
    fn by_tls(error: &Error) -> Self {
        use CertificateError::{NotValidForName, NotValidForNameContext};
        match error {
            Error::InvalidCertificate(wrong @ (NotValidForName | NotValidForNameContext { .. })) => {
                Self::WrongName(wrong.to_string())
            }
            Error::InvalidCertificate(wrong) => Self::Untrusted(wrong.to_string()),
            Error::InvalidMessage(_) => Self::NotTls("its bytes are no TLS".to_owned()),
            other => Self::Tls(other.to_string()),
        }
    }
}
