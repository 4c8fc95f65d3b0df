//! What is usual for every area of a kind on a night, by the house method on weeks that end with the window.
//!
//! The days are cut into blocks of seven that end on the window's last day, so that every block holds each weekday once.
//! What is known of a block (reports come late, a source may be behind) is its exposure. Wards of one strand are drawn
//! towards what the ward's incidents of all strands say, so that a ward without history in a strand has a sensible
//! expectation. How much counts vary is learned from past windows of the same length ([`Dispersion`]): weeks of one ward
//! have moods in common, and a month varies more than four strange weeks would.

use super::{
    Dispersion, Expectation, Weekdays,
    house::{self, Control, Fit, Span},
    judgement,
};
use crate::{
    count::{Completeness, Days, Ledger},
    model::{AreaKind, AreaRef, CategorySet, Judgement, Window},
};
use chrono::NaiveDate;
use std::ops::Range;

/// Days of a block.
const BLOCK: usize = 7;

/// Blocks in a year.
const BLOCKS_A_YEAR: f64 = 365.25 / 7.0;

/// Dispersion is learned from windows of so many blocks before the guard at most: three years.
const DISPERSION_BLOCKS: usize = 156;

/// With fewer past windows than this the dispersion of single weeks is taken.
const LEAST_WINDOWS: usize = 30;

/// A past window with a cell that weighs less than this holds an episode, and says nothing of how much counts vary.
const QUIET: f64 = 0.05;

/// What is usual for a set of categories in the areas of one kind, for windows that end on one day.
#[derive(Debug, Clone)]
pub struct Nightly {
    areas: Vec<AreaRef>,
    categories: CategorySet,
    last: NaiveDate,
    /// Daily counts up to the last day, by area.
    days: Vec<Days>,
    /// The same in blocks, oldest first.
    counts: Vec<Vec<Option<u32>>>,
    fit: Fit,
    /// How much of the mean day each of the last days has, and of that what is known: the last day first.
    recent: Vec<f64>,
    /// What known events multiply it by.
    events: Multipliers,
}

/// What known events multiply an expectation by, for the areas of one kind.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Multipliers {
    /// The days of each event, and its factor for each area in the order of the ledger's.
    pub events: Vec<(Window, Vec<f64>)>,
}

impl Multipliers {
    /// The product over all events of a day; 1 without any.
    #[must_use]
    pub fn on(&self, area: usize, day: NaiveDate) -> f64 {
        let held = self.events.iter().filter(|(window, _)| window.holds(day));
        held.map(|(_, factors)| factors.get(area).copied().unwrap_or(1.0)).product()
    }

    /// Whether an event falls into a window.
    #[must_use]
    pub fn touch(&self, window: Window) -> bool {
        self.events.iter().any(|(event, _)| event.first <= window.last && window.first <= event.last)
    }
}

/// What a night knows beside counts.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// How late reports come.
    pub completeness: &'a Completeness,
    /// Weekdays of the county.
    pub weekdays: &'a Weekdays,
    /// Events that teach: a past one would else raise what is usual, the next one come as a surprise.
    pub events: &'a Multipliers,
}

/// A window of the past, against what is usual in it as a night sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Past {
    /// When.
    pub window: Window,
    /// Incidents in it.
    pub observed: u64,
    /// Incidents usual in it, as far as they are known.
    pub expected: f64,
    /// The central 95 % of what is usual.
    pub usual_range: (u64, u64),
}

