//! How long the check of 200 rule files takes: `cargo bench --bench rules`. It should be below 100 ms.

use std::{collections::BTreeMap, time::Instant};
use tension_watch::{
    import::read_pack,
    model::Geography,
    rules::{Known, check},
    synth::llr,
};

const FILES: usize = 200;
const RULE: &str = include_str!("../rules/race-week-spike.toml");

fn main() {
    let pack = read_pack(llr::PACK, llr::AREAS, llr::LINKS, llr::DIRECTORY).expect("the shipped pack");
    let day = "2026-06-30".parse().expect("a day");
    let geography = Geography::on(day, pack.areas, pack.links).expect("the shipped areas");
    let known = Known { categories: &pack.pack.categories, geography: &geography, former: &BTreeMap::new() };
    let good = |number: usize| {
        let text = RULE.replace("race-week-spike", &format!("rule-{number}"));
        text.replace("at_least    = 4", &format!("at_least    = {}", number + 2))
    };
    let bad =
        |number: usize| good(number).replace("[\"race\"]", "[\"rase\"]").replace("\"elevated\"", "elevated");
    for (what, text) in
        [("without mistakes", &good as &dyn Fn(usize) -> String), ("each with two mistakes", &bad)]
    {
        let files: BTreeMap<String, String> =
            (0..FILES).map(|number| (format!("{number}.toml"), text(number))).collect();
        let times: Vec<f64> = (0..5)
            .map(|_| {
                let start = Instant::now();
                let found = check(&files, &known);
                let took = start.elapsed().as_secs_f64() * 1e3;
                std::hint::black_box(found);
                took
            })
            .collect();
        let found = check(&files, &known).mistakes.len();
        let best = times.iter().copied().fold(f64::INFINITY, f64::min);
        println!("{FILES} files {what} ({found} mistakes): {best:.1} ms");
    }
}
