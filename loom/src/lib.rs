//! What threads share, tried in every order that they can run in: `cargo xtask loom`.
//!
//! The files under test are those of the servers and the core, word for word, except that the locks
//! and the atomics are loom's. A wake-up that is lost is a deadlock, which loom reports.
#![forbid(unsafe_code)]
#![cfg(test)]
// Each file is used in part only.
#![allow(dead_code)]

/// What the copied files find in place of `std::sync`.
mod sync {
    pub(crate) use std::sync::{Arc, PoisonError};

    pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};

    pub(crate) mod atomic {
        pub(crate) use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    }
}

/// What they find in place of `zen_server`.
mod server {
    pub(crate) use zen_server::{Admission, Observer, Step};

    pub(crate) use crate::stop::StopHandle;
}

/// What the mailbox finds of the core.
mod answer {
    #[derive(Debug)]
    pub(crate) struct Reply {
        pub(crate) text: Vec<u8>,
        pub(crate) flow: crate::service::Flow,
        pub(crate) framed: bool,
    }
}

mod service {
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Flow {
        Continue,
        Silent,
        Close,
    }
}

macro_rules! copied {
    ($($module:ident)*) => {
        $(mod $module {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($module), ".rs"));
        })*
    };
}

copied! { mailbox stop thread_slots loop_slots wake_ups }

mod models;
