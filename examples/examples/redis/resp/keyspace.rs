//! One database: strings by key, some of which expire.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as TableEntry;
use slab::Slab;

use crate::resp::clock::Clock;
use crate::resp::glob;

/// How many expired keys a change removes. More than it can add, so those that nobody asks for
/// do not pile up.
const REMOVED_AT_ONCE: usize = 16;

/// A database.
///
/// A key that has expired is removed when it is asked for, or some time later by a change of
/// another.
pub(crate) struct Keyspace {
    clock: Arc<dyn Clock>,
    /// Keys come from clients, who must not be able to choose colliding ones.
    hasher: RandomState,
    /// Where each key's entry is.
    index: HashTable<usize>,
    /// An entry stays where it is, which is what makes [`scan`](Self::scan) complete.
    entries: Slab<Entry>,
    /// The entries that expire, the first one first.
    expiring: BTreeSet<(i64, usize)>,
}

/// A key and what belongs to it.
#[derive(Debug)]
pub(crate) struct Entry {
    key: Box<[u8]>,
    pub(crate) value: Vec<u8>,
    /// When it expires, in milliseconds since 1970.
    expires: Option<i64>,
}

impl Entry {
    pub(crate) fn expires(&self) -> Option<i64> {
        self.expires
    }
}

impl Keyspace {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            hasher: RandomState::new(),
            index: HashTable::new(),
            entries: Slab::new(),
            expiring: BTreeSet::new(),
        }
    }

    /// Milliseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now()
    }

    /// The value of `key`.
    #[inline]
    pub(crate) fn get(&mut self, key: &[u8]) -> Option<&[u8]> {
        self.entry(key).map(|entry| &entry.value[..])
    }

    /// What belongs to `key`, its value to be changed.
    #[inline]
    pub(crate) fn entry(&mut self, key: &[u8]) -> Option<&mut Entry> {
        let at = self.find(key)?;
        self.entries.get_mut(at)
    }

    /// Sets the value of `key`, which no longer expires then.
    #[inline]
    pub(crate) fn set(&mut self, key: &[u8], value: &[u8]) {
        let at = self.insert(key, value);
        self.expire_at(at, None);
    }

    /// Sets the value of `key`, and leaves it when it expires.
    pub(crate) fn set_value(&mut self, key: &[u8], value: &[u8]) {
        // An expired key is not there, and the new one does not expire.
        self.find(key);
        self.insert(key, value);
    }

    /// Says when `key` expires, if there is one.
    pub(crate) fn expire(&mut self, key: &[u8], expires: Option<i64>) {
        if let Some(at) = self.find(key) {
            self.expire_at(at, expires);
        }
    }

    /// Removes `key`. Returns whether there was one.
    pub(crate) fn remove(&mut self, key: &[u8]) -> bool {
        let found = self.find(key);
        if let Some(at) = found {
            self.remove_at(at);
        }
        found.is_some()
    }

    /// How many keys there are.
    pub(crate) fn len(&mut self) -> usize {
        self.remove_expired(usize::MAX);
        self.index.len()
    }

    /// How many of them expire.
    pub(crate) fn expiring(&self) -> usize {
        self.expiring.len()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(Arc::clone(&self.clock));
    }

    /// The keys that match `pattern`.
    pub(crate) fn matching(&mut self, pattern: &[u8]) -> Vec<&[u8]> {
        self.remove_expired(usize::MAX);
        let keys = self.entries.iter().map(|(_, entry)| &*entry.key);
        keys.filter(|key| glob::matches(pattern, key)).collect()
    }

    /// The keys at the next `count` places from `cursor` on, and the cursor to go on with: 0 after
    /// the last. A key that is there from the first call to the last is found.
    pub(crate) fn scan(&self, cursor: u64, count: usize) -> (u64, impl Iterator<Item = &[u8]>) {
        let places = self.entries.capacity();
        let from = usize::try_from(cursor).unwrap_or(usize::MAX).min(places);
        let to = from.saturating_add(count).min(places);
        let now = if self.expiring.is_empty() { 0 } else { self.clock.now() };
        let keys = (from..to).filter_map(|at| self.entries.get(at));
        let keys = keys.filter(move |entry| entry.expires.is_none_or(|expires| expires > now));
        (if to < places { to as u64 } else { 0 }, keys.map(|entry| &*entry.key))
    }

    /// Where the entry of `key` is, which is removed if it has expired.
    #[inline]
    fn find(&mut self, key: &[u8]) -> Option<usize> {
        let at = *self.index.find(hash(&self.hasher, key), |at| *self.entries[*at].key == *key)?;
        if self.entries[at].expires.is_some_and(|expires| expires <= self.clock.now()) {
            self.remove_at(at);
            return None;
        }
        Some(at)
    }

    /// Puts `value` where `key` is, or where there is room for it.
    #[inline]
    fn insert(&mut self, key: &[u8], value: &[u8]) -> usize {
        let Self { index, entries, hasher, .. } = self;
        let place = index.entry(
            hash(hasher, key),
            |at| *entries[*at].key == *key,
            |at| hash(hasher, &entries[*at].key),
        );
        match place {
            TableEntry::Occupied(place) => {
                let at = *place.get();
                replace(&mut entries[at].value, value);
                at
            }
            TableEntry::Vacant(place) => {
                let entry = Entry { key: key.into(), value: value.to_vec(), expires: None };
                let at = entries.vacant_key();
                place.insert(at);
                entries.insert(entry)
            }
        }
    }

    #[inline]
    fn expire_at(&mut self, at: usize, expires: Option<i64>) {
        let before = std::mem::replace(&mut self.entries[at].expires, expires);
        if before != expires {
            before.map(|before| self.expiring.remove(&(before, at)));
            expires.map(|expires| self.expiring.insert((expires, at)));
        }
        self.remove_expired(REMOVED_AT_ONCE);
    }

    fn remove_at(&mut self, at: usize) {
        let entry = self.entries.remove(at);
        entry.expires.map(|expires| self.expiring.remove(&(expires, at)));
        if let Ok(place) = self.index.find_entry(hash(&self.hasher, &entry.key), |other| *other == at) {
            place.remove();
        }
    }

    /// Removes at most this many of the keys that have expired.
    #[inline]
    fn remove_expired(&mut self, most: usize) {
        if !self.expiring.is_empty() {
            let now = self.clock.now();
            for _ in 0..most {
                let Some((_, at)) = self.expiring.first().filter(|(expires, _)| *expires <= now) else {
                    break;
                };
                self.remove_at(*at);
            }
        }
    }
}

/// The hash of a key, without the length that `hash_one` adds to it: keys are hashed alone.
#[inline]
fn hash(hasher: &RandomState, key: &[u8]) -> u64 {
    let mut hasher = hasher.build_hasher();
    hasher.write(key);
    hasher.finish()
}

/// Puts `new` into the room of `value`, unless that is far too much.
#[inline]
fn replace(value: &mut Vec<u8>, new: &[u8]) {
    if value.capacity() > 64 && value.capacity() / 2 > new.len() {
        *value = new.to_vec();
    } else {
        value.clear();
        value.extend_from_slice(new);
    }
}

#[cfg(test)]
mod tests;
