//! `tension-watch detect`: series of counts against what is usual for them.

use super::{table::output, wrong};
use crate::{
    detect::reference::{self, Control, Detail, History, Method as Reference},
    import::{Frequency, NamedSeries, Periods, SeriesGroup, read_series},
};
use anyhow::Result;
use csv::Writer;
use std::{fs, io::Write, path::PathBuf};

/// Judge series of counts against what is usual for them, without a database.
///
/// In: CSV with group,series,period,count. A group holds series that may share strength: the wards of one strand, for
/// example. A period is a whole number or a date; an empty count is missing. Rows may stand in any order.
///
/// Out: CSV `group,series,period,observed,expected,lower,upper,p_upper,p_lower,score,alarm` and the method's own columns.
/// A higher score is more unusual upward. A reference method alarms as its control says, and where it has no model
/// its figures are blank.
///
/// Example: tension-watch detect weeks.csv --method farrington-flexible --last 49
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
    FarringtonFlexible,
    #[value(name = "farrington-1996")]
    Farrington1996,
    EarsC1,
    EarsC2,
    EarsC3,
    Cusum,
}

impl Method {
    fn reference(self) -> Reference {
        use reference::EarsMethod::{C1, C2, C3};
        match self {
            Self::FarringtonFlexible => Reference::FarringtonFlexible,
            Self::Farrington1996 => Reference::Farrington1996,
            Self::EarsC1 => Reference::Ears(C1),
            Self::EarsC2 => Reference::Ears(C2),
            Self::EarsC3 => Reference::Ears(C3),
            Self::Cusum => Reference::Cusum,
        }
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
    judge_by_reference(args, &name, args.method.reference(), &groups, frequency)
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
