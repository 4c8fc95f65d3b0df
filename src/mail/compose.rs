//! One alert, as a message.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::{
    context::MailContext,
    render::{self, RenderError},
    view,
};
use crate::picture::chart;

/// A picture inside a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its name inside the message.
    pub cid: String,
    /// The picture.
    pub png: Vec<u8>,
    /// What it shows, in a sentence.
    pub alternative: String,
}

/// A file that goes with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Its name, of letters that every mail program takes.
    pub name: String,
    /// Its media type.
    pub kind: String,
    /// Itself.
    pub bytes: Vec<u8>,
}

/// A message before it has an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// Safe as a header, at most 120 characters.
    pub subject: String,
    /// What all messages of the thread have in common: the subject without what changes.
    pub topic: String,
    /// Complete by itself.
    pub text: String,
    /// The same with pictures.
    pub html: String,
    /// Named in the HTML.
    pub pictures: Vec<Picture>,
    /// A file beside the text.
    pub attached: Option<Attached>,
    /// Whom its reader asks for no more of its kind; none for what a role is told because it is on duty.
    pub unsubscribe: Option<String>,
}

impl Composed {
    /// The HTML with its pictures inside it, for a browser.
    #[must_use]
    pub fn whole_html(&self) -> String {
        self.pictures.iter().fold(self.html.clone(), |html, picture| {
            let data = BASE64.encode(&picture.png);
            html.replace(&format!("cid:{}", picture.cid), &format!("data:image/png;base64,{data}"))
        })
    }
}

/// Makes the message about an alert. The same context gives the same message. A chart that can't be drawn is left out:
/// the message says the same without it.
///
/// # Errors
///
/// When a template can't be filled; see [`RenderError`].
pub fn compose(context: &MailContext<'_>) -> Result<Composed, RenderError> {
    let picture = context.history.as_ref().and_then(|history| {
        let png = chart::png(history, context.alert.latest.level).ok()?;
        let alternative = chart::alternative(history, context.alert.latest.window.days());
        Some(Picture { cid: "chart".into(), png, alternative })
    });
    let view = view::view(context, picture.as_ref());
    Ok(Composed {
        subject: view::subject(context),
        topic: view::topic(context),
        text: render::text(&view)?,
        html: render::html(&view)?,
        pictures: picture.into_iter().chain(context.map.cloned()).collect(),
        attached: None,
        unsubscribe: None,
    })
}

#[cfg(test)]
mod tests;
