//! Files dropped into the inbox are read before the night, and put away beside a report.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn tension_watch(folder: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_tension-watch");
    Command::new(program).current_dir(folder).args(arguments).output().unwrap()
}

#[test]
fn what_is_dropped_into_the_inbox_is_read_or_rejected_with_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path();
    assert!(tension_watch(site, &["init"]).status.success());
    let inbox = site.join("inbox/police");
    fs::create_dir_all(&inbox).unwrap();
    let head = "reference,occurred_from,lon,lat,categories,known_at\n";
    fs::write(
        inbox.join("a.csv"),
        format!("{head}R-1,2026-06-01,-1.13,52.63,race,2026-06-02\nR-2,2026-06-02,,,rage,2026-06-03\n"),
    )
    .unwrap();
    fs::write(inbox.join("b.csv"), format!("Victim name,{head}Somebody,R-3,2026-06-01,,,race,2026-06-02\n"))
        .unwrap();
    fs::write(inbox.join("notes.txt"), "not for us").unwrap();

    let run = tension_watch(site, &["run"]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let report = fs::read_to_string(inbox.join("done/a.report.txt")).unwrap();
    assert!(report.contains("1 new"), "{report}");
    assert!(report.contains("line 3") && report.contains("did you mean `race`?"), "{report}");
    assert!(inbox.join("done/a.csv").exists() && !inbox.join("a.csv").exists());
    let refused = fs::read_to_string(inbox.join("rejected/b.report.txt")).unwrap();
    assert!(refused.contains("`Victim name`"), "{refused}");
    assert!(inbox.join("rejected/b.csv").exists() && inbox.join("notes.txt").exists());

    // The same name again overwrites nothing; the same rows again add nothing.
    fs::copy(inbox.join("done/a.csv"), inbox.join("a.csv")).unwrap();
    assert!(tension_watch(site, &["run"]).status.success());
    let again = fs::read_to_string(inbox.join("done/1-a.report.txt")).unwrap();
    assert!(again.contains("0 new"), "{again}");
    assert!(inbox.join("done/a.csv").exists() && inbox.join("done/1-a.csv").exists());
}
