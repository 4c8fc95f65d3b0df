//! From sentences to plain text and to HTML.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, syntax::SyntaxConfig};
use mrml::prelude::render::RenderOptions;
use std::{collections::HashMap, sync::LazyLock};

/// A template that could not be filled. The shipped ones are filled by tests with every kind of alert, so this is a
/// fault of the program.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Filling failed.
    #[error("a mail template could not be filled: {0}")]
    Fill(#[from] minijinja::Error),
    /// The filled template is not MJML.
    #[error("a mail template is not MJML: {0}")]
    Parse(#[from] mrml::prelude::parser::Error),
    /// MJML that could not be turned into HTML.
    #[error("a mail template could not be turned into HTML: {0}")]
    Html(#[from] mrml::prelude::render::Error),
}

const TEXT: &str = "alert.txt";
const HTML: &str = "alert.mjml";
const NOTE_TEXT: &str = "note.txt";
const NOTE_HTML: &str = "note.mjml";
/// Steps a template may take: far more than the shipped ones need, far fewer than would be noticed.
const FUEL: u64 = 100_000;
/// Plain text is broken here, so that quoted replies stay readable.
const COLUMNS: usize = 74;

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_fuel(Some(FUEL));
    // Lines that hold only a tag leave nothing behind. The delimiters are the usual ones, so building can't fail.
    let lines =
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    templates.set_syntax(lines.unwrap_or_default());
    // MJML is not among the extensions that are escaped by themselves.
    templates.set_auto_escape_callback(|name| {
        if [TEXT, NOTE_TEXT].contains(&name) { AutoEscape::None } else { AutoEscape::Html }
    });
    templates.add_filter("wrap", |text: &str, indent: Option<usize>| wrap(text, indent.unwrap_or(0)));
    for (name, text) in [
        (TEXT, include_str!("templates/alert.txt")),
        (HTML, include_str!("templates/alert.mjml")),
        (NOTE_TEXT, include_str!("templates/note.txt")),
        (NOTE_HTML, include_str!("templates/note.mjml")),
    ] {
        // A template that can't be read is missed, and named, when it is asked for.
        if let Err(cause) = templates.add_template(name, text) {
            tracing::error!(%cause, "a mail template can't be read");
        }
    }
    templates
});

/// The plain text of a message about an alert, complete by itself.
pub(super) fn text(view: &Value) -> Result<String, RenderError> {
    Ok(TEMPLATES.get_template(TEXT)?.render(view)?)
}

/// Its HTML.
pub(super) fn html(view: &Value) -> Result<String, RenderError> {
    from_mjml(HTML, view)
}

/// The plain text of any other message.
pub(super) fn note_text(view: &Value) -> Result<String, RenderError> {
    Ok(TEMPLATES.get_template(NOTE_TEXT)?.render(view)?)
}

/// Its HTML.
pub(super) fn note_html(view: &Value) -> Result<String, RenderError> {
    from_mjml(NOTE_HTML, view)
}

fn from_mjml(template: &str, view: &Value) -> Result<String, RenderError> {
    // A slash needs no escape, and addresses read better to whatever looks at links on the way.
    let filled = TEMPLATES.get_template(template)?.render(view)?.replace("&#x2f;", "/");
    let parsed = mrml::parse(filled)?;
    // No fonts from elsewhere: opening a message must not tell anybody.
    let options = RenderOptions { disable_comments: true, fonts: HashMap::new(), ..RenderOptions::default() };
    Ok(parsed.element.render(&options)?)
}

/// Breaks lines at spaces; further lines are indented. Words longer than a line stay whole.
fn wrap(text: &str, indent: usize) -> String {
    let (mut out, mut column) = (String::new(), indent);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > indent && column + 1 + length > COLUMNS {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > indent {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_templates_can_be_read() {
        assert!(TEMPLATES.get_template(TEXT).is_ok());
        assert!(TEMPLATES.get_template(HTML).is_ok());
        assert!(TEMPLATES.get_template(NOTE_TEXT).is_ok());
        assert!(TEMPLATES.get_template(NOTE_HTML).is_ok());
    }

    #[test]
    fn long_lines_break_at_spaces_and_keep_their_indent() {
        let text = "word ".repeat(30);
        let wrapped = wrap(&text, 4);
        assert!(wrapped.lines().all(|line| line.len() <= COLUMNS));
        assert!(wrapped.lines().skip(1).all(|line| line.starts_with("    word")));
        assert_eq!(wrap("", 4), "");
        assert_eq!(wrap(&"x".repeat(200), 0).lines().count(), 1);
    }
}
