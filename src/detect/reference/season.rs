//! Which past counts Farrington flexible learns from, and in which season group each is.

use std::ops::Range;

use super::quasi::Past;
use super::{FlexibleControl, History, JudgeError, calendar};

/// Positions of one season group, oldest first in each year.
#[derive(Debug, Clone, PartialEq)]
struct Block {
    group: usize,
    positions: Range<usize>,
}

/// Fills `past` with the baseline of `point`, sorted by group.
///
/// The windows of half width w around the reference points (the same time in earlier years) and the w periods before
/// the point are the last group. The gap between two windows is cut into `noPeriods` - 1 blocks from old to new; what
/// does not divide makes the first blocks one longer. The last `pastWeeksNotIncluded` periods, the point itself and
/// missing counts are left out.
///
/// # Errors
///
/// When a reference point, or the window around the oldest, is not in the series.
pub(super) fn baseline(
    history: &History<'_>,
    control: &FlexibleControl,
    point: usize,
    past: &mut Vec<Past>,
) -> Result<(), JudgeError> {
    let mut references = Vec::new();
    for years in (1..=control.b).rev() {
        references.push(calendar::reference(history, point, years)?);
    }
    references.push(point);
    let oldest = references.first().copied().unwrap_or(point);
    if oldest < control.w {
        return Err(JudgeError::TooShort {
            point: history.label(point),
            needed: format!("{} periods before {}", control.w, history.label(oldest)),
            way_out: "lower b or w, or judge fewer periods",
        });
    }
    let end = point.saturating_sub(control.left_out());
    let time = Clock::new(history, point);
    past.clear();
    for block in blocks(&references, control) {
        for position in block.positions.start..block.positions.end.min(end) {
            if let Some(cases) = history.count(position) {
                past.push(Past { group: block.group, time: time.at(position), cases: cases as f64 });
            }
        }
    }
    past.sort_by_key(|point| point.group);
    Ok(())
}

/// Cuts the years into season groups, without overlap.
fn blocks(references: &[usize], control: &FlexibleControl) -> Vec<Block> {
    let window_group = control.no_periods - 1;
    let mut blocks = Vec::new();
    let mut from = 0;
    let nexts = references.iter().skip(1).map(Some).chain([None]);
    for (reference, next) in references.iter().zip(nexts) {
        let start = from.max(reference.saturating_sub(control.w));
        let Some(next) = next else {
            blocks.push(Block { group: window_group, positions: start..*reference.max(&start) });
            break;
        };
        let end = reference.saturating_add(control.w).saturating_add(1).max(start);
        blocks.push(Block { group: window_group, positions: start..end });
        let gap = next.saturating_sub(control.w).saturating_sub(end);
        from = end;
        for group in 0..window_group {
            let length = gap / window_group + usize::from(group < gap % window_group);
            blocks.push(Block { group, positions: from..from + length });
            from += length;
        }
    }
    blocks
}

/// Time for the trend: positions, or days in units of the first spacing of the series (so a month is 31 days when the
/// series starts in January), counted from the judged point.
struct Clock<'a> {
    history: &'a History<'a>,
    point: usize,
    unit: f64,
}

impl<'a> Clock<'a> {
    fn new(history: &'a History<'a>, point: usize) -> Self {
        let unit = match history.dates() {
            Some([first, second, ..]) => (*second - *first).num_days() as f64,
            _ => 1.0,
        };
        Self { history, point, unit }
    }

    fn at(&self, position: usize) -> f64 {
        let day = |position: usize| self.history.dates().and_then(|dates| dates.get(position));
        match (day(position), day(self.point)) {
            (Some(then), Some(now)) => (*then - *now).num_days() as f64 / self.unit,
            _ => position as f64 - self.point as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(no_periods: usize, w: usize) -> FlexibleControl {
        FlexibleControl { no_periods, w, b: 1, ..FlexibleControl::default() }
    }

    #[test]
    fn a_year_is_cut_from_old_to_new_and_the_remainder_goes_first() {
        let cut: Vec<_> =
            blocks(&[10, 62], &control(10, 3)).into_iter().map(|b| (b.group, b.positions)).collect();
        // 45 periods between the windows, in nine blocks of five.
        assert_eq!(cut[..3], [(9, 7..14), (0, 14..19), (1, 19..24)]);
        assert_eq!(cut[9..], [(8, 54..59), (9, 59..62)]);
        let cut: Vec<_> = blocks(&[2, 14], &control(5, 1)).into_iter().map(|b| b.positions).collect();
        // 9 months in four blocks: three, two, two, two.
        assert_eq!(cut, [1..4, 4..7, 7..9, 9..11, 11..13, 13..14]);
    }

    #[test]
    fn one_period_means_only_the_windows() {
        let cut: Vec<_> = blocks(&[10, 62], &control(1, 3)).into_iter().map(|b| b.positions).collect();
        assert_eq!(cut, [7..14, 59..62]);
    }

    #[test]
    fn windows_wider_than_a_year_do_not_count_a_period_twice() {
        let cut: Vec<_> = blocks(&[20, 32], &control(1, 9)).into_iter().map(|b| b.positions).collect();
        assert_eq!(cut, [11..30, 30..32]);
    }

    #[test]
    fn a_month_is_as_long_as_the_first_one() {
        let dates: Vec<_> = (1..=12).map(|m| chrono::NaiveDate::from_ymd_opt(2023, m, 1).unwrap()).collect();
        let counts = [Some(1); 12];
        let history = History::dated(&counts, &dates, 12).unwrap();
        let time = Clock::new(&history, 2);
        assert!((time.at(0) + 59.0 / 31.0).abs() < 1e-12);
    }

    #[test]
    fn the_last_half_year_and_missing_counts_are_left_out() {
        let mut counts = vec![Some(1); 120];
        counts[70] = None;
        let history = History::indexed(&counts, 52).unwrap();
        let control = FlexibleControl { past_weeks_not_included: Some(26), ..control(10, 3) };
        let mut past = Vec::new();
        baseline(&history, &control, 119, &mut past).unwrap();
        // From 119 - 52 - 3 = 64 to 119 - 27 = 92, without 70.
        assert_eq!(past.len(), 28);
        assert!(past.iter().all(|p| (p.time + 49.0).abs() > 0.5));
        assert!(past.iter().all(|p| (-55.0..=-27.0).contains(&p.time)));
        let told = baseline(&history, &control, 53, &mut past).unwrap_err().to_string();
        assert_eq!(
            told,
            "judging period 54 needs counts back to 3 periods before period 2, before the series begins; lower b or w, \
             or judge fewer periods"
        );
    }
}
