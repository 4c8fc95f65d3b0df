//! A report as one page that carries everything it needs: for a browser, for paper, and for those who listen.

use super::{
    charts::{control_chart, funnel_chart},
    figures::{AreaLine, Report},
};
use crate::words::{counted, thousands, times};
use chrono::{DateTime, NaiveDate, Utc};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

const PAGE: &str = include_str!("report.html");

/// The report as HTML.
///
/// # Errors
///
/// When the template can't be filled, which a test would have found.
pub fn html(report: &Report) -> Result<String, minijinja::Error> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    templates.add_template("report", PAGE)?;
    let own = report.own();
    let lines: Vec<&AreaLine> =
        report.partnerships.iter().chain(&report.others).chain(std::iter::once(&report.total)).collect();
    let quality = &report.quality;
    let share = |share: Option<u8>| share.map(|share| format!("{share}%"));
    let values = context! {
        marking => "OFFICIAL",
        heading => heading(report),
        county => &report.county,
        whom => &report.whom,
        for_one => report.csp.is_some(),
        quarter => &report.quarter,
        quarter_in_words => &report.quarter_in_words,
        first => day(report.first),
        last => day(report.last),
        weeks => report.weeks,
        weeks_in_all => report.weeks_in_all,
        provisional => report.is_provisional(),
        crimes => report.total.crimes.is_some(),
        as_known_on => moment(report.as_known_on),
        day => day(report.day),
        answers => answers(report),
        give_or_take => own.give_or_take,
        total_give_or_take => report.total.give_or_take,
        strand_word => &report.strand_word,
        strands => report.strands.iter().map(|strand| strand.label.clone()).collect::<Vec<_>>(),
        lines => lines.iter().map(|line| row(line, report)).collect::<Vec<_>>(),
        control => control_chart(&report.control, &report.recording_changes),
        control_rows => control_rows(report),
        funnel => funnel_chart(&report.partnerships, &report.total, report.csp.as_deref()),
        campaigns => report.campaigns.iter().map(|one| context! {
            name => &one.name,
            first => day(one.first),
            last => day(one.last),
            places => &one.places,
            reports => one.reports,
            lift => lift(one.lift),
        }).collect::<Vec<_>>(),
        quiet => quiet(report),
        sensitivity => sensitivity(own),
        quality => context! {
            unlocated => share(quality.unlocated),
            reclassified => share(quality.reclassified),
            withdrawn => share(quality.withdrawn),
            rejected => share(quality.rejected),
            half => quality.half_known_after,
            most => quality.most_known_after,
        },
        recording_changes => report.recording_changes.iter().map(|(at, name)| context! { at => day(*at), name }).collect::<Vec<_>>(),
        changed_areas => report.changed_areas.iter().map(|(name, at)| context! { at => day(*at), name }).collect::<Vec<_>>(),
        definitions => report.definitions.iter().map(|one| context! {
            term => &one.term,
            meaning => &one.meaning,
            source => &one.source,
            from => one.from.map(day),
            to => one.to.map(day),
        }).collect::<Vec<_>>(),
    };
    templates.get_template("report")?.render(values)
}

/// The report in a sentence, and in a few more.
#[must_use]
pub fn in_short(report: &Report) -> (String, Vec<String>) {
    (heading(report), answers(report))
}

/// What is said of each partnership in a line: its name, its figures and its code; districts of no partnership have none.
#[must_use]
pub fn by_partnership(report: &Report) -> Vec<(String, String, Option<String>)> {
    let said = |line: &AreaLine| {
        let before =
            line.year_before.map_or_else(String::new, |before| format!(", {} a year before", signed(before)));
        let rate = line.rate.map_or_else(String::new, |[rate, low, high]| {
            format!("; {rate:.2} for every 1,000 residents a year ({low:.2} to {high:.2})")
        });
        format!("about {} reports, at most {} off{before}{rate}", signed(line.reports), line.give_or_take)
    };
    let own = report.partnerships.iter().map(|line| (line.name.clone(), said(line), Some(line.code.clone())));
    own.chain(report.others.iter().map(|line| (line.name.clone(), said(line), None))).collect()
}

fn day(date: NaiveDate) -> String {
    date.format("%-d %B %Y").to_string()
}

fn moment(at: DateTime<Utc>) -> String {
    at.format("%-d %B %Y").to_string()
}

/// The finding in a sentence.
fn heading(report: &Report) -> String {
    let own = report.own();
    let about = format!("About {} reports", thousands(own.reports.max(0).unsigned_abs()));
    let compared = match own.year_before {
        Some(before) if before > 0 => {
            let than = |word: &str| {
                format!(", {word} than the {} of a year before", thousands(before.unsigned_abs()))
            };
            match own.reports - before {
                change if change.abs() <= by_chance(own) => ", about as many as a year before".to_owned(),
                change if change > 0 => than("more"),
                _ => than("fewer"),
            }
        }
        _ => String::new(),
    };
    format!("{}, {}: {}{compared}", report.whom, report.quarter_in_words, about.to_lowercase())
}

