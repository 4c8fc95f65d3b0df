//! A mistake in a rule file, as an analyst reads it.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::ops::Range;

/// A mistake: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
    source: String,
    span: Range<usize>,
}

impl Mistake {
    pub(super) fn new(file: &str, source: &str, span: Range<usize>, message: String, remedy: String) -> Self {
        let boundary = |mut at: usize| {
            at = at.min(source.len());
            while !source.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let span = boundary(span.start)..boundary(span.end.max(span.start));
        let before = &source[..span.start];
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
            message,
            remedy,
            source: source.to_owned(),
            span,
        }
    }

    /// The mistake with the lines it stands on.
    #[must_use]
    pub fn shown(&self) -> String {
        let mark = AnnotationKind::Primary.span(self.span.clone());
        let snippet = Snippet::source(&self.source).path(&self.file).annotation(mark);
        let group = Level::ERROR.primary_title(&self.message).element(snippet);
        let group =
            if self.remedy.is_empty() { group } else { group.element(Level::HELP.message(&self.remedy)) };
        Renderer::plain().render(&[group])
    }
}
