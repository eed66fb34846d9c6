//! A headless Chromium, controlled through its debugging protocol: JSON messages over a WebSocket.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longer than anything here takes on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(90);

/// A running browser with one page. Dropping it ends the browser.
pub(super) struct Browser {
    process: Process,
    socket: BufReader<TcpStream>,
    session: Option<String>,
    messages: u32,
    /// Events that the browser sent.
    events: Vec<Value>,
}

/// The browser's process and its files. Both are removed together, even when no page was ever
/// opened.
struct Process {
    child: Child,
    profile: PathBuf,
}

impl Browser {
    /// Starts a browser. Returns `None`, after a line on standard error, where there is no Chromium
    /// and none is required.
    pub(super) fn start() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let program = zen_testkit::peers::require_program("chromium")?;
        let name = format!("zen-page-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let profile = env::temp_dir().join(name);
        fs::create_dir_all(&profile).unwrap();
        let child = Command::new(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args([
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
                "--remote-debugging-port=0",
                "about:blank",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut process = Process { child, profile };
        let stderr = process.child.stderr.take().unwrap();
        let (address, path) = listening(stderr);
        let socket = shake_hands(&address, &path);
        let mut browser = Self { process, socket, session: None, messages: 0, events: Vec::new() };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", &attach);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Network", "Log", "Runtime"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        Some(browser)
    }

    /// A directory for the files of this browser's test; it is removed with the browser.
    pub(super) fn directory(&self) -> PathBuf {
        self.process.profile.clone()
    }

    /// Calls a method and waits for its result.
    pub(super) fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.messages += 1;
        let id = self.messages;
        let mut message = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.send(1, message.to_string().as_bytes());
        loop {
            let mut message = self.receive();
            if message["id"] == json!(id) {
                assert!(message.get("error").is_none(), "{method}: {}", message["error"]);
                return message["result"].take();
            }
            self.events.push(message);
        }
    }

    /// Loads a page and waits until it is complete.
    pub(super) fn open(&mut self, url: &str) {
        self.events.clear();
        self.call("Page.navigate", &json!({ "url": url }));
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.receive();
            self.events.push(event);
        }
    }

    /// The events with this name since the page was opened.
    pub(super) fn events(&self, method: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event["method"] == method).map(|event| &event["params"]).collect()
    }

    /// The value of a JavaScript expression. This works even where the page's own scripts are off.
    pub(super) fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.call("Runtime.evaluate", &parameters);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].take()
    }

    /// The bytes of a result that holds them as Base64.
    pub(super) fn bytes(result: &Value) -> Vec<u8> {
        let digit = |byte: u8| match byte {
            b'A'..=b'Z' => Some(byte - b'A'),
            b'a'..=b'z' => Some(byte - b'a' + 26),
            b'0'..=b'9' => Some(byte - b'0' + 52),
            b'+' => Some(62),
            b'/' => Some(63),
            _ => None,
        };
        let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
        for value in result["data"].as_str().unwrap().bytes().filter_map(digit) {
            bits = bits << 6 | u32::from(value);
            held += 6;
            if held >= 8 {
                held -= 8;
                bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
            }
        }
        bytes
    }

    fn send(&mut self, kind: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | kind];
        match payload.len() {
            len @ 0..126 => frame.push(0x80 | u8::try_from(len).unwrap()),
            len @ 126..65536 => {
                frame.push(0xfe);
                frame.extend(u16::try_from(len).unwrap().to_be_bytes());
            }
            len => {
                frame.push(0xff);
                frame.extend((len as u64).to_be_bytes());
            }
        }
        // A mask of zeros leaves the payload unchanged; no proxy that the mask would protect is in
        // between.
        frame.extend([0; 4]);
        frame.extend(payload);
        self.socket.get_mut().write_all(&frame).unwrap();
    }

    fn receive(&mut self) -> Value {
        let mut message = Vec::new();
        loop {
            let [first, second] = self.read();
            let length = match second & 0x7f {
                126 => u64::from(u16::from_be_bytes(self.read())),
                127 => u64::from_be_bytes(self.read()),
                short => u64::from(short),
            };
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.socket.read_exact(&mut payload).unwrap();
            match first & 0x0f {
                0..=2 => message.extend(payload),
                8 => panic!("the browser hung up: {}", String::from_utf8_lossy(&payload)),
                9 => self.send(10, &payload),
                _ => {}
            }
            if first & 0x80 != 0 && first & 0x0f <= 2 {
                return serde_json::from_slice(&message).unwrap();
            }
        }
    }

    fn read<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.socket.read_exact(&mut bytes).unwrap();
        bytes
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process and its files may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let gone = Instant::now();
        while fs::remove_dir_all(&self.profile).is_err()
            && self.profile.exists()
            && gone.elapsed() < Duration::from_secs(5)
        {
            // Its helper processes end with it, but may still be writing.
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Waits for the line that says where the browser listens: its address, and the path there.
fn listening(stderr: impl Read + Send + 'static) -> (String, String) {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // Reads to the end, so that the browser never blocks on a full pipe.
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let began = Instant::now();
    let mut said = String::new();
    while let Some(left) = TIMEOUT.checked_sub(began.elapsed()) {
        let Ok(line) = receiver.recv_timeout(left) else { break };
        if let Some((address, path)) = line.split_once("ws://").and_then(|(_, url)| url.split_once('/')) {
            return (address.to_owned(), format!("/{path}"));
        }
        said += &(line + "\n");
    }
    panic!("chromium did not start: {said}");
}

fn shake_hands(address: &str, path: &str) -> BufReader<TcpStream> {
    let began = Instant::now();
    let stream = loop {
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            // A load test that has just run here may have used up the ports; they are free again
            // within a minute.
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable && began.elapsed() < TIMEOUT => {
                thread::sleep(Duration::from_millis(200));
            }
            Err(error) => panic!("{address}: {error}"),
        }
    };
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    let mut socket = BufReader::new(stream);
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: emVuIGNvbXBhcmUgdGVzdA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    socket.get_mut().write_all(request.as_bytes()).unwrap();
    let mut line = String::new();
    socket.read_line(&mut line).unwrap();
    assert!(line.contains(" 101 "), "{line}");
    while line != "\r\n" {
        line.clear();
        socket.read_line(&mut line).map_err(io::Error::other).unwrap();
    }
    socket
}
