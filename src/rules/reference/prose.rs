//! The parts of the reference page that are no tables.

pub(super) const HEAD: &str = r"# Rule files

Rules say what Tension Watch looks for and who is told. Analysts write them. A rule is one file that ends in `.toml`, in the folder `rules`.

This page is made from the program's own table of fields. `tension-watch rules reference` prints it.

## A rule, whole

";

pub(super) const NIGHT: &str = r"
To begin one of your own: `tension-watch rules new my-rule --detector spike` writes a file with every field explained.

## What happens in a night

1. Tension Watch takes the incidents that were known by then, and allows for late reports.
2. It works out what is usual for every area and strand at this time of year.
3. It judges every rule that is live or in shadow. A folder with a mistake is not used: the last good rules stay in force and the run says so.
4. Where a rule holds, an alert opens, or the open alert for that rule and area goes on.
5. The people named in `[tell]` are told when an alert opens, and again when there is news.

## Levels

The level of a rule is a promise about false alarms. It says how often chance alone would set the rule off, over all the areas and strands it looks at taken together.
";

pub(super) const AFTER_LEVELS: &str = r"
`rarer_than` can ask for more than the level promises, never for less.

## Statuses

";

pub(super) const STATUSES: &str = r"| Status | What happens |
|---|---|
| `draft` | The rule is checked and tested. It is not judged at night. |
| `shadow` | It is judged every night and what it finds is recorded. Nobody is told. |
| `live` | It is judged every night and people are told. |
| `retired` | It is kept for the record. It is not judged any more. |

";

pub(super) const FORMAT: &str = r#"## How a file is written

- Text stands in straight quotes: `title = "Racist incidents"`. Curly quotes from a word processor are refused.
- Numbers, days and `true` or `false` stand without quotes: `at_least = 5`, `review_by = 2027-04-01`.
- Lists stand in square brackets: `categories = ["race", "religion"]`.
- What follows a `#` is a comment.
- A section begins with its name in brackets: `[look_at]`. Sections that may come several times have double brackets: `[[test]]`.
- The id, title and other fields at the top come before the first section.
- A field that is not on this page is a mistake, so a slip of the pen never switches a condition off.

`tension-watch rules check` shows every mistake at once, with its line and what to do.

Editors that know Taplo (such as Visual Studio Code with Even Better TOML) complete fields and explain them. Write the schema with `tension-watch rules schema --out rules/rule.schema.json` and begin each rule with the line `#:schema ./rule.schema.json`.

## Fields
"#;

pub(super) const DETECTORS: &str = r"
## What a rule finds

A rule has exactly one of the seven sections that follow. Its name says what the rule finds.
";

pub(super) const TELLING: &str = r"
## Who is told
";

pub(super) const OVERRIDES: &str = r"
## Other numbers for some partnerships

A rule can ask for more or less in some partnerships. Write one section for each set of numbers.
";

pub(super) const CALENDAR: &str = r"
## The calendar

Some rises are expected: more people report in an awareness week, and a festival brings more people together. The calendar changes what counts as usual on those days. It never mutes a rule, and it never takes away a severe alert.
";

pub(super) const EVENTS: &str = r"
### Calendar files

Events are kept once, in files in `rules/calendar/`, for example `rules/calendar/2027.toml`. Each entry begins with `[[event]]`. Rules name them in `when`.
";

pub(super) const POINT: &str = r"
`around` holds a point:
";

pub(super) const EPISODES: &str = r"
## Episodes files

Files in `rules/episodes/` say what really happened in the past, as people know it now. `tension-watch rules try` measures against them how many days before the peak a rule would have warned. Each entry begins with `[[episode]]`.
";

pub(super) const PLAYBOOKS: &str = r"
## Playbooks

Files in `rules/playbooks/` say what a partnership usually does about a kind of signal. What fits an alert stands on its page and in its answer form: one press records it in the action register. Each entry begins with `[[play]]`.
";

pub(super) const TESTS: &str = r"
## Tests

Write at least two tests for each rule: a history it should be silent about, and one it should not. They tell the next person what the rule is for. `tension-watch rules test` runs them.
";

pub(super) const INCIDENTS: &str = r"
Each of `incidents` is a point in time and, if you like, in place:
";

pub(super) const LIFE: &str = r"
## From draft to live

1. **Write.** `tension-watch rules new my-rule` writes a draft with two tests. Change it until it says what you mean.
2. **Check.** `tension-watch rules check` shows every mistake in the folder.
3. **Test.** `tension-watch rules test` runs the tests in the files.
4. **Try.** `tension-watch rules try` replays past nights with what was known on each of them. It shows the alerts the rule would have sent.
5. **Tune.** `tension-watch rules tune` finds the rarity that keeps your `[budget]`. It proposes and you decide: it never edits a file.
6. **Shadow.** Set `status` to `shadow` for some weeks. The rule is judged every night and nobody is told.
7. **Live.** When what it found in shadow was worth knowing, agree it with those who will be told and set `status` to `live`.

Look at the rule again by `review_by`. When it has had its day, set `status` to `retired` and keep the file: its alerts refer to it.

`tension-watch rules diff OLD NEW` says which alerts a change would have won and lost. `tension-watch rules explain ALERT` tells every number of an alert, and `tension-watch rules why-not WARD STRAND NIGHT` why the others did not hold. `ANALYSTS.md` takes one rule through all of this.
";
