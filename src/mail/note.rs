//! A message that is not about one alert: a summary of many, the weekly digest, a note on the data.

use super::{
    Attached,
    compose::Composed,
    render::{self, RenderError},
    told::clean_long,
};
use crate::words::{cap, clean, sentence};
use minijinja::{Value, context};

/// Sections and lines of a message, made by whoever knows what it is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Note {
    /// After the marking, without it; the same for all messages of a thread.
    pub subject: String,
    /// What it says, in a sentence without a full stop.
    pub heading: String,
    /// The next sentence or two.
    pub lede: String,
    /// What is asked of the reader; empty for nothing.
    pub asked: String,
    /// Where the button leads and what it says.
    pub link: Option<(String, String)>,
    /// The rest.
    pub sections: Vec<NoteSection>,
    /// The reader's role and area.
    pub reader: String,
    /// When the reader hears again.
    pub again: String,
    /// Whom the reader asks for no more of its kind.
    pub unsubscribe: Option<String>,
    /// A file that goes with it.
    pub attached: Option<Attached>,
}

/// A heading with its lines; left out when it has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoteSection {
    /// Its heading.
    pub heading: String,
    /// Its lines.
    pub lines: Vec<NoteLine>,
}

/// A line, and where it leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoteLine {
    /// What it says.
    pub text: String,
    /// A page about it.
    pub link: Option<String>,
}

impl NoteLine {
    /// A line that leads nowhere.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), link: None }
    }
}

/// Lines of a section beyond these are counted, not listed.
const MOST_LINES: usize = 25;

/// Makes the message. The same note gives the same message.
///
/// # Errors
///
/// When a template can't be filled; see [`RenderError`].
pub fn compose_note(note: &Note, marking: &str, synthetic: bool) -> Result<Composed, RenderError> {
    let marking = clean(marking);
    let front = if marking.is_empty() { String::new() } else { format!("[{marking}] ") };
    let subject = cap(&clean_long(&format!("{front}{}", note.subject)).replace("=?", "= ?"), 120);
    let sections: Vec<Value> =
        note.sections.iter().filter(|section| !section.lines.is_empty()).map(part).collect();
    let view = context! {
        marking => marking,
        title => clean_long(&note.subject),
        heading => sentence(&clean_long(&note.heading)),
        lede => clean_long(&note.lede),
        asked => clean_long(&note.asked),
        link => note.link.as_ref().map(|(to, text)| context! { to => clean_long(to), text => clean_long(text) }),
        sections,
        reader => clean(&note.reader),
        again => clean_long(&note.again),
        synthetic,
    };
    Ok(Composed {
        subject,
        topic: clean_long(&note.subject),
        text: render::note_text(&view)?,
        html: render::note_html(&view)?,
        pictures: Vec::new(),
        attached: note.attached.clone(),
        unsubscribe: note.unsubscribe.clone(),
    })
}

fn part(section: &NoteSection) -> Value {
    let shown = section.lines.iter().take(MOST_LINES);
    let mut lines: Vec<Value> = shown
        .map(|line| context! { text => clean_long(&line.text), link => line.link.as_deref().map(clean_long) })
        .collect();
    if let Some(more) = section.lines.len().checked_sub(MOST_LINES).filter(|more| *more > 0) {
        lines.push(context! { text => format!("And {more} more"), link => () });
    }
    context! { heading => clean_long(&section.heading), lines }
}
