//! A budget of bytes that all bodies in memory share.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A budget without a limit, for commands that end soon.
pub(crate) static UNLIMITED: Budget = Budget::new(usize::MAX);

/// A number of bytes. A reader reserves the bytes that it holds, and is refused when none are left. It
/// does not wait for bytes: readers that hold bytes and wait for each other would be a deadlock.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    used: AtomicUsize,
    /// The budget that this one is a part of.
    whole: Option<&'static Budget>,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0), whole: None }
    }

    /// At most `limit` bytes of another budget. The rest stays for others.
    pub(crate) const fn part_of(whole: &'static Budget, limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0), whole: Some(whole) }
    }

    /// A reservation of no bytes yet.
    pub(crate) fn reserve(&'static self) -> Reservation {
        Reservation { budget: self, bytes: 0 }
    }

    fn take(&self, bytes: usize) -> bool {
        let add = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.limit);
        if self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_err() {
            return false;
        }
        if self.whole.is_none_or(|whole| whole.take(bytes)) {
            return true;
        }
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        false
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(whole) = self.whole {
            whole.give_back(bytes);
        }
    }
}

/// The bytes that one reader holds. Dropping it gives them back.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: &'static Budget,
    bytes: usize,
}

impl Reservation {
    /// Changes the number of bytes. Returns false, and changes nothing, if the budget has too few left.
    pub(crate) fn resize(&mut self, bytes: usize) -> bool {
        match bytes.checked_sub(self.bytes) {
            Some(more) if !self.budget.take(more) => return false,
            Some(_) => {}
            None => self.budget.give_back(self.bytes - bytes),
        }
        self.bytes = bytes;
        true
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_cannot_use_up_the_whole() {
        static WHOLE: Budget = Budget::new(10);
        static PART: Budget = Budget::part_of(&WHOLE, 6);
        let (mut of_part, mut other, mut of_whole) =
            (PART.reserve(), PART.reserve(), WHOLE.reserve());
        assert!(of_part.resize(5));
        assert!(!other.resize(2), "the part is used up");
        assert!(of_whole.resize(5));
        assert!(!of_whole.resize(6), "the whole is used up");
        assert!(!other.resize(1), "the part has a byte left, the whole has none");
        drop(of_whole);
        assert!(other.resize(1));
        assert!(of_part.resize(2) && other.resize(4));
        drop((of_part, other));
        assert!(PART.reserve().resize(6) && WHOLE.reserve().resize(10), "all was given back");
    }
}