/// Two quarters that differ by less have not changed: what was added to both, and twice the deviation of the counts.
fn by_chance(own: &AreaLine) -> i64 {
    let counts = 1.96 * (2.0 * own.reports.max(1) as f64).sqrt();
    let added = std::f64::consts::SQRT_2 * own.give_or_take as f64;
    added.hypot(counts).ceil() as i64
}

/// What a board asks first.
fn answers(report: &Report) -> Vec<String> {
    let own = report.own();
    let work = &own.work;
    let mut said = Vec::new();
    if report.is_provisional() {
        said.push(format!(
            "These figures are provisional: {} of the quarter's {} weeks are published. A week is published two weeks after its end \
             and never changed; the report is whole when the last one is.",
            report.weeks, report.weeks_in_all
        ));
    }
    if let Some([rate, low, high]) = own.rate {
        said.push(format!("Over a year that would be {rate:.2} reports for every 1,000 residents, {low:.2} to {high:.2} with chance and noise."));
    }
    let raised = match work.raised {
        0 => "No alert was raised".to_owned(),
        1 => "One alert was raised".to_owned(),
        many => format!("{many} alerts were raised"),
    };
    let in_time = match (work.asked, work.in_time) {
        (0, _) => String::new(),
        (asked, 0) => format!("; of {asked} with a time to answer, none was acknowledged in time"),
        (asked, in_time) => {
            format!("; of {asked} with a time to answer, {} acknowledged in time", were(in_time))
        }
    };
    let useful = match (work.raised, work.judged, work.useful) {
        (0, _, _) => String::new(),
        (_, 0, _) => "; none has been judged".to_owned(),
        (_, judged, 0) => format!("; of {judged} judged, none was useful"),
        (_, judged, useful) => format!("; of {judged} judged, {} useful", were(useful)),
    };
    said.push(format!("{raised}{in_time}{useful}."));
    said.push(format!(
        "{} recorded, {} done, {} dropped; {} overdue on {}.",
        counted(work.opened, "action"),
        work.done,
        work.dropped,
        if work.overdue == 1 { "one is".to_owned() } else { format!("{} are", work.overdue) },
        day(report.day)
    ));
    said
}

fn were(count: u64) -> String {
    if count == 1 { "one was".to_owned() } else { format!("{count} were") }
}

fn signed(count: i64) -> String {
    if count < 0 {
        format!("\u{2212}{}", thousands(count.unsigned_abs()))
    } else {
        thousands(count.unsigned_abs())
    }
}

fn row(line: &AreaLine, report: &Report) -> Value {
    let work = &line.work;
    context! {
        name => &line.name,
        own => report.csp.as_deref() == Some(line.code.as_str()),
        total => line.code == report.total.code,
        reports => signed(line.reports),
        give_or_take => line.give_or_take,
        year_before => line.year_before.map(signed),
        twelve_months => line.twelve_months.map(signed),
        twelve_months_before => line.twelve_months_before.map(signed),
        rate => line.rate.map(|rate| format!("{:.2}", rate[0])),
        interval => line.rate.map(|rate| format!("{:.2} to {:.2}", rate[1], rate[2])),
        strands => line.strands.iter().map(|count| signed(*count)).collect::<Vec<_>>(),
        crimes => line.crimes.map(|crimes| context! {
            reports => signed(crimes.reports),
            give_or_take => crimes.give_or_take,
            share => crimes.share.map(|share| format!("{share}%")),
        }),
        raised => work.raised,
        in_time => format!("{} of {}", work.in_time, work.asked),
        useful => format!("{} of {}", work.useful, work.judged),
        unanswered => work.unanswered,
        opened => work.opened,
        done => work.done,
        dropped => work.dropped,
        overdue => work.overdue,
    }
}

fn control_rows(report: &Report) -> Vec<Value> {
    let quarter = report.control.points.len() - report.control.of_the_quarter;
    let own = report.control.points.iter().enumerate().rev();
    own.map(|(place, (first, sum))| context! { first => day(*first), sum => signed(*sum), own => place >= quarter }).collect()
}

/// A lift in words that claim no more than the figures say.
fn lift(lift: Option<[f64; 3]>) -> String {
    match lift {
        None => "not enough is published to say".to_owned(),
        Some([ratio, low, high]) => {
            let meaning = if low > 1.0 {
                "more people reported than chance explains"
            } else if high < 1.0 {
                "fewer people reported than chance explains"
            } else {
                "consistent with no change"
            };
            format!(
                "{} times as many as in the weeks before ({} to {}): {meaning}",
                times(ratio),
                times(low),
                times(high)
            )
        }
    }
}

/// Partnerships below the limits of chance.
fn quiet(report: &Report) -> Vec<String> {
    let low = |line: &&AreaLine| line.rate.zip(line.funnel).is_some_and(|(rate, funnel)| rate[0] < funnel[1]);
    report.partnerships.iter().filter(low).map(|line| line.name.clone()).collect()
}

/// What the count would stand for if a part only were reported.
fn sensitivity(line: &AreaLine) -> String {
    let reports = line.reports.max(0) as f64;
    format!(
        "if 40 to 60% are reported, {} reports stand for {} to {}",
        thousands(reports as u64),
        thousands((reports / 0.6).round() as u64),
        thousands((reports / 0.4).round() as u64)
    )
}
