//! A report as one long table, for those who work on with it.

use super::figures::{AreaLine, Report};
use crate::import::safe_cell;

/// The report as CSV: a line for each area, measure and strand, with what it may be off by or its interval.
///
/// # Errors
///
/// Never in practice: it is written into memory.
pub fn csv(report: &Report) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "quarter",
        "from",
        "to",
        "area",
        "name",
        "measure",
        "strand",
        "value",
        "low",
        "high",
        "give_or_take",
        "as_known_on",
        "marking",
    ])?;
    let lines = report.partnerships.iter().chain(&report.others).chain(std::iter::once(&report.total));
    for line in lines {
        for row in rows(report, line) {
            let Row { measure, strand, value, low, high, give_or_take } = row;
            writer.write_record([
                report.quarter.clone(),
                report.first.to_string(),
                report.last.to_string(),
                safe_cell(&line.code),
                safe_cell(&line.name),
                measure.to_owned(),
                strand,
                value,
                low,
                high,
                give_or_take,
                report.as_known_on.to_rfc3339(),
                "OFFICIAL".to_owned(),
            ])?;
        }
    }
    let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[derive(Default)]
struct Row {
    measure: &'static str,
    strand: String,
    value: String,
    low: String,
    high: String,
    give_or_take: String,
}

fn rows(report: &Report, line: &AreaLine) -> Vec<Row> {
    let count = |measure, value: Option<i64>| {
        let value = value?.to_string();
        Some(Row { measure, value, ..Row::default() })
    };
    let mut rows = vec![Row {
        measure: "reports published",
        value: line.reports.to_string(),
        give_or_take: line.give_or_take.to_string(),
        ..Row::default()
    }];
    rows.extend(count("reports published, a year before", line.year_before));
    rows.extend(count("reports published, twelve months", line.twelve_months));
    rows.extend(count("reports published, twelve months before", line.twelve_months_before));
    if let Some([rate, low, high]) = line.rate {
        let two = |value: f64| format!("{value:.3}");
        rows.push(Row {
            measure: "per 1,000 residents a year",
            value: two(rate),
            low: two(low),
            high: two(high),
            ..Row::default()
        });
    }
    for (strand, value) in report.strands.iter().zip(&line.strands) {
        rows.push(Row {
            measure: "reports published",
            strand: strand.code.clone(),
            value: value.to_string(),
            give_or_take: line.give_or_take.to_string(),
            ..Row::default()
        });
    }
    if let Some(crimes) = line.crimes {
        rows.push(Row {
            measure: "reports recorded as crimes",
            value: crimes.reports.to_string(),
            give_or_take: crimes.give_or_take.to_string(),
            ..Row::default()
        });
    }
    let work = &line.work;
    let done = [
        ("alerts raised", work.raised),
        ("alerts with a time to answer", work.asked),
        ("alerts acknowledged in time", work.in_time),
        ("alerts judged", work.judged),
        ("alerts judged useful", work.useful),
        ("alerts over without an action", work.unanswered),
        ("actions recorded", work.opened),
        ("actions done", work.done),
        ("actions dropped", work.dropped),
        ("actions overdue", work.overdue),
    ];
    rows.extend(done.map(|(measure, value)| Row { measure, value: value.to_string(), ..Row::default() }));
    rows
}
