//! `tension-watch detect`: series of counts against what is usual for them.

use super::{progress::Progress, table::output, wrong};
use crate::{
    detect::{
        Expectation, discoveries, house,
        reference::{self, Control, Detail, History, Method as Reference},
        times_usual,
    },
    import::{Frequency, NamedSeries, Periods, SeriesGroup, read_series},
};
use anyhow::Result;
use csv::Writer;
use rayon::prelude::*;
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

/// Judge series of counts against what is usual for them, without a database.
///
/// In: CSV with group,series,period,count. A group holds series that may share strength: the wards of one strand, for
/// example. A period is a whole number or a date; an empty count is missing. Rows may stand in any order.
///
/// Out: CSV `group,series,period,observed,expected,lower,upper,p_upper,p_lower,score,alarm` and the method's own columns.
/// A higher score is more unusual upward. The house method alarms by Benjamini and Hochberg at 10 % over all series of
/// the file in a period, and tells of the most unusual window (in periods) how many times usual it is; a row that can't
/// be judged has the lowest score. A reference method alarms as its control says, and where it has no model its figures
/// are blank.
///
/// Example: tension-watch detect weeks.csv --method house --last 49
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The series; - for standard input.
    series: PathBuf,
    /// The method.
    #[arg(long)]
    method: Method,
    /// Settings of a reference method as JSON, named as in R's package surveillance; its defaults otherwise.
    #[arg(long, value_name = "FILE.json")]
    control: Option<PathBuf>,
    /// Periods in a year.
    #[arg(long, default_value = "52")]
    freq: Freq,
    /// How many periods of every group are judged, the last ones.
    #[arg(long, default_value_t = 1)]
    last: usize,
    /// Where the answer goes; standard output otherwise.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Method {
    House,
    FarringtonFlexible,
    #[value(name = "farrington-1996")]
    Farrington1996,
    EarsC1,
    EarsC2,
    EarsC3,
    Cusum,
}

impl Method {
    /// None for the house method.
    fn reference(self) -> Option<Reference> {
        use reference::EarsMethod::{C1, C2, C3};
        Some(match self {
            Self::House => return None,
            Self::FarringtonFlexible => Reference::FarringtonFlexible,
            Self::Farrington1996 => Reference::Farrington1996,
            Self::EarsC1 => Reference::Ears(C1),
            Self::EarsC2 => Reference::Ears(C2),
            Self::EarsC3 => Reference::Ears(C3),
            Self::Cusum => Reference::Cusum,
        })
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Freq {
    #[value(name = "365")]
    Daily,
    #[value(name = "52")]
    Weekly,
    #[value(name = "12")]
    Monthly,
}

impl From<Freq> for Frequency {
    fn from(freq: Freq) -> Self {
        match freq {
            Freq::Daily => Self::Daily,
            Freq::Weekly => Self::Weekly,
            Freq::Monthly => Self::Monthly,
        }
    }
}

const COLUMNS: [&str; 11] = [
    "group", "series", "period", "observed", "expected", "lower", "upper", "p_upper", "p_lower", "score",
    "alarm",
];

pub(super) fn run(args: &Args) -> Result<()> {
    let name = args.series.display().to_string();
    let text = if name == "-" {
        std::io::read_to_string(std::io::stdin()).map_err(wrong)?
    } else {
        fs::read_to_string(&args.series).map_err(|cause| wrong(format!("{name}: can't be read ({cause})")))?
    };
    let frequency = Frequency::from(args.freq);
    let groups = read_series(&text, frequency).map_err(|mistake| wrong(format!("{name}:{mistake}")))?;
    match args.method.reference() {
        Some(method) => judge_by_reference(args, &name, method, &groups, frequency),
        None => judge_by_house(args, &groups, frequency),
    }
}

/// At most this share of the house method's alarms of a period may be false, on average.
const FALSE_SHARE: f64 = 0.1;

/// The score of a row that can't be judged: below every other.
const LOWEST: f64 = -1e12;

fn judge_by_house(args: &Args, groups: &[SeriesGroup], frequency: Frequency) -> Result<()> {
    if let Some(path) = &args.control {
        return Err(wrong(format!(
            "{}: the house method takes no control; leave --control out",
            path.display()
        )));
    }
    let control = house::Control::blocks(f64::from(frequency.a_year()));
    let progress = Progress::new("groups", groups.len() as u64);
    let done = AtomicU64::new(0);
    let judged: Vec<Vec<Row<'_>>> = groups
        .par_iter()
        .map(|group| {
            let rows = judge_group(group, &control, args.last);
            progress.step(done.fetch_add(1, Ordering::Relaxed) + 1);
            rows
        })
        .collect();
    progress.finish();
    let rows: Vec<Row<'_>> = judged.into_iter().flatten().collect();
    let mut periods: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        periods.entry(&row.period).or_default().push(place);
    }
    let mut alarms = vec![false; rows.len()];
    for places in periods.values() {
        let p_values: Vec<f64> = places
            .iter()
            .map(|&place| rows[place].verdict.as_ref().map_or(f64::NAN, |found| found.p_upper))
            .collect();
        for (&place, alarm) in places.iter().zip(discoveries(&p_values, FALSE_SHARE)) {
            alarms[place] = alarm;
        }
    }
    let mut out = output(args.out.as_deref())?;
    let own = ["times_low", "times_high", "window", "window_observed", "window_expected"];
    out.write_record(COLUMNS.iter().chain(&own))?;
    for (row, alarm) in rows.iter().zip(alarms) {
        out.write_record(row.cells(alarm))?;
    }
    Ok(out.flush()?)
}

/// One series in one period, as the house method sees it.
struct Row<'a> {
    group: &'a str,
    series: &'a NamedSeries,
    period: String,
    observed: Option<u64>,
    verdict: Option<house::Verdict>,
}

