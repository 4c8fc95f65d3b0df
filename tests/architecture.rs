//! The middle of the house stays pure: no database, no waiting, no network, no clock.

use std::{fs, path::Path};

/// The crate of the middle, whose folders may not wait or look at the clock.
const MIDDLE: &str = include_str!("../src/middle.rs");

/// What a pure folder may not name.
const FORBIDDEN: [&str; 8] =
    ["sqlx", "tokio", "axum", "lettre", "std::fs", "std::net", "SystemClock", "Utc::now"];

fn rust_files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn pure_folders_neither_wait_nor_look_at_the_clock() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = MIDDLE.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let folders: Vec<_> = folders.map(|name| root.join("src").join(name)).collect();
    assert!(folders.len() >= 10, "{folders:?}");
    for folder in folders {
        let mut files = vec![folder.with_extension("rs")];
        if folder.is_dir() {
            files.clear();
            rust_files(&folder, &mut files);
        }
        assert!(!files.is_empty(), "{} holds no code", folder.display());
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for (number, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                for word in FORBIDDEN {
                    assert!(
                        !code.contains(word),
                        "{}:{}: a pure folder may not use `{word}`",
                        file.display(),
                        number + 1
                    );
                }
            }
        }
    }
}

#[test]
fn pages_for_partners_know_of_nothing_exact() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web");
    for file in
        ["published.rs", "published_area.rs", "desk.rs", "drawn.rs", "download.rs", "api/published.rs"]
    {
        let text = fs::read_to_string(root.join(file)).unwrap();
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for word in
                ["Site", "Engine", "engine", " Store", "store::Store", "SeenIncident", "Case", "figures::"]
            {
                assert!(!code.contains(word), "{file}:{}: `{word}` leads to exact figures", number + 1);
            }
        }
    }
}

#[test]
fn reports_know_of_people_from_publications_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    assert!(files.len() > 10, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for word in ["SeenIncident", "Incident,", "Ledger", "Case", "count::", "locate::"] {
                assert!(
                    !code.contains(word),
                    "{}:{}: `{word}` leads to exact figures",
                    file.display(),
                    number + 1
                );
            }
        }
    }
}

#[test]
fn every_folder_opens_with_a_page_that_says_what_goes_in_and_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(root).unwrap() {
        let page = entry.unwrap().path().join("mod.rs");
        if page.exists() {
            let text = fs::read_to_string(&page).unwrap();
            let head: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
            assert!(head.contains("In:") && head.contains("Out:"), "{}: say In: and Out:", page.display());
        }
    }
}

/// Words that judge people or promise what counts can't keep; nobody reads them in a mail, on a page or in a rule.
const NEVER_SAID: [&str; 9] = [
    "predicted",
    "prediction",
    "offender",
    "gang",
    "gangs",
    "perpetrator",
    "suspect",
    "ringleader",
    "hotspot of people",
];

#[test]
fn what_people_read_is_neutral() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut folders: Vec<_> = ["src/mail", "src/report", "src/web", "src/stages", "rules", "fixtures/llr"]
        .map(|at| root.join(at))
        .into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    let read = |kind: &str| matches!(kind, "rs" | "txt" | "mjml" | "html" | "toml" | "csv");
    files.retain(|path| path.extension().and_then(|kind| kind.to_str()).is_some_and(read));
    assert!(files.len() > 60, "{} files", files.len());
    for file in files {
        let text = fs::read_to_string(&file).unwrap().to_lowercase();
        for words in NEVER_SAID {
            let mut rest = text.as_str();
            while let Some(at) = rest.find(words) {
                let letter = |next: Option<char>| next.is_some_and(|one| one.is_alphanumeric() || one == '_');
                let within =
                    letter(rest[..at].chars().next_back()) || letter(rest[at + words.len()..].chars().next());
                assert!(within, "{} says `{words}`", file.display());
                rest = &rest[at + words.len()..];
            }
        }
    }
}
