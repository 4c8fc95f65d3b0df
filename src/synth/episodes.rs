//! What is planted in the county, and where and when: the truth that alerts are measured against.

use super::{Options, Ward};
use chrono::{Days, NaiveDate};

/// What kind of thing an episode is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpisodeKind {
    /// Something outside raises incidents for some time.
    Trigger,
    /// Small incidents over weeks in neighbouring wards, then a burst.
    SlowRise,
    /// One place, again and again, for long.
    RepeatPlace,
    /// Several incidents in one street within days.
    StreetCluster,
    /// More is reported; nothing more happens. Not a tension.
    Campaign,
    /// More is recorded from a day on; nothing more happens. Not a tension.
    RecordingStep,
}

impl EpisodeKind {
    /// As the truth file writes it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::SlowRise => "slow_rise",
            Self::RepeatPlace => "repeat_place",
            Self::StreetCluster => "street_cluster",
            Self::Campaign => "campaign",
            Self::RecordingStep => "recording_step",
        }
    }

    /// Whether an early-warning engine should tell of it.
    #[must_use]
    pub const fn is_tension(self) -> bool {
        !matches!(self, Self::Campaign | Self::RecordingStep)
    }
}

/// A planted episode.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// Its name in the truth file.
    pub id: String,
    /// Its kind.
    pub kind: EpisodeKind,
    /// The wards it touches, by code.
    pub wards: Vec<String>,
    /// The strands its incidents carry, with weights; several in one word are joined by `;`.
    pub strands: Vec<(&'static str, f64)>,
    /// How many times the usual, from a day on until the next; 1 ends it. The first day is its start.
    pub steps: Vec<(NaiveDate, f64)>,
    /// The day on which it is at its strongest begins here.
    pub peak: NaiveDate,
    /// One place at which all of it happens, and how many incidents, evenly over its days.
    pub at_one_place: Option<((f64, f64), u32)>,
    /// References of the incidents that were planted.
    pub planted: Vec<String>,
}

impl Episode {
    /// Its first day.
    #[must_use]
    pub fn start(&self) -> NaiveDate {
        self.steps.first().map_or(self.peak, |step| step.0)
    }

    /// Its last day.
    #[must_use]
    pub fn end(&self) -> NaiveDate {
        self.steps.last().map_or(self.peak, |step| step.0 - Days::new(1))
    }

    /// How many times the usual on a day.
    pub(super) fn factor(&self, day: NaiveDate) -> f64 {
        self.steps.iter().rev().find(|step| step.0 <= day).map_or(1.0, |step| step.1)
    }
}

const RACE: [(&str, f64); 1] = [("race", 1.0)];
const EAST: [&str; 5] = ["E05010461", "E05010470", "E05010469", "E05010472", "E05010475"];
const WEST: [&str; 4] = ["E05010466", "E05010476", "E05010477", "E05010462"];
const SYSTON: &str = "E05014686";
const BARWELL: &str = "E05005481";
const CHARNWOOD: &str = "E07000130";
const LEICESTER: &str = "E06000016";

/// Everything that is planted. Empty for a county without episodes.
pub(super) fn episodes(wards: &[Ward], options: &Options) -> Vec<Episode> {
    if options.null {
        return Vec::new();
    }
    let mut all = past(wards);
    all.extend(recent(wards, options.last));
    all.retain(|episode| {
        episode.start() >= options.first && episode.start() <= options.last && !episode.wards.is_empty()
    });
    all
}

