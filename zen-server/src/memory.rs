//! The memory limit: how much the conversations of a server may hold together, and which of them
//! end when it is reached.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// From how many bytes on a conversation is listed, so that it can be found when memory is short.
/// Most conversations never hold as much, and cost no more than a comparison a turn.
const LISTED: usize = 16 * 1024;

/// What the conversations of one server hold together.
///
/// When that is more than the limit, those that hold the most end until the rest is within the
/// limit; among conversations of one size class, a power of two, the one that has been in it for
/// the longest. (redis does the same with its `maxmemory-clients`.)
#[derive(Debug)]
pub(crate) struct Memory {
    limit: usize,
    held: AtomicUsize,
    listed: Mutex<Listed>,
}

/// The conversations that hold much.
#[derive(Debug, Default)]
struct Listed {
    /// Those of the largest class come first, and of these the oldest.
    by_class: BTreeMap<Key, Arc<Entry>>,
    /// How much is held by those that were told to end and have not ended yet.
    ending: usize,
    /// The number of the next one that is listed.
    next: u64,
}

/// A class of sizes, and when a conversation came into it.
type Key = (Reverse<u32>, u64);

/// One conversation that holds much.
#[derive(Debug)]
struct Entry {
    held: AtomicUsize,
    /// How much it held when it was told to end. Zero if it was not.
    ending: AtomicUsize,
    waker: Mutex<Option<Waker>>,
}

impl Memory {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, held: AtomicUsize::new(0), listed: Mutex::default() })
    }

    /// What a new conversation holds of it: nothing yet.
    pub(crate) fn share(self: &Arc<Self>) -> Share {
        Share { memory: Arc::clone(self), held: 0, listed: None }
    }

    /// A thread that panicked while it held the lock has left nothing half done that matters: at
    /// worst a conversation ends that need not have.
    fn listed(&self) -> MutexGuard<'_, Listed> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells conversations to end until the others hold no more than the limit. Returns whether
    /// that of `own` must end.
    #[cold]
    fn shed(&self, own: Option<&Arc<Entry>>) -> bool {
        let mut wakers = Vec::new();
        let mut ends = false;
        let mut listed = self.listed();
        while self.held.load(Relaxed).saturating_sub(listed.ending) > self.limit {
            let Some((_, worst)) = listed.by_class.pop_first() else {
                // Only small ones are left. The one that grows must pay.
                ends = true;
                break;
            };
            let held = worst.held.load(Relaxed).max(1);
            worst.ending.store(held, Relaxed);
            listed.ending += held;
            if own.is_some_and(|own| Arc::ptr_eq(own, &worst)) {
                ends = true;
            } else {
                wakers.extend(worst.waker.lock().unwrap_or_else(PoisonError::into_inner).take());
            }
        }
        drop(listed);
        for waker in wakers {
            waker.wake();
        }
        // Those that were told to end do so when their drivers come to them. Until then, the others
        // must not grow far beyond the limit.
        ends || self.held.load(Relaxed) > self.limit.saturating_add(self.limit / 8)
    }
}

/// What one conversation holds. Gives it back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    memory: Arc<Memory>,
    held: usize,
    listed: Option<Box<(Key, Arc<Entry>)>>,
}

impl Share {
    /// The conversation holds this much now. Returns whether it must end.
    #[inline]
    pub(crate) fn update(&mut self, held: usize) -> bool {
        if held == self.held && self.listed.is_none() { false } else { self.change(held) }
    }

    #[cold]
    #[inline(never)]
    fn change(&mut self, held: usize) -> bool {
        let before = std::mem::replace(&mut self.held, held);
        if held > before {
            self.memory.held.fetch_add(held - before, Relaxed);
        } else {
            self.memory.held.fetch_sub(before - held, Relaxed);
        }
        let class = (held >= LISTED).then(|| Reverse(held.ilog2()));
        if self.listed.as_ref().map(|listed| listed.0.0) != class {
            self.list(class);
        }
        let entry = self.listed.as_ref().map(|listed| &listed.1);
        if let Some(entry) = entry {
            entry.held.store(held, Relaxed);
            if entry.ending.load(Relaxed) > 0 {
                return true;
            }
        }
        held > before && self.memory.held.load(Relaxed) > self.memory.limit && self.memory.shed(entry)
    }

    /// Lists the conversation in this class, or in none.
    fn list(&mut self, class: Option<Reverse<u32>>) {
        let mut listed = self.memory.listed();
        let known = self.listed.take().map(|known| *known);
        if let Some((key, entry)) = &known
            && listed.by_class.remove(key).is_none()
        {
            // It was told to end. If it holds little now, that is no longer needed.
            if class.is_some() {
                drop(listed);
                self.listed = known.map(Box::new);
                return;
            }
            listed.ending -= entry.ending.load(Relaxed);
        }
        if let Some(class) = class {
            let key = (class, listed.next);
            listed.next += 1;
            let entry = known.map_or_else(Entry::new, |(_, entry)| entry);
            listed.by_class.insert(key, Arc::clone(&entry));
            drop(listed);
            self.listed = Some(Box::new((key, entry)));
        }
    }

