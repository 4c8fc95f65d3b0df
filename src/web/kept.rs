//! Answers that are kept: many ask the same question in the morning, and it is worked out once.

use anyhow::Result;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OnceCell, Semaphore};

/// An answer that is there, or is being worked out.
type Slot<A> = Arc<OnceCell<Arc<A>>>;

/// So many answers at most. Whoever asks while an answer is worked out waits for it; what failed is tried again.
pub(super) struct Kept<Q, A> {
    most: usize,
    slots: Mutex<BTreeMap<Q, Slot<A>>>,
}

/// One answer is worked out at a time, of every kind: it takes a core for as long as a million reports need, and the others
/// are for those whose answers are there.
pub(super) struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Turns {
    /// Works something out when it is its turn. Whoever gives up while waiting loses the place; what has begun keeps its turn
    /// to its end, or many who give up would have much worked out at once.
    pub(super) async fn one<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        // Never closed: without a turn it would be worked out all the same.
        let turn = Arc::clone(&self.0).acquire_owned().await.ok();
        let begun = tokio::spawn(async move {
            let _turn = turn;
            work.await
        });
        begun.await?
    }
}

impl<Q: Ord + Clone, A> Kept<Q, A> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, slots: Mutex::default() }
    }

    /// The answer, worked out if nobody has.
    pub(super) async fn get<E>(
        &self,
        question: &Q,
        answer: impl Future<Output = Result<A, E>>,
    ) -> Result<Arc<A>, E> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            if slots.len() >= self.most && !slots.contains_key(question) {
                // The least question goes: of the oldest night.
                slots.pop_first();
            }
            Arc::clone(slots.entry(question.clone()).or_default())
        };
        let made = || async { answer.await.map(Arc::new) };
        slot.get_or_try_init(made).await.cloned()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn different_questions_wait_for_a_turn() {
        let (kept, turns) = (Kept::<usize, ()>::new(100), Turns::default());
        let (at_once, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let answer = || {
            let (at_once, most) = (Arc::clone(&at_once), Arc::clone(&most));
            turns.one(async move {
                most.fetch_max(at_once.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                at_once.fetch_sub(1, Ordering::Relaxed);
                Ok(())
            })
        };
        // Those who give up as soon as theirs has begun leave it its turn.
        for question in 100..110 {
            let asked = kept.get(&question, answer());
            let _ = tokio::time::timeout(std::time::Duration::ZERO, asked).await;
        }
        let questions: Vec<usize> = (0..20).collect();
        futures_util::future::join_all(questions.iter().map(|one| kept.get(one, answer()))).await;
        assert_eq!(most.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_many_ask_is_worked_out_once_and_what_failed_again() {
        let kept = Kept::<u32, u32>::new(2);
        let worked = AtomicUsize::new(0);
        let answer = |question: u32, fails: bool| {
            let worked = &worked;
            async move {
                worked.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                if fails { Err("no") } else { Ok(question * 2) }
            }
        };
        let (one, two) = tokio::join!(kept.get(&4, answer(4, false)), kept.get(&4, answer(4, false)));
        assert_eq!((*one.unwrap(), *two.unwrap()), (8, 8));
        assert_eq!(worked.load(Ordering::Relaxed), 1);
        assert_eq!(kept.get(&5, answer(5, true)).await, Err("no"));
        assert_eq!(kept.get(&5, answer(5, false)).await.as_deref(), Ok(&10));
        assert_eq!(worked.load(Ordering::Relaxed), 3);
        // A third one takes the place of the least.
        assert_eq!(kept.get(&6, answer(6, false)).await.as_deref(), Ok(&12));
        assert_eq!(kept.get(&5, answer(5, true)).await.as_deref(), Ok(&10));
        assert_eq!(kept.get(&4, answer(4, true)).await, Err("no"), "it was forgotten");
    }
}
