//! Both clients over TLS and over Unix sockets: what is trusted, how an end is told from a cut, and
//! one error for each thing that can be wrong.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use zen_client::{AsyncClient, Client, ClientError, ClientLimits, ClientOptions, ClientTls, ClientTlsError};

/// What a server needs, and its certificate.
fn server_config() -> (Arc<ServerConfig>, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["zen.example".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let certificate = made.cert.der().clone();
    let config = ServerConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    (Arc::new(config), certificate)
}

fn trusting(certificate: CertificateDer<'static>, name: &str) -> ClientOptions {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    ClientOptions::default().with_tls(ClientTls::new(config, name).unwrap())
}

/// How the server ends a conversation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// After the client, with `close_notify`.
    Announced,
    /// After so many questions, without.
    CutAfter(usize),
}

/// Answers each question with an `x` for each of its bytes, in conversations one after another.
fn serve(config: Arc<ServerConfig>, end: End) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            // A client may refuse the certificate.
            let _ = converse(StreamOwned::new(connection, stream.unwrap()), end);
        }
    });
    address
}

fn converse(mut stream: StreamOwned<ServerConnection, TcpStream>, end: End) -> std::io::Result<()> {
    let (mut asked, mut text) = (0, vec![0; 16 * 1024]);
    loop {
        let n = stream.read(&mut text)?;
        if n == 0 {
            stream.conn.send_close_notify();
            stream.flush()?;
            return Ok(());
        }
        for byte in &text[..n] {
            stream.write_all(if *byte == b'?' { b"." } else { b"x" })?;
            asked += usize::from(*byte == b'?');
            if end == End::CutAfter(asked) {
                stream.flush()?;
                return stream.sock.shutdown(Shutdown::Write);
            }
        }
        stream.flush()?;
    }
}

fn in_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Connects with both clients, which must fail alike.
fn both_fail(address: SocketAddr, options: &ClientOptions) -> [ClientError; 2] {
    let blocking = Client::connect(address, options).map(drop);
    let asynchronous = in_runtime(async { AsyncClient::connect(address, options).await.map(drop) });
    [blocking.unwrap_err(), asynchronous.unwrap_err()]
}

#[test]
fn both_clients_ask_over_tls_and_end_cleanly() {
    let (config, certificate) = server_config();
    let address = serve(config, End::Announced);
    let options = trusting(certificate, "zen.example");
    // Many more records than one, in both directions.
    let questions: Vec<_> = (1..300).map(|n| "a".repeat(n) + "?").collect();
    let expected: Vec<_> = (1..300).map(|n| "x".repeat(n) + ".").collect();
    let mut client = Client::connect(address, &options).unwrap();
    assert_eq!(client.ask("aa?").unwrap(), "xx.");
    assert_eq!(client.ask_all(&questions).unwrap(), expected);
    client.finish().unwrap();
    in_runtime(async {
        let mut client = AsyncClient::connect(address, &options).await.unwrap();
        assert_eq!(client.ask("aa?").await.unwrap(), "xx.");
        assert_eq!(client.ask_all(&questions).await.unwrap(), expected);
        client.finish().await.unwrap();
    });
}

#[test]
fn an_end_that_is_not_announced_is_told_from_one_that_is() {
    let (config, certificate) = server_config();
    let address = serve(config, End::CutAfter(2));
    let options = trusting(certificate, "zen.example");
    let cut = |error: ClientError, outstanding: usize| {
        assert!(
            matches!(error, ClientError::CutOff { awaited } if awaited == outstanding),
            "{outstanding}: {error:?}"
        );
    };
    let answers = |results: Vec<Result<_, ClientError>>| {
        let (last, answers) = results.split_last().unwrap();
        assert!(answers.iter().all(Result::is_ok), "what came before is no less true: {results:?}");
        assert!(matches!(last, Err(ClientError::CutOff { .. })), "{last:?}");
    };
    answers(Client::connect(address, &options).unwrap().pipeline(["a?", "b?", "c?"]).collect());
    let mut client = Client::connect(address, &options).unwrap();
    client.ask_all(["a?", "b?"]).unwrap();
    cut(client.finish().unwrap_err(), 0);
    in_runtime(async {
        let mut client = AsyncClient::connect(address, &options).await.unwrap();
        let (mut asked, mut results) = (client.pipeline(["a?", "b?", "c?"]), Vec::new());
        while let Some(result) = asked.next().await {
            results.push(result);
        }
        answers(results);
        let mut client = AsyncClient::connect(address, &options).await.unwrap();
        client.ask_all(["a?", "b?"]).await.unwrap();
        cut(client.finish().await.unwrap_err(), 0);
    });
}

/// A server of one conversation, and what its end looks like there: an error if it was cut off.
fn serve_once(config: Arc<ServerConfig>) -> (SocketAddr, thread::JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(config).unwrap();
        converse(StreamOwned::new(connection, stream), End::Announced)
    });
    (address, server)
}

#[test]
fn a_client_that_is_dropped_announces_its_end() {
    let (config, certificate) = server_config();
    let options = trusting(certificate, "zen.example");
    let (address, server) = serve_once(Arc::clone(&config));
    let mut client = Client::connect(address, &options).unwrap();
    client.ask("Why?").unwrap();
    drop(client);
    server.join().unwrap().expect("the blocking client has said that this is the end");

    let (address, server) = serve_once(config);
    in_runtime(async {
        let mut client = AsyncClient::connect(address, &options).await.unwrap();
        client.ask("Why?").await.unwrap();
    });
    server.join().unwrap().expect("the async client has said that this is the end");
}