/// Judges the last periods of a group; each sees nothing that came later.
fn judge_group<'a>(group: &'a SeriesGroup, control: &house::Control, last: usize) -> Vec<Row<'a>> {
    let small = |count: &Option<u64>| count.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    let counts: Vec<Vec<Option<u32>>> =
        group.series.iter().map(|series| series.counts.iter().map(small).collect()).collect();
    let members: Vec<house::Series<'_>> =
        counts.iter().map(|counts| house::Series { counts, exposure: &[] }).collect();
    let length = counts.first().map_or(0, Vec::len);
    let mut rows = Vec::new();
    for period in length.saturating_sub(last)..length {
        let night = house::judge(&members, period, control);
        let mut verdicts = night.map(|night| night.verdicts).unwrap_or_default().into_iter();
        rows.extend(group.series.iter().map(|series| Row {
            group: &group.name,
            series,
            period: group.periods.name(period),
            observed: series.counts[period],
            verdict: verdicts.next().flatten(),
        }));
    }
    rows
}

impl Row<'_> {
    fn cells(&self, alarm: bool) -> Vec<String> {
        let mut cells = vec![
            self.group.to_owned(),
            self.series.name.clone(),
            self.period.clone(),
            self.observed.map_or_else(String::new, |count| count.to_string()),
        ];
        let Some(found) = &self.verdict else {
            cells.extend((0..5).map(|_| String::new()));
            cells.extend([figure(Some(LOWEST)), "0".to_owned()]);
            cells.extend((0..5).map(|_| String::new()));
            return cells;
        };
        cells.extend([
            figure(Some(found.expected)),
            found.usual.0.to_string(),
            found.usual.1.to_string(),
            figure(Some(found.p_upper)),
            figure(Some(found.p_lower)),
            figure(Some(found.score)),
            u8::from(alarm).to_string(),
        ]);
        let strongest = found.windows.iter().min_by(|a, b| a.p_upper.total_cmp(&b.p_upper));
        let times = strongest.and_then(|window| {
            times_usual(window.observed as u64, Expectation::new(window.expected, window.size).ok()?)
        });
        cells.extend([
            figure(times.map(|times| times.0)),
            figure(times.map(|times| times.1)),
            strongest.map_or_else(String::new, |window| window.blocks.to_string()),
            figure(strongest.map(|window| window.observed)),
            figure(strongest.map(|window| window.expected)),
        ]);
        cells
    }
}

fn judge_by_reference(
    args: &Args,
    name: &str,
    method: Reference,
    groups: &[SeriesGroup],
    frequency: Frequency,
) -> Result<()> {
    let control = control(args, method)?;
    let mut out = output(args.out.as_deref())?;
    let own: &[&str] = match method {
        Reference::FarringtonFlexible | Reference::Farrington1996 => &["phi", "trend"],
        Reference::Ears(_) => &["sigma"],
        Reference::Cusum => &["cusum"],
    };
    out.write_record(COLUMNS.iter().chain(own))?;
    for group in groups {
        for series in &group.series {
            judge_series(&mut out, &control, group, series, frequency, args.last).map_err(|reason| {
                wrong(format!(
                    "{name}:{}: group `{}`, series `{}`: {reason:#}",
                    series.line, group.name, series.name
                ))
            })?;
        }
    }
    Ok(out.flush()?)
}

fn control(args: &Args, method: Reference) -> Result<Control> {
    let Some(path) = &args.control else { return Ok(Control::default_for(method)) };
    let shown = path.display();
    let json =
        fs::read_to_string(path).map_err(|cause| wrong(format!("{shown}: can't be read ({cause})")))?;
    Control::from_json(method, &json).map_err(|mistake| wrong(format!("{shown}: {mistake}")))
}

fn judge_series(
    out: &mut Writer<Box<dyn Write>>,
    control: &Control,
    group: &SeriesGroup,
    series: &NamedSeries,
    frequency: Frequency,
    last: usize,
) -> Result<()> {
    let history = match &group.periods {
        Periods::Numbered(_) => History::indexed(&series.counts, frequency.a_year())?,
        Periods::Dated(dates) => History::dated(&series.counts, dates, frequency.a_year())?,
    };
    let end = series.counts.len();
    for verdict in reference::judge(&history, control, end.saturating_sub(last)..end)? {
        let own = match verdict.detail {
            Detail::Farrington { phi, trend } => vec![figure(phi), figure(trend)],
            Detail::Ears { sigma } => vec![figure(sigma)],
            Detail::Cusum { sum } => vec![figure(sum)],
        };
        let mut row = vec![
            group.name.clone(),
            series.name.clone(),
            group.periods.name(verdict.position),
            verdict.observed.map_or_else(String::new, |count| count.to_string()),
            figure(verdict.expected),
            String::new(),
            figure(verdict.upper),
            figure(verdict.p_value),
            String::new(),
            figure(verdict.score),
            u8::from(verdict.alarm).to_string(),
        ];
        row.extend(own);
        out.write_record(row)?;
    }
    Ok(())
}

/// Ten significant digits; blank for none.
fn figure(value: Option<f64>) -> String {
    match value {
        None => String::new(),
        Some(value) if value != 0.0 && !(1e-4..1e9).contains(&value.abs()) => format!("{value:.9e}"),
        Some(value) => {
            let decimals = (9 - value.abs().max(1e-4).log10().floor() as i32).clamp(0, 13) as usize;
            format!("{value:.decimals$}")
        }
    }
}
