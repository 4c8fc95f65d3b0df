//! Work that a reader waits for while others must not: figures of a million reports take seconds of a core.

use anyhow::Result;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::LazyLock;

/// How far behind everything else it stands where cores are short (`nice`, 0 to 19); alone it is as quick as ever.
const BEHIND: i32 = 15;

/// One answer is worked out at a time, on a thread of its own.
static BACKGROUND: LazyLock<Option<ThreadPool>> = LazyLock::new(|| {
    let pool = ThreadPoolBuilder::new()
        .num_threads(1)
        .thread_name(|_| "background".into())
        .start_handler(|_| step_back())
        .build();
    pool.inspect_err(|wrong| tracing::warn!(error = %wrong, "work for pages shares the threads of others"))
        .ok()
});

/// On Linux a priority is a thread's own.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(wrong) = rustix::process::nice(BEHIND) {
        tracing::debug!(error = %wrong, "the priority of background work could not be lowered");
    }
}

/// Works something out behind everything else.
pub(super) async fn background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = move || match &*BACKGROUND {
        Some(pool) => pool.install(work),
        None => work(),
    };
    Ok(tokio::task::spawn_blocking(done).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_stands_behind_and_leaves_others_where_they_are() {
        let threads = || (std::thread::current().name().map(str::to_owned), own_priority());
        let there = background(threads).await.unwrap();
        assert_eq!(there.0.as_deref(), Some("background"));
        assert!(!cfg!(target_os = "linux") || there.1 >= BEHIND, "{there:?}");
        let others = tokio::task::spawn_blocking(own_priority).await.unwrap();
        assert!(others < BEHIND, "{others}");
        // What fails there is an error here, and the next work goes on.
        let failed = background(|| -> u32 { panic!("as a test") }).await;
        assert!(failed.is_err());
        assert_eq!(background(|| 7).await.unwrap(), 7);
    }

    fn own_priority() -> i32 {
        rustix::process::getpriority_process(None).unwrap_or_default()
    }
}
