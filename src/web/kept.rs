//! Answers that are kept: many ask the same question in the morning, and it is worked out once. Now and then an import changes
//! what was known on a past night: then the answer of before is given until the new one is there, so that nobody waits.

use anyhow::Result;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    sync::{OnceCell, Semaphore},
    task::JoinError,
};

/// Which state of what was known an answer is of.
pub(super) type Edition = i64;

/// An answer that is being worked out.
type Coming<A> = Arc<OnceCell<Arc<A>>>;

/// So many answers at most. Clones share them. Whoever asks while an answer is worked out waits for it; what failed is tried
/// again.
pub(super) struct Kept<Q, A>(Arc<Shelf<Q, A>>);

struct Shelf<Q, A> {
    most: usize,
    slots: Mutex<Slots<Q, A>>,
}

struct Slots<Q, A> {
    by_question: BTreeMap<Q, Slot<A>>,
    asked: u64,
}

struct Slot<A> {
    there: Option<(Edition, Arc<A>)>,
    coming: Option<(Edition, Coming<A>)>,
    /// When it was last asked for, counted in questions.
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

impl<Q, A> Clone for Kept<Q, A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<Q: Ord + Clone + Send + Sync + 'static, A: Send + Sync + 'static> Kept<Q, A> {
    pub(super) fn new(most: usize) -> Self {
        let slots = Mutex::new(Slots { by_question: BTreeMap::new(), asked: 0 });
        Self(Arc::new(Shelf { most, slots }))
    }

    /// The answer of an edition, or that of the one before it while the new one is worked out.
    pub(super) async fn get<E: From<JoinError> + Send + 'static>(
        &self,
        question: &Q,
        edition: Edition,
        answer: impl Future<Output = Result<A, E>> + Send + 'static,
    ) -> Result<Arc<A>, E> {
        let there = {
            let mut slots = self.slots();
            let slot = slots.of(question, self.0.most);
            slot.there
                .as_ref()
                .map(|(of, answer)| (Arc::clone(answer), *of == edition || slot.coming.is_some()))
        };
        match there {
            Some((answer, true)) => Ok(answer),
            Some((before, false)) => {
                let (kept, question) = (self.clone(), question.clone());
                tokio::spawn(async move { kept.fresh(&question, edition, answer).await });
                Ok(before)
            }
            None => self.fresh(question, edition, answer).await,
        }
    }

    /// The answer of an edition, worked out if nobody has. It is worked out to its end, also when whoever asked gives up: the
    /// next one finds it there.
    pub(super) async fn fresh<E: From<JoinError> + Send + 'static>(
        &self,
        question: &Q,
        edition: Edition,
        answer: impl Future<Output = Result<A, E>> + Send + 'static,
    ) -> Result<Arc<A>, E> {
        let coming = {
            let mut slots = self.slots();
            let slot = slots.of(question, self.0.most);
            match (&slot.there, &slot.coming) {
                (Some((of, answer)), _) if *of == edition => return Ok(Arc::clone(answer)),
                (_, Some((of, coming))) if *of == edition => Arc::clone(coming),
                _ => {
                    let coming = Coming::default();
                    slot.coming = Some((edition, Arc::clone(&coming)));
                    coming
                }
            }
        };
        let (kept, question) = (self.clone(), question.clone());
        let working = tokio::spawn(async move {
            let ended = Ended { kept: &kept, question: &question, coming: &coming };
            let answer = coming.get_or_try_init(|| async { answer.await.map(Arc::new) }).await.cloned();
            if let Ok(answer) = &answer {
                ended.keep(edition, answer);
            }
            answer
        });
        working.await?
    }

    fn slots(&self) -> MutexGuard<'_, Slots<Q, A>> {
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots().by_question.len()
    }
}

impl<Q: Ord + Clone, A> Slots<Q, A> {
    /// The slot of a question; a new one takes the place of the one that nobody has asked for the longest.
    fn of(&mut self, question: &Q, most: usize) -> &mut Slot<A> {
        self.asked += 1;
        let all = &mut self.by_question;
        if all.len() >= most
            && !all.contains_key(question)
            && let Some(idle) = all.iter().min_by_key(|(_, slot)| slot.asked).map(|(idle, _)| idle.clone())
        {
            all.remove(&idle);
        }
        let slot = all.entry(question.clone()).or_insert(Slot { there: None, coming: None, asked: 0 });
        slot.asked = self.asked;
        slot
    }
}

