//! Answers that are kept: many ask the same question in the morning, and it is worked out once.

use anyhow::Result;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    sync::{OnceCell, Semaphore},
    task::JoinError,
};

/// An answer that is there, or is being worked out.
type Slot<A> = Arc<OnceCell<Arc<A>>>;

/// So many answers at most. Whoever asks while an answer is worked out waits for it; what failed is tried again.
pub(super) struct Kept<Q, A> {
    most: usize,
    slots: Mutex<Slots<Q, A>>,
}

struct Slots<Q, A> {
    /// Each with when it was last asked for, counted in questions.
    by_question: BTreeMap<Q, (Slot<A>, u64)>,
    asked: u64,
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
    pub(super) fn one<T, W>(&self, work: W) -> impl Future<Output = Result<T>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: Future<Output = Result<T>> + Send + 'static,
    {
        let turns = Arc::clone(&self.0);
        async move {
            // Never closed: without a turn it would be worked out all the same.
            let turn = turns.acquire_owned().await.ok();
            let begun = tokio::spawn(async move {
                let _turn = turn;
                work.await
            });
            begun.await?
        }
    }
}

impl<Q: Ord + Clone, A: Send + Sync + 'static> Kept<Q, A> {
    pub(super) const fn new(most: usize) -> Self {
        Self { most, slots: Mutex::new(Slots { by_question: BTreeMap::new(), asked: 0 }) }
    }

    /// The answer, worked out if nobody has. It is worked out to its end, also when whoever asked gives up: the next one finds
    /// it there.
    pub(super) async fn get<E: From<JoinError> + Send + 'static>(
        &self,
        question: &Q,
        answer: impl Future<Output = Result<A, E>> + Send + 'static,
    ) -> Result<Arc<A>, E> {
        let slot = self.slot(question);
        if let Some(there) = slot.get() {
            return Ok(Arc::clone(there));
        }
        tokio::spawn(
            async move { slot.get_or_try_init(|| async { answer.await.map(Arc::new) }).await.cloned() },
        )
        .await?
    }

    fn slot(&self, question: &Q) -> Slot<A> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.asked += 1;
        let now = slots.asked;
        let of = &mut slots.by_question;
        if of.len() >= self.most
            && !of.contains_key(question)
            && let Some(idle) = of.iter().min_by_key(|(_, (_, asked))| asked).map(|(idle, _)| idle.clone())
        {
            of.remove(&idle);
        }
        let (slot, asked) = of.entry(question.clone()).or_default();
        *asked = now;
        Arc::clone(slot)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).by_question.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::Notify;

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
        let worked = Arc::new(AtomicUsize::new(0));
        let answer = |question: u32, fails: bool| {
            let worked = Arc::clone(&worked);
            async move {
                worked.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                if fails { Err(anyhow::anyhow!("no")) } else { Ok(question * 2) }
            }
        };
        let (one, two) = tokio::join!(kept.get(&4, answer(4, false)), kept.get(&4, answer(4, false)));
        assert_eq!((*one.unwrap(), *two.unwrap()), (8, 8));
        assert_eq!(worked.load(Ordering::Relaxed), 1);
        assert!(kept.get(&5, answer(5, true)).await.is_err());
        assert_eq!(*kept.get(&5, answer(5, false)).await.unwrap(), 10);
        assert_eq!(worked.load(Ordering::Relaxed), 3);
        // A third one takes the place of the one that was not asked for the longest.
        assert_eq!(*kept.get(&4, answer(4, true)).await.unwrap(), 8);
        assert_eq!(*kept.get(&6, answer(6, false)).await.unwrap(), 12);
        assert_eq!(*kept.get(&4, answer(4, true)).await.unwrap(), 8);
        assert!(kept.get(&5, answer(5, true)).await.is_err(), "it was forgotten");
    }

    #[tokio::test]
    async fn an_answer_is_worked_out_also_when_nobody_waits_for_it_any_more() {
        let kept = Kept::<u32, u32>::new(2);
        let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let answer = {
            let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
            async move {
                begun.notify_one();
                go.notified().await;
                anyhow::Ok(8)
            }
        };
        tokio::select! {
            _ = kept.get(&4, answer) => unreachable!("nothing lets it go on"),
            () = begun.notified() => {}
        }
        go.notify_one();
        let again = kept.get(&4, async { Err(anyhow::anyhow!("asked for a second time")) });
        assert_eq!(*again.await.unwrap(), 8);
    }
}
