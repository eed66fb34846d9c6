use std::collections::BTreeSet as Set;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

/// A clock that a test sets.
#[derive(Default)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn keyspace() -> (Keyspace, Arc<Hands>) {
    let clock = Arc::new(Hands::default());
    let shared: Arc<dyn Clock> = Arc::clone(&clock) as _;
    (Keyspace::new(shared), clock)
}

#[test]
fn a_key_expires_at_its_time_and_not_before() {
    let (mut keys, clock) = keyspace();
    keys.set(b"a", b"1");
    keys.expire(b"a", Some(1000));
    clock.0.store(999, Ordering::Relaxed);
    assert_eq!(keys.get(b"a"), Some(&b"1"[..]));
    clock.0.store(1000, Ordering::Relaxed);
    assert_eq!(keys.get(b"a"), None);
    assert!(!keys.remove(b"a"));
    assert_eq!((keys.len(), keys.expiring()), (0, 0));
}

#[test]
fn an_expired_key_that_is_set_again_lives_anew() {
    let (mut keys, clock) = keyspace();
    keys.set(b"a", b"1");
    keys.expire(b"a", Some(1000));
    clock.0.store(2000, Ordering::Relaxed);
    keys.set_value(b"a", b"2");
    assert_eq!(keys.entry(b"a").expect("it is there").expires(), None);
    keys.expire(b"a", Some(3000));
    keys.set_value(b"a", b"3");
    assert_eq!(keys.entry(b"a").expect("it is there").expires(), Some(3000));
    keys.set(b"a", b"4");
    assert_eq!(keys.entry(b"a").expect("it is there").expires(), None);
}

#[test]
fn keys_that_nobody_asks_for_are_removed_too() {
    let (mut keys, clock) = keyspace();
    for n in 0..100_i64 {
        keys.set(n.to_string().as_bytes(), b"");
        keys.expire(n.to_string().as_bytes(), Some(n + 1));
    }
    clock.0.store(1000, Ordering::Relaxed);
    for n in 0..10 {
        assert!(keys.entries.len() <= 100, "after {n}: {}", keys.entries.len());
        keys.set(b"other", b"");
    }
    assert_eq!((keys.entries.len(), keys.expiring(), keys.index.len()), (1, 0, 1));
}

#[test]
fn a_scan_finds_every_key_that_stays() {
    let (mut keys, _) = keyspace();
    let name = |n: u32| format!("key:{n}").into_bytes();
    (0..1000).for_each(|n| keys.set(&name(n), b""));
    let (mut cursor, mut found, mut calls) = (0, Set::new(), 0);
    loop {
        let (next, some) = keys.scan(cursor, 7);
        found.extend(some.map(<[u8]>::to_vec));
        // Meanwhile others come and go.
        keys.remove(&name(2 * calls));
        keys.set(&name(5000 + calls), b"");
        cursor = next;
        calls += 1;
        if cursor == 0 {
            break;
        }
    }
    for n in (0..1000).filter(|n| n % 2 == 1 || *n >= 2 * calls) {
        assert!(found.contains(&name(n)), "{n}");
    }
}

#[test]
fn many_changes_leave_what_a_map_would_hold() {
    let (mut keys, mut model) = (keyspace().0, std::collections::BTreeMap::new());
    let mut state = 1_u32;
    for _ in 0..20_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let key = (state >> 8 & 0xff).to_string().into_bytes();
        if state >> 30 == 0 {
            assert_eq!(keys.remove(&key), model.remove(&key).is_some());
        } else {
            let value = vec![b'x'; (state >> 16 & 0xff) as usize];
            keys.set(&key, &value);
            model.insert(key, value);
        }
    }
    assert_eq!(keys.len(), model.len());
    for (key, value) in &model {
        assert_eq!(keys.get(key), Some(&value[..]));
    }
    let found: Set<_> = keys.matching(b"*").into_iter().map(<[u8]>::to_vec).collect();
    assert_eq!(found, model.into_keys().collect());
}