/// An answer that has come, or never will: what failed is tried again by whoever asks next.
struct Ended<'a, Q: Ord, A> {
    kept: &'a Kept<Q, A>,
    question: &'a Q,
    coming: &'a Coming<A>,
}

impl<Q: Ord, A> Ended<'_, Q, A> {
    fn slot(&self, change: impl FnOnce(&mut Slot<A>)) {
        let mut slots = self.kept.0.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.by_question.get_mut(self.question) {
            change(slot);
        }
    }

    fn keep(&self, edition: Edition, answer: &Arc<A>) {
        self.slot(|slot| slot.there = Some((edition, Arc::clone(answer))));
    }
}

impl<Q: Ord, A> Drop for Ended<'_, Q, A> {
    fn drop(&mut self) {
        self.slot(|slot| {
            // Another edition may be on its way by now.
            slot.coming = slot.coming.take().filter(|(_, coming)| !Arc::ptr_eq(coming, self.coming));
        });
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
            let asked = kept.get(&question, 0, answer());
            let _ = tokio::time::timeout(std::time::Duration::ZERO, asked).await;
        }
        let questions: Vec<usize> = (0..20).collect();
        futures_util::future::join_all(questions.iter().map(|one| kept.get(one, 0, answer()))).await;
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
        let (one, two) = tokio::join!(kept.get(&4, 0, answer(4, false)), kept.get(&4, 0, answer(4, false)));
        assert_eq!((*one.unwrap(), *two.unwrap()), (8, 8));
        assert_eq!(worked.load(Ordering::Relaxed), 1);
        assert!(kept.get(&5, 0, answer(5, true)).await.is_err());
        assert_eq!(*kept.get(&5, 0, answer(5, false)).await.unwrap(), 10);
        assert_eq!(worked.load(Ordering::Relaxed), 3);
        // A third one takes the place of the one that was not asked for the longest.
        assert_eq!(*kept.get(&4, 0, answer(4, true)).await.unwrap(), 8);
        assert_eq!(*kept.get(&6, 0, answer(6, false)).await.unwrap(), 12);
        assert_eq!(*kept.get(&4, 0, answer(4, true)).await.unwrap(), 8);
        assert!(kept.get(&5, 0, answer(5, true)).await.is_err(), "it was forgotten");
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
            _ = kept.get(&4, 0, answer) => unreachable!("nothing lets it go on"),
            () = begun.notified() => {}
        }
        go.notify_one();
        let again = kept.get(&4, 0, async { Err(anyhow::anyhow!("asked for a second time")) });
        assert_eq!(*again.await.unwrap(), 8);
    }

    #[tokio::test]
    async fn an_answer_of_before_is_given_until_the_new_one_is_there() {
        let kept = Kept::<u32, u32>::new(2);
        let go = Arc::new(Notify::new());
        let answer = |edition: u32| {
            let go = Arc::clone(&go);
            async move {
                if edition > 1 {
                    go.notified().await;
                }
                anyhow::Ok(edition)
            }
        };
        assert_eq!(*kept.get(&4, 1, answer(1)).await.unwrap(), 1);
        // Nobody waits for it, and it is worked out once.
        for _ in 0..3 {
            assert_eq!(*kept.get(&4, 2, answer(2)).await.unwrap(), 1);
        }
        let waiting = tokio::spawn({
            let (kept, answer) = (kept.clone(), answer(2));
            async move { kept.fresh(&4, 2, answer).await.map(|answer| *answer) }
        });
        tokio::task::yield_now().await;
        go.notify_one();
        assert_eq!(waiting.await.unwrap().unwrap(), 2);
        assert_eq!(*kept.get(&4, 2, answer(3)).await.unwrap(), 2);
        // One that fails leaves the one of before, and is tried again.
        let failing = async { Err(anyhow::anyhow!("no")) };
        assert!(kept.fresh(&4, 3, failing).await.is_err());
        assert_eq!(*kept.get(&4, 2, answer(3)).await.unwrap(), 2);
        assert_eq!(*kept.fresh(&4, 3, async { anyhow::Ok(3) }).await.unwrap(), 3);
    }
}
