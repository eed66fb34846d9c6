//! Certificates and their key, from PEM files, and one clear line for whatever is wrong with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{Error, InconsistentKeys, ServerConfig};

/// Why TLS cannot be served with these files.
///
/// ```
/// use std::path::Path;
/// use zen_server::{TlsError, tls_config};
///
/// match tls_config(Path::new("cert.pem"), Path::new("key.pem")) {
///     Ok(_) => println!("serving over TLS"),
///     Err(TlsError::Unreadable { path, .. }) => println!("is {} in its place?", path.display()),
///     // Every message says what is wrong with which file.
///     Err(error) => println!("{error}"),
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read, or is not PEM.
    #[error("cannot read the {what} {}: {reason}", path.display())]
    Unreadable {
        /// "certificate" or "key".
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file holds no such thing.
    #[error("there is no {what} in {}; it should be a PEM file", path.display())]
    Missing {
        /// "certificate" or "private key".
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The key is another certificate's.
    #[error("the key {} does not fit the certificate {}", key.display(), certificate.display())]
    Mismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// The library for TLS refuses them.
    #[error("cannot serve TLS with the certificate {}: {reason}", certificate.display())]
    Refused {
        /// The certificate's file.
        certificate: PathBuf,
        /// Why.
        reason: Error,
    },
}

/// TLS 1.2 and 1.3 with the certificate chain and the private key of these PEM files. Clients need
/// no certificate.
///
/// ```
/// use std::path::Path;
///
/// let error = zen_server::tls_config(Path::new("no-such.pem"), Path::new("key.pem")).unwrap_err();
/// assert!(error.to_string().starts_with("cannot read the certificate no-such.pem: "));
/// ```
///
/// # Errors
/// [`TlsError`] says which file is wrong, and why.
pub fn tls_config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| explained("certificate", certificate, error))?;
    if chain.is_empty() {
        return Err(TlsError::Missing { what: "certificate", path: certificate.to_owned() });
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| explained("private key", key, error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private));
    config.map(Arc::new).map_err(|reason| match reason {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            TlsError::Mismatch { key: key.to_owned(), certificate: certificate.to_owned() }
        }
        reason => TlsError::Refused { certificate: certificate.to_owned(), reason },
    })
}

fn explained(what: &'static str, path: &Path, error: pem::Error) -> TlsError {
    let path = path.to_owned();
    match error {
        pem::Error::NoItemsFound => TlsError::Missing { what, path },
        pem::Error::Io(error) => TlsError::Unreadable { what, path, reason: error.to_string() },
        other => TlsError::Unreadable { what, path, reason: other.to_string() },
    }
}
