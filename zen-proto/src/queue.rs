//! A queue that is one pointer, and owns no heap memory, while it is empty.

use std::collections::VecDeque;

/// Items leave in the order in which they came. An idle conversation has two of these.
// The box makes an empty queue one word instead of four.
#[allow(clippy::box_collection)]
#[derive(Debug)]
pub(crate) struct Queue<T>(Option<Box<VecDeque<T>>>);

impl<T> Queue<T> {
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |items| items.len())
    }

    #[inline]
    pub(crate) fn front(&self) -> Option<&T> {
        self.0.as_ref()?.front()
    }

    #[inline]
    pub(crate) fn front_mut(&mut self) -> Option<&mut T> {
        self.0.as_mut()?.front_mut()
    }

    pub(crate) fn back(&self) -> Option<&T> {
        self.0.as_ref()?.back()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        self.0.as_ref()?.get(index)
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.0.as_mut()?.get_mut(index)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flat_map(|items| items.iter())
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().flat_map(|items| items.iter_mut())
    }

    pub(crate) fn push_back(&mut self, item: T) {
        self.0.get_or_insert_default().push_back(item);
    }

    pub(crate) fn pop_front(&mut self) -> Option<T> {
        let item = self.0.as_mut()?.pop_front();
        self.release_if_empty();
        item
    }

    /// Drops items from the end until `len` are left.
    pub(crate) fn truncate(&mut self, len: usize) {
        if let Some(items) = &mut self.0 {
            items.truncate(len);
            self.release_if_empty();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }

    fn release_if_empty(&mut self) {
        if self.0.as_ref().is_some_and(|items| items.is_empty()) {
            self.0 = None;
        }
    }

    /// Heap memory owned, in bytes, besides what the items own.
    pub(crate) fn heap(&self) -> usize {
        self.0.as_ref().map_or(0, |items| size_of::<VecDeque<T>>() + items.capacity() * size_of::<T>())
    }
}
