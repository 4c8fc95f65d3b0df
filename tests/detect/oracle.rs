//! Every row of R's answers, from the folder `detect` in the one named by `TENSION_WATCH_ORACLE`, and always the small copy in `fixtures/`.
//!
//! The folder holds `series.csv`, `configs.json` and one file of answers per method; its README describes the columns.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde_json::Value;
use tension_watch::detect::reference::{Control, Detail, EarsMethod, History, Method, Verdict, judge};

type Row = BTreeMap<String, String>;

/// Relative tolerance, and the wider one where the mean is below [`SPARSE`]: R's own digits end there.
const CLOSE: f64 = 1e-5;
const CLOSE_WHEN_SPARSE: f64 = 1e-4;
const SPARSE: f64 = 0.01;
/// Figures this small are differences of equal numbers (a score of 1e-15) in R as well as here.
const NOTHING: f64 = 1e-11;

struct Series {
    counts: Vec<Option<u64>>,
    dates: Option<Vec<NaiveDate>>,
    freq: u32,
}

impl Series {
    fn history(&self) -> History<'_> {
        match &self.dates {
            Some(dates) => History::dated(&self.counts, dates, self.freq).unwrap(),
            None => History::indexed(&self.counts, self.freq).unwrap(),
        }
    }
}

struct Oracle {
    folder: PathBuf,
    series: BTreeMap<String, Series>,
    configs: Value,
}

fn rows(path: &Path) -> Vec<Row> {
    csv::Reader::from_path(path).unwrap().deserialize().map(|row| row.unwrap()).collect()
}

impl Oracle {
    fn open(folder: &Path) -> Self {
        let mut series: BTreeMap<String, Series> = BTreeMap::new();
        for row in rows(&folder.join("series.csv")) {
            let dated = !row["date"].is_empty();
            let entry = series.entry(row["series"].clone()).or_insert_with(|| Series {
                counts: Vec::new(),
                dates: dated.then(Vec::new),
                freq: row["freq"].parse().unwrap(),
            });
            entry.counts.push(row["observed"].parse().ok());
            if let Some(dates) = &mut entry.dates {
                dates.push(row["date"].parse().unwrap());
            }
        }
        let configs =
            serde_json::from_str(&fs::read_to_string(folder.join("configs.json")).unwrap()).unwrap();
        Self { folder: folder.to_owned(), series, configs }
    }

    /// The settings of one config for one series: the oracle lowers b on short series and narrows monthly ones.
    fn control(&self, algorithm: &str, config: &str, series: &str) -> Control {
        let mut control = self.configs[algorithm][config].clone();
        let at_most = |value: &mut Value, most: u64| {
            if let Some(number) = value.as_u64() {
                *value = number.min(most).into();
            }
        };
        if algorithm.starts_with("farrington") {
            at_most(&mut control["b"], self.configs["series"][series]["b_max"].as_u64().unwrap());
            if self.series[series].freq == 12 {
                control["w"] = 1.into();
                if algorithm == "farringtonFlexible" {
                    at_most(&mut control["noPeriods"], 4);
                    at_most(&mut control["pastWeeksNotIncluded"], 6);
                }
            }
        }
        let method = match (algorithm, control["method"].as_str()) {
            ("farringtonFlexible", _) => Method::FarringtonFlexible,
            ("farrington1996", _) => Method::Farrington1996,
            ("earsC", Some("C1")) => Method::Ears(EarsMethod::C1),
            ("earsC", Some("C2")) => Method::Ears(EarsMethod::C2),
            ("earsC", _) => Method::Ears(EarsMethod::C3),
            _ => Method::Cusum,
        };
        if let Some(object) = control.as_object_mut() {
            object.retain(|name, value| name == "m" || !value.is_null());
        }
        Control::from_json(method, &control.to_string()).unwrap()
    }

