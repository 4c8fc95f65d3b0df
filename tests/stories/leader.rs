//! One machine runs the engine, and another takes over, on both databases.

use crate::support::stores;
use std::time::{Duration, Instant};
use tension_watch::{
    schedule::{Leading, lead},
    store::{Store, StoreError},
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::{JoinHandle, LocalSet, spawn_local},
    time::timeout,
};

/// So long anything is waited for; how long it really took is printed.
const PATIENCE: Duration = Duration::from_mins(1);

/// A machine that tells when it leads, with the store that it then writes by.
struct Machine {
    leading: Leading,
    led: UnboundedReceiver<Store>,
    task: JoinHandle<()>,
}

impl Machine {
    fn started(store: &Store, name: &'static str) -> Self {
        let (leading, (told, led)) = (Leading::default(), unbounded_channel());
        let (store, flag) = (store.clone(), leading.clone());
        let task = spawn_local(async move {
            let work = async |led: Store| {
                told.send(led).unwrap();
                std::future::pending::<()>().await;
            };
            lead(&store, name, &flag, work).await;
        });
        Self { leading, led, task }
    }

    async fn leads(&mut self) -> Store {
        timeout(PATIENCE, self.led.recv()).await.expect("it leads in the end").unwrap()
    }

    /// Ends as a program that is killed: it gives nothing back.
    async fn killed(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

#[tokio::test]
async fn one_machine_leads_and_another_takes_over_whose_writes_alone_count() {
    LocalSet::new().run_until(machines()).await;
}

async fn machines() {
    for (database, store) in &stores().await.each {
        let mut a = Machine::started(store, "a");
        let of_a = a.leads().await;
        of_a.begin().await.unwrap().commit().await.unwrap();
        let mut b = Machine::started(store, "b");
        // Longer than a leader may be silent.
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert!(b.led.try_recv().is_err() && b.leading.term().is_none(), "{database}: one at a time");
        assert!(
            a.leading.term().is_some() && a.led.try_recv().is_err(),
            "{database}: it was never interrupted"
        );

        a.killed().await;
        let since = Instant::now();
        let of_b = b.leads().await;
        println!("{database}: taken over after {:?}", since.elapsed());
        let refused = of_a.begin().await.map(|_| ());
        assert!(matches!(refused, Err(StoreError::Deposed)), "{database}: {refused:?}");
        of_b.begin().await.unwrap().commit().await.unwrap();

        // Who ends as it should is not waited for.
        let mut c = Machine::started(store, "c");
        b.killed().await;
        store.give_up_lead("b").await.unwrap();
        let since = Instant::now();
        c.leads().await;
        println!("{database}: given up, taken over after {:?}", since.elapsed());
        assert!(matches!(of_b.begin().await.map(|_| ()), Err(StoreError::Deposed)), "{database}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_over_waits_for_what_was_begun_in_time() {
    for (database, store) in &stores().await.each {
        let seen = store.leader().await.unwrap();
        let first = store.take_lead(&seen, "a").await.unwrap().unwrap();
        let old = store.led(first);
        let tx = old.begin().await.unwrap();
        let seen = store.leader().await.unwrap();
        let (other, before) = (store.clone(), seen.clone());
        let taking = tokio::spawn(async move { other.take_lead(&before, "b").await.unwrap() });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!taking.is_finished(), "{database}: a write of the old leader is under way");
        tx.commit().await.unwrap();
        assert_eq!(taking.await.unwrap(), Some(first + 1), "{database}");
        assert_eq!(store.take_lead(&seen, "c").await.unwrap(), None, "{database}: b was there first");
        assert!(matches!(old.begin().await.map(|_| ()), Err(StoreError::Deposed)), "{database}");
    }
}
