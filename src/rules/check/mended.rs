//! The text of a file while its syntax is mended, so that the mistakes after the first one are found too.

use std::{iter::repeat_n, ops::Range};

/// A text that is changed; every place of it is known in the text as it was written.
pub(super) struct Mended {
    pub(super) text: String,
    /// For each byte, and the end: where it stands in the file.
    origin: Vec<usize>,
}

impl Mended {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), origin: (0..=text.len()).collect() }
    }

    /// Puts other text in a place. Nothing happens where the place is none.
    pub(super) fn edit(&mut self, place: Range<usize>, with: &str) {
        if self.text.get(place.clone()).is_none() {
            return;
        }
        let from = self.written(place.start);
        self.text.replace_range(place.clone(), with);
        self.origin.splice(place, repeat_n(from, with.len()));
    }

    /// A place in the text as it was written.
    pub(super) fn written(&self, at: usize) -> usize {
        self.origin.get(at).or(self.origin.last()).copied().unwrap_or(0)
    }

    /// The same for a span.
    pub(super) fn span(&self, span: &Range<usize>) -> Range<usize> {
        self.written(span.start)..self.written(span.end)
    }
}