impl Nightly {
    /// Learns what is usual for windows of up to `longest` days that end on `last`. `alike` says for each area how much of
    /// the usual it has over all categories, when that is known. None with too little history.
    #[must_use]
    pub fn learn(
        ledger: &Ledger,
        surroundings: Surroundings<'_>,
        kind: AreaKind,
        categories: CategorySet,
        (last, longest): (NaiveDate, u32),
        alike: Option<&[f64]>,
    ) -> Option<Self> {
        let last = last.min(ledger.last());
        let length = usize::try_from((last - ledger.first()).num_days() + 1).ok()?;
        let areas = ledger.areas(kind);
        let days = by_area(ledger, &areas, categories, length);
        let blocks = length / BLOCK;
        let morning = ledger.last() + chrono::Days::new(1);
        let recent: Vec<f64> = (0..length)
            .map(|back| {
                let day = last - chrono::Days::new(back as u64);
                surroundings.weekdays.on(day) * surroundings.completeness.after((morning - day).num_days())
            })
            .collect();
        let exposure: Vec<f64> = (0..blocks)
            .map(|block| {
                let back = (blocks - 1 - block) * BLOCK;
                recent[back..back + BLOCK].iter().sum::<f64>() / BLOCK as f64
            })
            .collect();
        let counts: Vec<Vec<Option<u32>>> = days.iter().map(|days| in_blocks(days)).collect();
        let events = surroundings.events;
        let touched = |block: usize| {
            let end = last - chrono::Days::new(((blocks - 1 - block) * BLOCK) as u64);
            events.touch(Window::ending(end, BLOCK as u32))
        };
        let touched: Vec<bool> = (0..blocks).map(touched).collect();
        let exposures: Vec<Vec<f64>> = (0..areas.len())
            .map(|area| {
                let own = alike.and_then(|alike| alike.get(area)).copied().unwrap_or(1.0);
                let known = exposure.iter().zip(&touched).enumerate().map(|(block, (known, touched))| {
                    let back = (blocks - 1 - block) * BLOCK;
                    let days = back..back + BLOCK;
                    if *touched {
                        days.map(|back| recent[back] * events.on(area, last - chrono::Days::new(back as u64)))
                            .sum::<f64>()
                            / BLOCK as f64
                    } else {
                        *known
                    }
                });
                known.map(|known| own * known).collect()
            })
            .collect();
        let series: Vec<house::Series<'_>> = counts
            .iter()
            .zip(&exposures)
            .map(|(counts, exposure)| house::Series { counts, exposure })
            .collect();
        let fit = house::learn(&series, blocks.checked_sub(1)?, &control(longest))?;
        Some(Self { areas, categories, last, days, counts, fit, recent, events: events.clone() })
    }

    /// How much of the usual each area has: its expectation of the last blocks over the mean of all.
    #[must_use]
    pub fn relative(&self) -> Vec<f64> {
        let own: Vec<f64> = (0..self.areas.len()).map(|area| self.expected(area, &(0..8 * BLOCK))).collect();
        let mean = own.iter().sum::<f64>() / own.len().max(1) as f64;
        own.iter().map(|own| if mean > 0.0 { own / mean } else { 1.0 }).collect()
    }

    /// Judges every area over the window of `days` that ends on the last day. `scaled` multiplies what is expected of it
    /// without having taught.
    #[must_use]
    pub fn judge(&self, days: u32, scaled: &Multipliers) -> Vec<(Judgement, Expectation)> {
        let window = Window::ending(self.last, days);
        let days = (days.max(1) as usize).min(self.recent.len());
        let dispersion = self.dispersion(days.div_ceil(BLOCK));
        let judge = |place| self.judge_days(place, &(0..days), window, &dispersion, scaled);
        (0..self.areas.len()).filter_map(judge).collect()
    }

    /// What is usual in each of the last `windows` of `days`, of one area, oldest first and without gaps between them: the
    /// last one is the one that [`Self::judge`] judges. Fewer where the history is shorter or nothing could be known.
    ///
    /// It is what this night's fit says of the past, looking back: with season, trend and events, and as unsure as of the
    /// last window. Windows that are no whole weeks have the part of their weeks that their weekdays usually have.
    #[must_use]
    pub fn past(&self, area: &AreaRef, days: u32, windows: usize, scaled: &Multipliers) -> Vec<Past> {
        let Some(place) = self.areas.iter().position(|own| own == area) else { return Vec::new() };
        let days = days.max(1) as usize;
        // The first days that fill no block were not learned.
        let learned = self.fit.blocks() * BLOCK;
        let dispersion = self.dispersion(days.div_ceil(BLOCK));
        let window = |back: usize| {
            let days = back * days..(back + 1) * days;
            let window = Window::ending(self.day(days.start), days.len() as u32);
            let (Judgement { observed, expected, .. }, usual) =
                self.judge_days(place, &days, window, &dispersion, scaled)?;
            Some(Past { window, observed, expected, usual_range: usual.usual_range() })
        };
        let mut past: Vec<Past> = (0..windows.min(learned / days)).map_while(window).collect();
        past.reverse();
        past
    }

