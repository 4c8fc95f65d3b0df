//! Letters: how wide they are, and how text is made safe and broken into lines.

/// Width of a letter of the bold condensed face over its size, rather too wide than too narrow.
pub(super) fn wide(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | 'I' | '\'' | '.' | ',' | ' ' | '|' => 0.35,
        'f' | 't' | 'r' | 'J' | '-' | '(' | ')' => 0.46,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.98,
        letter if letter.is_ascii_uppercase() || letter == '&' => 0.74,
        letter if letter.is_ascii() => 0.63,
        _ => 1.0,
    }
}

/// Safe inside XML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Lines of at most this width in letters of this size. A word that is longer has a line of its own.
pub(super) fn lines(text: &str, width: f64, size: f64) -> Vec<String> {
    let long = |line: &str| line.chars().map(wide).sum::<f64>() * size;
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if long(line) + long(" ") + long(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_word_is_lost_and_no_line_is_wider_unless_a_word_is(text in "[a-zA-Z ]{0,200}", width in 20.0..400.0) {
            let lines = lines(&text, width, 10.0);
            let joined = lines.join(" ");
            prop_assert_eq!(joined.split_whitespace().collect::<Vec<_>>(), text.split_whitespace().collect::<Vec<_>>());
            for line in lines.iter().filter(|line| line.contains(' ')) {
                prop_assert!(line.chars().map(wide).sum::<f64>() * 10.0 <= width + 1e-9);
            }
        }
    }
}
