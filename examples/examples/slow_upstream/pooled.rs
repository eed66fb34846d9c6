//! The service with a pool of threads, for any architecture.

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use bytes::Bytes;
use zen_client::{Client, ClientError, ClientOptions};
use zen_proto::{Answer, Flow, Responder, Service};

/// The answer when the upstream has none.
pub(crate) const UNREACHABLE: &[u8] = b"Error: the upstream does not answer.";

/// The answer when too many questions wait for a thread.
pub(crate) const BUSY: &[u8] = b"Error: too many questions wait for the upstream.";

/// A question, and the right to answer it.
type Job = (Vec<u8>, Responder);

/// Hands questions to threads, each of which has a connection to the upstream.
#[derive(Debug, Clone)]
pub(crate) struct Pooled {
    jobs: SyncSender<Job>,
}

impl Pooled {
    /// Starts the threads, for which at most `waiting` questions wait. They end when the last clone
    /// of this service is dropped.
    pub(crate) fn start(upstream: SocketAddr, threads: usize, waiting: usize) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(waiting);
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..threads {
            let receiver = Arc::clone(&receiver);
            thread::Builder::new().name("upstream".into()).spawn(move || work(&receiver, upstream))?;
        }
        Ok(Self { jobs: sender })
    }
}

impl Service for Pooled {
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_>) -> Flow {
        match self.jobs.try_send((question.to_vec(), answer.later())) {
            Ok(()) => {}
            Err(TrySendError::Full((_, responder)) | TrySendError::Disconnected((_, responder))) => {
                give(responder, BUSY);
            }
        }
        Flow::Later
    }
}

fn work(jobs: &Mutex<Receiver<Job>>, upstream: SocketAddr) {
    let mut client = None;
    loop {
        // One thread waits for the next question, the others for the lock.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((question, responder)) = job else { return };
        match ask(&mut client, upstream, &question) {
            Ok(answer) => give(responder, &answer),
            Err(_) => give(responder, UNREACHABLE),
        }
    }
}

/// Asks over the connection that there is, or over a new one if the upstream has closed it
/// meanwhile.
fn ask(client: &mut Option<Client>, upstream: SocketAddr, question: &[u8]) -> Result<Bytes, ClientError> {
    if let Some(mut connected) = client.take()
        && let Ok(answer) = connected.ask(question)
    {
        *client = Some(connected);
        return Ok(answer);
    }
    let mut connected = Client::connect(upstream, &ClientOptions::default())?;
    let answer = connected.ask(question)?;
    *client = Some(connected);
    Ok(answer)
}

fn give(responder: Responder, answer: &[u8]) {
    // It fails only when the conversation is over, and then nobody waits for the answer.
    let _ = responder.answer(answer);
}