    /// One area over a window, given as days back from the last one.
    fn judge_days(
        &self,
        place: usize,
        back: &Range<usize>,
        window: Window,
        dispersion: &Dispersion,
        scaled: &Multipliers,
    ) -> Option<(Judgement, Expectation)> {
        // Where nothing could be known yet there is nothing to judge.
        let expected = self.expected(place, back) * self.scale(place, back, scaled);
        let mean = Some(expected).filter(|mean| *mean > 1e-9)?;
        let one_over_size = dispersion.one_over_size(mean) + self.fit.unsure(place);
        let size = if one_over_size > 1e-12 { 1.0 / one_over_size } else { f64::INFINITY };
        let usual = Expectation::new(mean, size).ok()?;
        let counts = self.days[place].iter().rev().skip(back.start).take(back.len());
        let observed = counts.map(|count| u64::from(*count)).sum();
        Some((judgement(self.areas[place].clone(), self.categories, window, observed, usual), usual))
    }

    /// Incidents usual in some days, as far as they would be known: whole blocks, and of blocks that they cut the part that
    /// their days have.
    fn expected(&self, area: usize, back: &Range<usize>) -> f64 {
        let blocks = self.fit.blocks();
        let of = |days: Range<usize>| -> f64 {
            days.map(|back| self.recent[back] * self.events.on(area, self.day(back))).sum()
        };
        let of_block = |block: usize| {
            let whole = block * BLOCK..(block + 1) * BLOCK;
            let part = whole.start.max(back.start)..whole.end.min(back.end);
            let usual = self.fit.expected(area, blocks - 1 - block);
            if part == whole {
                return usual;
            }
            let all = of(whole);
            if all > 0.0 { of(part) / all * usual } else { 0.0 }
        };
        (back.start / BLOCK..back.end.div_ceil(BLOCK).min(blocks)).map(of_block).sum()
    }

    /// The mean factor of some days, each by what it has of the usual.
    fn scale(&self, area: usize, back: &Range<usize>, scaled: &Multipliers) -> f64 {
        if back.is_empty() || !scaled.touch(Window::ending(self.day(back.start), back.len() as u32)) {
            return 1.0;
        }
        let all: f64 = self.recent[back.clone()].iter().sum();
        let with: f64 = back.clone().map(|back| self.recent[back] * scaled.on(area, self.day(back))).sum();
        if all > 0.0 { with / all } else { 1.0 }
    }

    fn day(&self, back: usize) -> NaiveDate {
        self.last - chrono::Days::new(back as u64)
    }

    /// How much the counts of windows of so many blocks vary, over all areas.
    fn dispersion(&self, blocks: usize) -> Dispersion {
        let taught = self.fit.taught();
        let first = taught.saturating_sub(DISPERSION_BLOCKS);
        let cells = (0..self.areas.len()).flat_map(|area| {
            let counts = &self.counts[area];
            let ends = (first + blocks..=taught).rev().step_by(blocks.max(1));
            ends.filter_map(move |end| {
                let window = end - blocks..end;
                let quiet = window.clone().all(|block| self.fit.weight(area, block) >= QUIET);
                let mean: f64 = window.clone().map(|block| self.fit.expected(area, block)).sum();
                let count: u32 = window.filter_map(|block| counts.get(block).copied().flatten()).sum();
                (quiet && mean > 0.0).then_some((mean, f64::from(count)))
            })
        });
        let cells: Vec<(f64, f64)> = cells.collect();
        if cells.len() < LEAST_WINDOWS {
            Dispersion::clumped(self.fit.dispersion())
        } else {
            Dispersion::learn(cells.into_iter())
        }
    }
}