/// Answers one question, and then reads no more until the client is gone.
fn serve_and_stop_reading(
    config: Arc<ServerConfig>,
    gone: mpsc::Receiver<()>,
) -> (SocketAddr, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
        stream.read_exact(&mut [0; 4]).unwrap();
        stream.write_all(b"So.").unwrap();
        gone.recv_timeout(Duration::from_secs(60)).expect("the client waits for the server");
    });
    (address, server)
}

#[test]
fn a_client_that_is_dropped_waits_for_no_room() {
    let (config, certificate) = server_config();
    // More than the sockets hold.
    let flood = vec![b'a'; 32 << 20];
    let flood = [&flood[..], b"?"].concat();
    let options = trusting(certificate, "zen.example");
    let soon = Some(Duration::from_millis(300));

    let (says_gone, gone) = mpsc::channel();
    let (address, server) = serve_and_stop_reading(Arc::clone(&config), gone);
    let mut client = Client::connect(address, &options).unwrap();
    client.ask("Why?").unwrap();
    client.set_answer_timeout(soon);
    client.ask(&flood).unwrap_err();
    drop(client);
    says_gone.send(()).unwrap();
    server.join().unwrap();

    let (says_gone, gone) = mpsc::channel();
    let (address, server) = serve_and_stop_reading(config, gone);
    in_runtime(async {
        let mut client = AsyncClient::connect(address, &options).await.unwrap();
        client.ask("Why?").await.unwrap();
        client.set_answer_timeout(soon);
        client.ask(&flood).await.unwrap_err();
    });
    says_gone.send(()).unwrap();
    server.join().unwrap();
}

#[test]
fn a_server_is_not_trusted_without_a_reason() {
    let (config, certificate) = server_config();
    let address = serve(config, End::Announced);
    for error in both_fail(address, &trusting(certificate, "other.example")) {
        assert!(matches!(error, ClientError::WrongName { .. }), "{error:?}");
    }
    let (_, other) = server_config();
    for error in both_fail(address, &trusting(other, "zen.example")) {
        assert!(matches!(error, ClientError::Untrusted { .. }), "{error:?}");
    }
}

#[test]
fn a_server_that_does_not_speak_tls_is_named_so() {
    let (_, certificate) = server_config();
    let limits = ClientLimits::default();
    let options = trusting(certificate, "zen.example").with_limits(limits);
    let talks: fn(TcpStream) = |mut stream| {
        let _ = stream.write_all(b"220 zen at your service\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
    };
    let closes: fn(TcpStream) = |mut stream| {
        let _ = stream.read(&mut [0; 4096]);
    };
    let is_silent: fn(TcpStream) = |mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    };
    for (server, says, timeout) in [
        (talks, "no TLS", 20_000),
        (closes, "closed the connection", 20_000),
        (is_silent, "no handshake within 200ms", 200),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || listener.incoming().for_each(|stream| server(stream.unwrap())));
        let options = options.clone().with_connect_timeout(Duration::from_millis(timeout));
        for error in both_fail(address, &options) {
            assert!(matches!(error, ClientError::NotTls { .. }), "{says}: {error:?}");
            assert!(error.to_string().contains(says), "{says}: {error}");
        }
    }
}

/// A path of the test's own, removed in the end.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("zen-client-{name}-{}", std::process::id())))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn both_clients_ask_over_a_unix_socket() {
    let path = Temporary::new("socket");
    let options = ClientOptions::default();
    let missing = Client::connect_unix(&path.0, &options).map(drop).unwrap_err();
    assert!(matches!(missing, ClientError::ConnectUnix { .. }), "{missing:?}");
    let listener = UnixListener::bind(&path.0).unwrap();
    let server = thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut question = [0; 4];
            stream.read_exact(&mut question).unwrap();
            stream.write_all(b"Because.").unwrap();
            assert_eq!(stream.read(&mut question).unwrap(), 0);
        }
    });
    let mut client = Client::connect_unix(&path.0, &options).unwrap();
    assert_eq!(client.ask("Why?").unwrap(), "Because.");
    client.finish().unwrap();
    in_runtime(async {
        let mut client = AsyncClient::connect_unix(&path.0, &options).await.unwrap();
        assert_eq!(client.ask("Why?").await.unwrap(), "Because.");
        client.finish().await.unwrap();
    });
    server.join().unwrap();
}

#[test]
fn a_file_or_a_name_that_is_wrong_is_named() {
    let file = Temporary::new("file");
    let error = ClientTls::trusting(&file.0, "zen.example").unwrap_err();
    assert!(matches!(error, ClientTlsError::Unreadable { .. }), "{error:?}");
    std::fs::write(&file.0, "nothing\n").unwrap();
    let error = ClientTls::trusting(&file.0, "zen.example").unwrap_err();
    assert!(matches!(error, ClientTlsError::Missing { .. }), "{error:?}");
    let made = rcgen::generate_simple_self_signed(["zen.example".to_owned()]).unwrap();
    std::fs::write(&file.0, made.cert.pem()).unwrap();
    let error = ClientTls::trusting(&file.0, "not a name").unwrap_err();
    assert!(matches!(error, ClientTlsError::Name(_)), "{error:?}");
    ClientTls::trusting(&file.0, "::1").unwrap();
}