/// Shaped after the county's published history: see the parameters in the documentation of the demonstration.
fn past(wards: &[Ward]) -> Vec<Episode> {
    let everywhere = || codes(wards, |_| true);
    let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap_or_default();
    let mut all = vec![
        trigger("july-2021", everywhere(), &RACE, &[(day(2021, 7, 11), 1.45), (day(2021, 7, 25), 1.0)]),
        trigger(
            "east-leicester-2022",
            EAST.map(String::from).to_vec(),
            &[("religion", 0.4), ("race", 0.45), ("race;religion", 0.15)],
            &[
                (day(2022, 8, 22), 1.5),
                (day(2022, 8, 28), 3.0),
                (day(2022, 9, 17), 8.0),
                (day(2022, 9, 26), 4.0),
                (day(2022, 10, 10), 2.0),
                (day(2022, 10, 31), 1.0),
            ],
        ),
        trigger(
            "autumn-2023",
            everywhere(),
            &[("religion", 1.0)],
            &[(day(2023, 10, 9), 1.5), (day(2023, 12, 4), 1.0)],
        ),
        trigger("august-2024", everywhere(), &RACE, &[(day(2024, 8, 1), 1.4), (day(2024, 9, 1), 1.0)]),
        Episode {
            kind: EpisodeKind::RecordingStep,
            ..trigger(
                "reporting-centre-2024",
                codes(wards, |ward| ward.district == LEICESTER),
                &MIX,
                &[(day(2024, 7, 1), 1.05), (day(2100, 1, 1), 1.0)],
            )
        },
    ];
    for year in 2021..=2025 {
        // The national awareness week begins on the second Saturday of October.
        let first =
            (8..=14).map(|d| day(year, 10, d)).find(|d| chrono::Datelike::weekday(d) == chrono::Weekday::Sat);
        let first = first.unwrap_or_default();
        all.push(Episode {
            kind: EpisodeKind::Campaign,
            ..trigger(
                &format!("awareness-week-{year}"),
                everywhere(),
                &MIX,
                &[(first, 1.1), (first + Days::new(8), 1.0)],
            )
        });
    }
    all
}

/// What the replayed nights are to find, and to keep quiet about.
fn recent(wards: &[Ward], last: NaiveDate) -> Vec<Episode> {
    let ago = |days: u64| last - Days::new(days);
    let centre = |code: &str| wards.iter().find(|ward| ward.code == code).map(|ward| ward.centre);
    let steps =
        [(ago(80), 1.7), (ago(52), 2.5), (ago(24), 8.0), (ago(16), 4.0), (ago(9), 2.0), (ago(2), 1.0)];
    let mut all = vec![
        Episode {
            kind: EpisodeKind::SlowRise,
            ..trigger(
                "west-leicester-2026",
                WEST.map(String::from).to_vec(),
                &[("race", 0.6), ("religion", 0.25), ("race;religion", 0.15)],
                &steps,
            )
        },
        Episode {
            kind: EpisodeKind::Campaign,
            ..trigger(
                "charnwood-campaign-2026",
                codes(wards, |ward| ward.district == CHARNWOOD),
                &MIX,
                &[(ago(60), 1.3), (ago(39), 1.0)],
            )
        },
    ];
    if let Some(place) = centre(BARWELL) {
        all.push(Episode {
            kind: EpisodeKind::RepeatPlace,
            at_one_place: Some(((place.0 + 120.0, place.1 - 80.0), 30)),
            ..trigger(
                "barwell-2026",
                vec![BARWELL.into()],
                &[("disability", 1.0)],
                &[(ago(560), 1.0), (ago(3), 1.0)],
            )
        });
    }
    if let Some(place) = centre(SYSTON) {
        all.push(Episode {
            kind: EpisodeKind::StreetCluster,
            at_one_place: Some(((place.0 - 200.0, place.1 + 150.0), 6)),
            ..trigger("syston-2026", vec![SYSTON.into()], &RACE, &[(ago(70), 1.0), (ago(64), 1.0)])
        });
    }
    all
}

/// The usual mix of strands: 77 race, 11 sexual orientation, 7.5 disability, 6 religion, 2 transgender, 1.5 other for
/// every 100 incidents; race with religion is the commonest pair.
pub(super) const MIX: [(&str, f64); 10] = [
    ("race", 73.8),
    ("race;religion", 2.7),
    ("religion", 2.9),
    ("sexual_orientation", 10.1),
    ("disability", 6.8),
    ("transgender", 1.3),
    ("other", 1.3),
    ("sexual_orientation;transgender", 0.5),
    ("race;disability", 0.5),
    ("race;sexual_orientation", 0.3),
];

fn codes(wards: &[Ward], wanted: impl Fn(&Ward) -> bool) -> Vec<String> {
    wards.iter().filter(|ward| wanted(ward)).map(|ward| ward.code.clone()).collect()
}

fn trigger(
    id: &str,
    wards: Vec<String>,
    strands: &[(&'static str, f64)],
    steps: &[(NaiveDate, f64)],
) -> Episode {
    let peak = steps.iter().fold(steps[0], |peak, step| if step.1 > peak.1 { *step } else { peak }).0;
    Episode {
        id: id.to_owned(),
        kind: EpisodeKind::Trigger,
        wards,
        strands: strands.to_vec(),
        steps: steps.to_vec(),
        peak,
        at_one_place: None,
        planted: Vec::new(),
    }
}