    /// Whether the conversation holds so much that it may be told to end at any time.
    #[inline]
    pub(crate) fn may_be_shed(&self) -> bool {
        self.listed.is_some()
    }

    /// Sets what is woken when the conversation must end. Returns true if it must already.
    pub(crate) fn register(&self, waker: &Waker) -> bool {
        let Some(listed) = &self.listed else { return false };
        let entry = &listed.1;
        let mut known = entry.waker.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *known {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        drop(known);
        // Looked at after the waker is set: who tells it to end later finds the waker.
        let _ordered = self.memory.listed();
        entry.ending.load(Relaxed) > 0
    }
}

impl Entry {
    fn new() -> Arc<Self> {
        Arc::new(Self { held: AtomicUsize::new(0), ending: AtomicUsize::new(0), waker: Mutex::new(None) })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.memory.held.fetch_sub(self.held, Relaxed);
        if self.listed.is_some() {
            self.list(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::task::Wake;

    use super::*;

    const KIB: usize = 1024;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Relaxed);
        }
    }

    fn held(memory: &Memory) -> usize {
        memory.held.load(Relaxed)
    }

    #[test]
    fn what_is_held_is_what_the_shares_hold() {
        let memory = Memory::new(1000 * KIB);
        let (mut one, mut two) = (memory.share(), memory.share());
        assert!(!one.update(10 * KIB) && !two.update(100 * KIB));
        assert_eq!(held(&memory), 110 * KIB);
        assert!(!one.may_be_shed() && two.may_be_shed());
        assert!(!two.update(1));
        assert!(!two.may_be_shed());
        assert_eq!(held(&memory), 10 * KIB + 1);
        assert!(!two.update(64 * KIB));
        drop((one, two));
        assert_eq!((held(&memory), memory.listed().by_class.len()), (0, 0));
    }

    #[test]
    fn the_largest_ends_and_is_woken_for_it() {
        let memory = Memory::new(200 * KIB);
        let (mut large, mut small, mut grows) = (memory.share(), memory.share(), memory.share());
        assert!(!large.update(130 * KIB) && !small.update(20 * KIB));
        let woken = Arc::new(Woken::default());
        assert!(!large.register(&Arc::clone(&woken).into()));
        assert!(!grows.update(60 * KIB), "another one holds more");
        assert!(woken.0.load(Relaxed));
        assert!(large.register(Waker::noop()), "it must end already");
        assert!(large.update(130 * KIB));
        drop(large);
        assert_eq!(memory.listed().ending, 0);
        assert!(!small.update(20 * KIB) && !grows.update(60 * KIB));
    }

    #[test]
    fn of_one_class_the_oldest_ends() {
        let memory = Memory::new(220 * KIB);
        let mut shares: Vec<_> = (0..4).map(|_| memory.share()).collect();
        let mut update = || -> Vec<bool> {
            [70, 100, 30, 40].iter().zip(&mut shares).map(|(n, share)| share.update(n * KIB)).collect()
        };
        assert_eq!(update(), [false; 4]);
        assert_eq!(update(), [true, false, false, false]);
    }

    #[test]
    fn one_that_has_given_its_memory_back_need_not_end() {
        let memory = Memory::new(100 * KIB);
        let (mut one, mut two) = (memory.share(), memory.share());
        assert!(!one.update(90 * KIB) && !two.update(20 * KIB));
        assert!(!one.update(5 * KIB));
        assert_eq!((memory.listed().ending, held(&memory)), (0, 25 * KIB));
        assert!(one.update(90 * KIB), "this time it is the largest when it grows");
    }

    #[test]
    fn where_all_are_small_the_one_that_grows_ends() {
        let memory = Memory::new(20 * KIB);
        let (mut one, mut two, mut three) = (memory.share(), memory.share(), memory.share());
        assert!(!one.update(10 * KIB) && !two.update(9 * KIB));
        assert!(three.update(2 * KIB));
        assert!(!two.update(8 * KIB), "to shrink is always possible");
    }

    #[test]
    fn none_grows_far_beyond_the_limit_while_others_are_still_to_end() {
        let memory = Memory::new(800 * KIB);
        let mut large = memory.share();
        assert!(!large.update(800 * KIB));
        let mut others: Vec<_> = (0..200).map(|_| memory.share()).collect();
        for share in &mut others {
            if share.update(10 * KIB) {
                // As a driver does.
                share.update(0);
            }
            assert!(held(&memory) <= 900 * KIB);
        }
        assert!(held(&memory) > 850 * KIB, "the large one makes room, so the others need not");
        assert!(large.update(800 * KIB));
    }
}
