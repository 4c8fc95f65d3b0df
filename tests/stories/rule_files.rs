//! What helps to write rule files: the schema, judged by the program that editors ask (Taplo), templates, the reference.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const DETECTORS: [&str; 7] = ["spike", "cluster", "repeat", "drop", "share", "spread", "combine"];

/// Runs `tension-watch rules` in a folder without a configuration.
fn rules(folder: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_tension-watch");
    Command::new(program).arg("rules").args(arguments).current_dir(folder).output().unwrap()
}

fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Taplo, where npm installed it with the map; skipped aloud where it did not, and an error in `scripts/test`.
fn taplo() -> Option<PathBuf> {
    let taplo = PathBuf::from(concat!(env!("OUT_DIR"), "/ui-work/node_modules/@taplo/cli/dist/cli.js"));
    if taplo.exists() {
        return Some(taplo);
    }
    let needed = std::env::var_os("TENSION_WATCH_NEEDS_NPM").is_some();
    assert!(!needed, "{} is not there: npm did not install ui/", taplo.display());
    eprintln!(
        "SKIPPED: the schema is not judged by Taplo, because npm did not install it; see scripts/prepare"
    );
    None
}

/// What Taplo says of every file in a folder, each against the schema that its first line names.
fn said(taplo: &Path, folder: &Path) -> (bool, String) {
    let mut files = Vec::new();
    toml_files(folder, &mut files);
    assert!(!files.is_empty());
    let call =
        Command::new("node").arg(taplo).args(["check", "--colors", "never"]).args(&files).output().unwrap();
    (call.status.success(), String::from_utf8_lossy(&call.stderr).into_owned())
}

fn toml_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            toml_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
}

/// Copies the files of a folder, and lays the schemas beside them.
fn laid_out(from: &str, to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories/rule_files").join(from);
    for inner in ["", "calendar", "episodes"] {
        let (from, to) = (from.join(inner), to.join(inner));
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(&from).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    done(&rules(to, &["schema", "--out", "rule.schema.json"]));
    done(&rules(to, &["schema", "--calendar", "--out", "calendar/event.schema.json"]));
    done(&rules(to, &["schema", "--episodes", "--out", "episodes/episode.schema.json"]));
}

/// A template with every optional field in use: all examples of the table of fields stand in one or another.
fn in_full(template: &str) -> String {
    let commented_out = |line: &str| {
        let rest = line.strip_prefix('#').unwrap_or_default();
        rest.starts_with('[') || rest.split_once(" = ").is_some_and(|(name, _)| !name.contains([' ', ':']))
    };
    let lines = template.lines().map(|line| if commented_out(line) { &line[1..] } else { line });
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn an_editor_takes_every_right_file() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    laid_out("good", here);
    for detector in DETECTORS {
        done(&rules(here, &["new", detector, "--detector", detector, "--folder", "."]));
        let text = fs::read_to_string(here.join(format!("{detector}.toml"))).unwrap();
        let full = in_full(&text);
        assert!(full.contains("\nquiet_for = ") && full.contains("\n[[override]]\n"), "{full}");
        fs::write(here.join(format!("{detector}-in-full.toml")), full).unwrap();
    }
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = fs::read_to_string(&path).unwrap();
            let to = here.join(path.file_name().unwrap());
            fs::write(to, format!("#:schema ./rule.schema.json\n{text}")).unwrap();
        }
    }
    let Some(taplo) = taplo() else { return };
    let (right, told) = said(&taplo, here);
    assert!(right, "{told}");
}

#[test]
fn an_editor_points_at_every_mistake_in_words_that_help() {
    let Some(taplo) = taplo() else { return };
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    laid_out("bad", here);
    let (right, told) = said(&taplo, here);
    assert!(!right, "{told}");
    let mut files = Vec::new();
    toml_files(here, &mut files);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let expected: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# says ")).collect();
        assert!(!expected.is_empty());
        // A message and, on the next line, where it stands.
        let place = format!("{}:", file.display());
        let lines = told.lines().zip(told.lines().skip(1));
        let own: Vec<&str> =
            lines.filter(|(_, at)| at.contains(&place)).map(|(message, _)| message).collect();
        for words in expected {
            let found = own.iter().any(|message| message.starts_with("error: ") && message.contains(words));
            assert!(found, "{}: `{words}` is not in {own:#?}", file.display());
        }
    }
    assert!(!told.contains("not valid under any"), "{told}");
}

#[test]
fn a_new_rule_is_laid_into_the_folder_once_with_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let told = done(&rules(folder.path(), &["new", "school-gates", "--title", "Trouble at school gates"]));
    assert!(told.starts_with("rules/school-gates.toml is written") && told.contains("rules check"), "{told}");
    let file = folder.path().join("rules/school-gates.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("\ntitle = \"Trouble at school gates\"\n") && text.contains("\n[spike]\n"),
        "{text}"
    );
    assert!(folder.path().join("rules/rule.schema.json").exists());
    let again = rules(folder.path(), &["new", "school-gates", "--detector", "drop"]);
    assert_eq!(again.status.code(), Some(2));
    let told = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(told.contains("is there already and was left as it is; choose another id"), "{told}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    let refused = rules(folder.path(), &["new", "../School"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("small letters, digits and hyphens"));
}

#[test]
fn the_reference_is_printed_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let page = done(&rules(folder.path(), &["reference"]));
    assert!(page.starts_with("# Rule files\n") && page.contains("### `[combine]`"), "{page}");
    assert!(!folder.path().join("tension-watch.db").exists());
}

#[test]
fn the_tests_in_the_rules_that_come_with_the_program_and_in_new_ones_are_as_expected() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("rules");
    for inner in ["", "calendar"] {
        fs::create_dir_all(own.join(inner)).unwrap();
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("rules").join(inner)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, own.join(inner).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    for detector in DETECTORS {
        done(&rules(folder.path(), &["new", &format!("new-{detector}"), "--detector", detector]));
    }
    let output = rules(folder.path(), &["test"]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("ok     new-combine:") && told.contains("ok     race-week-spike:"), "{told}");

    // A test that is not as expected is told with its line and its numbers.
    let path = own.join("race-week-spike.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("expect = \"nothing\"", "expect = \"alert\"", 1)).unwrap();
    let output = rules(folder.path(), &["test", "race-week-spike"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("expected an alert, found nothing"), "{told}");
    assert!(told.contains("3 seen where 0.9 are usual: the rule asks for at least 4, 1 more"), "{told}");
}
