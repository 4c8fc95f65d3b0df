//! The program is killed again and again, and started again: nothing is lost, nothing is mailed twice.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

fn demo(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tension-watch"));
    command.args(["demo", "--no-serve", "--nights", "5", "--dir"]).arg(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// How many messages to whom about what, by their heads; half-written files would show here.
fn mails(folder: &Path) -> BTreeMap<(String, String), usize> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder.join("mail")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let head = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            line.unwrap_or_else(|| panic!("no {name}")).to_owned()
        };
        *found.entry((head("To:"), head("Subject:"))).or_default() += 1;
    }
    found
}

#[test]
fn killing_it_at_any_moment_loses_nothing_and_mails_nothing_twice() {
    let whole = tempfile::tempdir().unwrap();
    let output = demo(whole.path()).output().unwrap();
    assert!(output.status.success());
    let expected = mails(whole.path());
    assert!(expected.len() > 4, "{expected:?}");

    let killed = tempfile::tempdir().unwrap();
    for turn in 1..=8 {
        let mut child = demo(killed.path()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(700 * turn));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let last = demo(killed.path()).output().unwrap();
    assert!(last.status.success());
    assert_eq!(mails(killed.path()), expected);
    // What it prints at the end is the same as that of a run that nobody disturbed.
    let told = |output: &[u8]| {
        let text = String::from_utf8_lossy(output).into_owned();
        text.lines()
            .filter(|line| line.starts_with("planted") || line.starts_with("alerts"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&last.stdout), told(&output.stdout));
}
