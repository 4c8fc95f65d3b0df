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
    /// The line as it stands in the file.
    pub text: String,
    /// The place in the line, in bytes.
    span: Range<usize>,
    /// The place in the file, in bytes.
    pub(super) place: Range<usize>,
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
        let mut start = boundary(span.start);
        // A place at the end of the text is on its last line, not on the empty one after it.
        if start == source.len() && source.ends_with('\n') {
            start -= 1;
        }
        let before = &source[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |at| start + at);
        let text = source[line_start..line_end].trim_end();
        let start_in = (start - line_start).min(text.len());
        let end_in = (boundary(span.end.max(start)) - line_start).min(text.len()).max(start_in);
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: source[line_start..start].chars().count() + 1,
            message,
            remedy,
            text: text.to_owned(),
            span: start_in..end_in,
            place: start..boundary(span.end.max(start)),
        }
    }

    /// The mistake with the line it stands on.
    #[must_use]
    pub fn shown(&self) -> String {
        let mark = AnnotationKind::Primary.span(self.span.clone());
        let snippet = Snippet::source(&self.text).line_start(self.line).path(&self.file).annotation(mark);
        let group = Level::ERROR.primary_title(&self.message).element(snippet);
        let group =
            if self.remedy.is_empty() { group } else { group.element(Level::HELP.message(&self.remedy)) };
        Renderer::plain().render(&[group])
    }
}