    /// The rows of an algorithm with the verdicts on them, judged in one go per series and config, as R did.
    fn compare(&self, algorithm: &str, check: impl Fn(&Row, &Verdict, &mut Differences)) -> usize {
        let mut groups: BTreeMap<(String, String), Vec<Row>> = BTreeMap::new();
        for row in rows(&self.folder.join(format!("{algorithm}.csv"))) {
            groups.entry((row["series"].clone(), row["config"].clone())).or_default().push(row);
        }
        let mut differences = Differences::default();
        for ((series, config), rows) in &groups {
            let t = |row: &Row| row["t"].parse::<usize>().unwrap();
            let (first, last) = (t(&rows[0]) - 1, t(&rows[rows.len() - 1]));
            let control = self.control(algorithm, config, series);
            let verdicts = judge(&self.series[series].history(), &control, first..last).unwrap();
            for row in rows {
                let verdict = &verdicts[t(row) - 1 - first];
                assert_eq!(verdict.position + 1, t(row));
                differences.at = format!("{algorithm} {series} {config} t {}", row["t"]);
                differences.number("observed", row, verdict.observed.map(|count| count as f64));
                differences.everything_finite(verdict);
                check(row, verdict, &mut differences);
            }
        }
        let Differences { told, compared, edge, edge_agreeing, .. } = differences;
        eprintln!(
            "oracle: {algorithm}: {compared} rows compared, {} differences; {edge_agreeing} of {edge} edge rows agree \
             too",
            told.len()
        );
        let first = told.iter().take(40).map(String::as_str).collect::<Vec<_>>().join("\n");
        assert!(told.is_empty(), "{} differences in {algorithm}, first:\n{first}", told.len());
        compared
    }
}

#[derive(Default)]
struct Differences {
    at: String,
    sparse: bool,
    told: Vec<String>,
    compared: usize,
    /// Rows on the edge of the parameter space, and how many of them agree all the same.
    edge: usize,
    edge_agreeing: usize,
}

impl Differences {
    fn number(&mut self, column: &str, row: &Row, ours: Option<f64>) {
        let theirs = row[column].parse::<f64>().ok().filter(|value| value.is_finite());
        let tolerance = if self.sparse { CLOSE_WHEN_SPARSE } else { CLOSE };
        let same = match (theirs, ours) {
            (Some(theirs), Some(ours)) => (theirs - ours).abs() <= tolerance * theirs.abs() + NOTHING,
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.told.push(format!("{}: {column} is {ours:?}, R has {}", self.at, row[column]));
        }
    }

    fn alarm(&mut self, row: &Row, verdict: &Verdict) {
        // R's NA is no alarm.
        if verdict.alarm != (row["alarm"] == "1") {
            self.told.push(format!("{}: alarm is {}, R has {}", self.at, verdict.alarm, row["alarm"]));
        }
    }

    fn everything_finite(&mut self, verdict: &Verdict) {
        for value in [verdict.expected, verdict.upper, verdict.p_value, verdict.score].into_iter().flatten() {
            if !value.is_finite() {
                self.told.push(format!("{}: {verdict:?} has a figure that is none", self.at));
            }
        }
    }
}

fn flexible(row: &Row, verdict: &Verdict, differences: &mut Differences) {
    match row["degenerate"].as_str() {
        // The fit runs towards minus infinity and stops where it happens to: counted, but no failure.
        "1" => {
            let before = differences.told.len();
            flexible_figures(row, verdict, differences);
            differences.edge += 1;
            differences.edge_agreeing += usize::from(differences.told.len() == before);
            differences.told.truncate(before);
        }
        // No model. R has NA, but for `expected`, where its cell was never written and so is 0.
        "2" => {
            differences.compared += 1;
            for column in ["upper", "pvalue", "score"] {
                differences.number(column, row, None);
            }
            assert_eq!(
                (verdict.expected, verdict.upper, verdict.p_value, verdict.score),
                (None, None, None, None)
            );
            differences.alarm(row, verdict);
        }
        _ => {
            differences.compared += 1;
            flexible_figures(row, verdict, differences);
        }
    }
}

