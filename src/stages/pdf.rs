//! A page on paper: HTML printed as PDF by a headless browser of the machine.

use chrono::{DateTime, Utc};
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Under these names a browser that can print is found on the PATH.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A page is printed in two seconds; whatever takes so long has come to a stop.
const LONGEST: Duration = Duration::from_mins(1);

/// Why nothing was printed.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    /// There is no browser.
    #[error(
        "no browser was found that prints PDF ({tried}); install Chromium, name one with `[report] browser = \"/path\"`, or make the report with --format html and print that"
    )]
    NoBrowser {
        /// What was tried.
        tried: String,
    },
    /// It did not print.
    #[error("{} printed nothing ({why}); make the report with --format html and print that", browser.display())]
    NothingPrinted {
        /// The browser.
        browser: PathBuf,
        /// What it said.
        why: String,
    },
    /// A file of it could not be written or read.
    #[error("a file for printing could not be kept: {0}")]
    File(#[from] io::Error),
}

/// Prints a page that needs nothing else, without network. The same page at the same instant gives the same bytes: the browser's
/// own clock is taken out of the file.
///
/// # Errors
///
/// When there is no browser, or it prints nothing.
pub fn printed(html: &str, browser: Option<&Path>, at: DateTime<Utc>) -> Result<Vec<u8>, PdfError> {
    let folder = tempfile::tempdir()?;
    let (page, pdf) = (folder.path().join("report.html"), folder.path().join("report.pdf"));
    fs::write(&page, html)?;
    let names: Vec<PathBuf> = match browser {
        Some(own) => vec![own.to_owned()],
        None => BROWSERS.map(PathBuf::from).to_vec(),
    };
    for browser in &names {
        let mut command = Command::new(browser);
        command
            .args(["--headless=new", "--disable-gpu", "--no-pdf-header-footer", "--disable-dev-shm-usage"])
            .args([
                "--no-first-run",
                "--disable-extensions",
                "--proxy-server=127.0.0.1:9",
                "--generate-pdf-document-outline",
            ])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg(format!("--print-to-pdf={}", pdf.display()))
            .arg(format!("file://{}", page.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // As root its own sandbox does not start; the page is ours and has no script.
        if is_root() {
            command.arg("--no-sandbox");
        }
        let mut printing = match command.spawn() {
            Ok(printing) => printing,
            Err(none) if none.kind() == io::ErrorKind::NotFound => continue,
            Err(other) => {
                return Err(PdfError::NothingPrinted { browser: browser.clone(), why: other.to_string() });
            }
        };
        let began = Instant::now();
        let why = loop {
            match printing.try_wait()? {
                Some(ended) if ended.success() => break String::from("it wrote no file"),
                Some(ended) => break ended.to_string(),
                None if began.elapsed() > LONGEST => {
                    printing.kill()?;
                    printing.wait()?;
                    break format!("it took longer than {} seconds", LONGEST.as_secs());
                }
                None => std::thread::sleep(Duration::from_millis(50)),
            }
        };
        let Ok(mut bytes) = fs::read(&pdf) else {
            return Err(PdfError::NothingPrinted { browser: browser.clone(), why });
        };
        set_dates(&mut bytes, at);
        return Ok(bytes);
    }
    let tried = names.iter().map(|name| name.display().to_string()).collect::<Vec<_>>().join(", ");
    Err(PdfError::NoBrowser { tried })
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// Sets the dates of the document, which are of a fixed length: `/CreationDate (D:20260630033000+00'00')`.
fn set_dates(bytes: &mut [u8], at: DateTime<Utc>) {
    let date = at.format("D:%Y%m%d%H%M%S").to_string();
    for key in ["/CreationDate (", "/ModDate ("] {
        let mut from = 0;
        while let Some(found) = bytes[from..].windows(key.len()).position(|part| part == key.as_bytes()) {
            let place = from + found + key.len();
            if let Some(old) = bytes.get_mut(place..place + date.len())
                && old.starts_with(b"D:")
            {
                old.copy_from_slice(date.as_bytes());
            }
            from = place;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_the_browser_is_taken_out() {
        let at = "2026-06-30T03:30:00Z".parse().unwrap();
        let mut bytes =
            b"<</CreationDate (D:20261127031500+00'00')\n/ModDate (D:20261127031500+00'00')>> /ModDate (x"
                .to_vec();
        set_dates(&mut bytes, at);
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.matches("D:20260630033000+00'00'").count(), 2, "{text}");
        assert!(text.ends_with("/ModDate (x"));
    }

    #[test]
    fn a_browser_that_is_not_there_is_named_with_what_to_do() {
        let at = "2026-06-30T03:30:00Z".parse().unwrap();
        let wrong = printed("<p>", Some(Path::new("/nowhere/browser")), at).unwrap_err().to_string();
        assert!(wrong.contains("/nowhere/browser") && wrong.contains("--format html"), "{wrong}");
    }
}
