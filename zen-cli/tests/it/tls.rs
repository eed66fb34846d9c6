//! `zen serve --tls-cert --tls-key` and `zen ask --tls`: they speak TLS, and what is wrong is named
//! in one line.

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

#[test]
fn zen_asks_over_tls() {
    let files = Files::new("asks");
    let (certificate, key) = (files.path("cert.pem"), files.path("key.pem"));
    let server = serve(&["--tls-cert", &certificate, "--tls-key", &key]);
    let address = format!("localhost:{}", server.address.port());
    let question = "Simple is better than?";
    let ended = run(zen(&["ask", &address, "--tls", "--tls-ca", &certificate, question]));
    assert_eq!(ended.stdout, "Simple is better than? Complex.\n", "{ended:?}");
    let number = server.address.to_string();
    let named = ["ask", &number, "--tls", "--tls-ca", &certificate, "--tls-name", "localhost", question];
    assert_eq!(run(zen(&named)).stdout, "Simple is better than? Complex.\n");
}

#[test]
fn a_client_that_has_asked_over_tls_is_not_taken_for_one_that_was_cut_off() {
    let files = Files::new("ends");
    let (certificate, key) = (files.path("cert.pem"), files.path("key.pem"));
    for flavor in FLAVORS {
        let server = serve(&["--flavor", flavor, "--tls-cert", &certificate, "--tls-key", &key]);
        let address = format!("localhost:{}", server.address.port());
        let ended = run(zen(&["ask", &address, "--tls", "--tls-ca", &certificate, "Why?", "How?"]));
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        let (_, log) = server.stop();
        assert!(log.contains("closes=\"finished=1\""), "{flavor}: {log}");
    }
}

#[test]
fn zen_ask_says_in_a_line_what_is_wrong_with_tls() {
    let files = Files::new("distrust");
    let (certificate, key) = (files.path("cert.pem"), files.path("key.pem"));
    let server = serve(&["--tls-cert", &certificate, "--tls-key", &key]);
    let plain = serve(&["--question-length", "10"]);
    let (name, number) = (format!("localhost:{}", server.address.port()), server.address.to_string());
    let plain = plain.address.to_string();
    let (missing, other) = (files.path("missing.pem"), files.path("other-cert.pem"));
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(&other, made.cert.pem()).unwrap();
    let unreadable = format!("cannot read the CA certificates {missing}: No such file");
    for (status, arguments, says) in [
        (1, &["ask", &name, "--tls", "--tls-ca", &missing][..], &unreadable[..]),
        (1, &["ask", &name, "--tls", "--tls-ca", &key], "there is no certificate in"),
        (1, &["ask", &name, "--tls", "--tls-ca", &other], "certificate is not trusted"),
        (1, &["ask", &number, "--tls", "--tls-ca", &certificate], "certificate is for another name"),
        (1, &["ask", &plain, "--tls", "--tls-ca", &certificate], "does not speak TLS"),
        (1, &["ask", &name, "Why?"], &name),
        (2, &["ask", &name, "--tls-ca", &certificate], "--tls is missing"),
        (2, &["ask", "unix:/nowhere", "--tls"], "--tls-name"),
    ] {
        let ended = run(zen(arguments));
        assert_eq!(ended.status.code(), Some(status), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(says), "{says}: {ended:?}");
        assert_eq!((ended.stderr.lines().count(), &ended.stdout[..]), (1, ""), "{ended:?}");
    }
}
