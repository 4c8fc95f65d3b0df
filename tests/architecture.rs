//! The middle of the house stays pure: no database, no waiting, no network, no clock.

use std::{fs, path::Path};

/// Folders whose code may not wait or look at the clock, in the order of the flow.
const PURE: [&str; 9] = [
    "src/model",
    "src/import",
    "src/locate",
    "src/count",
    "src/detect",
    "src/cluster",
    "src/rules",
    "src/alerts",
    "src/synth",
];

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
    for folder in PURE {
        let mut files = Vec::new();
        rust_files(&root.join(folder), &mut files);
        assert!(!files.is_empty(), "{folder} holds no code: take it off the list or mend its name");
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