/// The house method on weeks, for windows of up to so many days.
fn control(longest: u32) -> Control {
    let mut control = Control::blocks(BLOCKS_A_YEAR);
    let blocks = (longest as usize).div_ceil(BLOCK);
    if blocks > control.guard {
        control.guard = blocks;
        control.spans.push(Span { blocks, prior: 0.0, test: 0.0 });
    }
    control
}

/// The daily counts of each area up to a length.
fn by_area(ledger: &Ledger, areas: &[AreaRef], categories: CategorySet, length: usize) -> Vec<Days> {
    let mut wards = ledger.by_ward(categories);
    if areas.first().is_some_and(|area| area.kind == AreaKind::Ward) {
        for days in &mut wards {
            days.truncate(length);
        }
        return wards;
    }
    let of = |area: &AreaRef| {
        let mut days = vec![0; length];
        for ward in ledger.members(area) {
            days.iter_mut().zip(&wards[ward]).for_each(|(sum, count)| *sum += count);
        }
        days
    };
    areas.iter().map(of).collect()
}

/// Sums of whole blocks that end with the last day; what is left over at the beginning is not used.
fn in_blocks(days: &[u32]) -> Vec<Option<u32>> {
    days[days.len() % BLOCK..].chunks_exact(BLOCK).map(|block| Some(block.iter().sum())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        count::Case,
        model::{Area, Geography, Precision},
    };
    use uuid::Uuid;

    const LAST: &str = "2026-06-28";

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// Ward A has an incident every second day of two years, ward B every fourth, ward C none.
    fn cases() -> Vec<Case> {
        let case = |ward: &str, ago: u64| Case {
            id: Uuid::nil(),
            source: "police".into(),
            day: Some(day(LAST) - chrono::Days::new(ago)),
            month: None,
            categories: CategorySet::from_bits(1),
            ward: Some(ward.into()),
            point: None,
            precision: Precision::None,
            known_on: day(LAST) - chrono::Days::new(ago) + chrono::Days::new(1),
            repeat_key: None,
            offence: None,
            channel: None,
        };
        let a = (0..730).step_by(2).map(|ago| case("A", ago));
        a.chain((1..730).step_by(4).map(|ago| case("B", ago))).collect()
    }

    fn ledger(cases: &[Case]) -> Ledger {
        let ward = |code: &str| Area {
            kind: AreaKind::Ward,
            code: code.into(),
            name: code.into(),
            boundary_year: 2025,
            valid_from: day("2000-01-01"),
            valid_to: None,
            population: None,
            workday_population: None,
        };
        let geography = Geography::on(day(LAST), ["A", "B", "C"].map(ward), []).unwrap();
        Ledger::new(&geography, cases, day(LAST))
    }

    fn judged(ledger: &Ledger, completeness: &Completeness, last: NaiveDate, days: u32) -> Vec<Judgement> {
        let around =
            Surroundings { completeness, weekdays: &Weekdays::NONE, events: &Multipliers::default() };
        let one = CategorySet::from_bits(1);
        let learned =
            Nightly::learn(ledger, around, AreaKind::Ward, one, (last, days.max(56)), None).unwrap();
        learned.judge(days, &Multipliers::default()).into_iter().map(|(judgement, _)| judgement).collect()
    }

    #[test]
    fn windows_of_any_length_expect_their_part() {
        let cases = cases();
        let (ledger, known) = (ledger(&cases), Completeness::learn(&cases, day(LAST)));
        for days in [1, 3, 7, 10, 28, 56, 70] {
            let found = judged(&ledger, &known, day(LAST), days);
            let usual = f64::from(days) / 2.0;
            assert!((found[0].expected / usual - 1.0).abs() < 0.08, "{days} days: {found:?}");
            assert!((found[1].expected / usual * 2.0 - 1.0).abs() < 0.15, "{days} days: {found:?}");
            assert!(
                found[2].expected > 0.0 && found[2].expected < 0.1 * usual,
                "nothing in two years: {found:?}"
            );
            assert_eq!(found[0].observed, u64::from(days.div_ceil(2)));
        }
    }

    #[test]
    fn a_window_that_waits_ends_earlier() {
        let cases = cases();
        let (ledger, known) = (ledger(&cases), Completeness::learn(&cases, day(LAST)));
        let earlier = day(LAST) - chrono::Days::new(3);
        let found = judged(&ledger, &known, earlier, 7);
        assert_eq!(found[0].window, Window { first: day("2026-06-19"), last: earlier });
        assert_eq!(found[0].observed, 3, "22, 20 and 24 June");
    }

    #[test]
    fn the_past_year_ends_with_what_is_judged() {
        let cases = cases();
        let (ledger, completeness) = (ledger(&cases), Completeness::learn(&cases, day(LAST)));
        let events = Multipliers {
            events: vec![(Window::ending(day(LAST) - chrono::Days::new(70), 14), vec![2.0, 1.0, 1.0])],
        };
        let weekdays = Weekdays::learn(day("2026-01-05"), &[3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0].repeat(20));
        let around = Surroundings { completeness: &completeness, weekdays: &weekdays, events: &events };
        let one = CategorySet::from_bits(1);
        let learned = Nightly::learn(&ledger, around, AreaKind::Ward, one, (day(LAST), 56), None).unwrap();
        let scaled = Multipliers { events: vec![(Window::ending(day(LAST), 3), vec![1.5, 1.0, 1.0])] };
        for (days, windows) in [(7, 52), (1, 52), (10, 36), (28, 13), (365, 1)] {
            for (judged, usual) in learned.judge(days, &scaled) {
                let past = learned.past(&judged.area, days, windows, &scaled);
                assert_eq!(past.len(), windows, "{days} days");
                let last = past[windows - 1];
                assert_eq!(last.window, judged.window);
                assert_eq!((last.observed, last.usual_range), (judged.observed, usual.usual_range()));
                assert!(
                    (last.expected - judged.expected).abs() < 1e-12 * judged.expected,
                    "{last:?} {judged:?}"
                );
                for pair in past.windows(2) {
                    assert_eq!(pair[0].window.last.succ_opt(), Some(pair[1].window.first));
                    assert_eq!(pair[0].window.days(), days);
                }
            }
        }
        let a = AreaRef { kind: AreaKind::Ward, code: "A".into() };
        let weeks = learned.past(&a, 7, 52, &scaled);
        assert!(weeks[41].expected > 1.5 * weeks[30].expected, "the event is in the band: {weeks:?}");
        assert!(weeks.iter().all(|week| (week.usual_range.0..=week.usual_range.1).contains(&3)), "{weeks:?}");
        let days = learned.past(&a, 1, 60, &Multipliers::default());
        let (sunday, monday) = (days[59 - 7 * 4], days[59 - 7 * 4 - 6]);
        assert!(monday.expected > 1.5 * sunday.expected, "weekdays differ: {monday:?} {sunday:?}");
        assert!(learned.past(&a, 7, 500, &scaled).len() <= 730 / 7);
        assert_eq!(learned.past(&AreaRef { kind: AreaKind::Csp, code: "A".into() }, 7, 52, &scaled), []);
    }

    #[test]
    fn what_happens_later_and_what_is_half_known_is_not_expected() {
        let cases = cases();
        let (whole, known) = (ledger(&cases), Completeness::learn(&cases, day(LAST)));
        let mut more = cases.clone();
        more.extend(
            (1..9).map(|later| Case { day: Some(day(LAST) + chrono::Days::new(later)), ..cases[0].clone() }),
        );
        assert_eq!(judged(&ledger(&more), &known, day(LAST), 28), judged(&whole, &known, day(LAST), 28));

        // Half of all reports come after a month: half as many are expected of the last week.
        let late: Vec<Case> = (0_u64..)
            .zip(&cases)
            .map(|(n, case)| Case {
                known_on: case.known_on + chrono::Days::new(30 * (n % 2)),
                ..case.clone()
            })
            .collect();
        let half = judged(&whole, &Completeness::learn(&late, day(LAST)), day(LAST), 7);
        let all = judged(&whole, &known, day(LAST), 7);
        let ratio = half[0].expected / all[0].expected;
        assert!((0.4..0.65).contains(&ratio), "{ratio}");
    }
}
