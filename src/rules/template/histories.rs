//! Made-up histories that a new rule's tests begin with: one it should be silent about, one it should not.

/// The fields of both tests of a detector, the quiet one first.
pub(super) fn of(detector: &str) -> [&'static str; 2] {
    match detector {
        "cluster" => [FAR_APART, NEAR],
        "repeat" => [TWICE, AGAIN],
        "drop" => [STEADY, DRIED_UP],
        "share" => [SAME_SHARE, LARGER_SHARE],
        "spread" => [STAYS, GOES_ON],
        "combine" => [QUIET, NEAR],
        _ => [QUIET, JUMP],
    }
}

const QUIET: &str = r#"name = "an ordinary quarter of a year"
weeks = [1, 0, 2, 1, 1, 0, 1, 2, 1, 1, 0, 1, 2]
expect = "nothing"
"#;

const JUMP: &str = r#"name = "a jump from about one a week to eight"
weeks = [1, 0, 2, 1, 1, 0, 1, 2, 1, 1, 0, 1, 8]
expect = "alert"
"#;

const FAR_APART: &str = r#"name = "four in a week, a kilometre apart"
incidents = [
  { day = -5, east = 461200, north = 305900 },
  { day = -3, east = 462200, north = 305900 },
  { day = -2, east = 461200, north = 306900 },
  { day = -1, east = 462200, north = 306900 },
]
expect = "nothing"
"#;

const NEAR: &str = r#"name = "six in a week around one corner"
incidents = [
  { day = -5, east = 461200, north = 305900 },
  { day = -4, east = 461230, north = 305880 },
  { day = -3, east = 461210, north = 305870 },
  { day = -2, east = 461190, north = 305910 },
  { day = -1, east = 461220, north = 305890 },
  { day = 0, east = 461205, north = 305905 },
]
expect = "alert"
"#;

const TWICE: &str = r#"name = "two at one address in a year"
incidents = [
  { day = -200, east = 461200, north = 305900, repeat_key = "a1" },
  { day = -1, east = 461200, north = 305900, repeat_key = "a1" },
]
expect = "nothing"
"#;

const AGAIN: &str = r#"name = "six at one address in half a year"
incidents = [
  { day = -170, east = 461200, north = 305900, repeat_key = "a1" },
  { day = -120, east = 461200, north = 305900, repeat_key = "a1" },
  { day = -80, east = 461200, north = 305900, repeat_key = "a1" },
  { day = -41, east = 461200, north = 305900, repeat_key = "a1" },
  { day = -9, east = 461200, north = 305900, repeat_key = "a1" },
  { day = -1, east = 461200, north = 305900, repeat_key = "a1" },
]
expect = "alert"
"#;

const STEADY: &str = r#"name = "reports come as they always did"
weeks = [6, 5, 7, 6, 4, 6, 5, 7, 6, 5, 6, 6, 5]
expect = "nothing"
"#;

const DRIED_UP: &str = r#"name = "hardly a report in four weeks"
weeks = [6, 5, 7, 6, 4, 6, 5, 7, 6, 1, 0, 1, 0]
expect = "alert"
"#;

const SAME_SHARE: &str = r#"name = "more of everything, in the same proportion"
weeks = [10, 12, 9, 11, 10, 12, 10, 9, 11, 20, 19, 21, 20]
of_which = [2, 3, 2, 2, 2, 3, 2, 2, 2, 4, 4, 5, 4]
expect = "nothing"
"#;

const LARGER_SHARE: &str = r#"name = "from a fifth to two thirds"
weeks = [10, 12, 9, 11, 10, 12, 10, 9, 11, 10, 12, 11, 10]
of_which = [2, 3, 2, 2, 2, 3, 2, 2, 2, 7, 8, 7, 7]
expect = "alert"
"#;

const STAYS: &str = r#"name = "a rise that stays where it was"
weeks = [1, 0, 2, 1, 1, 0, 1, 2, 1, 1, 0, 8, 2]
next_door = [0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0]
expect = "nothing"
"#;

const GOES_ON: &str = r#"name = "a week later it goes on next door"
weeks = [1, 0, 2, 1, 1, 0, 1, 2, 1, 1, 0, 8, 2]
next_door = [0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 6]
expect = "alert"
"#;
