//! What must go is gone from every file, on both databases.

use crate::{
    nights::{county, rules, shipped},
    support::{at, day, postgres::Postgres},
};
use std::{
    fmt::Write,
    fs,
    path::Path,
    process::{Command, Output},
};
use tension_watch::{stages::night::When, store::Store};

fn tension_watch(folder: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_tension-watch");
    Command::new(program).current_dir(folder).args(arguments).output().unwrap()
}

fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Files below a folder in which a text stands.
pub fn holding(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if fs::read(&path)
                .unwrap_or_default()
                .windows(text.len())
                .any(|bytes| bytes == text.as_bytes())
            {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

/// Eight incidents of a week in one ward, the first with words of its own in every text, and a rejected row that names it too.
fn file() -> String {
    let mut text =
        "reference,known_at,class,status,categories,occurred_from,easting,northing,offence,repeat_key\n"
            .to_owned();
    let ward = &tension_watch::synth::llr::wards()[3];
    for n in 0..8 {
        let (reference, offence, key) = if n == 0 {
            ("CANARYREF".to_owned(), "canaryoffence", "canarykey")
        } else {
            (format!("R{n}"), "violence", "")
        };
        let (east, north) = (ward.centre.0 as u32 + 40 * n, ward.centre.1 as u32);
        let _ = writeln!(
            text,
            "{reference},2026-06-2{n}T23:00:00Z,crime,confirmed,race,2026-06-2{n},{east},{north},{offence},{key}"
        );
    }
    text + "CANARYREF,2026-06-28T23:00:00Z,crime,confirmed,rage,2026-06-20,,,canaryoffence,canarykey\n\
            OLD-1,2019-06-02T23:00:00Z,crime,confirmed,race,2019-06-01,,,oldoffence,\n"
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_that_is_erased_is_in_no_file_and_its_counts_stay() {
    let server = Postgres::start();
    for database in ["sqlite", "postgres"] {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path();
        let address = if database == "sqlite" {
            format!("sqlite:{}", site.join("watch.db").display())
        } else {
            server.address()
        };
        let store = Store::open(&address).await.unwrap();
        let engine = county(&store).await;
        fs::create_dir_all(site.join("mail")).unwrap();
        fs::create_dir_all(site.join("inbox/police")).unwrap();
        fs::write(
            site.join("tension-watch.toml"),
            format!(
                "[store]\naddress = \"{address}\"\n[mail]\nfrom = \"watch@llr.invalid\"\n\
                 transport = {{ kind = \"file\", folder = \"mail\" }}\n[rules]\nfolder = \"{}\"\n",
                shipped().display()
            ),
        )
        .unwrap();
        fs::write(site.join("inbox/police/june.csv"), file()).unwrap();
        // The inbox is read before the night; then the rule finds the week, with its members.
        done(&tension_watch(site, &["run"]));
        let chosen = tempfile::tempdir().unwrap();
        fs::copy(shipped().join("race-week-spike.toml"), chosen.path().join("race.toml")).unwrap();
        let in_force = rules(&engine, chosen.path()).await;
        let known = at("2026-06-29T03:30:00Z");
        let when = When { night: day("2026-06-28"), as_known_on: known, now: known, tick: None };
        engine.night(when, &in_force).await.unwrap();
        let id = store.erasable("police", "CANARYREF").await.unwrap()[0].id.to_string();
        assert!(!holding(site, "CANARYREF").is_empty(), "{database}");

        // First it is only told.
        let erase =
            ["erase", "incident", "--source", "police", "--reference", "CANARYREF", "--why", "request 17"];
        assert!(done(&tension_watch(site, &erase)).contains("1 of police"), "{database}");
        assert_eq!(store.erasable("police", "CANARYREF").await.unwrap().len(), 1, "{database}");
        let told = done(&tension_watch(site, &[&erase[..], &["--yes"]].concat()));
        assert!(told.contains("1 rejected rows, 2 lines"), "{database}: {told}");

        for text in ["CANARYREF", "canaryoffence", "canarykey", &id] {
            assert_eq!(holding(site, text), Vec::<String>::new(), "{database}: {text}");
        }
        let contents = store.contents().await.unwrap();
        assert_eq!(contents.incidents, 8, "{database}: the others stay");
        let put_away = fs::read_to_string(site.join("inbox/police/done/june.csv")).unwrap();
        assert!(put_away.contains("R7,") && put_away.starts_with("reference,"), "{put_away}");
        let audit = done(&tension_watch(site, &["audit", "list", "--since", "2020-01-01"]));
        assert!(
            audit.contains("erasing") && audit.contains("request 17") && !audit.contains("CANARY"),
            "{audit}"
        );
        assert!(
            !tension_watch(site, &[&erase[..], &["--yes"]].concat()).status.success(),
            "nothing is left to erase"
        );

        // A whole time: what is over before a day.
        let told = done(&tension_watch(
            site,
            &["erase", "before", "2020-01-01", "--why", "six years are over", "--yes"],
        ));
        assert!(told.contains("1 of police"), "{database}: {told}");
        assert_eq!(holding(site, "oldoffence"), Vec::<String>::new(), "{database}");
        assert_eq!(store.contents().await.unwrap().incidents, 7, "{database}");
        if database == "postgres" {
            for text in ["CANARYREF", "canaryoffence", &id, "oldoffence"] {
                assert_eq!(server.holding(text), Vec::<String>::new(), "in the server's tables: {text}");
            }
        }
        store.close().await;
    }
}
