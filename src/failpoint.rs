//! Named steps at which a test ends the program as a power cut would. Release builds have none.

/// Ends the process when `TENSION_WATCH_DIES_AT` names this step. The variable is read once.
#[cfg(debug_assertions)]
pub(crate) fn reached(step: &str) {
    static STEP: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    if STEP.get_or_init(|| std::env::var("TENSION_WATCH_DIES_AT").ok()).as_deref() == Some(step) {
        std::process::abort();
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub(crate) const fn reached(_step: &str) {}
