//! Series of counts judged through the command line: figures in, figures out, mistakes by line.

use std::{
    collections::BTreeMap,
    fmt::Write,
    path::Path,
    process::{Command, Output},
};

fn detect(folder: &Path, text: &str, arguments: &[&str]) -> Output {
    let file = folder.join("series.csv");
    std::fs::write(&file, text).unwrap();
    let program = env!("CARGO_BIN_EXE_tension-watch");
    Command::new(program).arg("detect").arg(&file).args(arguments).output().unwrap()
}

/// Rows by group, series and period.
fn rows(output: &Output) -> BTreeMap<(String, String, String), Vec<String>> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut reader = csv::Reader::from_reader(output.stdout.as_slice());
    let cell = |row: &csv::StringRecord, place: usize| row[place].to_owned();
    reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            let rest = row.iter().skip(3).map(str::to_owned).collect();
            ((cell(&row, 0), cell(&row, 1), cell(&row, 2)), rest)
        })
        .collect()
}

/// Four wards over four years, about one incident in three weeks each, and a burst in ward c in the last but one week.
fn wards(weeks: usize, order: [char; 4]) -> String {
    let mut text = "group,series,period,count\n".to_owned();
    for ward in order {
        for week in 1..=weeks {
            let usual = usize::from(
                ((week * 7 + ward as usize * 5) % 11).is_multiple_of(3) && week.is_multiple_of(2),
            );
            let burst = if ward == 'c' && week == 207 { 6 } else { 0 };
            let _ = writeln!(text, "race,{ward},{week},{}", usual + burst);
        }
    }
    text
}

#[test]
fn a_burst_is_seen_and_nothing_knows_the_future() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--method", "house", "--last", "3"];
    let whole = rows(&detect(folder.path(), &wards(208, ['a', 'b', 'c', 'd']), &arguments));
    assert_eq!(whole.len(), 12, "every series in every period");
    let alarm = |row: &Vec<String>| row[7] == "1";
    let alarmed: Vec<_> = whole.iter().filter(|(_, row)| alarm(row)).map(|(key, _)| key).collect();
    assert!(
        alarmed.iter().all(|key| key.1 == "c" && ["207", "208"].contains(&key.2.as_str())),
        "{alarmed:?}"
    );
    assert!(alarmed.iter().any(|key| key.2 == "207"), "{whole:?}");
    for row in whole.values() {
        assert!(row.iter().all(|cell| !cell.to_lowercase().contains("nan")), "{row:?}");
    }

    // The file cut after week 207 says of weeks 206 and 207 what the whole one said.
    let cut = rows(&detect(folder.path(), &wards(207, ['a', 'b', 'c', 'd']), &arguments));
    let both: Vec<_> = cut.iter().filter(|(key, _)| whole.contains_key(*key)).collect();
    assert_eq!(both.len(), 8);
    for (key, row) in both {
        assert_eq!(row, &whole[key], "{key:?}");
    }
    // Wards in another order are the same wards.
    let turned = rows(&detect(folder.path(), &wards(208, ['d', 'b', 'a', 'c']), &arguments));
    let close = |a: &str, b: &str| {
        a == b
            || (a.parse::<f64>().unwrap() - b.parse::<f64>().unwrap()).abs()
                < 1e-6 * (1.0 + a.parse::<f64>().unwrap().abs())
    };
    for (key, row) in &whole {
        assert!(row.iter().zip(&turned[key]).all(|(a, b)| close(a, b)), "{key:?}: {row:?} {:?}", turned[key]);
    }
}

#[test]
fn a_reference_method_answers_with_its_own_columns() {
    let folder = tempfile::tempdir().unwrap();
    let control = folder.path().join("control.json");
    std::fs::write(&control, r#"{"alpha": 0.001, "minSigma": 0.5}"#).unwrap();
    let arguments = ["--method", "ears-c2", "--last", "2", "--control", control.to_str().unwrap()];
    let output = detect(folder.path(), &wards(208, ['a', 'b', 'c', 'd']), &arguments);
    assert!(String::from_utf8_lossy(&output.stdout).starts_with(
        "group,series,period,observed,expected,lower,upper,p_upper,p_lower,score,alarm,sigma\n"
    ));
    let found = rows(&output);
    let key = |series: &str, period: &str| ("race".to_owned(), series.to_owned(), period.to_owned());
    assert_eq!(found[&key("c", "207")][7], "1");
    assert_eq!(found[&key("a", "207")][7], "0");

    std::fs::write(&control, r#"{"alfa": 0.001}"#).unwrap();
    let refused = detect(folder.path(), &wards(208, ['a', 'b', 'c', 'd']), &arguments);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("unknown field `alfa`"));
}

#[test]
fn what_cannot_be_judged_is_told_or_left_blank() {
    let folder = tempfile::tempdir().unwrap();
    let told = |text: &str, method: &str| {
        let output = detect(folder.path(), text, &["--method", method]);
        assert_eq!(output.status.code(), Some(2), "{method}: {text}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let head = "group,series,period,count\n";
    assert!(
        told(&format!("{head}g,s,1,1\ng,s,1,2\n"), "house").contains("series.csv:3: group `g`, series `s`")
    );
    let short = told(&format!("{head}g,s,1,1\ng,s,2,1\n"), "farrington-1996");
    assert!(short.contains("series.csv:2: group `g`, series `s`: judging"), "{short}");

    // Odd series are rows without figures, never NaN.
    let mut text = head.to_owned();
    for week in 1..=150 {
        let _ = writeln!(
            text,
            "zeros,s,{week},0\nhuge,s,{week},1000000000\none,s,{week},{}",
            if week == 75 { "1" } else { "" }
        );
    }
    text.push_str("short,s,1,5\nragged,a,1,1\nragged,b,150,1\n");
    let found = rows(&detect(folder.path(), &text, &["--method", "house"]));
    assert_eq!(found.len(), 6);
    for (key, row) in &found {
        assert!(row.iter().all(|cell| !cell.to_lowercase().contains("nan")), "{key:?}: {row:?}");
        assert_eq!(row[7], "0", "{key:?}: {row:?}");
        assert!(row[6].parse::<f64>().is_ok(), "every row has a score: {row:?}");
    }
}