fn flexible_figures(row: &Row, verdict: &Verdict, differences: &mut Differences) {
    let Detail::Farrington { phi, trend } = verdict.detail else { panic!("{verdict:?}") };
    differences.alarm(row, verdict);
    differences.sparse = row["expected"].parse::<f64>().is_ok_and(|expected| expected < SPARSE);
    differences.number("expected", row, verdict.expected);
    differences.number("upper", row, verdict.upper);
    differences.number("pvalue", row, verdict.p_value);
    differences.number("score", row, verdict.score);
    differences.number("phi", row, phi);
    // On a constant series slope and standard error are both rounding errors: whether it is kept is chance.
    if row["series"] != "hand_const" {
        differences.number("trend_coef", row, trend);
    }
    differences.sparse = false;
}

fn farrington_1996(row: &Row, verdict: &Verdict, differences: &mut Differences) {
    let Detail::Farrington { trend, .. } = verdict.detail else { panic!("{verdict:?}") };
    differences.compared += 1;
    differences.sparse = row["median"].parse::<f64>().is_ok_and(|expected| expected < SPARSE);
    differences.alarm(row, verdict);
    differences.number("median", row, verdict.expected);
    differences.number("upper", row, verdict.upper);
    differences.number("q", row, verdict.p_value.map(|p| 1.0 - p));
    if row["series"] != "hand_const" {
        differences.number("trend", row, Some(f64::from(u8::from(trend.is_some()))));
    }
    differences.sparse = false;
}

fn ears(row: &Row, verdict: &Verdict, differences: &mut Differences) {
    differences.compared += 1;
    differences.number("upper", row, verdict.upper);
    differences.alarm(row, verdict);
}

fn cusum(row: &Row, verdict: &Verdict, differences: &mut Differences) {
    differences.compared += 1;
    differences.number("m", row, verdict.expected);
    differences.number("cusum", row, verdict.score);
    // With a mean of 0 R has NA as the sum but 0 as the bound; here there is neither.
    let judged = row["cusum"] != "NA";
    differences.number(if judged { "upper" } else { "cusum" }, row, verdict.upper);
    differences.alarm(row, verdict);
}

/// The pairs that R refuses: an error here too, or (traced points of an all-zero series) a verdict without figures.
fn refusals(oracle: &Oracle) -> usize {
    let refused: Vec<Row> =
        serde_json::from_str(&fs::read_to_string(oracle.folder.join("errors.json")).unwrap()).unwrap();
    let mut compared = 0;
    for row in refused {
        let history = oracle.series[&row["series"]].history();
        if row["algorithm"] == "farrington" {
            let control = oracle.control("farrington1996", &row["config"], &row["series"]);
            let told = judge(&history, &control, history.last(40)).unwrap_err().to_string();
            assert!(told.contains("is missing; fill it in"), "{told}");
        } else if let Some(t) = row["algorithm"].strip_prefix("trace t ") {
            let control = oracle.control("farringtonFlexible", &row["config"], &row["series"]);
            let t: usize = t.parse().unwrap();
            let verdict = judge(&history, &control, t - 1..t).unwrap()[0];
            assert_eq!((verdict.expected, verdict.upper, verdict.alarm), (None, None, false));
        } else {
            continue;
        }
        compared += 1;
    }
    eprintln!("oracle: errors.json: {compared} refusals compared");
    compared
}

fn everything(folder: &Path) -> usize {
    let oracle = Oracle::open(folder);
    oracle.compare("farringtonFlexible", flexible)
        + oracle.compare("farrington1996", farrington_1996)
        + oracle.compare("earsC", ears)
        + oracle.compare("cusum", cusum)
        + refusals(&oracle)
}

#[test]
fn a_handful_of_answers_of_r_is_met() {
    let compared = everything(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/detect"));
    assert!(compared >= 30, "only {compared} rows in the fixture");
}

#[test]
fn every_answer_of_r_is_met() {
    let Some(folder) = std::env::var_os("TENSION_WATCH_ORACLE") else {
        eprintln!(
            "SKIPPED every_answer_of_r_is_met: TENSION_WATCH_ORACLE names no folder of reference answers"
        );
        return;
    };
    let compared = everything(&Path::new(&folder).join("detect"));
    assert!(compared > 12_000, "only {compared} rows in the oracle");
}
