//! The service: which command a request is, whether it may be given now, and its reply.

use std::sync::Arc;

use zen_proto::{Answer, Closed, Flow, Peer, Service};

use crate::resp::commands::{self, Run, Spec};
use crate::resp::framing::{Request, Resp, Words};
use crate::resp::reply::Reply;
use crate::resp::session::{Session, Transaction};
use crate::resp::shared::{Data, Shared};

/// Answers one client. Each conversation has a clone.
#[derive(Clone)]
pub(crate) struct Redis {
    shared: Arc<Shared>,
    session: Session,
}

impl Redis {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { session: Session::new(Arc::clone(&shared)), shared }
    }
}

impl Service<Resp> for Redis {
    /// Redis sends no greeting.
    fn open(&mut self, peer: &Peer, answer: &mut Answer<'_, Resp>) -> Flow {
        self.session.peer = peer.clone();
        self.session.bulk_limit = answer.framing_mut().bulk_limit();
        self.session.id = self.shared.connected();
        Flow::Silent
    }

    #[inline]
    fn answer(&mut self, request: Request<'_>, answer: &mut Answer<'_, Resp>) -> Flow {
        match request {
            Request::Borrowed(words) => self.command(&words, answer),
            Request::Owned(words) => {
                let words: Words<'_> = words.iter().map(Vec::as_slice).collect();
                self.command(&words, answer)
            }
        }
    }

    fn closed(&mut self, _closed: &Closed) {
        self.session.unsubscribe_all();
        self.shared.disconnected();
    }
}

impl Redis {
    fn command(&mut self, words: &[&[u8]], answer: &mut Answer<'_, Resp>) -> Flow {
        let session = &mut self.session;
        let spec = match commands::find(words) {
            Ok(spec) => spec,
            Err(refusal) => return refuse(session, words, &refusal, answer),
        };
        if session.is_subscriber() && !spec.is_for_subscribers() {
            return refuse(session, words, not_for_subscribers(spec).as_bytes(), answer);
        }
        if spec.name == "subscribe" && session.pusher.is_none() {
            session.pusher = Some(answer.pusher());
        }
        let mut reply = Reply::new(answer.output(), session.version);
        match (&spec.run, &mut session.transaction) {
            (Run::Close(last_words), _) => {
                answer.put(last_words);
                return Flow::Close;
            }
            (Run::Multi, transaction) => multi(transaction, &mut reply),
            (Run::Exec, _) => exec(&self.shared, session, &mut reply),
            (Run::Discard, transaction) => match transaction.take() {
                Some(_) => reply.ok(),
                None => reply.error("ERR DISCARD without MULTI"),
            },
            (Run::AtOnce(run), _) | (Run::Session(run), None) => run(session, words, &mut reply),
            (Run::Data(run), None) => run(&mut self.shared.data(), session, words, &mut reply),
            (_, Some(transaction)) => queue(transaction, spec, words, &mut reply),
        }
        Flow::Continue
    }
}

/// Says why a command is not run, which a transaction will not be either.
#[cold]
fn refuse(session: &mut Session, words: &[&[u8]], refusal: &[u8], answer: &mut Answer<'_, Resp>) -> Flow {
    session.spoil();
    let is_exec = words.first().is_some_and(|name| name.eq_ignore_ascii_case(b"exec"));
    let kind: &[u8] = if is_exec { b"EXECABORT Transaction discarded because of: " } else { b"ERR " };
    if is_exec {
        session.transaction = None;
    }
    Reply::new(answer.output(), session.version).error([kind, refusal].concat());
    Flow::Continue
}

fn not_for_subscribers(spec: &Spec) -> String {
    let name = spec.name;
    format!(
        "Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed \
         in this context"
    )
}

fn multi(transaction: &mut Option<Transaction>, reply: &mut Reply<'_>) {
    if transaction.is_some() {
        reply.error("ERR MULTI calls can not be nested");
    } else {
        *transaction = Some(Transaction::default());
        reply.ok();
    }
}

fn queue(transaction: &mut Transaction, spec: &'static Spec, words: &[&[u8]], reply: &mut Reply<'_>) {
    if transaction.push(spec, words) {
        reply.simple("QUEUED");
    } else {
        // Redis has no such bound.
        transaction.spoiled = true;
        reply.error("ERR the queued commands are too long");
    }
}

/// Runs what was queued, all of it under one lock.
fn exec(shared: &Shared, session: &mut Session, reply: &mut Reply<'_>) {
    let Some(transaction) = session.transaction.take() else {
        reply.error("ERR EXEC without MULTI");
        return;
    };
    if transaction.spoiled {
        reply.error("EXECABORT Transaction discarded because of previous errors.");
        return;
    }
    reply.array(transaction.queue.len());
    let data: &mut Data = &mut shared.data();
    for (spec, words) in &transaction.queue {
        let words: Words<'_> = words.iter().map(Vec::as_slice).collect();
        match spec.run {
            Run::Session(run) | Run::AtOnce(run) => run(session, &words, reply),
            Run::Data(run) => run(data, session, &words, reply),
            // These are never queued.
            Run::Multi | Run::Exec | Run::Discard | Run::Close(_) => {}
        }
    }
}
