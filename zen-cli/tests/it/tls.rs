//! `zen serve --tls-cert --tls-key`: it speaks TLS, and a file that is wrong is named in one line.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use zen_server::rustls::crypto::ring::default_provider;
use zen_server::rustls::pki_types::{CertificateDer, ServerName};
use zen_server::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::running::{FLAVORS, run, serve, zen};

/// A certificate and its key in files of the test's own, which are removed in the end.
struct Files {
    directory: PathBuf,
    certificate: CertificateDer<'static>,
}

impl Files {
    fn new(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("zen-tls-{name}-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(directory.join("cert.pem"), made.cert.pem()).unwrap();
        fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(directory.join("other.pem"), other.signing_key.serialize_pem()).unwrap();
        fs::write(directory.join("empty.pem"), "").unwrap();
        Self { directory, certificate: made.cert.der().clone() }
    }

    fn path(&self, name: &str) -> String {
        self.directory.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

#[test]
fn every_flavor_speaks_tls() {
    let files = Files::new("speaks");
    let mut roots = RootCertStore::empty();
    roots.add(files.certificate.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    for flavor in FLAVORS {
        let (certificate, key) = (files.path("cert.pem"), files.path("key.pem"));
        let server = serve(&["--flavor", flavor, "--tls-cert", &certificate, "--tls-key", &key]);
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::clone(&config), name).unwrap();
        let mut client = StreamOwned::new(connection, TcpStream::connect(server.address).unwrap());
        client.write_all(b"Simple is better than?").unwrap();
        let mut answer = [0; 8];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"Complex.", "{flavor}");
    }
}

#[test]
fn a_file_that_is_wrong_is_named() {
    let files = Files::new("wrong");
    for (certificate, key, says) in [
        ("missing.pem", "key.pem", "cannot read the certificate {}/missing.pem: No such file"),
        ("cert.pem", "missing.pem", "cannot read the private key {}/missing.pem: No such file"),
        ("empty.pem", "key.pem", "there is no certificate in {}/empty.pem"),
        ("key.pem", "key.pem", "there is no certificate in {}/key.pem"),
        ("cert.pem", "cert.pem", "there is no private key in {}/cert.pem"),
        ("cert.pem", "other.pem", "the key {}/other.pem does not fit the certificate {}/cert.pem"),
    ] {
        let (certificate, key) = (files.path(certificate), files.path(key));
        let ended = run(zen(&["serve", "127.0.0.1:0", "--tls-cert", &certificate, "--tls-key", &key]));
        let says = says.replace("{}", files.directory.to_str().unwrap());
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert!(ended.stderr.contains(&says), "{says}: {ended:?}");
        assert_eq!((ended.stderr.lines().count(), &ended.stdout[..]), (1, ""), "{ended:?}");
    }
    let ended = run(zen(&["serve", "--tls-cert", &files.path("cert.pem")]));
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    assert!(ended.stderr.contains("--tls-key"), "{ended:?}");
}
