//! Long work shows how far it is: a bar on a terminal, plain lines otherwise.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

/// How far some work is.
pub(super) struct Progress {
    bar: ProgressBar,
    what: &'static str,
    all: u64,
    plain: bool,
}

impl Progress {
    pub(super) fn new(what: &'static str, all: u64) -> Self {
        let plain = !std::io::stderr().is_terminal();
        let bar = if plain { ProgressBar::hidden() } else { ProgressBar::new(all) };
        if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {eta}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(what);
        Self { bar, what, all, plain }
    }

    pub(super) fn step(&self, done: u64) {
        self.bar.set_position(done);
        if self.plain && (done == self.all || done.is_multiple_of((self.all / 4).max(1))) {
            eprintln!("{}: {done} of {}", self.what, self.all);
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
